"""What is an onboarding's own among cases: who can be in one, what steps take and what follows (A1-A5, C4, C5).

Decided here: AWS's word weighs more than a person's. Who attests what the vault last saw otherwise is refused until it
was looked at again; what was never seen, or could not be, is no pass, and is attested with evidence. The account's root
e-mail is what the vault kept for it, from the step on that says so. A case ends with the defaults of its last account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Final

from typing_extensions import override

from vault.domain.account import Account, Custodian, Custody
from vault.domain.case import CaseEvent, Done, PlaceEvent, PlaceState, Plan, Scene
from vault.domain.inspection import Known, Place
from vault.domain.plans import onboarding as steps
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, VaultError
from vault.services.case_kinds import Kind, move_case, move_place
from vault.services.root_emails import reserve, taken

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vault.domain.account import Customer
    from vault.domain.actor import Actor
    from vault.domain.event import Change
    from vault.domain.inspection import Inspection
    from vault.ports.store import Unit
    from vault.services.case_kinds import Given

JOINS: Final = frozenset({Custody.ONBOARDING, Custody.KEYLESS, Custody.CUSTOMER_HELD})
"""Custodies under which an account can be in an onboarding: one that its customer keeps, for its place in a payer's."""


def wrong_path(accounts: tuple[Account, ...], path: str) -> str:
    """Say why these accounts cannot go this way in together; empty where they can."""
    found = steps.path_of(accounts)
    if found is None:
        return (
            "These accounts go no way in together: accounts that stand alone, one payer with its members, or accounts "
            "that were made for the customer. Open a case for each (A2)."
        )
    return "" if found == path else f"These accounts go in as {found}, not as {path} (A2)."


@dataclass(frozen=True, slots=True)
class OnboardingKind(Kind):
    """What an onboarding adds; `day` gives the day of a moment where the calendar is."""

    opens: ClassVar[Permission] = Permission.ONBOARDING_MANAGE
    day: Callable[[datetime], date]

    @property
    @override
    def plan(self) -> Plan:
        """What has to be done."""
        return steps.PLAN

    @override
    def joins(self, unit: Unit, actor: Actor, customer: Customer, account: Account) -> VaultError | None:
        """Let in what is not held yet, and what is not ours to hold."""
        if account.custody in JOINS:
            return None
        words = (
            f"Account {account.id} is {account.custody}: an onboarding is of accounts that are not held yet."
        )
        return Conflict("case.account", words, rule="A3", state=account.custody)

    @override
    def check(self, unit: Unit, actor: Actor, scene: Scene, given: Given, now: datetime) -> VaultError | None:
        """Say what speaks against a step."""
        name, evidence = given.step.name, given.evidence
        if name == steps.INFORMATION:
            wrong = wrong_path(tuple(scene.accounts.values()), evidence["path"])
            return Conflict("case.account", wrong, rule="A2") if wrong else None
        if name == steps.ADDRESS:
            return taken(unit, evidence["address"], given.account_id)
        if name == steps.APPROVAL and date.fromisoformat(evidence["approved"]) > self.day(now):
            words = "approved: a day that has come; AWS's approval is noted once it is there."
            return Invalid("case.evidence", words, errors=(FieldError("/evidence/approved", words),))
        if steps.SEEN in evidence and name in _CONTRARY:
            seen = unit.inspections.latest((given.account_id,)).get(given.account_id)
            contrary = "" if seen is None else _CONTRARY[name](seen)
            if seen is not None and contrary:
                words = (
                    f"AWS said otherwise when the vault looked at {seen.seen_at:%Y-%m-%d %H:%M} UTC: {contrary}. Have "
                    "the vault look again once that is mended."
                )
                return Conflict("case.rule", words, rule=given.step.rule)
        return None

    @override
    def follows(
        self, unit: Unit, actor: Actor, scene: Scene, done: Done, now: datetime
    ) -> tuple[Change, ...]:
        """Keep the address, write who has mailbox and phone, and end the account's part with its defaults."""
        if done.step == steps.ADDRESS:
            return reserve(unit, done.evidence["address"], done.account_id)
        if done.step == steps.EMAIL:
            address = scene.given(done.account_id, steps.ADDRESS, "address")
            account = scene.accounts[done.account_id]
            return _changed(unit, account, replace(account, root_email=address, mailbox=Custodian.OURS))
        if done.step == steps.CUSTODIANS:
            account = scene.accounts[done.account_id]
            return _changed(unit, account, replace(account, phone=Custodian(done.evidence["phone"])))
        if done.step == steps.DEFAULTS:
            return self._ended(unit, scene, done.account_id, now)
        return ()

    @override
    def cancelled(self, unit: Unit, actor: Actor, scene: Scene, now: datetime) -> tuple[Change, ...]:
        """Leave accounts as they are: registered, and whatever is held of them held."""
        return ()

    def _ended(self, unit: Unit, scene: Scene, account_id: str, now: datetime) -> tuple[Change, ...]:
        """End an account's part; with the last account of ours, the case, and the places of those that are not."""
        told: list[Change] = []
        waiting = [
            each
            for each in scene.live.values()
            if each.state is not PlaceState.DONE and each.account_id != account_id
        ]
        over = [scene.live[account_id]]
        if not any(steps.is_ours(scene.accounts[each.account_id]) for each in waiting):
            over += waiting
            told += move_case(unit, self.plan, scene.case, CaseEvent.FINISHED, now)[1]
        for each in over:
            told += move_place(unit, each, PlaceEvent.FINISHED, now)[1]
        return tuple(told)


def _changed(unit: Unit, was: Account, now: Account) -> tuple[Change, ...]:
    unit.accounts.update(now)
    return changes(was, now)


def _keys(seen: Inspection) -> str:
    there = isinstance(seen.root_keys, Known) and seen.root_keys.value
    return "root has access keys" if there else ""


def _place(seen: Inspection) -> str:
    fact = seen.membership
    if isinstance(fact, Known) and fact.value.place is not Place.ALONE:
        return f"it is a {fact.value.place} in the Organization {fact.value.organization}"
    return ""


def _mfa(seen: Inspection) -> str:
    return "root has no MFA" if isinstance(seen.root_mfa, Known) and not seen.root_mfa.value else ""


_CONTRARY: Final = {steps.KEYS: _keys, steps.ALONE: _place, steps.MFA: _mfa}
"""What the vault saw last that speaks against what somebody attests, by step; empty where nothing does."""
