"""Places outside over HTTP: the page, the notice on every page, REST, /readyz and the numbers."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from tests.support.people import House, Member, move_in
from tests.support.places import with_outside
from tests.support.world import make_world
from tests.web.ui.test_views import Browser
from vault.domain.actor import Role
from vault.ports.anchors import AnchorFailed, Confirmation
from vault.services.highwater import checkpoint_of
from vault.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from flask import Flask

    from vault.ports.anchors import Source

VKEY = "w1.auditor.example+2bda070f+BNTHc8ihdoaTGwKNZBvpkpdy7hnjR6p5Oor0QnNqYNEW"
HOSTILE = "<script>alert(1)</script>\u202egnp.exe\x1b[31m"


@dataclass(slots=True)
class Place:
    """An anchor that confirms until it is told what to say instead."""

    name: str = "witness/w1.auditor.example"
    says: str = ""
    kept: list[str] = field(default_factory=list)

    def confirm(self, note: str, position: int, source: Source) -> Confirmation:
        """Confirm, or say what was told."""
        del position, source
        if self.says:
            raise AnchorFailed(self.says)
        self.kept.append(note)
        return Confirmation(f"kept {HOSTILE}")

    def latest(self, near: int) -> Sequence[str]:
        """Give what was kept last."""
        del near
        return self.kept[-1:]


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def house(tmp_path: Path, place: Place) -> Iterator[House]:
    """Make a vault with one place outside."""
    world = make_world(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path)
    anchors = replace(world.vault.settings.anchors, witnesses=(f"https://w1.auditor.example {VKEY}",))
    world = with_outside(world, place, settings=replace(world.vault.settings, anchors=anchors))
    house = move_in(world)
    server = replace(house.vault.settings.server, public_url="http://127.0.0.1:8400")
    house.vault = replace(house.vault, settings=replace(house.vault.settings, server=server))
    yield house
    world.close()


@pytest.fixture
def auditor(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    return Browser(application, house.appoint(admins, "uma@msp.example", Role.AUDITOR))


def test_the_page_shows_what_was_last_heard(auditor: Browser, house: House, place: Place) -> None:
    empty = auditor.get("/outside")
    assert empty.status_code == 200
    assert "Nothing was sent there yet" in empty.text
    assert "No checkpoint was published yet" in empty.text
    house.vault.publishing.once()
    size = checkpoint_of(place.kept[0]).size
    house.world.clock.advance(seconds=12)
    shown = auditor.get("/outside").text
    assert "Confirmed" in shown
    assert "12 s ago" in shown
    assert f'<span class="mono">{size}</span> entries' in shown
    assert place.kept[0].rpartition("\n\n")[0] in html.unescape(shown)
    assert house.vault.vkey in html.unescape(shown)
    assert VKEY in html.unescape(shown)
    place.says = HOSTILE
    auditor.get("/trail")
    house.vault.publishing.once()
    failing = auditor.get("/outside").text
    assert "Failing" in failing
    assert "<script>alert" not in failing
    assert "\u202e" not in failing
    assert "\x1b" not in failing
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in failing


def test_only_who_reads_the_log_sees_the_page(
    application: Flask, house: House, admins: tuple[Member, Member]
) -> None:
    member = house.appoint(admins, "oscar@msp.example", Role.OPERATOR)
    browser = Browser(application, member)
    assert browser.get("/outside").status_code == 403
    assert "Places outside" not in browser.get("/trail").text


def test_while_disclosures_are_stopped_every_page_and_every_probe_says_so(
    application: Flask, auditor: Browser, house: House, place: Place
) -> None:
    client = application.test_client()
    house.vault.publishing.once()
    calm = client.get("/readyz").get_json()
    assert (calm["status"], calm["anchors"]) == ("ready", "ok")
    place.says = "no"
    for minute in range(20):
        assert auditor.get("/trail").status_code == 200  # reading is an entry: the log grows
        house.world.clock.advance(minutes=1)
        house.vault.publishing.once()
        stopped = minute >= 15
        assert ("Nothing is disclosed now" in auditor.get("/keyboard").text) == stopped, minute
    told = client.get("/readyz")
    assert told.status_code == 200
    assert told.get_json()["status"] == "degraded"
    assert re.fullmatch(r"unconfirmed since \d{4}-\d\d-\d\dT[\d:.]+Z", told.get_json()["anchors"])
    assert "Nothing is disclosed now" not in client.get("/sign-in").text
    numbers = client.get("/metrics").text
    assert 'rootvault_outlet_lag_entries{outlet="witness/w1.auditor.example"}' in numbers
    assert f"rootvault_log_size {float(house.vault.places.standing().size)}" in numbers
    age = re.search(r"^rootvault_unanchored_seconds (\d+)", numbers, re.MULTILINE)
    assert age is not None
    assert int(age[1]) > 900
    place.says = ""
    house.world.clock.advance(minutes=1)
    house.vault.publishing.once()
    assert "Nothing is disclosed now" not in auditor.get("/keyboard").text
    assert client.get("/readyz").get_json()["anchors"] == "ok"


def test_a_vault_without_places_says_nothing_of_them_to_probes(tmp_path: Path) -> None:
    world = make_world(f"sqlite+pysqlite:///{tmp_path / 'plain.db'}", tmp_path)
    client = create_app(world.vault).test_client()
    assert "anchors" not in client.get("/readyz").get_json()
    assert "rootvault_unanchored_seconds" not in client.get("/metrics").text
    world.close()


def test_rest_tells_the_same(
    application: Flask, house: House, place: Place, bearers: Mapping[Role, str]
) -> None:
    client = application.test_client()
    headers = {"Authorization": f"Bearer {bearers[Role.AUDITOR]}"}
    sizes = []
    for _ in range(3):
        house.vault.publishing.once()
        sizes.append(checkpoint_of(place.kept[-1]).size)
        assert client.get("/api/v1/audit/entries", headers=headers).status_code == 200
        house.world.clock.advance(seconds=5)
    told = client.get("/api/v1/audit/outlets", headers=headers).get_json()
    (outlet,) = told["items"]
    assert (outlet["name"], outlet["kind"], outlet["state"]) == (place.name, "witness", "confirmed")
    assert (outlet["position"], outlet["counts"], outlet["vkey"]) == (sizes[-1], True, VKEY)
    assert told["size"] - outlet["position"] == outlet["lag"]
    assert told["stopped_since"] is None
    first = client.get("/api/v1/audit/checkpoints?limit=2", headers=headers).get_json()
    rest = client.get(f"/api/v1/audit/checkpoints?limit=2&cursor={first['next']}", headers=headers).get_json()
    assert [each["size"] for each in first["items"] + rest["items"]] == sizes[::-1]
    assert rest["next"] is None
    text = client.get(f"/api/v1/audit/checkpoints/{sizes[0]}", headers=headers)
    assert text.content_type.startswith("text/plain")
    assert text.text == place.kept[0]
    assert client.get("/api/v1/audit/checkpoints/1", headers=headers).status_code == 404
    assert client.get("/api/v1/audit/checkpoints/x", headers=headers).status_code == 404
    bad = client.get("/api/v1/audit/checkpoints?cursor=x", headers=headers)
    assert (bad.status_code, bad.get_json()["code"]) == (422, "cursor.invalid")
