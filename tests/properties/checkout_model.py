"""What stories about checkouts are told with: a copy of a small world, and a model of who may see what now.

The model knows leases, factors and quotas only by what the vault answered when they were given; AWS is a table of
what is really set. Never here: what people do, or what must hold (`test_checkout_machine`).
"""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine

from tests.support.prepared import copy_files, keep_people, prepare, reopen
from tests.support.replay import check_database
from vault.domain.actor import Role
from vault.domain.credential import PartKind, VersionLabel
from vault.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.world import Human, World
    from vault.domain.rotation import Rotation

T = TypeVar("T")
HELD, NEW = "111122223333", "444455556666"
ACCOUNTS: Final = (HELD, NEW)
PASSWORD: Final = "Correct-Horse-7-Battery"
SEED: Final = "JBSWY3DPEHPK3PXP" * 4
OPERATORS, APPROVERS = ("alice", "bob"), ("ada", "bert")


@functools.cache
def template() -> Path:
    """Make one world for all stories: an account in custody, one that is new, and the people."""
    directory = _place()
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    world = prepare(_url(directory), directory)
    for name in OPERATORS:
        world.human(name, Role.OPERATOR)
    for name in APPROVERS:
        world.human(name, Role.APPROVER)
    world.held(HELD, PASSWORD, SEED)
    world.account(NEW)
    keep_people(world, directory)
    world.close()
    return directory


def _place() -> Path:
    """Make a directory, in memory where the machine has such: a disk's waiting adds nothing here."""
    memory = Path("/dev/shm")  # noqa: S108 - mkdtemp makes it private
    return Path(tempfile.mkdtemp(prefix="rootvault-machine-", dir=memory if memory.is_dir() else None))


def _url(directory: Path) -> str:
    return f"sqlite+pysqlite:///{directory / 'vault.db'}"


@dataclass(slots=True)
class Lease:
    """What the model knows of one checkout."""

    account: str
    who: str
    until: datetime | None = None
    fresh_until: datetime | None = None
    shown: int = 0
    over: bool = False


class Told(RuleBasedStateMachine):
    """A story that is being told, with all that is known of it beside the vault."""

    world: World
    directory: Path
    leases: dict[str, Lease]
    rotations: dict[str, str | None]
    aws: dict[tuple[str, PartKind], str | None]

    def open_copy(self) -> None:
        """Begin with a copy of the template."""
        self.directory = _place() / "vault"
        copy_files(template(), self.directory)
        self.world = reopen(_url(self.directory), self.directory)
        self.world.clock.advance(minutes=5)
        self.leases, self.rotations = {}, {}
        self.aws = dict.fromkeys((account, kind) for account in ACCOUNTS for kind in PartKind)
        self.aws |= {(HELD, PartKind.PASSWORD): PASSWORD, (HELD, PartKind.MFA): SEED}

    def teardown(self) -> None:
        """Replay the log against the database; close."""
        if not hasattr(self, "world"):
            return
        try:
            self.world.close()
            check_database(_url(self.directory))
        finally:
            shutil.rmtree(self.directory.parent)

    @property
    def _now(self) -> datetime:
        return self.world.clock.now()

    def _human(self, name: str) -> Human:
        return self.world.people[name]

    def _lease(self, which: int) -> tuple[str, Lease]:
        going_on = [id for id, lease in self.leases.items() if self._active(lease)]
        known = going_on if which >= 4 and going_on else list(self.leases)
        chosen = known[which % len(known)]
        return chosen, self.leases[chosen]

    def _chosen(self, which: int) -> str:
        with self.world.vault.units.read() as unit:
            unsettled = [each.id for account in ACCOUNTS for each in unit.rotations.unsettled(account)]
        known = unsettled if which >= 6 and unsettled else list(self.rotations)
        return known[which % len(known)]

    def _rotation(self, rotation_id: str) -> Rotation:
        with self.world.vault.units.read() as unit:
            found = unit.rotations.get(rotation_id)
        assert found is not None
        return found

    def _who(self, lease: Lease, *, other: bool) -> str:
        return next(name for name in OPERATORS if (name == lease.who) != other)

    def _active(self, lease: Lease) -> bool:
        return not lease.over and lease.until is not None and self._now < lease.until

    def _alive(self, lease: Lease) -> bool:
        """Say whether a lease that began goes on: what has not begun may have lapsed."""
        return lease.until is not None and self._active(lease)

    def _may_see(self, lease: Lease, who: str) -> bool:
        fresh = lease.fresh_until is not None and self._now < lease.fresh_until
        return lease.who == who and self._active(lease) and fresh

    def _sealed(self, account: str, kind: PartKind, label: VersionLabel) -> list[str]:
        vault = self.world.vault
        with vault.units.read() as unit:
            versions = [each for each in unit.versions.of(account, kind) if each.label is label]
            vault_id = unit.vault_id
        return [vault.reveals.sealer.open(vault_id, each).plaintext.expose() for each in versions]

    def _current(self, account: str) -> str | None:
        return next(iter(self._sealed(account, PartKind.PASSWORD, VersionLabel.CURRENT)), None)

    def _try(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except VaultError as error:
            note(f"refused: {error.code}")
            if error.code == "internal":
                raise
            return None
