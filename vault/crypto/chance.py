"""Chance, from the operating system: the only place beside the keys' own where it is drawn.

Decided here: how much of it a token holds. Never done here: hashing or keeping what was drawn.
"""

from __future__ import annotations

import secrets
from typing import Final

from vault.domain.secret import Secret

TOKEN_BYTES: Final = 32
"""256 bits: more than anyone can try, so that a quick hash at rest is enough."""


def token_text() -> Secret[str]:
    """Draw a token of 43 characters that need no escaping in a link or a cookie (RFC 4648 section 5)."""
    return Secret(secrets.token_urlsafe(TOKEN_BYTES))


def nonce_text() -> str:
    """Draw 128 bits that need not be secret, in hex: so many never meet."""
    return secrets.token_hex(16)


def draw(alphabet: str, length: int) -> str:
    """Draw each character by itself, every one equally likely."""
    return "".join(secrets.choice(alphabet) for _ in range(length))
