"""What a checkout is decided on: the account's situation, and who may approve; asked when it is asked for, and again.

Decided here: how the facts of a decision are put together, so that the asking and the first step-up look at the
same. Never decided here: what the policy says (`vault.domain.policy`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Role, reach_of
from vault.domain.approving import (
    Progress,
    approvers_for,
    powers_of,
    progress_of,
    standing,
    told,
    waits_again,
)
from vault.domain.checkout import Approval, Checkout, CheckoutState, content_of
from vault.domain.due import due_causes
from vault.domain.freeze import FreezeKind
from vault.domain.glass import decide_glass
from vault.domain.person import PersonState, powers
from vault.domain.policy import Deny, Facts, Permission, Policy, Terms, granted_seconds
from vault.domain.proposal import ProposalKind
from vault.domain.reason import Situation, situation
from vault.errors import Conflict, Forbidden, VaultError
from vault.services.gate import Gate, error_of
from vault.services.leases import reopen, settle

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.domain.agreement import Approvers
    from vault.domain.credential import Due
    from vault.domain.person import Grant, Person
    from vault.ports.history import Asked
    from vault.ports.store import Unit


TRIES: Final = 3
"""How often an act is tried whose powers went at the same moment; the second time it is refused for what it lacks."""


@dataclass(frozen=True, slots=True)
class Deciding:
    """The facts that a decision on a checkout rests on."""

    gate: Gate

    @property
    def policy(self) -> Policy:
        """The policy in force."""
        return self.gate.policy

    def situation_of(
        self, unit: Unit, account: Account, now: datetime, but: str = ""
    ) -> tuple[Situation, frozenset[Due]]:
        """Say in which situation an account is, and why it is due; the broken glass `but` is not looked at."""
        current = unit.versions.current_of((account.id,))
        marks = unit.health.marks_of((account.id,))
        longest_age = self.policy.limits.longest_age
        causes = frozenset(
            cause for version in current.values() for cause in due_causes(version, marks, now, longest_age)
        )
        unreviewed = any(each.id != but for each in unit.checkouts.unreviewed((account.id,)))
        parts = unit.accounts.parts(account.id)
        return situation(account.custody, parts, causes, unreviewed=unreviewed), causes

    def facts(self, unit: Unit, account: Account, requester: str, now: datetime, but: str = "") -> Facts:
        """Gather what a request of `requester` for an account is decided on, without the broken glass `but`."""
        found, _ = self.situation_of(unit, account, now, but)
        approvers = self.approvers(unit, requester, account, now)
        return Facts(account, found, now, approvers, unit.customers.get(account.customer_id))

    def approvers(self, unit: Unit, requester: str, account: Account, now: datetime) -> Approvers:
        """Name the people who may approve someone's request for an account, with the powers by which they may."""
        return powers_of(approvers_for(self._holders(unit, now), account, requester))

    def terms(self, unit: Unit, account: Account, checkout: Checkout) -> Terms:
        """Give the terms that are in force now for a request."""
        return self.terms_for(checkout, account, unit.customers.get(account.customer_id))

    def terms_for(self, checkout: Checkout, account: Account, customer: Customer | None) -> Terms:
        """Give the terms of a request as `terms`; one whose reason is gone, or that broke the glass, needs nobody."""
        reason = self.policy.reasons.get(checkout.reason)
        if reason is None:
            return Terms((), self.policy.limits.longest_seconds)
        terms = self.policy.terms(reason, account, customer)
        return replace(terms, needs=()) if checkout.break_glass else terms

    def progress(
        self, unit: Unit, checkout: Checkout, account: Account, said: tuple[Approval, ...], now: datetime
    ) -> Progress:
        """Say how far the approvals of a request have come, by who may approve now (S17).

        Taking a role away works at once: the word of someone who may not approve any more does not count.
        """
        approvers = approvers_for(self._holders(unit, now), account, checkout.requester_id)
        return progress_of(checkout, said, approvers, self.terms(unit, account, checkout))

    def progress_of(self, unit: Unit, asked: tuple[Asked, ...], now: datetime) -> Mapping[str, Progress]:
        """Say the same of many requests, by id, in a number of statements that does not grow with them."""
        if not asked:
            return {}
        said = unit.checkouts.approvals_of(tuple(checkout.id for checkout, _, _ in asked))
        holders = self._holders(unit, now)
        return {
            checkout.id: progress_of(
                checkout,
                said.get(checkout.id, ()),
                approvers_for(holders, account, checkout.requester_id),
                self.terms_for(checkout, account, customer),
            )
            for checkout, account, customer in asked
        }

    def lost(self, unit: Unit, checkouts: tuple[Checkout, ...], now: datetime) -> Mapping[str, CheckoutState]:
        """Give, by id, in which state those are that stand written as approved and whose words do not suffice now."""
        approved = tuple(each.id for each in checkouts if each.state is CheckoutState.APPROVED)
        if not approved:
            return {}
        asked = unit.history.asked(approved)
        progress = self.progress_of(unit, asked, now)
        return {
            checkout.id: standing(checkout, progress[checkout.id], now)
            for checkout, _, _ in asked
            if waits_again(checkout, progress[checkout.id], now)
        }

    def settled(self, unit: Unit, checkout: Checkout, account: Account, now: datetime) -> Checkout:
        """Write down what time, and the loss of an approver, has done to a checkout already; the caller commits."""
        settled = settle(unit, checkout, now)
        if settled.state is not CheckoutState.APPROVED:
            return settled
        said = unit.checkouts.approvals(settled.id)
        progress = self.progress(unit, settled, account, said, now)
        if not waits_again(settled, progress, now):
            return settled
        void = ", ".join(each.approver_id for each in progress.void)
        return settle(unit, reopen(unit, settled, void, now), now)

    def stands(self, unit: Unit, account: Account, checkout: Checkout, now: datetime) -> VaultError | None:
        """Say why a request that was granted cannot begin any more: its content, the account, the hours, the words.

        The holder's own power is looked at again too, in this transaction: it may have gone since the request came in.
        """
        edited = untouched(checkout)
        if edited is not None:
            return edited
        if checkout.break_glass and not enabled(unit, checkout.requester_id, account, now):
            detail = "You are not enabled to break the glass of this account any more; ask in the usual way."
            return Forbidden("policy.denied", detail, rule="break-glass")
        facts = self.facts(unit, account, checkout.requester_id, now, but=checkout.id)
        decide = decide_glass if checkout.break_glass else Policy.decide_reason
        decision = decide(
            self.policy, checkout.reason, checkout.granted_seconds, replace(facts, approvers=None)
        )
        if isinstance(decision, Deny):
            return error_of(decision)
        said = unit.checkouts.approvals(checkout.id)
        progress = self.progress(unit, checkout, account, said, now)
        if not progress.complete:
            return Conflict("approval.changed", told(progress), rule="S20")
        if checkout.granted_seconds > granted_seconds(checkout, said):
            detail = "The lease is longer than all who approved agreed to; withdraw it and ask again."
            return Conflict("approval.changed", detail, rule="S20")
        if not self._may_use(unit, account, checkout, now):
            detail = "You may not use this account any more. Ask an administrator if this is your work."
            return Forbidden("policy.denied", detail, rule=Permission.CHECKOUT_USE)
        return None

    def agreed(self, unit: Unit, account: Account, checkout: Checkout, now: datetime) -> bool:
        """Say whether all who have to agree to a request do, and whoever asked for it still may use it."""
        if not self._may_use(unit, account, checkout, now):
            return False
        if not checkout.approvals_needed:
            return True
        return self.progress(unit, checkout, account, unit.checkouts.approvals(checkout.id), now).complete

    def _holders(self, unit: Unit, now: datetime) -> tuple[tuple[Person, Grant], ...]:
        """List who may approve now; the word of a frozen person counts nowhere, also if it was given before (S24)."""
        frozen = {each.target for each in unit.freezes.open() if each.kind is FreezeKind.PERSON}
        found = unit.people.holders(self.policy.permissions[Permission.CHECKOUT_APPROVE], now)
        return tuple(each for each in found if each[0].id not in frozen)

    def _may_use(self, unit: Unit, account: Account, checkout: Checkout, now: datetime) -> bool:
        person = unit.people.get(checkout.requester_id)
        if person is None or person.state is not PersonState.ACTIVE:
            return False
        roles = self.policy.permissions[Permission.CHECKOUT_USE]
        held = powers(unit.people.grants(person.id), now)
        scopes = tuple(power.scope for power in held if power.role in roles)
        return reach_of(scopes).covers(account.customer_id, account.id)


def enabled(unit: Unit, person_id: str, account: Account, now: datetime) -> bool:
    """Say whether two administrators let a person break the glass of an account; who administers never may.

    Neither where an identity provider's groups withhold that role: what they take away never adds power.
    """
    if any(power.role is Role.ADMIN for power in powers(unit.people.grants(person_id), now)):
        return False
    agreed = unit.proposals.agreed(ProposalKind.BREAK_GLASS, person_id)
    scopes = tuple(each.scope for each in agreed if each.in_force(now))
    return reach_of(scopes).covers(account.customer_id, account.id)


def meanwhile() -> Conflict:
    """Say that powers came and went at each try to use them."""
    detail = "Powers that this rests on changed at the same moment; nothing was done. Look again and try once more."
    return Conflict("concurrent.change", detail)


def untouched(checkout: Checkout) -> VaultError | None:
    """Say that the stored request is not the one that was asked for, where it was edited (S20)."""
    if content_of(checkout) == checkout.content_hash:
        return None
    detail = (
        "What is stored of this request is not what was asked for. Nothing begins or is shown with it; treat this "
        "as an incident, have it revoked, and ask again."
    )
    return Conflict("approval.changed", detail, rule="S20")
