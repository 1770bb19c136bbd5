"""What is wrong with a policy file is told with its line, however the file is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from vault.domain.policy_document import read_policy
from vault.domain.policy_lines import line_of, lines_of
from vault.errors import Refused

SHIPPED = (Path(__file__).parents[3] / "config" / "policy.toml").read_text("utf-8")

ODD = '''\
# [not.a.table]
version = 1
"quoted key".'other' = "# no comment"
[ spaced . "dotted.name" ]   # a comment
list = [
  "a", # one
  "b = 2", { inner = 1, 'second' = [
     { deep = 3 } ] },
  { inner = 2 },
]
text = """
[no.table]
key = 1
"""
raw = \'\'\'
[[none]]\'\'\'
after = { one = 1, two = 2 }

[[array]]
x = 1
[array.below]
y = 2
[[array]]
x = 3
'''

PLACES = [
    (("version",), 2),
    (("quoted key", "other"), 3),
    (("spaced", "dotted.name"), 4),
    (("spaced", "dotted.name", "list"), 5),
    (("spaced", "dotted.name", "text"), 11),
    (("spaced", "dotted.name", "raw"), 15),
    (("spaced", "dotted.name", "after"), 17),
    (("spaced", "dotted.name", "after", "two"), 17),
    (("array", 0), 19),
    (("array", 0, "x"), 20),
    (("array", 0, "below", "y"), 22),
    (("array", 1, "x"), 24),
]


@pytest.mark.parametrize(("path", "line"), PLACES)
def test_each_key_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert lines_of(ODD)[path] == line


def test_what_looks_like_a_key_in_a_text_or_a_comment_is_none() -> None:
    found = lines_of(ODD)
    assert {("no", "table"), ("not", "a", "table"), ("none", 0)}.isdisjoint(found)
    assert not [path for path in found if "key" in path]


def test_what_is_missing_is_told_at_the_nearest_that_is_there() -> None:
    assert line_of(lines_of(ODD), ("array", 1, "y", "z")) == 23
    assert line_of(lines_of(ODD), ("nothing",)) is None


def line_with(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


WRONG = [
    ("use_seconds = 1800", "use_seconds = 0", "use_seconds = 0"),
    ('"log.read" = ["auditor"]', '"log.read" = ["auditor", "admn"]', '"admn"'),
    ('"log.read" = ["auditor"]', '"log.reed" = ["auditor"]', "log.reed"),
    ("[reasons.HANDOVER]", "[reasons.handover]", "[reasons.handover]"),
    ('situations = ["in_transfer"]\napprovals = 1', 'situations = ["in_transfer"]', "[reasons.HANDOVER]"),
    ("[limits]", "[limitz]", "[limitz]"),
    ('title = "Close the account"', 'titel = "Close the account"', "titel"),
    ("[machines]", '[[stricter]]\nscope = "customer:x"\n[machines]', 'scope = "customer:x"'),
    ("[machines]", '[[stricter]]\nscope = "account:111122223333"\n[machines]', 'scope = "account:111122223333"'),
    (
        "[machines]",
        '[[stricter]]\nscope = "account:111122223333"\nreasons = ["NONE"]\napprovals = 1\n[machines]',
        'reasons = ["NONE"]',
    ),
    ("[machines]", '[hours.x]\nzone = "Mars"\ndays = ["mon"]\nfrom = "08:00"\nuntil = "18:00"\n[machines]', "Mars"),
    ("[machines]", '[hours.x]\nzone = "UTC"\ndays = ["mon"]\nfrom = "8:00"\nuntil = "18:00"\n[machines]', '"8:00"'),
    ("[machines]", '[hours.x]\nzone = "UTC"\ndays = ["mon"]\nfrom = "08:00"\nuntil = "08:00"\n[machines]', "until ="),
    ("[machines]", '[hours.x]\nzone = "UTC"\ndays = ["mo"]\nfrom = "08:00"\nuntil = "18:00"\n[machines]', "days ="),
]  # fmt: skip


@pytest.mark.parametrize(("was", "now", "found"), WRONG)
def test_a_fault_names_its_line(was: str, now: str, found: str) -> None:
    assert was in SHIPPED
    text = SHIPPED.replace(was, now, 1)
    with pytest.raises(Refused) as caught:
        read_policy(text.encode())
    line = line_with(text, found)
    assert caught.value.facts["line"] == line
    assert f"line {line}: " in caught.value.detail


APPROVALS = [
    ('[{ role = "auditor", count = 1 }]', "auditor"),
    ('[{ role = "approver", count = 0 }]', "count"),
    ('[{ role = "approver" }]', "count"),
    ('[{ count = 1, scope = "world" }]', "scope"),
    ("[{ count = 1, what = 2 }]", "what"),
    ("[{ count = 3 }, { count = 3 }]", "approvals"),
    ("[]", "approvals"),
    ('"two"', "approvals"),
    ("[1]", "approvals"),
]


@pytest.mark.parametrize(("value", "words"), APPROVALS)
def test_wrong_approvals_name_line_and_place(value: str, words: str) -> None:
    head, _, tail = SHIPPED.partition("[reasons.IAM_RESTORE]")
    text = head + "[reasons.IAM_RESTORE]" + tail.replace("approvals = 1", f"approvals = {value}", 1)
    with pytest.raises(Refused) as caught:
        read_policy(text.encode())
    assert caught.value.facts["line"] == line_with(text, f"approvals = {value}")
    assert words in caught.value.detail


def test_what_is_no_toml_and_no_text_is_told_with_its_line() -> None:
    with pytest.raises(Refused, match="line 3"):
        read_policy(b"version = 1\n\n[reasons\n")
    with pytest.raises(Refused, match="line 2"):
        read_policy(b"version = 1\nx = '\xff'\n")


def test_a_file_from_before_there_were_these_keys_is_read_with_safe_values() -> None:
    old = "\n".join(
        line for line in SHIPPED.splitlines() if not line.startswith(("accounts_per_hour", "break_glass"))
    )
    policy = read_policy(old.encode())
    assert policy.limits.accounts_per_hour == 10
    assert not policy.stricter
