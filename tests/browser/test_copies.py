"""Taking a copy along from the trail, with and without scripts: what the filter shows is what is in the file."""

from __future__ import annotations

import csv
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER
from tests.browser.test_every_page import check
from vault.domain.actor import Role

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.stage import Stage

pytestmark = pytest.mark.browser


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


@pytest.mark.parametrize("javascript", [True, False])
def test_an_auditor_takes_along_what_the_filter_shows(stage: Stage, tmp_path: Path, javascript: bool) -> None:
    visitor = stage.visitor(javascript=javascript)
    page = stage.sign_in(visitor, stage.members[Role.AUDITOR])
    page.goto(f"{stage.base_url}/trail?account={NUMBER}&outcome=success")
    page.get_by_text("Take a copy along").click()
    page.get_by_label("As", exact=True).select_option("csv")
    if javascript:
        check(page)
    with page.expect_download() as taken:
        page.get_by_role("button", name="Take it").click()
    path = tmp_path / taken.value.suggested_filename
    taken.value.save_as(path)
    assert path.name == "log.csv"
    with path.open(encoding="utf-8-sig", newline="") as file:
        *rows, end = csv.DictReader(file)
    assert end["index"] == "end"
    assert {(row["account_id"], row["outcome"]) for row in rows} == {(NUMBER, "success")}
    last = stage.house.events("audit.exported")[-1]
    assert last["detail"] == {"what": "csv", "account_id": NUMBER, "outcome": "success"}


def test_the_whole_is_offered_first_and_proofs_come_in_a_tar(stage: Stage, tmp_path: Path) -> None:
    visitor = stage.visitor(javascript=False)
    page = stage.sign_in(visitor, stage.members[Role.AUDITOR])
    page.goto(f"{stage.base_url}/trail")
    page.get_by_text("Take a copy along").click()
    for format_, proofs, name in (("bundle", False, "log.tar"), ("cef", True, "log.cef.tar")):
        if proofs:
            page.get_by_label("As", exact=True).select_option(format_)
            page.get_by_label("with a proof for each entry").check()
        with page.expect_download() as taken:
            page.get_by_role("button", name="Take it").click()
        path = tmp_path / taken.value.suggested_filename
        taken.value.save_as(path)
        assert path.name == name
        with tarfile.open(path) as tar:
            assert tar.getnames()[-1] == "checkpoint"
            assert any(each.startswith("proofs/") for each in tar.getnames()) == proofs


def test_who_may_not_export_is_not_offered_it(stage: Stage) -> None:
    page = stage.sign_in(stage.visitor(), stage.members[Role.OPERATOR])
    page.goto(f"{stage.base_url}/trail")
    assert page.get_by_text("Take a copy along").count() == 0
