"""What is judged of an account by what was seen of it: each rule closes, and what is unknown says nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.support.world import START
from vault.domain.account import Account, Custodian, Custody, Kind, Model
from vault.domain.hygiene import (
    DRIFT,
    NEVER_ACCEPTED,
    WEIGHT,
    Rule,
    Wanted,
    bucket_pattern,
    judge,
    missing_facts,
    weaker,
)
from vault.domain.inspection import (
    Contact,
    Inspection,
    Known,
    Membership,
    PasswordPolicy,
    Place,
    Reason,
    ReportRow,
    Unknown,
    unseen,
)
from vault.domain.inspection_text import FACTS, digest, read, write

NUMBER, PAYER = "111122223333", "999988887777"
STRONG = PasswordPolicy(12, upper=True, lower=True, number=True, symbol=True, remembers=24)
WANTED = Wanted(
    STRONG,
    frozenset({Contact.SECURITY}),
    roles=("Rackspace",),
    policies=("dispatcher",),
    rules=("dispatcher",),
    buckets=("{uuid}-logs",),
    topics=("support",),
    regions=("us-east-1", "eu-west-1"),
)
DENIED = Unknown(Reason.DENIED, "AccessDenied")
ACCOUNT = Account(
    NUMBER, "c1", "Shop", Model.SPAM, Kind.MEMBER, Custody.HELD, "shop@msp.example",
    Custodian.OURS, Custodian.OURS, START,
)  # fmt: skip


def seen(**other: Any) -> Inspection:
    """Give the inspection of an account that is as it should be, but for what is said."""
    fine: dict[str, Any] = {
        "id": "i1",
        "account_id": NUMBER,
        "at": START,
        "root_keys": Known(value=False),
        "root_mfa": Known(value=True),
        "root_password": Known(value=True),
        "root_certificates": Known(value=False),
        "policy": Known(STRONG),
        "membership": Known(Membership(Place.MEMBER, "o-1", PAYER)),
        "contacts": Known(frozenset({Contact.SECURITY})),
        "report": Known(ReportRow(START, password_enabled=True, password_last_used=None, mfa_active=True)),
        "defaults": {name: Known(value=True) for name in WANTED.names()},
    }
    return Inspection(**fine | other)


def wrong(inspection: Inspection, account: Account = ACCOUNT) -> list[tuple[str, str]]:
    """Name rule and subject of all that is judged wrong."""
    return [(v.rule, v.subject) for v in judge(account, inspection, WANTED) if v.ok is False]


def test_an_account_that_is_as_it_should_be_has_no_finding() -> None:
    verdicts = judge(ACCOUNT, seen(), WANTED)
    assert {verdict.ok for verdict in verdicts} == {True}
    assert {v.rule for v in verdicts} == set(Rule) - DRIFT - {Rule.ROOT_BACK}


MISSING_TOPIC = {**seen().defaults, "topic:support@eu-west-1": Known(value=False)}
WRONG: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"root_keys": Known(value=True)}, ("root_keys", "")),
    ({"root_certificates": Known(value=True)}, ("root_certificates", "")),
    ({"root_mfa": Known(value=False)}, ("mfa_off", "")),
    ({"root_password": Known(value=False)}, ("password_gone", "")),
    ({"policy": Known(None)}, ("password_policy", "")),
    ({"policy": Known(replace(STRONG, remembers=23))}, ("password_policy", "")),
    ({"membership": Known(Membership(Place.ALONE))}, ("place", "")),
    ({"membership": Known(Membership(Place.PAYER, "o-2", NUMBER))}, ("place", "")),
    ({"contacts": Known(frozenset({Contact.BILLING}))}, ("contact", "security")),
    ({"defaults": MISSING_TOPIC}, ("default", "topic:support")),
    ({name: Unknown(Reason.NO_ROLE) for name in FACTS}, ("unseen", "")),
]


@pytest.mark.parametrize(("facts", "finding"), WRONG, ids=[f"{f[0]}{n}" for n, (_, f) in enumerate(WRONG)])
def test_each_rule_finds_what_it_is_for(facts: dict[str, Any], finding: tuple[str, str]) -> None:
    assert wrong(seen(**facts)) == [finding]


@pytest.mark.parametrize("name", [*FACTS, *WANTED.names()])
@pytest.mark.parametrize("reason", [Reason.DENIED, Reason.NO_ANSWER])
def test_a_fact_that_is_not_known_is_neither_right_nor_wrong(name: str, reason: Reason) -> None:
    why = Unknown(reason, "AccessDenied")
    one = seen(**({name: why} if name in FACTS else {"defaults": {**seen().defaults, name: why}}))
    judged = {(v.rule, v.subject): v.ok for v in judge(ACCOUNT, one, WANTED)}
    assert False not in judged.values()
    unknown = {rule for (rule, _), ok in judged.items() if ok is None}
    about = {
        "root_keys": {Rule.ROOT_KEYS} | ({Rule.UNSEEN} if reason is Reason.NO_ANSWER else set()),
        "root_mfa": {Rule.MFA_OFF},
        "root_password": {Rule.PASSWORD_GONE},
        "root_certificates": {Rule.ROOT_CERTIFICATES},
        "policy": {Rule.PASSWORD_POLICY},
        "membership": {Rule.PLACE},
        "contacts": {Rule.CONTACT},
        "report": set(),
    }
    assert unknown == about.get(name, {Rule.DEFAULT})
    assert [found for found, _ in missing_facts(one, FACTS)] == [name]


def test_a_default_missing_in_one_region_is_missing_whatever_is_unknown_elsewhere() -> None:
    facts = {**MISSING_TOPIC, "topic:support@us-east-1": DENIED}
    (verdict,) = [v for v in judge(ACCOUNT, seen(defaults=facts), WANTED) if v.ok is False]
    assert (verdict.subject, verdict.words) == ("topic:support", "support (topic) is missing in eu-west-1.")


@pytest.mark.parametrize("custody", list(Custody))
def test_what_is_judged_depends_on_who_answers_for_the_root(custody: Custody) -> None:
    account = replace(ACCOUNT, custody=custody)
    rules = {verdict.rule for verdict in judge(account, seen(), WANTED)}
    assert {Rule.ROOT_KEYS, Rule.PLACE, Rule.UNSEEN} <= rules
    assert (Rule.MFA_OFF in rules) is (custody in {Custody.HELD, Custody.CLOSING})
    assert (Rule.ROOT_BACK in rules) is (custody is Custody.KEYLESS)
    assert (Rule.DEFAULT in rules) is (custody in {Custody.HELD, Custody.KEYLESS})


def test_root_credentials_that_came_back_are_found_one_by_one() -> None:
    keyless = replace(ACCOUNT, custody=Custody.KEYLESS)
    assert wrong(seen(), keyless) == [("root_back", "password"), ("root_back", "mfa")]
    none = {"root_password": Known(value=False), "root_mfa": Known(value=False)}
    assert wrong(seen(**none), keyless) == []


@pytest.mark.parametrize(
    "change",
    [
        {"length": 11},
        {"upper": False},
        {"lower": False},
        {"number": False},
        {"symbol": False},
        {"remembers": 0},
    ],
)
def test_a_password_policy_is_weaker_in_each_way(change: dict[str, Any]) -> None:
    assert len(weaker(replace(STRONG, **change), STRONG)) == 1
    assert weaker(replace(STRONG, length=30), STRONG) == ()


def test_an_inspection_is_written_and_read_whole() -> None:
    used = replace(seen().report.value, password_last_used=START, password_enabled=None)  # type: ignore[union-attr]  # it is known
    for one in (
        seen(),
        seen(policy=Known(None), report=Known(used), contacts=DENIED),
        unseen("i2", NUMBER, START, Unknown(Reason.NO_ROLE, "AccessDenied"), WANTED.names()),
    ):
        again = Inspection(id=one.id, account_id=NUMBER, at=START, **read(write(one)))
        assert again == one


def test_only_a_report_made_anew_is_the_same() -> None:
    row = ReportRow(
        START + timedelta(hours=5), password_enabled=True, password_last_used=None, mfa_active=True
    )
    assert digest(seen(report=Known(row))) == digest(seen())
    assert digest(seen(report=Known(replace(row, password_last_used=START)))) != digest(seen())
    assert digest(seen(root_keys=DENIED)) != digest(seen())


def test_every_rule_weighs_and_what_weighs_most_is_never_accepted() -> None:
    assert set(WEIGHT) == set(Rule)
    assert {Rule.ROOT_KEYS, Rule.MFA_OFF, Rule.EMAIL_DIFFERS} <= NEVER_ACCEPTED
    assert Rule.DEFAULT not in NEVER_ACCEPTED


@pytest.mark.parametrize(
    ("name", "fits"),
    [
        ("0a1b2c3d-0000-4000-8000-0123456789ab-logs", True),
        ("0A1b2c3d-0000-4000-8000-0123456789ab-logs", False),
        ("x0a1b2c3d-0000-4000-8000-0123456789ab-logs", False),
        ("{uuid}-logs", False),
        ("0a1b2c3d-0000-4000-8000-0123456789ab-logs2", False),
    ],
)
def test_a_bucket_is_known_by_its_pattern(name: str, fits: bool) -> None:
    assert (bucket_pattern("{uuid}-logs").fullmatch(name) is not None) is fits
