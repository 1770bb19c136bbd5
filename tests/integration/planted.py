"""Faults that are planted on purpose, to see that the tests which should find them do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vault.crypto import password
from vault.services import rotations
from vault.services.rotations import Displayed, Rotations

if TYPE_CHECKING:
    from vault.domain.actor import Actor


def show_before_store() -> None:
    """Show another candidate than the one that is sealed, and seal it only when AWS has taken it."""
    honest = Rotations.display

    def hasty(self: Rotations, actor: Actor, rotation_id: str) -> Displayed:
        shown = honest(self, actor, rotation_id)
        return shown if shown.password is None else replace(shown, password=password.generate())

    rotations.Rotations.display = hasty  # type: ignore[method-assign]  # the fault itself
