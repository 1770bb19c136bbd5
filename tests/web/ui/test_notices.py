"""The pages of notices: a number beside the bell for one statement, an inbox by buttons, choices, dead letters."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.web.ui.test_views import Browser
from vault.domain.actor import ActorKind, Role, system_actor
from vault.domain.event import Event, EventType
from vault.domain.notice import Channel

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House, Member


@pytest.fixture
def auditor(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    """Sit an auditor at a browser who was told of something, of which the letters are dead."""
    member = house.appoint(admins, "uma@msp.example", Role.AUDITOR)
    vault, now = house.vault, house.world.clock.now()
    telling = replace(vault.telling, by_mail=True)
    telling.once()
    with vault.units.write() as unit:
        unit.notices.read(member.id, now)
        hostile = replace(system_actor("host"), kind=ActorKind.PERSON, name="<b>Eve</b>")
        unit.log.record(Event(EventType.AUDIT_EXPORTED, hostile), now)
        unit.log.record(Event(EventType.LOG_KEY_ROTATED, system_actor("host")), now)
        unit.commit()
    telling.once()
    with vault.units.write() as unit:
        for each in unit.notices.claim(Channel.MAIL, now, now, 1000):
            unit.notices.settle(each, each.failed("550 <script>no</script>", now, for_good=True))
        unit.commit()
    return Browser(application, member)


def test_the_bell_counts_and_buttons_mark(auditor: Browser) -> None:
    text = auditor.get("/notices").text
    unread = text.count("news__item--new")
    assert unread >= 2
    assert f'<span class="count">{unread}<span class="visually-hidden"> unread' in text
    assert "&lt;b&gt;Eve&lt;/b&gt; took a copy of the log" in text
    assert auditor.post("/notices/read").status_code == 303
    assert "You have read everything." in auditor.get("/notices?state=unread").text
    assert 'class="count"' not in auditor.get("/").text


def test_choices_are_saved_by_a_form(auditor: Browser) -> None:
    page = "/notices/settings"
    assert "No mail goes out here" in auditor.get(page).text
    given = {"requests": "mail", "people": "mail", "own": "mail", "log": "digest", "work": "mail"}
    assert auditor.post(page, **given).status_code == 303
    assert '<option selected value="digest">' in auditor.get(page).text
    assert auditor.post(page, **{**given, "log": "never"}).status_code == 422


def test_dead_letters_have_a_page_and_a_button_for_administrators_alone(
    auditor: Browser, application: Flask, admins: tuple[Member, Member]
) -> None:
    text = auditor.get("/notices/dead").text
    assert "550 &lt;script&gt;no&lt;/script&gt;" in text
    assert "Send all again" not in text
    assert auditor.post("/notices/dead/replay").status_code == 403
    ada = Browser(application, admins[0])
    assert "Send all again" in ada.get("/notices/dead").text
    assert ada.post("/notices/dead/replay").status_code == 303
    assert "Everything was delivered." in ada.get("/notices/dead").text
