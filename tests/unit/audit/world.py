"""A small log to try things on, and a tree that is as plain as the specification."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING

from audit.bundle import open_bundle
from audit.entry import Draft
from audit.log import Log, Receipt
from audit.note import Signer
from audit.storage.memory import MemoryStorage
from audit.tile import WIDTH
from audit.verify import Older, Report, examine

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit.storage import Storage

ORIGIN = "vault.msp.example/audit"
SEED = sha256(b"test log key, not secret").digest()
SIGNER = Signer.from_seed(ORIGIN, SEED)
LOG = Log(ORIGIN, SIGNER)
BEGAN = datetime(2026, 11, 21, 2, 0, tzinfo=UTC)
SIZE = WIDTH + 20
ACCOUNTS = ("100000000000", "200000000000", None)

_seconds = itertools.count()


def draft(
    event_type: str = "secret.reveal.authorized",
    account: str | None = None,
    *,
    actor: str = "person-1",
    checkout: str | None = None,
    kind: str | None = None,
    text: str | None = None,
) -> Draft:
    """Make a draft; each is a second later than the one before."""
    return Draft(
        id=str(uuid.uuid4()),
        time=BEGAN + timedelta(seconds=next(_seconds)),
        type=event_type,
        outcome="success",
        actor={"id": actor, "name": "Ada", "ip": "192.0.2.1"},
        account=account,
        checkout=checkout,
        secret=None if kind is None else {"kind": kind, "version": 1},
        reason=None if text is None else {"code": "incident", "text": text},
    )


def fill(storage: Storage, size: int, log: Log = LOG) -> list[Receipt]:
    """Append until the log has `size` entries, over two accounts and none in turn."""
    receipts = []
    for index in range(storage.head().size, size):
        account = ACCOUNTS[index % len(ACCOUNTS)]
        made = draft("log.opened") if index == 0 else draft(account=account, kind=account and "password")
        receipts.append(log.append(storage, made))
    return receipts


def filled(size: int) -> MemoryStorage:
    """Make a log of some size in memory."""
    storage = MemoryStorage()
    fill(storage, size)
    return storage


def naive_root(leaves: Sequence[bytes]) -> bytes:
    """Compute a root as RFC 6962 2.1 says it, by recursion over the leaves themselves."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + naive_root(leaves[:split]) + naive_root(leaves[split:])).digest()


def naive_inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """Compute an inclusion proof as RFC 6962 2.1.1 says it."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*naive_inclusion(index, leaves[:split]), naive_root(leaves[split:])]
    return [*naive_inclusion(index - split, leaves[split:]), naive_root(leaves[:split])]


def naive_consistency(old: int, leaves: Sequence[bytes], *, known: bool = True) -> list[bytes]:
    """Compute a consistency proof as RFC 6962 2.1.2 says it."""
    if old == len(leaves):
        return [] if known else [naive_root(leaves)]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if old <= split:
        return [*naive_consistency(old, leaves[:split], known=known), naive_root(leaves[split:])]
    return [*naive_consistency(old - split, leaves[split:], known=False), naive_root(leaves[:split])]


def verdict(path: Path, *since: Older) -> Report:
    """Examine an exported log with our key."""
    with open_bundle(path) as opened:
        return examine(opened, SIGNER.verifier, since)


def codes(report: Report) -> set[str]:
    """Return what kinds of things were found."""
    return {finding.code for finding in report.findings}


def files(directory: Path) -> list[Path]:
    """Return all files of a directory, in order."""
    return sorted(path for path in directory.rglob("*") if path.is_file())
