"""What a place outside gives back, sorted: checkpoints that bear our log's signature, and everything else.

Decided here: that the signature alone decides. Which keys are ours is told by who puts the vault together.
"""

from __future__ import annotations

from dataclasses import dataclass

from audit.checkpoint import Checkpoint
from audit.errors import AuditError
from audit.note import Verifier, open_note


@dataclass(frozen=True, slots=True)
class Ours:
    """The keys that our checkpoints are signed by; the first is today's."""

    verifiers: tuple[Verifier, ...]

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self.verifiers[0].name

    def checkpoint(self, note: str) -> Checkpoint | None:
        """Give the checkpoint in a note that one of our keys signed; None for anything else."""
        try:
            found = Checkpoint.parse(open_note(note, self.verifiers).text)
        except AuditError:
            return None
        return found if found.origin == self.origin else None
