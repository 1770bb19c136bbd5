"""Ports: places outside that keep our checkpoints, a second signer, and the mail.

Decided here: what a place outside is asked, and what is believed of its answers. An anchor is untrusted: what
it gives back counts only where it bears our own log's signature. All of these cross the network, take bounded
time, and are never asked while a transaction is open.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class AnchorFailed(Exception):
    """A place outside did not answer, or not as it should; `words` are for people, and perhaps hostile.

    `notes` are checkpoints that it showed instead, signed by our log: they tell of a log that is not ours.
    """

    def __init__(self, words: str, *notes: str) -> None:
        super().__init__(words)
        self.words = words
        self.notes = notes


class LetterRefused(AnchorFailed):
    """The mail server will never take this letter for this address, or it is no address."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a place outside answered: `evidence` as text, `lines` are signature lines for the note."""

    evidence: str
    lines: tuple[str, ...] = ()


class Source(Protocol):
    """The log, as an anchor may ask for it while it confirms; each call is a short look of its own."""

    def size(self) -> int:
        """Give the number of entries now."""
        ...

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        """Prove that the tree of `old` entries is a prefix of that of `new`."""
        ...


class Anchor(Protocol):
    """A place that keeps checkpoints."""

    @property
    def name(self) -> str:
        """Its outlet's name: the kind, a slash, and which one."""
        ...

    def confirm(self, note: str, position: int, source: Source) -> Confirmation:
        """Hand over a checkpoint; `position` is the size that it is thought to have confirmed before.

        The same one twice is confirmed twice. Raises `AnchorFailed`.
        """
        ...

    def latest(self, near: int) -> Sequence[str]:
        """Give the largest checkpoint of ours that it keeps, more than one where it keeps different ones.

        `near` is a size near which to begin to look. Each bears our log's signature. Raises `AnchorFailed`.
        """
        ...


class Cosigner(Protocol):
    """Who adds another signature to what is published."""

    @property
    def name(self) -> str:
        """Its outlet's name."""
        ...

    def sign(self, text: str) -> Confirmation:
        """Sign the text of a note; the line is in the answer. Raises `AnchorFailed`."""
        ...


class Copy(Protocol):
    """A place that keeps the log itself, tile by tile."""

    @property
    def name(self) -> str:
        """Its outlet's name."""
        ...

    def put(self, path: str, content: bytes) -> None:
        """Keep a tile under its path (C2SP tlog-tiles); one that is there already has to be the same."""
        ...


class Mark(Protocol):
    """The mark outside the database that the log is held against."""

    def hold(self, note: str) -> None:
        """Stop all that looks at the mark, for a checkpoint of ours that the log in the database does not continue."""
        ...


class Mailer(Protocol):
    """A mail server that takes letters of plain text, perhaps with the same as HTML."""

    def send(
        self, to: tuple[str, ...], subject: str, body: str, message_id: str, html: str | None = None
    ) -> str:
        """Hand a letter over to the server; give what it answered.

        Raises `AnchorFailed`; `LetterRefused` where trying again is of no use.
        """
        ...
