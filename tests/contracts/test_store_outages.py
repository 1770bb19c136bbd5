"""The store's contract while PostgreSQL is away: refused in bounded time, used again without a restart (S5)."""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.builders import (
    NOW,
    actor,
    customer,
    open_log,
    units_for,
)
from tests.support.postgres import PostgresServer, running_postgres
from vault.adapters.db import engine_for, health, upgrade
from vault.domain.actor import Reach
from vault.domain.event import Event, EventType
from vault.errors import Unavailable
from vault.ports.records import EntryFilter, Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.adapters.db import SqlUnits

NOTED = Event(EventType.AUDIT_VIEWED, actor())


def note(units: SqlUnits) -> None:
    with units.write() as unit:
        unit.customers.add(customer())
        unit.log.record(NOTED, NOW)
        unit.commit()


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


@contextlib.contextmanager
def own_server() -> Iterator[tuple[PostgresServer, list[str]]]:
    """Run a server that a test may stop; give the command that starts it again."""
    with running_postgres() as server:
        command = Path(f"/proc/{server.pid}/cmdline").read_bytes().decode().split("\0")[:-1]
        yield server, command


def stop(server: PostgresServer, pid: int) -> None:
    os.kill(pid, signal.SIGINT)
    while (server.socket_directory / "data" / "postmaster.pid").exists():
        time.sleep(0.02)


def start(server: PostgresServer, command: list[str]) -> subprocess.Popen[bytes]:
    home = server.socket_directory
    user = pwd.getpwuid(home.stat().st_uid).pw_name if os.geteuid() == 0 else None
    started = subprocess.Popen(
        command, user=user, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    while (
        "ready"
        not in (home / "data" / "postmaster.pid", Path(os.devnull))[
            not (home / "data" / "postmaster.pid").exists()
        ].read_text()
    ):
        time.sleep(0.02)
    return started


def test_a_server_that_went_away_and_came_back_is_used_again(tmp_path: Path) -> None:
    with own_server() as (server, command):
        url = server.url(server.create_database())
        upgrade(url)
        units = units_for(url, tmp_path)
        open_log(units)
        note(units)
        with units.write() as unit:
            unit.customers.add(customer())
            stop(server, server.pid)  # in the middle of a transaction
            with pytest.raises(Unavailable) as refused:
                unit.log.record(NOTED, NOW)
        assert refused.value.code == "database.unavailable"
        began = time.monotonic()
        refusal(units)
        assert time.monotonic() - began < 10
        assert [finding.ok for finding in health(units.engine)] == [False]
        again = start(server, command)
        try:
            assert counted(units) == (1, 2)
            note(units)
            assert counted(units) == (2, 3)
        finally:
            units.engine.dispose()
            again.send_signal(signal.SIGQUIT)
            again.wait(20)


def test_sessions_that_were_cut_are_replaced(postgresql_url: str, tmp_path: Path) -> None:
    units = units_for(postgresql_url, tmp_path)
    open_log(units)
    note(units)
    cut = (
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    outside = engine_for(postgresql_url)
    with units.write() as unit:
        unit.customers.add(customer())
        with outside.connect() as connection:
            assert connection.execute(text(cut)).scalar_one() >= 1
        with pytest.raises(Unavailable):
            unit.log.record(NOTED, NOW)
    outside.dispose()
    note(units)
    assert counted(units) == (2, 3)
    units.engine.dispose()
