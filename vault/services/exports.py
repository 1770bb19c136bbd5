"""Copies of the log to take along: the whole as a bundle, or entries over a filter, each with its proof.

Decided here: only who may export *all* of the log takes a copy, because a tree cannot be cut to a scope;
that a copy was taken is an entry before its first byte is read, and so part of the copy. Each copy is of
one consistent state. Never done here: a format of our own. The bundle is C2SP tlog-tiles in one tar.
"""

from __future__ import annotations

import io
import tarfile
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from audit.tile import tiles
from vault.domain.actor import Reach
from vault.domain.event import Event, EventType
from vault.domain.policy import Permission
from vault.errors import Forbidden, Unavailable
from vault.ports.store import Slice
from vault.services.gate import Gate, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, EntryFilter, Unit, Units

_PAGE: Final = 200


@dataclass(frozen=True, slots=True)
class ProvenEntry:
    """One entry with its proof as c2sp.org/tlog-proof text."""

    entry: Entry
    proof: str


@dataclass(frozen=True, slots=True)
class Exports:
    """Use cases that copy the log."""

    units: Units
    gate: Gate
    clock: Clock

    def bundle(self, actor: Actor, file: IO[bytes]) -> None:
        """Write the whole log as one tar, as `python -m audit verify` reads it."""
        self._record(actor, {"what": "bundle"})
        with (
            self.units.read() as unit,
            tarfile.open(fileobj=file, mode="w:", format=tarfile.USTAR_FORMAT) as tar,
        ):
            note = unit.log.checkpoint()
            for tile in tiles(int(note.split("\n")[1])):
                content = unit.log.tile(tile.path)
                if content is None:
                    raise Unavailable("log.unavailable", f"The log has no {tile.path}; run rootvault doctor.")
                _add(tar, tile.path, content)
            _add(tar, "checkpoint", note.encode())

    def entries(self, actor: Actor, wanted: EntryFilter) -> Iterator[ProvenEntry]:
        """Give the entries of a filter, newest first, each with its proof under one checkpoint."""
        names = ("account_id", "actor_id", "checkout_id", "type", "outcome", "since", "until", "text")
        given = {name: str(value) for name in names if (value := getattr(wanted, name)) is not None}
        self._record(actor, {"what": "jsonl", **given})
        return self._read(wanted)

    def _read(self, wanted: EntryFilter) -> Iterator[ProvenEntry]:
        with self.units.read() as unit:
            cursor: str | None = None
            while True:
                page = unit.log.page(wanted, Reach(everything=True), Slice(_PAGE, cursor))
                for entry in page.items:
                    yield ProvenEntry(entry, _proof(unit, entry.index))
                if page.next is None:
                    return
                cursor = page.next

    def _record(self, actor: Actor, detail: dict[str, str]) -> None:
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.LOG_EXPORT, now)
            event = Event(EventType.AUDIT_EXPORTED, actor, detail=detail, subject="disclosure")
            require_whole(self.gate, unit, actor, event, now)
            unit.log.record(event, now)
            unit.commit()


def require_whole(gate: Gate, unit: Unit, actor: Actor, event: Event, now: datetime) -> None:
    """Return for who may export all of the log; for a part there is no tree, so `event` is recorded as refused."""
    if not gate.policy.reach(actor, Permission.LOG_EXPORT).everything:
        words = "The log is copied whole, and your scope is a part of it. Ask an auditor of all accounts."
        refuse(unit, event, Forbidden("policy.denied", words, rule=Permission.LOG_EXPORT), now)


def _proof(unit: Unit, index: int) -> str:
    found = unit.log.proof(index)
    if found is None:
        raise Unavailable("log.unavailable", f"The log cannot prove its entry {index}; run rootvault doctor.")
    return found


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = 0o644
    tar.addfile(member, io.BytesIO(content))
