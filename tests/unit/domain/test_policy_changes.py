"""What adds power waits, what takes it away does not: each part of a policy points the right way."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.domain.policy_changes import Way, adds_power, differences
from vault.domain.policy_document import read_policy

SHIPPED = (Path(__file__).parents[3] / "config" / "policy.toml").read_text("utf-8")
TAIL = '\n[hours.office]\nzone = "UTC"\ndays = ["mon", "tue"]\nfrom = "08:00"\nuntil = "18:00"\n'
STRICT = '\n[[stricter]]\nscope = "customer:900001"\napprovals = 2\nmax_seconds = 900\nhours = "office"\n'
BASE = SHIPPED.replace("[reasons.BILL_ROOT]\n", '[reasons.BILL_ROOT]\nhours = "office"\n', 1) + TAIL + STRICT

ADDS = [
    ('"policy.manage" = ["admin"]', '"policy.manage" = ["admin"]', None),
    ('"checkout.review" = ["approver"]', '"checkout.review" = ["approver", "csm"]', Way.ADDS),
    ('"checkout.revoke" = ["approver", "admin"]', '"checkout.revoke" = ["admin"]', Way.TAKES),
    ('scopes = ["account.read", ', "scopes = [", Way.TAKES),
    ("accounts_per_hour = 10", "accounts_per_hour = 11", Way.ADDS),
    ("accounts_per_hour = 10", "accounts_per_hour = 9", Way.TAKES),
    ("justification_min = 10", "justification_min = 9", Way.ADDS),
    ("justification_min = 10", "justification_min = 11", Way.TAKES),
    ("break_glass_min = 30", "break_glass_min = 20", Way.ADDS),
    ("longest_age_days = 90", "longest_age_days = 91", Way.ADDS),
    ("{1,63}'", "{1,62}'", Way.ADDS),  # a pattern cannot be told
    ("[reasons.HANDOVER]", "[reasons.HAND_OVER]", Way.ADDS),  # one goes, one comes
    ('title = "A billing task', 'title = "Some billing task', Way.WORDS),
    ('hours = "office"\ntitle', "title", Way.ADDS),
    ('days = ["mon", "tue"]', 'days = ["mon"]', Way.TAKES),
    ('days = ["mon", "tue"]', 'days = ["mon", "wed"]', Way.ADDS),
    ('\nfrom = "08:00"', '\nfrom = "07:59"', Way.ADDS),
    ('\nuntil = "18:00"', '\nuntil = "17:00"', Way.TAKES),
    ('zone = "UTC"', 'zone = "Europe/London"', Way.ADDS),
    (STRICT, "", Way.ADDS),
    (STRICT, STRICT + STRICT.replace("900001", "900002"), Way.TAKES),
    ("approvals = 2\nmax_seconds = 900", "approvals = 1\nmax_seconds = 900", Way.ADDS),
    ("approvals = 2\nmax_seconds = 900", "approvals = 3\nmax_seconds = 900", Way.TAKES),
    ("approvals = 2\nmax_seconds = 900", "approvals = 2\nmax_seconds = 901", Way.ADDS),
    ("approvals = 2\nmax_seconds = 900", "approvals = 2", Way.ADDS),
    ('900001"\n', '900001"\nreasons = ["BILL_ROOT"]\n', Way.ADDS),
]


@pytest.mark.parametrize(("was", "now", "way"), ADDS)
def test_each_change_points_one_way(was: str, now: str, way: Way | None) -> None:
    assert was in BASE
    found = differences(read_policy(BASE.encode()), read_policy(BASE.replace(was, now, 1).encode()))
    ways = {each.way for each in found}
    assert (way in ways) if way else not found
    assert adds_power(found) is (way is Way.ADDS)
    if way is Way.TAKES:
        assert ways == {Way.TAKES}


@pytest.mark.parametrize(
    ("value", "way"),
    [
        ("0", Way.ADDS),
        ("2", Way.TAKES),
        ('[{ role = "approver", count = 1 }]', Way.TAKES),
        ('[{ count = 1, scope = "customer" }]', Way.TAKES),
    ],
)
def test_approvals_point_by_what_they_imply(value: str, way: Way) -> None:
    head, name, tail = BASE.partition("[reasons.IAM_RESTORE]")
    after = head + name + tail.replace("approvals = 1", f"approvals = {value}", 1)
    (found,) = differences(read_policy(BASE.encode()), read_policy(after.encode()))
    assert (found.place, found.way) == ("reasons.IAM_RESTORE.approvals", way)


def test_what_becomes_possible_where_it_was_not_adds_power() -> None:
    for was, now in (
        ('situations = ["onboarding"]', 'situations = ["onboarding", "held"]'),
        ('kinds = ["payer", "standalone"]', 'kinds = ["payer", "standalone", "member"]'),
    ):
        before, after = read_policy(BASE.encode()), read_policy(BASE.replace(was, now, 1).encode())
        assert adds_power(differences(before, after))
        assert not adds_power(differences(after, before))
