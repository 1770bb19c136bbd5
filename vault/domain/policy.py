"""The policy: who may do what, for which reason, with how many others; one table, default deny.

Decided here: every permission's name, how the table is read, and the decisions as values (`Permit`
or `Deny`). The table is ``config/policy.toml``; what it does not allow is denied. Never done here:
recording, raising, looking anything up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.account import Account, Customer
from vault.domain.actor import Actor, ActorKind, Reach, Role, Scope, ScopeKind, reach_of
from vault.domain.agreement import Approvers, Needs, missing, words
from vault.domain.agreement import approvals as people_of
from vault.domain.checkout import Approval, Checkout
from vault.domain.hours import Hours
from vault.domain.reason import Reason, Situation
from vault.domain.ticket import TicketRules


class Permission(StrEnum):
    """Everything that is allowed or not; the whole list, as the matrix in ``docs/policy.md`` shows it."""

    ACCOUNT_READ = "account.read"
    ACCOUNT_REGISTER = "account.register"
    CREDENTIAL_INTAKE = "credential.intake"
    CHECKOUT_USE = "checkout.use"
    CHECKOUT_APPROVE = "checkout.approve"
    CHECKOUT_REVOKE = "checkout.revoke"
    CHECKOUT_REVIEW = "checkout.review"
    FREEZE_SET = "freeze.set"
    FREEZE_LIFT = "freeze.lift"
    BUDGET_RAISE = "budget.raise"
    ROTATION_VERIFY = "rotation.verify"
    FINDING_HANDLE = "finding.handle"
    KEYLESS_DECIDE = "keyless.decide"
    CASE_READ = "case.read"
    ONBOARDING_MANAGE = "onboarding.manage"
    HANDOVER_OPEN = "handover.open"
    HANDOVER_PREPARE = "handover.prepare"
    HANDOVER_CARRY_OUT = "handover.carry_out"
    CLOSURE_MANAGE = "closure.manage"
    MOVE_MANAGE = "move.manage"
    MOVE_AGREE = "move.agree"
    CASE_AGREE = "case.agree"
    TRAIL_READ = "trail.read"
    LOG_READ = "log.read"
    LOG_EXPORT = "log.export"
    LOG_REVIEW = "log.review"
    INCIDENT_HANDLE = "incident.handle"
    PEOPLE_MANAGE = "people.manage"
    POLICY_MANAGE = "policy.manage"
    KEYS_MANAGE = "keys.manage"
    TOKEN_OWN = "token.own"  # noqa: S105 - the name of a permission


NEVER_FOR_MACHINES: Final = frozenset(
    {
        Permission.CREDENTIAL_INTAKE,
        Permission.CHECKOUT_USE,
        Permission.CHECKOUT_APPROVE,
        Permission.CHECKOUT_REVOKE,
        Permission.CHECKOUT_REVIEW,
        Permission.FREEZE_SET,
        Permission.FREEZE_LIFT,
        Permission.BUDGET_RAISE,
        Permission.ROTATION_VERIFY,
        Permission.FINDING_HANDLE,
        Permission.KEYLESS_DECIDE,
        Permission.ONBOARDING_MANAGE,
        Permission.HANDOVER_PREPARE,
        Permission.HANDOVER_CARRY_OUT,
        Permission.CLOSURE_MANAGE,
        Permission.MOVE_MANAGE,
        Permission.MOVE_AGREE,
        Permission.CASE_AGREE,
        Permission.KEYS_MANAGE,
        Permission.PEOPLE_MANAGE,
        Permission.POLICY_MANAGE,
        Permission.TOKEN_OWN,
        Permission.LOG_READ,
        Permission.LOG_REVIEW,
        Permission.INCIDENT_HANDLE,
    }
)
"""A machine never discloses, approves, administers or mints (rule 9, S23), whatever its scopes say."""
MACHINE_READS: Final = frozenset(
    {Permission.ACCOUNT_READ, Permission.CASE_READ, Permission.TRAIL_READ, Permission.LOG_EXPORT}
)
"""Scopes that change nothing; a machine's token with any other takes a second administrator (S19)."""


@dataclass(frozen=True, slots=True)
class Permit:
    """Allowed, and by what."""

    rule: str


@dataclass(frozen=True, slots=True)
class Deny:
    """Not allowed: a stable code, the next step, and the rule that closed."""

    code: str
    detail: str
    rule: str


@dataclass(frozen=True, slots=True)
class Limits:
    """The times and counts of the policy, in seconds unless the name says otherwise."""

    checkout_seconds: int
    longest_seconds: int
    decide_seconds: int
    use_seconds: int
    step_up_seconds: int
    reveals_per_checkout: int
    codes_per_checkout: int
    longest_age: timedelta
    justification_min: int
    justification_max: int
    ticket_pattern: str
    accounts_per_hour: int = 10
    """Distinct accounts that one person opens in an hour (S24)."""
    break_glass_min: int = 30
    """The shortest sentence with which somebody breaks the glass."""
    break_glass_seconds: int = 3600
    """The longest lease of a broken glass."""


