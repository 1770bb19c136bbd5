"""Hashing of people's own sign-in passwords by argon2id (RFC 9106), slowly and few at once.

Decided here: 64 MiB, three passes, one lane, above OWASP's least (19 MiB, two passes); at most four hashes at
once, so that a storm of sign-ins takes a bounded part of memory and of the processors. Whoever waits longer
than a few seconds is refused rather than queued without end. Never done here: rules for passwords.

https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from vault.errors import Limited

if TYPE_CHECKING:
    from vault.domain.secret import Secret

AT_ONCE: Final = 4
WAIT_SECONDS: Final = 10


def _hasher() -> PasswordHasher:
    return PasswordHasher(
        time_cost=3, memory_cost=65_536, parallelism=1, hash_len=32, salt_len=16, type=Type.ID
    )


@dataclass(frozen=True, slots=True)
class Argon2:
    """Implements `Passwords`."""

    at_once: int = AT_ONCE
    _hasher: PasswordHasher = field(default_factory=_hasher, init=False, repr=False)
    _turns: threading.BoundedSemaphore = field(init=False, repr=False)
    _nobodys: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_turns", threading.BoundedSemaphore(self.at_once))
        object.__setattr__(self, "_nobodys", self._hasher.hash("the password of nobody"))

    def hash(self, password: Secret[str]) -> str:
        """Give a salted hash in PHC string form."""
        with self._turn():
            return self._hasher.hash(password.expose())

    def matches(self, stored: str | None, password: Secret[str]) -> bool:
        """Say whether `password` is the one; with None, take as long and say no (S22)."""
        with self._turn():
            try:
                self._hasher.verify(self._nobodys if stored is None else stored, password.expose())
            except (VerificationError, InvalidHashError):
                return False
        return stored is not None

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            detail = "Too many people sign in at this moment; try again in a few seconds."
            raise Limited("limit.requests", detail, retry_after=WAIT_SECONDS)
        try:
            yield
        finally:
            self._turns.release()
