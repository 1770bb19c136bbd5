"""Stories out of the log, and the pages that tell them."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.ui.test_views import NUMBER, Browser, ask, operator
from vault.domain.actor import Role
from vault.domain.event import EventType
from vault.ports.store import Entry
from vault.web.ui import story, words

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House, Member

__all__ = ["operator"]


def entry(index: int, kind: str, second: int = 0, **facts: Any) -> Entry:
    content = {
        "type": kind,
        "outcome": "success",
        "time": f"2026-11-2{3 + second // 86400}T09:{second % 3600 // 60:02}:{second % 60:02}.000000Z",
        "actor": {"name": "Olga <b>", "id": "o", "kind": "person"},
        **facts,
    }
    return Entry(index, "0" * 64, b"{}", content)


def plain(text: str) -> str:
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", text).split()))


def test_every_type_has_a_sentence_and_a_sign() -> None:
    for kind in EventType:
        for outcome in ("success", "denied", "failed", "unknown"):
            told = story.step_of(entry(1, kind, outcome=outcome, secret={"kind": "mfa"}))
            assert "{" not in told.sentence
            assert told.sentence.endswith(".")
            assert (told.icon, told.tone) != ("", "")
    assert story.step_of(entry(1, "of.tomorrow")).sentence == "of.tomorrow (Olga <b>)."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, None),
        (1, "1 s later"),
        (65, "1 min 5 s later"),
        (600, "10 min later"),
        (3_660, "1 h 1 min later"),
        (86_400, "1 day later"),
        (200_000, "2 days later"),
    ],
)
def test_what_lies_between_is_said_as_people_say_it(seconds: float, said: str | None) -> None:
    assert story.gap(timedelta(seconds=seconds)) == said


def test_days_and_gaps_are_right_in_both_orders() -> None:
    told = [
        entry(1, "checkout.requested"),
        entry(2, "checkout.approved", 240),
        entry(3, "checkout.granted", 86_400 + 300),
    ]
    forward = story.days(told, newest_first=False)
    back = story.days(told[::-1], newest_first=True)
    assert [len(day.steps) for day in forward] == [2, 1]
    gaps = {1: None, 2: "4 min later", 3: "1 day later"}
    for days in (forward, back):
        assert {step.index: step.later for day in days for step in day.steps} == gaps
    assert [step.index for day in back for step in day.steps] == [3, 2, 1]


def test_a_refusal_is_told_as_one() -> None:
    told = story.step_of(entry(1, "checkout.requested", outcome="denied", detail={"code": "policy.denied"}))
    assert told.sentence == "Olga <b> was refused: asked for root."
    assert told.facts == (("Refused because", "policy.denied"),)
    assert told.result == words.outcome("denied")


def test_the_story_of_a_checkout_is_told_and_leads_to_its_entries(operator: Browser, house: House) -> None:
    address = ask(operator)
    operator.post(f"{address}/password")
    page = operator.get(f"{address}/timeline").text
    text = plain(page)
    order = ["asked for the root credentials", "was checked out", "may now see", "The password was shown to"]
    assert sorted(order, key=text.index) == order
    assert "CHG-1" in text
    index = house.events("secret.reveal.released")[0]["seq"]
    assert f'href="/trail/{index}"' in page
    shown = operator.get(f"/trail/{index}").text
    assert f'href="{address}/timeline"' in shown
    assert "The password was shown to" in plain(shown)
    assert operator.get(f"/accounts/{NUMBER}/timeline").text.count("story__step ") >= 4
    assert operator.get(f"/people/{operator.member.id}/timeline").status_code == 200
    for absent in ("/accounts/999999999999/timeline", "/people/nobody/timeline", "/checkouts/none/timeline"):
        assert operator.get(absent).status_code == 404


@pytest.fixture
def auditor(application: Flask, house: House, admins: tuple[Member, Member]) -> Browser:
    """Sit an auditor of everything at a browser."""
    return Browser(application, house.appoint(admins, "uma@msp.example", Role.AUDITOR))


def test_the_trail_is_narrowed_by_all_its_fields(auditor: Browser, operator: Browser, house: House) -> None:
    ask(operator)
    asked = house.events("checkout.requested")[0]["seq"]
    for query, there in (
        ("ticket=CHG-1", True),
        ("ticket=CHG", False),
        ("reason=CRED_ROTATE&type=checkout.requested,checkout.granted", True),
        ("reason=BILL_ROOT", False),
        ("outcome=denied,failed,unknown&ticket=CHG-1", False),
        (f"actor={operator.member.id}&q=rotate+what&account={NUMBER}", True),
    ):
        page = auditor.get(f"/trail?{query}")
        assert page.status_code == 200
        assert (f'href="/trail/{asked}"' in page.text) is there, query


def test_an_entry_tells_who_outside_has_it(operator: Browser, house: House) -> None:
    ask(operator)
    index = int(str(house.events("checkout.granted")[0]["seq"]))
    before = plain(operator.get(f"/trail/{index}").text)
    assert "no checkpoint that has this entry has left the house" in before
    assert "Nobody outside" in before
    with house.vault.units.write() as unit:
        note = unit.log.checkpoint()
        unit.published.add(published(note, house))
        unit.outlets.put(unit.outlets.claim("witness/w1").confirmed(index + 1, house.vault.clock.now()))
        unit.commit()
    after = plain(operator.get(f"/trail/{index}").text)
    assert f"In the checkpoint of {note.splitlines()[1]} entries" in after
    assert "witness/w1 , which holds a checkpoint of" in after
    assert operator.get("/trail/checkpoint").data.decode() == house.vault.trail.checkpoint()


def published(note: str, house: House) -> Any:
    from vault.domain.outlet import Published  # noqa: PLC0415 - only here

    return Published(int(note.splitlines()[1]), note, house.vault.clock.now())


def test_a_search_that_stopped_says_how_far_it_looked(
    operator: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.adapters.db.stores.search.BUDGET", 0)
    page = operator.get("/trail?q=nowhere").text
    assert "Nothing was found back to entry" in plain(page)
    assert "Go on searching" in page
