"""Which words on a request count, who may give another, when it is locked, and what is worth a second look."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from vault.domain.account import Account, Custodian, Custody, Kind, Model
from vault.domain.actor import Power, Role, Scope, ScopeKind
from vault.domain.agreement import Need
from vault.domain.approving import Approver, Progress, approvers_for, progress_of, standing, told
from vault.domain.checkout import Approval, Checkout, CheckoutState, Decision, content_of
from vault.domain.person import Grant, Person, PersonState
from vault.domain.policy import Terms
from vault.domain.risk import HABIT, MANY_THIS_HOUR, MANY_TODAY, Past, Risk, signs

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=30)
ANYWHERE = Power(Role.APPROVER, Scope())
ACCOUNT = Account(
    "111122223333", "customer-1", "shop", Model.SPAM, Kind.STANDALONE, Custody.HELD, "root@msp.example",
    Custodian.OURS, Custodian.OURS, NOW,
)  # fmt: skip


def checkout(**changes: Any) -> Checkout:
    made = Checkout(
        id="checkout-1",
        account_id=ACCOUNT.id,
        requester_id="requester",
        requester_name="Alice",
        reason="IAM_RESTORE",
        ticket="T-1",
        justification="a task",
        requested_seconds=3600,
        granted_seconds=3600,
        approvals_needed=2,
        state=CheckoutState.PENDING_APPROVAL,
        requested_at=NOW,
        decide_by=NOW + timedelta(hours=8),
        policy_hash="policy",
        content_hash="",
    )
    made = replace(made, **changes)
    return replace(made, content_hash=changes.get("content_hash") or content_of(made))


def word(by: str, of: Checkout | None = None, decision: Decision = Decision.APPROVE) -> Approval:
    of = of or checkout()
    at = of.requested_at + timedelta(minutes=5)
    return Approval(f"a-{by}", of.id, by, by.title(), decision, "", None, of.content_hash, at)


def approver(name: str, since: datetime = LONG_AGO, *powers: Power) -> Approver:
    return Approver(name, name.title(), tuple((power, since) for power in powers or (ANYWHERE,)))


def weigh(
    asked: Checkout, *said: Approval, people: tuple[Approver, ...] | None = None, need: Need | None = None
) -> Progress:
    known = tuple(map(approver, ("ada", "bert", "cleo"))) if people is None else people
    return progress_of(asked, said, known, Terms(((need or Need(2),),), 3600))


def test_two_words_of_two_people_suffice_and_one_of_one_does_not() -> None:
    asked = checkout()
    assert weigh(asked, word("ada"), word("bert")).complete
    assert not weigh(asked, word("ada")).complete
    assert not weigh(asked, word("ada"), word("ada")).complete
    assert [each.id for each in weigh(asked, word("ada")).may] == ["bert", "cleo"]


def test_words_on_another_content_or_against_it_or_of_others_never_count() -> None:
    asked = checkout()
    other = word("ada", checkout(justification="another task"))
    assert weigh(asked, other, word("bert")).given == (word("bert"),)
    assert not weigh(asked, word("ada"), word("bert", decision=Decision.DENY)).complete
    assert not weigh(asked, word("ada"), word("requester")).complete
    assert not weigh(asked, word("ada"), word("zoe")).complete


def test_a_word_counts_only_while_the_power_it_was_given_by_goes_on_without_a_break() -> None:
    asked = checkout(approvals_needed=1)
    back = NOW + timedelta(hours=1)
    again = weigh(asked, word("ada"), people=(approver("ada", back),), need=Need(1))
    assert (again.given, [each.approver_id for each in again.void]) == ((), ["ada"])
    assert weigh(asked, word("ada"), people=(approver("ada"),), need=Need(1)).complete


@pytest.mark.parametrize(
    "edited",
    [
        {"account_id": "999988887777"},
        {"requester_id": "somebody"},
        {"reason": "BILL_ROOT"},
        {"ticket": "T-2"},
        {"justification": "another task"},
        {"requested_seconds": 14400},
        {"break_glass": True},
    ],
)
def test_no_word_counts_on_a_request_that_was_edited(edited: dict[str, Any]) -> None:
    asked = checkout(state=CheckoutState.APPROVED, use_by=NOW + timedelta(minutes=30))
    forged = replace(asked, **edited)
    found = weigh(forged, word("ada", asked), word("bert", asked))
    assert not found.complete
    assert not found.intact
    assert standing(forged, found, NOW) is CheckoutState.APPROVED
    assert "incident" in told(found)


def test_fewer_needed_than_the_terms_ask_for_is_not_believed() -> None:
    forged = checkout(approvals_needed=0)
    found = weigh(forged)
    assert (found.needed, found.complete) == (2, False)
    lax = progress_of(checkout(approvals_needed=2), (word("ada"),), (approver("ada"),), Terms((), 3600))
    assert (lax.complete, lax.left, lax.short) == (False, (Need(1),), (Need(1),))


def test_an_approved_request_waits_again_when_a_word_is_lost_and_lapses_when_it_is_too_late() -> None:
    asked = checkout(state=CheckoutState.APPROVED, approvals_needed=1, use_by=NOW + timedelta(hours=9))
    kept = weigh(asked, word("ada", asked), need=Need(1))
    lost = weigh(asked, word("ada", asked), people=(approver("bert"),), need=Need(1))
    assert standing(asked, kept, NOW) is CheckoutState.APPROVED
    assert standing(asked, lost, NOW) is CheckoutState.PENDING_APPROVAL
    assert standing(asked, lost, asked.decide_by) is CheckoutState.LAPSED
    assert told(lost) == (
        "The word of Ada does not count any more: who gave it may not approve now. "
        "Still needed: 1 approver. Bert may decide."
    )


def test_it_is_locked_when_too_few_or_the_wrong_people_are_left() -> None:
    nobody = weigh(checkout(), people=())
    assert nobody.locked
    assert "nobody is left" in told(nobody)
    one = weigh(checkout(), people=(approver("ada"),))
    assert one.locked
    assert "still needed: 2 approvers, and only Ada may decide." in told(one)
    local = Power(Role.APPROVER, Scope(ScopeKind.ACCOUNT, ACCOUNT.id))
    narrow = tuple(approver(name, LONG_AGO, local) for name in ("ada", "bert"))
    assert weigh(checkout(), people=narrow, need=Need(2, scope=ScopeKind.ALL)).locked
    assert not weigh(checkout(), people=narrow).locked


def test_approvers_are_those_whose_grant_covers_the_account_but_never_who_asks() -> None:
    def grant(name: str, scope: Scope, begun: datetime | None = LONG_AGO) -> tuple[Person, Grant]:
        person = Person(name, f"{name}@msp.example", name.title(), PersonState.ACTIVE, LONG_AGO)
        return person, Grant(name, name, Role.APPROVER, scope, "x", LONG_AGO, "y", begun)

    found = approvers_for(
        [
            grant("cleo", Scope()),
            grant("ada", Scope(ScopeKind.CUSTOMER, "customer-1")),
            grant("ada", Scope(ScopeKind.ACCOUNT, ACCOUNT.id), NOW),
            grant("bert", Scope(ScopeKind.ACCOUNT, "999988887777")),
            grant("requester", Scope()),
            grant("dora", Scope(), None),
        ],
        ACCOUNT,
        "requester",
    )
    assert [each.id for each in found] == ["ada", "cleo"]
    assert len(found[0].powers) == 2
    assert len(found[0].powers_at(NOW - timedelta(seconds=1))) == 1


def risks(past: Past, **changes: Any) -> set[Risk]:
    return {sign.risk for sign in signs(checkout(**changes), past, 3600)}


def before(count: int, apart: timedelta, **changes: Any) -> tuple[Checkout, ...]:
    return tuple(checkout(id=f"b-{n}", requested_at=NOW - n * apart, **changes) for n in range(1, count + 1))


USUAL = Past(had=3, tickets={ACCOUNT.id: 2}, hours={9: HABIT})


@pytest.mark.parametrize(
    ("past", "changes", "expected"),
    [
        (USUAL, {}, set()),
        (replace(USUAL, had=0), {}, {Risk.FIRST_TIME}),
        (replace(USUAL, hours={14: HABIT}), {}, {Risk.ODD_HOUR}),
        (replace(USUAL, hours={10: 1, 14: HABIT}), {}, set()),
        (replace(USUAL, hours={23: HABIT}), {"requested_at": NOW.replace(hour=0)}, set()),
        (replace(USUAL, hours={14: HABIT - 1}), {}, set()),
        (replace(USUAL, of_person=before(MANY_TODAY - 1, timedelta(hours=2))), {}, {Risk.MANY_TODAY}),
        (replace(USUAL, of_person=before(MANY_TODAY - 2, timedelta(hours=2))), {}, set()),
        (
            replace(USUAL, of_person=before(MANY_THIS_HOUR - 1, timedelta(minutes=5))),
            {},
            {Risk.MANY_THIS_HOUR},
        ),
        (replace(USUAL, tickets={ACCOUNT.id: 1}), {}, {Risk.NEW_TICKET}),
        (replace(USUAL, tickets={ACCOUNT.id: 1, "999988887777": 4}), {}, {Risk.TICKET_ELSEWHERE}),
        (USUAL, {"requested_seconds": 14400}, {Risk.LONG}),
        (
            replace(
                USUAL,
                of_account=before(1, timedelta(days=1), state=CheckoutState.DENIED, ended_at=NOW - timedelta(1)),
            ),
            {},
            {Risk.DENIED_LATELY},
        ),
        (
            replace(
                USUAL,
                of_account=before(1, timedelta(days=9), state=CheckoutState.REVOKED, ended_at=NOW - timedelta(8)),
            ),
            {},
            set(),
        ),
        (
            replace(USUAL, of_account=before(1, timedelta(days=2), break_glass=True)),
            {},
            {Risk.BROKEN_LATELY},
        ),
    ],
)  # fmt: skip
def test_what_is_worth_a_second_look(past: Past, changes: dict[str, Any], expected: set[Risk]) -> None:
    assert risks(past, **changes) == expected


def test_a_sign_names_no_account_of_others() -> None:
    found = signs(checkout(), replace(USUAL, tickets={"999988887777": 1, "888877776666": 1}), 3600)
    assert [sign.words for sign in found] == ["Ticket also named for 2 accounts"]
