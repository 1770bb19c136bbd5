r"""The change of a log's signing key, as an entry tells it.

    type    log.key.rotated
    detail  vkey              the key that signs from this entry on
            previous_vkey     the key that signed until then, and signs beside it for a while
            overlap_until     until when, in the form of a leaf's `time`; the time of the entry: no longer than it

The entry is the first whose head bears both lines. A reader who knows the old key verifies that head by it, finds
the new key in the entry under it, and goes on with that: the old key vouches for the new one. A reader who was
given the new key only begins at that head.

Decided here: the shape. Never done here: the switch itself, which is a matter of the log's settings, or believing
the entry of a bundle whose root was not verified.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from audit.entry import JsonValue
from audit.errors import EntryRefused, NoteRefused
from audit.note import ED25519, Verifier

ROTATED: Final = "log.key.rotated"
_TIME: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rotation:
    """A change of keys; raises `EntryRefused` unless both are keys of one log, and different ones."""

    new: Verifier
    previous: Verifier
    overlap_until: str

    def __post_init__(self) -> None:
        if (self.new.type, self.previous.type) != (ED25519, ED25519) or self.new.name != self.previous.name:
            raise EntryRefused("entry.rotation", "both keys of a rotation are signing keys of the same log")
        if self.new.public == self.previous.public:
            raise EntryRefused("entry.rotation", "the new key of a rotation is the old one")
        if not _TIME.fullmatch(self.overlap_until):
            raise EntryRefused("entry.rotation", "the end of the overlap is not a time as leaves write it")

    @property
    def detail(self) -> dict[str, JsonValue]:
        """Return the `detail` of the entry."""
        return {
            "vkey": self.new.vkey,
            "previous_vkey": self.previous.vkey,
            "overlap_until": self.overlap_until,
        }

    @classmethod
    def parse(cls, detail: Mapping[str, JsonValue]) -> Rotation:
        """Read the `detail` of an entry; raise `EntryRefused` if it does not tell of a rotation."""
        new, previous, until = (detail.get(key) for key in ("vkey", "previous_vkey", "overlap_until"))
        if not isinstance(new, str) or not isinstance(previous, str) or not isinstance(until, str):
            raise EntryRefused(
                "entry.rotation", "the entry does not name the keys and the end of the overlap"
            )
        try:
            return cls(Verifier.parse(new), Verifier.parse(previous), until)
        except NoteRefused as error:
            raise EntryRefused("entry.rotation", f"a key of the rotation is none: {error.words}") from None
