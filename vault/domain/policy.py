"""The policy: who may do what, for which reason, with how many others; one table, default deny.

Decided here: every permission's name, how the table is read, and the decisions as values (`Permit`
or `Deny`). The table is ``config/policy.toml``; what it does not allow is denied. Never done here:
recording, raising, looking anything up.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

from vault.domain.account import Account, Kind
from vault.domain.actor import Actor, ActorKind, Reach, Role, reach_of
from vault.domain.checkout import Approval, Checkout, Decision
from vault.domain.reason import Reason, Situation


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
    TRAIL_READ = "trail.read"
    LOG_READ = "log.read"
    LOG_EXPORT = "log.export"
    LOG_REVIEW = "log.review"
    INCIDENT_HANDLE = "incident.handle"
    PEOPLE_MANAGE = "people.manage"
    POLICY_MANAGE = "policy.manage"
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
        Permission.PEOPLE_MANAGE,
        Permission.POLICY_MANAGE,
        Permission.TOKEN_OWN,
        Permission.LOG_READ,
        Permission.LOG_REVIEW,
        Permission.INCIDENT_HANDLE,
    }
)
"""A machine never discloses, approves, administers or mints (rule 9, S23), whatever its scopes say."""


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

    def decide_reason(
        self,
        account: Account,
        now_in: Situation,
        code: str,
        seconds: int,
        eligible_approvers: int,
        customer_longest: int | None = None,
    ) -> Permit | Deny:
        """Decide whether a stated reason opens an account in its present situation.

        `seconds` is the lease asked for, `customer_longest` the customer's own limit (U3).
        """
        if code in self.refused:
            return Deny("policy.lesser_way", f"{code} does not need root: {self.refused[code]}", code)
        reason = self.reasons.get(code)
        if reason is None:
            return Deny(
                "policy.reason_unknown", f"{code} is not an accepted reason; GET /reasons lists them.", code
            )
        if account.kind not in reason.kinds:
            way = reason.instead.get(account.kind, "no root is needed for this kind of account.")
            return Deny("policy.lesser_way", f"{code} is not for a {account.kind} account: {way}", code)
        if now_in not in reason.situations:
            return self._closed_by_situation(account, now_in, reason)
        longest = self.longest(reason, customer_longest)
        if seconds > longest:
            return Deny("policy.denied", f"{code} lasts at most {longest} seconds here; ask for less.", code)
        if eligible_approvers < reason.approvals:
            detail = f"{code} needs {reason.approvals} approval(s) and only {eligible_approvers} eligible approver(s) "
            return Deny("policy.denied", detail + "exist; an administrator has to appoint more.", code)
        return Permit(code)

    def longest(self, reason: Reason, customer_longest: int | None = None) -> int:
        """Give the longest lease of `reason`, in seconds: the tightest limit wins (U3)."""
        limits = (reason.max_seconds, self.limits.longest_seconds, customer_longest)
        return min(limit for limit in limits if limit is not None)

    def _closed_by_situation(self, account: Account, now_in: Situation, reason: Reason) -> Deny:
        if now_in in {Situation.DUE, Situation.UNKNOWN} and Situation.HELD in reason.situations:
            detail = f"Account {account.id} is {now_in}: rotate it first (reason CRED_ROTATE)."
            return Deny("rotation.due", detail, reason.code)
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


def approvals_complete(checkout: Checkout, given: tuple[Approval, ...]) -> bool:
    """Say whether enough distinct people approved exactly this content."""
    approvers = {
        approval.approver_id
        for approval in given
        if approval.decision is Decision.APPROVE
        and approval.content_hash == checkout.content_hash
        and approval.approver_id != checkout.requester_id
    }
    return len(approvers) >= checkout.approvals_needed


def granted_seconds(checkout: Checkout, given: tuple[Approval, ...]) -> int:
    """Give the lease that all approvers agree to: each may shorten, none may widen."""
    return min([checkout.requested_seconds, *(a.seconds for a in given if a.seconds is not None)])


def allowed_kinds(reason: Reason) -> tuple[Kind, ...]:
    """Give a reason's kinds in the order of `Kind`."""
    return tuple(kind for kind in Kind if kind in reason.kinds)
