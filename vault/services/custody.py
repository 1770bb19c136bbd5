"""Taking existing values into custody: sealed as they are, due for rotation at once (C3, C4, C6).

Decided here: only while onboarding, only with both parts seen to work, and never on an account that
has an open checkout. Import and PUT come through the same door.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.crypto import password as passwords
from vault.crypto import totp
from vault.domain.account import Account, Custody
from vault.domain.credential import VERSION, PartEvent, PartKind, PartState, VersionEvent, VersionOrigin
from vault.domain.event import Change, Event, EventType, Result, SecretRef
from vault.domain.ids import is_email
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, KeysUnavailable
from vault.services.attestations import hold_if_confirmed
from vault.services.factors import Factors, refusal
from vault.services.frozen import require_thawed
from vault.services.gate import Gate, refuse
from vault.services.leases import move_part, settle
from vault.services.sealing import Sealed, Sealer, logged, told_anyway

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


@dataclass(frozen=True, slots=True, eq=False)
class Existing:
    """Values that were there before us; `attested` says that someone saw them work."""

    root_email: str
    password: Secret[str]
    seed: Secret[str]
    attested: bool


@dataclass(frozen=True, slots=True)
class Custodies:
    """The use case of intake."""

    units: Units
    gate: Gate
    factors: Factors
    sealer: Sealer
    clock: Clock

    def take_in(self, actor: Actor, account_id: str, existing: Existing, otp: str | None) -> Account:
        """Take a password and a seed into custody, and hold the account.

        A person gives a fresh `otp` (S16); the import on the host, a system actor, gives None.
        Raises `Invalid` seed.invalid or input.invalid, `Conflict` custody.customer_held, custody.state,
        custody.email_used or checkout.conflict, and `KeysUnavailable` (nothing is kept then).
        """
        check_existing(existing)
        now = self.clock.now()
        with self.units.write() as unit:
            self._thawed(unit, actor, self._takeable(unit, actor, account_id, now), now)
            numbers = {kind: unit.versions.next_number(account_id, kind) for kind in PartKind}
            vault_id = unit.vault_id
        attempt = Event(EventType.CREDENTIAL_TAKEN_IN, actor, account_id=account_id)
        with told_anyway(self.units, self.clock, attempt) as calls:
            sealed = self.seal(vault_id, account_id, numbers, existing, actor.id, now)
            calls.extend(call for each in sealed for call in each.calls)
            now = self.clock.now()
            with self.units.write() as unit:
                account = self._takeable(unit, actor, account_id, now)
                self._thawed(unit, actor, account, now)
                if otp is not None:
                    actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id))
                held = self.keep(unit, actor, account, existing, sealed, now)
                unit.commit()
        return held

    def _thawed(self, unit: Unit, actor: Actor, account: Account, now: datetime) -> None:
        event = Event(EventType.CREDENTIAL_TAKEN_IN, actor, account_id=account.id)
        require_thawed(unit, account, actor, event, now)

    def seal(
        self,
        vault_id: str,
        account_id: str,
        numbers: Mapping[PartKind, int],
        existing: Existing,
        by: str,
        now: datetime,
    ) -> tuple[Sealed, ...]:
        """Seal both values as these version numbers; no transaction is open meanwhile.

        Where the second cannot be sealed, the error carries the calls of the first as well.
        """
        seed = totp.parse_seed(existing.seed).secret
        values = {PartKind.PASSWORD: existing.password, PartKind.MFA: seed}
        sealed: list[Sealed] = []
        for kind, value in values.items():
            place = (account_id, kind, numbers[kind])
            try:
                sealed.append(self.sealer.seal(vault_id, place, value, VersionOrigin.TAKEN_IN, by, now))
            except KeysUnavailable as error:
                error.calls = (*(call for each in sealed for call in each.calls), *error.calls)
                raise
        return tuple(sealed)

    def keep(
        self,
        unit: Unit,
        actor: Actor,
        account: Account,
        existing: Existing,
        sealed: tuple[Sealed, ...],
        now: datetime,
    ) -> Account:
        """Keep sealed values as current and hold the account, in the caller's transaction."""
        before, account = account, replace(account, root_email=existing.root_email)
        unit.accounts.update(account)
        told = changes(before, account)
        weak = bool(
            passwords.weaknesses(existing.password, root_email=existing.root_email, account_name=account.name)
        )
        for each in sealed:
            self._keep(unit, actor, each, now, told, weak=weak and each.version.kind is PartKind.PASSWORD)
            told = ()
        hold_if_confirmed(unit, actor, account, now)
        return unit.accounts.get(account.id) or account

    def _takeable(self, unit: Unit, actor: Actor, account_id: str, now: datetime) -> Account:
        """Give the account with its row held, if values may be taken in now."""
        account = self.gate.account(unit, actor, account_id, now, lock=True)
        self.gate.require(unit, actor, Permission.CREDENTIAL_INTAKE, now, account=account)
        event = Event(EventType.CREDENTIAL_TAKEN_IN, actor, Result.DENIED, account_id=account.id)
        if account.custody is Custody.CUSTOMER_HELD:
            detail = (
                f"Account {account.id} is an ECAM member: its customer holds the root, and we refuse to (C2)."
            )
            refuse(unit, event, Conflict("custody.customer_held", detail, rule="C2"), now)
        if account.custody is not Custody.ONBOARDING:
            detail = (
                f"Account {account.id} is {account.custody}: values are taken in only while onboarding (C4)."
            )
            refuse(unit, event, Conflict("custody.state", detail, rule="C4", state=account.custody), now)
        if any(part.state is not PartState.ABSENT for part in unit.accounts.parts(account.id)):
            detail = f"A part of {account.id} is in the vault already; go on with its takeover checkout."
            refuse(unit, event, Conflict("custody.state", detail, rule="C4"), now)
        claim = unit.checkouts.open_of(account.id)
        if claim is not None and settle(unit, claim, now) is claim:
            detail = (
                f"Account {account.id} is checked out by {claim.requester_name}; ask them to check in first."
            )
            refuse(unit, event, Conflict("checkout.conflict", detail, holder=claim.requester_name), now)
        return account

    def _keep(
        self,
        unit: Unit,
        actor: Actor,
        sealed: Sealed,
        now: datetime,
        told: tuple[Change, ...],
        *,
        weak: bool,
    ) -> None:
        version = replace(sealed.version, weak=weak)
        unit.versions.add(version)
        promoted = VERSION.transitions[version.label, VersionEvent.PROMOTED]
        unit.versions.relabel(version, promoted, current_since=now)
        part = next(part for part in unit.accounts.parts(version.account_id) if part.kind is version.kind)
        change = move_part(unit, part, PartEvent.INTAKE, now)
        moved: tuple[Change, ...] = () if change is None else (change,)
        secret = SecretRef.of(version)
        unit.log.record(
            Event(
                EventType.CREDENTIAL_TAKEN_IN,
                actor,
                account_id=version.account_id,
                secret=secret,
                changes=(*told, *changes(None, version), *moved),
                kms=logged("seal", sealed.calls),
                detail={"attested": True, "weak": weak},
                subject=f"account:{version.account_id}",
            ),
            now,
        )
        current = replace(version, label=promoted, current_since=now)
        promotion = Event(
            EventType.SECRET_PROMOTED,
            actor,
            account_id=version.account_id,
            secret=secret,
            changes=changes(version, current),
        )
        unit.log.record(promotion, now)


def check_existing(existing: Existing) -> None:
    """Refuse what cannot be taken in, before anything is sealed; a weak password is taken and due (C6)."""
    errors: list[FieldError] = []
    if not is_email(existing.root_email):
        errors.append(FieldError("/root_email", "Give the root user's e-mail address (ASCII)."))
    secret = existing.password.expose()
    if not 1 <= len(secret) <= 128 or not secret.isprintable():  # noqa: PLR2004 - AWS: 128 characters at most
        errors.append(
            FieldError("/password", "Give the root password as it is: 1 to 128 printable characters.")
        )
    if not existing.attested:
        errors.append(FieldError("/attested", "Sign in with both parts first, then say true (C4)."))
    if errors:
        raise Invalid("input.invalid", "These values cannot be taken in; see errors.", errors=tuple(errors))
