"""Rows about places outside that somebody else wrote: nothing is believed that cannot be true, and forks are found."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from tests.services.places import FileKeeper
from tests.services.test_feeds import feeds_of, hook_to, indexes
from tests.services.test_feeds import size as size_of
from tests.services.test_publishing import Listener, grow, head, told
from tests.support.places import with_outside
from tests.support.receivers import Hook
from tests.support.world import ORIGIN
from vault.domain.actor import Role
from vault.domain.outlet import Outlet, Published
from vault.errors import Unavailable
from vault.ports.anchors import AnchorFailed
from vault.services.places import PlaceState

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.world import World

FAR = timedelta(days=30_000)


def write(world: World, outlet: Outlet) -> None:
    """Write an outlet's row, as whoever owns the database can."""
    with world.vault.units.write() as unit:
        unit.outlets.put(outlet)
        unit.commit()


@pytest.mark.parametrize("wrong", ["position", "confirmed_at", "next_at"])
def test_a_row_that_cannot_be_true_silences_no_place(world: World, wrong: str) -> None:
    listener = Listener()
    place = with_outside(world, listener)
    olga = world.human("olga", Role.OPERATOR)
    world.held()
    place.vault.publishing.once()
    now, size = world.clock.now(), head(world)
    write(
        world,
        {
            "position": Outlet(listener.name, 10**12, now + FAR),
            "confirmed_at": Outlet(listener.name, size, now + FAR),
            "next_at": Outlet(listener.name, size, now, next_at=now + FAR),
        }[wrong],
    )
    with world.vault.units.read() as unit:
        assert place.vault.anchored.since(unit, now) is not None
    (shown,) = [each for each in place.vault.places.standing().places if each.outlet.name == listener.name]
    assert (shown.state, shown.lag) == (PlaceState.FAILING, size)
    world.clock.advance(minutes=16)
    lease = place.lease(olga, reason="CRED_ROTATE")
    with pytest.raises(Unavailable) as closed:
        place.vault.reveals.password(olga.actor, lease.id)
    assert closed.value.code == "log.unanchored"
    before = len(listener.confirmed)
    place.vault.publishing.once()
    assert len(listener.confirmed) == before + 1
    place.vault.reveals.password(olga.actor, lease.id)
    assert told(world) == ["outlet.lost", "outlet.back"]
    with world.vault.units.read() as unit:
        row = unit.outlets.get(listener.name)
    assert row is not None
    assert row.doubt(head(world), world.clock.now()) is None


def test_a_fork_in_a_place_is_found_within_a_minute_though_nothing_is_due(
    world: World, tmp_path: Path
) -> None:
    keeper = FileKeeper(tmp_path / "disk")
    keeper.up()
    place = with_outside(world, keeper.anchor(world))
    publishing = place.vault.publishing
    publishing.once()
    log = world.vault.units.log  # type: ignore[attr-defined]  # the store behind the port
    fork = log.signer.sign(Checkpoint(ORIGIN, head(world) + 1, b"x" * 32).format())
    (anchor,) = publishing.anchors

    class Forked:
        """The place, with a fork in it."""

        name = anchor.name
        confirm = anchor.confirm

        def latest(self, near: int) -> Sequence[str]:
            """Give the fork as well."""
            return [*anchor.latest(near), fork]

    write(
        world,
        Outlet(anchor.name, head(world), world.clock.now(), next_at=world.clock.now() + timedelta(minutes=5)),
    )
    assert publishing.deliver(Forked()) is None  # it was looked at just now
    world.clock.advance(minutes=1)
    with pytest.raises(Unavailable) as found:
        publishing.deliver(Forked())
    assert found.value.code == "log.rolled_back"


def test_a_place_that_cannot_be_looked_at_fails_once_a_minute_and_is_confirmed_when_back(
    world: World,
) -> None:
    asked: list[int] = []

    class Gone(Listener):
        """A place that answers while it is not down."""

        down = False

        def latest(self, near: int) -> Sequence[str]:
            """Answer."""
            asked.append(near)
            if self.down:
                raise AnchorFailed("gone")
            return ()

    gone = Gone()
    place = with_outside(world, gone)
    place.vault.publishing.once()
    gone.down = True
    world.clock.advance(minutes=1)
    outlet = place.vault.publishing.deliver(gone)
    assert outlet is not None
    assert outlet.error == "gone"
    count = len(asked)
    assert place.vault.publishing.deliver(gone) is None
    assert len(asked) == count
    gone.down = False
    world.clock.advance(seconds=2)
    back = place.vault.publishing.deliver(gone)
    assert back is not None
    assert (back.error, back.position) == (None, head(world))


def test_a_garbage_published_row_holds_nothing_up(world: World) -> None:
    listener = Listener()
    place = with_outside(world, listener)
    publishing = place.vault.publishing
    publishing.once()
    size = grow(world)
    with world.vault.units.write() as unit:
        for wrong in (size, size + 1, 10**12):
            unit.published.add(Published(wrong, "garbage", world.clock.now() + FAR))
        unit.commit()
    world.clock.advance(seconds=5)
    made = publishing.publish()
    assert made is not None
    assert made.size == size
    publishing.once()
    assert listener.confirmed[-1] == size
    with world.vault.units.read() as unit:
        latest = unit.published.latest()
        assert latest is not None
        assert (latest.size, latest.note) == (made.size, made.note)
        assert unit.published.doubted() == (10**12, size + 1)


def test_a_feed_whose_row_says_too_much_begins_anew_and_the_log_tells_of_it(world: World) -> None:
    with Hook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        feeds.deliver(feed)
        sent = len(hook.taken)
        write(world, Outlet(feed.name, 10**12, world.clock.now()))
        (standing,) = feeds.standings()
        assert standing.lag == size_of(world)
        while feeds.deliver(feed):
            pass
    assert indexes(hook)[sent:] == list(range(size_of(world)))
    assert told(world) == ["outlet.lost", "outlet.back"]
