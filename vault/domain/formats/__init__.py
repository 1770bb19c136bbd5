"""How entries of the log are written for other programs: spreadsheets, security products, line readers.

Decided here: what every writer starts from. Each format is a pure function from one entry to one line, and
no line can be broken by what somebody typed (SECURITY S27). The exact leaf goes along wherever the format can
hold it: whatever a format makes of an entry, only the leaf is what was hashed and signed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any, Final

_ASCII: Final = json.JSONEncoder(sort_keys=True, ensure_ascii=True, separators=(",", ":"))


@dataclass(frozen=True)
class Copied:
    """One entry as it is copied: its index, its exact leaf, and the size of the tree that it is proven in."""

    index: int
    leaf: bytes
    size: int

    @cached_property
    def leaf_hash(self) -> str:
        """The entry's leaf hash in hex (RFC 6962 section 2.1)."""
        return sha256(b"\x00" + self.leaf).hexdigest()

    @cached_property
    def content(self) -> Mapping[str, Any]:
        """What the leaf says; an object, as the log takes no other leaf."""
        read = json.loads(self.leaf)
        return read if isinstance(read, dict) else {}

    def text(self, *path: str) -> str:
        """Give a member as text, empty where it is not there."""
        value: object = self.content
        for name in path:
            value = value.get(name) if isinstance(value, dict) else None
        return "" if value is None or isinstance(value, dict | list) else str(value)


@dataclass(frozen=True, slots=True)
class Trailer:
    """How a copy of the entries below `size` ended: `next` is what to give as `after` (None: nothing is left).

    A copy without its trailer was cut off. `accounts` names of each account the number of entries it has by
    then and the hash of its last, where the copy holds all of them.
    """

    entries: int
    next: int | None
    size: int
    checkpoint: str
    accounts: Mapping[str, tuple[int, str]] | None = None

    def members(self) -> dict[str, Any]:
        """Give it as a JSON object's members."""
        told: dict[str, Any] = {
            "end": self.next is None,
            "entries": self.entries,
            "next": self.next,
            "size": self.size,
            "checkpoint": self.checkpoint,
        }
        if self.accounts is not None:
            told["accounts"] = {
                number: {"entries": count, "last": last} for number, (count, last) in self.accounts.items()
            }
        return told


def compact(value: object) -> str:
    """Write a value as JSON on one line of printable ASCII: nothing in it can steer a terminal or a reader."""
    return _ASCII.encode(value)
