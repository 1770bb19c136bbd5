"""Reveals: one password or one code to the lease's holder, never without an entry that was durable before.

Decided here: the sequence. First commit: lease, factor, place in the log and version are checked, the
entry ``authorized`` is written. Then the key is unwrapped, with no lock held. Second commit: the
lease is looked at again and the outcome is written. Only then the value is given to the caller. If
the program dies between the commits, the disclosure is closed as ``unknown`` and counts as disclosed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn

from vault.crypto import totp
from vault.domain.checkout import Checkout, CheckoutState, state_at
from vault.domain.credential import PartKind, Version, VersionLabel, openable
from vault.domain.event import Change, Event, EventType, Result, SecretRef
from vault.domain.ids import new_id
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import (
    Conflict,
    KeyCall,
    KeysUnavailable,
    Limited,
    NotFound,
    Tampered,
    Unauthenticated,
    VaultError,
)
from vault.ports.store import Receipt, Reveal, RevealPurpose, RevealState
from vault.services.anchored import Anchored
from vault.services.clocks import Timely
from vault.services.deciding import untouched
from vault.services.factors import used
from vault.services.frozen import frozen
from vault.services.gate import refuse
from vault.services.leases import not_active
from vault.services.sealing import Sealer, logged
from vault.services.split import require_half

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Held, Promotion, Unit, Units
    from vault.services.checkouts import Checkouts
    from vault.services.tickets import Looked, Tickets

ABANDONED_AFTER: Final = timedelta(minutes=5)
"""An authorised disclosure without outcome for so long is closed as unknown (AUDIT-LOG 3.6)."""

Wanted = VersionLabel | int
"""Which version: by label, or by number."""


@dataclass(frozen=True, slots=True, eq=False)
class Revealed:
    """A password on its way out, with the receipt of its entry."""

    value: Secret[str]
    version: int
    receipt: Receipt


@dataclass(frozen=True, slots=True, eq=False)
class RevealedCode:
    """One MFA code on its way out; `valid_until` is the end of its time step."""

    code: Secret[str]
    version: int
    valid_until: datetime
    receipt: Receipt


@dataclass(frozen=True, slots=True)
class Authorized:
    """A durable authorisation to open one version now, for the actor whose factor was looked at under `held`."""

    actor: Actor
    held: Held
    reveal: Reveal
    version: Version
    vault_id: str
    step: int | None


@dataclass(frozen=True, slots=True)
class Reveals:
    """Use cases that disclose."""

    units: Units
    checkouts: Checkouts
    sealer: Sealer
    clock: Clock
    tickets: Tickets
    anchored: Anchored = field(default_factory=Anchored)
    timely: Timely = field(default_factory=Timely)

    def password(self, actor: Actor, checkout_id: str, wanted: Wanted = VersionLabel.CURRENT) -> Revealed:
        """Reveal a password under one's own live lease."""
        authorized = self._authorize(actor, checkout_id, PartKind.PASSWORD, wanted)
        value, receipt = self.disclose(authorized)
        return Revealed(value, authorized.version.number, receipt)

    def code(self, actor: Actor, checkout_id: str, wanted: Wanted = VersionLabel.CURRENT) -> RevealedCode:
        """Give the MFA code of the present time step; no step's code is given twice (S15)."""
        authorized = self._authorize(actor, checkout_id, PartKind.MFA, wanted)
        if authorized.step is None:
            message = "a code was authorised without a time step"
            raise AssertionError(message)
        seed, receipt = self.disclose(authorized)
        code = totp.code_at(totp.Seed(seed), authorized.step)
        return RevealedCode(code, authorized.version.number, totp.step_end(authorized.step), receipt)

    def require_step_up(self, unit: Unit, actor: Actor, held: Held, event: Event, now: datetime) -> Actor:
        """Give the actor with their factor, while the lease runs and it counts for them and their session (S16)."""
        checkout = held.checkout
        if checkout.state is not CheckoutState.ACTIVE:
            refuse(unit, event, not_active(checkout), now)
        edited = untouched(checkout)
        if edited is not None:
            refuse(unit, event, edited, now)
        if held.factor_until is None or now >= held.factor_until:
            detail = "Give a fresh second factor for this checkout first (step-up)."
            refuse(unit, event, Unauthenticated("auth.step_up_required", detail), now)
        return actor.with_factor()

    def may_see(
        self,
        unit: Unit,
        actor: Actor,
        held: Held,
        kind: PartKind,
        looked: Looked | None,
        refused: Event,
        now: datetime,
    ) -> Actor:
        """Give the actor with their factor, where everything lets them see a value of this part now.

        `looked` is what came of looking the checkout's ticket up, before this unit began.
        """
        if held.freeze is not None:
            refuse(unit, refused, frozen(held.freeze), now)
        require_half(unit, held, actor, kind, refused, now)
        actor = self.require_step_up(unit, actor, held, refused, now)
        self.anchored.require(unit, refused, now)
        self.timely.require(unit, refused, now)
        judged = self.tickets.still_fits(unit, held.checkout, held.account, looked, now)
        if judged.error is not None:
            refuse(unit, replace(refused, rule="ticket"), judged.error, now)
        return actor

    def current_in_log(
        self, unit: Unit, event: Event, version: Version, promotion: Promotion | None, now: datetime
    ) -> None:
        """Return if the log says that exactly this envelope is current, proven against its head (S10)."""
        if promotion is None or (promotion.version, promotion.sha256) != (version.number, version.sha256):
            detail = (
                f"The stored {version.kind} of {version.account_id} is not the one the log calls current. "
                "Nothing was opened; treat this as an incident and compare the database with the log."
            )
            refuse(unit, event, Tampered("envelope.not_current", detail), now)

    def authorize(
        self,
        unit: Unit,
        actor: Actor,
        checkout: Checkout,
        version: Version,
        purpose: RevealPurpose,
        now: datetime,
        counted: tuple[Change, ...] = (),
    ) -> Reveal:
        """Write the authorisation to open `version`; the caller commits before anything is unwrapped.

        `counted` is what the disclosure changed of its checkout.
        """
        reveal = Reveal(
            id=new_id(),
            checkout_id=checkout.id,
            account_id=version.account_id,
            kind=version.kind,
            version=version.number,
            person_id=actor.id,
            purpose=purpose,
            state=RevealState.AUTHORIZED,
            authorized_at=now,
        )
        unit.reveals.add(reveal)
        changed = (*changes(None, reveal), *counted)
        if purpose is RevealPurpose.USE and version.kind is PartKind.PASSWORD:
            unit.versions.mark_disclosed(version, now)
            changed += changes(version, replace(version, disclosed_at=version.disclosed_at or now))
        event = _event(EventType.REVEAL_AUTHORIZED, actor, reveal, version)
        unit.log.record(replace(event, changes=changed, subject="disclosure"), now)
        return reveal

    def disclose(self, authorized: Authorized) -> tuple[Secret[str], Receipt]:
        """Unwrap, open, look at the lease again, write the outcome, and only then give the value."""
        actor, version, reveal = authorized.actor, authorized.version, authorized.reveal
        try:
            opened = self.sealer.open(authorized.vault_id, version)
        except (KeysUnavailable, Tampered) as error:
            self._failed(authorized, error, error.calls)
        now = self.clock.now()
        with self.units.write() as unit:
            session = actor.origin.session
            found = unit.checkouts.hold(reveal.checkout_id, actor.id, session, to_release=True)
            ended = ended_meanwhile(authorized.held, found, now)
            if ended is not None:
                self._failed_in(unit, authorized, ended, opened.calls, now)
            if not unit.reveals.release(reveal.id, now):
                self._stopped(unit, authorized, found, opened.calls, now)
                closed = Conflict("checkout.state", "This disclosure was closed as unknown; ask again.")
                self._failed_in(unit, authorized, closed, opened.calls, now)
            event = _event(EventType.REVEAL_RELEASED, actor, reveal, version, kms=opened.calls)
            event = replace(event, changes=_ended(reveal, RevealState.RELEASED))
            if opened.tampered:
                event = replace(event, detail={**event.detail, "tampered_wraps": ", ".join(opened.tampered)})
            receipt = unit.log.record(event, now)
            unit.commit()
        return opened.plaintext, receipt

    def _stopped(
        self, unit: Unit, authorized: Authorized, held: Held | None, calls: tuple[KeyCall, ...], now: datetime
    ) -> None:
        """Refuse what was frozen between the two commits; return where that is not why."""
        stop = None if held is None else unit.freezes.over(held.account, authorized.reveal.person_id)
        if stop is not None:
            self._failed_in(unit, authorized, frozen(stop), calls, now)

    def close_abandoned(self, actor: Actor, limit: int = 100) -> int:
        """Close authorised disclosures that never got an outcome: treated as disclosed (AUDIT-LOG 3.6)."""
        now = self.clock.now()
        with self.units.write() as unit:
            found = unit.reveals.unfinished(now - ABANDONED_AFTER, limit)
            for reveal in found:
                version = unit.versions.get(reveal.account_id, reveal.kind, reveal.version)
                if version is None or not unit.reveals.end(reveal.id, RevealState.UNKNOWN, now):
                    continue
                event = _event(EventType.REVEAL_UNKNOWN, actor, reveal, version, Result.UNKNOWN)
                unit.log.record(replace(event, changes=_ended(reveal, RevealState.UNKNOWN)), now)
            if found:
                unit.commit()
        return len(found)

    def _authorize(self, actor: Actor, checkout_id: str, kind: PartKind, wanted: Wanted) -> Authorized:
        looked = self.tickets.look_again(self.units, actor, checkout_id)
        now = self.clock.now()
        with self.units.write() as unit:
            held = self.checkouts.user(unit, actor, checkout_id, now)
            checkout, account = held.checkout, held.account
            refused = Event(
                EventType.REVEAL_REFUSED,
                actor,
                account_id=account.id,
                checkout_id=checkout.id,
                detail={"part": kind, "asked_for": str(wanted)},
            )
            actor = self.may_see(unit, actor, held, kind, looked, refused, now)
            version = self._version(unit, account, kind, wanted, refused, now)
            counted = self._counted(unit, checkout, kind, refused, now)
            step = self._claim_step(unit, version, refused, now) if kind is PartKind.MFA else None
            unit.checkouts.update(counted)
            told = changes(checkout, counted)
            reveal = self.authorize(unit, actor, checkout, version, RevealPurpose.USE, now, told)
            authorized = Authorized(actor, held, reveal, version, unit.vault_id, step)
            unit.commit()
        return authorized

    def _version(
        self, unit: Unit, account: Account, kind: PartKind, wanted: Wanted, refused: Event, now: datetime
    ) -> Version:
        """Find what was asked for, if it may be opened: the current one only if the log says that it is."""
        promotion: Promotion | None = None
        if wanted is VersionLabel.CURRENT:
            version, promotion = unit.log.current(account.id, kind)
        elif isinstance(wanted, VersionLabel):
            version = next((v for v in unit.versions.of(account.id, kind) if v.label is wanted), None)
        else:
            version = unit.versions.get(account.id, kind, wanted)
        if version is None:
            detail = f"There is no {wanted} {kind} of {account.id} in the vault."
            refuse(unit, refused, NotFound("version.absent", detail), now)
        if version.label is VersionLabel.CURRENT:  # opens whatever the part's state
            if wanted is not VersionLabel.CURRENT:
                promotion = unit.log.promotion(account.id, kind)
            self.current_in_log(unit, refused, version, promotion, now)
            return version
        part = next(part for part in unit.accounts.parts(account.id) if part.kind is kind)
        unverified = bool(unit.rotations.unverified(account.id, kind))
        if not openable(part, version, unverified=unverified):
            detail = (
                f"Version {version.number} of this {kind} is {version.label}; only the current one opens now."
            )
            refuse(unit, refused, Conflict("version.absent", detail, label=version.label), now)
        return version

    def _counted(
        self, unit: Unit, checkout: Checkout, kind: PartKind, refused: Event, now: datetime
    ) -> Checkout:
        """Count one more disclosure of `kind`, or refuse because the quota is used up; nothing is written."""
        limits = self.checkouts.policy.limits
        if kind is PartKind.PASSWORD:
            counted = replace(checkout, reveals=checkout.reveals + 1)
            used_up = checkout.reveals >= limits.reveals_per_checkout
        else:
            counted = replace(checkout, codes=checkout.codes + 1)
            used_up = checkout.codes >= limits.codes_per_checkout
        if used_up:
            detail = f"This checkout has used up its disclosures of the {kind}. Check in and ask again."
            refuse(unit, refused, Limited("reveal.quota", detail), now)
        return counted

    def _claim_step(self, unit: Unit, version: Version, refused: Event, now: datetime) -> int:
        step = totp.step_of(now)
        if not unit.versions.claim_step(version, step):
            refuse(unit, refused, used(max(step, version.last_step), now), now)
        return step

    def _failed(self, authorized: Authorized, error: VaultError, calls: tuple[KeyCall, ...]) -> NoReturn:
        now = self.clock.now()
        with self.units.write() as unit:
            self._failed_in(unit, authorized, error, calls, now)

    def _failed_in(
        self,
        unit: Unit,
        authorized: Authorized,
        error: VaultError,
        calls: tuple[KeyCall, ...],
        now: datetime,
    ) -> NoReturn:
        ended = unit.reveals.end(authorized.reveal.id, RevealState.FAILED, now)
        event = _event(
            EventType.REVEAL_FAILED,
            authorized.actor,
            authorized.reveal,
            authorized.version,
            Result.FAILED,
            calls,
        )
        # one that was closed as unknown meanwhile stays so
        changed = _ended(authorized.reveal, RevealState.FAILED) if ended else ()
        refuse(unit, replace(event, changes=changed), error, now)


