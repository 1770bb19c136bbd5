"""Where a measurement runs, and how long: databases of its own on both kinds, gone afterwards."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.postgres import PostgresServer, running_postgres


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured: turns, acts in a turn, seconds of a turn for what runs in parallel, and scales."""

    rounds: int
    each: int
    seconds: float
    accounts: tuple[int, ...]
    entries: tuple[int, ...]
    log: int
    """The length of the log where only one is measured."""
    writers: tuple[int, ...] = (1, 8)
    """How many processes or connections do something at once."""


TINY: Final = Size(1, 2, 0.2, (10, 30), (0, 600), 600, (1, 2))
"""Not to measure by: so small that a test can run every measurement, and see that it still runs."""
USUAL: Final = Size(12, 10, 2.0, (10, 1_000, 10_000), (0, 10_000, 100_000), 100_000)
GREAT: Final = Size(12, 10, 3.0, (10, 10_000, 100_000), (0, 100_000, 1_000_000), 1_000_000)


@dataclass(frozen=True, slots=True)
class Place:
    """One kind of database, and a directory for keys and marks on the same disk."""

    name: str
    directory: Path
    new_url: Callable[[], str]

    def url(self) -> str:
        """Give the address of a database that nobody has used."""
        return self.new_url()

    def room(self, name: str) -> Place:
        """Give the same kind of database with a directory of its own."""
        directory = self.directory / name
        directory.mkdir()
        return Place(self.name, directory, self.new_url)


@contextmanager
def both_places(server: PostgresServer | None = None) -> Iterator[tuple[Place, ...]]:
    """Lend a place on SQLite and one on PostgreSQL, both where temporary files are; everything goes afterwards."""
    home = Path(tempfile.mkdtemp(prefix="rootvault-bench-"))
    numbers = itertools.count()
    try:
        sqlite, postgres = home / "sqlite", home / "postgresql"
        for each in (sqlite, postgres):
            each.mkdir()
        with _server(server) as running:
            yield (
                Place("sqlite", sqlite, lambda: f"sqlite+pysqlite:///{sqlite / f'bench{next(numbers)}.db'}"),
                Place("postgresql", postgres, lambda: running.url(running.create_database())),
            )
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _server(given: PostgresServer | None) -> Iterator[PostgresServer]:
    if given is not None:
        yield given
        return
    with running_postgres() as started:
        yield started
