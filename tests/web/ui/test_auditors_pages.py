"""The auditors' pages over HTTP: signing a day, evidence to take along, hostile words, and who is led away."""

from __future__ import annotations

import html
import io
import re
import tarfile
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.web.ui.test_views import NUMBER, Browser, ask
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.services.asking import Ask
from vault.web.api.schemas.reviews import SignBody

if TYPE_CHECKING:
    from flask import Flask

    from tests.support.people import House, Member

HOSTILE = '<b>"x" & \u202egnp.exe</b>'
DAY = "2026-11-23"


@pytest.fixture
def crew(application: Flask, house: House, admins: tuple[Member, Member]) -> dict[str, Browser]:
    """Sit an operator, an auditor of everything and one of another account at browsers, one account in custody."""
    members = {
        "operator": house.appoint(admins, "olga@msp.example", Role.OPERATOR),
        "auditor": house.appoint(admins, "uma@msp.example", Role.AUDITOR),
        "other": house.appoint(
            admins, "eve@msp.example", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, other_account(house))
        ),
    }
    house.world.held(NUMBER, "Correct-Horse-7-Battery")
    return {name: Browser(application, member) for name, member in members.items()}


def other_account(house: House) -> str:
    return house.world.account("999988887777").id


def test_a_day_is_signed_on_its_page(crew: dict[str, Browser], house: House) -> None:
    address = ask(crew["operator"])
    crew["operator"].post(f"{address}/password")
    crew["operator"].post(f"{address}/check-in")
    assert "This day is not over" in crew["auditor"].get(f"/review/{DAY}").text
    house.world.clock.advance(days=1)
    house.vault.days.once()
    again = Browser(crew["auditor"].client.application, crew["auditor"].member)
    page = again.get(f"/review/{DAY}").text
    keys = re.findall(r'name="(a_[0-9a-f]{12})"', page)
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found is not None
    assert "Not rotated by the end of the day" in page
    assert f"{address}/evidence" in page
    empty = again.post(f"/review/{DAY}", page=f"/review/{DAY}", digest=found[1], sentence="short")
    assert empty.status_code == 422
    assert empty.text.count("Say what was done about it") >= len(keys)
    assert "Say in 10 to 500 characters" in empty.text
    turned = again.post(
        f"/review/{DAY}",
        page=f"/review/{DAY}",
        digest=found[1],
        sentence="Looked at all of it",
        **dict.fromkeys(keys, HOSTILE),
    )
    assert turned.status_code == 422  # a direction character would deceive who reads it
    text = HOSTILE.replace("\u202e", "")
    answers = dict.fromkeys(keys, text)
    done = again.post(
        f"/review/{DAY}", page=f"/review/{DAY}", digest=found[1], sentence=f"Looked: {text}", **answers
    )
    assert (done.status_code, done.headers["Location"]) == (303, "/review")
    signed = again.get(f"/review/{DAY}").text
    assert "<b>" not in signed.replace("<bdi>", "")
    assert html.escape("<b>") in signed
    assert house.events("review.signed")[0]["outcome"] == "success"
    twice = again.post(
        f"/review/{DAY}", page="/review", digest=found[1], sentence="Looked at all of it", **answers
    )
    assert twice.status_code == 409


