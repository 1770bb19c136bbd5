"""Somebody who knows thousands of accounts leaves: in one transaction, by few statements, told in entries that fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, insert, select

from tests.support.world import make_world
from vault.adapters.db import mapping, tables
from vault.domain.actor import Reach, Role
from vault.domain.credential import Part, PartKind, PartState, Version, VersionLabel, VersionOrigin
from vault.domain.event import EventType
from vault.domain.leaver import LeaverStep
from vault.ports.store import EntryFilter, Slice
from vault.services.leaving import TOLD_AT_ONCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.support.world import World

MANY = TOLD_AT_ONCE


@pytest.fixture
def engine(world_alone: World) -> Engine:
    found: Engine = world_alone.vault.units.engine  # type: ignore[attr-defined]  # the adapter's own
    return found


@pytest.fixture
def world_alone(database_url: str, tmp_path: Path) -> Iterator[World]:
    """Make a world whose rows are put in by the back door, so that its log is not replayed."""
    made = make_world(database_url, tmp_path)
    yield made
    made.close()


def plant(world: World, engine: Engine, many: int, by: str) -> None:
    """Put accounts, with both parts taken in by somebody, straight into the tables."""
    now = world.clock.now()
    world.account("111122223333")
    with engine.begin() as connection:
        model = dict(connection.execute(select(tables.account)).mappings().one())
        rows: dict[str, list[dict[str, object]]] = {"emails": [], "accounts": [], "parts": [], "versions": []}
        for number in (f"{each:012}" for each in range(900_000_000_000, 900_000_000_000 + many)):
            email = f"root+{number}@msp.example"
            rows["emails"].append({"folded": email, "account_id": number})
            rows["accounts"].append({**model, "id": number, "root_email": email, "root_email_folded": email})
            for kind in PartKind:
                rows["parts"].append(mapping.part.row(Part(number, kind, PartState.HELD, now)))
                version = Version(
                    account_id=number,
                    kind=kind,
                    number=1,
                    label=VersionLabel.CURRENT,
                    origin=VersionOrigin.TAKEN_IN,
                    body=b"sealed" * 100,
                    wraps=b"wraps",
                    sha256="0" * 64,
                    created_at=now,
                    created_by=by,
                    current_since=now,
                )
                rows["versions"].append(mapping.version.row(version))
        by_table = (tables.root_email, tables.account, tables.part, tables.version)
        for table, planted in zip(by_table, rows.values(), strict=True):
            connection.execute(insert(table), planted)


def test_leaving_takes_statements_by_the_piece_and_not_by_the_account(
    world_alone: World, engine: Engine
) -> None:
    world = world_alone
    carla, ada = world.human("carla", Role.CUSTODIAN), world.human("ada", Role.ADMIN)
    plant(world, engine, MANY, carla.actor.id)
    statements: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *given: statements.append(given[2]))
    world.vault.people.disable(ada.actor, carla.actor.id)
    assert len(statements) < 80
    found = world.vault.leavers.progress(ada.actor, carla.actor.id, Slice(limit=10))
    assert (found.known, found.done, found.steps[LeaverStep.ROTATE]) == (2 * MANY, 0, 2 * MANY)
    assert len(found.items.items) == 10
    assert found.items.next is not None
    with world.vault.units.read() as unit:
        kind = EntryFilter(type=EventType.LEAVER_KNOWS)
        entries = unit.log.page(kind, Reach(everything=True), Slice(limit=100)).items
    assert len(entries) == 2 * MANY // TOLD_AT_ONCE
    assert max(len(each.leaf) for each in entries) < 60_000
    told = [change["id"] for each in entries for change in each.content["changes"]]  # type: ignore[attr-defined]  # an entry's JSON
    assert len(set(told)) == 2 * MANY
    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = world.vault.leavers.progress(ada.actor, carla.actor.id, Slice(500, cursor)).items
        seen += [f"{each.knows.account_id}/{each.knows.kind}" for each in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert len(seen) == len(set(seen)) == 2 * MANY
