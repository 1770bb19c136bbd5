"""Statements compiled once a process: engines that tests make for one kind of database share what they compiled.

Nearly every test opens a vault on a database of its own, and SQLAlchemy compiles each statement anew for each engine.
What it compiles depends on the statement and on the dialect alone, so the engines of the vault are given one dialect
and one cache for each driver, those of the first engine that connected.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import create_engine, event
from sqlalchemy.util import LRUCache

from vault.adapters.db import engine as making

if TYPE_CHECKING:
    from sqlalchemy import URL, Dialect, Engine

STATEMENTS: Final = 4_000
"""How many are kept: more than there are."""

_kept: Final[dict[str, tuple[Dialect, Any]]] = {}


def _make(address: URL, **options: Any) -> Engine:
    engine, driver = create_engine(address, **options), address.drivername
    if driver in _kept:
        engine.dialect, engine._compiled_cache = _kept[driver]
        return engine

    def keep(*_: object) -> None:
        # the first connection told the dialect what kind of server this is
        _kept.setdefault(driver, (engine.dialect, engine._compiled_cache))

    engine._compiled_cache = LRUCache(STATEMENTS)
    event.listen(engine, "connect", keep, once=True)
    return engine


def compile_once() -> None:
    """Keep what the vault's engines compile, for the rest of this process."""
    making.create_engine = _make  # type: ignore[attr-defined, assignment]  # this is what it is for
