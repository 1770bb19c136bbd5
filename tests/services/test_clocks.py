"""Clocks are compared every hour, and nothing is disclosed while they are too far apart."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from audit.note import Cosigner
from audit.signatures import merge
from tests.support.events import entries
from vault.adapters.kernel_clock import KernelClock
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType, Result
from vault.domain.outlet import Published
from vault.errors import Unavailable
from vault.ports.daily import Synchronised
from vault.services.clocks import ACTOR, Clocks, Timely

if TYPE_CHECKING:
    from tests.support.world import World

SECOND = timedelta(seconds=1)


@dataclass(slots=True)
class Shifted:
    """The machine's clock, wrong by so much."""

    by: timedelta = timedelta(0)

    def now(self) -> datetime:
        """Give the wrong time."""
        return datetime.now(UTC) + self.by


@dataclass(frozen=True, slots=True)
class Told:
    """A kernel that says what it is told to."""

    said: Synchronised = Synchronised.UNKNOWN

    def synchronised(self) -> Synchronised:
        """Say it."""
        return self.said


@dataclass(slots=True)
class Watch:
    """Clocks of a world, with a clock that can be wrong."""

    world: World
    clock: Shifted = field(default_factory=Shifted)

    def once(self) -> None:
        """Compare."""
        Clocks(self.world.vault.units, self.clock, Told(Synchronised.YES)).once()

    def last(self) -> dict[str, object]:
        """Give the newest entry about clocks."""
        return entries(self.world, type="clock.status")[-1]


@pytest.fixture
def watch(world: World) -> Watch:
    """Lend them; the world's own clock goes with the machine's."""
    world.clock.at = datetime.now(UTC)
    return Watch(world)


def is_sqlite(world: World) -> bool:
    """Say whether the database has no clock of its own."""
    return bool(world.vault.units.engine.dialect.name == "sqlite")  # type: ignore[attr-defined]  # the SQL units


def test_clocks_are_compared_once_an_hour(watch: Watch) -> None:
    watch.once()
    watch.once()
    assert len(entries(watch.world, type="clock.status")) == 1
    entry = watch.last()
    assert entry["outcome"] == "success"
    detail = entry["detail"]
    assert isinstance(detail, dict)
    assert detail["kernel_synchronised"] == "yes"
    assert detail["witnesses"] == 0
    assert (detail.get("database_ms") is None) == is_sqlite(watch.world)
    assert 0 <= detail["farthest_ms"] < 1_000
    watch.clock.by = timedelta(hours=1, seconds=1)
    watch.once()
    assert len(entries(watch.world, type="clock.status")) == 2


@pytest.mark.parametrize("by", [5 * SECOND, -5 * SECOND])
def test_a_clock_that_differs_from_the_database_s_is_a_failure(watch: Watch, by: timedelta) -> None:
    watch.clock.by = by
    watch.once()
    entry = watch.last()
    if is_sqlite(watch.world):
        assert entry["outcome"] == "success"
        return
    assert entry["outcome"] == "failed"
    detail = entry["detail"]
    assert isinstance(detail, dict)
    assert abs(detail["database_ms"] + by / timedelta(milliseconds=1)) < 500


def confirm(world: World, at: datetime, sworn: datetime) -> None:
    """Let a witness have confirmed the newest checkpoint: at our time, by its own."""
    witness = Cosigner.generate("witness.example/w1")
    with world.vault.units.write() as unit:
        note = unit.log.checkpoint()
        size = int(note.split("\n")[1])
        text = note.partition("\n\n")[0] + "\n"
        line = witness.line(text, int(sworn.timestamp()))
        unit.published.add(Published(size, merge(note, line), at))
        unit.outlets.put(
            replace(unit.outlets.claim("witness/witness.example/w1"), position=size, confirmed_at=at)
        )
        unit.commit()


@pytest.mark.parametrize(("by", "outcome"), [(0, "success"), (2, "success"), (10, "failed"), (-10, "failed")])
def test_a_witness_that_swears_to_another_time_is_told_of(watch: Watch, by: int, outcome: str) -> None:
    now = datetime.now(UTC)
    confirm(watch.world, now, now + by * SECOND)
    watch.once()
    entry = watch.last()
    detail = entry["detail"]
    assert isinstance(detail, dict)
    assert (entry["outcome"], detail["witnesses"]) == (outcome, 1)


def status(world: World, at: datetime, witnesses_apart_ms: int) -> None:
    """Write an entry about clocks."""
    with world.vault.units.write() as unit:
        detail = {"witnesses_apart_ms": witnesses_apart_ms, "farthest_ms": witnesses_apart_ms}
        unit.log.record(Event(EventType.CLOCK_STATUS, ACTOR, Result.FAILED, detail=detail), at)
        unit.commit()


def test_nothing_is_disclosed_while_clocks_are_too_far_apart(watch: Watch) -> None:
    world = watch.world
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, reason="CRED_ROTATE")
    timely = Timely(watch.clock, 60 * SECOND)
    reveals = replace(world.vault.reveals, timely=timely)
    assert reveals.password(alice.actor, lease.id).value.expose()
    status(world, world.clock.now(), 61_000)
    # within the minute the process believes what it saw
    assert reveals.password(alice.actor, lease.id).value.expose()
    world.clock.advance(seconds=61)
    for _ in range(2):
        with pytest.raises(Unavailable) as caught:
            reveals.password(alice.actor, lease.id)
        assert caught.value.code == "clock.wrong"
    refused = entries(world, type="secret.reveal.refused")
    assert [entry["detail"]["code"] for entry in refused] == ["clock.wrong"] * 2
    rotations = replace(world.vault.rotations, reveals=reveals)
    planned = rotations.plan(alice.actor, lease.id, PartKind.PASSWORD)
    with pytest.raises(Unavailable):
        rotations.display(alice.actor, planned.id)
    # as soon as the next hour finds them together, it goes on
    status(world, world.clock.now(), 0)
    assert reveals.password(alice.actor, lease.id).value.expose()


def test_a_machine_whose_clock_was_set_wrong_discloses_nothing_beside_a_database_that_knows(
    watch: Watch,
) -> None:
    world = watch.world
    world.held()
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, reason="CRED_ROTATE")
    watch.clock.by = timedelta(minutes=5)
    reveals = replace(world.vault.reveals, timely=Timely(watch.clock, 60 * SECOND))
    if is_sqlite(world):
        assert reveals.password(alice.actor, lease.id).value.expose()
        return
    with pytest.raises(Unavailable) as caught:
        reveals.password(alice.actor, lease.id)
    assert caught.value.code == "clock.wrong"


def test_the_kernel_is_asked_and_never_raises() -> None:
    assert KernelClock().synchronised() in set(Synchronised)
