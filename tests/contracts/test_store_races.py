"""The store's contract under many hands: what is exclusive stays exclusive (S4), on both databases.

Real threads on real connections, and processes where a process is killed. Each race is run by as many racers as
start at one barrier; what counts is what is in the database afterwards.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import text

from tests.support.builders import (
    HOUR,
    NOW,
    NUMBER,
    account,
    actor,
    checkout,
    person,
    stand,
    units_for,
    version,
)
from tests.support.repository import ROOT
from vault.adapters.db import SqlUnits
from vault.domain.actor import IdempotencyKey, Reach
from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import Event, EventType
from vault.errors import VaultError
from vault.ports.records import CheckoutFilter, EntryFilter, Slice

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vault.ports.store import Unit


def race(units: SqlUnits, racers: int, step: Callable[[Unit, int], object]) -> Counter[str]:
    """Run `step` in a unit of its own in many threads at once; count "won" and the codes of refusals."""
    start = threading.Barrier(racers)

    def run(number: int) -> str:
        start.wait()
        try:
            with units.write() as unit:
                won = step(unit, number)
                unit.commit()
        except VaultError as error:
            return error.code
        return "lost" if won is False else "won"

    with ThreadPoolExecutor(racers) as pool:
        return Counter(pool.map(run, range(racers)))


def test_of_fifty_who_ask_for_one_account_exactly_one_gets_it(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.commit()
    results = race(units, 50, lambda unit, _: unit.checkouts.add(checkout(made.person.id)))
    assert results == {"won": 1, "checkout.conflict": 49}
    with units.read() as unit:
        assert len(unit.checkouts.page(Reach(everything=True), CheckoutFilter(), Slice(100)).items) == 1


def test_a_time_step_is_claimed_by_one(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        seed = version(kind=PartKind.MFA)
        unit.versions.add(seed)
        unit.commit()
    assert race(units, 12, lambda unit, _: unit.people.claim_step(made.person.id, 7)) == {
        "won": 1,
        "lost": 11,
    }
    assert race(units, 12, lambda unit, _: unit.versions.claim_step(seed, 7)) == {"won": 1, "lost": 11}


def test_two_versions_never_get_one_number(units: SqlUnits) -> None:
    with units.write() as unit:
        stand(unit)
        unit.commit()

    def add(unit: Unit, _: int) -> None:
        number = unit.versions.next_number(NUMBER, PartKind.PASSWORD)
        unit.versions.add(version(number=number, label=VersionLabel.FAILED))

    results = race(units, 12, add)
    assert set(results) <= {"won", "concurrent.change"}
    with units.read() as unit:
        numbers = [each.number for each in unit.versions.of(NUMBER, PartKind.PASSWORD)]
    assert numbers == list(range(results["won"], 0, -1))


def test_one_account_gets_a_root_email(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.commit()
    results = race(
        units,
        12,
        lambda unit, number: unit.accounts.add(
            account(made.customer.id, f"{number:012}", root_email="one@x.example")
        ),
    )
    assert results == {"won": 1, "custody.email_used": 11}


def test_one_request_claims_a_key(units: SqlUnits) -> None:
    def record(unit: Unit, number: int) -> None:
        unit.people.add(person())
        who = actor(idempotency=IdempotencyKey("k1", "m"))
        unit.log.record(Event(EventType.AUDIT_VIEWED, who, subject=f"person:{number}"), NOW)

    assert race(units, 12, record) == {"won": 1, "concurrent.change": 11}
    with units.read() as unit:
        assert len(unit.people.page(Slice()).items) == 1


def test_entries_of_many_writers_make_one_log_without_gaps(units: SqlUnits) -> None:
    def record(unit: Unit, number: int) -> None:
        event = Event(EventType.AUDIT_VIEWED, actor(), account_id=f"{number % 3:012}")
        unit.log.record(event, NOW)
        unit.log.record(event, NOW)

    assert race(units, 12, record) == {"won": 12}
    with units.read() as unit:
        entries = unit.log.page(EntryFilter(), Reach(everything=True), Slice(100)).items
        assert [entry.index for entry in entries] == list(range(24, -1, -1))
        assert unit.log.consistency(1, 25)
        assert units.mark is not None
        assert units.mark.read() == unit.log.checkpoint()


def test_who_waited_for_an_account_sees_its_checkout_as_it_is_now(
    postgresql_url: str, tmp_path: Path
) -> None:
    """A single statement that waits for the account's lock would give the checkout as it was before the wait."""
    units = units_for(postgresql_url, tmp_path)
    with units.write() as unit:
        made = stand(unit)
        asked = checkout(made.person.id, state=CheckoutState.ACTIVE, activated_at=NOW, expires_at=NOW + HOUR)
        unit.checkouts.add(asked)
        unit.commit()
    seen: list[CheckoutState] = []

    def claim() -> None:
        with units.write() as unit:
            found = unit.checkouts.claim(asked.id)
            assert found is not None
            seen.append(found[0].state)

    waiter = threading.Thread(target=claim)
    with units.write() as unit:
        unit.checkouts.claim(asked.id)
        waiter.start()
        await_a_waiter(units)
        unit.checkouts.update(replace(asked, state=CheckoutState.REVOKED, ended_at=NOW))
        unit.commit()
    waiter.join()
    assert seen == [CheckoutState.REVOKED]
    units.engine.dispose()


