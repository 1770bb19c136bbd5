"""The copy of the whole log outside: full tiles as they fill up, and at least hourly what is left at the edge.

Decided here: order and pace. A full tile never changes, so it is copied once; the partial ones at the right edge
are copied with it, or when an hour has passed, so that the copy is whole up to then. What is copied confirms
nothing: that is the checkpoints' affair. A row that says more than the log has is not believed: all is copied again,
and what is there already has to hold the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audit.tile import HEIGHT, WIDTH, Tile
from vault.ports.anchors import AnchorFailed
from vault.services.outlets import believed
from vault.services.publishing import TURN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.domain.outlet import Outlet
    from vault.ports.anchors import Copy
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.outlets import Outlets

BUNDLES_MOST: Final = 32
"""Bundles of entries in one turn, at most: a long log is copied in many."""

EDGE_AGAIN: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Offsite:
    """The worker's use case on copies."""

    units: Units
    outlets: Outlets
    clock: Clock
    places: tuple[Copy, ...] = ()

    def once(self, place: Copy) -> Outlet | None:
        """Copy what is due to one place; give what came of it, None where nothing is due."""
        now = self.clock.now()
        with self.units.read() as unit:
            newest, outlet = unit.published.latest(), believed(unit, place.name, now)
        if newest is None or newest.size <= outlet.position or not outlet.is_due(now):
            return None
        stop = min(newest.size, (outlet.position // WIDTH + BUNDLES_MOST) * WIDTH)
        tiles = list(full_tiles(outlet.position, stop))
        waited = outlet.confirmed_at is None or now - outlet.confirmed_at >= EDGE_AGAIN
        is_last = stop == newest.size
        if is_last and (tiles or waited):
            tiles += edge_tiles(stop)
        if not tiles or self.outlets.turn(place.name, TURN) is None:
            return None
        try:
            for tile in tiles:
                self._copy(place, tile)
        except AnchorFailed as failure:
            return self.outlets.failed(place.name, failure.words)
        return self.outlets.confirmed(place.name, stop, caught_up=is_last)

    def _copy(self, place: Copy, tile: Tile) -> None:
        with self.units.read() as unit:
            content = unit.log.tile(tile.path)
        if content is None:
            raise AnchorFailed(f"the log has no {tile.path}")
        place.put(tile.path, content)


def full_tiles(start: int, stop: int) -> Iterator[Tile]:
    """Give the full tiles that a tree of `stop` entries has and one of `start` has not, the leaves first."""
    yield from (Tile(None, n) for n in range(start // WIDTH, stop // WIDTH))
    level = 0
    while stop >> (HEIGHT * (level + 1)):
        shift = HEIGHT * (level + 1)
        yield from (Tile(level, n) for n in range(start >> shift, stop >> shift))
        level += 1


def edge_tiles(size: int) -> Iterator[Tile]:
    """Give the partial tiles of a tree."""
    if size % WIDTH:
        yield Tile(None, size // WIDTH, size % WIDTH)
    level, count = 0, size
    while count:
        if count % WIDTH:
            yield Tile(level, count // WIDTH, count % WIDTH)
        level, count = level + 1, count >> HEIGHT
