"""The page of an incident and its twin in the terminal: who gets it is chosen, and nothing stands there twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.trails import found_at, root, used
from tests.web.ui.test_views import NUMBER, Browser
from vault.cli.incidents import incidents
from vault.domain.actor import Reach, Role
from vault.domain.incident import IncidentKind
from vault.ports.cloud import IncidentFilter
from vault.ports.store import Slice

if TYPE_CHECKING:
    from pathlib import Path

    from flask import Flask

    from tests.support.people import House, Member

ADDRESS = "198.51.100.77"
LONG = "cloudformation.amazonaws.com"


@pytest.fixture
def auditor(application: Flask, house: House, admins: tuple[Member, Member], tmp_path: Path) -> Browser:
    """Sit an auditor at a browser, after root signed in without a checkout."""
    member = house.appoint(admins, "uma@msp.example", Role.AUDITOR)
    house.world.held(NUMBER)
    at = house.world.clock.now()
    house.world.clock.advance(hours=2)
    records = [
        root(NUMBER, at, sourceIPAddress=ADDRESS),
        used(NUMBER, at, "DeleteBucketPolicy", sourceIPAddress=LONG),
    ]
    found_at(house.vault, tmp_path / "trail", records, at)
    return Browser(application, member)


@pytest.fixture
def page(house: House, auditor: Browser) -> str:
    """Give the address of the incident that the sign-in is."""
    del auditor
    with house.vault.units.read() as unit:
        found = unit.incidents.page(Reach(everything=True), IncidentFilter(), Slice(9)).items
    return next(f"/incidents/{each.id}" for each in found if each.kind == IncidentKind.ROOT_SIGN_IN)


def test_a_record_stands_once_and_an_address_in_one_piece(auditor: Browser, page: str) -> None:
    text = auditor.get(page).text
    address, long = (rf'<span class="mono([^"]*)"><bdi>{re.escape(each)}</bdi>' for each in (ADDRESS, LONG))
    assert re.findall(address, text) == [" text-nowrap"], "once, and not broken"
    assert re.findall(long, text) == [""], "what is long may be broken, and stands around it"


def test_who_gets_it_is_chosen(house: House, auditor: Browser, page: str) -> None:
    text = auditor.get(page).text
    select = re.search(r'<select[^>]* name="to"[^>]*>.*?</select>', text, re.DOTALL)
    assert select is not None
    assert " required" in select[0].partition(">")[0]
    assert re.findall(r'<option[^>]*value="([^"]*)"', select[0])[0] == ""
    assert "selected" not in select[0].partition("</option>")[2]
    refused = auditor.post(f"{page}/take", page=page, to="")
    assert refused.status_code == 422
    assert "Choose who looks into it." in refused.text
    with house.vault.units.read() as unit:
        incident = unit.incidents.get(page.rpartition("/")[2])
        assert incident is not None
        assert incident.owner_id is None, "an empty choice takes nothing"
    assert auditor.post(f"{page}/take", page=page, to=auditor.member.id).status_code == 303
    assert "Looked into" in auditor.get(page).text


@pytest.mark.parametrize(
    ("evidence", "lines"),
    [
        ('{"b":1,"a":["\\u202e"]}', ["{", '  "a": [', '    "\\u202e"', "  ],", '  "b": 1', "}"]),
        ("not JSON", ["not JSON"]),
    ],
)
def test_evidence_is_drawn_in_lines(monkeypatch: pytest.MonkeyPatch, evidence: str, lines: list[str]) -> None:
    class Client:
        def get(self, path: str) -> dict[str, Any]:
            return {"id": path, "owner": None, "records": [], "evidence": evidence}

    monkeypatch.setattr("vault.cli.incidents.connect", Client)
    done = CliRunner().invoke(incidents, ["show", "1"])
    assert done.exit_code == 0, done.output
    assert done.output.partition("as it was found:\n")[2].splitlines() == [f"  {line}" for line in lines]
