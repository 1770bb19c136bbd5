"""What stories about checkouts are told with: a copy of a small world, and a model of who may see what now.

The model knows leases, factors and quotas only by what the vault answered when they were given; AWS is a table of
what is really set. Never here: what people do, or what must hold (`test_checkout_machine`).
"""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hypothesis import note
from hypothesis.stateful import RuleBasedStateMachine

from tests.support.prepared import copy_files, keep_people, prepare, reopen
from tests.support.replay import check_database
from vault.domain.actor import Role, Scope
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.freeze import Covered
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
OPERATORS, APPROVERS, ADMINS = ("alice", "bob"), ("ada", "bert"), ("amy", "ann")
GLASS: Final = "bob"
"""Who is enabled to break the glass."""


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
    for name in ADMINS:
        world.human(name, Role.ADMIN)
    amy, ann = (world.people[name] for name in ADMINS)
    # before anything is held there is no hold
    made = world.vault.glass.enable(
        amy.actor, world.people[GLASS].actor.id, Scope(), "on duty at night", amy.otp()
    )
    world.vault.proposals.confirm(ann.actor, made.id, ann.otp())
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
    glass: bool = False
    involved: set[str] = field(default_factory=set)
    """Who had a part in it, where it is broken glass."""
    reviewed: bool = False


class Told(RuleBasedStateMachine):
    """A story that is being told, with all that is known of it beside the vault."""

    world: World
    directory: Path
    customer: str
    read: list[dict[str, Any]]
    leases: dict[str, Lease]
    rotations: dict[str, str | None]
    aws: dict[tuple[str, PartKind], str | None]
    frozen: dict[str, Covered]
    halves: dict[str, str]
    """Who said first that a freeze can end."""

    def open_copy(self) -> None:
        """Begin with a copy of the template."""
        self.directory = _place() / "vault"
        copy_files(template(), self.directory)
        self.world = reopen(_url(self.directory), self.directory)
        self.world.clock.advance(minutes=5)
        self.leases, self.rotations = {}, {}
        self.frozen, self.halves, self.read = {}, {}, []
        with self.world.vault.units.read() as unit:
            found = unit.accounts.get(HELD)
        assert found is not None
        self.customer = found.customer_id
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

    def _stopped(self, account: str, who: str) -> bool:
        """Say whether something that is frozen stops a person's disclosures of an account."""
        person = self._human(who).actor.id
        return any(each.concerns(self.customer, account, person) for each in self.frozen.values())

    def _waits(self, account: str) -> bool:
        """Say whether a broken glass of an account waits for its review."""
        return any(
            lease.glass and not lease.reviewed for lease in self.leases.values() if lease.account == account
        )

    def _may_see(self, lease: Lease, who: str) -> bool:
        if self._stopped(lease.account, who):
            return False
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

    def _leaves(self) -> list[dict[str, Any]]:
        """Give the whole log, oldest first; what was read before is not read again."""
        engine = self.world.vault.units.engine  # type: ignore[attr-defined]  # the SQL units
        with engine.connect() as connection:
            found = connection.exec_driver_sql(
                f"SELECT leaf FROM audit_entry WHERE seq >= {len(self.read)} ORDER BY seq"  # noqa: S608 - a number of ours
            )
            self.read += [json.loads(bytes(row[0])) for row in found]
        return self.read

    def _try(self, act: Callable[[], T]) -> T | None:
        try:
            return act()
        except VaultError as error:
            note(f"refused: {error.code}")
            if error.code == "internal":
                raise
            return None
