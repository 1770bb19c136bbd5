"""Many rotations wait at once: looked at by few statements however many, and each proven by its own record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, insert, select

from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, Desk
from tests.support.trails import found_at, root
from tests.support.world import make_world
from vault.adapters.db import tables
from vault.adapters.db.outside import cloud_event
from vault.domain.actor import Reach
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.services import proving
from vault.services.contradicting import contradicted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine, Table

    from tests.support.world import World


@pytest.fixture
def waiting(tmp_path: Path) -> Iterator[Desk]:
    """Lend a desk with one rotation that waits, and the record that proves it; its rows are cloned by the back door."""
    world = make_world(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path)
    desk = Desk(world, AwsConsole(tmp_path / "aws.json")).held()
    lease = desk.lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.PASSWORD)
    desk.show(desk.alice, rotation)
    at = world.clock.now()
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    desk.check_in(desk.alice, lease)
    found_at(world.vault, tmp_path / "trail", [root(NUMBER, at, "PasswordUpdated")], at)
    yield desk
    world.close()


def engine_of(world: World) -> Engine:
    """Give the database behind a world."""
    found: Engine = world.vault.units.engine  # type: ignore[attr-defined]  # the adapter's own
    return found


def clone(engine: Engine, first: int, many: int, *, records: bool = True) -> None:
    """Plant the account with all that is kept of it so many times more, from a number on."""
    whole: tuple[tuple[Table, str], ...] = (
        (tables.root_email, "account_id"),
        (tables.account, "id"),
        (tables.part, "account_id"),
        (tables.version, "account_id"),
        (tables.checkout, "account_id"),
        (tables.reveal, "account_id"),
        (tables.rotation, "account_id"),
        *(((cloud_event, "account_id"),) if records else ()),
    )
    with engine.begin() as connection:
        rows = {
            table.name: connection.execute(select(table).where(table.c[key] == NUMBER)).mappings().all()
            for table, key in whole
        }
        for table, _ in whole:
            planted: list[dict[str, Any]] = []
            for number in (f"{each:012}" for each in range(first, first + many)):
                for row in rows[table.name]:
                    told = {name: _other(name, value, number) for name, value in row.items()}
                    planted.append(told)
            connection.execute(insert(table), planted)


def _other(name: str, value: Any, number: str) -> Any:
    """Give a column's value as that of the account `number`."""
    if not isinstance(value, str):
        return value
    if name in {"id", "checkout_id", "attested_in", "event_id"} and value != NUMBER:
        return f"{value[:24]}{number}"
    return value.replace(NUMBER, number)


def counted(engine: Engine) -> list[str]:
    """List the statements that a database is asked from now on."""
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    return statements


def test_looking_takes_the_same_statements_for_many_as_for_few(waiting: Desk) -> None:
    world, engine = waiting.world, engine_of(waiting.world)
    clone(engine, 900_000_000_000, 20)
    statements = counted(engine)
    assert world.vault.proving.once().verified == 0
    few = len(statements)
    clone(engine, 900_000_000_020, 130)
    statements.clear()
    assert world.vault.proving.once().verified == 0
    assert len(statements) == few < 15
    with world.vault.units.read() as unit:
        statements.clear()
        assert contradicted(unit, Reach(everything=True)) == {}
        assert len(statements) <= 3


def test_each_is_proven_by_the_record_of_its_own_account(
    waiting: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = waiting.world
    monkeypatch.setattr(proving, "BATCH", 7)
    clone(engine_of(world), 900_000_000_000, 19)
    clone(engine_of(world), 900_000_000_900, 1, records=False)
    world.clock.advance(minutes=20)
    assert world.vault.proving.once().verified == 20
    assert world.vault.proving.count().count == 1
    with world.vault.units.read() as unit:
        (left,) = unit.proofs.unverified(None, 5)
    assert left.account_id == "900000000900"
