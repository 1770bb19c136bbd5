"""A campaign's pace is for its work alone: not for what is rotated already, and not for broken glass (S24)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.services.test_break_glass import enable, glass
from tests.services.test_campaigns import NUMBERS, begin, rotate, use, wish, world
from vault.domain.actor import Role
from vault.errors import Limited

if TYPE_CHECKING:
    from tests.support.world import World

__all__ = ["world"]  # the fixture, found here by its name


def test_what_is_rotated_counts_for_the_campaign_while_it_was_its_work_and_not_again(world: World) -> None:
    begin(world, wish(world, "olga", pace=5))
    for number in NUMBERS[:4]:
        world.clock.advance(minutes=1)
        rotate(world, number)
    use(world, NUMBERS[4])  # the fifth of five: what was done stays the campaign's
    world.clock.advance(hours=2)
    for number in NUMBERS[:2]:
        use(world, number)
    with pytest.raises(Limited):
        use(world, NUMBERS[2])


def test_what_is_left_goes_on_beside_what_was_opened_again(world: World) -> None:
    begin(world, wish(world, "olga", pace=5))
    world.clock.advance(minutes=1)
    for number in NUMBERS[:2]:
        rotate(world, number)
    world.clock.advance(hours=2)
    for number in NUMBERS:
        use(world, number)
    assert world.vault.freezes.open(world.people["olga"].actor) == ()


def test_broken_glass_is_not_its_work(world: World) -> None:
    world.human("ann", Role.ADMIN)
    enable(world, "olga")
    world.clock.advance(hours=25)
    begin(world, wish(world, "olga", pace=5))
    for number in NUMBERS[:3]:
        asked = glass(world, "olga", "CRED_ROTATE", number)
        begun = (asked.id, world.people["olga"].otp())
        if number == NUMBERS[2]:
            with pytest.raises(Limited):
                world.vault.checkouts.step_up(world.people["olga"].actor, *begun)
        else:
            world.vault.checkouts.step_up(world.people["olga"].actor, *begun)
            world.vault.checkouts.check_in(world.people["olga"].actor, asked.id)