def test_a_day_that_was_not_wholly_looked_at_asks_for_a_word_on_it(
    crew: dict[str, Browser], house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.services.notable.MOST", 1)
    house.world.clock.advance(days=1)
    house.vault.days.once()
    auditor = Browser(crew["auditor"].client.application, crew["auditor"].member)
    page = auditor.get(f"/review/{DAY}").text
    assert "Not all entries were looked at" in page
    assert "Of role.granted this day" in page
    found = re.search(r'name="digest" value="([0-9a-f]{64})"', page)
    assert found is not None
    sent = {**dict.fromkeys(re.findall(r'name="(a_[0-9a-f]{12})"', page), "seen"), "digest": found[1]}
    refused = auditor.post(f"/review/{DAY}", page=f"/review/{DAY}", sentence="Looked at each.", **sent)
    assert refused.status_code == 422
    assert 'id="a_incomplete-wrong"' in refused.text
    word = {"a_incomplete": "read one by one"}
    done = auditor.post(f"/review/{DAY}", page=f"/review/{DAY}", sentence="Looked at each.", **sent, **word)
    assert done.status_code == 303
    assert "read one by one" in auditor.get(f"/review/{DAY}").text
    assert (
        SignBody.model_validate({"digest": found[1], "sentence": "Looked.", "answers": word}).answers == word
    )


def test_unreviewed_days_are_red_everywhere(crew: dict[str, Browser], house: House) -> None:
    def counted() -> str:
        answer = crew["auditor"].client.get("/metrics").text
        found = re.search(r"^rootvault_unreviewed_days (\S+)$", answer, re.MULTILINE)
        assert found is not None
        return found[1]

    assert counted() == "0.0"
    house.world.clock.at = house.world.clock.at.replace(hour=0) + timedelta(days=2, seconds=1)
    assert counted() == "1.0"
    auditor = Browser(crew["auditor"].client.application, crew["auditor"].member)
    assert "1 overdue" in auditor.get("/").text
    assert "Overdue" in auditor.get("/review").text


def test_evidence_shows_hostile_words_as_words_and_goes_along_as_a_file(
    crew: dict[str, Browser], house: House
) -> None:
    olga = house.actor(crew["operator"].member)
    made = house.vault.asking.ask(olga, Ask(NUMBER, "CRED_ROTATE", "CHG-1", f"Look at {HOSTILE}", 600))
    page = crew["auditor"].get(f"/checkouts/{made.id}/evidence").text
    assert "<b>" not in page
    assert '<span class="control">U+202E</span>' in page
    assert "style=" not in page.split("<main", 1)[1]
    answer = crew["auditor"].get(f"/checkouts/{made.id}/evidence?format=tar")
    assert answer.headers["Content-Type"] == "application/x-tar"
    with tarfile.open(fileobj=io.BytesIO(answer.data)) as tar:
        names = tar.getnames()
    assert f"evidence-{made.id}/evidence.json" in names
    assert house.events("audit.exported")[0]["checkout"] == made.id


def test_the_pages_say_what_is_counted_and_what_the_log_cannot_tell(
    crew: dict[str, Browser], house: House
) -> None:
    auditor = crew["auditor"]
    home = auditor.get("/").text
    assert "No password was disclosed for use and not changed since" in home
    assert "1 came from elsewhere, and whoever entered it, and others before us, may know it." in home
    assert 'href="/accounts">Open an account</a>' in home
    early = auditor.get(f"/accounts/{NUMBER}/known?at=2026-01-01T00:00").text
    assert "Unknown others could have known it" in early
    assert "The log tells nothing of this account up to then" in early
    assert "Nobody:" not in early
    olga = house.actor(crew["operator"].member)
    member = crew["operator"].member
    lease = house.vault.asking.ask(olga, Ask(NUMBER, "CRED_ROTATE", "CHG-1", "Rotate the password", 600))
    lease, _ = house.vault.checkouts.step_up(olga, lease.id, member.code())
    rotation = house.vault.rotations.plan(olga, lease.id, PartKind.PASSWORD)
    house.vault.rotations.display(olga, rotation.id)
    house.vault.attestations.attest(olga, rotation.id, Outcome.ACCEPTED)
    house.vault.checkouts.check_in(olga, lease.id)
    assert "1 current password was shown to whoever set it at AWS" in auditor.get("/").text
    page = auditor.get(f"/checkouts/{lease.id}/evidence").text
    assert "Nothing is open" not in page
    assert "The password, version 2, was accepted by AWS, and nobody has verified it yet" in page
    assert "was shown it, to set it at AWS" in page
    assert "replaced and proven" not in page


def test_an_auditor_of_another_account_finds_nothing_of_this_one(crew: dict[str, Browser]) -> None:
    address = ask(crew["operator"])
    other = crew["other"]
    for path in (f"{address}/evidence", f"{address}/evidence?format=tar", f"/accounts/{NUMBER}/known"):
        assert other.get(path).status_code == 404, path
    assert other.get("/accounts/999988887777/known").status_code == 200
    for path in ("/review", f"/review/{DAY}", "/activity"):
        assert other.get(path).status_code == 403, path
    assert 'href="/review"' not in other.get("/trail").text
    assert other.get("/").status_code == 200


def test_a_time_that_is_none_is_told_beside_the_form(crew: dict[str, Browser]) -> None:
    for asked, words in (("yesterday", "Give a time as"), ("2999-01-01T00:00", "give a time that is over")):
        answer = crew["auditor"].get(f"/accounts/{NUMBER}/known?at={asked}")
        assert answer.status_code == 422
        assert words in answer.text
    for path in ("/review/2026-11-2", "/review/20261123", "/review/1999-01-01"):
        assert crew["auditor"].get(path).status_code == 404, path


def test_an_invitation_for_a_time_says_when_it_ends(
    application: Flask, admins: tuple[Member, Member], house: House
) -> None:
    administrator = Browser(application, admins[0])
    wish = {"name": "Pia", "email": "pia@auditors.example", "role": "auditor", "scope": "all", "target": ""}
    wrong = administrator.post("/people/invite", page="/people/invite", **wish, ends_at="2020-01-01")
    assert wrong.status_code == 422
    assert "Only an auditor comes for a time" in wrong.text
    made = administrator.post("/people/invite", page="/people/invite", **wish, ends_at="2026-12-24")
    assert made.status_code == 200
    detail = house.events("role.proposed")[0]["detail"]
    assert isinstance(detail, dict)
    assert detail["ends_at"] == "2026-12-25T00:00:00.000000Z"
    assert "25 Dec 2026, 00:00 UTC" in administrator.get(f"/people/{detail['person']}").text
