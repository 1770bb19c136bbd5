"""The store's contract: outlets, their receipts and published checkpoints, on both databases."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

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
    made = Published(3, "origin\n3\nroot\n\n— a b\n", NOW)
    with units.write() as unit:
        assert unit.published.latest() is None
        assert unit.published.claim(3) is None
        assert unit.published.add(made)
        assert not unit.published.add(Published(3, "other", NOW + HOUR))
        unit.published.set_note(3, made.note + "— w c\n")
        unit.commit()
    with units.write() as unit:
        assert unit.published.claim(3) == Published(3, made.note + "— w c\n", NOW)
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
        assert unit.outlets.unconfirmed_since(names) == NOW  # none confirmed anything: the very first entry
        for number in range(1, 4):
            unit.log.record(promoted(version(number=number)), NOW + number * HOUR)
        unit.outlets.put(Outlet(WITNESS, 1))
        unit.outlets.put(Outlet("mail", 4))
        unit.outlets.put(Outlet("bucket/b", 3))
        assert unit.outlets.unconfirmed_since(names) == NOW + 3 * HOUR  # the best of them counts
        unit.outlets.put(Outlet("bucket/b", 4))
        assert unit.outlets.unconfirmed_since(names) is None
        assert unit.outlets.unconfirmed_since(()) == NOW
