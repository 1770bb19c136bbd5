"""Turns of delivery: who may try when, and what the log tells of a place outside that was lost and came back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from vault.domain.actor import Reach
from vault.domain.event import EventType
from vault.domain.outlet import LONGEST_TURN, LONGEST_WAIT, Outlet, plain
from vault.ports.store import EntryFilter, Slice
from vault.services.outlets import Outlets

if TYPE_CHECKING:
    from tests.support.world import World

NAME = "webhook"
TURN = timedelta(seconds=30)
LOST = timedelta(minutes=15)


@pytest.fixture
def engine(world: World) -> Outlets:
    """Make the engine on the world's own clock and database; the log has the entries that positions speak of."""
    for number in range(10):
        world.account(str(700_000_000_000 + number))
    return Outlets(world.vault.units, world.clock, LOST)


def told(world: World) -> list[tuple[str, object]]:
    """Read the entries about outlets, oldest first, with the position each names."""
    with world.vault.units.read() as unit:
        found = unit.log.page(EntryFilter(), Reach(everything=True), Slice(100)).items
    contents = [entry.content for entry in reversed(found)]
    return [
        (str(each["type"]), each["detail"]["position"])  # type: ignore[index]  # an entry's JSON
        for each in contents
        if str(each["type"]).startswith("outlet.")
    ]


def test_a_turn_is_one_workers_until_it_is_over_or_runs_out(world: World, engine: Outlets) -> None:
    assert engine.turn(NAME, TURN, start=4) == Outlet(NAME, 4, next_at=world.clock.now() + TURN)
    assert engine.turn(NAME, TURN) is None
    engine.confirmed(NAME, 9)
    assert engine.turn(NAME, TURN) == Outlet(NAME, 9, world.clock.now(), next_at=world.clock.now() + TURN)
    world.clock.advance(seconds=29)
    assert engine.turn(NAME, TURN) is None
    world.clock.advance(seconds=1)  # whoever took it was killed
    assert engine.turn(NAME, TURN) is not None
    engine.idle(NAME)
    assert engine.turn(NAME, TURN) is not None


def test_a_failure_waits_ever_longer_but_a_minute_at_most(world: World, engine: Outlets) -> None:
    waits = []
    for _ in range(9):
        outlet = engine.failed(NAME, "down")
        assert outlet.next_at is not None
        waits.append((outlet.next_at - world.clock.now()).total_seconds())
        world.clock.at = outlet.next_at
        assert outlet.is_due(world.clock.now())
        assert not outlet.is_due(world.clock.now() - timedelta(microseconds=1))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert max(waits) == LONGEST_WAIT.total_seconds()


def test_a_wait_that_was_asked_for_is_bounded(world: World, engine: Outlets) -> None:
    now = world.clock.now()
    assert engine.failed(NAME, "busy", timedelta(seconds=90)).next_at == now + timedelta(seconds=90)
    assert engine.failed(NAME, "busy", timedelta(days=9)).next_at == now + LONGEST_TURN


def test_a_clock_that_was_wrong_does_not_stop_delivery(world: World, engine: Outlets) -> None:
    world.clock.advance(days=400)
    engine.failed(NAME, "down")
    world.clock.advance(days=-400)
    assert engine.turn(NAME, TURN) is not None


def test_one_entry_tells_of_a_loss_and_one_of_the_return(world: World, engine: Outlets) -> None:
    engine.confirmed(NAME, 3)
    began = world.clock.now()
    for _ in range(240):
        outlet = engine.failed(NAME, "down")
        assert outlet.lost == (world.clock.now() - began >= LOST)
        world.clock.advance(seconds=15)
    assert told(world) == [("outlet.lost", 3)]
    assert engine.confirmed(NAME, 4, caught_up=False).lost
    assert told(world) == [("outlet.lost", 3)]
    assert not engine.confirmed(NAME, 5).lost
    engine.confirmed(NAME, 6)
    assert told(world) == [("outlet.lost", 3), ("outlet.back", 5)]


def test_a_short_failure_is_nothing_to_tell(world: World, engine: Outlets) -> None:
    engine.failed(NAME, "down")
    world.clock.advance(seconds=899)
    engine.failed(NAME, "down")
    engine.confirmed(NAME, 3)
    world.clock.advance(seconds=899)
    assert engine.failed(NAME, "down").failing_since == world.clock.now()
    assert told(world) == []


def test_a_position_never_moves_back(engine: Outlets) -> None:
    engine.confirmed(NAME, 7)
    assert engine.confirmed(NAME, 5).position == 7


def test_what_a_place_outside_says_is_kept_short_and_plain(world: World, engine: Outlets) -> None:
    outlet = engine.failed(NAME, "\x1b[31mred\n\u202egnp.exe" + "x" * 10_000)
    assert outlet.error is not None
    assert outlet.error.startswith("[31mred gnp.exexx")
    assert len(outlet.error) == 200
    assert plain("a\r\nb") == "a b"
    with world.vault.units.read() as unit:
        assert unit.outlets.get(NAME) == outlet


def test_the_entry_of_a_loss_names_what_was_said(world: World, engine: Outlets) -> None:
    engine.failed(NAME, "refused")
    world.clock.advance(minutes=15)
    engine.failed(NAME, "timed out")
    with world.vault.units.read() as unit:
        wanted = EntryFilter(type=EventType.OUTLET_LOST)
        (entry,) = unit.log.page(wanted, Reach(everything=True), Slice(5)).items
    assert entry.content["outcome"] == "failed"
    assert entry.content["detail"] == {
        "outlet": NAME,
        "position": 0,
        "failing_since": "2026-11-23T09:00:00.000000Z",
        "error": "timed out",
    }
