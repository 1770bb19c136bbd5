"""People with passkeys: enrolled as in a browser, and requests that a passkey signs."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.support.authenticator import Authenticator
from vault.domain.actor import Asked

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.bootstrap.compose import Vault
    from vault.domain.actor import Actor


def asked(words: str, content: str | None = None) -> Asked:
    """Make what a request asks for; two with the same words are the same request."""
    return Asked(hashlib.sha256(words.encode()).digest(), "POST", f"/{words}", content)


def sending(actor: Actor, words: str, content: str | None = None, **origin: Any) -> Actor:
    """Give an actor as the one who sends a request from a browser, or with `content` from a program."""
    where = {"browser": content is None, **origin}
    return replace(actor, origin=replace(actor.origin, asked=asked(words, content), **where))


def authenticator(vault: Vault, person_id: str) -> Authenticator:
    """Make an authenticator that knows this vault's pages."""
    party = vault.passkeys.party
    return Authenticator(person_id, party.origin, party.id)


def enrol(vault: Vault, human: Human, name: str = "laptop") -> Authenticator:
    """Add a person's first passkey, with a code."""
    key = authenticator(vault, human.actor.id)
    actor = sending(human.actor, f"add {name}")
    ticket = vault.passkeys.to_enrol(actor).ticket
    vault.passkeys.add(actor, name, ticket, key.make(ticket), human.otp())
    return key


def pressed(vault: Vault, key: Authenticator, actor: Actor, **bent: Any) -> str:
    """Press a passkey for the request that the actor sends."""
    wish = actor.origin.asked
    assert wish is not None
    return key.sign(vault.passkeys.to_confirm(actor).ticket, wish.digest, **bent)
