"""The policy decides by its table and denies by default; the shipped file is DOMAIN's table."""

from __future__ import annotations

import copy
import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vault.domain.account import Account, Custodian, Custody, Customer, Kind, Model
from vault.domain.actor import Actor, ActorKind, Power, Role, Scope, ScopeKind, incompatible, system_actor
from vault.domain.checkout import Approval, Checkout, CheckoutState, Decision
from vault.domain.policy import (
    NEVER_FOR_MACHINES,
    Deny,
    Facts,
    Permission,
    Permit,
    Policy,
    decide_approval,
    granted_seconds,
)
from vault.domain.policy_document import parse_policy
from vault.domain.reason import Situation
from vault.errors import Refused

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
SHIPPED = Path(__file__).parents[3] / "config" / "policy.toml"


def document() -> dict[str, Any]:
    return tomllib.loads(SHIPPED.read_text("utf-8"))


@pytest.fixture(scope="module")
def policy() -> Policy:
    return parse_policy(document(), "digest")


def person(role: Role, scope: Scope | None = None) -> Actor:
    return Actor(ActorKind.PERSON, f"id-{role}", role, powers=(Power(role, scope or Scope()),))


def account(kind: Kind = Kind.STANDALONE, custody: Custody = Custody.HELD) -> Account:
    return Account(
        id="111122223333",
        customer_id="customer-1",
        name="Account",
        model=Model.SPAM,
        kind=kind,
        custody=custody,
        root_email="root@msp.example",
        mailbox=Custodian.OURS,
        phone=Custodian.OURS,
        created_at=NOW,
    )


def checkout(**changes: Any) -> Checkout:
    base = Checkout(
        id="checkout-1",
        account_id="111122223333",
        requester_id="requester",
        requester_name="Requester",
        reason="INCIDENT",
        ticket="T-1",
        justification="something happened",
        requested_seconds=3600,
        granted_seconds=3600,
        approvals_needed=2,
        state=CheckoutState.PENDING_APPROVAL,
        requested_at=NOW,
        decide_by=NOW,
        policy_hash="digest",
        content_hash="content",
    )
    return replace(base, **changes)


def approval(by: str, seconds: int | None = None, content: str = "content") -> Approval:
    return Approval(f"a-{by}", "checkout-1", by, by, Decision.APPROVE, "", seconds, content, NOW)


