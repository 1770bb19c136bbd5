"""The database fixture itself: real, durable, private, and gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import sqlalchemy

from tests.support.postgres import running_postgres

if TYPE_CHECKING:
    from tests.support.postgres import PostgresServer

REPOSITORY = Path(__file__).resolve().parents[3]
BORROWER = """
import time
from tests.support.postgres import running_postgres
with running_postgres() as server:
    print(server.pid, server.socket_directory, flush=True)
    time.sleep(60)
"""


def test_empty_database_url_opens_a_database_of_each_kind(empty_database_url: str) -> None:
    engine = sqlalchemy.create_engine(empty_database_url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE kept (word text)"))
        connection.execute(sqlalchemy.text("INSERT INTO kept VALUES ('one')"))
    with engine.connect() as connection:
        assert connection.execute(sqlalchemy.text("SELECT word FROM kept")).scalar_one() == "one"
    engine.dispose()


@pytest.mark.parametrize("attempt", [1, 2])
def test_a_fresh_database_has_no_table(fresh_database: str, attempt: int) -> None:
    engine = sqlalchemy.create_engine(fresh_database)
    assert sqlalchemy.inspect(engine).get_table_names() == []
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("CREATE TABLE left_behind (n int)"))
    engine.dispose()


def test_a_database_is_dropped_though_a_session_is_still_open(postgres_server: PostgresServer) -> None:
    name = postgres_server.create_database()
    with postgres_server.connect(name) as session:
        session.execute("SELECT 1")
        postgres_server.drop_database(name)
    with postgres_server.connect() as connection:
        found = connection.execute("SELECT count(*) FROM pg_database WHERE datname = %s", [name]).fetchone()
    assert found == (0,)


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("fsync", "on"), ("synchronous_commit", "on"), ("full_page_writes", "on"), ("listen_addresses", "")],
)
def test_the_server_is_durable_and_private(
    postgres_server: PostgresServer, setting: str, expected: str
) -> None:
    with postgres_server.connect() as connection:
        assert connection.execute("SELECT current_setting(%s)", [setting]).fetchone() == (expected,)
    assert postgres_server.socket_directory.stat().st_mode & 0o077 == 0


def test_the_server_never_runs_as_root(postgres_server: PostgresServer) -> None:
    status = Path(f"/proc/{postgres_server.pid}").stat()
    assert status.st_uid != 0


def test_the_server_and_its_files_are_gone_after_the_block() -> None:
    with running_postgres(fsync=False) as server:
        assert Path(f"/proc/{server.pid}").exists()
    assert not Path(f"/proc/{server.pid}").exists()
    assert not server.socket_directory.exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_the_server_is_gone_however_its_borrower_dies(number: signal.Signals) -> None:
    borrower = subprocess.Popen(
        [sys.executable, "-c", BORROWER],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=REPOSITORY,
        text=True,
    )
    with borrower:
        assert borrower.stdout is not None
        pid, home = borrower.stdout.readline().split()
        assert Path(f"/proc/{pid}").exists()
        os.kill(borrower.pid, number)
    deadline = time.monotonic() + 15
    while (Path(f"/proc/{pid}").exists() or Path(home).exists()) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not Path(f"/proc/{pid}").exists()
    assert not Path(home).exists()
