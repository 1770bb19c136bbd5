"""What it costs to compute the health of every credential, the board and the recovery score, and how that grows.

All credentials are old enough to be overdue, so that all of them are on the board. Each list is read as a page of 50.
"""

from __future__ import annotations

import time
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.bench.counting import counted
from tests.bench.measure import Aim, Result, Table, in_turns_of, ms
from tests.bench.places import TINY
from tests.bench.scenery import account_id, build
from vault.domain.actor import Role
from vault.ports.store import Slice
from vault.services.healths import HealthFilter

if TYPE_CHECKING:
    from tests.bench.measure import Act, Cell
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

ACCOUNTS: Final = (500, 1_000, 5_000)
FEW: Final = (10, 30)
EVERY: Final = HealthFilter()
TIMES: Final = 5
MILLISECONDS: Final = 1_000
"""What a page may take of a processor with the most accounts."""


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    scales = FEW if size is TINY else ACCOUNTS
    tables: list[Table] = []
    aims: list[Aim] = []
    for place in places:
        room = place.room("health")
        stage = build(room.url(), room.directory, accounts=scales[0])
        stage.clock.at += timedelta(days=400)
        rows: list[tuple[Cell, ...]] = []
        for scale in scales:
            stage.add_accounts(stage.accounts, scale - stage.accounts)
            rows += _measured(stage, scale)
        stage.vault.close()
        columns = ("what", "accounts", "statements", "processor ms", "longest ms")
        tables.append(Table(place.name, columns, tuple(rows)))
        aims += _aims(place.name, rows)
    return Result("health", tuple(tables), tuple(aims))


def _acts(stage: Stage) -> dict[str, Act]:
    vault, who = stage.vault, stage.actor(Role.OPERATOR)
    return {
        "one account": lambda: vault.healths.get(who, account_id(1)),
        "health": lambda: vault.healths.page(who, EVERY, Slice(50)),
        "board": lambda: vault.board.page(who, EVERY, None, Slice(50)),
        "recovery score": lambda: vault.recoverables.page(who, EVERY, None, None, Slice(50)),
    }


def _measured(stage: Stage, scale: int) -> list[tuple[Cell, ...]]:
    acts = _acts(stage)
    statements = {}
    for name, act in acts.items():
        act()
        with counted(stage.engine, stage.keys) as found:
            act()
        statements[name] = found.queries
    times = in_turns_of({name: partial(_processor, act) for name, act in acts.items()}, TIMES)
    return [
        (name, scale, statements[name], ms(times[name].median), ms(max(times[name].seconds))) for name in acts
    ]


def _processor(act: Act) -> float:
    """Give the processor seconds of this process that an act takes: other programs run on the machine."""
    began = time.process_time()
    act()
    return time.process_time() - began


def _aims(place: str, rows: list[tuple[Cell, ...]]) -> list[Aim]:
    asked: dict[Cell, set[Cell]] = {}
    for name, _, statements, *_times in rows:
        asked.setdefault(name, set()).add(statements)
    same = all(len(each) == 1 for each in asked.values())
    slowest = max(float(row[3]) for row in rows)
    return [
        Aim(f"{place}: as many statements for all as for few", same, str(asked)),
        Aim(f"{place}: a page within {MILLISECONDS} ms", slowest <= MILLISECONDS, f"{slowest} ms at most"),
    ]
