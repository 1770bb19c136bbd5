"""Databases with the vault's tables in them: the migrations run once a process, then everybody has a copy."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from sqlalchemy import make_url

from vault.adapters.db import current, upgrade


def make_tables(url: str) -> None:
    """Make the tables of a database that may have them already."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        path = Path(address.database or "")
        if not path.exists():
            path.write_bytes(sqlite_tables())
            return
    if current(url) is None:
        upgrade(url)


@cache
def sqlite_tables() -> bytes:
    """Give an SQLite file with all tables and nothing in them."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "vault.db")
        upgrade(f"sqlite+pysqlite:///{path}")
        return path.read_bytes()
