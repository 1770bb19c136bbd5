"""The store of passkeys. As in `vault.ports.store`, every method works inside the unit's transaction."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.passkey import Assertion, Confirmation, Passkey


class PasskeyStore(Protocol):
    """People's passkeys, what they signed, and what waits for a signature."""

    def add(self, passkey: Passkey) -> None:
        """Keep a new one; `Conflict` passkey.exists where the authenticator's name for it is taken."""
        ...

    def of(self, person_id: str) -> tuple[Passkey, ...]:
        """List those of a person that were not removed, oldest first."""
        ...

    def by_credential(self, credential: str) -> Passkey | None:
        """Find by the authenticator's own name for it, unless it was removed."""
        ...

    def remove(self, passkey_id: str, at: datetime) -> None:
        """Let it count no more."""
        ...

    def claim(self, assertion: Assertion) -> bool:
        """Keep a signature as used; False where it was used before, also by who asks at the same moment."""
        ...

    def count(self, passkey_id: str, sign_count: int, at: datetime) -> bool:
        """Remember the counter and the use; False where the counter did not go up although it counts."""
        ...

    def ask(self, confirmation: Confirmation) -> None:
        """Keep what waits for its person."""
        ...

    def confirmation(self, confirmation_id: str) -> Confirmation | None:
        """Find by id."""
        ...

    def waiting(self, session: str, request_mac: str, now: datetime) -> Confirmation | None:
        """Find the one of this token for this request that may still be confirmed or used."""
        ...

    def confirm(self, confirmation_id: str, assertion_id: str, at: datetime) -> bool:
        """Write that it was confirmed; False where it was before."""
        ...

    def use(self, confirmation_id: str, at: datetime) -> bool:
        """Use it up; False where it was before, also by who asks at the same moment."""
        ...
