"""Tokens put into a vault as they are, where how they are made is not the matter."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from vault.domain.actor import Scope
from vault.domain.ids import new_id
from vault.domain.person import Token
from vault.services.tokens import new_text

if TYPE_CHECKING:
    from vault.bootstrap import Vault
    from vault.domain.secret import Secret


def put_token(vault: Vault, name: str, permissions: frozenset[str]) -> Secret[str]:
    """Put a machine's token in force; give its text."""
    text, now = new_text(person=False), vault.clock.now()
    token = Token(
        id=new_id(),
        token_hash=vault.tokens._hash(text),
        name=name,
        person_id=None,
        permissions=permissions,
        scope=Scope(),
        created_by="test",
        created_at=now,
        expires_at=now + timedelta(days=30),
        effective_at=now,
    )
    with vault.units.write() as unit:
        unit.tokens.add(token)
        unit.commit()
    return text
