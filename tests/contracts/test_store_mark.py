"""The store's contract: a log that is behind its mark, or was changed, is neither believed nor appended to (S10)."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.contracts.log_lines import FORGERY, found, noted, write
from tests.support.builders import (
    NOW,
    NUMBER,
    SIGNER,
    promoted,
    units_for,
    version,
)
from vault.domain.credential import PartKind
from vault.domain.event import EventType
from vault.errors import Unavailable
from vault.ports.records import EntryFilter

if TYPE_CHECKING:
    from pathlib import Path

    from vault.adapters.db import SqlUnits


def test_the_mark_follows_each_commit(units: SqlUnits) -> None:
    assert units.mark is not None
    (receipt,) = write(units, noted())
    assert units.mark.read() == receipt.checkpoint


def test_a_rolled_back_database_is_neither_believed_nor_appended_to(sqlite_url: str, tmp_path: Path) -> None:
    units = units_for(sqlite_url, tmp_path)
    write(units, noted(type=EventType.LOG_OPENED), promoted(version()))
    units.engine.dispose()
    shutil.copy(tmp_path / "vault.db", tmp_path / "old.db")
    write(units, noted(), noted())
    units.engine.dispose()
    shutil.copy(tmp_path / "old.db", tmp_path / "vault.db")
    for _ in range(4):
        with units.write() as unit, pytest.raises(Unavailable) as refused:
            unit.log.record(noted(), NOW)
        assert refused.value.code == "log.rolled_back"
    with units.read() as unit, pytest.raises(Unavailable) as refused:
        unit.log.promotion(NUMBER, PartKind.PASSWORD)
    assert refused.value.code == "log.rolled_back"
    units.engine.dispose()


def test_a_log_that_is_another_than_the_marked_one_is_not_believed(store_url: str, tmp_path: Path) -> None:
    units = units_for(store_url, tmp_path)
    write(units, noted(type=EventType.LOG_OPENED), promoted(version()))
    (tmp_path / "log.mark").write_text(SIGNER.sign(f"{SIGNER.name}\n1\n{'A' * 43}=\n"))
    with units.read() as unit, pytest.raises(Unavailable) as refused:
        unit.log.promotion(NUMBER, PartKind.PASSWORD)
    assert (refused.value.code, refused.value.facts["cause"]) == ("log.rolled_back", "log.forked")
    units.engine.dispose()


def test_a_missing_mark_closes_the_log(units: SqlUnits, tmp_path: Path) -> None:
    write(units, promoted(version()))
    (tmp_path / "log.mark").unlink()
    with units.read() as unit, pytest.raises(Unavailable) as refused:
        unit.log.promotion(NUMBER, PartKind.PASSWORD)
    assert refused.value.facts["cause"] == "mark.missing"


def test_a_mark_that_fell_behind_is_caught_up_with(units: SqlUnits, tmp_path: Path) -> None:
    write(units, promoted(version()))
    behind = (tmp_path / "log.mark").read_text()
    write(units, noted(), noted(), noted())
    (tmp_path / "log.mark").write_text(behind)
    with units.read() as unit:
        assert unit.log.promotion(NUMBER, PartKind.PASSWORD) is not None
    (receipt,) = write(units, noted())
    assert (tmp_path / "log.mark").read_text() == receipt.checkpoint


def test_what_cannot_be_marked_is_not_acknowledged(units: SqlUnits, tmp_path: Path) -> None:
    (tmp_path / "log.mark.lock").unlink()
    (tmp_path / "log.mark.lock").mkdir()
    with pytest.raises(Unavailable) as refused:
        write(units, noted())
    assert refused.value.code == "log.unavailable"
    assert found(units, EntryFilter()) == [1, 0]


def test_an_entry_that_was_changed_under_us_is_not_believed(postgresql_url: str, tmp_path: Path) -> None:
    units = units_for(postgresql_url, tmp_path)
    write(units, noted(type=EventType.LOG_OPENED), promoted(version()), noted())
    with units.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        assert connection.execute(text(FORGERY)).rowcount == 1
    with units.read() as unit, pytest.raises(Unavailable) as refused:
        unit.log.promotion(NUMBER, PartKind.PASSWORD)
    assert refused.value.code == "log.rolled_back"
    units.engine.dispose()


def test_a_column_that_lies_about_its_entry_is_not_believed(postgresql_url: str, tmp_path: Path) -> None:
    units = units_for(postgresql_url, tmp_path)
    staged = replace(promoted(version(number=2)), type=EventType.ROTATION_PLANNED)
    write(units, noted(type=EventType.LOG_OPENED), promoted(version()), staged)
    with units.engine.begin() as connection:
        connection.execute(text("ALTER TABLE audit_entry DISABLE TRIGGER ALL"))
        connection.execute(text("UPDATE audit_entry SET event_type = 'secret.promoted' WHERE seq = 2"))
    with units.read() as unit, pytest.raises(Unavailable) as refused:
        unit.log.promotion(NUMBER, PartKind.PASSWORD)
    assert refused.value.facts["cause"] == "log.projection"
    units.engine.dispose()
