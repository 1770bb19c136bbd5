"""The daily summary: every day that had entries, once, in order, with counts that an account's auditor can use."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from audit.entry import LONGEST
from tests.support.events import entries
from tests.support.replay import check_replay, replayed
from vault.domain.actor import Role, system_actor
from vault.domain.event import Event, EventType, Result
from vault.services import days

if TYPE_CHECKING:
    import pytest

    from tests.support.world import World

ONE, OTHER = "111122223333", "444455556666"


def note(world: World, account: str | None = None, result: Result = Result.SUCCESS) -> None:
    """Write an entry."""
    with world.vault.units.write() as unit:
        event = Event(EventType.ACCOUNT_CHANGED, system_actor("test"), result, account_id=account)
        unit.log.record(event, world.clock.now())
        unit.commit()


def summaries(world: World) -> list[dict[str, Any]]:
    """Give the details of all summaries, oldest first."""
    return [entry["detail"] for entry in entries(world, type="log.day")]


def test_no_day_is_summed_up_before_it_ended(world: World) -> None:
    note(world)
    assert world.vault.days.once() == 0
    assert summaries(world) == []


def test_each_day_is_summed_up_once_and_in_order(world: World) -> None:
    for account in (ONE, ONE, OTHER, None):
        note(world, account)
    note(world, ONE, Result.DENIED)
    world.clock.advance(days=3)
    note(world, OTHER)
    world.clock.advance(days=1)
    assert world.vault.days.once() == 2
    assert world.vault.days.once() == 0
    first, second = summaries(world)
    assert (first["day"], second["day"]) == ("2026-11-23", "2026-11-26")
    assert first["accounts"] == f"{ONE}:3 {OTHER}:2"
    assert second["accounts"] == f"{OTHER}:2"
    assert (first["first"], first["until"]) == (0, second["first"])
    assert first["entries"] == first["until"]
    assert first["denied"] == 1
    assert sum(first[result.value] for result in Result) == first["entries"]
    assert (first["accounts_told"], second["accounts_told"]) == (2, 1)
    world.clock.advance(days=1)
    assert world.vault.days.once() == 1
    # every entry is in exactly one day
    told = summaries(world)
    assert [each["first"] for each in told[1:]] == [each["until"] for each in told[:-1]]
    assert {entry["actor"]["id"] for entry in entries(world, type="log.day")} == {"system:worker"}
    check_replay(world)


def test_an_entry_that_comes_late_is_in_the_day_in_which_it_came(world: World) -> None:
    note(world)
    world.clock.advance(days=1)
    note(world)
    world.clock.advance(days=-1, minutes=5)
    note(world, ONE)
    world.clock.advance(days=3)
    assert world.vault.days.once() == 2
    first, second = summaries(world)
    assert first["accounts"] == ""
    assert second["accounts"] == f"{ONE}:1"
    assert second["until"] - second["first"] == second["entries"] == 2
    check_replay(world)


def test_two_workers_sum_up_a_day_once(world: World) -> None:
    for _ in range(3):
        note(world, ONE)
        world.clock.advance(days=1)
    done: list[int] = []
    threads = [threading.Thread(target=lambda: done.append(world.vault.days.once())) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == len(summaries(world)) == 3
    assert len({each["day"] for each in summaries(world)}) == 3


def test_a_day_with_many_accounts_takes_several_entries(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(days, "ACCOUNTS_AN_ENTRY", 2)
    numbers = [f"{number:012}" for number in range(1, 6)]
    for number in numbers:
        note(world, number)
    world.clock.advance(days=1)
    world.vault.days.once()
    told = summaries(world)
    assert [(each["part"], each["parts"]) for each in told] == [(1, 3), (2, 3), (3, 3)]
    assert " ".join(each["accounts"] for each in told).split() == [f"{number}:1" for number in numbers]


def test_the_largest_summary_fits_into_an_entry(world: World) -> None:
    pairs = " ".join(f"{number:012}:9999999999" for number in range(days.ACCOUNTS_AN_ENTRY))
    with world.vault.units.write() as unit:
        event = Event(EventType.LOG_DAY, days.ACTOR, detail={"accounts": pairs, "day": "2026-11-23"})
        receipt = unit.log.record(event, world.clock.now())
        entry = unit.log.entry(receipt.index)
    assert entry is not None
    assert 50_000 < len(entry.leaf) <= LONGEST


def test_replay_holds_a_summary_to_the_account_s_own_count(world: World) -> None:
    world.human("alice", Role.OPERATOR)
    note(world, ONE)
    world.clock.advance(days=1)
    world.vault.days.once()
    assert check_replay(world).count == 0
    with world.vault.units.write() as unit:
        event = Event(EventType.LOG_DAY, days.ACTOR, detail={"accounts": f"{ONE}:7", "day": "2026-11-24"})
        unit.log.record(event, world.clock.now() + timedelta(seconds=1))
        unit.commit()

    differences = replayed(world.vault.units.engine).differences  # type: ignore[attr-defined]  # the SQL units
    (found,) = (each for each in differences if each.entity == "account")
    assert (found.id, found.log, found.database) == (ONE, "1", "7")
