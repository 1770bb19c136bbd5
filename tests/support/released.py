"""Accounts that are released, by the back door and with an entry that tells of it, so that the log leads there."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vault.domain.account import Custody
from vault.domain.actor import system_actor
from vault.domain.destruction import steps_of, way_to_released
from vault.domain.event import Event, EventType

if TYPE_CHECKING:
    from tests.support.world import World


def release(world: World, *numbers: str) -> None:
    """Take custody of these accounts on to *released*."""
    actor = system_actor("test")
    with world.vault.units.write() as unit:
        for number in numbers:
            account = unit.accounts.lock(number)
            assert account is not None
            way = way_to_released(account.custody)
            assert way
            unit.accounts.update(replace(account, custody=Custody.RELEASED))
            told = tuple(steps_of(number, account.custody, way))
            unit.log.record(
                Event(EventType.ACCOUNT_CHANGED, actor, account_id=number, changes=told), world.clock.now()
            )
        unit.commit()
