"""A vault whose keys are about to change: four local keys in one file, old and new, and two who agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.support.world import World, make_world, rules
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.bootstrap.rewrapping import drill_of, rewrapping_of
from vault.crypto.envelope import decode_wraps, encode_wraps
from vault.domain.actor import Role
from vault.services.key_work import DrillScope
from vault.services.sealing import Sealer

if TYPE_CHECKING:
    from pathlib import Path

    from vault.domain.credential import Version
    from vault.domain.proposal import Proposal
    from vault.ports.keys import NamedKeys, Wrap
    from vault.services.drill import Drill
    from vault.services.rewrapping import Rewrapping

OLD, NEW = ("local-1", "local-2"), ("local-3", "local-4")
WHY = "the yearly change of every key"
NUMBERS = ("111122223333", "222233334444")


@dataclass(frozen=True)
class Changing:
    """The world, its key file, and how it is seen with the settings of each side."""

    world: World
    file: Path
    two: tuple[str, str] = ("amy", "ann")
    """The names of the two who agree."""

    def keys(self, *retiring: str) -> InsecureLocalKeys:
        """Give the keys as settings name them that let some of the four retire."""
        return InsecureLocalKeys(self.file, retiring)

    @property
    def after(self) -> InsecureLocalKeys:
        """Give the keys as the settings name them once they were changed."""
        return self.keys(*OLD)

    def rewrapping(self, keys: NamedKeys | None = None) -> Rewrapping:
        """Give the use case, under the settings that were changed."""
        return rewrapping_of(self.world.vault, keys or self.after)

    def drill(self, keys: NamedKeys | None = None) -> Drill:
        """Give the use case, under the settings that were changed."""
        return drill_of(self.world.vault, keys or self.after)

    def agreed(self, *, keys: tuple[str, ...] = NEW, remove_old: bool = True) -> Proposal:
        """Let two administrators agree to other keys, and wait out the hold."""
        vault = self.world.vault
        amy = self.world.human(self.two[0], Role.ADMIN)
        made = vault.key_work.propose_rewrap(amy.actor, keys, WHY, amy.otp(), remove_old=remove_old)
        return self._confirmed(made)

    def agreed_drill(self, scope: DrillScope = DrillScope.LIVE) -> Proposal:
        """Let two administrators agree to a drill."""
        amy = self.world.human(self.two[0], Role.ADMIN)
        return self._confirmed(self.world.vault.key_work.propose_drill(amy.actor, scope, WHY, amy.otp()))

    def _confirmed(self, made: Proposal) -> Proposal:
        ann = self.world.human(self.two[1], Role.ADMIN)
        agreed = self.world.vault.proposals.confirm(ann.actor, made.id, ann.otp())
        self.world.clock.advance(seconds=rules()[0].people.hold_seconds + 1)
        return agreed

    def versions(self) -> tuple[Version, ...]:
        """Read all versions."""
        with self.world.vault.units.read() as unit:
            return tuple(unit.versions.each())

    def wraps(self) -> list[tuple[str, ...]]:
        """Name the keys of every version's wraps."""
        return [tuple(wrap.key_id for wrap in decode_wraps(each.wraps)) for each in self.versions()]

    def store(self, version: Version, wraps: tuple[Wrap, ...] | bytes) -> None:
        """Put other wraps in place by hand."""
        given = wraps if isinstance(wraps, bytes) else encode_wraps(wraps)
        with self.world.vault.units.write() as unit:
            assert unit.versions.rewrap(version, given)
            unit.commit()

    def opened(self, keys: InsecureLocalKeys) -> list[str]:
        """Open every version with some keys; give what is in them."""
        with self.world.vault.units.read() as unit:
            vault_id = unit.vault_id
        return [Sealer(keys).open(vault_id, each).plaintext.expose() for each in self.versions()]


def changing(url: str, directory: Path, numbers: tuple[str, ...] = NUMBERS) -> Changing:
    """Make a vault that holds these accounts under the old keys."""
    file = directory / "four-keys.json"
    create_local_keys(file, (*OLD, *NEW))
    world = make_world(url, directory, InsecureLocalKeys(file, NEW))
    for number in numbers:
        world.held(number)
    return Changing(world, file)
