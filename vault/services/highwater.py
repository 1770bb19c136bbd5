"""Our log held against checkpoints of it that others kept: shorter, or another, and it was rolled back or rewritten.

Decided here: what such a checkpoint does. It is held beside the mark of this machine, and with that all that looks
at the mark refuses at once, in every process: appends, disclosures, the next start (AUDIT-LOG 3.6). What does
not bear our log's own signature is nobody's claim, so no place outside can stop the vault by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from audit import merkle
from audit.checkpoint import Checkpoint
from audit.errors import AuditError
from audit.note import open_note
from vault.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from audit.note import Verifier
    from vault.ports.anchors import Mark
    from vault.ports.store import Unit, Units


@dataclass(frozen=True, slots=True)
class HighWater:
    """The comparison; `verifiers` are the log's keys, today's first."""

    units: Units
    verifiers: tuple[Verifier, ...]
    mark: Mark | None

    def check(self, place: str, notes: Iterable[str]) -> None:
        """Return if our log continues each checkpoint of ours; else hold it and raise `Unavailable` log.rolled_back.

        The notes were read before this is called: a log that only grew meanwhile still continues them.
        """
        for note in notes:
            kept = self._ours(note)
            if kept is None:
                continue
            with self.units.read() as unit:
                words = _contradiction(unit, kept)
            if words is not None:
                if self.mark is not None:
                    self.mark.hold(note)
                detail = (
                    f"LOG ROLLED BACK: {place} keeps a checkpoint of {kept.size} entries that bears this log's own"
                    f" signature, and {words}. Nothing may be disclosed. See docs/operations.md, 'The log is rolled"
                    " back'."
                )
                raise Unavailable("log.rolled_back", detail, place=place, size=kept.size)

    def _ours(self, note: str) -> Checkpoint | None:
        try:
            found = Checkpoint.parse(open_note(note, self.verifiers).text)
        except AuditError:
            return None
        return found if found.origin == self.verifiers[0].name else None


def checkpoint_of(note: str) -> Checkpoint:
    """Give the checkpoint in a note of our own, whose signature whoever gave it has looked at."""
    return Checkpoint.parse(note.rpartition("\n\n")[0] + "\n")


def _contradiction(unit: Unit, kept: Checkpoint) -> str | None:
    head = checkpoint_of(unit.log.checkpoint())
    if head.size < kept.size:
        return f"the database ends at {head.size}"
    proof = unit.log.consistency(kept.size, head.size)
    try:
        merkle.check_consistency(kept.size, head.size, proof or (), kept.root, head.root)
    except AuditError:
        return "the database holds another log"
    return None
