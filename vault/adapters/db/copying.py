"""A consistent copy of a database that is in use: SQLite by its backup interface, PostgreSQL by pg_dump.

Decided here: the copy is a new file of mode 0600, whole and on disk, or there is no file. A password of the
address goes to pg_dump by its environment, never by its arguments, which other processes can read.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from contextlib import closing
from typing import TYPE_CHECKING, Final

from vault.adapters.db.engine import parse_url
from vault.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import URL

PAGES: Final = 1_024
"""Pages copied at a time, between which others may write."""
HOUR: Final = 3_600


def copy_database(url: str, file: Path) -> int:
    """Write a copy of the database at `url` to a new file; give its size in bytes.

    Raises `Refused` operation.failed where the file exists or the copy cannot be made.
    """
    address = parse_url(url)
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as failure:
        raise Refused(
            "operation.failed", f"{file} cannot be made ({failure.strerror}); name a new file."
        ) from None
    try:
        if address.get_backend_name() == "sqlite":
            _copy_sqlite(str(address.database), file)
        else:
            _dump_postgresql(address, descriptor)
        os.fsync(descriptor)
    except BaseException:
        file.unlink()
        raise
    finally:
        os.close(descriptor)
    return file.stat().st_size


def _copy_sqlite(database: str, file: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(file)) as target,
        ):
            source.backup(target, pages=PAGES)
            # one file that needs no companion
            target.execute("PRAGMA journal_mode = DELETE")
            found = target.execute("PRAGMA integrity_check").fetchone()[0]
    except sqlite3.Error as failure:
        words = f"The database cannot be copied ({failure.sqlite_errorname}); look at its disk."
        raise Refused("operation.failed", words) from None
    if found != "ok":
        raise Refused(
            "operation.failed", "The copy is damaged, and so may be the database: run rootvault doctor."
        )


def _dump_postgresql(address: URL, descriptor: int) -> None:
    program = shutil.which("pg_dump")
    if program is None:
        words = (
            "pg_dump is not on this machine. Install PostgreSQL's client programs of the server's version."
        )
        raise Refused("operation.failed", words)
    plain = address.set(drivername="postgresql", password=None)
    environment = dict(os.environ)
    if address.password is not None:
        environment["PGPASSWORD"] = str(address.password)
    done = subprocess.run(  # noqa: S603 - pg_dump of this machine
        [program, "--format=custom", "--no-password", "--dbname", plain.render_as_string()],
        stdin=subprocess.DEVNULL,
        stdout=descriptor,
        stderr=subprocess.PIPE,
        env=environment,
        timeout=HOUR,
        check=False,
    )
    if done.returncode != 0:
        last = done.stderr.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise Refused("operation.failed", f"pg_dump failed: {' '.join(last)[:300]}")