def ended_meanwhile(before: Held, after: Held | None, now: datetime) -> VaultError | None:
    """Say why what was authorised is not shown: its lease or its factor ended meanwhile, or it is frozen.

    A factor whose time ran out since is no reason: it counted when it was looked at. One that was ended is.
    """
    state = None if after is None else state_at(after.checkout, now)
    if after is None or state is not CheckoutState.ACTIVE:
        return Conflict("checkout.expired", f"The lease ended meanwhile ({state}); nothing was shown.")
    if after.freeze is not None:
        return frozen(after.freeze)
    until = before.factor_until
    if until is None or after.factor_until is None or after.factor_until < until:
        detail = "Your second factor was ended meanwhile; nothing was shown. Give a fresh one."
        return Unauthenticated("auth.step_up_required", detail)
    return None


def _ended(reveal: Reveal, state: RevealState) -> tuple[Change, ...]:
    return changes(reveal, replace(reveal, state=state))


def _event(
    event: EventType,
    actor: Actor,
    reveal: Reveal,
    version: Version,
    result: Result = Result.SUCCESS,
    kms: tuple[KeyCall, ...] = (),
) -> Event:
    return Event(
        event,
        actor,
        result,
        account_id=reveal.account_id,
        checkout_id=reveal.checkout_id,
        secret=SecretRef.of(version),
        kms=logged(reveal.purpose, kms),
        detail={"reveal": reveal.id, "purpose": reveal.purpose},
    )
