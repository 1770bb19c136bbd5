"""The store's contract when the database fails: closed in bounded time, nothing half done, well again (S5)."""

from __future__ import annotations

import re
import sqlite3
import threading
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, text

from tests.support.builders import (
    NOW,
    NUMBER,
    account,
    actor,
    checkout,
    customer,
    open_log,
    person,
    stand,
    token,
    units_for,
)
from tests.support.postgres import PostgresServer, running_postgres
from vault.adapters.db import check_durable, current, engine_for, head, health, upgrade
from vault.adapters.db import engine as engines
from vault.domain.actor import Reach
from vault.domain.event import Event, EventType
from vault.errors import Conflict, Invalid, Refused, Unavailable, VaultError
from vault.ports.records import EntryFilter, Slice

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits

NOTED = Event(EventType.AUDIT_VIEWED, actor())


def note(units: SqlUnits) -> None:
    with units.write() as unit:
        unit.customers.add(customer())
        unit.log.record(NOTED, NOW)
        unit.commit()


def note_many(units: SqlUnits) -> None:
    for _ in range(100):
        note(units)


def refusal(units: SqlUnits) -> Unavailable:
    with pytest.raises(Unavailable) as refused:
        note(units)
    assert refused.value.code == "database.unavailable"
    assert refused.value.retry_after
    return refused.value


def counted(units: SqlUnits) -> tuple[int, int]:
    """Count customers and entries."""
    with units.read() as unit:
        customers = unit.customers.page(Reach(everything=True), None, Slice(500)).items
        entries = unit.log.page(EntryFilter(), Reach(everything=True), Slice(500)).items
    return len(customers), len(entries)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> float:
    """Make everybody wait a short while only; give how long in seconds."""
    monkeypatch.setattr(engines, "LOCK_SECONDS", 1)
    monkeypatch.setattr("vault.adapters.db.unit_of_work.LOCK_SECONDS", 1)
    return 1.0


