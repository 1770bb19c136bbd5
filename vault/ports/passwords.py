"""Hashing of people's own sign-in passwords, as the core asks for it."""

from __future__ import annotations

from typing import Protocol

from vault.domain.secret import Secret


class Passwords(Protocol):
    """Hashes slowly on purpose, and never more than a few at once."""

    def hash(self, password: Secret[str]) -> str:
        """Give a salted hash in PHC string form."""
        ...

    def matches(self, stored: str | None, password: Secret[str]) -> bool:
        """Say whether `password` is the one; with None, take as long and say no (S22)."""
        ...
