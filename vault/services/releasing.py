"""The end of our custody: proof that our password is dead, release, acknowledgement (H9, C5, S30).

Decided here: what AWS's records, read by reconciliation, prove of an account in transfer; that a person's word for it
is whole or none; and what follows: at release every claim on the account ends, its mailbox and phone are the
customer's, and nothing opens it; with the last account the handover is released and the grace begins. An
acknowledgement ends the waiting. Never decided here: the destruction itself (`vault.services.destruction`), the order
of the steps (`vault.domain.plans`). No field of any of these takes a credential of the customer's.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.account import CUSTODY, Custodian, Custody, CustodyEvent
from vault.domain.case import HandoverEvent, HandoverState, PlaceEvent, PlaceState, StepState
from vault.domain.observation import Act as Seen
from vault.domain.plans.handover import (
    BEGIN,
    EMAIL_ACCEPT,
    PLAN,
    RECOVERY,
    ROOT_DELETED,
    ROOT_EMAIL,
    SIGNATORY,
)
from vault.domain.plans.release import (
    ACKNOWLEDGE,
    AWS_EVENT,
    AWS_SHA256,
    CONFIRMED_BY,
    CONFIRMED_ON,
    INSTEAD,
    RELEASE,
    RESET,
    SIGNED,
    WHERE,
)
from vault.domain.release import NAME_MAX, Handed, Way, reset_by_owner, same_name
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, VaultError
from vault.services.case_kinds import Carried, Given, Preview, Work, move_case, move_place
from vault.services.destruction import end_claims

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import Done, Scene
    from vault.domain.event import Change
    from vault.domain.observation import Observation
    from vault.ports.store import Unit, Units

NOTE: Final = "the account was released to its customer"
_WHOLE: Final = (CONFIRMED_BY, CONFIRMED_ON, WHERE)
_ABSENT: Final = (
    "AWS has no record yet of a password that the customer set after the root e-mail became theirs, outside every "
    "lease and rotation of ours. Records come up to fifteen minutes late; or give the signatory's confirmation."
)
_ONE_WORD: Final = (
    "AWS has no record yet of the root e-mail's change (EmailUpdated): one person alone says it, so a password that "
    "was set since may have been set by our own mailbox. Records come up to fifteen minutes late; or give the "
    "signatory's confirmation."
)
_ONCE_MORE: Final = (
    "AWS recorded that the root e-mail was changed once more after that, before this password was set: by whose "
    "mailbox it came is not known here. Look whose address it is now; then give the signatory's confirmation."
)


@dataclass(frozen=True, slots=True)
class Releasing:
    """What the last steps of a handover ask for, and what follows from them; `grace` is waited for the customer."""

    grace: timedelta

    def check(self, unit: Unit, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say why one of these steps cannot count yet; None for every other step."""
        if given.step.name == RESET:
            return self._check_reset(unit, scene, given, now)
        if given.step.name == RELEASE:
            return _check_release(scene, given.account_id)
        if given.step.name == ACKNOWLEDGE:
            signed, on = given.evidence.get(SIGNED, ""), given.evidence.get(CONFIRMED_ON, "")
            return (
                _too_long(signed)
                or _in_future(on, now)
                or _too_early(on, unit.releases.get(scene.case.id))
                or _signed_by(scene, signed, given.evidence.get(INSTEAD, ""))
            )
        return None

    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Write what follows from one of these steps; nothing for every other."""
        if done.state is not StepState.DONE:
            return ()
        if done.step == RELEASE:
            return self._release(unit, actor, scene, done.account_id, now)
        if done.step == ACKNOWLEDGE:
            return acknowledged(unit, scene, Way.LETTER, done.evidence[SIGNED], "", now)
        return ()

    def _check_reset(self, unit: Unit, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        if given.by_vault or CONFIRMED_BY not in given.evidence:
            if not given.by_vault:
                words = "Have the vault look for AWS's record, or give the signatory's confirmation: who, when, where."
                missing = tuple(FieldError(f"/evidence/{name}", "Give it.") for name in _WHOLE)
                return Invalid("case.evidence", words, errors=missing)
            return None
        missing = tuple(
            FieldError(f"/evidence/{name}", "A confirmation says who, when and where it is kept.")
            for name in _WHOLE
            if name not in given.evidence
        )
        if missing:
            return Invalid("case.evidence", missing[0].detail, errors=missing)
        signatory = scene.given("", SIGNATORY, "name")
        if not same_name(given.evidence[CONFIRMED_BY], signatory):
            words = (
                f"The authorised signatory of this case is {signatory}; nobody else confirms this (H1, H9)."
            )
            return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{CONFIRMED_BY}", words),))
        since = email_changed(unit, scene, given.account_id)
        if since is not None and given.evidence[CONFIRMED_ON] < since.date().isoformat():
            words = (
                f"The root e-mail became the customer's on {since:%Y-%m-%d}; a confirmation comes after that."
            )
            return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{CONFIRMED_ON}", words),))
        return _in_future(given.evidence[CONFIRMED_ON], now)

    def _release(
        self, unit: Unit, actor: Actor, scene: Scene, account_id: str, now: datetime
    ) -> tuple[Change, ...]:
        """End our custody of one account; with the last one the handover is released."""
        account, place = unit.accounts.lock(account_id), scene.place(account_id)
        assert account is not None  # noqa: S101 - its row is held by now
        assert place is not None  # noqa: S101 - the step is of an account of the case
        told = list(end_claims(unit, actor, account_id, now, NOTE))
        custody = CUSTODY.after(account.custody, CustodyEvent.RELEASED) or account.custody
        released = replace(account, custody=custody, mailbox=Custodian.CUSTOMER, phone=Custodian.CUSTOMER)
        unit.accounts.update(released)
        told += changes(account, released)
        told += move_place(unit, place, PlaceEvent.FINISHED, now)[1]
        others = [each for each in scene.live.values() if each.account_id != account_id]
        if all(each.state is PlaceState.DONE for each in others):
            told += move_case(unit, PLAN, scene.case, HandoverEvent.RELEASED, now)[1]
            handed = Handed(scene.case.id, now, now + self.grace)
            unit.releases.add(handed)
            told += changes(None, handed)
        return tuple(told)


def acknowledged(
    unit: Unit, scene: Scene, way: Way, signed: str, link_id: str, now: datetime
) -> tuple[Change, ...]:
    """Write that a released handover was acknowledged; the caller records and commits."""
    case = unit.cases.get(scene.case.id) or scene.case
    handed = unit.releases.get(case.id)
    assert handed is not None  # noqa: S101 - a handover that is released has its end
    moved = move_case(unit, PLAN, case, HandoverEvent.ACKNOWLEDGED, now)[1]
    ended = replace(handed, acknowledged_at=now, way=way, signed=signed, link_id=link_id)
    unit.releases.update(ended)
    return (*moved, *changes(handed, ended))


def email_changed(unit: Unit, scene: Scene, account_id: str) -> datetime | None:
    """Give when the root e-mail became the customer's: by AWS's own word, or else by the step; None if it has not."""
    by_aws = email_proven(unit, scene, account_id)
    if by_aws is not None:
        return by_aws
    done = _changed(scene, account_id)
    return None if done is None else done.at


def email_proven(unit: Unit, scene: Scene, account_id: str) -> datetime | None:
    """Give when AWS says that the root e-mail became the customer's; None where a person alone says so.

    What the vault did is AWS's answer. Else it is root's own record: the last one up to the word that it changed, as
    one before may have led to a mailbox of ours; where there is none, the first one after it. Whoever said that the
    e-mail changed could else recover the password by our own mailbox, and have that taken for the customer's.
    """
    done, begun = _changed(scene, account_id), scene.of(account_id, BEGIN)
    if done is None or done.by_vault:
        return None if done is None else done.at
    seen = () if begun is None else unit.proofs.observed({account_id: begun.at}).get(account_id, ())
    recorded = [each.at for each in seen if each.act is Seen.EMAIL_UPDATED and each.counts]
    before = [at for at in recorded if at <= done.at]
    return max(before, default=min(recorded, default=None))


def _changed(scene: Scene, account_id: str) -> Done | None:
    """Give the step by which the root e-mail became the customer's, where it is done."""
    done = scene.of(account_id, EMAIL_ACCEPT) or scene.of(account_id, ROOT_EMAIL)
    return done if done is not None and done.state is StepState.DONE else None


