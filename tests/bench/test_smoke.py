"""Every measurement runs, by default on one database each, and finds what does not depend on the machine's speed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING
from zlib import crc32

import pytest

from audit.storage.sql import SqlStorage
from audit.verify import StorageSource, examine
from tests.bench import requests
from tests.bench.__main__ import NAMES
from tests.bench.counting import counted
from tests.bench.measure import Result, Times, in_turns, spread
from tests.bench.places import TINY, both_places
from tests.bench.scenery import account_id, build, log_of
from tests.bench.start import ROOT
from tests.support.thorough import THOROUGH
from vault.adapters.db.stores.latest import FROM, FROM_THE_LATEST
from vault.adapters.db.stores.trail import Span, entries_like
from vault.domain.actor import Reach
from vault.domain.credential import PartKind
from vault.ports.store import EntryFilter

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer

pytestmark = pytest.mark.bench

MOST_STATEMENTS = 14  # a code's; a password's are 13, and one more when it is disclosed first


@pytest.mark.parametrize("name", NAMES)
def test_a_measurement_runs(name: str, postgres_server: PostgresServer) -> None:
    with both_places(postgres_server) as places:
        chosen = places if THOROUGH else places[crc32(name.encode()) % 2 :][:1]
        result: Result = import_module(f"tests.bench.{name}").run(chosen, TINY)
    assert result.name == name
    for table in result.tables:
        assert table.rows
        assert {len(row) for row in table.rows} == {len(table.columns)}


def test_the_document_says_what_requests_ask_for(postgres_server: PostgresServer) -> None:
    with both_places(postgres_server) as places:
        (table,) = requests.run(places, TINY).tables
    counted_now = {(str(row[0]), tuple(map(str, row[2:]))) for row in table.rows}
    said = set()
    for line in (ROOT / "docs" / "performance.md").read_text(encoding="utf-8").splitlines():
        name, *numbers = (cell.strip() for cell in line.strip("| ").split("|"))
        if len(numbers) == 5 and all(number.isdigit() for number in numbers):
            said.add((name, tuple(numbers)))
    assert counted_now == said


def test_a_disclosure_asks_for_what_it_may(database_url: str, tmp_path: Path) -> None:
    stage = build(database_url, tmp_path, accounts=3)
    for act in (stage.reveal, stage.code):
        act()
        with counted(stage.engine, stage.keys) as found:
            act()
        assert (found.commits, found.key_calls) == (2, 1)
        assert found.queries <= MOST_STATEMENTS
    stage.vault.close()


def test_a_log_that_grew_fast_is_sound(database_url: str, tmp_path: Path) -> None:
    stage = build(database_url, tmp_path, accounts=3)
    stage.grow_to(300)
    stage.reveal()
    stage.grow_to(600)
    stage.reveal()
    with stage.engine.connect() as connection:
        report = examine(StorageSource(SqlStorage(connection)), log_of(stage)[1])
    assert report.findings == ()
    assert report.examined == 602
    stage.vault.close()


def test_acts_take_turns_and_are_all_timed() -> None:
    order: list[str] = []
    found = in_turns({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, rounds=2, each=1)
    assert order == ["a", "b", "a", "b", "b", "a"]
    assert {name: len(each.seconds) for name, each in found.items()} == {"a": 2, "b": 2}


def test_times_are_told_by_median_and_99th() -> None:
    times = Times(tuple(float(second) for second in range(1, 201)))
    assert (times.median, times.p99) == (100.5, 199.0)
    assert spread([2.0, 3.0]) == 0.5


def test_an_accounts_entries_are_found_by_their_index(fresh_database: str, tmp_path: Path) -> None:
    """PostgreSQL passes an index by if what it is asked for is compared under another collation."""
    stage = build(fresh_database, tmp_path, accounts=50)
    stage.grow_to(4_000)
    everything, one = Reach(everything=True), EntryFilter(account_id=account_id(7))
    for reach in (everything, Reach(customers=frozenset({stage.customer_id}))):
        wanted = entries_like(one, reach, Span(), 51, is_sqlite=False, once=False)
        words = wanted.compile(stage.engine, compile_kwargs={"literal_binds": True})
        with stage.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {words}").scalars().all()
        assert "audit_entry_by_account" in "\n".join(map(str, plan))
    # of the latest promotion and what came after it no entry of another account is read
    asked = {"account": account_id(7), "kind": PartKind.PASSWORD.value, "seq": 1}
    for following in (FROM, FROM_THE_LATEST):
        words = following.params(asked).compile(stage.engine, compile_kwargs={"literal_binds": True})
        with stage.engine.connect() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {words}").scalars().all()
        assert not [line for line in map(str, plan) if "Seq Scan on audit_entry" in line]
    stage.vault.close()
