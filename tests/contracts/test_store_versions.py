"""The store's contract: sealed versions and their labels, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.builders import NOW, NUMBER, stand, version
from vault.domain.credential import PartKind, VersionLabel
from vault.errors import Conflict, VaultError

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits

PASSWORD, MFA = PartKind.PASSWORD, PartKind.MFA


def test_versions_are_numbered_and_come_back_equal(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        assert unit.versions.next_number(NUMBER, PASSWORD) == 1
        first = version(label=VersionLabel.PREVIOUS, weak=True, body=bytes(range(256)), wraps=b"\x00\xff")
        second = version(number=2, label=VersionLabel.CURRENT, current_since=NOW)
        seed = version(kind=MFA, label=VersionLabel.CURRENT, current_since=NOW, last_step=2**40)
        for each in (first, second, seed):
            unit.versions.add(each)
        unit.commit()
    with units.read() as unit:
        assert unit.versions.get(NUMBER, PASSWORD, 1) == first
        assert unit.versions.get(NUMBER, PASSWORD, 3) is None
        assert unit.versions.of(NUMBER, PASSWORD) == (second, first)
        assert unit.versions.current(NUMBER, PASSWORD) == second
        assert unit.versions.current("999999999999", PASSWORD) is None
        assert unit.versions.current_of((NUMBER, "999999999999")) == {
            (NUMBER, PASSWORD): second,
            (NUMBER, MFA): seed,
        }
        assert (unit.versions.next_number(NUMBER, PASSWORD), unit.versions.next_number(NUMBER, MFA)) == (3, 2)
        assert list(unit.versions.each()) == [seed, first, second]


def test_going_through_all_versions_takes_many_statements_and_misses_none(
    units: SqlUnits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vault.adapters.db.stores.versions._STEP", 2)
    with units.write() as unit:
        stand(unit)
        stand(unit, "222233334444")
        made = [
            version(account, kind, number, label=VersionLabel.RETIRED)
            for account in (NUMBER, "222233334444")
            for kind in (MFA, PASSWORD)
            for number in (1, 2, 3)
        ]
        for each in made:
            unit.versions.add(each)
        assert list(unit.versions.each()) == made


def test_a_number_is_taken_once(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        unit.versions.add(version())
        with pytest.raises(Conflict) as refused:
            unit.versions.add(version(label=VersionLabel.FAILED))
    assert refused.value.code == "concurrent.change"


@pytest.mark.parametrize("label", [VersionLabel.CURRENT, VersionLabel.STAGED])
def test_a_part_has_one_current_and_one_staged_version(units: SqlUnits, label: VersionLabel) -> None:
    with units.write() as unit:
        stand(unit)
        unit.versions.add(version(label=label, current_since=NOW))
        unit.versions.add(version(kind=MFA, label=label, current_since=NOW))
        with pytest.raises(Conflict) as refused:
            unit.versions.add(version(number=2, label=label, current_since=NOW))
    assert refused.value.code == "concurrent.change"


def test_a_promotion_moves_labels_and_keeps_the_time(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        old = version(label=VersionLabel.CURRENT, current_since=NOW)
        new = version(number=2)
        unit.versions.add(old)
        unit.versions.add(new)
        later = NOW + timedelta(days=1)
        unit.versions.relabel(old, VersionLabel.PREVIOUS)
        unit.versions.relabel(new, VersionLabel.CURRENT, current_since=later)
        assert unit.versions.current(NUMBER, PASSWORD) == replace(
            new, label=VersionLabel.CURRENT, current_since=later
        )
        assert unit.versions.get(NUMBER, PASSWORD, 1) == replace(old, label=VersionLabel.PREVIOUS)
        with pytest.raises(Conflict):
            unit.versions.relabel(version(number=9), VersionLabel.FAILED)


def test_the_first_disclosure_is_remembered(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        shown = version()
        unit.versions.add(shown)
        unit.versions.mark_disclosed(shown, NOW)
        unit.versions.mark_disclosed(shown, NOW + timedelta(hours=1))
        found = unit.versions.get(NUMBER, PASSWORD, 1)
        assert found is not None
        assert found.disclosed_at == NOW


def test_a_time_step_is_claimed_once_and_never_backwards(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        seed = version(kind=MFA)
        unit.versions.add(seed)
        assert [unit.versions.claim_step(seed, step) for step in (7, 7, 6, 8, 0)] == [
            True,
            False,
            False,
            True,
            False,
        ]


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE version SET body = wraps",
        "UPDATE version SET number = 2",
        "UPDATE version SET sha256 = replace(sha256, '1', '2')",
        "UPDATE version SET kind = 'mfa'",
        "UPDATE version SET created_by = 'someone'",
        "DELETE FROM version",
    ],
)
def test_a_sealed_version_never_changes_or_goes(units: SqlUnits, change: str) -> None:
    with units.write() as unit:
        stand(unit)
        unit.versions.add(version())
        with pytest.raises(VaultError) as refused:
            unit.versions.db.change(text(change))
    expected = "version_kept" if change.startswith("DELETE") else "version_fixed"
    assert (refused.value.code, refused.value.facts["rule"]) == ("internal", expected)


def test_wraps_are_replaced_by_whoever_knows_those_that_are_there(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        made = version(wraps=b"old")
        unit.versions.add(made)
        assert unit.versions.rewrap(made, b"new")
        assert not unit.versions.rewrap(made, b"newer")
        assert unit.versions.get(NUMBER, PASSWORD, 1) == replace(made, wraps=b"new")
        with pytest.raises(VaultError) as refused:
            unit.versions.rewrap(replace(made, wraps=b"new"), b"")
    assert refused.value.facts["rule"] == "version_wraps_there"


def test_what_came_of_a_drill_stays_until_the_next(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        made = version()
        unit.versions.add(made)
        opened = replace(made, drilled_at=NOW)
        assert unit.versions.drilled(made, NOW, "")
        assert unit.versions.get(NUMBER, PASSWORD, 1) == opened
        assert not unit.versions.drilled(made, NOW, "keys.disabled")
        assert unit.versions.drilled(opened, NOW, "keys.disabled")
        assert unit.versions.get(NUMBER, PASSWORD, 1) == replace(opened, drill_fault="keys.disabled")
        assert unit.versions.count() == 1


def test_a_version_belongs_to_a_part_that_is_there(units: SqlUnits) -> None:
    with units.write() as unit, pytest.raises(VaultError) as refused:
        unit.versions.add(version("999999999999"))
    assert refused.value.code == "internal"


def test_an_account_is_emptied_once_and_stays_so(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        unit.versions.add(version())
        assert unit.versions.shred(NUMBER) == 1
        assert unit.versions.shred(NUMBER) == 0
        gone = unit.versions.get(NUMBER, PASSWORD, 1)
        assert gone == replace(version(), label=VersionLabel.DESTROYED, body=b"\x00", wraps=b"\x00")
        unit.commit()


@pytest.mark.parametrize(
    ("first", "change", "rule"),
    [
        ("", "UPDATE version SET label = 'destroyed'", "version_destroyed_empty"),
        ("", "UPDATE version SET label = 'destroyed', wraps = {empty}", "version_destroyed_empty"),
        ("", "UPDATE version SET body = {empty}, wraps = {empty}", "version_fixed"),
        ("gone", "UPDATE version SET label = 'retired'", "version_destroyed_stays"),
        ("gone", "UPDATE version SET wraps = {other}", "version_destroyed_empty"),
        ("gone", "UPDATE version SET body = {other}", "version_fixed"),
    ],
)
def test_nothing_is_half_destroyed_and_nothing_comes_back(
    units: SqlUnits, first: str, change: str, rule: str
) -> None:
    with units.write() as unit:
        stand(unit)
        unit.versions.add(version())
        if first:
            unit.versions.shred(NUMBER)
        lite = unit.versions.db.is_sqlite
        words = {"empty": "X'00'", "other": "X'01'"} if lite else {"empty": "'\\x00'", "other": "'\\x01'"}
        with pytest.raises(VaultError) as refused:
            unit.versions.db.change(text(change.format(**words)))
    # PostgreSQL asks triggers in the order of their names
    assert refused.value.facts["rule"] in {rule, "version_destroyed_empty"}
