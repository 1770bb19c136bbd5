"""A reveal and a code through the use cases: what they ask of database, disk and keys, and what they cost.

Beside them, in turns: the same number of durable commits by the raw driver and by SQLAlchemy Core, the same
commits with as many durable writes to the log's mark, and the bare call of the key service.
"""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

from tests.bench.counting import Counted, counted
from tests.bench.floors import core_commits, file_syncs, make_floor, raw_commits
from tests.bench.measure import Aim, Result, Table, Times, in_turns, ms
from tests.bench.scenery import build
from vault.crypto.context import Context
from vault.crypto.envelope import decode_wraps
from vault.domain.credential import PartKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.bench.measure import Act
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

COMMITS: Final = 2
STATEMENTS: Final = 12
"""About a dozen: what a reveal may ask of the database."""


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    counts: list[tuple[str | int | float, ...]] = []
    times: list[tuple[str | int | float, ...]] = []
    orders: list[Table] = []
    aims: list[Aim] = []
    for place in places:
        stage = build(place.url(), place.directory, accounts=10)
        made = {name: _count(stage, act) for name, act in (("password", stage.reveal), ("code", stage.code))}
        counts += [
            (place.name, name, c.queries, c.begins, c.commits, c.syncs, c.key_calls)
            for name, c in made.items()
        ]
        found = _times(place, stage, size)
        floor = found["2 commits, Core"].median
        times += [
            (place.name, name, ms(each.median), ms(each.p99), round(each.rate), round(each.median / floor, 2))
            for name, each in found.items()
        ]
        aims += _aims(place.name, made["password"], found)
        orders.append(_order(place.name, made["password"]))
        stage.vault.close()
    return Result(
        "reveal",
        (
            Table(
                "What one disclosure asks for",
                ("database", "disclosure", "statements", "BEGINs", "commits", "mark syncs", "key calls"),
                tuple(counts),
            ),
            Table(
                "What one disclosure takes, one after the other",
                ("database", "what", "median ms", "p99 ms", "a second", "of the Core floor"),
                tuple(times),
            ),
            *orders,
        ),
        tuple(aims),
    )


def _count(stage: Stage, act: Act) -> Counted:
    act()
    with counted(stage.engine, stage.keys) as found:
        act()
    return found


def _times(place: Place, stage: Stage, size: Size) -> Mapping[str, Times]:
    engine = make_floor(place.url())
    with ExitStack() as stack:
        core = core_commits(engine, COMMITS)
        acts = {
            "password": stage.reveal,
            "code": stage.code,
            "2 commits, raw driver": stack.enter_context(raw_commits(engine, COMMITS)),
            "2 commits, Core": core,
            "1 commit, Core": core_commits(engine, 1),
            "2 durable file writes": file_syncs(place.directory, COMMITS),
            "1 key call": _key_call(stage),
        }
        found = in_turns(acts, size.rounds, size.each)
    engine.dispose()
    return found


def _key_call(stage: Stage) -> Act:
    one = stage.operators[0]
    with stage.vault.units.read() as unit:
        version = unit.versions.current(one.account_id, PartKind.PASSWORD)
        assert version is not None
        context = Context(unit.vault_id, version.account_id, version.kind, version.number)
    wraps, pairs = decode_wraps(version.wraps), context.pairs()
    return lambda: stage.vault.keys.unwrap(wraps, pairs)


def _aims(database: str, made: Counted, found: Mapping[str, Times]) -> list[Aim]:
    share = found["2 commits, Core"].median / found["password"].median
    return [
        Aim(
            f"{database}: one key call, two commits",
            (made.key_calls, made.commits) == (1, COMMITS),
            f"{made.key_calls} key calls, {made.commits} commits",
        ),
        Aim(
            f"{database}: at most {STATEMENTS} statements",
            made.queries <= STATEMENTS,
            f"{made.queries} statements",
        ),
        Aim(
            f"{database}: half of the speed of two bare Core commits",
            share >= 0.5,
            f"{share:.2f} of it, one after the other",
        ),
    ]


def _order(database: str, made: Counted) -> Table:
    rows = tuple((number, text[:110]) for number, text in enumerate(made.statements, 1))
    return Table(f"{database}: the statements of a password, in their order", ("", "statement"), rows)
