"""What a checkout is decided on: the account's situation, and who may approve; asked when it is asked for, and again.

Decided here: how the facts of a decision are put together, so that the asking and the first step-up look at the
same. Never decided here: what the policy says (`vault.domain.policy`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.actor import Scope, reach_of
from vault.domain.credential import Due, due_causes
from vault.domain.policy import Deny, Permission, Policy, approvals_complete, granted_seconds
from vault.domain.reason import Situation, situation
from vault.errors import Conflict, VaultError
from vault.services.gate import Gate, error_of

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.checkout import Checkout
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
        causes = frozenset(
            cause
            for version in current.values()
            for cause in due_causes(version, now, self.policy.limits.longest_age)
        )
        return situation(account.custody, unit.accounts.parts(account.id), causes), causes

    def approvers(self, unit: Unit, requester: str, account: Account, now: datetime) -> frozenset[str]:
        """Name the people who may approve someone's request for an account."""
        roles = self.policy.permissions[Permission.CHECKOUT_APPROVE]
        return frozenset(
            person.id
            for person, grant in unit.people.holders(roles, now)
            if person.id != requester and _covers(grant.scope, account)
        )

    def stands(self, unit: Unit, account: Account, checkout: Checkout, now: datetime) -> VaultError | None:
        """Say why a request that was granted cannot begin any more: the account, the approvals, the approvers.

        The word of someone who may not approve any more does not count: taking a role away works at once (S17).
        """
        approvers = self.approvers(unit, checkout.requester_id, account, now)
        given = tuple(each for each in unit.checkouts.approvals(checkout.id) if each.approver_id in approvers)
        found, _ = self.situation_of(unit, account, now)
        customer = unit.customers.get(account.customer_id)
        longest = None if customer is None else customer.session_max_seconds
        decision = self.policy.decide_reason(
            account, found, checkout.reason, checkout.granted_seconds, checkout.approvals_needed, longest
        )
        if isinstance(decision, Deny):
            return error_of(decision)
        if not approvals_complete(checkout, given) or checkout.granted_seconds > granted_seconds(
            checkout, given
        ):
            return Conflict(
                "approval.changed",
                "The approvals are not for this request, or not by people who may approve now; ask again.",
                rule="S20",
            )
        return None


def _covers(scope: Scope, account: Account) -> bool:
    return reach_of((scope,)).covers(account.customer_id, account.id)
