"""A world whose policy has versions: the shipped text is adopted, and workers find it in the database."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.world import World, hasher
from vault.adapters.db import SqlUnits
from vault.bootstrap.compose import Ground, compose
from vault.domain.actor import Role, system_actor
from vault.services.policies import adopt
from vault.services.policy_book import PolicyBook

if TYPE_CHECKING:
    from vault.domain.proposal import Proposal

SHIPPED = (Path(__file__).parents[2] / "config" / "policy.toml").read_text("utf-8")
WHY = "because the work asks for it"


@dataclass(slots=True)
class Ticking:
    """A clock of seconds that only goes when it is told to."""

    at: float = 0.0

    def __call__(self) -> float:
        """Give the seconds."""
        return self.at


@dataclass(slots=True)
class Town:
    """A world with versions, and any number of workers on it."""

    world: World
    ticking: Ticking = field(default_factory=Ticking)
    file: Path | None = None

    def worker(self) -> World:
        """Open the vault as another process has it, with a book of its own."""
        vault, units = self.world.vault, self.world.vault.units
        assert isinstance(units, SqlUnits)
        book = PolicyBook(vault.clock, self.ticking)
        units = replace(units, policy_hash=lambda: book.policy.digest, followed={})
        book.refresh(units)
        settings = vault.settings
        if self.file is not None:
            settings = replace(settings, general=replace(settings.general, policy_file=str(self.file)))
        ground = Ground(
            settings,
            book.policy,
            vault.clock,
            units,
            vault.keys,
            vault.server_key,
            vault.origin,
            vault.vkey,
            hasher(),
            close=vault.close,
            book=book,
        )
        return World(compose(ground), self.world.clock, self.world.people)

    def look(self, worker: World) -> None:
        """Let more than a second go by, and a request begin."""
        self.ticking.at += 1.5
        worker.vault.book.refresh(worker.vault.units)

    def proposed(self, worker: World, text: str, by: str = "ada") -> Proposal:
        """Propose a text."""
        human = worker.human(by, Role.ADMIN)
        return worker.vault.policies.propose(human.actor, text, WHY, human.otp())

    def agreed(self, worker: World, text: str, second: str = "ben") -> Proposal:
        """Propose a text, agree to it, and let this worker see it."""
        made = self.proposed(worker, text)
        human = worker.human(second, Role.ADMIN)
        found = worker.vault.proposals.confirm(human.actor, made.id, human.otp())
        self.look(worker)
        return found


def settle(world: World, file: Path | None = None, text: str = SHIPPED) -> Town:
    """Adopt a text in a world that has no versions yet."""
    with world.vault.units.write() as unit:
        adopt(unit, system_actor("init"), text, world.clock.now())
        unit.commit()
    return Town(world, file=file)


def changed(was: str, now: str, text: str = SHIPPED) -> str:
    """Give the shipped text with one change."""
    assert was in text
    return text.replace(was, now, 1)
