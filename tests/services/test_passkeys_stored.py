"""What of passkeys depends on the database: many at once with one signature, and rows that stay as they are."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from tests.support.passkeys import enrol, pressed, sending
from vault.domain.actor import Role
from vault.errors import VaultError

if TYPE_CHECKING:
    from tests.support.world import Human, World
    from vault.domain.actor import Actor

AT_ONCE = 6


def race(world: World, actor: Actor, otp: str) -> list[str]:
    """Let several use one proof at the same moment; give what each was answered."""
    start = threading.Barrier(AT_ONCE)

    def use(_: int) -> str:
        start.wait()
        try:
            world.vault.tokens.issue_own(actor, "laptop", otp)
        except VaultError as error:
            return error.code
        return "done"

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return sorted(pool.map(use, range(AT_ONCE)))


def test_one_signature_is_used_by_one_however_many_send_it_at_once(world: World) -> None:
    olga = world.human("olga", Role.OPERATOR)
    key = enrol(world.vault, olga)
    for words in ("first", "second", "third"):
        actor = sending(olga.actor, words)
        answers = race(world, actor, pressed(world.vault, key, actor))
        assert answers == ["done", *["passkey.used"] * (AT_ONCE - 1)]


def test_one_confirmation_is_used_by_one_however_many_send_it_at_once(world: World) -> None:
    olga = world.human("olga", Role.OPERATOR)
    key = enrol(world.vault, olga)
    # a program's request that came by a session: an API token makes no token
    asking = sending(olga.actor, "by a program", "{}", browser=True)
    with pytest.raises(VaultError) as caught:
        world.vault.tokens.issue_own(asking, "laptop", "123456")
    number = str(caught.value.facts["confirmation"])
    browser = sending(olga.actor, "confirm")
    world.vault.passkeys.confirm(browser, number, pressed(world.vault, key, browser))
    assert race(world, asking, number) == ["done", *["passkey.used"] * (AT_ONCE - 1)]


def test_what_was_enrolled_and_signed_is_never_rewritten(world: World) -> None:
    olga: Human = world.human("olga", Role.OPERATOR)
    key = enrol(world.vault, olga)
    actor = sending(olga.actor, "a token")
    world.vault.tokens.issue_own(actor, "laptop", pressed(world.vault, key, actor))
    engine = world.vault.units.engine  # type: ignore[attr-defined] # the SQL units
    for statement in (
        "UPDATE passkey SET public_key = credential",
        "UPDATE passkey SET person_id = id",
        "DELETE FROM passkey",
        "UPDATE assertion SET request_mac = 'other'",
        "DELETE FROM assertion",
        "UPDATE passkey SET sign_count = -1",
    ):
        with pytest.raises(Exception, match=r"(?i)passkey|assertion|check"), engine.begin() as connection:
            connection.execute(text(statement))
