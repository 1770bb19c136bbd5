"""Notices by REST and in the terminal: an inbox is one's own, and dead letters are for who answers for them."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner
from prometheus_client import CollectorRegistry, generate_latest

from vault.cli import notices as commands
from vault.domain.actor import Role, system_actor
from vault.domain.event import Event, EventType
from vault.domain.notice import Channel
from vault.web.notice_numbers import NoticeNumbers

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service


def told(service: Service) -> None:
    """Tell an auditor and an administrator of something, and give up on every letter of it."""
    vault = service.world.vault
    telling = replace(vault.telling, by_mail=True)
    telling.once()
    with vault.units.write() as unit:
        event = Event(EventType.LOG_KEY_ROTATED, system_actor("host"))
        unit.log.record(event, service.world.clock.now())
        unit.commit()
    telling.once()
    now = service.world.clock.now()
    with vault.units.write() as unit:
        for each in unit.notices.claim(Channel.MAIL, now, now, 1000):
            unit.notices.settle(each, each.failed("550 no", now, for_good=True))
        unit.commit()


def test_what_one_was_told_is_read_and_chosen(quick: Service) -> None:
    udo = quick.caller("udo-n", Role.AUDITOR)
    anna = quick.caller("anna-n", Role.APPROVER)
    told(quick)
    items = udo.get("/me/notices?state=unread").json["items"]
    mine = next(each for each in items if each["event"] == "log.key.rotated")
    assert mine["title"] == "The key that signs the log was changed"
    assert anna.post(f"/me/notices/{mine['id']}/read").status == 404
    assert udo.did(f"/me/notices/{mine['id']}/read")["read_at"] is not None
    assert udo.did("/me/notices/read")["count"] == len(items) - 1
    assert udo.get("/me/notices?state=unread").json["items"] == []
    assert len(udo.get("/me/notices").json["items"]) == len(items)
    assert udo.get("/me/notices/choices").json == {
        **dict.fromkeys(("requests", "people", "own", "log", "work", "emergency"), "mail"),
        "by_mail": False,
    }
    chosen = udo.did("/me/notices/choices", {"log": "digest"}, method="PATCH")
    assert (chosen["log"], chosen["people"]) == ("digest", "mail")
    for wrong in ({"emergency": "inbox"}, {"log": "never"}, {"log": 1}):
        assert udo.call("PATCH", "/me/notices/choices", wrong).status == 422


def test_dead_letters_are_seen_by_two_roles_and_sent_again_by_one(quick: Service) -> None:
    udo, ada = quick.caller("udo-n", Role.AUDITOR), quick.caller("ada-n", Role.ADMIN)
    olga = quick.caller("olga-n", Role.OPERATOR)
    told(quick)
    before = quick.size()
    assert olga.get("/notices/dead").code == "policy.denied"
    assert quick.size() == before + 1
    letters = udo.get("/notices/dead?limit=200").json["items"]
    assert {each["error"] for each in letters} == {"550 no"}
    assert udo.post("/notices/dead/replay").code == "policy.denied"
    one = letters[0]["id"]
    assert ada.did(f"/notices/dead/{one}/replay") == {"count": 1}
    assert ada.post(f"/notices/dead/{one}/replay").code == "notice.state"
    registry = CollectorRegistry()
    registry.register(NoticeNumbers(quick.world.vault))
    numbers = generate_latest(registry).decode()
    assert 'rootvault_notices_waiting{channel="mail"} 1.0' in numbers
    assert f'rootvault_notices_dead{{channel="mail"}} {len(letters) - 1}.0' in numbers
    assert ada.did("/notices/dead/replay") == {"count": len(letters) - 1}
    assert quick.last()[0]["type"] == "notice.replayed"


class Connected:
    """The CLI's client, on a test's caller."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    def get(self, path: str, **query: object) -> Any:
        """Read."""
        told = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
        return self.caller.get(f"{path}?{told}").json

    def post(self, path: str, body: object) -> Any:
        """Do."""
        return self.caller.did(path, body)


def test_the_terminal_says_the_same(quick: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = quick.caller("ada-n", Role.ADMIN)
    told(quick)
    monkeypatch.setattr(commands, "connect", lambda: Connected(ada))

    def run(*words: str) -> str:
        came = CliRunner().invoke(commands.notices, words, catch_exceptions=False)
        assert came.exit_code == 0, came.output
        return came.output

    assert "The key that signs the log was changed" in run()
    printed = run("dead", "--json")
    number = len(json.loads(printed[printed.index("{\n") :])["items"])  # after the service's own lines
    assert f"{number} go out again; the worker sends them.\n" in run("replay", "--all")
    assert "marked as read" in run("read", "--all")
    assert "The key" not in run("list")
