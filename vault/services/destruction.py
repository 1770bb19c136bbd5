"""Crypto-shredding: everything that is sealed for an account is emptied, with every key that wrapped it (H9).

Decided here: only of an account that is released; in one transaction with its entries, and never twice. What claims
the account ends first: a checkout that is open, rotations that are not at an end. What is destroyed is written on the
list outside the database before the transaction commits, so that a backup that is put back cannot bring it to life:
`apply_again` does it once more before a restored vault serves, whatever custody the backup knows. The log, and the
hashes of what was destroyed, stay.

An account's versions are told in as many entries as their changes need, 200 in each at most. Never decided here: when
a credential is to be destroyed, and who agreed to that; how long backups are kept (a setting).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.crypto.envelope import decode_wraps
from vault.domain.account import Custody
from vault.domain.actor import system_actor
from vault.domain.checkout import CheckoutEvent, overdue
from vault.domain.credential import VERSION, PartEvent, PartKind, VersionEvent, VersionLabel
from vault.domain.destruction import (
    Destroyed,
    Ground,
    digest,
    list_versions,
    list_wraps,
    steps_of,
    way_to_released,
)
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.rotation import ROTATION, RotationEvent
from vault.domain.told import changes
from vault.errors import Conflict, Refused, Tampered, not_found
from vault.services.leases import end, move_part

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.credential import Version
    from vault.domain.destruction import Key
    from vault.domain.mail import Mail
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.destruction import DestroyedList
    from vault.ports.store import Unit, Units

ACTOR: Final = system_actor("destruction")
NOTE: Final = "what was kept of the account is destroyed"
CHANGES_AN_ENTRY: Final = 200
WRAPS_TOLD: Final = 2_000
"""Characters of the list of wraps that an entry tells in full; of a longer one it names the hash alone."""
KEPT_FOR: Final = timedelta(days=35)
_GIVEN_UP: Final = (RotationEvent.ABANDONED, RotationEvent.REMOVED, RotationEvent.OUTCOME_UNKNOWN)


@dataclass(frozen=True, slots=True)
class Order:
    """Why a credential is destroyed, in a word and a sentence, and in which case."""

    ground: Ground
    why: str
    case_id: str = ""


@dataclass(frozen=True, slots=True)
class Destruction:
    """What destroys, inside others' transactions."""

    backups: timedelta = KEPT_FOR
    """How long a backup is kept."""
    outside: DestroyedList | None = None
    """The list outside the database; None for a vault that no backup is taken of."""

    def destroy(self, unit: Unit, actor: Actor, account_id: str, order: Order, now: datetime) -> Destroyed:
        """Destroy what is sealed for one account; done before, it gives what was done then. The caller commits."""
        return self.destroy_all(unit, actor, (account_id,), order, now)[0]

    def destroy_all(
        self, unit: Unit, actor: Actor, account_ids: Sequence[str], order: Order, now: datetime
    ) -> tuple[Destroyed, ...]:
        """Destroy what is sealed for these accounts, all or nothing; the caller commits.

        Raises `NotFound`, `Conflict` destruction.state for an account that is not released, and `Unavailable`
        log.unavailable where the list outside cannot be written.
        """
        known: dict[str, Destroyed] = {}
        fresh: list[_Fresh] = []
        for account in _locked(unit, account_ids):
            before = unit.destructions.get(account.id)
            if before is not None:
                known[account.id] = before
                continue
            if account.custody is not Custody.RELEASED:
                words = (
                    f"Account {account.id} is {account.custody}: only what was released is destroyed (H9)."
                )
                raise Conflict("destruction.state", words, rule="H9", state=account.custody)
            fresh.append(_Fresh(account, _versions(unit, account.id)))
        for each in fresh:
            each.ended = end_claims(unit, actor, each.account.id, now)
            each.mails = unit.mail.destroy(each.account.id, now)
            each.destroyed = self._described(actor, each, order, now)
        if self.outside is not None and fresh:
            self.outside.add(each.done for each in fresh)
        for each in fresh:
            known[each.account.id] = each.done
            _shred(unit, actor, each, now)
        return tuple(known[account_id] for account_id in account_ids)

    def apply_again(self, unit: Unit, actor: Actor, listed: Iterable[Destroyed], now: datetime) -> int:
        """Destroy once more what was destroyed after a backup was taken, and tell of all that ever was; give how many.

        For the transaction of a restore: custody goes on to *released*, step by step, whatever it was in the backup,
        and the new log tells of each destruction.
        """
        told = {each.account_id: each for each in (*listed, *unit.destructions.all())}
        done = 0
        for account in _locked(unit, (number for number in told if unit.accounts.get(number) is not None)):
            fresh = _Fresh(account, _versions(unit, account.id), is_again=True)
            fresh.ended = (*end_claims(unit, actor, account.id, now), *_release(unit, account))
            fresh.mails = unit.mail.destroy(account.id, now)
            fresh.destroyed = told[account.id]
            _shred(unit, actor, fresh, now)
            done += 1
        return done

    def _described(self, actor: Actor, fresh: _Fresh, order: Order, now: datetime) -> Destroyed:
        return Destroyed(
            account_id=fresh.account.id,
            at=now,
            by=actor.id,
            by_name=actor.name,
            ground=order.ground,
            why=order.why,
            case_id=order.case_id,
            versions=list_versions(fresh.versions),
            wraps=list_wraps(_keys(fresh.versions)),
            mails=len(fresh.mails),
            backups_until=now + self.backups,
        )


