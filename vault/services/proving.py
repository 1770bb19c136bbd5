"""Rotations proven by AWS's own records, and those that wait for their proof: found, listed, counted, told of.

Decided here: the worker looks at every accepted rotation that is not verified, with what was observed of its account
from the first showing on. What proves one is `vault.domain.proof`; it is looked at again with the account's row held,
so that any number of workers verify a rotation once. A record tells of nobody: whoever verified by it came to know
nothing. A rotation that waits longer than the limit is told of once, by an entry that becomes a notice.

Never done here: anything that crosses a network. Records come by reconciliation, states by inspection.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType, Result, stamp
from vault.domain.observation import Source
from vault.domain.policy import Permission
from vault.domain.proof import CODE_LASTS, SETTLED, Case, Proof, Rule, floor, proven
from vault.domain.rotation import Evidence, RotationState
from vault.domain.told import changes
from vault.ports.store import Page
from vault.services.verifying import Proven, verify

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime, timedelta

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.observation import Observation
    from vault.domain.rotation import Rotation
    from vault.ports.clock import Clock
    from vault.ports.evidence import RootRecords
    from vault.ports.proofs import UnverifiedCount, UnverifiedFilter
    from vault.ports.store import Slice, Unit, Units
    from vault.services.gate import Gate

BATCH: Final = 200
"""Rotations looked at in one transaction that reads."""
NAMES: Final[Mapping[Source, str]] = {
    Source.CLOUDTRAIL: "CloudTrail",
    Source.ACCOUNT_SUMMARY: "IAM account summary",
    Source.CREDENTIAL_REPORT: "IAM credential report",
}
RULES: Final[Mapping[Rule, str]] = {
    Rule.CHANGED: "the one change between showing the value and hearing that AWS took it",
    Rule.SIGNED_IN: "root signed in under a later lease that gave out this value and no other",
    Rule.LAST_USED: "the password was used under a later lease that gave out this one; weaker: MFA is not told",
    Rule.MFA_APPEARED: "root had no MFA before and has it since",
}
"""Why each rule proves, in words."""


@dataclass(frozen=True, slots=True)
class Proved:
    """What one pass did."""

    verified: int
    overdue: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """A rotation that waits for its proof; `since` is when AWS was said to have taken the value."""

    rotation: Rotation
    account: Account
    since: datetime
    is_overdue: bool


@dataclass(frozen=True, slots=True)
class Proving:
    """The worker's use case on rotations that wait for their proof, and the lists of them.

    `limit` is how long one may wait before somebody is told.
    """

    units: Units
    gate: Gate
    sources: tuple[RootRecords, ...]
    clock: Clock
    limit: timedelta

    def once(self) -> Proved:
        """Verify what AWS's records prove by now, then tell of what waits too long."""
        now = self.clock.now()
        return Proved(self._prove_all(now), self._tell_all(now))

    def page(self, actor: Actor, wanted: UnverifiedFilter, part: Slice) -> Page[Waiting]:
        """List rotations in sight that wait for their proof, the oldest first."""
        now = self.clock.now()
        with self.units.read() as unit:
            page = unit.proofs.page(self.gate.policy.reach(actor, Permission.ACCOUNT_READ), wanted, part)
        return Page(tuple(self._waiting(*each, now) for each in page.items), page.next)

    def count(self) -> UnverifiedCount:
        """Count all that wait; for whoever watches the vault itself."""
        with self.units.read() as unit:
            return unit.proofs.count()

    def overdue_before(self) -> datetime:
        """Give the time before which what was attested and not proven waits too long."""
        return self.clock.now() - self.limit

    def _waiting(self, rotation: Rotation, account: Account, now: datetime) -> Waiting:
        since = rotation.attested_at or rotation.planned_at
        return Waiting(rotation, account, since, now - since > self.limit)

    # --- proving

    def _prove_all(self, now: datetime) -> int:
        verified = 0
        after: tuple[datetime, str] | None = None
        while True:
            with self.units.read() as unit:
                some = unit.proofs.unverified(after, BATCH)
                found = [rotation for rotation, _ in self._proofs(unit, some, now)]
            # the newest value of a part first: its proof is one of those before it
            for rotation in sorted(found, key=lambda each: -each.version):
                verified += self._prove(rotation, now)
            if len(some) < BATCH:
                return verified
            after = (some[-1].attested_at or some[-1].planned_at, some[-1].id)

    def _prove(self, rotation: Rotation, now: datetime) -> bool:
        """Verify one, if it still waits and its records still say so."""
        with self.units.write() as unit:
            if unit.accounts.lock(rotation.account_id) is None:
                return False
            waits = unit.rotations.get(rotation.id)
            if waits is None or waits.state is not RotationState.ACCEPTED:
                return False
            for found, proof in self._proofs(unit, (waits,), now):
                verify(unit, system_actor("evidence"), found, _told(proof), now)
                unit.commit()
                return True
        return False

    def _proofs(
        self, unit: Unit, rotations: tuple[Rotation, ...], now: datetime
    ) -> Iterator[tuple[Rotation, Proof]]:
        """Find what is proven of some rotations, in a number of statements that does not grow with them."""
        ids = tuple({each.account_id: None for each in rotations})
        windows = unit.proofs.windows(ids)
        current = unit.versions.current_of(ids)
        cases: list[Case] = []
        for rotation in rotations:
            of_part = [each for each in windows.get(rotation.account_id, ()) if each.kind is rotation.kind]
            window = next((each for each in of_part if each.version == rotation.version), None)
            if window is not None:
                later = (each.since for each in of_part if each.since > window.since)
                has_mfa = (rotation.account_id, PartKind.MFA) in current
                cases.append(Case(rotation, window, min(later, default=None), has_mfa))
        if not cases:
            return
        since: dict[str, datetime] = {}
        for case in cases:
            account_id, shown = case.rotation.account_id, floor(case.window.since)
            since[account_id] = min(shown, since.get(account_id, shown))
        uses = unit.proofs.uses(tuple(since), min(since.values()) - CODE_LASTS)
        seen: dict[str, tuple[Observation, ...]] = {}
        for source in self.sources:
            for account_id, some in source.of(unit, since).items():
                seen[account_id] = (*seen.get(account_id, ()), *some)
        for case in cases:
            account_id = case.rotation.account_id
            whole = replace(case, uses=uses.get(account_id, ()))
            proof = proven(whole, seen.get(account_id, ()), now - SETTLED)
            if proof is not None:
                yield case.rotation, proof

    # --- telling

    def _tell_all(self, now: datetime) -> int:
        told = 0
        while True:
            with self.units.read() as unit:
                some = unit.proofs.overdue(now - self.limit, BATCH)
            done = sum(self._tell(each.id, each.account_id, now) for each in some)
            told += done
            if len(some) < BATCH or not done:
                return told

    def _tell(self, rotation_id: str, account_id: str, now: datetime) -> bool:
        with self.units.write() as unit:
            unit.accounts.lock(account_id)
            rotation = unit.rotations.get(rotation_id)
            if rotation is None or rotation.state is not RotationState.ACCEPTED:
                return False
            since = rotation.attested_at
            if rotation.overdue_at is not None or since is None or now - since <= self.limit:
                return False
            late = replace(rotation, overdue_at=now)
            unit.rotations.update(late)
            event = Event(
                EventType.ROTATION_UNVERIFIED,
                system_actor("evidence"),
                Result.UNKNOWN,
                account_id=rotation.account_id,
                checkout_id=rotation.attested_in or rotation.checkout_id,
                changes=changes(rotation, late),
                detail={"rotation": rotation.id, "part": rotation.kind, "since": stamp(since)},
            )
            unit.log.record(event, now)
            unit.commit()
        return True


def _told(proof: Proof) -> Proven:
    """Write a proof as an entry and a page tell it."""
    seen = proof.seen[-1]
    note = (
        f"{NAMES[proof.source]}: {seen.act} at {proof.at:%Y-%m-%d %H:%M:%S} UTC, {proof.ids[-1]}; "
        f"{RULES[proof.rule]}."
    )
    detail = {"source": proof.source, "rule": proof.rule, "observed": ",".join(proof.ids)}
    return Proven(Evidence.AWS_RECORD, note, detail | {"observed_at": stamp(proof.at)})
