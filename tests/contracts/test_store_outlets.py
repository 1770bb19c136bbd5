"""The store's contract: outlets, their receipts and published checkpoints, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from tests.support.builders import HOUR, NOW, promoted, version
from vault.domain.outlet import Outlet, OutletReceipt, Published
from vault.errors import Invalid, VaultError
from vault.ports.records import Slice

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits

WITNESS = "witness/w.example/w1"
FAILING = Outlet(WITNESS, 7, NOW - HOUR, NOW, 3, NOW + timedelta(seconds=4), "no answer", lost=True)


def test_an_outlet_comes_back_equal_and_is_written_over(units: SqlUnits) -> None:
    with units.write() as unit:
        assert unit.outlets.get(WITNESS) is None
        unit.outlets.put(FAILING)
        assert unit.outlets.get(WITNESS) == FAILING
        unit.outlets.put(FAILING.confirmed(9, NOW + HOUR))
        unit.outlets.put(Outlet("bucket/b"))
        unit.commit()
    with units.read() as unit:
        assert unit.outlets.all() == (Outlet("bucket/b"), Outlet(WITNESS, 9, NOW + HOUR, lost=True))


def test_a_claim_begins_an_outlet_once(units: SqlUnits) -> None:
    with units.write() as unit:
        assert unit.outlets.claim("webhook", start=12) == Outlet("webhook", 12)
        unit.commit()
    with units.write() as unit:
        assert unit.outlets.claim("webhook", start=99) == Outlet("webhook", 12)


def test_a_claimed_outlet_is_one_units_at_a_time(units: SqlUnits) -> None:
    with units.write() as unit:
        unit.outlets.put(Outlet("webhook"))
        unit.commit()

    def count_up() -> None:
        for _ in range(10):
            with units.write() as unit:
                found = unit.outlets.claim("webhook")
                unit.outlets.put(found.confirmed(found.position + 1, NOW))
                unit.commit()

    threads = [threading.Thread(target=count_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with units.read() as unit:
        assert unit.outlets.all()[0].position == 40


def test_a_receipt_is_kept_once_and_never_changed(units: SqlUnits) -> None:
    first = OutletReceipt(WITNESS, 5, "— w.example/w1 AAAA", NOW)
    with units.write() as unit:
        assert unit.outlets.add_receipt(first)
        assert not unit.outlets.add_receipt(OutletReceipt(WITNESS, 5, "another", NOW + HOUR))
        assert unit.outlets.add_receipt(OutletReceipt("bucket/b", 5, "version 1", NOW))
        assert unit.outlets.receipts(5) == (OutletReceipt("bucket/b", 5, "version 1", NOW), first)
        assert unit.outlets.receipts(6) == ()


def test_a_checkpoint_is_published_once_and_gains_signatures(units: SqlUnits) -> None:
    made = Published(3, units.log.signer.sign(Checkpoint(units.log.origin, 3, bytes(32)).format()), NOW)
    with units.write() as unit:
        assert unit.published.latest() is None
        assert unit.published.claim(3) is None
        assert unit.published.add(made)
        assert not unit.published.add(Published(3, "other", NOW + HOUR))
        unit.published.set_note(3, made.note + "— w AAAAAAAA\n")
        unit.commit()
    with units.write() as unit:
        assert unit.published.claim(3) == Published(3, made.note + "— w AAAAAAAA\n", NOW)
        assert unit.published.latest() is None  # the log has not grown to it
        for _ in range(2):
            unit.log.record(promoted(version(number=1)), NOW)
        assert unit.published.get(3) == unit.published.latest()
        with pytest.raises(VaultError):
            unit.published.add(Published(0, "nothing", NOW))


def test_published_checkpoints_are_listed_largest_first(units: SqlUnits) -> None:
    made = [Published(size, f"note {size}", NOW + size * HOUR) for size in range(1, 6)]
    with units.write() as unit:
        for each in made:
            unit.published.add(each)
        first = unit.published.page(Slice(3))
        second = unit.published.page(Slice(3, first.next))
        assert first.items + second.items == tuple(reversed(made))
        assert second.next is None
        assert [each.size for each in unit.published.since(NOW + 4 * HOUR)] == [5, 4]
        with pytest.raises(Invalid):
            unit.published.page(Slice(3, "bad"))


def test_the_oldest_unconfirmed_entry_is_the_one_that_no_named_outlet_has(units: SqlUnits) -> None:
    names = (WITNESS, "bucket/b")
    with units.write() as unit:
        assert (
            unit.outlets.unconfirmed_since(names, NOW) == NOW
        )  # none confirmed anything: the very first entry
        for number in range(1, 4):
            unit.log.record(promoted(version(number=number)), NOW + number * HOUR)
        unit.outlets.put(Outlet(WITNESS, 1))
        unit.outlets.put(Outlet("mail", 4))
        unit.outlets.put(Outlet("bucket/b", 3))
        assert unit.outlets.unconfirmed_since(names, NOW) == NOW + 3 * HOUR  # the best of them counts
        unit.outlets.put(Outlet("bucket/b", 4))
        assert unit.outlets.unconfirmed_since(names, NOW) is None
        assert unit.outlets.unconfirmed_since((), NOW) == NOW


@pytest.mark.parametrize(
    "wrong",
    [
        Outlet(WITNESS, 10**12, NOW),
        Outlet(WITNESS, 1, NOW + HOUR),
        Outlet(WITNESS, 1, NOW, next_at=NOW + HOUR),
    ],
)
def test_a_row_that_cannot_be_true_confirms_nothing(units: SqlUnits, wrong: Outlet) -> None:
    with units.write() as unit:
        unit.outlets.put(Outlet(WITNESS, 1, NOW))
        assert unit.outlets.unconfirmed_since((WITNESS,), NOW) is None
        unit.outlets.put(wrong)
        assert unit.outlets.unconfirmed_since((WITNESS,), NOW) == NOW
        assert wrong.doubt(1, NOW) is not None
        assert wrong.believed(1, NOW).position == 0


def test_published_rows_that_are_not_ours_are_passed_over_and_named(units: SqlUnits) -> None:
    mine = [
        Published(size, units.log.signer.sign(Checkpoint(units.log.origin, size, bytes(32)).format()), NOW)
        for size in (1, 2)
    ]
    with units.write() as unit:
        for _ in range(3):
            unit.log.record(promoted(version(number=1)), NOW)
        for each in (*mine, Published(3, "garbage", NOW), Published(4, mine[1].note, NOW)):
            unit.published.add(each)
        unit.published.add(Published(10**12, "garbage", NOW + 1000 * HOUR))
        assert unit.published.latest() == mine[1]
        assert unit.published.covering(1) == mine[1]
        assert unit.published.covering(2) is None
        assert unit.published.doubted() == (10**12, 4, 3)
        assert not unit.published.mend(replace(mine[1], note="other"))
        honest = units.log.signer.sign(Checkpoint(units.log.origin, 3, bytes(32)).format())
        assert unit.published.mend(Published(3, honest, NOW))
        assert unit.published.latest() == Published(3, honest, NOW)
