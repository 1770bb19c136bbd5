"""Auditors for a time and a scope: a power with an end stops at that moment, in sessions and in tokens."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.people import House, Member, came
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.event import stamp
from vault.errors import Conflict, Forbidden, Invalid, NotFound
from vault.ports.store import EntryFilter, Slice
from vault.services.people import Wish


def auditor(house: House, admins: tuple[Member, Member], wish: Wish) -> Member:
    first, second = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(first, "pia@auditors.example", "Pia", (wish,))
    member = house.enrol(invited)
    house.vault.people.confirm_grant(second, invited.grants[0].id, admins[1].code())
    return member


def test_a_power_with_an_end_stops_at_that_moment(house: House, admins: tuple[Member, Member]) -> None:
    end = house.world.clock.now() + timedelta(hours=2)
    pia = auditor(house, admins, Wish(Role.AUDITOR, Scope(), end))
    signed = house.sign_in(pia)
    browser = replace(came(), browser=True, session=signed.session.id)
    made = house.vault.tokens.issue_own(signed.actor(browser), "a script", pia.code(), timedelta(days=7))
    assert signed.actor(came()).roles == (Role.AUDITOR,)
    house.vault.trail.page(signed.actor(came()), EntryFilter(), Slice(1))
    house.world.clock.at = end - timedelta(microseconds=1)
    assert house.actor(pia).roles == (Role.AUDITOR,)
    house.world.clock.at = end
    bearer = house.vault.tokens.resolve(made.text)
    assert bearer is not None
    assert bearer.actor(came()).roles == ()
    later = house.actor(pia)
    assert later.roles == ()
    for read in (
        lambda: house.vault.reviews.days(later),
        lambda: house.vault.activities.look(later, 7),
    ):
        with pytest.raises(Forbidden):
            read()
    assert house.vault.trail.page(later, EntryFilter(), Slice(1)).items == ()


def test_the_end_is_told_in_the_entries(house: House, admins: tuple[Member, Member]) -> None:
    end = house.world.clock.now() + timedelta(days=30)
    auditor(house, admins, Wish(Role.AUDITOR, Scope(), end))
    for kind in ("role.proposed", "role.granted"):
        detail = house.events(kind)[0]["detail"]
        assert isinstance(detail, dict)
        assert detail["ends_at"] == stamp(end)


def test_an_end_that_is_over_or_not_an_auditors_is_refused(
    house: House, admins: tuple[Member, Member]
) -> None:
    now = house.world.clock.now()
    first = house.actor(admins[0])
    for wish in (
        Wish(Role.AUDITOR, Scope(), now - timedelta(days=1)),
        Wish(Role.OPERATOR, Scope(), now + timedelta(days=1)),
        Wish(Role.ADMIN, Scope(), now + timedelta(days=1)),
    ):
        with pytest.raises(Invalid) as caught:
            house.vault.people.propose_grant(first, admins[1].id, wish)
        assert caught.value.errors[0].pointer == "/ends_at"
        with pytest.raises(Invalid):
            house.vault.people.invite(first, "x@y.example", "X", (wish,))


def test_what_would_end_before_it_begins_is_not_confirmed(
    house: House, admins: tuple[Member, Member]
) -> None:
    house.world.held()
    end = house.world.clock.now() + timedelta(hours=1)
    first, second = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(
        first, "pia@auditors.example", "Pia", (Wish(Role.AUDITOR, Scope(), end),)
    )
    house.enrol(invited)
    with pytest.raises(Conflict, match="before it begins"):
        house.vault.people.confirm_grant(second, invited.grants[0].id, admins[1].code())


def test_a_fresh_link_keeps_the_end(house: House, admins: tuple[Member, Member]) -> None:
    end = house.world.clock.now() + timedelta(days=30)
    first, second = (house.actor(admin) for admin in admins)
    invited = house.vault.people.invite(
        first, "pia@auditors.example", "Pia", (Wish(Role.AUDITOR, Scope(), end),)
    )
    again = house.vault.people.new_enrolment(first, invited.person.id)
    assert [grant.ends_at for grant in again.grants] == [end]
    # by another it takes back what was proposed for who held the link before
    assert house.vault.people.new_enrolment(second, invited.person.id).grants == ()


def test_an_auditor_of_one_account_reads_that_account_alone(
    house: House, admins: tuple[Member, Member]
) -> None:
    world = house.world
    world.held("111122223333")
    world.held("222233334444")
    alice = world.human("alice", Role.OPERATOR)
    mine, other = (world.lease(alice, number, "CRED_ROTATE") for number in ("111122223333", "222233334444"))
    scope = Scope(ScopeKind.ACCOUNT, "111122223333")
    member = auditor(house, admins, Wish(Role.AUDITOR, scope, world.clock.now() + timedelta(days=30)))
    world.clock.advance(days=2)
    pia = house.actor(member)
    assert house.vault.evidences.of_checkout(pia, mine.id).account_id == "111122223333"
    assert house.vault.knowledge.of_account(pia, "111122223333").knowers
    seen = house.vault.trail.page(pia, EntryFilter(), Slice(200)).items
    assert {entry.content["account"]["id"] for entry in seen} == {"111122223333"}  # type: ignore[index]  # leaves are JSON
    for absent in (
        lambda: house.vault.evidences.of_checkout(pia, other.id),
        lambda: house.vault.knowledge.of_account(pia, "222233334444"),
    ):
        with pytest.raises(NotFound):
            absent()
    with pytest.raises(Forbidden):
        house.vault.reviews.days(pia)
