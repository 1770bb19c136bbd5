"""A re-wrap hurt at every step, on both databases: nothing is lost, and run again it ends the same (S1, S5, S6).

On SQLite at each step, on PostgreSQL at every fourth unless THOROUGH=true.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.integration.crash_fuse import BARE, Fault, Fuse, FusedUnits, Where
from tests.integration.crash_run import in_child
from tests.support.key_work import NEW, OLD, Changing, changing
from tests.support.thorough import times
from vault.adapters.db import SqlUnits, engine_for
from vault.domain.ids import new_id
from vault.domain.proposal import Proposal, ProposalKind
from vault.errors import VaultError
from vault.services import wrapping
from vault.services.key_work import Rewrap
from vault.services.recipient_book import FixedRecipient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from vault.domain.actor import Actor
    from vault.domain.policy import Permission
    from vault.domain.secret import Secret
    from vault.ports.keys import NamedKey, NamedKeys, Unwrapped, Wrap, Wrapped
    from vault.ports.store import Units
    from vault.services.rewrapping import RewrapReport

LEAST = 80
"""So many hurts there are at least where each step is one; fewer would mean that steps are not seen any more."""


@pytest.fixture
def vault(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Changing]:
    """Hold one account, each of whose versions is a transaction of its own."""
    monkeypatch.setattr(wrapping, "PIECE", 1)
    made = changing(database_url, tmp_path, ("111122223333",))
    yield made
    made.world.close()


def test_whatever_happens_at_any_step_nothing_is_lost_and_the_next_run_ends_the_same(
    vault: Changing, database_url: str
) -> None:
    values, before = vault.opened(vault.keys(*NEW)), [each.wraps for each in vault.versions()]
    hurts, stride = 0, 1 if database_url.startswith("sqlite") else times(4, 1)
    for fault in BARE:
        at = 1
        while True:
            fuse = Fuse(fault, at)
            _hurt(vault, database_url, fault, fuse)
            hurts += 1
            for names in vault.wraps():
                assert set(OLD) <= set(names) or set(names) == set(NEW), (fault.name, at)
            assert vault.opened(vault.keys()) == values, (fault.name, at)
            assert _run(vault, vault.world.vault.units, vault.after).complete, (fault.name, at)
            assert vault.wraps() == [NEW] * len(values), (fault.name, at)
            assert vault.opened(vault.after) == values, (fault.name, at)
            for version, wraps in zip(vault.versions(), before, strict=True):
                vault.store(version, wraps)
            if not fuse.blown:
                break
            at += stride
    assert hurts >= LEAST // stride


def _hurt(vault: Changing, url: str, fault: Fault, fuse: Fuse) -> None:
    """Run it with a fuse; a process that is killed is another one than this."""
    if fault.name != "killed":
        try:
            _run(vault, FusedUnits(vault.world.vault.units, fuse), Fused(vault, fuse))
        except VaultError as error:
            assert error.code in {"database.unavailable", "keys.unavailable"}  # noqa: PT017 - what it may be is what matters
        return
    units = vault.world.vault.units
    assert isinstance(units, SqlUnits)

    def die() -> bool:
        mine = replace(units, engine=engine_for(url))
        return _run(vault, FusedUnits(mine, fuse), Fused(vault, fuse)).complete

    status, answer = in_child(die)
    assert status in {-9, 0}, answer
    fuse.blown = status == -9


def _run(vault: Changing, units: Units, keys: NamedKeys) -> RewrapReport:
    """Re-wrap and remove, one version after the other."""
    work = replace(
        vault.rewrapping(),
        units=units,
        keys=keys,
        agreed=Granted(),  # type: ignore[arg-type]  # stands for it
        recipient=FixedRecipient(),
        at_once=1,
    )
    return work.run(new_id(), remove_old=True)


@dataclass(frozen=True)
class Granted:
    """Stands for two people's agreement, which has tests of its own."""

    def require(self, actor: Actor, proposal_id: str, kind: ProposalKind, permission: Permission) -> Proposal:
        """Give what was agreed to."""
        content = Rewrap(OLD, NEW, remove_old=True).text()
        return Proposal(proposal_id, kind, "keys", content, "a test of every step", "test", datetime.now(UTC))


class Fused:
    """Keys one by one, whose calls are steps."""

    def __init__(self, vault: Changing, fuse: Fuse) -> None:
        self.sealing = tuple(FusedKey(key, fuse) for key in vault.after.sealing)
        self.retiring = tuple(FusedKey(key, fuse) for key in vault.after.retiring)


class FusedKey:
    """One of them."""

    def __init__(self, key: NamedKey, fuse: Fuse) -> None:
        self._key, self._fuse = key, fuse
        self.service, self.key_id = key.service, key.key_id

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Pass on, with a step before and after."""
        self._fuse.step(Where.KEYS)
        made = self._key.wrap(key, context)
        self._fuse.step(Where.KEYED)
        return made

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Pass on, with a step before and after."""
        self._fuse.step(Where.KEYS)
        found = self._key.unwrap(wraps, context)
        self._fuse.step(Where.KEYED)
        return found


def test_the_oracle_sees_wraps_that_are_removed_before_they_are_proven(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Planted: a new wrap that nobody opened takes the old ones' place, and the credential is gone."""
    vault = changing(sqlite_url, tmp_path, ("111122223333",))
    monkeypatch.setattr(wrapping.Wrapping, "_damaged", lambda *_: frozenset())
    keys = vault.after
    liar = keys.sealing[1]
    monkeypatch.setattr(
        type(liar),
        "wrap",
        lambda self, key, context: type(keys.sealing[0]).generate(self, context),
    )
    _run(vault, vault.world.vault.units, keys)
    monkeypatch.undo()
    assert vault.wraps() == [NEW] * 2
    with pytest.raises(VaultError):
        vault.opened(vault.after)
    vault.world.close()
