"""Sealed mail is opened under a live lease of its account alone, in two entries, and never by another way (C7)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import newest
from tests.support.mailbox import CODE, RESET, came, code, invoice, message, reset, with_mailbox
from tests.support.replay import check_replay
from tests.support.world import World, with_keys
from vault.crypto.context import mail_place
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import EventType
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.ids import new_id
from vault.domain.told import changes
from vault.errors import (
    Blocked,
    Conflict,
    Forbidden,
    Limited,
    NotFound,
    Tampered,
    Unauthenticated,
    Unavailable,
)
from vault.ports.mail import Opening
from vault.ports.store import RevealState
from vault.services.frozen import put
from vault.services.mail_opening import _event
from vault.services.reveals import ABANDONED_AFTER

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.ports.keys import KeyService

QUICK = pytest.mark.parametrize("world", ["sqlite"], indirect=True)


@pytest.fixture
def house(world: World) -> World:
    """Lend a vault with a mailbox and one account held."""
    world.held()
    return with_mailbox(world)


@pytest.fixture
def olga(house: World) -> Human:
    """Lend an operator."""
    return house.human("olga", Role.OPERATOR)


def test_it_opens_under_a_live_lease_in_two_entries(house: World, olga: Human) -> None:
    mail = came(house, reset())
    lease = house.lease(olga)
    opened = house.vault.mails.open(olga.actor, lease.id, mail.id)
    assert RESET in opened.text.expose()
    assert [each.expose() for each in opened.links] == [RESET]
    (before,), (after,) = newest(house, EventType.MAIL_AUTHORIZED), newest(house, EventType.MAIL_OPENED)
    assert before["account"]["seq"] + 1 == after["account"]["seq"]
    assert before["detail"]["mail"] == after["detail"]["mail"] == mail.id
    assert opened.receipt.leaf_hash
    assert after["kms"][0]["operation"]
    assert RESET not in str((before, after))
    check_replay(house)


@QUICK
def test_no_lease_no_step_up_no_other_account_no_mail(house: World, olga: Human) -> None:
    mail, harmless = came(house, reset()), came(house, invoice())
    other = house.account("444455556666")
    foreign = came(house, code(), other.root_email)
    mails = house.vault.mails
    asked = house.ask(olga)
    with pytest.raises(Conflict, match="approved"):
        mails.open(olga.actor, asked.id, mail.id)
    lease = house.vault.checkouts.step_up(olga.actor, asked.id, olga.otp())[0]
    for name in (foreign.id, new_id(), "x"):
        with pytest.raises(NotFound):
            mails.open(olga.actor, lease.id, name)
    with pytest.raises(Conflict) as passed_on:
        mails.open(olga.actor, lease.id, harmless.id)
    assert passed_on.value.code == "mail.gone"
    with pytest.raises(Unauthenticated):
        mails.open(
            replace(olga.actor, origin=replace(olga.actor.origin, session=new_id())), lease.id, mail.id
        )
    oscar = house.human("oscar", Role.OPERATOR)
    with pytest.raises(Forbidden):
        mails.open(oscar.actor, lease.id, mail.id)
    house.vault.checkouts.check_in(olga.actor, lease.id)
    with pytest.raises(Conflict):
        mails.open(olga.actor, lease.id, mail.id)
    assert len(newest(house, EventType.MAIL_REFUSED)) >= 5
    assert newest(house, EventType.MAIL_OPENED) == []
    assert newest(house, EventType.MAIL_AUTHORIZED) == []


@QUICK
def test_a_freeze_and_a_lease_that_ends_meanwhile_stop_it(house: World, olga: Human) -> None:
    mail = came(house, reset())
    lease = house.lease(olga)
    mails = house.vault.mails
    authorized = mails._authorize(olga.actor, lease.id, mail.id)
    now = house.clock.now()
    with house.vault.units.write() as unit:
        unit.freezes.hold()
        put(unit, olga.actor, Covered(FreezeKind.ACCOUNT, "111122223333"), "a test", now)
        unit.commit()
    with pytest.raises(Blocked):
        mails._disclose(authorized)
    with pytest.raises(Blocked):
        mails.open(olga.actor, lease.id, mail.id)
    (failed,) = newest(house, EventType.MAIL_FAILED)
    assert failed["detail"]["code"] == "frozen"
    with house.vault.units.read() as unit:
        assert [each.state for each in unit.mail.openings(mail.id)] == [RevealState.FAILED]
    check_replay(house)


@QUICK
def test_an_opening_under_a_lease_that_ran_out_shows_nothing(house: World, olga: Human) -> None:
    mail = came(house, reset())
    lease = house.lease(olga)
    authorized = house.vault.mails._authorize(olga.actor, lease.id, mail.id)
    house.clock.advance(hours=2)
    with pytest.raises(Conflict) as ended:
        house.vault.mails._disclose(authorized)
    assert ended.value.code == "checkout.expired"


@QUICK
def test_keys_that_are_down_and_a_content_that_was_moved_are_told(
    house: World, olga: Human, broken_keys: KeyService
) -> None:
    one, two = came(house, reset()), came(house, code())
    lease = house.lease(olga)
    dark = with_mailbox(with_keys(house, broken_keys))
    with pytest.raises(Unavailable):
        dark.vault.mails.open(olga.actor, lease.id, one.id)
    (failed,) = newest(house, EventType.MAIL_FAILED)
    assert failed["kms"][0]["outcome"] == "keys.unavailable"
    vault_id = ""
    with house.vault.units.read() as unit:
        vault_id = unit.vault_id
    sealer = house.vault.reveals.sealer
    with pytest.raises(Tampered):
        sealer.open_in(mail_place(vault_id, two.account_id, two.id), one.body or b"", one.wraps or b"")
    with pytest.raises(Tampered):
        sealer.open_in(mail_place(vault_id, "444455556666", one.id), one.body or b"", one.wraps or b"")
    place = mail_place(vault_id, one.account_id, one.id)
    assert RESET in sealer.open_in(place, one.body or b"", one.wraps or b"").plaintext.expose()


@QUICK
def test_an_opening_without_outcome_counts_as_read(house: World, olga: Human) -> None:
    mail = came(house, reset())
    lease = house.lease(olga)
    authorized = house.vault.mails._authorize(olga.actor, lease.id, mail.id)
    assert house.vault.mails.close_abandoned() == 0
    house.clock.at += ABANDONED_AFTER
    house.clock.advance(seconds=1)
    assert house.vault.mails.close_abandoned() == 1
    (unknown,) = newest(house, EventType.MAIL_UNKNOWN)
    assert (unknown["outcome"], unknown["detail"]["opening"]) == ("unknown", authorized.opening.id)
    with pytest.raises(Conflict, match="closed as unknown"):
        house.vault.mails._disclose(authorized)
    check_replay(house)


@QUICK
def test_split_custody_gives_resets_to_one_and_codes_to_the_other(house: World, olga: Human) -> None:
    carla = house.human("carla", Role.CUSTODIAN)
    house.vault.split.turn_on(carla.actor, Scope(ScopeKind.ACCOUNT, "111122223333"))
    link, number = came(house, reset()), came(house, code())
    lease = house.lease(olga)
    oscar = house.human("oscar", Role.OPERATOR)
    house.vault.checkouts.join(oscar.actor, lease.id, oscar.otp())
    mails = house.vault.mails
    assert mails.open(olga.actor, lease.id, link.id).links
    assert CODE in mails.open(oscar.actor, lease.id, number.id).text.expose()
    for who, mail in ((olga, number), (oscar, link)):
        with pytest.raises(Forbidden) as refused:
            mails.open(who.actor, lease.id, mail.id)
        assert refused.value.code == "custody.split"


@QUICK
def test_a_checkout_opens_so_many_and_no_more(house: World, olga: Human) -> None:
    mail = came(house, reset())
    lease = house.lease(olga)
    most = house.vault.policy.limits.codes_per_checkout
    now = house.clock.now()
    with house.vault.units.write() as unit:
        for _ in range(most):
            person = olga.actor.id
            made = Opening(
                new_id(), mail.id, lease.id, "111122223333", person, RevealState.RELEASED, now, now
            )
            unit.mail.add_opening(made)
        unit.commit()
    with pytest.raises(Limited) as used_up:
        house.vault.mails.open(olga.actor, lease.id, mail.id)
    assert used_up.value.code == "reveal.quota"


@QUICK
def test_what_cannot_be_read_or_is_forged_is_given_as_words(house: World, olga: Human) -> None:
    forged = came(
        house,
        message("Reset", "go to https://evil.example/x", "AWS <a@evil.example>", said="dmarc=pass"),
    )
    junk = came(house, b"\xff" * 70_000 + b"https://evil.example/\x00")
    lease = house.lease(olga)
    mails = house.vault.mails
    assert mails.open(olga.actor, lease.id, forged.id).links == ()
    unread = mails.open(olga.actor, lease.id, junk.id)
    assert (unread.links, bool(unread.faults)) == ((), True)
    big = came(house, message("Reset your password", 'é\\"' * 30_000, "x@y.example"))
    opened = house.vault.mails.open(olga.actor, lease.id, big.id)
    assert "it is cut" in opened.faults
    assert len(opened.text.expose()) > 10_000


@QUICK
def test_the_word_of_the_log_on_an_opening_without_a_lease_is_a_fault(house: World, olga: Human) -> None:
    mail = came(house, reset())
    lease = house.lease(olga)
    house.vault.checkouts.check_in(olga.actor, lease.id)
    now = house.clock.now()
    opening = Opening(new_id(), mail.id, lease.id, "111122223333", olga.actor.id, RevealState.AUTHORIZED, now)
    with house.vault.units.write() as unit:
        unit.mail.add_opening(opening)
        forged = _event(EventType.MAIL_AUTHORIZED, olga.actor, opening)
        unit.log.record(replace(forged, changes=changes(None, opening)), now)
        unit.commit()
    with pytest.raises(AssertionError, match="not active"):
        check_replay(house)
