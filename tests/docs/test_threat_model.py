"""The threat model names files that exist, every promise once, and a test for each that is kept."""

from __future__ import annotations

import re
from typing import Final

import pytest

from tests.support.repository import ROOT

PAGE: Final = (ROOT / "docs" / "threat-model.md").read_text("utf-8")
ROWS: Final[dict[str, list[str]]] = {
    row.split("|")[1].split()[0]: [cell.strip() for cell in row.split("|")[1:-1]]
    for row in PAGE.splitlines()
    if re.match(r"\| S\d+ ", row)
}
FILES: Final = sorted(set(re.findall(r"`((?:vault|audit|tests|config|docs)/[\w./-]+)`", PAGE)))


def test_every_promise_stands_once_in_order() -> None:
    assert list(ROWS) == [f"S{number}" for number in range(1, 31)]
    assert len(re.findall(r"^\| S\d+ ", PAGE, re.MULTILINE)) == 30


@pytest.mark.parametrize("name", FILES)
def test_what_is_named_exists(name: str) -> None:
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("promise", list(ROWS))
def test_a_promise_has_its_code_and_its_test_or_says_that_it_is_not_built(promise: str) -> None:
    _, what, where, tests = ROWS[promise]
    if "do not exist yet" in what and not where:
        assert tests == "none yet"
        return
    assert re.search(r"`(vault|audit|config)/", where)
    assert re.search(r"`tests/[\w/]+\.py`", tests)


@pytest.mark.parametrize(
    "promise", ["S1", "S3", "S4", "S5", "S9", "S10", "S25"], ids=lambda promise: f"{promise} is attacked"
)
def test_what_is_attacked_is_attacked_where_the_page_says(promise: str) -> None:
    """The integration tests of these promises name them, so that neither moves without the other."""
    named = re.findall(r"`(tests/[\w/]+\.py)`", ROWS[promise][3])
    assert any(
        f"({promise}" in (ROOT / name).read_text("utf-8") or f"{promise}," in (ROOT / name).read_text("utf-8")
        for name in named
    )
