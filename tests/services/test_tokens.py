"""API tokens: recognisable, hashed, made by people in a browser, dead when they should be."""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.people import House, Member, came
from vault.domain.actor import Actor, ActorKind, Role, Scope, ScopeKind
from vault.domain.policy import NEVER_FOR_MACHINES, Permission
from vault.domain.secret import Secret
from vault.errors import Forbidden, Invalid, NotFound, Unauthenticated, VaultError
from vault.ports.store import Slice, Unit
from vault.services.machines import Wanted
from vault.services.tokens import is_well_formed, new_text


def test_a_persons_token_acts_with_their_powers_and_is_never_fresh(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada = house.actor(admins[0])
    issued = house.vault.tokens.issue_own(ada, "scripts", admins[0].code())
    bearer = house.vault.tokens.resolve(issued.text)
    assert bearer is not None
    actor = bearer.actor(came())
    assert (ActorKind.PERSON, ada.id, (Role.ADMIN,)) == (actor.kind, actor.id, actor.roles)
    assert (issued.token.id, "none", False) == (actor.origin.session, actor.origin.mfa, actor.origin.browser)


def test_a_token_mints_no_token(house: House, admins: tuple[Member, Member]) -> None:
    member = admins[0]
    issued = house.vault.tokens.issue_own(house.actor(member), "scripts", member.code())
    bearer = house.vault.tokens.resolve(issued.text)
    assert bearer is not None
    actor = bearer.actor(came())
    with pytest.raises(Forbidden):
        house.vault.tokens.issue_own(actor, "more", member.code())
    with pytest.raises(Forbidden):
        house.vault.machines.issue(
            actor, Wanted("more", frozenset({Permission.ACCOUNT_READ}), Scope()), member.code()
        )
    assert len(house.events("access.denied")) == 2


def test_a_code_is_needed_and_used_up(house: House, admins: tuple[Member, Member]) -> None:
    member = admins[0]
    ada = house.actor(member)
    with pytest.raises(Unauthenticated):
        house.vault.tokens.issue_own(ada, "scripts", member.wrong_code())
    code = member.code()
    house.vault.tokens.issue_own(ada, "scripts", code)
    with pytest.raises(VaultError) as caught:
        house.vault.tokens.issue_own(ada, "again", code)
    assert caught.value.code == "otp.used"


def test_a_sign_in_by_program_leaves_a_token_and_no_session(
    house: House, admins: tuple[Member, Member]
) -> None:
    signed = house.sign_in(admins[0])
    issued = house.vault.tokens.issue_at_sign_in(signed, came(), "laptop")
    assert house.vault.tokens.resolve(issued.text) is not None
    assert house.vault.signin.resolve(signed.token) is None


def test_a_machine_has_the_scopes_it_was_given_and_no_more(
    house: House, admins: tuple[Member, Member]
) -> None:
    member = admins[0]
    scopes = frozenset({Permission.ACCOUNT_READ})
    ada = house.actor(member)
    issued = house.vault.machines.issue(ada, Wanted("sync", scopes, Scope()), member.code())
    bearer = house.vault.tokens.resolve(issued.text)
    assert bearer is not None
    actor = bearer.actor(came())
    assert (actor.kind, actor.name, actor.roles) == (ActorKind.MACHINE, "sync", ())
    held = {each for each in Permission if not house.vault.policy.reach(actor, each).empty}
    assert held == {Permission.ACCOUNT_READ}


def test_no_machine_ever_gets_what_discloses_or_administers(
    house: House, admins: tuple[Member, Member]
) -> None:
    ada = house.actor(admins[0])
    for permission in NEVER_FOR_MACHINES:
        with pytest.raises(Invalid) as caught:
            house.vault.machines.issue(
                ada, Wanted("sync", frozenset({permission}), Scope()), admins[0].code()
            )
        assert [each.pointer for each in caught.value.errors] == ["/scopes"]


def test_only_administrators_make_machines_tokens(house: House, admins: tuple[Member, Member]) -> None:
    carl = house.appoint(admins, "carl@msp.example", Role.CUSTODIAN)
    with pytest.raises(Forbidden):
        house.vault.machines.issue(
            house.actor(carl), Wanted("sync", frozenset({Permission.ACCOUNT_READ}), Scope()), carl.code()
        )


def test_a_token_ends_by_time_by_hand_and_with_its_person(
    house: House, admins: tuple[Member, Member]
) -> None:
    first, second = admins
    ada, bob = house.actor(first), house.actor(second)
    carl = house.appoint(admins, "carl@msp.example", Role.AUDITOR)
    short = house.vault.tokens.issue_own(ada, "short", first.code(), timedelta(minutes=10))
    revoked = house.vault.tokens.issue_own(ada, "revoked", first.code())
    his = house.vault.tokens.issue_own(house.actor(carl), "his", carl.code())
    house.vault.tokens.revoke(bob, revoked.token.id)
    assert house.vault.tokens.resolve(revoked.text) is None
    assert house.vault.tokens.resolve(his.text) is not None
    house.vault.people.disable(bob, carl.id)
    assert house.vault.tokens.resolve(his.text) is None
    house.world.clock.advance(minutes=20)
    assert house.vault.tokens.resolve(short.text) is None


def test_powers_of_a_token_follow_the_persons_at_once(house: House, admins: tuple[Member, Member]) -> None:
    carl = house.appoint(admins, "carl@msp.example", Role.AUDITOR)
    issued = house.vault.tokens.issue_own(house.actor(carl), "his", carl.code())
    ada = house.actor(admins[0])
    grant = house.vault.people.get(ada, carl.id).grants[0]
    house.vault.people.remove_grant(ada, grant.id)
    bearer = house.vault.tokens.resolve(issued.text)
    assert bearer is not None
    assert bearer.powers == ()


def test_others_tokens_are_nobodys_business_but_an_administrators(
    house: House, admins: tuple[Member, Member]
) -> None:
    carl = house.actor(house.appoint(admins, "carl@msp.example", Role.AUDITOR))
    issued = house.vault.tokens.issue_own(house.actor(admins[0]), "mine", admins[0].code())
    with pytest.raises(NotFound):
        house.vault.tokens.get(carl, issued.token.id)
    with pytest.raises(Forbidden):
        house.vault.tokens.revoke(carl, issued.token.id)
    assert house.vault.tokens.page(carl, Slice(), everyone=True).items == ()
    everyone = house.vault.tokens.page(house.actor(admins[1]), Slice(), everyone=True)
    assert [each.id for each in everyone.items] == [issued.token.id]


def test_no_token_lives_for_ever_or_not_at_all(house: House, admins: tuple[Member, Member]) -> None:
    ada = house.actor(admins[0])
    for lasts in (timedelta(0), timedelta(days=91), timedelta(seconds=-5)):
        with pytest.raises(Invalid) as caught:
            house.vault.tokens.issue_own(ada, "x", admins[0].code(), lasts)
        assert [each.pointer for each in caught.value.errors] == ["/expires_in_seconds"]


def test_a_scope_names_what_is_there(house: House, admins: tuple[Member, Member]) -> None:
    ada = house.actor(admins[0])
    with pytest.raises(Invalid):
        house.vault.machines.issue(
            ada,
            Wanted("sync", frozenset({Permission.ACCOUNT_READ}), Scope(ScopeKind.CUSTOMER, "no-such")),
            admins[0].code(),
        )


def test_the_text_is_kept_nowhere(house: House, admins: tuple[Member, Member]) -> None:
    issued = house.vault.tokens.issue_own(house.actor(admins[0]), "scripts", admins[0].code())
    text = issued.text.expose()
    with house.vault.units.read() as unit:
        kept = unit.tokens.get(issued.token.id)
    assert kept is not None
    assert text not in repr(kept)
    assert text not in repr(house.events("token.issued"))


class Closed:
    """Units that are never asked."""

    def write(self) -> AbstractContextManager[Unit]:
        """Fail."""
        raise AssertionError("a question to the database")

    def read(self) -> AbstractContextManager[Unit]:
        """Fail."""
        raise AssertionError("a question to the database")


def test_what_is_not_a_token_costs_no_question(house: House) -> None:
    tokens = replace(house.vault.tokens, units=Closed())
    text = new_text(person=True).expose()
    swapped = text[:5] + ("A" if text[5] != "A" else "B") + text[6:]
    for wrong in ("", "rv_", "x" * 10_000, swapped, text + "0", text.upper(), "\ud800", "rv_p" + "é" * 49):
        assert tokens.resolve(Secret(wrong)) is None
    with pytest.raises(AssertionError, match="question"):
        tokens.resolve(Secret(text))


@given(person=st.booleans(), place=st.integers(0, 52), other=st.sampled_from("0aZz9"))
def test_every_token_is_well_formed_and_no_typing_error_is(person: bool, place: int, other: str) -> None:
    text = new_text(person=person).expose()
    assert len(text) == 53
    assert is_well_formed(Secret(text))
    changed = text[:place] + other + text[place + 1 :]
    assert is_well_formed(Secret(changed)) == (changed == text)


def test_a_machine_cannot_have_a_token_of_its_own(house: House, admins: tuple[Member, Member]) -> None:
    machine = Actor(ActorKind.MACHINE, "m", "m", permissions=frozenset(Permission), origin=came())
    with pytest.raises(Forbidden):
        house.vault.tokens.issue_own(machine, "own", "000000")
