"""The store's contract: the log read forward by ranges of indexes, and passwords that were seen, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event as events

from tests.contracts.log_lines import noted
from tests.support.builders import HOUR, NOW, actor, open_log, stand, units_for, version
from vault.domain.actor import Reach
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import EventType, Result
from vault.ports.ranges import Pick, Stretch

if TYPE_CHECKING:
    from pathlib import Path

    from vault.adapters.db import SqlUnits
    from vault.ports.records import Entry

A, B = "111122223333", "444455556666"


def fill(units: SqlUnits) -> None:
    """Write entries 1 to 8 after the first, an hour apart."""
    olga, pat = actor("olga"), actor("pat")
    lines = [
        noted(type=EventType.SIGNED_IN, actor=olga),
        noted(type=EventType.REVEAL_RELEASED, actor=olga, account_id=A, checkout_id="c-1"),
        noted(type=EventType.REVEAL_RELEASED, actor=pat, account_id=B),
        noted(type=EventType.REVEAL_REFUSED, actor=pat, account_id=A, result=Result.DENIED),
        noted(type=EventType.SIGNED_IN, actor=pat),
        noted(type=EventType.REVEAL_RELEASED, actor=olga, account_id=A),
        noted(type=EventType.SIGNED_IN, actor=olga),
        noted(type=EventType.ACCESS_DENIED, actor=olga, result=Result.DENIED),
    ]
    for place, line in enumerate(lines, 1):
        with units.write() as unit:
            unit.log.record(line, NOW + place * HOUR)
            unit.commit()


def indexes(found: tuple[Entry, ...]) -> list[int]:
    return [entry.index for entry in found]


def test_a_time_is_the_index_of_the_first_entry_not_before_it(units: SqlUnits) -> None:
    fill(units)
    with units.read() as unit:
        assert unit.ranges.size() == 9
        assert unit.ranges.index_at(NOW) == 0
        assert unit.ranges.index_at(NOW + timedelta(microseconds=1)) == 1
        assert unit.ranges.index_at(NOW + 3 * HOUR) == 3
        assert unit.ranges.index_at(NOW + 9 * HOUR) == 9


def test_entries_are_picked_oldest_first_and_bounded(units: SqlUnits) -> None:
    fill(units)
    shown = (EventType.REVEAL_RELEASED,)
    whole = Stretch(0, 9)
    with units.read() as unit:
        ranges = unit.ranges
        assert indexes(ranges.pick(whole, Pick(types=shown), 10)) == [2, 3, 6]
        assert indexes(ranges.pick(whole, Pick(types=shown), 2)) == [2, 3]
        assert indexes(ranges.pick(Stretch(3, 6), Pick(types=shown), 10)) == [3]
        assert indexes(ranges.pick(whole, Pick(types=shown, account_id=A), 10)) == [2, 6]
        assert indexes(ranges.pick(whole, Pick(checkout_id="c-1"), 10)) == [2]
        assert indexes(ranges.pick(whole, Pick(actor_id="pat"), 10)) == [3, 4, 5]
        assert indexes(ranges.pick(whole, Pick(outcome="denied"), 10)) == [4, 8]
        assert indexes(ranges.last(Pick(types=shown), 2)) == [6, 3]
        assert indexes(ranges.last(Pick(types=shown), 2, 6)) == [3, 2]
        (entry,) = ranges.pick(whole, Pick(checkout_id="c-1"), 10)
        assert entry == unit.log.entry(2)


def test_each_type_and_outcome_has_a_limit_of_its_own_and_one_actor_apart(units: SqlUnits) -> None:
    fill(units)
    whole = Stretch(0, 9)
    both = Pick(types=(EventType.REVEAL_RELEASED, EventType.SIGNED_IN))
    with units.read() as unit:
        assert indexes(unit.ranges.of_each(whole, both, 1, "nobody")) == [1, 2]
        assert indexes(unit.ranges.of_each(whole, both, 1, "pat")) == [1, 2, 3, 5]
        assert indexes(unit.ranges.of_each(whole, both, 2, "nobody")) == [1, 2, 3, 5]
        assert indexes(unit.ranges.of_each(Stretch(2, 7), both, 1, "nobody")) == [2, 5]
        assert indexes(unit.ranges.of_each(whole, Pick(outcome="denied"), 1, "nobody")) == [4, 8]


def test_types_and_outcomes_are_left_out(units: SqlUnits) -> None:
    fill(units)
    whole = Stretch(0, 9)
    without = Pick(actor_id="olga", not_types=(EventType.SIGNED_IN,))
    with units.read() as unit:
        assert indexes(unit.ranges.pick(whole, without, 10)) == [2, 6, 8]
        assert indexes(unit.ranges.pick(whole, replace(without, not_outcomes=("denied", "failed")), 10)) == [
            2,
            6,
        ]
        assert (
            indexes(unit.ranges.last(Pick(types=(EventType.REVEAL_RELEASED,), not_outcomes=("success",)), 5))
            == []
        )


def test_counts_are_by_hour_outcome_and_account(units: SqlUnits) -> None:
    fill(units)
    whole = Stretch(0, 9)
    with units.read() as unit:
        counted = unit.ranges.hours(whole, (EventType.SIGNED_IN, EventType.REVEAL_RELEASED))
        assert counted == {
            ("session.opened", 10): 1, ("session.opened", 14): 1, ("session.opened", 16): 1,
            ("secret.reveal.released", 11): 1, ("secret.reveal.released", 12): 1, ("secret.reveal.released", 15): 1,
        }  # fmt: skip
        assert unit.ranges.refusals(whole) == 2
        assert unit.ranges.refusals(Stretch(5, 9)) == 1
        assert unit.ranges.accounts(whole, EventType.REVEAL_RELEASED, 5) == ((A, 2), (B, 1))
        assert unit.ranges.accounts(whole, EventType.REVEAL_RELEASED, 1) == ((A, 2),)


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("index_at", "audit_entry_by_time"),
        ("refusals", "audit_entry_by_outcome"),
        ("last", "audit_entry_by_type"),
    ],
)
def test_each_question_is_answered_by_an_index(
    sqlite_url: str, tmp_path: Path, question: str, index: str
) -> None:
    """Look at SQLite's plans: PostgreSQL reads a table of nine rows whole, whatever indexes there are."""
    units = units_for(sqlite_url, tmp_path)
    open_log(units)
    fill(units)
    plans: list[str] = []

    def explain(
        connection: object, cursor: object, statement: str, parameters: tuple[object, ...], *_: object
    ) -> None:
        if "audit_entry" in statement and "WHERE" in statement:
            raw = units.engine.raw_connection()
            rows = raw.cursor().execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
            plans.append(str(rows))
            raw.close()

    events.listen(units.engine, "before_cursor_execute", explain)
    asks = {
        "index_at": lambda unit: unit.ranges.index_at(NOW),
        "refusals": lambda unit: unit.ranges.refusals(Stretch(0, 9)),
        "last": lambda unit: unit.ranges.last(Pick(types=(EventType.REVIEW_SIGNED,)), 5),
    }
    with units.read() as unit:
        asks[question](unit)
    events.remove(units.engine, "before_cursor_execute", explain)
    units.engine.dispose()
    assert len(plans) == 1
    assert index in plans[0]


