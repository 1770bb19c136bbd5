"""Attacks on the way in: a root e-mail changed by a machine, or changed and never told (C5, P1)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.support.people import House
from vault.domain.account import Custodian
from vault.domain.actor import Actor, ActorKind, Role
from vault.errors import Forbidden
from vault.services.accounts import AccountFacts


@pytest.fixture
def robot(house: House) -> Actor:
    someone = house.world.human("carla", Role.CUSTODIAN).actor
    scopes = frozenset({"account.read", "account.register"})
    return replace(someone, kind=ActorKind.MACHINE, id="robot", name="robot", powers=(), permissions=scopes)


def test_a_machine_changes_no_way_into_a_held_account(house: House, robot: Actor) -> None:
    account = house.world.held()
    for facts in (AccountFacts(root_email="thief@evil.example"), AccountFacts(phone=Custodian.CUSTOMER)):
        with pytest.raises(Forbidden) as caught:
            house.vault.accounts.change(robot, account.id, facts)
        assert caught.value.code == "policy.denied"
    assert len(house.events("access.denied")) == 2
    assert house.vault.accounts.get(robot, account.id).account.root_email == account.root_email


def test_a_machine_corrects_what_is_still_onboarding(house: House, robot: Actor) -> None:
    account = house.world.account()
    assert house.vault.accounts.change(robot, account.id, AccountFacts(name="right")).name == "right"


def test_the_log_tells_what_the_way_in_was_and_is(house: House) -> None:
    account = house.world.held()
    carla = house.world.human("carla", Role.CUSTODIAN).actor
    facts = AccountFacts(root_email="new@msp.example", mailbox=account.mailbox, phone=Custodian.CUSTOMER)
    house.vault.accounts.change(carla, account.id, facts)
    assert house.events("account.changed")[0]["detail"] == {
        "changed": "root_email, mailbox, phone",
        "root_email_was": account.root_email,
        "root_email_now": "new@msp.example",
        "phone_was": "ours",
        "phone_now": "customer",
    }
