"""A C2SP witness as a place outside: what `audit.witness` speaks, behind the port `Anchor`.

Decided here: that a witness whose word is against the log is asked for the checkpoint it goes by. Only that, with
our own signature on it, proves anything; a witness that merely claims a larger size is a witness that failed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from audit.errors import AuditError, RolledBack
from audit.witness.submit import submit
from vault.ports.anchors import AnchorFailed, Confirmation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from audit.witness.client import Client
    from vault.adapters.anchors.reading import Ours
    from vault.ports.anchors import Source


@dataclass(frozen=True, slots=True)
class WitnessAnchor:
    """Implements `Anchor`: one witness under its key."""

    client: Client
    ours: Ours

    @property
    def name(self) -> str:
        """The outlet's name."""
        return f"witness/{self.client.verifier.name}"

    def confirm(self, note: str, position: int, source: Source) -> Confirmation:
        """Get the checkpoint cosigned."""
        mine = self.ours.checkpoint(note)
        if mine is None:
            raise AnchorFailed("the checkpoint to cosign does not bear our own signature")
        try:
            signed = submit(
                self.client, note, lambda old: source.consistency(old, mine.size), position, source.size
            )
        except RolledBack as error:
            raise AnchorFailed(error.words, *self.latest(mine.size)) from None
        except AuditError as error:
            raise AnchorFailed(error.words) from None
        at = datetime.fromtimestamp(signed.time, UTC)
        return Confirmation(
            f"{signed.line.rstrip()} ({at:%Y-%m-%d %H:%M:%S} UTC by its clock)", (signed.line,)
        )

    def latest(self, near: int) -> Sequence[str]:
        """Give the newest checkpoint that it cosigned, if it bears our signature."""
        del near
        try:
            note = self.client.latest(self.ours.origin)
        except AuditError as error:
            raise AnchorFailed(error.words) from None
        return () if note is None or self.ours.checkpoint(note) is None else (note,)