def test_seen_passwords_are_listed_within_reach_the_longest_ago_first(units: SqlUnits) -> None:
    with units.write() as unit:
        here, there = stand(unit), stand(unit, B)
        for number, seen in ((A, NOW), (B, NOW - HOUR)):
            for kind in PartKind:
                made = replace(version(number, kind), label=VersionLabel.CURRENT, current_since=NOW)
                unit.versions.add(made)
                unit.versions.mark_disclosed(made, seen)
        unit.commit()
    with units.read() as unit:
        every = unit.versions.seen(Reach(everything=True), 5)
        assert [(each.account_id, each.kind) for each in every] == [(B, "password"), (A, "password")]
        mine = unit.versions.seen(Reach(customers=frozenset({here.customer.id})), 5)
        assert [each.account_id for each in mine] == [A]
        assert unit.versions.seen(Reach(accounts=frozenset({there.account.id})), 5)[0].account_id == B
        assert unit.versions.seen(Reach(), 5) == ()
        (origin,) = unit.versions.current_passwords(Reach(everything=True))
        assert unit.versions.current_passwords(Reach(everything=True)) == {origin: 2}
        assert unit.versions.current_passwords(Reach(customers=frozenset({here.customer.id}))) == {origin: 1}
        assert unit.versions.current_passwords(Reach()) == {}
