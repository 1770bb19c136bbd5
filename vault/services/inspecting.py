"""Accounts looked at through their roles: in turn by the worker, or soon because somebody asked.

Decided here: whose turn it is and how many at a time, so that one interval sees them all, spread evenly; that an
account is claimed before it is looked at and for no longer than a look lasts, so that several workers share the work
and a killed one loses only time; that what is the same as before is kept once and told once. A payer's look is followed
by the list of its Organization, held against the vault's. Nothing that crosses the network runs in a transaction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.account import Kind
from vault.domain.drift import drift
from vault.domain.event import Event, EventType
from vault.domain.hygiene import DRIFT, INSPECTED, Rule, Wanted, judge, missing_facts
from vault.domain.inspection import Inspection, Known, Roster, Unknown
from vault.domain.inspection_text import FACTS, digest
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict
from vault.ports.inspection import SPREAD, InspectionNumbers, RosterState, Target, Turn
from vault.services.gate import refuse
from vault.services.settling import HYGIENE, settle

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.errors import Fact as Told
    from vault.ports.clock import Clock
    from vault.ports.inspection import Inspector
    from vault.ports.store import Units
    from vault.services.gate import Gate

CLAIM: Final = timedelta(minutes=15)
"""How long an account is one worker's; longer than any look and the lists after it last."""
OWN: Final = frozenset(Rule) - DRIFT
"""The rules that a look at one account judges."""
LISTED: Final = DRIFT - {Rule.OTHER_CUSTOMER}
"""The rules that the lists of one customer's payers judge as a whole; of another customer's list they know nothing."""
SCHEDULE: Final = "rootvault"
"""The source identity of a look that nobody asked for."""
SHOWN: Final = 20
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Looked:
    """What one pass did: accounts looked at, of which nothing could be seen, findings opened and closed."""

    accounts: int = 0
    unseen: int = 0
    opened: int = 0
    closed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What is known of one account: last look, those before it, what is unknown and why, and its next turn.

    `asked` says that somebody's wish for a look waits for the worker.
    """

    account: Account
    last: Inspection | None
    earlier: tuple[Inspection, ...]
    unknown: tuple[tuple[str, Unknown], ...]
    next_at: datetime | None
    asked: bool


@dataclass(frozen=True, slots=True)
class Inspecting:
    """The use cases; without an `inspector` nothing is looked at, and asking is refused."""

    units: Units
    gate: Gate
    clock: Clock
    inspector: Inspector | None
    wanted: Wanted
    interval: timedelta

    def once(self) -> Looked:
        """Look at the accounts whose turn it is, as many as keep the pace; a failure is raised after the others."""
        if self.inspector is None:
            return Looked()
        total = Looked(closed=self._let_go())
        failed: list[Exception] = []
        for turn in self._claim():
            try:
                done = self._look(self.inspector, turn)
            except Exception as failure:  # noqa: BLE001 - one account's failure is not the others'; raised below
                failed.append(failure)
                continue
            total = Looked(
                total.accounts + done.accounts,
                total.unseen + done.unseen,
                total.opened + done.opened,
                total.closed + done.closed,
            )
        if failed:
            raise failed[0]
        return total

    def ask(self, actor: Actor, account_id: str) -> Seen:
        """Put an account first in line; asked again before the look, nothing more happens."""
        now = self.clock.now()
        with self.units.write() as unit:
            account = self.gate.account(unit, actor, account_id, now, lock=True)
            self.gate.require(
                unit, actor, Permission.FINDING_HANDLE, now, account=account, asked_for="inspection"
            )
            error = self._not_looked_at(account)
            if error is not None:
                tried = {"asked_for": "inspection", "permission": Permission.FINDING_HANDLE}
                denied = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, detail=tried)
                refuse(unit, denied, error, now)
            turn = unit.inspections.turn(account.id)
            if turn is None or turn.asked_at is None:
                unit.inspections.put_turn(Turn(account.id, now, actor.id, now))
                asked = Event(
                    EventType.INSPECTION_ASKED,
                    actor,
                    account_id=account.id,
                    subject=f"inspection:{account.id}",
                )
                unit.log.record(asked, now)
                unit.commit()
        return self.of_account(actor, account_id)

    def of_account(self, actor: Actor, account_id: str) -> Seen:
        """Tell what is known of an account in sight."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            found = unit.inspections.of(account.id, None, SHOWN)
            turn = unit.inspections.turn(account.id)
        last = found[0] if found else None
        unknown = () if last is None else missing_facts(last, FACTS)
        return Seen(
            account,
            last,
            found[1:],
            unknown,
            None if turn is None else turn.next_at,
            turn is not None and turn.asked_at is not None,
        )

    def rosters(self, actor: Actor) -> tuple[RosterState, ...]:
        """Tell how the reading of each Organization's list went, of payers in sight."""
        with self.units.read() as unit:
            return unit.inspections.rosters(self.gate.policy.reach(actor, Permission.ACCOUNT_READ))

    def numbers(self) -> InspectionNumbers:
        """Count for the operator's numbers and `rootvault doctor`."""
        with self.units.read() as unit:
            return unit.inspections.numbers()

    def glance(self, account: Account, customer: Customer, source: str) -> Inspection:
        """Look at an account now, and keep nothing; raise `Conflict` inspection.off where nothing looks.

        Crosses the network: no transaction may be open. `source` is who asked, as AWS's own records will name them.
        """
        if self.inspector is None:
            raise _off()
        return self.inspector.look(Target(account.id, customer.ddi, source), self.wanted, self.clock.now())

    def see(self, account: Account, customer: Customer, source: str) -> Inspection:
        """Look at an account now, and keep what was seen as every look is kept, with its entry and its findings."""
        seen = self.glance(account, customer, source)
        self._keep(seen, Turn(account.id, seen.at, source, seen.at))
        with self.units.read() as unit:
            kept = unit.inspections.latest((account.id,)).get(account.id)
        return kept if kept is not None and digest(kept) == digest(seen) else seen

    def roster(self, payer: Account, customer: Customer, source: str) -> Roster:
        """Read the list of a payer's Organization now; raise `Conflict` inspection.off where nothing looks."""
        if self.inspector is None:
            raise _off()
        return self.inspector.roster(Target(payer.id, customer.ddi, source), self.clock.now())

    def _not_looked_at(self, account: Account) -> Conflict | None:
        """Say why an account is not looked at, None where it is."""
        if self.inspector is None:
            return _off()
        if account.custody not in INSPECTED:
            return Conflict("custody.state", "It is not in our hands, so it is not looked at.")
        return None

    # --- the worker's

    def _let_go(self) -> int:
        """Close what was found of accounts that are not looked at any more."""
        now = self.clock.now()
        with self.units.write() as unit:
            left = tuple({each.account_id for each in unit.findings.left(OWN | {Rule.NOT_IN_VAULT}, BATCH)})
            if not left:
                return 0
            _, closed = settle(unit, left, (), now, whole=left, rules=OWN | {Rule.NOT_IN_VAULT})
            unit.commit()
        return closed

    def _claim(self) -> tuple[Turn, ...]:
        """Take as many accounts as one tick has to see for all to be seen in an interval, and a little more."""
        now = self.clock.now()
        with self.units.write() as unit:
            accounts = unit.inspections.numbers().accounts
            share = math.ceil(1.25 * accounts * (SPREAD / self.interval))
            turns = unit.inspections.claim(now, now + CLAIM, max(1, share))
            if turns:
                unit.commit()
        return turns

    def _look(self, inspector: Inspector, turn: Turn) -> Looked:
        with self.units.read() as unit:
            account = unit.accounts.get(turn.account_id)
            customer = None if account is None else unit.customers.get(account.customer_id)
        if account is None or customer is None:
            return Looked()
        target = Target(account.id, customer.ddi, turn.asked_by or SCHEDULE)
        seen = inspector.look(target, self.wanted, self.clock.now())
        opened, closed = self._keep(seen, turn)
        if account.kind is Kind.PAYER:
            more, fewer = self._drift(inspector, account, customer.ddi, target.source)
            opened, closed = opened + more, closed + fewer
        self._next(turn)
        unseen = isinstance(seen.root_keys, Unknown) and isinstance(seen.membership, Unknown)
        return Looked(1, int(unseen), opened, closed)

    def _keep(self, seen: Inspection, turn: Turn) -> tuple[int, int]:
        """Keep what was seen, judge it, and bring the account's findings to it; the account's row is held."""
        now = self.clock.now()
        with self.units.write() as unit:
            account = unit.accounts.lock(seen.account_id)
            if account is None or account.custody not in INSPECTED:
                return 0, 0
            before = unit.inspections.latest((account.id,)).get(account.id)
            if before is not None and digest(before) == digest(seen):
                unit.inspections.again(before, seen.at)
            else:
                unit.inspections.add(seen)
            if before is None or turn.asked_at is not None or digest(before) != digest(seen):
                unit.log.record(self._done(before, seen, turn), now)
            verdicts = judge(account, seen, self.wanted)
            ids = (account.id,)
            opened, closed = settle(unit, ids, verdicts, now, whole=ids, rules=OWN)
            unit.commit()
        return opened, closed

    def _done(self, before: Inspection | None, seen: Inspection, turn: Turn) -> Event:
        """Make the entry of a look: what is known of root, how much is not, and by which list it was judged."""
        same = before is not None and digest(before) == digest(seen)
        detail: dict[str, Told] = {
            "inspection": before.id if before is not None and same else seen.id,
            "facts": digest(seen),
            "unknown": len(missing_facts(seen, FACTS)),
            "defaults": self.wanted.digest,
            "requests": " ".join(seen.request_ids)[:2_000],
        }
        for name in ("root_keys", "root_mfa", "root_password"):
            fact = getattr(seen, name)
            detail[name] = fact.value if isinstance(fact, Known) else fact.reason.value
        if turn.asked_by:
            detail["asked_by"] = turn.asked_by
        return Event(
            EventType.INSPECTION_DONE,
            HYGIENE,
            account_id=seen.account_id,
            changes=() if same else changes(None, seen),
            detail=detail,
        )

    def _drift(self, inspector: Inspector, payer: Account, ddi: str, source: str) -> tuple[int, int]:
        """Read the lists of all payers of a customer, and hold them against the vault's accounts."""
        with self.units.read() as unit:
            scene = unit.inspections.scene(payer.customer_id, ())
        payers = [
            each
            for each in scene.values()
            if each.kind is Kind.PAYER and each.custody in INSPECTED and each.customer_id == payer.customer_id
        ]
        rosters = [
            inspector.roster(Target(each.id, ddi, source), self.clock.now())
            for each in sorted(payers, key=lambda each: each.id)
        ]
        return self._hold_against(payer, payers, rosters)

    def _hold_against(self, payer: Account, payers: list[Account], rosters: list[Roster]) -> tuple[int, int]:
        listed = tuple(
            sorted(
                {
                    each.id
                    for roster in rosters
                    if isinstance(roster.listed, Known)
                    for each in roster.listed.value
                }
            )
        )
        now = self.clock.now()
        with self.units.write() as unit:
            known = unit.inspections.scene(payer.customer_id, listed)
            for roster in rosters:
                unit.inspections.put_roster(_state(roster))
            verdicts = drift(payers, rosters, known)
            whole = all(isinstance(roster.listed, Known) for roster in rosters)
            ours = [each.id for each in known.values() if whole and each.customer_id == payer.customer_id]
            opened, closed = settle(unit, tuple(known), verdicts, now, whole=ours, rules=LISTED)
            unit.commit()
        return opened, closed

    def _next(self, turn: Turn) -> None:
        """Set the account's next turn; a wish that came while it was looked at stays."""
        with self.units.write() as unit:
            unit.accounts.lock(turn.account_id)
            latest = unit.inspections.turn(turn.account_id)
            if latest is None or latest.asked_at == turn.asked_at:
                unit.inspections.put_turn(Turn(turn.account_id, self.clock.now() + self.interval))
                unit.commit()


def _state(roster: Roster) -> RosterState:
    if isinstance(roster.listed, Unknown):
        return RosterState(roster.payer_id, roster.at, None, roster.listed.reason, roster.listed.code)
    return RosterState(roster.payer_id, roster.at, len(roster.listed.value))


def _off() -> Conflict:
    detail = "Accounts are not looked at here: the operator names a role in the settings (inspection.role)."
    return Conflict("inspection.off", detail)
