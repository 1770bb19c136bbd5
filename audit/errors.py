"""What the log refuses, as data: one family with a stable `code` and plain words.

The words carry places, sizes and names, never the content of an entry.
"""

from __future__ import annotations


class AuditError(Exception):
    """Say what was refused: `code` is stable, `words` are for people."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(f"{words} [{code}]")
        self.code = code
        self.words = words


class EntryRefused(AuditError):
    """An event that cannot become a leaf, or bytes that are not one."""


class ProofRefused(AuditError):
    """A proof that does not prove, or that cannot exist."""


class NoteRefused(AuditError):
    """A signed note, key or key file that cannot be accepted."""


class TileRefused(AuditError):
    """A tile's path or content that the format does not allow, or that this log does not have (yet)."""


class BundleRefused(AuditError):
    """Something that should be an exported log and is not."""


class LogRefused(AuditError):
    """The stored log contradicts itself or its configuration: nothing may be added to it or trusted in it."""


class RolledBack(AuditError):
    """The stored log is older than, or another than, the one whose checkpoint was already published."""


class WitnessRefused(AuditError):
    """A witness that does not cosign what we sent, or answers what no witness may."""


class Unreachable(AuditError):
    """A witness that gave no answer, or said that it cannot now: to be asked again later."""


class SizeConflict(AuditError):
    """A witness that has seen a log of `size` entries, another than we said."""

    def __init__(self, size: int) -> None:
        super().__init__(
            "witness.conflict", f"the witness has seen a log of {size} entries, not what we said"
        )
        self.size = size
