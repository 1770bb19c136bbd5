"""Counting what a use case asks of the world: statements, commits, key calls.

Statements are counted where they leave for the driver. What SQLAlchemy or a driver sends by itself
(BEGIN on PostgreSQL, the pool's ping) is no statement of ours and is not counted; our own BEGIN on SQLite is
told apart. A wait for the disk is counted where it is asked for: commits, and syncs of the log's mark.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from vault.domain.secret import Secret
    from vault.ports.keys import DataKey, KeyHealth, KeyService, Unwrapped, Wrap, Wrapped


@dataclass(slots=True)
class Counted:
    """What was asked between two moments."""

    statements: list[str] = field(default_factory=list)
    commits: int = 0
    rollbacks: int = 0
    syncs: int = 0
    key_calls: int = 0

    @property
    def begins(self) -> int:
        """Our own BEGINs, which SQLite needs."""
        return sum(text.startswith("BEGIN") for text in self.statements)

    @property
    def queries(self) -> int:
        """Statements but for BEGIN."""
        return len(self.statements) - self.begins


@dataclass(slots=True)
class CountingKeys:
    """A key service that counts its calls and passes them on."""

    inner: KeyService
    calls: int = 0

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Pass on."""
        self.calls += 1
        return self.inner.generate(context)

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Pass on."""
        self.calls += 1
        return self.inner.wrap(key, context)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Pass on."""
        self.calls += 1
        return self.inner.unwrap(wraps, context)

    def check(self) -> tuple[KeyHealth, ...]:
        """Pass on."""
        return self.inner.check()


@contextmanager
def counted(engine: Engine, keys: CountingKeys) -> Iterator[Counted]:
    """Count everything that happens on an engine and a key service within the block."""
    found = Counted()
    before, fsync, fdatasync = keys.calls, os.fsync, os.fdatasync

    def statement(_: Connection, __: Any, text: str, *___: Any) -> None:
        found.statements.append(" ".join(text.split()))

    def commit(_: Connection) -> None:
        found.commits += 1

    def rollback(_: Connection) -> None:
        found.rollbacks += 1

    def synced(descriptor: int) -> None:
        found.syncs += 1
        fsync(descriptor)

    def data_synced(descriptor: int) -> None:
        found.syncs += 1
        fdatasync(descriptor)

    listeners = (("before_cursor_execute", statement), ("commit", commit), ("rollback", rollback))
    for name, listener in listeners:
        event.listen(engine, name, listener)
    try:
        with patch("os.fsync", synced), patch("os.fdatasync", data_synced):
            yield found
    finally:
        for name, listener in listeners:
            event.remove(engine, name, listener)
        found.key_calls = keys.calls - before
