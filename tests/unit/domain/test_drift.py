"""The vault's list of accounts against an Organization's, both ways."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.world import START
from vault.domain.account import Account, Custodian, Custody, Kind, Model
from vault.domain.drift import drift
from vault.domain.inspection import Known, Listed, Reason, Roster, Unknown

PAYER, MEMBER, OTHER, STRANGER = "999988887777", "111122223333", "444455556666", "777788889999"
UNREAD = Unknown(Reason.DENIED, "AccessDeniedException")


def account(number: str, kind: Kind = Kind.MEMBER, custody: Custody = Custody.HELD) -> Account:
    return Account(
        number, "c1", f"name {number}", Model.SPAM, kind, custody, f"root+{number}@msp.example",
        Custodian.OURS, Custodian.OURS, START,
    )  # fmt: skip


def listed(*accounts: Account, state: str = "ACTIVE") -> Known[tuple[Listed, ...]]:
    return Known(tuple(Listed(each.id, each.name, each.root_email, state) for each in accounts))


PAYING, HELD = account(PAYER, Kind.PAYER), account(MEMBER)


def wrong(
    roster: Known[tuple[Listed, ...]] | Unknown, *known: Account, more: tuple[Roster, ...] = ()
) -> list[tuple[str, str, str]]:
    """Judge one payer's list against the vault's accounts; name what is wrong."""
    payers = [each for each in known if each.kind is Kind.PAYER and each.customer_id == "c1"]
    rosters = [Roster(PAYER, START, roster), *more]
    verdicts = drift(payers, rosters, {each.id: each for each in known})
    assert len({(v.account_id, v.rule, v.subject) for v in verdicts}) == len(verdicts)
    return [(v.account_id, v.rule, v.subject) for v in verdicts if v.ok is False]


def test_lists_that_agree_differ_in_nothing() -> None:
    assert wrong(listed(PAYING, HELD), PAYING, HELD) == []
    shouted = replace(HELD, root_email=HELD.root_email.upper(), name=f"{HELD.name} ")
    assert wrong(listed(PAYING, shouted), PAYING, HELD) == []


def test_who_is_on_one_list_alone_is_found_on_either() -> None:
    stranger = account(STRANGER)
    assert wrong(listed(PAYING, stranger), PAYING, HELD) == [
        (PAYER, "not_in_vault", STRANGER),
        (MEMBER, "not_in_organization", ""),
    ]


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"root_email": "thief@elsewhere.example"}, "email_differs"),
        ({"name": "Another"}, "name_differs"),
    ],
)
def test_what_aws_has_otherwise_is_found(change: dict[str, Any], rule: str) -> None:
    assert wrong(listed(PAYING, replace(HELD, **change)), PAYING, HELD) == [(MEMBER, rule, "")]


@pytest.mark.parametrize(
    ("state", "custody", "fits"),
    [
        ("ACTIVE", Custody.HELD, True),
        ("ACTIVE", Custody.CLOSING, True),
        ("ACTIVE", Custody.CLOSED, False),
        ("SUSPENDED", Custody.HELD, False),
        ("PENDING_CLOSURE", Custody.CLOSING, True),
        ("CLOSED", Custody.CLOSED, True),
        ("CLOSED", Custody.KEYLESS, False),
        ("SOMETHING_NEW", Custody.HELD, True),
        ("", Custody.HELD, True),
    ],
)
def test_states_that_contradict_are_found_and_unknown_ones_are_not(
    state: str, custody: Custody, fits: bool
) -> None:
    ours = replace(HELD, custody=custody)
    found = wrong(Known((*listed(PAYING).value, *listed(ours, state=state).value)), PAYING, ours)
    assert found == ([] if fits else [(MEMBER, "state_differs", "")])


def test_a_list_that_was_not_read_says_nothing() -> None:
    assert drift([PAYING], [Roster(PAYER, START, UNREAD)], {PAYER: PAYING}) == ()
    assert wrong(UNREAD, PAYING, HELD) == []


def test_a_member_is_missing_only_where_all_lists_of_its_customer_are_known() -> None:
    second = account(OTHER, Kind.PAYER)
    elsewhere = Roster(OTHER, START, listed(second, HELD))
    assert wrong(listed(PAYING), PAYING, second, HELD, more=(elsewhere,)) == []
    unread = Roster(OTHER, START, UNREAD)
    assert wrong(listed(PAYING), PAYING, second, HELD, more=(unread,)) == []
    assert wrong(listed(PAYING), PAYING, second, HELD) == []
    without = Roster(OTHER, START, listed(second))
    assert wrong(listed(PAYING), PAYING, second, HELD, more=(without,)) == [
        (MEMBER, "not_in_organization", "")
    ]


def test_an_account_of_another_customer_is_found_on_that_account() -> None:
    theirs = replace(account(OTHER), customer_id="c2")
    assert wrong(listed(PAYING, HELD, theirs), PAYING, HELD, theirs) == [(OTHER, "other_customer", "")]


@pytest.mark.parametrize("custody", [Custody.RELEASED, Custody.CLOSED, Custody.DEAD])
def test_who_has_left_is_not_missed(custody: Custody) -> None:
    assert wrong(listed(PAYING), PAYING, replace(HELD, custody=custody)) == []
