"""The store's contract: customers, accounts and parts, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.builders import NOW, NUMBER, account, customer, stand
from vault.domain.account import Custody, Kind, Model
from vault.domain.actor import Reach
from vault.domain.credential import PartKind, PartState
from vault.errors import Conflict, Invalid, VaultError
from vault.ports.records import AccountFilter, Slice

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits

ALL = Reach(everything=True)


def numbers(
    units: SqlUnits, wanted: AccountFilter, reach: Reach = ALL, part: Slice | None = None
) -> list[str]:
    with units.read() as unit:
        return [found.id for found in unit.accounts.page(reach, wanted, part or Slice()).items]


def fail_after(done: object) -> None:
    raise ZeroDivisionError(done)


def test_what_was_kept_comes_back_equal(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.commit()
    with units.read() as unit:
        assert unit.customers.get(made.customer.id) == made.customer
        assert unit.customers.by_ddi(made.customer.ddi) == made.customer
        assert unit.accounts.get(NUMBER) == made.account
        assert unit.customers.get("nobody") is None
        assert unit.accounts.get(NUMBER).created_at.utcoffset() == timedelta(0)  # type: ignore[union-attr]  # it is there


def test_a_locked_account_is_the_account(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        assert unit.accounts.lock(NUMBER) == made.account
        assert unit.accounts.lock("999999999999") is None


def test_leaving_without_commit_keeps_nothing(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
    with units.read() as unit:
        assert unit.accounts.count() == 0


def test_an_error_in_the_middle_keeps_nothing(units: SqlUnits) -> None:
    with pytest.raises(ZeroDivisionError), units.write() as unit:
        fail_after(stand(unit))
    with units.read() as unit:
        assert unit.accounts.count() == 0


def test_a_ddi_is_registered_once(units: SqlUnits) -> None:
    with units.write() as unit:
        unit.customers.add(customer(ddi="900001"))
        with pytest.raises(Conflict) as refused:
            unit.customers.add(customer(ddi="900001"))
    assert refused.value.code == "customer.exists"


def test_a_failed_statement_ends_the_unit_so_that_no_half_is_committed(units: SqlUnits) -> None:
    with units.write() as unit:
        unit.customers.add(customer(ddi="900001"))
        with pytest.raises(Conflict):
            unit.customers.add(customer(ddi="900001"))
        with pytest.raises(VaultError, match="over"):
            unit.commit()
        with pytest.raises(VaultError, match="over"):
            unit.customers.add(customer())
    with units.read() as unit:
        assert unit.customers.by_ddi("900001") is None


def test_a_customer_is_changed_and_found_by_its_new_name(units: SqlUnits) -> None:
    made = customer(session_idle_seconds=300)
    with units.write() as unit:
        unit.customers.add(made)
        changed = replace(made, name="Other GmbH", session_idle_seconds=None, session_max_seconds=60)
        unit.customers.update(changed)
        unit.commit()
    with units.read() as unit:
        assert unit.customers.get(made.id) == changed
        assert unit.customers.page(ALL, "OTHER", Slice()).items == (changed,)
        assert unit.customers.page(ALL, "example", Slice()).items == ()
    with units.write() as unit, pytest.raises(Conflict, match="no customer"):
        unit.customers.update(customer())


def test_customers_are_listed_by_ddi_as_a_number_page_by_page(units: SqlUnits) -> None:
    ddis = ["9", "10", "100", "99", "1000000000", "2"]
    with units.write() as unit:
        for ddi in ddis:
            unit.customers.add(customer(ddi=ddi))
        unit.commit()
    seen: list[str] = []
    cursor = None
    with units.read() as unit:
        while True:
            page = unit.customers.page(ALL, None, Slice(2, cursor))
            assert len(page.items) <= 2
            seen += [each.ddi for each in page.items]
            if (cursor := page.next) is None:
                break
    assert seen == sorted(ddis, key=int)


def test_a_customer_is_seen_also_through_one_of_its_accounts(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.customers.add(customer())
        unit.commit()
    for reach, expected in (
        (Reach(), ()),
        (Reach(customers=frozenset({made.customer.id})), (made.customer,)),
        (Reach(accounts=frozenset({NUMBER})), (made.customer,)),
        (Reach(accounts=frozenset({"999999999999"})), ()),
    ):
        with units.read() as unit:
            assert unit.customers.page(reach, None, Slice()).items == expected


def test_an_account_begins_with_both_parts_absent(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        password, mfa = unit.accounts.parts(NUMBER)
        assert (password.kind, mfa.kind) == (PartKind.PASSWORD, PartKind.MFA)
        assert {password.state, mfa.state} == {PartState.ABSENT}
        unit.accounts.put_part(replace(mfa, state=PartState.HELD, changed_at=NOW + timedelta(microseconds=1)))
        unit.commit()
    with units.read() as unit:
        assert unit.accounts.parts(NUMBER)[1].state is PartState.HELD
        assert unit.accounts.parts(NUMBER)[1].changed_at == NOW + timedelta(microseconds=1)
        assert list(unit.accounts.parts_of((NUMBER, "999999999999"))) == [made.account.id]


def test_a_number_is_registered_once(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        with pytest.raises(Conflict) as refused:
            unit.accounts.add(replace(made.account, root_email="other@msp.example"))
    assert refused.value.code == "account.exists"


@pytest.mark.parametrize("spelling", ["root@x.example", "ROOT@X.example", " Root@x.EXAMPLE"])
def test_a_root_email_serves_one_account_forever(units: SqlUnits, spelling: str) -> None:
    with units.write() as unit:
        made = stand(unit)
        first = replace(made.account, root_email="root@x.example")
        unit.accounts.update(first)
        unit.accounts.update(replace(first, root_email="later@x.example"))
        unit.commit()
    with units.write() as unit, pytest.raises(Conflict) as refused:
        unit.accounts.add(account(made.customer.id, "222233334444", root_email=spelling))
    assert refused.value.code == "custody.email_used"
    with units.write() as unit:
        unit.accounts.add(account(made.customer.id, "222233334444"))
        unit.commit()
    with units.write() as unit, pytest.raises(Conflict) as refused:
        unit.accounts.update(account(made.customer.id, "222233334444", root_email=spelling))
    assert refused.value.code == "custody.email_used"


def test_an_account_may_go_back_to_its_own_root_email(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.accounts.update(replace(made.account, root_email="other@x.example"))
        unit.accounts.update(made.account)
        unit.commit()
    with units.read() as unit:
        assert unit.accounts.get(NUMBER) == made.account


def test_ever_held_stays_true_when_nothing_is_held(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        assert not unit.accounts.ever_held()
        held = replace(made.account, custody=Custody.HELD, held_since=NOW)
        unit.accounts.update(held)
        unit.accounts.update(replace(held, custody=Custody.RELEASED))
        assert unit.accounts.ever_held()
        assert unit.accounts.count() == 1


def test_accounts_are_narrowed_by_every_filter(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        payer = account(made.customer.id, "222233334444", kind=Kind.PAYER, custody=Custody.CLOSED)
        theirs = account(
            made.customer.id,
            "333344445555",
            model=Model.ECAM,
            kind=Kind.MEMBER,
            custody=Custody.CUSTOMER_HELD,
        )
        unit.accounts.add(payer)
        unit.accounts.add(theirs)
        unit.commit()
    for wanted, expected in (
        (AccountFilter(), [NUMBER, payer.id, theirs.id]),
        (AccountFilter(customer_id=made.customer.id), [NUMBER, payer.id, theirs.id]),
        (AccountFilter(customer_id="nobody"), []),
        (AccountFilter(kind=Kind.PAYER), [payer.id]),
        (AccountFilter(model=Model.ECAM), [theirs.id]),
        (AccountFilter(custody=Custody.ONBOARDING), [NUMBER]),
        (AccountFilter(text="2222"), [NUMBER, payer.id]),
        (AccountFilter(text="ACCOUNT 3333"), [theirs.id]),
        (AccountFilter(text="root+3333"), [theirs.id]),
    ):
        assert numbers(units, wanted) == expected


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("100% sure", "100% s", True),
        ("100 sure", "100% s", False),
        ("a_b", "a_b", True),
        ("axb", "a_b", False),
        ("back\\slash", "K\\S", True),
        ("Straße ÄRGER", "ärger", True),
        ("one", "e\n1", False),
        ("' OR 1=1 --", "' or 1=1", True),
    ],
)
def test_text_is_found_literally_and_without_case(units: SqlUnits, name: str, text: str, found: bool) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.accounts.update(replace(made.account, name=name))
        unit.customers.update(replace(made.customer, name=name))
        unit.commit()
    assert bool(numbers(units, AccountFilter(text=text))) is found
    with units.read() as unit:
        assert bool(unit.customers.page(ALL, text, Slice()).items) is found


def test_a_list_shows_what_is_within_reach_and_nothing_else(units: SqlUnits) -> None:
    with units.write() as unit:
        mine = stand(unit)
        other = stand(unit, "222233334444")
        unit.commit()
    for reach, expected in (
        (Reach(), []),
        (Reach(customers=frozenset({mine.customer.id})), [NUMBER]),
        (Reach(accounts=frozenset({other.account.id})), [other.account.id]),
        (
            Reach(customers=frozenset({mine.customer.id}), accounts=frozenset({other.account.id})),
            [NUMBER, other.account.id],
        ),
    ):
        assert numbers(units, AccountFilter(), reach) == expected


def test_accounts_come_in_pages_without_gap_or_repeat(units: SqlUnits) -> None:
    wanted = [f"{number:012}" for number in range(100_000_000_000, 100_000_000_007)]
    with units.write() as unit:
        made = stand(unit, wanted[0])
        for number in wanted[1:]:
            unit.accounts.add(account(made.customer.id, number))
        unit.commit()
    seen: list[str] = []
    cursor = None
    with units.read() as unit:
        while True:
            page = unit.accounts.page(ALL, AccountFilter(), Slice(3, cursor))
            seen += [each.id for each in page.items]
            if (cursor := page.next) is None:
                break
    assert seen == wanted


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WzFd", "!!!!", "a" * 5000, "bnVsbA", "WyJhIiwgImIiXQ"])
def test_a_cursor_of_another_list_is_refused(units: SqlUnits, cursor: str) -> None:
    with units.read() as unit:
        with pytest.raises(Invalid) as refused:
            unit.accounts.page(ALL, AccountFilter(), Slice(3, cursor))
        assert refused.value.code == "cursor.invalid"
        with pytest.raises(Invalid):
            unit.customers.page(ALL, None, Slice(3, cursor))


@pytest.mark.parametrize(
    ("facts", "rule"),
    [
        ({"custody": Custody.HELD}, "account_held_has_since"),
        ({"model": Model.ECAM, "kind": Kind.MEMBER}, "account_ecam_member_is_theirs"),
        ({"number": "12"}, "account_id_length"),
    ],
)
def test_the_database_refuses_what_the_rules_forbid(
    units: SqlUnits, facts: dict[str, Any], rule: str
) -> None:
    with units.write() as unit:
        made = stand(unit)
        with pytest.raises(VaultError) as refused:
            unit.accounts.add(account(made.customer.id, **({"number": "222233334444"} | facts)))
    assert (refused.value.code, refused.value.facts["rule"]) == ("internal", rule)
