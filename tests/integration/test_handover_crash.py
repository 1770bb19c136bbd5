"""A handover that is stopped at any step ends the same: at AWS, in the vault, and in the log (H8, S30).

A step is the moment before or after a commit, or before or after a call of AWS. What stops it there is the end of the
process: nothing of ours runs on. Another process then does whatever waits, and never more than was to be done.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import pytest
from botocore.client import BaseClient

from tests.integration.crash_fuse import NEVER, Fault, Fuse, FusedUnits, Where
from tests.support.handover_day import ROLE, Day, furnished, reaching
from tests.support.handovers import ONE, PAYER, Handover
from tests.support.prepared import copy_files, keep_people, prepare, reopen
from tests.support.replay import check_replay
from tests.support.thorough import THOROUGH
from vault.cli.admin.demo.aws.server import serving
from vault.cli.admin.demo.aws.state import Cloud
from vault.domain.account import Custody, Kind
from vault.domain.credential import PartKind, VersionLabel

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.world import World

STRIDE: Final = 1 if THOROUGH else 149
"""By default every so many steps; all of them on demand."""
LEAST: Final = 250
"""So many steps a handover of a payer and a member has at least: fewer would mean that the fuse missed some."""


class KilledError(BaseException):
    """The process ends here: no handler of ours sees it."""


def end(_fuse: Fuse) -> None:
    """End the process, as far as the code of the vault can tell."""
    raise KilledError


KILLED: Final = Fault(
    "killed", frozenset({Where.BEGIN, Where.COMMIT, Where.COMMITTED, Where.KEYS, Where.KEYED}), end
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Hold a payer and a member, once."""
    directory = tmp_path_factory.mktemp("held")
    world = prepare(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    people = Handover(world)
    people.account(PAYER, Kind.PAYER)
    people.account(ONE, Kind.MEMBER)
    keep_people(world, directory)
    world.close()
    return directory


@dataclass
class Attempt:
    """One handover on a fresh copy, with a fuse; AWS's calls are steps as well."""

    world: World
    cloud: Cloud
    url: str
    fuse: Fuse = field(default_factory=lambda: Fuse(KILLED))

    def stopped(self) -> bool:
        """Go on until the fuse blows, or to the end; say whether it blew."""
        mine = reaching(self.world, self.url, FusedUnits(self.world.vault.units, self.fuse))
        try:
            Day(mine, self.cloud).finish()
        except KilledError:
            return True
        return False

    def again(self) -> Day:
        """Let another process do the rest."""
        return Day(reaching(self.world, self.url), self.cloud)


def at_aws(cloud: Cloud) -> dict[str, tuple[list[str], str, str, bool, dict[str, Any]]]:
    """Name what AWS has at the end, of each account.

    The role that all is done through shuts its trust before it is deleted; whoever is killed in between has no way in
    any more, and leaves a role that nobody can take on (docs/offboarding.md).
    """
    shells = [each.roles[ROLE] for each in cloud.accounts.values() if ROLE in each.roles]
    assert not any(role.trusts or role.service for role in shells)
    return {
        number: (
            [thing for thing in each.everything() if thing != f"role {ROLE}"],
            each.email,
            each.payer,
            each.root.password,
            {kind: contact["EmailAddress"] for kind, contact in each.contacts.items()},
        )
        for number, each in cloud.accounts.items()
    }


def check_end(attempt: Attempt) -> None:
    """Look at what is left: nothing of ours opens, and the log leads to it."""
    with attempt.world.vault.units.read() as unit:
        for number in (PAYER, ONE):
            account = unit.accounts.get(number)
            assert account is not None
            assert account.custody is Custody.RELEASED
            versions = [each for kind in PartKind for each in unit.versions.of(number, kind)]
            assert versions
            assert {each.label for each in versions} == {VersionLabel.DESTROYED}
    check_replay(attempt.world)


@pytest.fixture
def attempt(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make attempts, each on a copy and an AWS of its own."""
    real = BaseClient._make_api_call  # type: ignore[attr-defined]  # what every call of boto3 goes through
    fuses: list[Fuse] = []

    def stepped(client: object, *call: object, **more: object) -> object:
        fuses[-1].step(Where.KEYS)
        answer = real(client, *call, **more)
        fuses[-1].step(Where.KEYED)
        return answer

    monkeypatch.setattr(BaseClient, "_make_api_call", stepped)

    def begin(at: int, then: Callable[[Attempt], None]) -> Attempt:
        directory = tmp_path / str(at)
        copy_files(made, directory)
        world = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
        cloud = Cloud()
        furnished(cloud, world)
        for name, value in cloud.environment().items():
            monkeypatch.setenv(name, value)
        with serving(cloud) as url:
            one = Attempt(world, cloud, url, Fuse(KILLED, at))
            fuses.append(one.fuse)
            then(one)
        world.close()
        return one

    return begin


def test_stopped_anywhere_it_ends_the_same(attempt: Any) -> None:
    ends: dict[str, Any] = {}

    def unhurt(one: Attempt) -> None:
        assert not one.stopped()
        ends["aws"] = at_aws(one.cloud)
        check_end(one)

    whole = attempt(NEVER, unhurt)
    assert whole.fuse.count >= LEAST

    def hurt(one: Attempt) -> None:
        assert one.stopped(), one.fuse.at
        one.fuse.fault = Fault("none", frozenset(), end)
        assert one.again().finish() == "closed", one.fuse.at
        assert at_aws(one.cloud) == ends["aws"], one.fuse.at
        check_end(one)

    for at in range(1, whole.fuse.count, STRIDE):
        attempt(at, hurt)
