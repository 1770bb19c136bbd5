"""Work on keys as a page: both kinds are proposed, wrong input says what to do, nobody else sees any of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pytest

from tests.support.people import House, Member
from tests.web.ui.test_views import NUMBER, Browser
from vault.domain.actor import Role
from vault.domain.proposal import ProposalKind
from vault.ports.store import Slice

if TYPE_CHECKING:
    from flask import Flask

PAGE: Final = "/upkeep/keys"
WHY: Final = "The drill of this quarter."


@pytest.fixture
def admin(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    house.world.held(NUMBER)
    return Browser(application, admins[0])


def test_a_drill_and_other_keys_are_proposed(
    admin: Browser, admins: tuple[Member, Member], house: House
) -> None:
    drill = admin.post(f"{PAGE}/drill", page=PAGE, scope="live", why=WHY, otp=admins[0].code())
    assert drill.status_code == 303
    assert WHY in admin.get(drill.headers["Location"]).text
    keys = {"keys": "local-1\nlocal-2", "remove_old": "y"}
    rewrap = admin.post(f"{PAGE}/rewrap", page=PAGE, why=WHY, otp=admins[0].code(), **keys)
    assert rewrap.status_code == 303
    assert "local-2" in admin.get(rewrap.headers["Location"]).text
    found = house.world.vault.proposals.page(house.actor(admins[1]), Slice(), is_waiting=True).items
    assert {each.kind for each in found} == {ProposalKind.DRILL, ProposalKind.REWRAP}


def test_wrong_input_says_what_to_do(admin: Browser, admins: tuple[Member, Member]) -> None:
    nothing = admin.post(f"{PAGE}/drill", page=PAGE, scope="moon", why="", otp="")
    assert (nothing.status_code, "Say why; it stays in the log." in nothing.text) == (422, True)
    twice = admin.post(f"{PAGE}/rewrap", page=PAGE, keys="one one", why=WHY, otp=admins[0].code())
    assert (twice.status_code, "different keys" in twice.text) == (422, True)


def test_nobody_else_sees_it(application: Flask, house: House, admins: tuple[Member, Member]) -> None:
    for role in (Role.OPERATOR, Role.AUDITOR):
        browser = Browser(application, house.appoint(admins, f"{role}@msp.example", role))
        assert browser.get(PAGE).status_code == 403
        assert PAGE not in browser.get("/upkeep").text
