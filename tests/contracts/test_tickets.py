"""The ticket connector over real HTTP: what it reads, and that whatever else comes counts as no answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.tickets import PLACES, TOKEN, TicketDesk
from vault.adapters import tickets as adapter
from vault.adapters.tickets import HttpTickets, Places, check_pointer, read_token
from vault.domain.ticket import Ticket
from vault.errors import Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def desk() -> Iterator[TicketDesk]:
    """Serve one."""
    with TicketDesk() as made:
        yield made


def test_a_ticket_is_read_where_the_settings_say(desk: TicketDesk) -> None:
    desk.put(
        status={"name": "In Progress"},
        accounts=["1111-2222-3333", 444455556666],
        assignee={"email": ["Olga@MSP.example"]},
        window={"from": "2026-11-23T08:00:00+01:00", "to": "2026-11-23T12:00:00"},
    )
    assert desk.system.find("T-1001") == Ticket(
        "T-1001",
        is_open=True,
        accounts=frozenset({"111122223333", "444455556666"}),
        customers=frozenset({"900001"}),
        assignees=frozenset({"olga@msp.example"}),
        since=datetime(2026, 11, 23, 7, 0, tzinfo=UTC),
        until=datetime(2026, 11, 23, 12, 0, tzinfo=UTC),
    )
    method, path, headers = desk.asked[0]
    assert (method, path) == ("GET", "/api/tickets/T-1001?full=yes")
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert desk.system.find("T-1002") is None


def test_what_a_ticket_does_not_say_is_empty(desk: TicketDesk) -> None:
    desk.tickets["T-1"] = {"key": "T-1", "fields": {"status": None, "accounts": {"a": 1}, "ddi": True}}
    assert desk.system.find("T-1") == Ticket("T-1", is_open=False)
    desk.tickets["T-1"] = {"key": "T-1"}
    assert desk.system.find("T-1") == Ticket("T-1", is_open=False)


def test_a_number_cannot_leave_its_place(desk: TicketDesk) -> None:
    for number in ("../users/1", "a?b=c#d", "a b\r\nHost: x", "%2e%2e"):
        assert desk.system.find(number) is None
    assert [path for _, path, _ in desk.asked] == [
        "/api/tickets/..%2Fusers%2F1?full=yes",
        "/api/tickets/a%3Fb%3Dc%23d?full=yes",
        "/api/tickets/a%20b%0D%0AHost%3A%20x?full=yes",
        "/api/tickets/%252e%252e?full=yes",
    ]


@pytest.mark.parametrize(
    "fault", ["302", "401", "403", "429", "500", "no json", "[1]", "long", '{"key": "T-7"}', "[" * 100_000]
)
def test_whatever_else_comes_is_no_answer(desk: TicketDesk, fault: str) -> None:
    desk.put()
    desk.fault = fault
    with pytest.raises(Unavailable) as error:
        desk.system.find("T-1001")
    assert error.value.code == "ticket.unavailable"
    assert TOKEN not in error.value.detail
    assert len(desk.asked) == 1  # no redirect is followed


@pytest.mark.parametrize(
    "time", ["next Tuesday", "9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", {"a": 1}, 5]
)
def test_a_time_that_is_none_is_no_answer(desk: TicketDesk, time: object) -> None:
    desk.put(window={"from": time})
    with pytest.raises(Unavailable, match="a time that is none"):
        desk.system.find("T-1001")


def test_it_ends_in_time(desk: TicketDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapter, "TIMEOUT", 0.3)
    desk.fault = "drip"
    with pytest.raises(Unavailable):
        desk.system.find("T-1001")
    gone = replace(desk.system, url="http://127.0.0.1:1/{ticket}")
    with pytest.raises(Unavailable, match="no answer"):
        gone.find("T-1001")
    assert replace(gone, notes_url="http://127.0.0.1:1/{ticket}").note("T-1", "words", "key").error


def test_notes_say_whether_another_try_helps(desk: TicketDesk) -> None:
    desk.note_status = [201, 503, 429, 404]
    came = [desk.system.note("T-1001", "who had it", "one-key") for _ in range(4)]
    assert [each.error for each in came] == [None, "answered 503", "answered 429", "answered 404"]
    assert [each.gone for each in came] == [False, False, False, True]
    assert desk.notes == [("T-1001", "one-key", "who had it")]


@pytest.mark.parametrize(
    "url",
    [
        "http://desk.example.com/{ticket}",
        "https://desk.example.com/tickets",
        "https://{ticket}.example.com/",
        "ftp://desk.example.com/{ticket}",
        "https://user@desk.example.com/{ticket}",
    ],
)
def test_addresses_that_cannot_be_right_stop_the_start(url: str) -> None:
    with pytest.raises(Refused):
        HttpTickets(url, Places())
    if "{ticket}" not in url.partition("//")[2].partition("/")[2]:
        return
    with pytest.raises(Refused):
        HttpTickets("https://desk.example.com/{ticket}", Places(), notes_url=url)


def test_settings_that_cannot_be_right_stop_the_start(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="state_at"):
        check_pointer("tickets.state_at", "status")
    check_pointer("tickets.state_at", PLACES.state)
    path = tmp_path / "token"
    path.write_text("two words\n")
    path.chmod(0o600)
    with pytest.raises(Refused) as error:
        read_token(path)
    assert "two" not in error.value.detail.replace(str(path), "")
    path.write_text("one\n")
    assert read_token(path) == "one"
    path.chmod(0o644)
    with pytest.raises(Refused):
        read_token(path)