@dataclass(frozen=True, slots=True)
class Reset:
    """The vault's look for what proves our password dead; an act that asks nobody outside, as records came before."""

    units: Units

    def preview(self, work: Work) -> Preview:
        """Say what is on record by now."""
        found = self.carry_out(work)
        return Preview(words="; ".join(found.gone or found.left))

    def carry_out(self, work: Work) -> Carried:
        """Find it, or say what is missing; of AWS's record, its id and the hash of its text are kept."""
        number = work.account_id
        with self.units.read() as unit:
            since = email_proven(unit, work.scene, number)
            record = None if since is None else _record(unit, number, since)
            if (
                record is not None
                and since is not None
                and _once_more(unit, work.scene, number, since, record.at)
            ):
                return Carried(left=(_ONCE_MORE,))
            seen = None if record is None else unit.cloud.get(record.id)
        if record is not None and seen is not None:
            words = f"AWS recorded {record.act} at {record.at:%Y-%m-%d %H:%M:%S} UTC (event {record.id})"
            kept = {AWS_EVENT: record.id, AWS_SHA256: hashlib.sha256(seen.record.record.encode()).hexdigest()}
            return Carried(gone=(words,), evidence=kept)
        deleted = _deleted(work.scene, number)
        if deleted is not None:
            words = (
                f"The vault deleted this member's root credentials at {deleted.at:%Y-%m-%d %H:%M:%S} UTC, and AWS "
                "said that nothing is left of them; its recovery by the customer's mailbox is allowed"
            )
            return Carried(gone=(words,))
        return Carried(left=(_ONE_WORD if since is None else _ABSENT,))


