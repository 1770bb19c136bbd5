"""Onboardings at the same moment: a last place and an address are one's, and what is sent twice is one case."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from tests.services.test_campaign_races import at_once
from tests.support.onboardings import A, B, C, reception_of
from tests.support.replay import check_replay
from vault.domain.account import Kind, Model
from vault.domain.case import CaseFile
from vault.services.accounts import AccountFacts

if TYPE_CHECKING:
    from tests.support.onboardings import Reception
    from tests.support.world import World


def register_new(desk: Reception, index: int) -> str:
    facts = AccountFacts(f"new {index}", f"{index}@roots.example")
    number = f"44445555666{index}"
    return desk.world.vault.accounts.register(
        desk.carla, number, desk.customer_id, Model.SPAM, Kind.STANDALONE, facts, is_new=True
    ).id


def test_what_only_one_can_have(world: World) -> None:
    desk = reception_of(world)
    for index in range(4):
        register_new(desk, index)
    ends = at_once(*(partial(register_new, desk, index) for index in (4, 5, 6)))
    assert sorted(map(str, ends))[1:] == ["account.limit"] * 2
    assert world.vault.account_limits.get(desk.carla, desk.customer_id).new == 5
    one = "one@roots.example"
    ends = at_once(*(partial(desk.open, desk.joining(number, address=one)) for number in (A, B)))
    assert sorted("case" if isinstance(end, CaseFile) else str(end) for end in ends) == [
        "case",
        "custody.email_used",
    ]
    with world.vault.units.read() as unit:
        assert unit.onboarding.owner(one) in {A, B}
    ends = at_once(*(partial(desk.open, desk.joining(C), cause="order-7") for _ in range(3)))
    assert len({end.id for end in ends if isinstance(end, CaseFile)}) == 1
    assert all(isinstance(end, CaseFile) for end in ends), ends
    check_replay(world)