@dataclass(frozen=True, slots=True)
class Stricter:
    """What is asked beyond a reason's own terms, for one customer (by DDI or id) or one account.

    `reasons` empty means all; `needs` empty, `max_seconds` and `hours` None ask nothing more.
    """

    scope: Scope
    reasons: frozenset[str] = frozenset()
    needs: Needs = ()
    max_seconds: int | None = None
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """On which terms a reason opens one account: all lists of needs, the longest lease, all hours."""

    needs: tuple[Needs, ...]
    longest: int
    hours: tuple[Hours, ...] = ()

    @property
    def approvals(self) -> int:
        """The least number of people who have to agree."""
        return max((people_of(each) for each in self.needs), default=0)

    def missing(self, people: Approvers) -> Needs:
        """Give what `people` leave open of the lists, the longest first; empty when all are met."""
        left = [found for needs in self.needs if (found := missing(needs, people))]
        return max(left, key=people_of, default=())


@dataclass(frozen=True, slots=True)
class Facts:
    """What a decision on a stated reason rests on, at one moment.

    `approvers` are those who may approve this request; None where they are not looked at.
    """

    account: Account
    situation: Situation
    at: datetime
    approvers: Approvers | None
    customer: Customer | None = None


class Step(StrEnum):
    """The gates of a stated reason, in their order."""

    REASON = "reason"
    KIND = "kind"
    SITUATION = "situation"
    HOURS = "hours"
    DURATION = "duration"
    APPROVERS = "approvers"


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of the whole policy; `digest` is the hex SHA-256 of the file it was read from."""

    digest: str
    permissions: Mapping[Permission, frozenset[Role]]
    machine_scopes: frozenset[Permission]
    reasons: Mapping[str, Reason]
    refused: Mapping[str, str]
    """Tasks that do not need root, each with the way to do them (U1)."""
    limits: Limits
    stricter: Mapping[Scope, tuple[Stricter, ...]] = field(default_factory=dict)
    """What asks for more, by the customer or account that it is about."""
    tickets: TicketRules = field(default_factory=TicketRules)

    def reach(self, actor: Actor, permission: Permission) -> Reach:
        """Give all that `actor` may do `permission` on; empty means denied."""
        if actor.kind is ActorKind.SYSTEM:
            return Reach(everything=True)
        if actor.kind is ActorKind.MACHINE:
            allowed = permission in self.machine_scopes and permission in actor.permissions
            return reach_of((actor.scope,)) if allowed and permission not in NEVER_FOR_MACHINES else Reach()
        roles = self.permissions.get(permission, frozenset())
        return reach_of(tuple(power.scope for power in actor.powers if power.role in roles))

    def decide(
        self,
        actor: Actor,
        permission: Permission,
        customer_id: str | None = None,
        account_id: str | None = None,
    ) -> Permit | Deny:
        """Decide one permission, on one customer or account, or (with neither) on anything at all."""
        reach = self.reach(actor, permission)
        covered = not reach.empty if customer_id is None else reach.covers(customer_id, account_id)
        if covered:
            return Permit(permission)
        roles = sorted(self.permissions.get(permission, frozenset()))
        detail = f"{permission} is for the roles {', '.join(roles) or 'none'} within their scope. "
        return Deny("policy.denied", detail + "Ask an administrator if this is your work.", permission)

    def decide_reason(self, code: str, seconds: int, facts: Facts) -> Permit | Deny:
        """Decide whether a stated reason opens an account now, for a lease of `seconds`: the first gate that closes."""
        for _, decision in self.steps(code, seconds, facts):
            if isinstance(decision, Deny):
                return decision
        return Permit(code)

    def steps(self, code: str, seconds: int, facts: Facts) -> Iterator[tuple[Step, Permit | Deny]]:
        """Give every gate of a stated reason with its decision, in order; an unknown reason has only one."""
        permit, account = Permit(code), facts.account
        reason = self.reasons.get(code)
        if code in self.refused:
            detail = f"{code} does not need root: {self.refused[code]}"
            yield Step.REASON, Deny("policy.lesser_way", detail, code)
            return
        if reason is None:
            detail = f"{code} is not an accepted reason; GET /reasons lists them."
            yield Step.REASON, Deny("policy.reason_unknown", detail, code)
            return
        yield Step.REASON, permit
        if account.kind not in reason.kinds:
            way = reason.instead.get(account.kind, "no root is needed for this kind of account.")
            detail = f"{code} is not for a {account.kind} account: {way}"
            yield Step.KIND, Deny("policy.lesser_way", detail, code)
        else:
            yield Step.KIND, permit
        fits = facts.situation in reason.situations
        yield Step.SITUATION, permit if fits else self._closed_by_situation(account, facts.situation, reason)
        terms = self.terms(reason, account, facts.customer)
        yield Step.HOURS, _within_hours(code, terms, facts.at)
        if seconds > terms.longest:
            detail = f"{code} lasts at most {terms.longest} seconds here; ask for less."
            yield Step.DURATION, Deny("policy.denied", detail, code)
        else:
            yield Step.DURATION, permit
        if facts.approvers is not None:
            yield Step.APPROVERS, _enough(code, terms, facts.approvers)

    def terms(self, reason: Reason, account: Account, customer: Customer | None = None) -> Terms:
        """Give the terms on which `reason` opens an account: the tightest of all that apply (U3)."""
        needs = [reason.needs] if reason.needs else []
        hours = [] if reason.hours is None else [reason.hours]
        limits = [self.longest(reason, None if customer is None else customer.session_max_seconds)]
        for each in self._stricter(account, customer):
            if each.reasons and reason.code not in each.reasons:
                continue
            if each.needs:
                needs.append(each.needs)
            if each.hours is not None:
                hours.append(each.hours)
            if each.max_seconds is not None:
                limits.append(each.max_seconds)
        return Terms(tuple(needs), min(limits), tuple(hours))

    def _stricter(self, account: Account, customer: Customer | None) -> Iterator[Stricter]:
        if not self.stricter:
            return
        places = [Scope(ScopeKind.ACCOUNT, account.id), Scope(ScopeKind.CUSTOMER, account.customer_id)]
        if customer is not None:
            places.append(Scope(ScopeKind.CUSTOMER, customer.ddi))
        for place in places:
            yield from self.stricter.get(place, ())

    def longest(self, reason: Reason, customer_longest: int | None = None) -> int:
        """Give the longest lease of `reason` wherever nothing stricter applies, in seconds."""
        limits = (reason.max_seconds, self.limits.longest_seconds, customer_longest)
        return min(limit for limit in limits if limit is not None)

    def _closed_by_situation(self, account: Account, now_in: Situation, reason: Reason) -> Deny:
        if now_in in {Situation.DUE, Situation.UNKNOWN} and Situation.HELD in reason.situations:
            detail = f"Account {account.id} is {now_in}: rotate it first (reason CRED_ROTATE)."
            return Deny("rotation.due", detail, reason.code)
        if now_in is Situation.REVIEW:
            detail = f"Account {account.id} waits for the review of a broken glass; until then only rotation opens it."
            return Deny("review.due", detail, reason.code)
        detail = f"{reason.code} does not open account {account.id} while it is {account.custody}."
        return Deny("custody.state", detail, reason.code)


def decide_approval(
    checkout: Checkout, given: tuple[Approval, ...], approver: Actor, content: str
) -> Permit | Deny:
    """Decide whether `approver` may say a word on `checkout` as described by `content` (rule 8, S20)."""
    if approver.id == checkout.requester_id:
        return Deny("policy.self_approval", "Nobody approves their own request; ask a colleague.", "rule 8")
    if any(approval.approver_id == approver.id for approval in given):
        return Deny(
            "approval.duplicate",
            "You have decided on this request already; one person counts once.",
            "rule 8",
        )
    if content != checkout.content_hash:
        return Deny(
            "approval.changed", "This is not the request you looked at; reload it and look again.", "S20"
        )
    return Permit("rule 8")


def granted_seconds(checkout: Checkout, given: tuple[Approval, ...]) -> int:
    """Give the lease that all approvers agree to: each may shorten, none may widen."""
    return min([checkout.requested_seconds, *(a.seconds for a in given if a.seconds is not None)])


def _within_hours(code: str, terms: Terms, at: datetime) -> Permit | Deny:
    closed = [hours for hours in terms.hours if not hours.is_open(at)]
    if not closed:
        return Permit(code)
    opening = max(hours.next_opening(at) for hours in closed)
    when = f"{'; '.join(map(str, closed))}. It opens next at {opening:%Y-%m-%dT%H:%M:%SZ}."
    return Deny("policy.hours", f"{code} opens accounts only in its hours: {when}", code)


def _enough(code: str, terms: Terms, approvers: Approvers) -> Permit | Deny:
    left = terms.missing(approvers)
    if not left:
        return Permit(code)
    detail = (
        f"Locked: {code} needs {' and '.join(map(words, terms.needs))} here, and of those who may approve now "
        f"{words(left)} would be missing. Two administrators have to appoint somebody first."
    )
    return Deny("approval.locked", detail, code)
