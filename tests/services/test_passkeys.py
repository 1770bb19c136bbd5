"""Passkeys: each signature is for one request of one session, once, and there is no way down to codes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from tests.support.authenticator import PRESENT, VERIFIED, closed, opened
from tests.support.events import newest
from tests.support.passkeys import authenticator, enrol, pressed, sending
from tests.support.refusals import refused
from vault.crypto.passkey import Party
from vault.domain.actor import Role
from vault.domain.checkout import Decision
from vault.domain.ids import new_id
from vault.domain.passkey import CHALLENGE_LASTS, MOST, SecondFactor
from vault.errors import Conflict, Forbidden, Invalid, Limited, NotFound, Unauthenticated
from vault.services.approvals import Word
from vault.services.passkeys import forget_all

if TYPE_CHECKING:
    from tests.support.authenticator import Authenticator
    from tests.support.world import Human, World
    from vault.domain.actor import Actor


@pytest.fixture
def world(quick_world: World) -> World:
    """Lend a world on SQLite: what depends on the database is in `test_passkeys_stored`."""
    return quick_world


@pytest.fixture
def olga(world: World) -> Human:
    return world.human("olga", Role.OPERATOR)


@pytest.fixture
def key(world: World, olga: Human) -> Authenticator:
    return enrol(world.vault, olga)


def make_token(world: World, actor: Actor, otp: str) -> object:
    """Do what takes a fresh factor and nothing else."""
    return world.vault.tokens.issue_own(actor, "laptop", otp)


def test_a_step_up_and_an_approval_rest_on_passkeys_and_their_entries_name_them(
    world: World, olga: Human, key: Authenticator
) -> None:
    pia = world.human("pia", Role.APPROVER)
    other = enrol(world.vault, pia, "yubikey")
    world.held()
    checkout = world.ask(olga, reason="INCIDENT")
    word = Word(Decision.APPROVE, "seen")
    deciding = sending(pia.actor, "approve it")
    world.vault.approvals.decide(deciding, checkout.id, word, pressed(world.vault, other, deciding))
    stepping = sending(olga.actor, "step up")
    world.vault.checkouts.step_up(stepping, checkout.id, pressed(world.vault, key, stepping))
    for kind, human in (("checkout.approved", pia), ("checkout.granted", olga)):
        name, credential, assertion = newest(world, kind)[0]["actor"]["mfa"].split(":")
        mine = world.vault.passkeys.of(human.actor)[0]
        assert (name, credential, len(assertion)) == ("passkey", mine.credential[:12], 36)
        assert mine.used_at == world.clock.now()


BENT: dict[str, tuple[str, dict[str, Any]]] = {
    "other-origin": ("origin", {"origin": "https://vault.example.com.attacker.example"}),
    "same-host-other-scheme": ("origin", {"origin": "http://vault.example.com"}),
    "other-party": ("party", {"party": "attacker.example"}),
    "framed-by-another-site": ("frame", {"framed": True}),
    "user-not-verified": ("verification", {"flags": PRESENT}),
    "user-not-present": ("presence", {"flags": VERIFIED}),
    "wrong-user-handle": ("user", {"user": "00000000-0000-4000-8000-000000000000"}),
    "unknown-credential": ("credential", {"credential": b"somebody else's"}),
    "mutilated-signature": ("signature", {"signature": b"\x30\x06\x02\x01\x01"}),
    "signature-of-another": ("signature", {"signature": b"\x30\x06\x02\x01\x01\x02\x01\x01"}),
    "made-for-enrolling": ("type", {"type": "webauthn.create"}),
}


def test_whatever_is_bent_is_refused_and_the_log_says_what_it_was(
    world: World, olga: Human, key: Authenticator
) -> None:
    seen = {}
    for name, (why, bent) in BENT.items():
        actor = sending(olga.actor, "a token", session=new_id())
        otp = pressed(world.vault, key, actor, **bent)
        error = refused(make_token, world, actor, otp)
        assert (type(error), error.code) == (Unauthenticated, "auth.refused"), name
        seen[name] = newest(world, "stepup.refused")[0]["detail"]["why"]
        assert seen[name] == why, name
    assert newest(world, "token.issued") == []


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("authenticatorData", "AAAA"),
        ("clientDataJSON", "e30"),
        ("clientDataJSON", "!!!"),
        ("signature", ""),
        ("userHandle", 7),
    ],
)
def test_a_mutilated_answer_is_a_refusal_and_never_an_accident(
    world: World, olga: Human, key: Authenticator, part: str, value: object
) -> None:
    actor = sending(olga.actor, "a token")
    found = opened(pressed(world.vault, key, actor))
    found["credential"]["response"][part] = value
    assert refused(lambda: make_token(world, actor, closed(found))).code == "auth.refused"


@pytest.mark.parametrize(
    "text",
    ["passkey.", "passkey.!", "passkey.bnVsbA", "passkey.W10", "passkey.e30", "passkey." + "A" * 20_000],
)
def test_what_is_no_answer_at_all_is_refused(
    world: World, olga: Human, key: Authenticator, text: str
) -> None:
    assert key.count == 0
    assert refused(lambda: make_token(world, sending(olga.actor, "a token"), text)).code == "auth.refused"


def test_a_signature_counts_once(world: World, olga: Human, key: Authenticator) -> None:
    actor = sending(olga.actor, "a token")
    otp = pressed(world.vault, key, actor)
    make_token(world, actor, otp)
    error = refused(lambda: make_token(world, actor, otp))
    assert (type(error), error.code) == (Conflict, "passkey.used")
    assert len(newest(world, "token.issued")) == 1


def test_a_signature_is_for_the_request_that_was_signed_and_no_other(
    world: World, olga: Human, key: Authenticator
) -> None:
    signed = sending(olga.actor, "begin checkout 1")
    otp = pressed(world.vault, key, signed)
    for other in (sending(olga.actor, "begin checkout 2"), olga.actor):
        actor = replace(other, origin=replace(other.origin, browser=True))
        assert refused(make_token, world, actor, otp).code == "auth.refused"
    assert [each["detail"]["why"] for each in newest(world, "stepup.refused")] == ["request", "challenge"]
    make_token(world, signed, otp)


def test_a_signature_is_for_its_session_its_person_and_its_time(
    world: World, olga: Human, key: Authenticator
) -> None:
    actor = sending(olga.actor, "a token")
    elsewhere = sending(olga.actor, "a token", session=new_id())
    otp = pressed(world.vault, key, actor)
    assert refused(lambda: make_token(world, elsewhere, otp)).code == "auth.refused"
    otto = world.human("otto", Role.OPERATOR)
    enrol(world.vault, otto, "phone")
    theirs = sending(otto.actor, "a token")
    # otto's own ticket, signed by olga's passkey
    crossed = pressed(world.vault, key, theirs)
    assert refused(lambda: make_token(world, theirs, crossed)).code == "auth.refused"
    world.clock.advance(seconds=CHALLENGE_LASTS.total_seconds())
    assert refused(lambda: make_token(world, actor, otp)).code == "auth.refused"
    reasons = [each["detail"]["why"] for each in newest(world, "stepup.refused")]
    assert reasons == ["late", "credential", "ticket"]


def test_a_ticket_of_another_purpose_is_not_looked_at(world: World, olga: Human, key: Authenticator) -> None:
    actor = sending(olga.actor, "a token")
    assert actor.origin.asked is not None
    for ticket in (
        world.vault.passkeys.to_enrol(actor).ticket,
        world.vault.passkeys.to_sign_in().ticket,
        "",
        "a.b.c",
    ):
        otp = key.sign(ticket, actor.origin.asked.digest)
        assert refused(make_token, world, actor, otp).code == "auth.refused"
    assert {each["detail"]["why"] for each in newest(world, "stepup.refused")} == {"ticket"}


def test_wrong_answers_get_slow(world: World, olga: Human, key: Authenticator) -> None:
    actor = sending(olga.actor, "a token")
    for _ in range(5):
        refused(lambda: make_token(world, actor, pressed(world.vault, key, actor, flags=PRESENT)))
    late = refused(lambda: make_token(world, actor, pressed(world.vault, key, actor)))
    assert isinstance(late, Limited)


def test_a_counter_that_goes_back_is_refused_and_told_as_what_it_is(
    world: World, olga: Human, key: Authenticator
) -> None:
    actor = sending(olga.actor, "a token")
    make_token(world, actor, pressed(world.vault, key, actor, count=9))
    for count in (9, 3, 0):
        again = sending(olga.actor, "a token", session=new_id())
        otp = pressed(world.vault, key, again, count=count)
        assert refused(make_token, world, again, otp).code == "auth.refused"
    told = [each["detail"] for each in newest(world, "passkey.suspect")]
    assert [(each["counted"], each["before"]) for each in told] == [(0, 9), (3, 9), (9, 9)]
    assert {each["person"] for each in told} == {olga.actor.id}


def test_an_authenticator_that_does_not_count_may_stay_at_zero(
    world: World, olga: Human, key: Authenticator
) -> None:
    for words in ("one", "two"):
        actor = sending(olga.actor, words)
        make_token(world, actor, pressed(world.vault, key, actor, count=0))
    assert newest(world, "passkey.suspect") == []


def test_where_a_passkey_is_enrolled_a_code_proves_nothing(
    world: World, olga: Human, key: Authenticator
) -> None:
    assert key.count == 0
    world.held()
    checkout = world.ask(olga)
    actor = sending(olga.actor, "step up")
    error = refused(lambda: world.vault.checkouts.step_up(actor, checkout.id, olga.otp()))
    assert (type(error), error.code) == (Unauthenticated, "auth.passkey_required")
    assert newest(world, "stepup.refused")[0]["detail"]["code"] == "auth.passkey_required"
    assert newest(world, "checkout.granted") == []


def test_a_signature_proves_nothing_of_who_has_no_passkey(world: World, olga: Human) -> None:
    key = authenticator(world.vault, olga.actor.id)
    actor = sending(olga.actor, "a token")
    assert refused(lambda: make_token(world, actor, pressed(world.vault, key, actor))).code == "auth.refused"
    make_token(world, actor, olga.otp())


def test_adding_takes_a_fresh_factor_a_browser_and_a_verified_user(world: World, olga: Human) -> None:
    vault, actor = world.vault, sending(olga.actor, "add")
    key = authenticator(vault, olga.actor.id)
    ticket = vault.passkeys.to_enrol(actor).ticket
    made = key.make(ticket)
    program = sending(olga.actor, "add", "{}")
    assert isinstance(refused(lambda: vault.passkeys.add(program, "k", ticket, made, olga.otp())), Forbidden)
    assert refused(lambda: vault.passkeys.add(actor, "k", ticket, made, "000000")).code == "auth.refused"
    for bent in (
        key.make(ticket, flags=PRESENT),
        key.make(ticket, flags=VERIFIED),
        key.make(ticket, origin="https://attacker.example"),
        key.make(ticket, party="attacker.example"),
        key.make(ticket, framed=True),
        key.make(vault.passkeys.to_enrol(actor).ticket),
        "null",
        "{}",
        "[" * 9_000,
        " " * 20_000,
    ):
        with pytest.raises(Invalid):
            vault.passkeys.add(actor, "k", ticket, bent, "1")
    for name in ("", "x" * 61, "a\nb"):
        with pytest.raises(Invalid):
            vault.passkeys.add(actor, name, ticket, made, "1")
    confirming = vault.passkeys.to_confirm(actor).ticket
    assert isinstance(
        refused(lambda: vault.passkeys.add(actor, "k", confirming, key.make(confirming), "1")), Invalid
    )
    assert vault.passkeys.of(actor) == ()
    vault.passkeys.add(actor, "k", ticket, made, olga.otp())
    told = newest(world, "passkey.added")[0]
    assert (told["detail"]["name"], told["detail"]["first"], told["actor"]["mfa"]) == ("k", True, "totp")
    assert vault.passkeys.factor_of(actor) is SecondFactor.PASSKEY


def test_a_second_one_rests_on_the_first_and_none_is_enrolled_twice(
    world: World, olga: Human, key: Authenticator
) -> None:
    vault = world.vault
    actor = sending(olga.actor, "add another")
    ticket = vault.passkeys.to_enrol(actor).ticket
    other = authenticator(vault, olga.actor.id)
    by_code = refused(lambda: vault.passkeys.add(actor, "phone", ticket, other.make(ticket), olga.otp()))
    assert by_code.code == "auth.passkey_required"
    twice = refused(
        lambda: vault.passkeys.add(actor, "k", ticket, key.make(ticket), pressed(vault, key, actor))
    )
    assert twice.code == "passkey.exists"
    for number in range(2, MOST + 1):
        more = authenticator(vault, olga.actor.id)
        vault.passkeys.add(actor, f"key {number}", ticket, more.make(ticket), pressed(vault, key, actor))
    too_many = refused(
        lambda: vault.passkeys.add(actor, "k", ticket, other.make(ticket), pressed(vault, key, actor))
    )
    assert too_many.code == "passkey.state"


def test_removing_takes_a_passkey_and_the_last_one_leads_back_to_codes_visibly(
    world: World, olga: Human, key: Authenticator
) -> None:
    vault, actor = world.vault, sending(olga.actor, "remove")
    mine = vault.passkeys.of(actor)[0]
    assert refused(lambda: vault.passkeys.remove(actor, mine.id, olga.otp())).code == "auth.passkey_required"
    otto = world.human("otto", Role.OPERATOR)
    theirs = sending(otto.actor, "remove")
    assert isinstance(refused(lambda: vault.passkeys.remove(theirs, mine.id, otto.otp())), NotFound)
    assert vault.passkeys.remove(actor, mine.id, pressed(vault, key, actor)) == 0
    assert newest(world, "passkey.removed")[0]["detail"]["left"] == 0
    again = sending(olga.actor, "a token")
    assert refused(lambda: make_token(world, again, pressed(vault, key, again))).code == "auth.refused"
    make_token(world, again, olga.otp())


def test_nobody_is_left_without_any_factor(world: World, olga: Human, key: Authenticator) -> None:
    vault, actor = world.vault, sending(olga.actor, "remove")
    with vault.units.write() as unit:
        person = unit.people.get(olga.actor.id)
        assert person is not None
        unit.people.update(replace(person, seed=None))
        unit.commit()
    mine = vault.passkeys.of(actor)[0]
    error = refused(lambda: vault.passkeys.remove(actor, mine.id, pressed(vault, key, actor)))
    assert error.code == "passkey.state"
    assert vault.passkeys.of(actor) == (mine,)


def test_a_recovery_forgets_all_of_them(world: World, olga: Human, key: Authenticator) -> None:
    actor = sending(olga.actor, "a token")
    with world.vault.units.write() as unit:
        told = forget_all(unit, olga.actor.id, world.clock.now())
        assert [(each.entity, each.was, each.now) for each in told] == [("passkey", "enrolled", "removed")]
    # the unit was left without commit: nothing is forgotten that no entry tells
    make_token(world, actor, pressed(world.vault, key, actor))


def test_a_step_up_by_passkey_costs_one_statement_more_than_one_by_code(world: World, olga: Human) -> None:
    world.held()
    seen: list[str] = []
    engine = world.vault.units.engine  # type: ignore[attr-defined] # the SQL units
    checkout = world.ask(olga).id
    otp = olga.otp()
    event.listen(engine, "before_cursor_execute", lambda *call: seen.append(call[2]))
    world.vault.checkouts.step_up(olga.actor, checkout, otp)
    by_code = len(seen)
    world.vault.checkouts.check_in(olga.actor, checkout)
    key = enrol(world.vault, olga)
    again = world.ask(olga, reason="CRED_ROTATE").id
    actor = sending(olga.actor, "step up")
    otp = pressed(world.vault, key, actor)
    seen.clear()
    world.vault.checkouts.step_up(actor, again, otp)
    # beside the look at who has passkeys, which both take: the signature is claimed and its counter kept,
    # where a code claims its time step
    ours = [each for each in seen if "passkey" in each or "assertion" in each]
    assert (len(ours), len(seen) - by_code) == (3, 1)


@pytest.mark.parametrize(
    ("url", "origin", "name"),
    [
        ("http://127.0.0.1:8400", "http://localhost:8400", "localhost"),
        ("http://[::1]:8400", "http://localhost:8400", "localhost"),
        ("https://vault.example.com", "https://vault.example.com", "vault.example.com"),
        ("https://vault.example.com:8443/", "https://vault.example.com:8443", "vault.example.com"),
        ("https://192.0.2.7", "https://192.0.2.7", ""),
    ],
)
def test_passkeys_belong_to_the_name_that_the_vault_has(url: str, origin: str, name: str) -> None:
    party = Party.of(url)
    assert (party.origin, party.id, party.is_usable) == (origin, name, bool(name))
