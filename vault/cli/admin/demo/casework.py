"""What every case of the story has in common: words with their evidence, both words of two people, acts at AWS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.admin.demo.cast import Player
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground
    from vault.domain.case import CaseFile


@dataclass(frozen=True, slots=True)
class Paper:
    """A case that the story works on; a step without an account is the whole case's."""

    act: Act
    case: CaseFile

    def say(
        self, who: Player, step: str, ground: Ground | None = None, given: Mapping[str, str] | None = None
    ) -> None:
        """Say that a step is done, with its evidence."""
        vault = self.act.vault
        vault.cases.work.attest(who.actor(vault), self.case.id, step, _number(ground), given)

    def both(
        self,
        first: Player,
        second: Player,
        step: str,
        ground: Ground | None = None,
        given: Mapping[str, str] | None = None,
    ) -> None:
        """Say both words, each with a fresh code: the second to exactly what the first said."""
        vault, work, number = self.act.vault, self.act.vault.cases.work, _number(ground)
        asked = work.attest(first.actor(vault), self.case.id, step, number, given, first.code())
        at = None if asked.done is None else asked.done.at
        work.agree(second.actor(vault), self.case.id, step, number, second.code(), at)

    def run(self, who: Player, step: str, ground: Ground, given: Mapping[str, str] | None = None) -> None:
        """Have the vault do a step at AWS."""
        vault = self.act.vault
        vault.cases.acts.run(who.actor(vault), self.case.id, step, ground.number, given)

    def state(self, who: Player) -> str:
        """Read where the case stands."""
        return self.act.vault.cases.work.get(who.actor(self.act.vault), self.case.id).scene.case.state


def _number(ground: Ground | None) -> str:
    return "" if ground is None else ground.number