def _once_more(unit: Unit, scene: Scene, account_id: str, since: datetime, until: datetime) -> bool:
    """Say whether root changed the e-mail again, after the change that was said and before its password was set.

    Whoever has the lease could else make the address one of their own, once it was said to be the customer's. What the
    vault changed of a member takes no lease of its root.
    """
    done = _changed(scene, account_id)
    if done is None or done.by_vault:
        return False
    seen = unit.proofs.observed({account_id: since}).get(account_id, ())
    return any(since < each.at <= until for each in seen if each.act is Seen.EMAIL_UPDATED and each.counts)


def _deleted(scene: Scene, account_id: str) -> Done | None:
    """Give the step by which the vault deleted a member's root credentials, where its recovery is allowed."""
    deleted, allowed = scene.of(account_id, ROOT_DELETED), scene.of(account_id, RECOVERY)
    if deleted is None or allowed is None or not deleted.by_vault or not allowed.settled:
        return None
    return deleted if deleted.state is StepState.DONE else None


def _record(unit: Unit, account_id: str, since: datetime) -> Observation | None:
    seen = unit.proofs.observed({account_id: since.replace(microsecond=0)}).get(account_id, ())
    windows = unit.proofs.windows((account_id,)).get(account_id, ())
    uses = unit.proofs.uses((account_id,), since - timedelta(days=1)).get(account_id, ())
    return reset_by_owner(account_id, since, seen, windows, uses)


def _check_release(scene: Scene, account_id: str) -> VaultError | None:
    custody = scene.accounts[account_id].custody
    # released already: a backup from before was restored, and what was destroyed since was destroyed again
    if custody not in {Custody.IN_TRANSFER, Custody.RELEASED}:
        words = f"Account {account_id} is {custody}: only what is in transfer is released."
        return Conflict("case.state", words, rule="H9", state=custody)
    if scene.case.state != HandoverState.IN_PROGRESS:
        return Conflict("case.state", f"This handover is {scene.case.state}, not in progress.", rule="H9")
    return None


def _too_long(name: str) -> VaultError | None:
    if len(name) <= NAME_MAX:
        return None
    words = f"A name has at most {NAME_MAX} characters."
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{SIGNED}", words),))


def _in_future(day: str, now: datetime) -> VaultError | None:
    if day <= (now + timedelta(days=1)).date().isoformat():  # a day ahead of us somewhere
        return None
    words = "That day is still to come."
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{CONFIRMED_ON}", words),))


def _too_early(day: str, handed: Handed | None) -> VaultError | None:
    """Say that nobody could hold an account on a day before its release: what we keep is destroyed on this word."""
    if (
        handed is None or day >= (handed.released_at - timedelta(hours=12)).date().isoformat()
    ):  # a day behind us
        return None
    words = (
        f"The handover was released on {handed.released_at:%Y-%m-%d}; an acknowledgement comes after that."
    )
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{CONFIRMED_ON}", words),))


def _signed_by(scene: Scene, signed: str, instead: str) -> VaultError | None:
    """Say that another name than the signatory's needs a reason, and theirs none: what we keep is destroyed on it."""
    signatory = scene.given("", SIGNATORY, "name")
    if same_name(signed, signatory):
        if not instead:
            return None
        words = "The signatory signed: leave the reason out, and one person is enough."
        return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{INSTEAD}", words),))
    if instead:
        return None
    words = (
        f"The authorised signatory of this case is {signatory}. Where somebody else signed, say why that counts; then "
        "another person has to agree (H1, H9)."
    )
    return Invalid("case.evidence", words, errors=(FieldError(f"/evidence/{INSTEAD}", words),))