def test_a_locked_sqlite_file_is_waited_for_a_bounded_time(
    sqlite_url: str, tmp_path: Path, short: float
) -> None:
    units = units_for(sqlite_url, tmp_path)
    open_log(units)
    other = sqlite3.connect(tmp_path / "vault.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    error = refusal(units)
    assert short * 0.9 <= time.monotonic() - began < short + 5
    assert error.facts["cause"] == "SQLITE_BUSY"
    assert counted(units) == (0, 1)
    other.execute("ROLLBACK")
    other.close()
    note(units)
    assert counted(units) == (1, 2)
    units.engine.dispose()


def test_writers_of_one_process_take_turns_a_bounded_time(
    sqlite_url: str, tmp_path: Path, short: float
) -> None:
    units = units_for(sqlite_url, tmp_path)
    open_log(units)
    errors: list[Unavailable] = []
    with units.write():
        waiter = threading.Thread(target=lambda: errors.append(refusal(units)))
        waiter.start()
        waiter.join(short + 10)
    assert [error.facts["cause"] for error in errors] == ["busy"]
    note(units)
    units.engine.dispose()


def test_a_locked_row_of_postgresql_is_waited_for_a_bounded_time(
    postgresql_url: str, tmp_path: Path, short: float
) -> None:
    units = units_for(postgresql_url, tmp_path)
    open_log(units)
    with units.write() as unit:
        stand(unit)
        unit.commit()
    with units.write() as unit:
        unit.accounts.lock(NUMBER)
        began = time.monotonic()
        with pytest.raises(Unavailable) as refused, units.write() as other:
            other.accounts.lock(NUMBER)
        assert time.monotonic() - began < short + 5
    assert refused.value.facts["cause"] == "55P03"
    with units.write() as unit:
        assert unit.accounts.lock(NUMBER) is not None
    units.engine.dispose()


def test_two_who_wait_for_each_other_do_not_wait_for_ever(postgresql_url: str, tmp_path: Path) -> None:
    units = units_for(postgresql_url, tmp_path)
    open_log(units)
    with units.write() as unit:
        stand(unit)
        stand(unit, "222233334444")
        unit.commit()
    both = threading.Barrier(2)
    codes: list[str] = []

    def lock(first: str, second: str) -> None:
        try:
            with units.write() as unit:
                unit.accounts.lock(first)
                both.wait()
                unit.accounts.lock(second)
                codes.append("got both")
        except Conflict as error:
            codes.append(error.code)

    hands = [
        threading.Thread(target=lock, args=pair)
        for pair in ((NUMBER, "222233334444"), ("222233334444", NUMBER))
    ]
    for hand in hands:
        hand.start()
    for hand in hands:
        hand.join()
    assert sorted(codes) == ["concurrent.change", "got both"]
    units.engine.dispose()


def test_a_full_disk_leaves_nothing_half_done(sqlite_url: str, tmp_path: Path) -> None:
    units = units_for(sqlite_url, tmp_path)
    open_log(units)

    def fill(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages + 2}")

    units.engine.dispose()
    event.listen(units.engine, "connect", fill)
    with pytest.raises(Unavailable) as refused:
        note_many(units)
    assert (refused.value.code, refused.value.facts["cause"]) == ("database.unavailable", "SQLITE_FULL")
    done, entries = counted(units)
    assert done + 1 == entries
    event.remove(units.engine, "connect", fill)
    units.engine.dispose()
    note(units)
    assert counted(units) == (done + 1, done + 2)
    units.engine.dispose()


def test_a_read_only_database_is_refused_and_nothing_happened(store_url: str, tmp_path: Path) -> None:
    units = units_for(store_url, tmp_path)
    open_log(units)
    off, on = (
        ("PRAGMA query_only = ON", "PRAGMA query_only = OFF")
        if units.engine.dialect.name == "sqlite"
        else ("SET default_transaction_read_only = on", "SET default_transaction_read_only = off")
    )
    with units.engine.connect() as connection:
        connection.exec_driver_sql(off)
        connection.commit()
    assert refusal(units).facts["cause"] in {"SQLITE_READONLY", "25006"}
    assert counted(units) == (0, 1)
    with units.engine.connect() as connection:
        connection.exec_driver_sql(on)
        connection.commit()
    note(units)
    units.engine.dispose()


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vault.db").write_bytes(b"not a database" * 1000)
    units = units_for(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path)
    assert refusal(units).facts["cause"] == "SQLITE_NOTADB"
    assert [finding.ok for finding in health(units.engine)] == [False]
    units.engine.dispose()


def test_a_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    units = units_for(f"sqlite+pysqlite:///{tmp_path / 'nowhere' / 'vault.db'}", tmp_path)
    assert refusal(units).facts["cause"] == "SQLITE_CANTOPEN"
    with pytest.raises(Unavailable):
        upgrade(f"sqlite+pysqlite:///{tmp_path / 'nowhere' / 'vault.db'}")


@pytest.mark.parametrize(
    "breach",
    [
        lambda unit: [unit.customers.add(customer(ddi="77", name="SEKRET")) for _ in range(2)],
        lambda unit: unit.accounts.add(account("SEKRET")),
        lambda unit: unit.tokens.add(token("SEKRET")),
        lambda unit: unit.checkouts.add(checkout("SEKRET")),
        lambda unit: unit.customers.add(customer(name="SEKRET \0")) or unit.customers.add(customer(ddi="")),
        lambda unit: unit.customers.add(customer(name="SEKRET \ud800")),
        lambda unit: [unit.people.add(person(email="SEKRET@msp.example")) for _ in range(2)],
        lambda unit: unit.customers.add(customer(name="SEKRET", session_idle_seconds=-1)),
        lambda unit: unit.customers.add(customer(name="SEKRET", session_idle_seconds=2**40)),
        lambda unit: unit.customers.db.change(text("INSERT INTO nowhere VALUES ('SEKRET')")),
    ],
)
def test_no_parameter_is_ever_in_an_error(units: SqlUnits, breach: object) -> None:
    assert callable(breach)
    with units.write() as unit, pytest.raises(VaultError) as refused:
        unit.customers.add(breach(unit) or customer(ddi=""))
    shown = "".join(traceback.format_exception(refused.value)) + str(refused.value.facts)
    printed = re.sub(r"(?m)^ .*$", "", shown)  # without the source lines of this file
    assert "SEKRET" not in printed.upper()
    assert "[parameters" not in printed


def test_half_a_surrogate_is_refused_as_input(units: SqlUnits) -> None:
    with units.write() as unit, pytest.raises(Invalid) as refused:
        unit.customers.add(customer(name="\ud800"))
    assert refused.value.code == "input.invalid"


def test_each_connection_is_durable_or_refused(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = engine_for(sqlite_url)
    check_durable(engine)
    found = {finding.name: finding.words for finding in health(engine)}
    assert found["synchronous"] == "synchronous is 2, wanted FULL"
    assert found["journal_mode"] == "journal_mode is wal, wanted WAL"
    engine.dispose()
    monkeypatch.setitem(engines._PRAGMAS, "synchronous", ("OFF", 2))
    lazy = engine_for(sqlite_url)
    with pytest.raises(Refused, match="synchronous"):
        lazy.connect()
    assert not health(lazy)[0].ok
    with pytest.raises(Refused, match="not safe to serve"):
        check_durable(lazy)


def test_a_server_that_does_not_sync_is_refused(tmp_path: Path) -> None:
    with running_postgres(fsync=False) as server:
        engine = engine_for(server.url())
        with pytest.raises(Refused, match="fsync is off"):
            check_durable(engine)
        engine.dispose()


def test_a_role_that_was_set_to_lazy_commits_is_set_right(
    postgres_server: PostgresServer, postgresql_url: str
) -> None:
    engine = engine_for(postgresql_url)
    with engine.begin() as connection:
        name = connection.execute(text("SELECT current_database()")).scalar_one()
        connection.exec_driver_sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    engine.dispose()
    check_durable(engine)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW synchronous_commit")).scalar_one() == "on"
        assert connection.execute(text("SHOW lock_timeout")).scalar_one() == "5s"
    engine.dispose()


@pytest.mark.parametrize(
    "url",
    [
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://localhost/x",
        "postgresql+asyncpg://localhost/x",
        "nonsense",
        "",
    ],
)
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        engine_for(url)
    assert refused.value.code == "settings.invalid"


def test_a_reading_unit_cannot_write_on_postgresql_and_sees_one_state(
    postgresql_url: str, tmp_path: Path
) -> None:
    units = units_for(postgresql_url, tmp_path)
    open_log(units)
    with units.read() as unit, pytest.raises(Unavailable):
        unit.customers.add(customer())
    units.engine.dispose()


def test_a_reading_unit_sees_one_state(units: SqlUnits) -> None:
    with units.read() as unit:
        assert unit.accounts.count() == 0
        with units.write() as other:
            stand(other)
            other.commit()
        assert unit.accounts.count() == 0
    with units.read() as unit:
        assert unit.accounts.count() == 1


def test_the_vaults_name_is_one_uuid_for_ever(units: SqlUnits, store_url: str) -> None:
    with units.read() as unit:
        name = unit.vault_id
    assert re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", name)
    upgrade(store_url)
    assert current(store_url) == head()
    for change in ("UPDATE vault SET id = replace(id, '-', '_')", "DELETE FROM vault"):
        with units.write() as unit, pytest.raises(VaultError) as refused:
            unit.customers.db.change(text(change))
        assert refused.value.facts["rule"] in {"vault_fixed", "vault_kept"}
    with units.read() as unit:
        assert unit.vault_id == name
