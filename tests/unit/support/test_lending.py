"""A database that is lent again looks as if nobody had used it (`tests/support/lending.py`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import psycopg
import pytest
from sqlalchemy.engine import make_url

from tests.support.lending import USES, Lending

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer

MADE = """
CREATE TABLE kept (n integer PRIMARY KEY, body bytea);
CREATE TABLE leaf (n integer REFERENCES kept);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'it stays'; END $$;
CREATE TRIGGER stays BEFORE UPDATE OR DELETE ON kept FOR EACH ROW EXECUTE FUNCTION refuse();
ALTER TABLE kept ENABLE ALWAYS TRIGGER stays;
INSERT INTO kept VALUES (1, '\\x00ff')
"""


@pytest.fixture(scope="module")
def template(postgres_server: PostgresServer) -> str:
    """Make a template with a row that nobody may change."""
    name = postgres_server.create_database()
    with postgres_server.connect(name) as session:
        session.execute(MADE)
    return name


@pytest.fixture
def fresh(postgres_server: PostgresServer) -> Iterator[Lending]:
    """Keep no database yet."""
    made = Lending(postgres_server)
    yield made
    for lent in (each for kept in made.idle.values() for each in kept):
        postgres_server.drop_database(lent.name)


def used(fresh: Lending, template: str, statements: str = "") -> str:
    """Use one, and give its name."""
    with fresh.database(template) as url:
        name = make_url(url).database
        assert name is not None
        with fresh.server.connect(name) as session:
            assert session.execute("SELECT n, body FROM kept").fetchall() == [(1, b"\x00\xff")]
            assert session.execute("SELECT n FROM leaf").fetchall() == []
            with pytest.raises(psycopg.errors.RaiseException, match="it stays"):
                session.execute("DELETE FROM kept")
            session.execute(statements.encode())
    return name


def test_what_a_test_wrote_is_gone_and_nothing_else(fresh: Lending, template: str) -> None:
    first = used(fresh, template, "INSERT INTO kept VALUES (2); INSERT INTO leaf VALUES (2)")
    assert used(fresh, template) == used(fresh, template) == first


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE kept DISABLE TRIGGER stays",
        "CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN OLD; END $$",
        "ALTER TABLE leaf ADD more integer",
        "CREATE TABLE another (n integer)",
        "GRANT SELECT ON leaf TO PUBLIC",
        "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''1MB''', current_database()); END $$",
    ],
)
def test_one_whose_shape_was_changed_is_not_lent_again(fresh: Lending, template: str, statement: str) -> None:
    assert used(fresh, template, statement) != used(fresh, template)


def test_a_session_that_was_left_open_is_ended(fresh: Lending, template: str) -> None:
    with fresh.database(template) as url:
        left = psycopg.connect(url.replace("+psycopg", ""))
        left.execute("INSERT INTO leaf VALUES (1)")
    with pytest.raises(psycopg.OperationalError):
        left.execute("SELECT 1")
    left.close()
    assert used(fresh, template) == make_url(url).database


def test_two_at_once_are_two_and_none_is_used_for_ever(fresh: Lending, template: str) -> None:
    with fresh.database(template) as one, fresh.database(template) as other:
        assert one != other
    fresh.idle[template][-1].uses = USES - 1
    assert used(fresh, template) != used(fresh, template)
