"""The anchor file as a place outside: what `audit.anchor_file` keeps, behind the port `Anchor`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit.anchor_file import AnchorFile
from audit.errors import AuditError
from vault.ports.anchors import AnchorFailed, Confirmation

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from vault.adapters.anchors.reading import Ours
    from vault.ports.anchors import Source


@dataclass(frozen=True, slots=True)
class FileAnchor:
    """Implements `Anchor`: a file on another disk or machine, to which checkpoints are only added."""

    path: Path
    ours: Ours

    @property
    def name(self) -> str:
        """The outlet's name."""
        return f"file/{self.path.name}"

    def confirm(self, note: str, position: int, source: Source) -> Confirmation:
        """Add the checkpoint; durable when this returns."""
        del position, source
        mine = self.ours.checkpoint(note)
        if mine is None:
            raise AnchorFailed("the checkpoint to keep does not bear our own signature")
        try:
            AnchorFile(self.path).add(note)
        except AuditError as error:
            raise AnchorFailed(error.words, *self._notes()) from None
        except OSError as error:
            raise AnchorFailed(f"{self.path}: {error.strerror}") from None
        return Confirmation(f"{self.path} keeps the checkpoint of {mine.size} entries")

    def latest(self, near: int) -> Sequence[str]:
        """Give what the file ends with, if it is ours."""
        del near
        try:
            return self._notes()
        except OSError as error:
            raise AnchorFailed(f"{self.path}: {error.strerror}") from None

    def _notes(self) -> Sequence[str]:
        try:
            note = AnchorFile(self.path).last().note
        except AuditError as error:
            raise AnchorFailed(error.words) from None
        return () if note is None or self.ours.checkpoint(note) is None else (note,)
