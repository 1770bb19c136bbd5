"""Recovery: two administrators and a hold, a link that works once, what was before counts until the new is proven."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from tests.support.passkeys import asked, authenticator, sending
from tests.support.people import House, Member, came
from vault.domain.actor import Actor, Role, Scope, ScopeKind, system_actor
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.passkey import Passkey
from vault.domain.person import PersonState
from vault.domain.proposal import Proposal, ProposalState
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import Conflict, Forbidden, NotFound, Unauthenticated, VaultError
from vault.services.people import Wish

one_database = pytest.mark.parametrize("world", ["sqlite"], indirect=True)
"""For what is decided in Python alone."""
WHY = "lost the phone on a train, called back on the known number"


def agree(house: House, admins: tuple[Member, Member], who: Member) -> tuple[Actor, Actor, Proposal]:
    """Propose by the first, agree by the second; give their actors and the proposal."""
    ada, bob = (house.actor(admin) for admin in admins)
    made = house.vault.recovery.propose(ada, who.id, WHY, admins[0].code())
    return ada, bob, house.vault.proposals.confirm(bob, made.id, admins[1].code())


def code_of(refused: pytest.ExceptionInfo[VaultError]) -> str:
    return refused.value.code


def test_a_lost_factor_is_replaced_and_all_that_was_open_ends(
    house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    before = house.sign_in(olga)
    token = house.vault.tokens.issue_own(before.actor(came()), "hers", olga.code())
    _, bob, agreed = agree(house, admins, olga)
    given = house.vault.recovery.link(bob, olga.id, admins[1].code())
    new_seed = house.vault.enrolment.begin(given.link, came()).seed.expose()
    assert new_seed != olga.seed.secret.expose()
    # until the new one is proven, the old one counts
    assert [power.role for power in house.sign_in(olga).powers] == [Role.OPERATOR]
    house.world.clock.advance(seconds=90)
    again = house.take(given.link)
    assert house.vault.signin.resolve(before.token) is None
    assert house.vault.tokens.resolve(token.text) is None
    olga.used = again.used
    with pytest.raises(Unauthenticated):
        house.sign_in(olga)
    assert [power.role for power in house.sign_in(again).powers] == [Role.OPERATOR]
    assert house.vault.proposals.get(bob, agreed.id).state(house.world.clock.now()) is ProposalState.ENDED
    with pytest.raises(Unauthenticated) as caught:
        house.vault.enrolment.begin(given.link, came())
    assert code_of(caught) == "auth.enrolment_invalid"
    with pytest.raises(Conflict):
        house.vault.recovery.link(bob, olga.id, admins[1].code())
    told = house.events("person.enrolled")[0]["detail"]
    assert told == {"person": olga.id, "recovered": True, "sessions": 2, "tokens": 1, "passkeys": 0}
    assert len(house.events("person.recovery.link")) == 1


@one_database
def test_lost_passkeys_count_no_more_once_the_person_enrolled_again(
    house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    actor = sending(house.actor(olga), "add")
    key = authenticator(house.vault, olga.id)
    ticket = house.vault.passkeys.to_enrol(actor).ticket
    house.vault.passkeys.add(actor, "lost phone", ticket, key.make(ticket), olga.code())
    _, bob, _ = agree(house, admins, olga)
    link = house.vault.recovery.link(bob, olga.id, admins[1].code()).link
    assert len(house.vault.passkeys.of(actor)) == 1
    again = house.take(link)
    assert house.vault.passkeys.of(actor) == ()
    assert house.events("person.enrolled")[0]["detail"]["passkeys"] == 1  # type: ignore[index] # a leaf's detail is an object
    house.sign_in(again)
    wish = asked("sign in")
    text = key.sign(house.vault.passkeys.to_sign_in().ticket, wish.digest)
    with pytest.raises(Unauthenticated):
        house.vault.passkeys.sign_in(text, replace(came(), asked=wish))


@one_database
def test_passkeys_end_with_a_recovery(house: House, admins: tuple[Member, Member]) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    now = house.world.clock.now()
    lost = Passkey(
        new_id(), olga.id, "Y3JlZGVudGlhbA", b"key", 0, "the lost one", backed_up=False, created_at=now
    )
    with house.vault.units.write() as unit:
        unit.passkeys.add(lost)
        unit.log.record(
            Event(EventType.PASSKEY_ADDED, system_actor("test"), changes=changes(None, lost)), now
        )
        unit.commit()
    with pytest.raises(Unauthenticated):
        house.sign_in(olga)
    _, bob, _ = agree(house, admins, olga)
    again = house.take(house.vault.recovery.link(bob, olga.id, admins[1].code()).link)
    assert [power.role for power in house.sign_in(again).powers] == [Role.OPERATOR]


@one_database
def test_who_was_shut_out_comes_back_without_any_role(house: House, admins: tuple[Member, Member]) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    house.vault.people.disable(house.actor(admins[0]), olga.id)
    ada, bob, _ = agree(house, admins, olga)
    assert house.vault.people.get(ada, olga.id).person.state is PersonState.DISABLED
    assert house.vault.people.get(ada, olga.id).grants == ()
    given = house.vault.recovery.link(ada, olga.id, admins[0].code())
    again = house.take(given.link)
    assert house.sign_in(again).powers == ()
    grant = house.vault.people.propose_grant(bob, olga.id, Wish(Role.OPERATOR))
    with pytest.raises(Forbidden):
        # who took the link agrees to nothing of theirs
        house.vault.people.confirm_grant(ada, grant.id, admins[0].code())
    grant = house.vault.people.propose_grant(ada, olga.id, Wish(Role.OPERATOR))
    house.vault.people.confirm_grant(bob, grant.id, admins[1].code())
    assert [power.role for power in house.sign_in(again).powers] == [Role.OPERATOR]


@one_database
def test_a_recovery_waits_out_its_hold_and_does_not_wait_for_ever(
    house: House, admins: tuple[Member, Member]
) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    house.world.held()
    _, bob, agreed = agree(house, admins, olga)
    assert agreed.effective_at == house.world.clock.now() + house.vault.people.hold
    with pytest.raises(Conflict) as caught:
        house.vault.recovery.link(bob, olga.id, admins[1].code())
    assert code_of(caught) == "person.state"
    house.world.clock.at += house.vault.people.hold
    bob = house.actor(admins[1])
    house.vault.recovery.link(bob, olga.id, admins[1].code())
    house.world.clock.at += house.vault.recovery.link_lasts
    with pytest.raises(Conflict, match="too long ago"):
        house.vault.recovery.link(house.actor(admins[1]), olga.id, admins[1].code())


@one_database
def test_nobody_recovers_alone_or_themselves(house: House, admins: tuple[Member, Member]) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    third = house.actor(house.appoint(admins, "cyd@msp.example", Role.ADMIN))
    ada, bob = (house.actor(admin) for admin in admins)
    propose, link = house.vault.recovery.propose, house.vault.recovery.link
    with pytest.raises(Forbidden) as caught:
        propose(ada, ada.id, WHY, admins[0].code())
    assert code_of(caught) == "policy.second_person"
    with pytest.raises(Conflict):
        link(ada, olga.id, admins[0].code())
    made = propose(ada, olga.id, WHY, admins[0].code())
    with pytest.raises(Forbidden) as caught:
        house.vault.proposals.confirm(ada, made.id, admins[0].code())
    assert code_of(caught) == "policy.second_person"
    with pytest.raises(Conflict):
        link(ada, olga.id, admins[0].code())
    house.vault.proposals.confirm(bob, made.id, admins[1].code())
    with pytest.raises(Forbidden):
        link(third, olga.id, "000000")
    with pytest.raises(Unauthenticated):
        link(bob, olga.id, admins[1].wrong_code())
    operator = house.actor(olga)
    for act in (
        lambda: propose(operator, bob.id, WHY, olga.code()),
        lambda: link(operator, bob.id, olga.code()),
    ):
        with pytest.raises((Forbidden, NotFound)):
            act()


@one_database
def test_an_administrator_is_recovered_by_two_others_only(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada, bob = (house.actor(admin) for admin in admins)
    made = house.vault.recovery.propose(ada, bob.id, WHY, admins[0].code())
    with pytest.raises(Forbidden) as caught:
        house.vault.proposals.confirm(bob, made.id, admins[1].code())
    assert code_of(caught) == "policy.second_person"


@one_database
@pytest.mark.parametrize("who", ["the person", "an administrator"])
def test_it_is_ended_at_once_with_its_link(house: House, admins: tuple[Member, Member], who: str) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    ada, bob, agreed = agree(house, admins, olga)
    link = house.vault.recovery.link(bob, olga.id, admins[1].code()).link
    house.vault.enrolment.begin(link, came())
    by = house.actor(olga) if who == "the person" else ada
    house.vault.proposals.end(by, agreed.id, "nobody lost anything")
    with pytest.raises(Unauthenticated):
        house.vault.enrolment.begin(link, came())
    with pytest.raises(Unauthenticated):
        house.vault.enrolment.complete(link, Secret(olga.password), "000000", came())
    with house.vault.units.read() as unit:
        kept = unit.people.get(olga.id)
    assert kept is not None
    assert (kept.enrolment_hash, kept.next_seed) == (None, None)
    assert house.sign_in(olga).powers != ()


@one_database
def test_an_agreement_is_for_the_person_as_they_were(house: House, admins: tuple[Member, Member]) -> None:
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    ada, bob = (house.actor(admin) for admin in admins)
    made = house.vault.recovery.propose(ada, olga.id, WHY, admins[0].code())
    house.vault.people.propose_grant(bob, olga.id, Wish(Role.AUDITOR))
    with pytest.raises(Conflict) as caught:
        house.vault.proposals.confirm(bob, made.id, admins[1].code())
    assert code_of(caught) == "approval.changed"
    house.vault.proposals.end(ada, made.id, "their roles changed")
    agree(house, admins, olga)
    house.vault.people.disable(ada, olga.id)
    # what was agreed to of who worked here does not bring back who was shut out
    with pytest.raises(Conflict):
        house.vault.recovery.link(house.actor(admins[1]), olga.id, admins[1].code())
    assert house.vault.recovery.standing(olga.id) is None


@one_database
def test_who_did_not_enrol_yet_gets_a_link_and_no_recovery(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada = house.actor(admins[0])
    invited = house.vault.people.invite(ada, "nina@msp.example", "Nina", (Wish(Role.OPERATOR),))
    with pytest.raises(Conflict) as caught:
        house.vault.recovery.propose(ada, invited.person.id, WHY, admins[0].code())
    assert code_of(caught) == "person.state"


@one_database
def test_an_administrator_of_one_customer_recovers_nobody_with_more(
    house: House, admins: tuple[Member, Member]
) -> None:
    account = house.world.account()
    scope = Scope(ScopeKind.CUSTOMER, account.customer_id)
    lena = house.appoint(admins, "lena@msp.example", Role.ADMIN, scope)
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    mine = house.appoint(admins, "mia@msp.example", Role.OPERATOR, scope)
    limited = house.actor(lena)
    with pytest.raises(NotFound):
        house.vault.recovery.propose(limited, olga.id, WHY, lena.code())
    made = house.vault.recovery.propose(limited, mine.id, WHY, lena.code())
    assert made.scope == scope
    ada = house.actor(admins[0])
    house.vault.proposals.confirm(ada, made.id, admins[0].code())
    grant = house.vault.people.propose_grant(ada, mine.id, Wish(Role.AUDITOR))
    with pytest.raises(Conflict):
        house.vault.recovery.link(limited, mine.id, lena.code())
    house.vault.people.remove_grant(ada, grant.id)
    house.world.clock.advance(seconds=timedelta(minutes=1).total_seconds())
    house.take(house.vault.recovery.link(limited, mine.id, lena.code()).link)
