"""The recovery recipient's page and routes: who sees it, what is refused, and the way to the second word."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import pytest

from tests.services.test_recipients import WHY
from tests.support.people import House, Member
from tests.web.ui.test_views import NUMBER, Browser
from vault.crypto import recovery
from vault.domain.actor import Role
from vault.ports.store import Slice

if TYPE_CHECKING:
    from flask import Flask

MADE: Final = recovery.new_recipient().recipient
PAGE: Final = "/upkeep/recipient"


@pytest.fixture
def admin(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    house.world.held(NUMBER)
    return Browser(application, admins[0])


def test_one_is_proposed_agreed_to_and_shown_with_how_far_it_reaches(
    admin: Browser, admins: tuple[Member, Member], house: House
) -> None:
    assert "Nobody: if all keys are lost" in admin.get(PAGE).text
    wrong = admin.post(PAGE, page=PAGE, recipient="age1nobody", why=WHY, otp=admins[0].code())
    assert (wrong.status_code, "no recipient" in wrong.text or "Give an age recipient" in wrong.text) == (
        422,
        True,
    )
    sent = admin.post(PAGE, page=PAGE, recipient=MADE, why=WHY, otp=admins[0].code())
    assert sent.status_code == 303
    proposal = admin.get(sent.headers["Location"]).text
    assert MADE in proposal
    found = house.world.vault.proposals.page(house.actor(admins[1]), Slice(), is_waiting=True).items
    agreed = house.world.vault.proposals.confirm(house.actor(admins[1]), found[0].id, admins[1].code())
    assert agreed.effective_at is not None
    assert MADE in admin.get(PAGE).text
    house.world.clock.at = agreed.effective_at - timedelta(seconds=1)
    assert house.world.vault.recipients.book.recipient == ""
    house.world.clock.advance(seconds=1)
    assert house.world.vault.recipients.book.recipient == MADE


def test_operators_see_nothing_of_it(application: Flask, house: House, admins: tuple[Member, Member]) -> None:
    browser = Browser(application, house.appoint(admins, "olga@msp.example", Role.OPERATOR))
    assert browser.get(PAGE).status_code == 403
    assert PAGE not in browser.get("/upkeep").text