def _nothing() -> None:
    """Leave everything as it is."""


@dataclass(frozen=True, slots=True)
class Following:
    """The worker's use case: the list outside has what the database has, and nothing on it is openable here."""

    units: Units
    clock: Clock
    destruction: Destruction
    tidy: Callable[[], None] = _nothing
    """Lets no old page of the database hold what was destroyed."""

    def once(self) -> int:
        """Bring both together; give how many credentials were destroyed now, because a transaction had not ended.

        Raises `Refused` log.rolled_back where the list has a destruction that this database knows nothing of.
        """
        outside = self.destruction.outside
        if outside is None:
            return 0
        with self.units.read() as unit:
            kept = unit.destructions.all()
        listed = outside.read() or ()
        outside.add(kept)
        owed = {each.account_id: each for each in listed} | {each.account_id: each for each in kept}
        for each in kept:
            del owed[each.account_id]
        self.check()
        for each in owed.values():
            with self.units.write() as unit:
                order = Order(each.ground, each.why, each.case_id)
                self.destruction.destroy(unit, ACTOR, each.account_id, order, self.clock.now())
                unit.commit()
        self.tidy()
        return len(owed)

    def check(self) -> None:
        """Raise `Refused` log.rolled_back where the list has a destruction that this database knows nothing of."""
        outside = self.destruction.outside
        listed = () if outside is None else outside.read() or ()
        if not listed:
            return
        with self.units.read() as unit:
            kept = {each.account_id for each in unit.destructions.all()}
            for each in listed:
                account = None if each.account_id in kept else unit.accounts.get(each.account_id)
                if account is not None and account.custody is not Custody.RELEASED:
                    words = (
                        f"The credential of account {account.id} was destroyed at {stamp(each.at)}, and this database"
                        f" calls the account {account.custody}: it is older than that. Nothing may be served from it."
                        " Restore it (`rootvault restore`), which applies the destruction again."
                    )
                    raise Refused("log.rolled_back", words, account=account.id)


@dataclass(slots=True)
class _Fresh:
    """One account on its way: its versions as they were, what ended, and what will be kept of it."""

    account: Account
    versions: tuple[Version, ...]
    is_again: bool = False
    ended: tuple[Change, ...] = ()
    mails: tuple[tuple[Mail, Mail], ...] = ()
    """Sealed mail, as it was and as it is then."""
    destroyed: Destroyed | None = None

    @property
    def done(self) -> Destroyed:
        """What is kept of it; it was described before."""
        if self.destroyed is None:  # pragma: no cover - each was described
            message = "nothing was said of it yet"
            raise AssertionError(message)
        return self.destroyed


