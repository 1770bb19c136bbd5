"""Who agrees, in which hours, and where it is stricter: each term closes the gate that it is for."""

from __future__ import annotations

from datetime import UTC, datetime, time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.unit.domain.test_policy import account, facts
from vault.domain.actor import Power, Role, Scope, ScopeKind
from vault.domain.agreement import Need, as_strict, missing
from vault.domain.hours import Hours
from vault.domain.policy import Deny, Facts, Permit, Policy
from vault.domain.policy_document import read_policy
from vault.domain.reason import Situation

SHIPPED = (Path(__file__).parents[3] / "config" / "policy.toml").read_text("utf-8")
EVERYTHING = (Power(Role.APPROVER, Scope()),)
CUSTOMER = (Power(Role.APPROVER, Scope(ScopeKind.CUSTOMER, "customer-1")),)
ACCOUNT = (Power(Role.APPROVER, Scope(ScopeKind.ACCOUNT, "111122223333")),)
CSM = (Power(Role.CSM, Scope()),)


@pytest.mark.parametrize(
    ("needs", "people", "left"),
    [
        ((), {}, 0),
        ((Need(2),), {"a": ACCOUNT}, 1),
        ((Need(2),), {"a": ACCOUNT, "b": CSM}, 0),
        ((Need(1, Role.APPROVER),), {"b": CSM}, 1),
        ((Need(1, Role.APPROVER, ScopeKind.CUSTOMER),), {"a": ACCOUNT}, 1),
        ((Need(1, Role.APPROVER, ScopeKind.CUSTOMER),), {"a": CUSTOMER}, 0),
        ((Need(1, Role.APPROVER, ScopeKind.ALL),), {"a": CUSTOMER}, 1),
        # one person counts once, even where they fit twice
        ((Need(1, scope=ScopeKind.ALL), Need(1)), {"a": EVERYTHING}, 1),
        # whoever fits everywhere makes room for who fits in one place only
        ((Need(1), Need(1, scope=ScopeKind.ALL)), {"a": EVERYTHING, "b": ACCOUNT}, 0),
        ((Need(1), Need(1, Role.CSM)), {"b": CSM, "a": ACCOUNT}, 0),
        ((Need(1), Need(1, Role.CSM)), {"b": CSM, "c": CSM}, 0),
    ],
)
def test_people_are_dealt_out_to_needs(
    needs: tuple[Need, ...], people: dict[str, tuple[Power, ...]], left: int
) -> None:
    assert sum(need.count for need in missing(needs, people)) == left


@pytest.mark.parametrize(
    ("now", "was", "strict"),
    [
        ((Need(2),), (Need(1),), True),
        ((Need(1),), (Need(2),), False),
        ((Need(1, Role.APPROVER),), (Need(1),), True),
        ((Need(1),), (Need(1, Role.APPROVER),), False),
        ((Need(1, scope=ScopeKind.ALL),), (Need(1, scope=ScopeKind.CUSTOMER),), True),
        ((Need(1, Role.CSM), Need(1)), (Need(1), Need(1, Role.CSM)), True),
        ((Need(1, Role.CSM),), (Need(1, Role.APPROVER),), False),
        ((), (Need(1),), False),
    ],
)
def test_lists_are_compared_by_what_they_imply(
    now: tuple[Need, ...], was: tuple[Need, ...], strict: bool
) -> None:
    assert as_strict(now, was) is strict


def hours(opens: str, closes: str, days: str = "01234", zone: str = "Europe/Berlin") -> Hours:
    return Hours(
        "x", ZoneInfo(zone), frozenset(map(int, days)), time.fromisoformat(opens), time.fromisoformat(closes)
    )


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("window", "at", "is_open", "then"),
    [
        (hours("08:00", "18:00"), "2026-11-23 07:00", True, "2026-11-23 07:00"),  # Monday 08:00 in Berlin
        (hours("08:00", "18:00"), "2026-11-23 06:59", False, "2026-11-23 07:00"),
        (hours("08:00", "18:00"), "2026-11-23 17:00", False, "2026-11-24 07:00"),
        (hours("08:00", "18:00"), "2026-11-27 17:30", False, "2026-11-30 07:00"),  # Friday evening
        (
            hours("22:00", "06:00", "4"),
            "2026-11-28 04:30",
            True,
            "2026-11-28 04:30",
        ),  # Saturday, of Friday's night
        (hours("22:00", "06:00", "4"), "2026-11-28 05:00", False, "2026-12-04 21:00"),
        (hours("00:00", "00:00", "5"), "2026-11-28 22:59", True, "2026-11-28 22:59"),  # a whole Saturday
        (hours("00:00", "00:00", "5"), "2026-11-28 23:00", False, "2026-12-04 23:00"),
        # 2026-03-29: 02:00 becomes 03:00 in Berlin (01:00 UTC)
        (hours("02:30", "04:00", "6"), "2026-03-29 00:59", False, "2026-03-29 01:00"),
        (hours("02:30", "04:00", "6"), "2026-03-29 01:59", True, "2026-03-29 01:59"),
        (hours("02:30", "04:00", "6"), "2026-03-29 02:00", False, "2026-04-05 00:30"),
        (hours("02:10", "02:50", "6"), "2026-03-29 01:00", False, "2026-04-05 00:10"),  # left out that night
        # 2026-10-25: 03:00 becomes 02:00 in Berlin (01:00 UTC)
        (hours("02:30", "03:30", "6"), "2026-10-25 00:29", False, "2026-10-25 00:30"),
        (hours("02:30", "03:30", "6"), "2026-10-25 01:10", True, "2026-10-25 01:10"),  # the second 02:10
        (hours("01:00", "02:30", "6"), "2026-10-25 01:29", True, "2026-10-25 01:29"),  # the second 02:29
        (hours("01:00", "02:30", "6"), "2026-10-25 01:30", False, "2026-10-31 23:00"),
    ],
)
def test_hours_by_the_clocks_of_their_zone(window: Hours, at: str, is_open: bool, then: str) -> None:
    assert window.is_open(utc(at)) is is_open
    if "2026-10-31" in then:  # a week on, Berlin is an hour from UTC
        then = "2026-11-01 00:00"
    assert window.next_opening(utc(at)) == utc(then)


