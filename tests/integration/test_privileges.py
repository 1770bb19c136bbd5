"""On PostgreSQL the service works under a role that cannot rewrite what it wrote (SECURITY S25, S4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from tests.support.prepared import keep_people, prepare, reopen
from tests.support.released import release
from vault.adapters.db.privileges import grants
from vault.domain.actor import Role, system_actor
from vault.domain.destruction import Ground
from vault.services.destruction import Destruction, Order

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.support.world import World

ROLE = "vault_service"
NUMBER = "111122223333"

ATTACKS = (
    "UPDATE audit_entry SET leaf = leaf",
    "UPDATE audit_entry SET outcome = 'success'",
    "DELETE FROM audit_entry",
    "TRUNCATE audit_entry",
    "DELETE FROM audit_head",
    "INSERT INTO audit_head SELECT * FROM audit_head",
    "ALTER TABLE audit_entry DISABLE TRIGGER ALL",
    "DROP TABLE audit_entry",
    "DROP INDEX one_open_checkout_per_account",
    "ALTER TABLE checkout DISABLE TRIGGER ALL",
    "SET session_replication_role = replica",
    "CREATE TABLE planted (id text)",
    "CREATE FUNCTION planted() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "UPDATE vault SET id = 'another'",
    "DELETE FROM version",
    "DELETE FROM checkout",
    "DELETE FROM reveal",
    "DELETE FROM root_email",
    "UPDATE version SET body = 'x'",
    "UPDATE version SET wraps = 'x'",
    "UPDATE version SET body = '\\x00', wraps = '\\x00', label = 'destroyed'",
    "UPDATE alembic_version SET version_num = 'x'",
)


def as_role(url: str) -> str:
    """Give the same database, signed in as the service's role."""
    return make_url(url).set(username=ROLE).render_as_string(hide_password=False)


@pytest.fixture
def restricted(fresh_database: str, tmp_path: Path) -> Iterator[tuple[World, Engine]]:
    """Make a vault as the owner, and lend it and a connection as the service's role."""
    owner = create_engine(fresh_database, isolation_level="AUTOCOMMIT")
    made = prepare(fresh_database, tmp_path)
    made.human("alice", Role.OPERATOR)
    made.held()
    keep_people(made, tmp_path)
    made.close()
    with owner.connect() as connection:
        if (
            connection.scalar(text("SELECT count(*) FROM pg_roles WHERE rolname = :name"), {"name": ROLE})
            == 0
        ):
            connection.execute(text(f"CREATE ROLE {ROLE} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE"))
        for statement in grants(ROLE):
            connection.execute(text(statement))
    owner.dispose()
    world = reopen(as_role(fresh_database), tmp_path)
    engine = create_engine(as_role(fresh_database))
    yield world, engine
    engine.dispose()
    world.close()


def test_the_main_path_needs_no_more(restricted: tuple[World, Engine]) -> None:
    world, engine = restricted
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT current_user")) == ROLE
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice)
    assert world.vault.reveals.password(alice.actor, lease.id).value.expose()
    world.vault.checkouts.check_in(alice.actor, lease.id)
    assert world.vault.sweep.once().checkouts == 0


def test_it_destroys_by_the_owner_s_function_alone(restricted: tuple[World, Engine]) -> None:
    world, engine = restricted
    release(world, NUMBER)
    with world.vault.units.write() as unit:
        order = Order(Ground.AGREED, "a test")
        Destruction().destroy(unit, system_actor("test"), NUMBER, order, world.clock.now())
        unit.commit()
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT DISTINCT label, length(body), length(wraps) FROM version")
        ).all()
    assert [tuple(each) for each in found] == [("destroyed", 1, 1)]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_else_is_allowed(restricted: tuple[World, Engine], attack: str) -> None:
    _, engine = restricted
    with engine.connect() as connection, pytest.raises(DBAPIError) as caught:
        connection.execute(text(attack))
    assert getattr(caught.value.orig, "sqlstate", "") in {"42501", "23000"}, caught.value.orig


def test_a_rewrap_is_for_the_role_that_the_tables_belong_to(
    restricted: tuple[World, Engine], fresh_database: str, tmp_path: Path
) -> None:
    world, _ = restricted
    with world.vault.units.read() as unit:
        assert not unit.versions.may_rewrap()
    owners = reopen(fresh_database, tmp_path)
    with owners.vault.units.read() as unit:
        assert unit.versions.may_rewrap()
    owners.close()
