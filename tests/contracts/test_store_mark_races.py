"""The mark while others commit: a log that only grew never looks rolled back, one that was put back always does."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from audit.mark import MarkFile
from tests.support.builders import NOW, NUMBER, open_log, stand, units_for, version
from vault.domain.actor import system_actor
from vault.domain.credential import PartKind
from vault.domain.event import Event, EventType, SecretRef
from vault.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vault.adapters.db import SqlUnits

ENTRY = Event(EventType.ACCESS_DENIED, system_actor("test"))


@dataclass
class Overtaken(MarkFile):
    """A mark that somebody moves just before it is read, as a commit elsewhere does."""

    path: Path
    before: list[Callable[[], None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(self.path)

    def read(self) -> str | None:
        """Let the others commit, once; then read."""
        while self.before:
            self.before.pop()()
        return super().read()


def commit_one(units: SqlUnits) -> None:
    """Append an entry."""
    with units.write() as unit:
        unit.log.record(ENTRY, NOW)
        unit.commit()


def test_a_promotion_is_believed_while_others_commit(postgresql_url: str, tmp_path: Path) -> None:
    others = units_for(postgresql_url, tmp_path)
    open_log(others)
    with others.write() as unit:
        stand(unit)
        made = version(NUMBER)
        unit.versions.add(made)
        promoted = Event(
            EventType.SECRET_PROMOTED, system_actor("test"), account_id=NUMBER, secret=SecretRef.of(made)
        )
        unit.log.record(promoted, NOW)
        unit.commit()
    mark = Overtaken(tmp_path / "log.mark", [lambda: commit_one(others)])
    with replace(others, mark=mark).write() as unit:
        found = unit.log.promotion(NUMBER, PartKind.PASSWORD)
    assert mark.before == []
    assert found is not None
    assert found.version == made.number
    others.engine.dispose()


def test_a_vault_opens_while_others_commit(store_url: str, tmp_path: Path) -> None:
    others = units_for(store_url, tmp_path)
    open_log(others)
    mark = Overtaken(tmp_path / "log.mark", [lambda: commit_one(others)])
    with replace(others, mark=mark).read() as unit:
        unit.check_mark()
    assert mark.before == []
    others.engine.dispose()


def test_a_log_behind_its_mark_is_still_refused(store_url: str, tmp_path: Path) -> None:
    units = units_for(store_url, tmp_path)
    open_log(units)
    ahead = units_for(store_url, tmp_path).log.signer.sign(f"{units.log.origin}\n9\n{'A' * 43}=\n")
    (tmp_path / "log.mark").write_text(ahead)
    with units.read() as unit, pytest.raises(Unavailable) as caught:
        unit.check_mark()
    assert caught.value.code == "log.rolled_back"
    units.engine.dispose()


def test_an_append_that_was_checked_before_a_fork_was_held_discloses_nothing(
    units: SqlUnits, tmp_path: Path
) -> None:
    """The fork is smaller than the head, and is held between an append's check and its commit."""
    commit_one(units)
    assert units.mark is not None
    fork = units.log.signer.sign(Checkpoint(units.log.origin, 1, bytes(32)).format())
    stood = (tmp_path / "log.mark").read_text()
    with units.write() as unit:
        unit.log.record(ENTRY, NOW)
        units.mark.hold(fork)
        with pytest.raises(Unavailable) as refused:
            unit.commit()
    assert refused.value.code == "log.rolled_back"
    assert (tmp_path / "log.mark").read_text() == stood
    with pytest.raises(Unavailable) as closed:
        commit_one(units)
    assert closed.value.code == "log.rolled_back"
