"""Copies of the log to take along: the whole as a bundle, entries over a filter, extracts of accounts.

Decided here: who may have which copy. Only who may export *all* of the log takes the whole or searches in it,
because a tree cannot be cut to a scope. Whose scope is a customer or an account takes an *extract*: the
entries of those accounts, each with its proof, and each naming the account's entry before it, so that
nothing in between can be missing. That a copy was taken is an entry before its first byte is read, and so
part of the copy; going on with one that was cut off is another. Each copy is of one consistent state.

Never done here: a format of our own. The bundle is C2SP tlog-tiles in one tar, the others stand in
`vault.domain.formats`; how they are read and written stands in `vault.services.copying`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.domain.event import Event, EventType
from vault.domain.policy import Permission
from vault.errors import FieldError, Forbidden, Invalid, not_found
from vault.ports.records import EntryFilter
from vault.services.asked import check_filter
from vault.services.copying import Copier, Part
from vault.services.gate import Gate, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vault.domain.actor import Actor, Reach
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


class Format(StrEnum):
    """The formats of a copy."""

    BUNDLE = "bundle"
    JSONL = "jsonl"
    CSV = "csv"
    OCSF = "ocsf"
    CEF = "cef"


BESIDE: Final = frozenset({Format.CSV, Format.OCSF, Format.CEF})
"""Formats whose lines have no place for a proof: proofs go beside them, in a tar."""

EVERYTHING: Final = EntryFilter()

_WHICH: Final = (
    "This is not a checkpoint that a copy of this log was given with. Send the first answer's header"
    " Rootvault-Checkpoint as it is, or its text (base64 -d), with its signatures; or begin anew without it."
)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants a copy of, and where one that was cut off goes on.

    `after` is the index of the last entry that was received (of a bundle: `offset`, the bytes of it); the rest
    is of the same state under the `checkpoint` that the first answer gave, or below `until_size`. `limit` ends a
    copy after so many entries.
    """

    format: Format
    wanted: EntryFilter = EVERYTHING
    proofs: bool = False
    after: int = -1
    offset: int = 0
    until_size: int | None = None
    checkpoint: str | None = None
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy that may be read now: of the entries below `size`, proven under `checkpoint`."""

    size: int
    checkpoint: str
    chunks: Iterator[bytes]


@dataclass(frozen=True, slots=True)
class Exports:
    """Use cases that copy the log."""

    units: Units
    gate: Gate
    clock: Clock

    def begin(self, actor: Actor, wish: Wish) -> Copy:
        """Record that a copy is taken, fix what it is of, and give it to be read."""
        check(wish)
        now = self.clock.now()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.LOG_EXPORT, now)
            event = Event(EventType.AUDIT_EXPORTED, actor, detail=_told(wish), subject="disclosure")
            event = self._within_scope(unit, actor, wish, event, now)
            size = _size_of(unit, wish)
            receipt = unit.log.record(event, now)
            unit.commit()
        if size is None:
            size, note = receipt.index + 1, receipt.checkpoint
        else:
            note = wish.checkpoint or receipt.checkpoint
        proven = size if wish.checkpoint is not None else receipt.index + 1
        stop = size if wish.until_size is None else min(size, wish.until_size)
        reach = self.gate.policy.reach(actor, Permission.LOG_EXPORT)
        return Copy(stop, note, self._chunks(Copier(self.units, note, proven), wish, reach, stop))

    def _chunks(self, copier: Copier, wish: Wish, reach: Reach, stop: int) -> Iterator[bytes]:
        if wish.format is Format.BUNDLE:
            return copier.bundle(wish.offset)
        wanted = wish.wanted
        by_account = wanted.account_id is not None or not reach.everything
        is_complete = by_account and replace(wanted, account_id=None) == EVERYTHING
        part = Part(wanted, reach, wish.after, stop, wish.limit, is_complete)
        if wish.format is Format.JSONL:
            return copier.lines(part)
        return (copier.proven if wish.proofs else copier.plain)(part, wish.format)

    def _within_scope(self, unit: Unit, actor: Actor, wish: Wish, event: Event, now: datetime) -> Event:
        """Return the entry to write for a copy that is within the actor's scope; else it is refused."""
        number = wish.wanted.account_id
        account = None if number is None else unit.accounts.get(number)
        if account is not None:
            event = replace(event, account_id=account.id)
        reach = self.gate.policy.reach(actor, Permission.LOG_EXPORT)
        if reach.everything:
            return event
        if wish.format is Format.BUNDLE:
            require_whole(self.gate, unit, actor, replace(event, account_id=None), now)
        if number is not None and (account is None or not reach.covers(account.customer_id, account.id)):
            refuse(unit, replace(event, account_id=None), not_found("account", number), now)
        return event


def require_whole(gate: Gate, unit: Unit, actor: Actor, event: Event, now: datetime) -> None:
    """Return for who may export all of the log; for a part there is no tree, so `event` is recorded as refused."""
    if not gate.policy.reach(actor, Permission.LOG_EXPORT).everything:
        words = (
            "The log is copied whole, and your scope is a part of it. Take an extract of your accounts"
            " (jsonl, csv, ocsf, cef), or ask an auditor of all accounts."
        )
        refuse(unit, event, Forbidden("policy.denied", words, rule=Permission.LOG_EXPORT), now)


def check(wish: Wish) -> None:
    """Raise `Invalid` for a wish that contradicts itself, naming the place."""
    wanted = wish.wanted
    if wish.format is Format.BUNDLE and wanted != EVERYTHING:
        raise _wrong("format", "A bundle is the whole log; a filter goes with jsonl, csv, ocsf or cef.")
    check_filter(wanted)
    if wish.proofs and wish.format not in BESIDE:
        raise _wrong("proofs", f"A {wish.format} has its proofs in it; leave this out.")
    if wish.format is not Format.BUNDLE:
        if wish.offset:
            raise _wrong("offset", "Only a bundle goes on from a byte; give the last index as `after`.")
        return
    if wish.after >= 0 or wish.limit is not None or wish.until_size is not None:
        raise _wrong("format", "A bundle has no parts; one that was cut off goes on from `offset`.")
    if wish.offset and wish.checkpoint is None:
        raise _wrong("checkpoint", "Give the checkpoint that the first answer was of.")


def _size_of(unit: Unit, wish: Wish) -> int | None:
    """Give the size that a copy goes on with; None for the present one, which this copy's own entry makes."""
    present = int(unit.log.checkpoint().split("\n")[1])
    if wish.until_size is not None and wish.until_size > present:
        raise _wrong("until_size", f"The log has {present} entries.")
    if wish.checkpoint is None:
        return wish.until_size
    size = unit.copies.size_of(wish.checkpoint)
    if size is None or size > present:
        raise _wrong("checkpoint", _WHICH)
    return size


def _told(wish: Wish) -> dict[str, str | int | bool | None]:
    told: dict[str, str | int | bool | None] = {"what": wish.format, **wish.wanted.told()}
    if wish.proofs:
        told["proofs"] = True
    if wish.after >= 0:
        told["after"] = wish.after
    if wish.offset:
        told["offset"] = wish.offset
    if wish.until_size is not None:
        told["until_size"] = wish.until_size
    return told


def _wrong(name: str, words: str) -> Invalid:
    return Invalid("input.invalid", words, errors=(FieldError(f"/{name}", words),))