TABLE: dict[Permission, set[Role]] = {
    Permission.ACCOUNT_READ: set(Role),
    Permission.ACCOUNT_REGISTER: {Role.CUSTODIAN},
    Permission.CREDENTIAL_INTAKE: {Role.CUSTODIAN},
    Permission.CHECKOUT_USE: {Role.OPERATOR},
    Permission.CHECKOUT_APPROVE: {Role.APPROVER},
    Permission.CHECKOUT_REVOKE: {Role.APPROVER, Role.ADMIN},
    Permission.ROTATION_VERIFY: {Role.OPERATOR, Role.APPROVER},
    Permission.FINDING_HANDLE: {Role.OPERATOR, Role.APPROVER, Role.CUSTODIAN},
    Permission.KEYLESS_DECIDE: {Role.APPROVER, Role.CUSTODIAN},
    Permission.KEYS_MANAGE: {Role.ADMIN},
    Permission.CASE_READ: set(Role),
    Permission.CASE_AGREE: {Role.APPROVER},
    Permission.ONBOARDING_MANAGE: {Role.CUSTODIAN},
    Permission.HANDOVER_OPEN: {Role.CSM},
    Permission.HANDOVER_PREPARE: {Role.CSM},
    Permission.HANDOVER_CARRY_OUT: {Role.OPERATOR},
    Permission.CLOSURE_MANAGE: {Role.CUSTODIAN},
    Permission.MOVE_MANAGE: {Role.CUSTODIAN, Role.CSM},
    Permission.MOVE_AGREE: {Role.ADMIN},
    Permission.TRAIL_READ: set(Role),
    Permission.LOG_READ: {Role.AUDITOR},
    Permission.LOG_EXPORT: {Role.AUDITOR},
    Permission.LOG_REVIEW: {Role.AUDITOR},
    Permission.INCIDENT_HANDLE: {Role.AUDITOR, Role.ADMIN, Role.APPROVER},
    Permission.PEOPLE_MANAGE: {Role.ADMIN},
    Permission.POLICY_MANAGE: {Role.ADMIN},
    Permission.CHECKOUT_REVIEW: {Role.APPROVER},
    Permission.FREEZE_SET: set(Role),
    Permission.FREEZE_LIFT: {Role.APPROVER, Role.ADMIN},
    Permission.BUDGET_RAISE: {Role.APPROVER, Role.ADMIN},
    Permission.TOKEN_OWN: set(Role),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("permission", Permission)
def test_each_role_has_what_the_table_gives_and_nothing_else(
    policy: Policy, role: Role, permission: Permission
) -> None:
    decision = policy.decide(person(role), permission, "customer-1", "111122223333")
    assert isinstance(decision, Permit) == (role in TABLE[permission])


@pytest.mark.parametrize("permission", Permission)
def test_nobody_without_power_is_permitted(policy: Policy, permission: Permission) -> None:
    assert isinstance(policy.decide(Actor(ActorKind.PERSON, "p", "p"), permission), Deny)


@pytest.mark.parametrize("permission", sorted(NEVER_FOR_MACHINES))
def test_a_machine_never_has_what_machines_never_have(policy: Policy, permission: Permission) -> None:
    machine = Actor(ActorKind.MACHINE, "m", "m", permissions=frozenset(Permission))
    forged = replace(policy, machine_scopes=frozenset(Permission))
    assert isinstance(forged.decide(machine, permission), Deny)


def test_a_machine_needs_the_scope_on_its_token(policy: Policy) -> None:
    machine = Actor(ActorKind.MACHINE, "m", "m", permissions=frozenset({Permission.TRAIL_READ}))
    assert isinstance(policy.decide(machine, Permission.TRAIL_READ), Permit)
    assert isinstance(policy.decide(machine, Permission.ACCOUNT_READ), Deny)


@pytest.mark.parametrize(
    ("scope", "permitted"),
    [
        (Scope(), True),
        (Scope(ScopeKind.CUSTOMER, "customer-1"), True),
        (Scope(ScopeKind.CUSTOMER, "customer-2"), False),
        (Scope(ScopeKind.ACCOUNT, "111122223333"), True),
        (Scope(ScopeKind.ACCOUNT, "999988887777"), False),
    ],
)
def test_a_grant_reaches_as_far_as_its_scope(policy: Policy, scope: Scope, permitted: bool) -> None:
    decision = policy.decide(
        person(Role.OPERATOR, scope), Permission.CHECKOUT_USE, "customer-1", "111122223333"
    )
    assert isinstance(decision, Permit) == permitted


def test_the_system_acts_for_itself(policy: Policy) -> None:
    assert isinstance(policy.decide(system_actor("import"), Permission.CREDENTIAL_INTAKE), Permit)


def facts(found: Account, now_in: Situation, approvers: int = 9, longest: int | None = None) -> Facts:
    people = {f"approver-{each}": (Power(Role.APPROVER, Scope()),) for each in range(approvers)}
    customer = Customer("customer-1", "900001", "Example", False, False, None, longest, NOW)
    return Facts(found, now_in, NOW, people, customer)


def denied(decision: Permit | Deny) -> str:
    assert isinstance(decision, Deny)
    return decision.code


def test_a_reason_that_fits_is_permitted(policy: Policy) -> None:
    assert isinstance(policy.decide_reason("BILL_ROOT", 3600, facts(account(), Situation.HELD, 0)), Permit)


def test_an_unknown_reason_is_denied(policy: Policy) -> None:
    assert (
        denied(policy.decide_reason("CURIOSITY", 60, facts(account(), Situation.HELD, 9)))
        == "policy.reason_unknown"
    )


def test_a_task_that_iam_can_do_names_the_way(policy: Policy) -> None:
    decision = policy.decide_reason("SUPPORT_PLAN", 60, facts(account(), Situation.HELD, 9))
    assert denied(decision) == "policy.lesser_way"
    assert isinstance(decision, Deny)
    assert "supportplans" in decision.detail


def test_a_members_bucket_is_unlocked_by_a_task_session(policy: Policy) -> None:
    decision = policy.decide_reason("S3_UNLOCK", 60, facts(account(Kind.MEMBER), Situation.HELD, 9))
    assert denied(decision) == "policy.lesser_way"
    assert isinstance(decision, Deny)
    assert "AssumeRoot" in decision.detail


@pytest.mark.parametrize("found", [Situation.DUE, Situation.UNKNOWN])
def test_due_and_unknown_open_only_for_rotation_and_incident(policy: Policy, found: Situation) -> None:
    opened = {
        code
        for code in policy.reasons
        if isinstance(policy.decide_reason(code, 60, facts(account(), found, 9)), Permit)
    }
    assert opened == {"CRED_ROTATE", "INCIDENT"}
    assert denied(policy.decide_reason("BILL_ROOT", 60, facts(account(), found, 9))) == "rotation.due"


def test_onboarding_opens_only_for_takeover(policy: Policy) -> None:
    found = account(custody=Custody.ONBOARDING)
    opened = {
        code
        for code in policy.reasons
        if isinstance(policy.decide_reason(code, 60, facts(found, Situation.ONBOARDING, 9)), Permit)
    }
    assert opened == {"ONBOARD_TAKEOVER"}


def test_nothing_opens_what_is_not_ours(policy: Policy) -> None:
    found = account(custody=Custody.CUSTOMER_HELD)
    decisions = [policy.decide_reason(code, 60, facts(found, Situation.NONE, 9)) for code in policy.reasons]
    assert all(isinstance(decision, Deny) for decision in decisions)


@pytest.mark.parametrize(
    ("seconds", "customer", "permitted"), [(3600, None, True), (3601, None, False), (901, 900, False)]
)
def test_the_tightest_limit_wins(policy: Policy, seconds: int, customer: int | None, permitted: bool) -> None:
    decision = policy.decide_reason("BILL_ROOT", seconds, facts(account(), Situation.HELD, 0, customer))
    assert isinstance(decision, Permit) == permitted


def test_too_few_approvers_means_locked(policy: Policy) -> None:
    assert isinstance(policy.decide_reason("IAM_RESTORE", 60, facts(account(), Situation.HELD, 1)), Permit)
    assert (
        denied(policy.decide_reason("IAM_RESTORE", 60, facts(account(), Situation.HELD, 0)))
        == "approval.locked"
    )


def test_nobody_approves_their_own_request() -> None:
    me = Actor(ActorKind.PERSON, "requester", "Requester")
    assert denied(decide_approval(checkout(), (), me, "content")) == "policy.self_approval"


def test_one_person_counts_once() -> None:
    one = Actor(ActorKind.PERSON, "one", "One")
    assert denied(decide_approval(checkout(), (approval("one"),), one, "content")) == "approval.duplicate"


def test_an_approval_is_for_exactly_one_content() -> None:
    one = Actor(ActorKind.PERSON, "one", "One")
    assert denied(decide_approval(checkout(), (), one, "another")) == "approval.changed"


def test_approvers_may_shorten_and_never_widen() -> None:
    assert granted_seconds(checkout(), (approval("one", 600), approval("two", 900))) == 600
    assert granted_seconds(checkout(), (approval("one", 99999),)) == 3600


def test_admin_goes_with_neither_operator_nor_approver() -> None:
    assert incompatible(frozenset({Role.ADMIN, Role.OPERATOR})) == ("admin", "operator")
    assert incompatible(frozenset({Role.ADMIN, Role.APPROVER})) == ("admin", "approver")
    assert incompatible(frozenset(set(Role) - {Role.ADMIN})) is None


def broken(*path: str, value: object) -> dict[str, Any]:
    changed = copy.deepcopy(document())
    at = changed
    for name in path[:-1]:
        at = at[name]
    if value is None:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return changed


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("version",), 2),
        (("permissions", "account.read"), None),
        (("permissions", "account.read"), []),
        (("permissions", "account.read"), ["intern"]),
        (("permissions", "everything"), ["admin"]),
        (("machines", "scopes"), ["checkout.use"]),
        (("reasons", "BILL_ROOT", "approvals"), -1),
        (("reasons", "BILL_ROOT", "approvals"), True),
        (("reasons", "BILL_ROOT", "kinds"), []),
        (("reasons", "BILL_ROOT", "situations"), ["always"]),
        (("reasons", "BILL_ROOT", "max_seconds"), 999999),
        (("reasons", "BILL_ROOT", "title"), " "),
        (("reasons", "BILL_ROOT", "colour"), "red"),
        (("reasons", "bill"), {}),
        (("limits", "step_up_seconds"), 3600),
        (("limits", "ticket_pattern"), "["),
        (("limits", "patience"), 1),
        (("not_root", "BILL_ROOT"), "somehow"),
        (("extra",), {}),
    ],
)
def test_a_wrong_policy_is_refused_and_the_place_named(path: tuple[str, ...], value: object) -> None:
    with pytest.raises(Refused) as caught:
        parse_policy(broken(*path, value=value), "digest")
    assert caught.value.code == "policy.invalid"
    assert path[0] in caught.value.detail


def test_what_an_older_version_could_not_name_nobody_has() -> None:
    body = document()
    for younger in ("finding.handle", "keyless.decide", "keys.manage"):
        del body["permissions"][younger]
    older = parse_policy(body, "")
    assert older.reach(person(Role.ADMIN), Permission.KEYS_MANAGE).empty
    assert not older.reach(person(Role.ADMIN), Permission.PEOPLE_MANAGE).empty
