"""Passkeys beyond one request in a page: programs hand over to the browser, and signing in takes no name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.authenticator import PRESENT
from tests.support.events import newest
from tests.support.passkeys import asked, authenticator, enrol, pressed, sending
from tests.support.people import came
from tests.support.refusals import refused
from vault.domain.actor import Role
from vault.domain.ids import new_id
from vault.domain.passkey import CHALLENGE_LASTS, CONFIRMATION_LASTS
from vault.errors import Forbidden, NotFound, VaultError

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


def program(olga: Human, words: str = "step up", session: str = "") -> Actor:
    where = {"session": session} if session else {}
    return sending(olga.actor, words, '{"comment": "seen"}', **where)


def ask(world: World, actor: Actor, checkout: str, otp: str = "123456") -> VaultError:
    return refused(lambda: world.vault.checkouts.step_up(actor, checkout, otp))


def test_a_program_hands_over_to_the_browser_and_goes_on_once(
    world: World, olga: Human, key: Authenticator
) -> None:
    vault = world.vault
    world.held()
    checkout = world.ask(olga).id
    cli = program(olga, session=new_id())
    error = ask(world, cli, checkout)
    number = str(error.facts["confirmation"])
    assert error.code == "auth.passkey_required"
    assert error.facts["confirm_url"] == f"https://vault.example.com/confirmations/{number}"
    # asked again, also while it waits, it is the same one and no entry more
    assert ask(world, cli, checkout).facts == ask(world, cli, checkout, number).facts == error.facts
    assert len(newest(world, "passkey.asked")) == 1

    browser = sending(olga.actor, f"confirm {number}")
    found = vault.passkeys.confirmation(browser, number)
    assert (found.content, found.checkout_id, found.path) == ('{"comment": "seen"}', checkout, "/step up")
    vault.passkeys.confirm(browser, number, pressed(vault, key, browser))
    assert refused(lambda: vault.passkeys.confirm(browser, number, "1")).code == "passkey.state"

    for other in (
        program(olga, session=new_id()),
        program(olga, "step up to something else", cli.origin.session),
    ):
        assert ask(world, other, checkout, number).code == "auth.refused"
    begun, _ = vault.checkouts.step_up(cli, checkout, number)
    assert begun.state == "active"
    assert ask(world, cli, checkout, number).code == "passkey.used"
    confirmed = newest(world, "passkey.confirmed")[0]["actor"]["mfa"].split(":")[2]
    assert newest(world, "checkout.granted")[0]["actor"]["mfa"] == f"passkey:confirmation:{confirmed}"


def test_a_confirmation_is_its_persons_own_in_their_browser_and_ends(
    world: World, olga: Human, key: Authenticator
) -> None:
    vault = world.vault
    world.held()
    checkout = world.ask(olga).id
    cli = program(olga)
    number = str(ask(world, cli, checkout).facts["confirmation"])
    otto = world.human("otto", Role.OPERATOR)
    other = enrol(vault, otto, "phone")
    theirs = sending(otto.actor, "confirm")
    assert isinstance(refused(lambda: vault.passkeys.confirmation(theirs, number)), NotFound)
    assert isinstance(
        refused(lambda: vault.passkeys.confirm(theirs, number, pressed(vault, other, theirs))), NotFound
    )
    headless = sending(olga.actor, "confirm", "{}")
    assert isinstance(
        refused(lambda: vault.passkeys.confirm(headless, number, pressed(vault, key, headless))), Forbidden
    )
    browser = sending(olga.actor, "confirm")
    vault.passkeys.confirm(browser, number, pressed(vault, key, browser))
    world.clock.advance(seconds=CONFIRMATION_LASTS.total_seconds())
    assert ask(world, cli, checkout, number).code == "auth.refused"
    late = str(ask(world, cli, checkout).facts["confirmation"])
    assert late != number


def test_a_program_that_asks_and_asks_gets_slow(world: World, olga: Human, key: Authenticator) -> None:
    assert key.count == 0
    cli = [sending(olga.actor, f"token {number}", "{}", browser=True) for number in range(6)]
    codes = [refused(make_token, world, actor, "123456").code for actor in cli]
    assert codes == ["auth.passkey_required"] * 5 + ["auth.delayed"]


def test_signing_in_takes_no_name_and_opens_a_session_by_passkey(
    world: World, olga: Human, key: Authenticator
) -> None:
    vault = world.vault
    wish = asked("sign in")
    origin = replace(came(), asked=wish)
    offer = vault.passkeys.to_sign_in()
    assert (offer.credentials, offer.person) == ((), None)
    text = key.sign(offer.ticket, wish.digest)
    signed = vault.passkeys.sign_in(text, origin, agent="a browser")
    assert (signed.person.id, signed.session.mfa) == (olga.actor.id, "passkey")
    known = vault.signin.resolve(signed.token)
    assert known is not None
    assert known.actor(came()).origin.mfa == "passkey"
    entry = newest(world, "session.opened")[0]
    assert entry["actor"]["mfa"].startswith("passkey:")
    again = refused(lambda: vault.passkeys.sign_in(text, origin))
    assert (again.code, newest(world, "session.refused")[0]["detail"]["why"]) == ("auth.refused", "used")


def test_whatever_is_wrong_at_the_sign_in_gets_one_answer(
    world: World, olga: Human, key: Authenticator
) -> None:
    vault, wish = world.vault, asked("sign in")
    origin = replace(came(), asked=wish)

    def signed(digest: bytes = wish.digest, **bent: Any) -> str:
        return key.sign(vault.passkeys.to_sign_in().ticket, digest, **bent)

    late = signed()
    world.clock.advance(seconds=CHALLENGE_LASTS.total_seconds())
    stranger = authenticator(vault, olga.actor.id)
    vault.passkeys.sign_in(signed(count=50), origin)
    texts = {
        "late": late,
        "credential": stranger.sign(vault.passkeys.to_sign_in().ticket, wish.digest),
        "user": signed(user=None),
        "challenge": signed(digest=asked("sign in elsewhere").digest),
        "origin": signed(origin="https://attacker.example"),
        "verification": signed(flags=PRESENT),
        "ticket": pressed(vault, key, sending(olga.actor, "sign in")),
        "malformed": "123456",
    }
    answers = set()
    for why, text in texts.items():
        error = refused(vault.passkeys.sign_in, text, origin)
        answers.add((type(error), error.code, error.detail))
        assert newest(world, "session.refused")[0]["detail"]["why"] == why
    assert len(answers) == 1
    counted = refused(lambda: vault.passkeys.sign_in(signed(count=7), origin))
    assert counted.code == "auth.refused"
    assert len(newest(world, "passkey.suspect")) == 1


def test_a_disabled_persons_passkey_signs_in_no_more(world: World, olga: Human, key: Authenticator) -> None:
    wish = asked("sign in")
    ada = world.human("ada", Role.ADMIN)
    world.human("bob", Role.ADMIN)
    world.vault.people.disable(ada.actor, olga.actor.id)
    text = key.sign(world.vault.passkeys.to_sign_in().ticket, wish.digest)
    error = refused(lambda: world.vault.passkeys.sign_in(text, replace(came(), asked=wish)))
    assert error.code == "auth.refused"
    assert newest(world, "session.refused")[0]["detail"]["why"] == "person"