def _locked(unit: Unit, account_ids: Iterable[str]) -> list[Account]:
    """Hold the rows of these accounts, in the order in which everybody takes them."""
    found = []
    for number in sorted(account_ids):
        account = unit.accounts.lock(number)
        if account is None:
            raise not_found("account", number[:36])
        found.append(account)
    return found


def _versions(unit: Unit, account_id: str) -> tuple[Version, ...]:
    return tuple(version for kind in PartKind for version in unit.versions.of(account_id, kind))


def _keys(versions: Iterable[Version]) -> Iterator[Key]:
    """Name the key of each wrap; what cannot be read as wraps is named so, and goes with the rest."""
    for version in versions:
        if version.label is VersionLabel.DESTROYED:
            continue
        try:
            yield from ((wrap.service, wrap.key_id) for wrap in decode_wraps(version.wraps))
        except Tampered:
            yield "unknown", "unreadable"


def end_claims(
    unit: Unit, actor: Actor, account_id: str, now: datetime, note: str = NOTE
) -> tuple[Change, ...]:
    """End an open checkout with a note, and give up rotations that are not at an end; give what changed of these."""
    claim = unit.checkouts.open_of(account_id)
    if claim is not None:
        end(unit, claim, overdue(claim, now) or CheckoutEvent.REVOKED, now, actor, note)
    rotations = [*unit.rotations.unsettled(account_id)]
    rotations += [each for kind in PartKind for each in unit.rotations.unverified(account_id, kind)]
    told: list[Change] = []
    for rotation in rotations:
        given_up = rotation
        for event in _GIVEN_UP:
            after = ROTATION.after(rotation.state, event)
            if after is not None:
                given_up = replace(rotation, state=after)
                break
        unit.rotations.update(given_up)
        told += changes(rotation, given_up)
    return tuple(told)


def _release(unit: Unit, account: Account) -> tuple[Change, ...]:
    """Take custody on to *released* by its own steps; where none lead there, it stays."""
    way = way_to_released(account.custody)
    if not way:
        return ()
    unit.accounts.update(replace(account, custody=Custody.RELEASED))
    return tuple(steps_of(account.id, account.custody, way))


def _shred(unit: Unit, actor: Actor, fresh: _Fresh, now: datetime) -> None:
    """Empty every version, destroy both parts, and tell of it."""
    account_id, done = fresh.account.id, fresh.done
    unit.versions.shred(account_id)
    told = list(fresh.ended)
    for version in fresh.versions:
        label = VERSION.after(version.label, VersionEvent.SHRED)
        told += changes(version, replace(version, label=label or VersionLabel.DESTROYED))
    for part in unit.accounts.parts(account_id):
        moved = move_part(unit, part, PartEvent.SHRED, now)
        told += () if moved is None else (moved,)
    told += [change for was, emptied in fresh.mails for change in changes(was, emptied)]
    known = unit.destructions.get(account_id)
    if known is None:
        unit.destructions.add(done)
    told += changes(known, done)
    pieces = [told[at : at + CHANGES_AN_ENTRY] for at in range(0, len(told), CHANGES_AN_ENTRY)] or [[]]
    for number, piece in enumerate(pieces, 1):
        is_last = number == len(pieces)
        unit.log.record(_event(actor, fresh, piece, is_last=is_last), now)


def _event(actor: Actor, fresh: _Fresh, told: Sequence[Change], *, is_last: bool) -> Event:
    done = fresh.done
    detail: dict[str, Fact] = {"complete": is_last}
    if is_last:
        detail |= {
            "ground": done.ground,
            "why": done.why,
            "case": done.case_id or None,
            "versions": len(done.listed),
            "versions_sha256": digest(done.versions),
            "wraps_sha256": digest(done.wraps),
            "mails": done.mails,
            "backups_until": stamp(done.backups_until),
        }
        if len(done.wraps) <= WRAPS_TOLD:
            detail["wraps"] = "; ".join(
                f"{count} under {key} ({service})" for count, service, key in done.keys
            )
    if fresh.is_again:
        detail |= {"restored": True, "destroyed_at": stamp(done.at)}
    return Event(
        EventType.CREDENTIAL_DESTROYED,
        actor,
        account_id=fresh.account.id,
        rule="H9",
        changes=tuple(told),
        detail=detail,
    )
