"""Somebody who has the whole exported log, and perhaps its signing key, and writes another past.

They have our code and take pains: after each change every number, chain, hash, tile and root is computed anew, so
that what they publish contradicts itself nowhere.
"""

from __future__ import annotations

import json
import uuid
from typing import TYPE_CHECKING, Any, Final

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.entry import write
from audit.report import Source

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from audit.note import Signer
    from audit.tile import Tile

Members = dict[str, Any]


class Forged(Source):
    """A log made of leaves alone: tree and tiles are what follows from them."""

    def __init__(self, origin: str, leaves: Sequence[bytes], signer: Signer | None, note: str = "") -> None:
        self.leaves_ = leaves
        self._hashes = merkle.leaf_hashes(list(leaves))
        self._levels = [self._hashes]
        while len(self._levels[-1]) > 1:
            row = self._levels[-1]
            pairs = zip(row[0::2], row[1::2], strict=False)
            self._levels.append([merkle.node_hash(left, right) for left, right in pairs])
        root = merkle.root(len(leaves), lambda asked: [self._levels[at.level][at.n] for at in asked])
        self._note = signer.sign(Checkpoint(origin, len(leaves), root).format()) if signer else note

    def note(self) -> str:
        """Return the checkpoint."""
        return self._note

    def leaves(self, start: int, stop: int) -> dict[int, bytes]:
        """Return leaves."""
        return dict(enumerate(self.leaves_[start:stop], start))

    def hashes(self, tile: Tile) -> list[bytes]:
        """Return the hashes of a tile."""
        return [self._levels[at.level][at.n] for at in tile.coordinates()]

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return nothing: there is no search."""
        return [index for index in range(start, stop) if index < 0]

    def has(self, index: int) -> bool:
        """Tell whether there is a leaf."""
        return index < len(self.leaves_)


def recompute(entries: Sequence[Members]) -> list[bytes]:
    """Give each entry its number and its account's chain, and write it."""
    leaves: list[bytes] = []
    tails: dict[str, tuple[int, str | None]] = {}
    for index, members in enumerate(entries):
        members["seq"] = index
        account = members.get("account")
        if account is not None:
            seq, prev = tails.get(account["id"], (-1, None))
            members["account"] = {"id": account["id"], "seq": seq + 1} | ({"prev": prev} if prev else {})
        leaf = write(members)
        leaves.append(leaf)
        if account is not None:
            tails[account["id"]] = members["account"]["seq"], merkle.leaf_hash(leaf).hex()
    return leaves


def edit(entries: list[Members], chance: random.Random, at: int) -> None:
    """Change a field of an entry."""
    name, value = chance.choice(
        (
            ("outcome", "failure"),
            ("type", "secret.reveal.denied"),
            ("actor", {**entries[at]["actor"], "name": "Eve"}),
            ("actor", {**entries[at]["actor"], "ip": "203.0.113.9"}),
            ("detail", {"note": f"nothing to see {chance.random()}"}),
            ("reason", {"code": "incident", "text": "it was agreed"}),
            ("id", str(uuid.UUID(int=chance.getrandbits(128), version=4))),
        )
    )
    entries[at][name] = value


def remove(entries: list[Members], chance: random.Random, at: int) -> None:
    """Remove one entry or a few."""
    del entries[at : at + chance.choice((1, 1, 2, 7))]


def insert(entries: list[Members], chance: random.Random, at: int) -> None:
    """Put in an entry that never was."""
    made = json.loads(json.dumps(entries[at]))
    made["id"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))
    entries.insert(at, {**made, "type": "approval.given"})


def swap(entries: list[Members], chance: random.Random, at: int) -> None:
    """Exchange two entries."""
    other = chance.choice([index for index in range(1, len(entries)) if index != at])
    entries[at], entries[other] = entries[other], entries[at]


def cut(entries: list[Members], _: random.Random, at: int) -> None:
    """Cut off the end."""
    del entries[at:]


def reorder(entries: list[Members], chance: random.Random, at: int) -> None:
    """Bring the entries of one account into another order, in the places that they had."""
    name = entries[at].get("account", {}).get("id")
    places = [n for n in range(at, len(entries)) if entries[n].get("account", {}).get("id") == name]
    first, second = chance.sample(places[: max(2, len(places))], 2) if len(places) > 1 else (at, 1 + at % 2)
    entries[first], entries[second] = entries[second], entries[first]


def retime(entries: list[Members], chance: random.Random, at: int) -> None:
    """Say that it happened at another time."""
    entries[at]["time"] = f"2026-11-20T{chance.randrange(24):02}:00:00.{chance.randrange(10**6):06}Z"


def duplicate(entries: list[Members], chance: random.Random, at: int) -> None:
    """Say that it happened twice."""
    entries.insert(chance.randrange(at, len(entries)) + 1, json.loads(json.dumps(entries[at])))


def reassign(entries: list[Members], _: random.Random, at: int) -> None:
    """Say that it was about another account."""
    entries[at]["account"] = {"id": "300000000000"}


def rewrite(entries: list[Members], chance: random.Random, at: int) -> None:
    """Write everything anew from some entry on."""
    for members in entries[at:]:
        members["id"] = str(uuid.UUID(int=chance.getrandbits(128), version=4))


FORGERIES: Final = (edit, remove, insert, swap, cut, reorder, retime, duplicate, reassign, rewrite)


def first_difference(true: Sequence[bytes], forged: Sequence[bytes]) -> int:
    """Return the first index at which two logs are not the same; where the shorter ends, if nowhere before."""
    pairs = enumerate(zip(true, forged, strict=False))
    return next((n for n, (one, other) in pairs if one != other), min(len(true), len(forged)))
