"""What a checkout is decided on: the account's situation, and who may approve; asked when it is asked for, and again.

Decided here: how the facts of a decision are put together, so that the asking and the first step-up look at the
same. Never decided here: what the policy says (`vault.domain.policy`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.actor import Power, Scope, reach_of
from vault.domain.agreement import Approvers, Needs
from vault.domain.credential import Due, due_causes
from vault.domain.policy import (
    Deny,
    Facts,
    Permission,
    Policy,
    Terms,
    approvals_complete,
    counted,
    granted_seconds,
)
from vault.domain.reason import Situation, situation
from vault.errors import Conflict, VaultError
from vault.services.gate import Gate, error_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.checkout import Approval, Checkout
    from vault.ports.store import Unit


@dataclass(frozen=True, slots=True)
class Deciding:
    """The facts that a decision on a checkout rests on."""

    gate: Gate

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.gate.policy

    def situation_of(self, unit: Unit, account: Account, now: datetime) -> tuple[Situation, frozenset[Due]]:
        """Say in which situation an account is, and why it is due."""
        current = unit.versions.current_of((account.id,))
        left = unit.leavers.known_of((account.id,))
        longest_age = self.policy.limits.longest_age
        causes = frozenset(
            cause
            for place, version in current.items()
            for cause in due_causes(version, now, longest_age, left=(*place, version.number) in left)
        )
        return situation(account.custody, unit.accounts.parts(account.id), causes), causes

    def facts(self, unit: Unit, account: Account, requester: str, now: datetime) -> Facts:
        """Gather what a request of `requester` for an account is decided on."""
        found, _ = self.situation_of(unit, account, now)
        approvers = self.approvers(unit, requester, account, now)
        return Facts(account, found, now, approvers, unit.customers.get(account.customer_id))

    def approvers(self, unit: Unit, requester: str, account: Account, now: datetime) -> Approvers:
        """Name the people who may approve someone's request for an account, with the powers by which they may."""
        roles = self.policy.permissions[Permission.CHECKOUT_APPROVE]
        found: dict[str, tuple[Power, ...]] = {}
        for person, grant in unit.people.holders(roles, now):
            if person.id != requester and _covers(grant.scope, account):
                found[person.id] = (*found.get(person.id, ()), Power(grant.role, grant.scope))
        return found

    def terms(self, unit: Unit, account: Account, code: str) -> Terms:
        """Give the terms of a request that was made for `code`; one whose reason is gone has none but its own."""
        reason = self.policy.reasons.get(code)
        if reason is None:
            return Terms((), self.policy.limits.longest_seconds)
        return self.policy.terms(reason, account, unit.customers.get(account.customer_id))

    def open_needs(
        self, unit: Unit, account: Account, checkout: Checkout, given: tuple[Approval, ...], now: datetime
    ) -> Needs:
        """Give what the policy in force still asks for beside the words that were `given` and count now."""
        people = counted(checkout, given, self.approvers(unit, checkout.requester_id, account, now))
        return self.terms(unit, account, checkout.reason).missing(people)

    def complete(
        self, unit: Unit, account: Account, checkout: Checkout, given: tuple[Approval, ...], now: datetime
    ) -> bool:
        """Say whether enough people who may approve now approved exactly this request.

        The word of someone who may not approve any more does not count: taking a role away works at once (S17).
        """
        approvers = self.approvers(unit, checkout.requester_id, account, now)
        return approvals_complete(checkout, given, self.terms(unit, account, checkout.reason), approvers)

    def stands(self, unit: Unit, account: Account, checkout: Checkout, now: datetime) -> VaultError | None:
        """Say why a request that was granted cannot begin any more: the account, the hours, the approvals."""
        facts = self.facts(unit, account, checkout.requester_id, now)
        approvers = facts.approvers or {}
        decision = self.policy.decide_reason(
            checkout.reason, checkout.granted_seconds, replace(facts, approvers=None)
        )
        if isinstance(decision, Deny):
            return error_of(decision)
        given = tuple(each for each in unit.checkouts.approvals(checkout.id) if each.approver_id in approvers)
        terms = self.terms(unit, account, checkout.reason)
        if not approvals_complete(
            checkout, given, terms, approvers
        ) or checkout.granted_seconds > granted_seconds(checkout, given):
            return Conflict(
                "approval.changed",
                "The approvals are not for this request, or not by people who may approve now; ask again.",
                rule="S20",
            )
        return None


def _covers(scope: Scope, account: Account) -> bool:
    return reach_of((scope,)).covers(account.customer_id, account.id)
