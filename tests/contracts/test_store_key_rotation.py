"""The store's contract while the log changes its signing key: it goes on, under its mark, on both databases."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from audit.log import Log
from audit.note import Signer, split
from tests.contracts.log_lines import noted, write
from tests.support.builders import NOW, NUMBER, ORIGIN, SIGNER, promoted, units_for, version
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.errors import Unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from vault.adapters.db import SqlUnits

NEW = Signer.generate(ORIGIN)
BOTH = Log(ORIGIN, NEW, SIGNER)
AFTER = Log(ORIGIN, NEW)


def believed(units: SqlUnits) -> bool:
    """Say whether an entry of before the change is proven, the mark looked at."""
    with units.read() as unit:
        return unit.log.promotion(NUMBER, PartKind.PASSWORD) is not None


def test_a_vault_goes_on_while_its_log_changes_its_key(units: SqlUnits) -> None:
    write(units, promoted(version()))
    lines = []
    for log in (BOTH, BOTH, AFTER, AFTER):
        changed = replace(units, log=log)
        assert believed(changed)
        (receipt,) = write(changed, noted(type=EventType.LOG_KEY_ROTATED))
        assert changed.mark is not None
        assert changed.mark.read() == receipt.checkpoint
        assert believed(changed)
        lines.append(len(split(receipt.checkpoint)[1]))
    assert lines == [2, 2, 1, 1]
    with units.write() as unit, pytest.raises(Unavailable, match="signature"):
        unit.log.record(noted(), NOW)


def test_a_database_that_was_put_back_during_the_change_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    units = units_for(sqlite_url, tmp_path)
    write(units, noted(type=EventType.LOG_OPENED), promoted(version()))
    units.engine.dispose()
    shutil.copy(tmp_path / "vault.db", tmp_path / "old.db")
    changed = replace(units, log=BOTH)
    write(changed, noted(type=EventType.LOG_KEY_ROTATED))
    units.engine.dispose()
    shutil.copy(tmp_path / "old.db", tmp_path / "vault.db")
    for log in (BOTH, units.log):
        with replace(units, log=log).write() as unit, pytest.raises(Unavailable) as refused:
            unit.log.record(noted(), NOW)
        assert refused.value.code == "log.rolled_back"
    units.engine.dispose()
