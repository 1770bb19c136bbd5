"""Whether a reveal costs the same however much there is: accounts, and entries of the log.

Vaults of every size stand side by side and take turns, so that the machine's drift is the same for all.
Statements are counted as well: their number may not grow at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.bench.counting import counted
from tests.bench.measure import Aim, Result, Table, in_turns, ms, spread
from tests.bench.scenery import build

if TYPE_CHECKING:
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

FLAT: Final = 0.10


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    tables: list[Table] = []
    aims: list[Aim] = []
    for place in places:
        for what, scales in (("accounts", size.accounts), ("entries", size.entries)):
            stages = {f"{scale:,} {what}": _stage(place, what, scale) for scale in scales}
            statements = {name: _statements(stage) for name, stage in stages.items()}
            found = in_turns(
                {name: stage.reveal for name, stage in stages.items()}, size.rounds * size.each // 2, 2
            )
            first = next(iter(found.values())).median
            tables.append(
                Table(
                    f"{place.name}: a reveal among so many {what}",
                    ("there are", "median ms", "p99 ms", "of the first", "statements"),
                    tuple(
                        (name, ms(each.median), ms(each.p99), round(each.median / first, 3), statements[name])
                        for name, each in found.items()
                    ),
                )
            )
            by = spread([each.median for each in found.values()])
            flat = by <= FLAT and len(set(statements.values())) == 1
            words = f"medians differ by {by:.0%}, statements {sorted(set(statements.values()))}"
            aims.append(Aim(f"{place.name}: flat within {FLAT:.0%} over {what}", flat, words))
            for stage in stages.values():
                stage.vault.close()
    return Result("flat", tuple(tables), tuple(aims))


def _stage(place: Place, what: str, scale: int) -> Stage:
    room = place.room(f"{what}-{scale}")
    stage = build(room.url(), room.directory, accounts=scale if what == "accounts" else 10)
    if what == "entries" and scale:
        stage.grow_to(scale)
    return stage


def _statements(stage: Stage) -> int:
    stage.reveal()
    with counted(stage.engine, stage.keys) as found:
        stage.reveal()
    return found.queries