def await_a_waiter(units: SqlUnits) -> None:
    """Return once another session waits for a lock."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    for _ in range(2000):
        with units.engine.connect() as connection:
            if connection.execute(waiting).scalar_one():
                return
    raise AssertionError("nobody ever waited for the lock")


def test_a_lock_of_an_account_is_exclusive(units: SqlUnits) -> None:
    with units.write() as unit:
        made = stand(unit)
        unit.commit()

    def rename(unit: Unit, _: int) -> None:
        found = unit.accounts.lock(NUMBER)
        assert found is not None
        unit.accounts.update(replace(found, name=found.name + "+"))

    assert race(units, 10, rename) == {"won": 10}
    with units.read() as unit:
        found = unit.accounts.get(NUMBER)
    assert found is not None
    assert found.name == made.account.name + "+" * 10


def test_who_reads_before_writing_is_not_overtaken_by_another_process(
    units: SqlUnits, store_url: str, tmp_path: Path
) -> None:
    """Units of their own share nothing but the database, as those of two processes do."""
    with units.write() as unit:
        made = stand(unit)
        unit.commit()

    def rename_often(mine: SqlUnits) -> None:
        for _ in range(10):
            with mine.write() as unit:
                found = unit.accounts.lock(NUMBER)
                assert found is not None
                unit.accounts.update(replace(found, name=found.name + "+"))
                unit.commit()

    others = [units_for(store_url, tmp_path) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(rename_often, others))
    with units.read() as unit:
        found = unit.accounts.get(NUMBER)
    assert found is not None
    assert found.name == made.account.name + "+" * 30
    for each in others:
        each.engine.dispose()


WRITER = """
import sys
from pathlib import Path
from tests.support.builders import NOW, actor, checkout, customer, stand, units_for
from vault.domain.event import Event, EventType
units = units_for(sys.argv[1], Path(sys.argv[2]))
number = int(sys.argv[3])
while True:
    with units.write() as unit:
        kept = customer(ddi=str(number))
        unit.customers.add(kept)
        unit.log.record(Event(EventType.CUSTOMER_REGISTERED, actor(), detail={"ddi": kept.ddi}), NOW)
        unit.commit()
    print(number, flush=True)
    number += 1
"""


def test_a_writer_that_is_killed_leaves_state_and_log_equal(
    units: SqlUnits, store_url: str, tmp_path: Path
) -> None:
    acknowledged: list[int] = []
    for attempt in range(2):
        first = 1 + 1_000_000 * attempt
        command = [sys.executable, "-c", WRITER, store_url, str(tmp_path), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as writer:
            assert writer.stdout is not None
            acknowledged += [int(writer.stdout.readline()) for _ in range(5 + attempt)]
            os.kill(writer.pid, signal.SIGKILL)
            acknowledged += [int(line) for line in writer.stdout.read().split()]
    with units.read() as unit:
        entries = unit.log.page(
            EntryFilter(type="customer.registered"), Reach(everything=True), Slice(500)
        ).items
        logged = [entry.content["detail"]["ddi"] for entry in entries]  # type: ignore[index]  # as written above
        kept = [each.ddi for each in unit.customers.page(Reach(everything=True), None, Slice(500)).items]
    assert sorted(logged, key=int) == kept
    assert {str(number) for number in acknowledged} <= set(kept)
    assert len(kept) <= len(acknowledged) + 3
    with units.write() as unit:
        unit.log.record(Event(EventType.AUDIT_VIEWED, actor()), NOW)
        unit.commit()
