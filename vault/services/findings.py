"""Findings: who sees them, takes them, hands them on, accepts them for a time or says that they are mended.

Decided here: whoever sees an account sees its findings; who may handle findings on it takes one, and its owner ends it.
A finding that is said to be mended and is seen again is opened again, so nobody explains a fault away; one beside which
a held credential cannot be true is ended by a look alone, because its health is read from it. Never decided
here: what is a finding (`vault.domain.hygiene`), and what becomes of it when it is seen (`settling`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, NoReturn

from vault.domain.actor import EVERYTHING, reach_of
from vault.domain.event import Event, EventType
from vault.domain.health import CONTRADICTING
from vault.domain.hygiene import (
    ACCEPTED_MOST,
    ENDING_MAX,
    ENDING_MIN,
    NEVER_ACCEPTED,
    Finding,
    FindingState,
)
from vault.domain.policy import Permission
from vault.errors import Conflict, FieldError, Invalid, VaultError, not_found
from vault.ports.inspection import FindingCount, FindingFilter
from vault.ports.store import Page, Slice
from vault.services.gate import refuse
from vault.services.settling import ended, event_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor, Reach
    from vault.domain.person import Person
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate


@dataclass(frozen=True, slots=True)
class FindingView:
    """A finding with its account and the name of its owner; `age` ends where it was closed or accepted."""

    finding: Finding
    account: Account
    owner: str | None
    age: timedelta


@dataclass(frozen=True, slots=True)
class FindingDetail:
    """A finding with who may be handed it; `not_mine` says why the reader may not end it, empty where they may."""

    view: FindingView
    candidates: tuple[Person, ...]
    may_take: bool
    not_mine: str
    may_accept: bool


@dataclass(frozen=True, slots=True)
class Findings:
    """Use cases on findings."""

    units: Units
    gate: Gate
    clock: Clock

    def page(self, actor: Actor, wanted: FindingFilter, part: Slice) -> Page[FindingView]:
        """List those in sight: open ones first, the weightiest and oldest first."""
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.findings.page(self._reach(actor), wanted, part)
            accounts: dict[str, Account] = {}
            views = []
            for each in found.items:
                account = accounts.get(each.account_id) or unit.accounts.get(each.account_id)
                if account is not None:
                    accounts[each.account_id] = account
                    views.append(_view(unit, each, account, now))
            return Page(tuple(views), found.next)

    def open_counts(self) -> tuple[FindingCount, ...]:
        """Count all open ones by rule, for the operator's numbers."""
        with self.units.read() as unit:
            return unit.findings.open_counts(EVERYTHING)

    def get(self, actor: Actor, finding_id: str) -> FindingDetail:
        """Read one; another's is as absent as one that does not exist (S21)."""
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.findings.get(finding_id)
            account = None if found is None else unit.accounts.get(found.account_id)
            if found is None or account is None or not self.gate.sees(actor, account):
                raise not_found("finding", finding_id[:36])
            refusal = self._not_ended_by(unit, actor, found, account)
            may = self._handles(actor, account)
            return FindingDetail(
                view=_view(unit, found, account, now),
                candidates=self._candidates(unit, account, now) if may else (),
                may_take=may and found.state is FindingState.OPEN and found.owner_id is None,
                not_mine="" if refusal is None else refusal.detail,
                may_accept=refusal is None and found.rule not in NEVER_ACCEPTED,
            )

    def take(self, actor: Actor, finding_id: str, person_id: str | None = None) -> FindingView:
        """Become the owner of an open finding that has none, or hand one on that is one's own or nobody's."""
        now = self.clock.now()
        with self.units.write() as unit:
            finding, account = self._open(unit, actor, finding_id, now)
            to = actor.id if person_id is None else person_id
            if to not in {each.id for each in self._candidates(unit, account, now)}:
                place = FieldError("/to", "Name an active person who may handle findings of this account.")
                raise Invalid("input.invalid", place.detail, errors=(place,))
            if finding.owner_id == to:
                return _view(unit, finding, account, now)
            if finding.owner_id not in {None, actor.id}:
                detail = f"{_owner_of(unit, finding)} has it. Ask them to hand it on to you."
                self._deny(unit, actor, finding, Conflict("finding.state", detail), now)
            taken = replace(finding, owner_id=to, owned_at=now)
            unit.findings.update(taken)
            unit.log.record(event_of(EventType.FINDING_ASSIGNED, actor, finding, taken), now)
            view = _view(unit, taken, account, now)
            unit.commit()
        return view

    def close(self, actor: Actor, finding_id: str, sentence: str) -> FindingView:
        """Say that one's own finding is mended; seen again, it is opened again."""
        return self._end(actor, finding_id, sentence, None)

    def accept(self, actor: Actor, finding_id: str, sentence: str, days: int) -> FindingView:
        """Accept one's own finding for some days, 366 at most; what weighs most is never accepted."""
        if not 1 <= days <= ACCEPTED_MOST.days:
            place = FieldError("/days", f"Give 1 to {ACCEPTED_MOST.days} days.")
            raise Invalid("input.invalid", place.detail, errors=(place,))
        return self._end(actor, finding_id, sentence, timedelta(days=days))

    def _end(self, actor: Actor, finding_id: str, sentence: str, during: timedelta | None) -> FindingView:
        words = " ".join(sentence.split())
        if not ENDING_MIN <= len(words) <= ENDING_MAX or not words.isprintable():
            detail = f"Say in {ENDING_MIN} to {ENDING_MAX} characters what was done, or why it may stay."
            raise Invalid("input.invalid", detail, errors=(FieldError("/sentence", detail),))
        now = self.clock.now()
        with self.units.write() as unit:
            finding, account = self._open(unit, actor, finding_id, now)
            refusal = self._not_ended_by(unit, actor, finding, account)
            if refusal is None and during is not None and finding.rule in NEVER_ACCEPTED:
                refusal = Conflict("finding.state", "This weighs most: it is mended, and never accepted.")
            if refusal is not None:
                self._deny(unit, actor, finding, refusal, now)
            if during is None:
                event, done = EventType.FINDING_CLOSED, ended(finding, FindingState.CLOSED, actor, words, now)
            else:
                event = EventType.FINDING_ACCEPTED
                done = ended(finding, FindingState.ACCEPTED, actor, words, now, now + during)
            unit.findings.update(done)
            unit.log.record(event_of(event, actor, finding, done), now)
            view = _view(unit, done, account, now)
            unit.commit()
        return view

    def _reach(self, actor: Actor) -> Reach:
        return self.gate.policy.reach(actor, Permission.ACCOUNT_READ)

    def _handles(self, actor: Actor, account: Account) -> bool:
        reach = self.gate.policy.reach(actor, Permission.FINDING_HANDLE)
        return reach.covers(account.customer_id, account.id)

    def _open(self, unit: Unit, actor: Actor, finding_id: str, now: datetime) -> tuple[Finding, Account]:
        """Hold an open finding that the actor may handle; attempts on others are recorded."""
        found = unit.findings.lock(finding_id)
        account = None if found is None else unit.accounts.get(found.account_id)
        if found is None or account is None or not self.gate.sees(actor, account):
            detail = {"permission": Permission.FINDING_HANDLE, "asked_for": f"finding {finding_id[:36]}"}
            denied = Event(EventType.ACCESS_DENIED, actor, detail=detail)
            refuse(unit, denied, not_found("finding", finding_id[:36]), now)
        asked_for = f"finding {found.id}"
        self.gate.require(unit, actor, Permission.FINDING_HANDLE, now, account=account, asked_for=asked_for)
        if found.state is not FindingState.OPEN:
            self._deny(unit, actor, found, Conflict("finding.state", f"It is {found.state} already."), now)
        return found, account

    def _not_ended_by(
        self, unit: Unit, actor: Actor, finding: Finding, account: Account
    ) -> VaultError | None:
        """Say why `actor` does not end a finding in sight, None where they may."""
        if finding.state is not FindingState.OPEN:
            return Conflict("finding.state", f"It is {finding.state} already.")
        if not self._handles(actor, account):
            return Conflict("finding.state", "Who may handle findings of this account ends it.")
        if finding.owner_id is None:
            return Conflict("finding.state", "Nobody has taken it. Take it first, see to it, then end it.")
        if finding.owner_id != actor.id:
            detail = f"{_owner_of(unit, finding)} has it and ends it. Ask them to hand it on to you first."
            return Conflict("finding.state", detail)
        if finding.rule in CONTRADICTING:
            detail = "Nobody's word ends it: it closes by itself once AWS shows it mended. Have the account looked at."
            return Conflict("finding.state", detail)
        return None

    def _candidates(self, unit: Unit, account: Account, now: datetime) -> tuple[Person, ...]:
        """List the people who may handle an account's findings, by name."""
        roles = self.gate.policy.permissions.get(Permission.FINDING_HANDLE, frozenset())
        found = {
            person.id: person
            for person, grant in unit.people.holders(roles, now)
            if reach_of((grant.scope,)).covers(account.customer_id, account.id)
        }
        return tuple(sorted(found.values(), key=lambda person: (person.name, person.id)))

    def _deny(self, unit: Unit, actor: Actor, finding: Finding, error: VaultError, now: datetime) -> NoReturn:
        denied = Event(
            EventType.ACCESS_DENIED,
            actor,
            account_id=finding.account_id,
            detail={"permission": Permission.FINDING_HANDLE, "asked_for": f"finding {finding.id}"},
        )
        refuse(unit, denied, error, now)


def _owner_of(unit: Unit, finding: Finding) -> str:
    owner = None if finding.owner_id is None else unit.people.get(finding.owner_id)
    return "Someone" if owner is None else owner.name


def _view(unit: Unit, finding: Finding, account: Account, now: datetime) -> FindingView:
    owner = None if finding.owner_id is None else unit.people.get(finding.owner_id)
    until = finding.ended_at or now
    return FindingView(finding, account, None if owner is None else owner.name, until - finding.opened_at)