@pytest.mark.parametrize(
    ("now", "was", "within"),
    [
        (hours("09:00", "17:00"), hours("08:00", "18:00"), True),
        (hours("08:00", "18:00", "0"), hours("08:00", "18:00"), True),
        (hours("08:00", "18:00"), hours("08:00", "18:00", "0"), False),
        (hours("07:00", "17:00"), hours("08:00", "18:00"), False),
        (hours("09:00", "17:00", zone="UTC"), hours("08:00", "18:00"), False),
        (hours("23:00", "05:00"), hours("22:00", "06:00"), True),
        (hours("22:00", "07:00"), hours("22:00", "06:00"), False),
    ],
)
def test_windows_are_compared_only_where_it_is_certain(now: Hours, was: Hours, within: bool) -> None:
    assert now.within(was) is within


DAYS = 'days = ["mon", "tue", "wed", "thu", "fri"]'
OFFICE = f'[hours.office]\nzone = "Europe/Berlin"\n{DAYS}\nfrom = "08:00"\nuntil = "18:00"\n'


def written(more: str = "", **changed: str) -> Policy:
    text = SHIPPED
    for code, lines in changed.items():
        text = text.replace(f"[reasons.{code}]\n", f"[reasons.{code}]\n{lines}\n", 1)
    return read_policy(f"{text}\n{more}".encode())


def denied(decision: Permit | Deny) -> str:
    assert isinstance(decision, Deny), decision
    return decision.code


def held(at: str = "2026-11-23 09:00", approvers: int = 9) -> Facts:
    found = facts(account(), Situation.HELD, approvers)
    return Facts(found.account, found.situation, utc(at), found.approvers, found.customer)


def test_outside_its_hours_a_reason_opens_nothing_and_says_when() -> None:
    policy = written(OFFICE, BILL_ROOT='hours = "office"')
    assert isinstance(policy.decide_reason("BILL_ROOT", 60, held("2026-11-23 16:59")), Permit)
    late = policy.decide_reason("BILL_ROOT", 60, held("2026-11-27 17:00"))
    assert denied(late) == "policy.hours"
    assert isinstance(late, Deny)
    assert "2026-11-30T07:00:00Z" in late.detail


@pytest.mark.parametrize("scope", ["customer:900001", "account:111122223333"])
def test_a_stricter_table_asks_for_more_where_it_applies(scope: str) -> None:
    stricter = f'[[stricter]]\nscope = "{scope}"\napprovals = 2\nmax_seconds = 900\n'
    policy = written(stricter)
    assert isinstance(policy.decide_reason("BILL_ROOT", 900, held()), Permit)
    assert denied(policy.decide_reason("BILL_ROOT", 901, held())) == "policy.denied"
    assert denied(policy.decide_reason("BILL_ROOT", 900, held(approvers=1))) == "approval.locked"
    assert policy.terms(policy.reasons["ACCT_CLOSE"], account()).longest == (
        900 if "account" in scope else 3600
    )


def test_a_stricter_table_never_loosens() -> None:
    more = '[[stricter]]\nscope = "account:111122223333"\napprovals = 0\nmax_seconds = 14400\n'
    policy = written(more)
    terms = policy.terms(policy.reasons["IAM_RESTORE"], account())
    assert (terms.approvals, terms.longest) == (1, 3600)


def test_a_stricter_table_is_for_its_reasons_and_its_accounts() -> None:
    policy = written('[[stricter]]\nscope = "account:999988887777"\napprovals = 2\n')
    assert policy.terms(policy.reasons["BILL_ROOT"], account()).approvals == 0
    policy = written(
        '[[stricter]]\nscope = "account:111122223333"\nreasons = ["CRED_ROTATE"]\napprovals = 2\n'
    )
    assert policy.terms(policy.reasons["BILL_ROOT"], account()).approvals == 0
    assert policy.terms(policy.reasons["CRED_ROTATE"], account()).approvals == 2


def test_lists_stand_by_themselves_and_one_word_counts_in_both() -> None:
    wide = '[[stricter]]\nscope = "account:111122223333"\napprovals = [{ count = 1, scope = "all" }]\n'
    policy = written(wide)
    terms = policy.terms(policy.reasons["IAM_RESTORE"], account())
    assert terms.missing({"a": ACCOUNT})
    assert not terms.missing({"a": EVERYTHING})


def test_every_gate_is_told_even_behind_one_that_is_closed() -> None:
    policy = written(OFFICE, IAM_RESTORE='hours = "office"')
    steps = dict(policy.steps("IAM_RESTORE", 99999, held("2026-11-28 12:00", approvers=0)))
    closed = {step: decision.code for step, decision in steps.items() if isinstance(decision, Deny)}
    assert closed == {"hours": "policy.hours", "duration": "policy.denied", "approvers": "approval.locked"}
    assert len(steps) == 6
