"""A handover as it goes: its order, who says what, where custody is, and that machines open and follow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.handovers import MEMBERS_DAY, ONE, PAYER, PAYER_DAY, TWO, Handover, email_of
from vault.domain.account import Custodian
from vault.domain.outlook import Standing
from vault.domain.plans import handover as plan
from vault.errors import Conflict, Forbidden

if TYPE_CHECKING:
    from tests.support.world import World


@pytest.fixture
def handover(quick_world: World) -> Handover:
    return Handover(quick_world).three()


def test_members_go_first_and_their_payer_last(handover: Handover) -> None:
    case = handover.open()
    assert handover.state(case) == "prepared"
    for number in (ONE, TWO):
        handover.plan(case, number, MEMBERS_DAY)
        handover.say(handover.olga, case, plan.BILLING, number)
    assert handover.state(case) == "prepared"
    handover.plan(case, PAYER, PAYER_DAY)
    assert handover.state(case) == "scheduled"
    handover.until(MEMBERS_DAY)
    handover.begin(case, ONE)
    assert (handover.state(case), handover.custody(ONE)) == ("in_progress", "in_transfer")
    handover.begin(case, TWO)
    for number in (ONE, TWO):
        handover.go(case, number)
        handover.give(case, number)
        handover.release(case, number)
        assert handover.custody(number) == "released"
    handover.until(PAYER_DAY)
    handover.begin(case, PAYER)
    handover.say(handover.olga, case, plan.CONTACTS, PAYER)
    handover.go(case, PAYER)
    handover.give(case, PAYER, payer=True)
    handover.release(case, PAYER)
    handover.say(handover.olga, case, plan.APN, case="APN-1")
    assert handover.state(case) == "released"
    with handover.world.vault.units.read() as unit:
        for number in (ONE, TWO, PAYER):
            account = unit.accounts.get(number)
            assert account is not None
            assert account.root_email == email_of(number)
            assert (account.mailbox, account.phone) == (Custodian.CUSTOMER, Custodian.CUSTOMER)
