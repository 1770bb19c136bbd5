"""Stores of people: their grants, sessions, tokens, and their failures to prove who they are.

As in `vault.ports.store`, every method works inside the unit's transaction.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from vault.domain.actor import EVERYTHING, Reach, Role
from vault.domain.person import Grant, Guesses, Person, Session, Token
from vault.ports.records import Page, Slice


class PersonStore(Protocol):
    """People and their grants."""

    def add(self, person: Person) -> None:
        """Keep a new one; `Conflict` person.exists where the e-mail is taken."""
        ...

    def get(self, person_id: str) -> Person | None:
        """Find by id."""
        ...

    def lock(self, person_id: str) -> Person | None:
        """Find by id and hold the row until the unit ends."""
        ...

    def by_email(self, email: str) -> Person | None:
        """Find by e-mail, whatever its case."""
        ...

    def by_enrolment(self, enrolment_hash: str) -> Person | None:
        """Find by the hash of an enrolment link's token."""
        ...

    def update(self, person: Person) -> None:
        """Write all fields but the last step."""
        ...

    def claim_step(self, person_id: str, step: int) -> bool:
        """Claim an OTP time step; False where it, or a later one, was claimed before (S15)."""
        ...

    def page(self, part: Slice, reach: Reach = EVERYTHING, reader: str = "") -> Page[Person]:
        """List by e-mail: with a limited `reach` who has a role within it, and whom `reader` is or invited."""
        ...

    def add_grant(self, grant: Grant) -> None:
        """Keep a proposed grant."""
        ...

    def get_grant(self, grant_id: str) -> Grant | None:
        """Find a grant."""
        ...

    def lock_grant(self, grant_id: str) -> Grant | None:
        """Find a grant and hold its row until the unit ends."""
        ...

    def update_grant(self, grant: Grant) -> None:
        """Write a grant's confirmation or removal."""
        ...

    def grants(self, person_id: str) -> tuple[Grant, ...]:
        """List a person's, oldest first, also removed ones."""
        ...

    def holders(self, roles: frozenset[Role], now: datetime) -> tuple[tuple[Person, Grant], ...]:
        """List active people with each grant in force of one of `roles`."""
        ...

    def waiting(self, limit: int) -> tuple[tuple[Person, Grant], ...]:
        """List proposed grants of active people that nobody agreed to yet, the newest first."""
        ...


class SessionStore(Protocol):
    """Browser sessions."""

    def add(self, session: Session) -> None:
        """Keep a new one."""
        ...

    def find(self, token_hash: str) -> tuple[Session, Person, tuple[Grant, ...]] | None:
        """Find by the hash of the cookie's token, with the person and their grants."""
        ...

    def touch(self, session_id: str, at: datetime) -> None:
        """Remember activity."""
        ...

    def end(self, session_id: str, at: datetime) -> None:
        """End one."""
        ...

    def end_all(self, person_id: str, at: datetime) -> int:
        """End all of a person; give how many."""
        ...

    def has_ended(self, session_id: str) -> bool:
        """Say whether one was ended: signed out, or shut out."""
        ...

    def of(self, person_id: str) -> tuple[Session, ...]:
        """List those not ended, newest first."""
        ...


class TokenStore(Protocol):
    """API tokens."""

    def add(self, token: Token) -> None:
        """Keep a new one."""
        ...

    def get(self, token_id: str) -> Token | None:
        """Find by id."""
        ...

    def find(self, token_hash: str) -> tuple[Token, Person | None, tuple[Grant, ...]] | None:
        """Find by hash, with the person it belongs to and their grants."""
        ...

    def touch(self, token_id: str, at: datetime, ip: str) -> None:
        """Remember use, and from where."""
        ...

    def update(self, token: Token) -> None:
        """Write from when it counts, and a revocation; one that is revoked stays as it is."""
        ...

    def revoke_all(self, person_id: str, at: datetime) -> int:
        """Revoke all of a person; give how many."""
        ...

    def machines_of(self, maker_id: str, now: datetime) -> tuple[Token, ...]:
        """List the machines' tokens that count at `now` and that one person made, newest first."""
        ...

    def page(
        self, person_id: str | None, part: Slice, reach: Reach = EVERYTHING, *, machines: bool = False
    ) -> Page[Token]:
        """List newest first, one person's, or all within `reach`: machines' scopes, and people's roles.

        With `machines`, only theirs.
        """
        ...


class GuessStore(Protocol):
    """Failures in a row (S15)."""

    def get(self, subject: str) -> Guesses | None:
        """Find a subject's."""
        ...

    def fail(self, subject: str, at: datetime) -> Guesses:
        """Count one more; a day without failures starts anew."""
        ...

    def clear(self, subject: str) -> None:
        """Forget them."""
        ...

    def has_old(self, now: datetime) -> bool:
        """Say whether there are any that count no more."""
        ...

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget at most `limit` that count no more, the oldest first; give how many."""
        ...
