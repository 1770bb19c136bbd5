"""The page of the trail: slips are told, the API's names are taken, readings can be left out, times have seconds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.web.ui.test_views import NUMBER, Browser
from vault.domain.actor import Role

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House, Member


READ = re.compile(r'class="list__sub mono">[^\n]*audit\.viewed')


@pytest.fixture
def auditor(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    member = house.appoint(admins, "alma@msp.example", Role.AUDITOR)
    house.world.held(NUMBER, "Correct-Horse-7-Battery")
    return Browser(application, member)


@pytest.mark.parametrize(
    ("query", "status", "words"),
    [
        ("account=1", 422, "12 digits"),
        ("account_id=1", 422, "12 digits"),
        ("account=999999999999", 404, ""),
        ("type=nonsense", 422, "There is no type of entry nonsense"),
        ("colour=red", 422, "colour"),
        ("q=zzzznothing", 200, "No entry fits."),
    ],
)
def test_a_slip_never_looks_as_if_nothing_had_happened(
    auditor: Browser, query: str, status: int, words: str
) -> None:
    answer = auditor.get(f"/trail?{query}")
    assert answer.status_code == status
    assert words in answer.text


def test_the_page_takes_the_apis_names(auditor: Browser) -> None:
    mine = auditor.get(f"/trail?account={NUMBER}").text
    theirs = auditor.get(f"/trail?account_id={NUMBER}").text
    rows = [re.findall(r'href="/trail/(\d+)"', each) for each in (mine, theirs)]
    assert rows[0] == rows[1] != []


def test_readings_are_left_out_by_a_link_and_times_have_seconds(auditor: Browser) -> None:
    auditor.get("/trail")
    page = auditor.get("/trail").text
    assert READ.search(page)
    assert re.search(r"\d\d:\d\d:\d\d UTC</time>", page)
    link = re.search(r'href="([^"]+)">Leave out readings', page)
    assert link is not None
    calm = auditor.get(link[1].replace("&amp;", "&")).text
    assert not READ.search(calm)
    assert "Readings of the log are left out." in calm
