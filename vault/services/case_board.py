"""The board of cases: every open one in sight with where it waits, on whom and since when; mine first.

Decided here: the order is made of all open cases in sight at each reading: first those that wait for the reader, then
by how long the oldest step has waited. Cases that ended are listed as they began, newest first. What is counted of a
case is what of it is in the reader's scope.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.case import CaseKind, PlaceState
from vault.domain.outlook import Standing
from vault.ports.cases import CaseFilter
from vault.ports.store import Slice
from vault.services.healths import bad_cursor

if TYPE_CHECKING:
    from vault.domain.account import Customer
    from vault.domain.actor import Actor
    from vault.domain.case import CaseFile, Scene
    from vault.domain.outlook import Item
    from vault.domain.policy import Permission
    from vault.ports.store import Unit
    from vault.services.case_ground import CaseView
    from vault.services.case_views import CaseReading

MINE: Final = "mine"
_PIECE: Final = 100
_CURSOR: Final = re.compile(r"([01])\.([0-9]{1,20})\.([0-9a-f-]{36})", re.ASCII)
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)
_TICK: Final = timedelta(microseconds=1)
_SETTLED: Final = frozenset({Standing.DONE, Standing.WAIVED})


@dataclass(frozen=True, slots=True)
class BoardCase:
    """One case on the board; `oldest` is what has waited longest, `mine` what of it waits longest for the reader.

    `turns` counts what waits by the permission of whoever is next; `day` is the next day that an account waits for.
    """

    case: CaseFile
    customer: Customer
    accounts: int
    done: int
    steps: int
    oldest: Item | None
    mine: Item | None
    turns: Mapping[Permission, int]
    day: datetime | None = None


@dataclass(frozen=True, slots=True)
class BoardOfCases:
    """A page of the board; `counts` are all cases in sight by kind and state."""

    items: tuple[BoardCase, ...]
    counts: Mapping[tuple[CaseKind, str], int]
    next: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which cases; `turn` is `mine`, or the permission of whoever is next; None does not narrow."""

    cases: CaseFilter = CaseFilter(is_open=True)  # noqa: RUF009 - it is frozen
    turn: Permission | str | None = None


@dataclass(frozen=True, slots=True)
class CaseBoard:
    """The use case of the board."""

    reading: CaseReading

    def page(self, actor: Actor, wanted: Wanted, part: Slice) -> BoardOfCases:
        """List cases in sight; raise `Invalid` cursor.invalid."""
        ground = self.reading.ground
        now, reach = ground.clock.now(), ground.reach(actor)
        with ground.units.read() as unit:
            counts = unit.cases.counts(reach)
            if wanted.cases.is_open is not True:
                page = unit.cases.page(reach, wanted.cases, part)
                views = [ground.view(each, now) for each in unit.cases.scenes(page.items)]
                shown = tuple(self._row(actor, each) for each in views)
                return BoardOfCases(shown, counts, page.next)
            rows = [self._row(actor, each) for each in self._open(unit, actor, wanted.cases, now)]
        after = _after(part.cursor)
        ordered = sorted((row for row in rows if _fits(row, wanted.turn)), key=_key)
        rest = ordered if after is None else [row for row in ordered if _key(row) > after]
        shown = tuple(rest[: part.limit])
        following = _cursor(shown[-1]) if len(rest) > len(shown) else None
        return BoardOfCases(shown, counts, following)

    def waiting(self, actor: Actor, most: int) -> tuple[tuple[BoardCase, ...], int]:
        """Give the cases that wait for somebody, the longest first, `most` at most, and how many there are."""
        found = [each for each in self.page(actor, Wanted(turn=MINE), Slice(_PIECE)).items if each.mine]
        return tuple(found[:most]), len(found)

    def of_account(self, actor: Actor, account_id: str) -> BoardCase | None:
        """Find the open case in sight that has an account."""
        ground = self.reading.ground
        with ground.units.read() as unit:
            case = unit.cases.open_of((account_id,)).get(account_id)
            scene = None if case is None else unit.cases.scene(case)
        if scene is None or not ground.sees(actor, scene):
            return None
        return self._row(actor, ground.view(scene, ground.clock.now()))

    def _open(self, unit: Unit, actor: Actor, wanted: CaseFilter, now: datetime) -> list[CaseView]:
        found: list[CaseView] = []
        reach, cursor = self.reading.ground.reach(actor), None
        while True:
            page = unit.cases.page(reach, wanted, Slice(_PIECE, cursor))
            found += [self.reading.ground.view(each, now) for each in unit.cases.scenes(page.items)]
            cursor = page.next
            if cursor is None:
                return found

    def _row(self, actor: Actor, view: CaseView) -> BoardCase:
        seen = self.reading.ground.narrowed(actor, view)
        reader = self.reading.reader(actor)
        waits = seen.waits
        mine = next((each for each in waits if reader.is_next(seen.scene, each)), None)
        turns = Counter(each.who for each in waits if each.who is not None)
        done = sum(each.standing in _SETTLED for each in seen.items)
        oldest = waits[0] if waits else None
        scene = seen.scene
        return BoardCase(
            scene.case,
            scene.customer,
            len(scene.live),
            done,
            len(seen.items),
            oldest,
            mine,
            turns,
            next_day(scene),
        )


def next_day(scene: Scene) -> datetime | None:
    """Give the first day of those accounts that have theirs before them."""
    waiting = (each for each in scene.live.values() if each.state is PlaceState.SCHEDULED)
    return min((each.day for each in waiting if each.day is not None), default=None)


def _fits(row: BoardCase, turn: Permission | str | None) -> bool:
    if turn is None:
        return True
    return row.mine is not None if turn == MINE else turn in row.turns


def _key(row: BoardCase) -> tuple[int, int, str]:
    """Order: the reader's first, then what has waited longest; what waits for nobody stands by its opening."""
    item = row.mine or row.oldest
    since = row.case.opened_at if item is None else item.since
    return (0 if row.mine else 1, (since - _START) // _TICK, row.case.id)


def _cursor(row: BoardCase) -> str:
    return ".".join(map(str, _key(row)))


def _after(cursor: str | None) -> tuple[int, int, str] | None:
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise bad_cursor()
    return (int(found[1]), int(found[2]), found[3])
