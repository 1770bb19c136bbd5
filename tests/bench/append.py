"""Appending to the log from one process and from eight, beside the bare row lock that orders them.

Writers are processes of their own, forked before they open anything; they take turns in what they do, all
at once. Compared are: an entry by a unit of work, with the mark outside the database moved; the same without the
mark; and the floor, the same lock, insert and update without hashes, signature and triggers.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from tests.bench.floors import core_commits, make_floor
from tests.bench.measure import Aim, Result, Table, Times, ms
from tests.bench.scenery import account_id, build, open_generous
from vault.adapters.db import SqlUnits, engine_for
from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType
from vault.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    from tests.bench.places import Place, Size
    from vault.settings import Settings

HALF: Final = 0.5
MARKED: Final = "an entry, mark moved"
UNMARKED: Final = "an entry, no mark"
FLOOR: Final = "the bare row lock"
ACTS: Final = (MARKED, UNMARKED, FLOOR)
LEAD: Final = 0.3
"""Seconds between the word and the start, so that all writers start together."""


@dataclass(frozen=True, slots=True)
class Order:
    """What writers do, from when until when (by the clock that all processes share)."""

    act: str
    begin: float
    end: float


@dataclass(frozen=True, slots=True)
class Done:
    """What a writer did: seconds of each act, and how often it was told to come back later."""

    seconds: tuple[float, ...]
    refused: int


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    rows: list[tuple[str | int | float, ...]] = []
    aims: list[Aim] = []
    for place in places:
        room = place.room("append")
        stage = build(room.url(), room.directory, accounts=max(size.writers))
        stage.vault.close()
        floor_url = room.url()
        make_floor(floor_url).dispose()
        for writers in size.writers:
            found = _measured(stage.settings, floor_url, writers, size)
            floor = found[FLOOR][0]
            rows += [
                (
                    place.name,
                    writers,
                    name,
                    round(rate),
                    ms(times.median),
                    ms(times.p99),
                    round(rate / floor, 2),
                    refused,
                )
                for name, (rate, times, refused) in found.items()
            ]
            share = found[MARKED][0] / floor
            name = f"{place.name}: {writers} writer(s) append at half the speed of the bare row lock"
            aims.append(Aim(name, share >= HALF, f"{share:.2f} of it"))
    columns = ("database", "writers", "what", "a second", "p50 ms", "p99 ms", "of the floor", "told to wait")
    return Result("append", (Table("Durable entries by processes", columns, tuple(rows)),), tuple(aims))


def _measured(
    settings: Settings, floor_url: str, writers: int, size: Size
) -> dict[str, tuple[float, Times, int]]:
    context = multiprocessing.get_context("fork")
    ends: list[Connection[Order | None, Done]] = []
    processes = []
    for number in range(writers):
        ours, theirs = context.Pipe()
        process = context.Process(target=write, args=(theirs, settings, floor_url, number), daemon=True)
        process.start()
        processes.append(process)
        ends.append(ours)
    for end in ends:
        end.recv()  # opened and ready
    done: dict[str, list[Done]] = {name: [] for name in ACTS}
    turns = max(1, size.rounds // 4)
    for turn in range(turns):
        for name in ACTS[:: 1 if turn % 2 == 0 else -1]:
            begin = time.monotonic() + LEAD
            for end in ends:
                end.send(Order(name, begin, begin + size.seconds))
            done[name] += [end.recv() for end in ends]
    for end in ends:
        end.send(None)
    for process in processes:
        process.join()
    return {
        name: (
            sum(len(each.seconds) for each in found) / (turns * size.seconds),
            Times(tuple(second for each in found for second in each.seconds)),
            sum(each.refused for each in found),
        )
        for name, found in done.items()
    }


def write(end: Connection[Done, Order | None], settings: Settings, floor_url: str, number: int) -> None:
    """Be one writer until told to stop."""
    vault = open_generous(settings)
    units = vault.units
    assert isinstance(units, SqlUnits)
    acts: dict[str, Callable[[], None]] = {
        MARKED: lambda: _append(units, number),
        UNMARKED: lambda: _append(replace(units, mark=None), number),
    }
    floor = engine_for(floor_url)
    acts[FLOOR] = core_commits(floor, 1)  # type: ignore[assignment]  # what it returns is not looked at
    for act in acts.values():
        act()
    end.send(Done((), 0))
    while (order := end.recv()) is not None:
        end.send(_turn(acts[order.act], order))
    floor.dispose()
    vault.close()


def _turn(act: Callable[[], None], order: Order) -> Done:
    seconds: list[float] = []
    refused = 0
    time.sleep(max(0.0, order.begin - time.monotonic()))
    while (began := time.monotonic()) < order.end:
        try:
            act()
        except Unavailable:
            refused += 1
            continue
        seconds.append(time.monotonic() - began)
    return Done(tuple(seconds) or (order.end - order.begin,), refused)


def _append(units: SqlUnits, number: int) -> None:
    now = datetime.now(UTC)
    event = Event(EventType.ACCESS_DENIED, system_actor("bench"), account_id=account_id(number))
    with units.write() as unit:
        unit.log.record(event, now)
        unit.commit()
