"""The store's contract: checkouts, approvals and step-ups, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from tests.support.builders import HOUR, NOW, NUMBER, approval, checkout, person, stand
from vault.domain.actor import Reach
from vault.domain.checkout import OPEN, CheckoutState, Decision
from vault.errors import Conflict, Invalid, VaultError
from vault.ports.records import CheckoutFilter, Slice

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits

ALL = Reach(everything=True)
ACTIVE: dict[str, Any] = {
    "state": CheckoutState.ACTIVE,
    "activated_at": NOW,
    "expires_at": NOW + HOUR,
    "use_by": NOW + HOUR,
}
ENDED: dict[str, Any] = {
    "state": CheckoutState.CHECKED_IN,
    "ended_at": NOW,
    "ended_by": "olga",
    "end_note": "done",
}


def test_what_was_kept_comes_back_equal(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        asked = checkout(made.person.id, justification="a “task”\nwith ünï\u0301códe and \U0001f512")
        unit.checkouts.add(asked)
        unit.commit()
    with units.write() as unit:
        assert unit.checkouts.get(asked.id) == asked
        assert unit.checkouts.claim(asked.id) == (asked, made.account)
        assert unit.checkouts.open_of(NUMBER) == asked
        assert unit.checkouts.open_of_many((NUMBER, "999999999999")) == {NUMBER: asked}
        assert unit.checkouts.get("nobody") is None
        assert unit.checkouts.claim("nobody") is None
        assert unit.checkouts.open_of("999999999999") is None


@pytest.mark.parametrize("state", sorted(OPEN))
def test_an_account_has_one_open_checkout(units: SqlUnits, state: CheckoutState) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.checkouts.add(checkout(made.person.id, **ACTIVE | {"state": state}))
        with pytest.raises(Conflict) as refused:
            unit.checkouts.add(checkout(made.person.id))
    assert refused.value.code == "checkout.conflict"


def test_an_ended_checkout_makes_the_account_free(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        first = checkout(made.person.id)
        unit.checkouts.add(first)
        ended = replace(first, **ENDED, reveals=2, codes=3)
        unit.checkouts.update(ended)
        assert unit.checkouts.get(first.id) == ended
        assert unit.checkouts.open_of(NUMBER) is None
        unit.checkouts.add(checkout(made.person.id))
        with pytest.raises(Conflict) as refused:
            unit.checkouts.update(first)
    assert refused.value.code == "checkout.conflict"


def test_a_checkout_that_is_not_there_is_not_changed(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        with pytest.raises(Conflict):
            unit.checkouts.update(checkout(made.person.id))


def test_newest_first_in_pages_even_at_the_same_moment(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        kept = [
            checkout(made.person.id, requested_at=NOW + timedelta(microseconds=number // 3), **ENDED)
            for number in range(7)
        ]
        for each in kept:
            unit.checkouts.add(each)
        unit.commit()
    wanted = [each.id for each in sorted(kept, key=lambda each: (each.requested_at, each.id), reverse=True)]
    seen: list[str] = []
    cursor = None
    with units.read() as unit:
        while True:
            page = unit.checkouts.page(ALL, CheckoutFilter(), Slice(2, cursor))
            seen += [each.id for each in page.items]
            if (cursor := page.next) is None:
                break
    assert seen == wanted


def test_a_cursor_of_another_list_is_refused(units: SqlUnits) -> None:
    with units.read() as unit:
        for cursor in ("WyJhIl0", "WyJhIiwiYiJd", "WyIyMDI2LTExLTIzVDA5OjAwOjAwWiIsImEiXQ"):
            with pytest.raises(Invalid) as refused:
                unit.checkouts.page(ALL, CheckoutFilter(), Slice(2, cursor))
            assert refused.value.code == "cursor.invalid"


def test_lists_are_narrowed_by_filter_and_reach(units: SqlUnits) -> None:
    with units.write() as unit:
        mine, other = stand(unit), stand(unit, "222233334444")
        here = checkout(mine.person.id)
        there = checkout(other.person.id, "222233334444", **ACTIVE)
        unit.checkouts.add(here)
        unit.checkouts.add(there)
        unit.commit()
    for reach, wanted, expected in (
        (ALL, CheckoutFilter(), {here.id, there.id}),
        (ALL, CheckoutFilter(account_id=NUMBER), {here.id}),
        (ALL, CheckoutFilter(requester_id=other.person.id), {there.id}),
        (ALL, CheckoutFilter(states=frozenset({CheckoutState.ACTIVE})), {there.id}),
        (ALL, CheckoutFilter(states=frozenset()), set()),
        (Reach(), CheckoutFilter(), set()),
        (Reach(customers=frozenset({mine.customer.id})), CheckoutFilter(), {here.id}),
        (Reach(accounts=frozenset({"222233334444"})), CheckoutFilter(), {there.id}),
        (Reach(accounts=frozenset({"222233334444"})), CheckoutFilter(account_id=NUMBER), set()),
    ):
        with units.read() as unit:
            assert {each.id for each in unit.checkouts.page(reach, wanted, Slice()).items} == expected


def test_what_time_has_ended_is_found(units: SqlUnits) -> None:
    facts: list[dict[str, Any]] = [
        {"decide_by": NOW + HOUR},
        {"state": CheckoutState.APPROVED, "use_by": NOW + HOUR},
        ACTIVE,
        ENDED,
    ]
    with units.write() as unit:
        kept = []
        for number, each in enumerate(facts):
            made = stand(unit, f"{number:012}")
            kept.append(checkout(made.person.id, made.account.id, **each))
            unit.checkouts.add(kept[-1])
        before = NOW + HOUR - timedelta(microseconds=1)
        assert unit.checkouts.overdue(before, 10) == ()
        assert {each.id for each in unit.checkouts.overdue(NOW + HOUR, 10)} == {each.id for each in kept[:3]}
        assert len(unit.checkouts.overdue(NOW + HOUR, 2)) == 2


def test_a_person_decides_once_about_a_request(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        asked, pat, paul = checkout(made.person.id), person(), person()
        unit.people.add(pat)
        unit.people.add(paul)
        unit.checkouts.add(asked)
        first = approval(asked.id, pat.id, seconds=600)
        second = approval(asked.id, paul.id, decision=Decision.DENY, decided_at=NOW + HOUR)
        unit.checkouts.add_approval(second)
        unit.checkouts.add_approval(first)
        assert unit.checkouts.approvals(asked.id) == (first, second)
        with pytest.raises(Conflict) as refused:
            unit.checkouts.add_approval(approval(asked.id, pat.id, decision=Decision.DENY))
    assert refused.value.code == "approval.duplicate"


def test_a_step_up_counts_for_one_checkout_person_and_session(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        asked = checkout(made.person.id)
        unit.checkouts.add(asked)
        unit.checkouts.put_step_up(asked.id, made.person.id, "s1", NOW)
        unit.checkouts.put_step_up(asked.id, made.person.id, "s1", NOW + HOUR)
        assert unit.checkouts.step_up_until(asked.id, made.person.id, "s1") == NOW + HOUR
        assert unit.checkouts.step_up_until(asked.id, made.person.id, "s2") is None
        assert unit.checkouts.step_up_until(asked.id, "nobody", "s1") is None
        assert unit.checkouts.step_up_until("nothing", made.person.id, "s1") is None


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"state": CheckoutState.ACTIVE}, "checkout_active_has_end"),
        ({"state": CheckoutState.APPROVED}, "checkout_approved_has_use_by"),
        ({"ended_at": NOW}, "checkout_open_not_ended"),
        (ACTIVE | {"expires_at": NOW}, "checkout_ends_after_begin"),
        ({"granted_seconds": 0}, "checkout_granted_seconds_counted"),
        ({"reveals": -1}, "checkout_reveals_counted"),
    ],
)
def test_the_database_refuses_what_the_rules_forbid(
    units: SqlUnits, facts: dict[str, Any], rule: str
) -> None:
    with units.write() as unit:
        made = stand(unit)
        with pytest.raises(VaultError) as refused:
            unit.checkouts.add(checkout(made.person.id, **facts))
    assert refused.value.facts == {"rule": rule}


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ("UPDATE checkout SET requester_id = approver_id FROM approval", "checkout_fixed"),
        ("UPDATE checkout SET content_hash = 'x'", "checkout_fixed"),
        ("UPDATE approval SET decision = 'deny'", "approval_fixed"),
        ("DELETE FROM approval", "approval_kept"),
        ("UPDATE checkout SET state = 'nonsense'", "checkout_state_known"),
    ],
)
def test_what_was_asked_and_agreed_never_changes(units: SqlUnits, change: str, rule: str) -> None:
    with units.write() as unit:
        made = stand(unit)
        asked, pat = checkout(made.person.id), person()
        unit.people.add(pat)
        unit.checkouts.add(asked)
        unit.checkouts.add_approval(approval(asked.id, pat.id))
        with pytest.raises(VaultError) as refused:
            unit.checkouts.db.change(text(change))
    assert refused.value.facts["rule"] == rule
