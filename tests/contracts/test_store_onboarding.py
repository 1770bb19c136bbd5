"""Root addresses of all times and limit increases, on both databases."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.builders import HOUR, NOW, NUMBER, account, actor, customer, open_log, stand, units_for
from vault.domain.account import Account, Custody
from vault.domain.account_limit import AccountLimit
from vault.domain.actor import Reach
from vault.domain.event import Change, Event, EventType
from vault.domain.root_email import EmailUse
from vault.domain.told import changes
from vault.errors import Conflict
from vault.ports.onboarding import AddressFilter
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from vault.adapters.db import SqlUnits
    from vault.ports.store import Unit

EVERYTHING = Reach(everything=True)
OTHER = "444455556666"


@pytest.fixture
def units(store_url: str, tmp_path: Path) -> Iterator[SqlUnits]:
    made = units_for(store_url, tmp_path)
    open_log(made)
    yield made
    made.engine.dispose()


def tell(unit: Unit, was: Account | None, now: Account, hours: int = 0) -> None:
    told = Event(EventType.ACCOUNT_CHANGED, actor(), account_id=now.id, changes=changes(was, now))
    unit.log.record(told, NOW + hours * HOUR)


def uses(unit: Unit, text: str) -> list[tuple[str, str, bool]]:
    page = unit.onboarding.addresses(EVERYTHING, AddressFilter(text=text), Slice(limit=50))
    return [(each.address, each.use.value, each.lasts) for each in page.items]


def test_who_bore_an_address_from_when_to_when_is_what_entries_tell(units: SqlUnits) -> None:
    with units.write() as unit:
        first = stand(unit).account
        tell(unit, None, first)
        second = replace(first, root_email="Second@msp.example")
        unit.accounts.update(second)
        tell(unit, first, second, hours=1)
        unit.accounts.update(first)
        tell(unit, second, first, hours=2)
        unit.commit()
    with units.read() as unit:
        found = unit.onboarding.addresses(EVERYTHING, AddressFilter(), Slice(limit=50)).items
        assert [(each.address, each.number, each.since, each.until) for each in found] == [
            (first.root_email, 1, NOW, NOW + HOUR),
            (first.root_email, 2, NOW + 2 * HOUR, None),
            ("Second@msp.example", 1, NOW + HOUR, NOW + 2 * HOUR),
        ]
        assert {(each.account_id, each.said_by, each.said_name) for each in found} == {
            (NUMBER, actor().id, actor().name)
        }
        assert unit.onboarding.owner("SECOND@MSP.example") == NUMBER
        assert uses(unit, text="second@") == [("Second@msp.example", "borne", False)]


def test_what_is_kept_for_one_account_is_nobody_elses(units: SqlUnits) -> None:
    address = "aws+x@roots.example"
    with units.write() as unit:
        mine = stand(unit).account
        theirs = account(mine.customer_id, OTHER)
        unit.accounts.add(theirs)
        assert unit.onboarding.reserve(address, mine.id)
        kept = Event(EventType.CASE_CHANGED, actor(), changes=(Change("root_email", address, "", mine.id),))
        unit.log.record(kept, NOW)
        assert not unit.onboarding.reserve(address.upper(), mine.id)
        assert unit.onboarding.reserved_of((mine.id, OTHER))[mine.id].address == address
        unit.commit()
    with units.write() as unit, pytest.raises(Conflict) as caught:
        unit.onboarding.reserve(address, OTHER)
    assert caught.value.code == "custody.email_used"
    with units.write() as unit, pytest.raises(Conflict) as caught:
        unit.accounts.update(replace(theirs, root_email="AWS+x@roots.example"))
    assert caught.value.code == "custody.email_used"
    with units.write() as unit:
        borne = replace(mine, root_email=address)
        unit.accounts.update(borne)
        tell(unit, mine, borne, hours=1)
        assert uses(unit, text=address) == [(address, "reserved", False), (address, "borne", True)]
        assert unit.onboarding.reserved_of((mine.id,)) == {}


def test_addresses_come_in_pages_and_within_reach(units: SqlUnits) -> None:
    with units.write() as unit:
        mine = stand(unit).account
        tell(unit, None, mine)
        other = customer()
        unit.customers.add(other)
        theirs = account(other.id, OTHER, root_email="a@customer.example")
        unit.accounts.add(theirs)
        tell(unit, None, theirs)
        page = unit.onboarding.addresses(EVERYTHING, AddressFilter(), Slice(limit=1))
        assert [each.account_id for each in page.items] == [OTHER]
        after = unit.onboarding.addresses(EVERYTHING, AddressFilter(), Slice(limit=1, cursor=page.next))
        assert [each.account_id for each in after.items] == [NUMBER]
        assert after.next is None
        near = Reach(customers=frozenset({other.id}))
        found = unit.onboarding.addresses(near, AddressFilter(use=EmailUse.BORNE), Slice(limit=9)).items
        assert [each.account_id for each in found] == [OTHER]


def test_new_accounts_are_counted_while_they_are_with_us(units: SqlUnits) -> None:
    with units.write() as unit:
        mine = stand(unit).account
        for index, custody in enumerate((Custody.ONBOARDING, Custody.DEAD, Custody.KEYLESS)):
            number = f"99990000000{index}"
            unit.accounts.add(account(mine.customer_id, number, custody=custody, is_new=True))
        assert unit.onboarding.new_accounts(mine.customer_id) == 2
        assert unit.onboarding.limit(mine.customer_id) is None
        limit = AccountLimit(mine.customer_id, 9, "T-9", "carla", "Carla", NOW)
        unit.onboarding.put_limit(replace(limit, most=7))
        unit.onboarding.put_limit(limit)
        assert unit.onboarding.limit(mine.customer_id) == limit


def test_the_database_lets_no_stretch_be_rewritten(units: SqlUnits) -> None:
    with units.write() as unit:
        tell(unit, None, stand(unit).account)
        unit.commit()
    for statement in (
        "UPDATE root_email_use SET account_id = '444455556666'",
        "UPDATE root_email_use SET since = NULL",
        "UPDATE account SET is_new = (1 = 1)",
        "DELETE FROM root_email_use",
    ):
        with units.engine.begin() as connection, pytest.raises(Exception, match=r"fixed|kept|refuse"):
            connection.execute(text(statement))
