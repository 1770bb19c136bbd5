"""Tickets at the gate: each check closes, at the asking and at every disclosure; evidence goes back to the ticket."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.events import entries
from tests.support.tickets import TicketDesk, with_tickets
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.domain.ticket import Check, Outage, TicketRules
from vault.errors import Conflict, Forbidden, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World

ALL = TicketRules(frozenset(Check))
WINDOW = {"from": "2026-11-23T08:00:00Z", "to": "2026-11-23T18:00:00Z"}
FITS: dict[str, Any] = {"assignee": {"email": "olga@msp.example"}, "window": WINDOW}
pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


@pytest.fixture
def desk() -> Iterator[TicketDesk]:
    """Serve a ticket system."""
    with TicketDesk() as made:
        yield made


@pytest.fixture
def house(world: World, desk: TicketDesk) -> World:
    """Lend a vault that asks everything of a ticket, with one account held."""
    world.held()
    world.human("olga", Role.OPERATOR)
    return with_tickets(world, ALL, desk.system)


MISFITS = (
    "There is no ticket",
    "is not open",
    "names neither",
    "is not assigned to you",
    "names no window",
    "outside the window .*to open",
    "outside the window .*open to",
)


def spoil(desk: TicketDesk, words: str, now: datetime) -> None:
    """Let the one ticket be one that does not fit, in the way of these words."""
    desk.tickets.clear()
    second = timedelta(seconds=1)
    told: dict[str, dict[str, Any]] = {
        "is not open": {"status": {"name": "Closed"}},
        "names neither": {"accounts": ["999900009999"], "ddi": "1"},
        "is not assigned to you": {"assignee": {"email": "eve@msp.example"}},
        "names no window": {"window": {}},
        "outside the window .*to open": {"window": {"from": (now + second).isoformat()}},
        "outside the window .*open to": {"window": {"to": now.isoformat()}},
    }
    if words in told:
        desk.put(**{**FITS, **told[words]})


@pytest.mark.parametrize("words", MISFITS)
def test_a_ticket_that_does_not_fit_opens_nothing(house: World, desk: TicketDesk, words: str) -> None:
    spoil(desk, words, house.clock.now())
    with pytest.raises(Forbidden, match=words) as error:
        house.ask(house.people["olga"])
    assert error.value.code == "ticket.refused"
    refused = entries(house, type=EventType.CHECKOUT_REQUESTED)[-1]
    assert refused["outcome"] == "denied"
    assert refused["detail"]["code"] == "ticket.refused"
    with house.vault.units.read() as unit:
        assert unit.checkouts.open_of("111122223333") is None


@pytest.mark.parametrize(
    "fits", [{"accounts": ["111122223333"], "ddi": ""}, {"accounts": [], "ddi": "900001"}]
)
def test_it_concerns_the_account_or_its_customer(
    house: World, desk: TicketDesk, fits: dict[str, Any]
) -> None:
    desk.put(**FITS, **fits)
    asked = house.ask(house.people["olga"])
    assert asked.ticket_mark == "checked"


@pytest.mark.parametrize("words", MISFITS)
def test_it_is_looked_at_again_before_each_disclosure(house: World, desk: TicketDesk, words: str) -> None:
    desk.put(**FITS)
    olga = house.people["olga"]
    lease = house.lease(olga, reason="CRED_ROTATE")
    rotation = house.vault.rotations.plan(olga.actor, lease.id, PartKind.PASSWORD)
    spoil(desk, words, house.clock.now())
    for disclose in (
        lambda: house.vault.reveals.password(olga.actor, lease.id),
        lambda: house.vault.reveals.code(olga.actor, lease.id),
        lambda: house.vault.rotations.display(olga.actor, rotation.id),
    ):
        with pytest.raises(Forbidden, match=words):
            disclose()
    refused = entries(house, type=EventType.REVEAL_REFUSED)[-3:]
    assert [each["detail"]["code"] for each in refused] == ["ticket.refused"] * 3
    desk.put(**FITS)
    assert house.vault.reveals.password(olga.actor, lease.id).version == 1
    assert house.vault.rotations.display(olga.actor, rotation.id).password is not None


def test_while_it_is_away_nothing_opens(house: World, desk: TicketDesk) -> None:
    desk.put(**FITS)
    olga = house.people["olga"]
    lease = house.lease(olga)
    desk.fault = "500"
    with pytest.raises(Unavailable) as closed:
        house.vault.reveals.password(olga.actor, lease.id)
    house.vault.checkouts.check_in(olga.actor, lease.id)
    with pytest.raises(Unavailable):
        house.ask(olga)
    assert closed.value.code == "ticket.unavailable"
    types = [each["type"] for each in entries(house)][-3:]
    assert types == [EventType.REVEAL_REFUSED, EventType.CHECKOUT_RETURNED, EventType.CHECKOUT_REQUESTED]


def test_or_what_the_policy_lets_pass_is_marked(world: World, desk: TicketDesk) -> None:
    world.held()
    olga = world.human("olga", Role.OPERATOR)
    rules = TicketRules(frozenset(Check), Outage.DENY, {"CRED_ROTATE": Outage.MARK})
    house = with_tickets(world, rules, desk.system)
    desk.fault = "500"
    with pytest.raises(Unavailable):
        house.ask(olga)
    lease = house.lease(olga, reason="CRED_ROTATE")
    assert lease.ticket_mark == "unchecked"
    assert house.vault.reveals.password(olga.actor, lease.id).version == 1
    told = {change["entity"]: change["to"] for change in _changes(house, lease.id)}
    assert told["checkout.ticket"] == "unchecked"


def _changes(house: World, checkout_id: str) -> list[dict[str, str]]:
    asked = entries(house, type=EventType.CHECKOUT_REQUESTED, checkout_id=checkout_id)[-1]
    return list(asked["changes"])


def test_a_policy_that_asks_and_settings_that_name_nobody_are_closed(world: World) -> None:
    world.held()
    olga = world.human("olga", Role.OPERATOR)
    with pytest.raises(Unavailable, match="name no ticket system"):
        with_tickets(world, ALL, None).ask(olga)


def test_where_nothing_is_asked_nobody_is(world: World, desk: TicketDesk) -> None:
    world.held()
    olga = world.human("olga", Role.OPERATOR)
    house = with_tickets(world, TicketRules(), desk.system)
    lease = house.lease(olga)
    house.vault.reveals.password(olga.actor, lease.id)
    assert desk.asked == []
    assert lease.ticket_mark == ""


def test_whoever_may_not_use_it_asks_nobody(house: World, desk: TicketDesk) -> None:
    desk.put(**FITS)
    lease = house.lease(house.people["olga"])
    asked = len(desk.asked)
    other = house.human("otto", Role.OPERATOR)
    with pytest.raises(Forbidden):
        house.vault.reveals.password(other.actor, lease.id)
    assert len(desk.asked) == asked


def test_the_ticket_is_told_what_came_of_it(house: World, desk: TicketDesk) -> None:
    desk.put(**FITS)
    olga = house.people["olga"]
    lease = house.lease(olga)
    house.vault.reveals.password(olga.actor, lease.id)
    house.vault.checkouts.check_in(olga.actor, lease.id)
    house.ask(olga, reason="CRED_ROTATE")  # cancelled before it began: nothing to tell
    feed = next(each for each in house.vault.feeds.feeds if each.name == "tickets")
    desk.note_status = [503]
    assert house.vault.feeds.deliver(feed) < len(entries(house))
    assert desk.notes == []
    house.clock.advance(minutes=10)
    house.vault.feeds.deliver(feed)
    (number, key, words), *more = desk.notes
    assert (number, key, more) == ("T-1001", lease.id, [])
    assert "Root of AWS account 111122223333 was checked out by olga for BILL_ROOT" in words
    assert "passwords 1, MFA codes 0" in words
    assert f"/checkouts/{lease.id}" in words
    returned = entries(house, type=EventType.CHECKOUT_RETURNED)[0]
    assert returned["checkout"] == lease.id
    house.clock.advance(minutes=10)
    house.vault.feeds.deliver(feed)
    assert len(desk.notes) == 1


def test_a_ticket_that_takes_no_note_is_told_of_and_holds_nothing_up(house: World, desk: TicketDesk) -> None:
    desk.put(**FITS)
    olga = house.people["olga"]
    desk.note_status = [404]
    ended: list[str] = []
    for _ in range(2):
        lease = house.lease(olga)
        house.vault.checkouts.check_in(olga.actor, lease.id)
        ended.append(lease.id)
    feed = next(each for each in house.vault.feeds.feeds if each.name == "tickets")
    house.vault.feeds.deliver(feed)
    untold = entries(house, type=EventType.TICKET_UNTOLD)
    assert [each["detail"]["ticket"] for each in untold] == ["T-1001"]
    assert [key for _, key, _ in desk.notes] == ended[-1:]
    assert feed.test().error is None
    desk.fault = "500"
    assert feed.test().error is not None


def test_endings_of_long_ago_are_not_told(house: World, desk: TicketDesk) -> None:
    desk.put(**FITS)
    olga = house.people["olga"]
    lease = house.lease(olga)
    house.vault.checkouts.check_in(olga.actor, lease.id)
    house.clock.advance(days=8)
    feed = next(each for each in house.vault.feeds.feeds if each.name == "tickets")
    house.vault.feeds.deliver(feed)
    assert desk.notes == []


def test_a_ticket_changed_between_look_and_gate_is_a_conflict(house: World, desk: TicketDesk) -> None:
    desk.put(**FITS)
    olga = house.people["olga"]
    lease = house.lease(olga)
    looked = house.vault.reveals.tickets.look("T-2000")
    with house.vault.units.write() as unit:
        account = unit.accounts.get("111122223333")
        assert account is not None
        judged = house.vault.reveals.tickets.still_fits(unit, lease, account, looked, house.clock.now())
    assert isinstance(judged.error, Conflict)
