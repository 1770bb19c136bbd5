"""People, their grants of power, sessions, API tokens and delays against guessing.

Decided here: when a grant is in force, when a session or token has ended, and how long a wrong guess
delays the next. Secrets of people are here only as hashes or sealed bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_address, ip_network
from typing import Final

from vault.domain.actor import Power, Role, Scope


class PersonState(StrEnum):
    """Where a person stands."""

    INVITED = "invited"
    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Person:
    """One human being. `seed` is their OTP seed, sealed under the server's local key (rule 13).

    `last_step` is the last OTP time step that was accepted (S15). `next_seed` is the seed of an enrolment after a
    recovery that is not complete: until it is, the one before counts. `link_by` is who made the latest enrolment link.
    """

    id: str
    email: str
    name: str
    state: PersonState
    created_at: datetime
    password_hash: str | None = None
    seed: bytes | None = None
    last_step: int = -1
    enrolment_hash: str | None = None
    enrolment_until: datetime | None = None
    next_seed: bytes | None = None
    link_by: str | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """A role within a scope; in force once a second administrator confirmed it, until removed."""

    id: str
    person_id: str
    role: Role
    scope: Scope
    proposed_by: str
    proposed_at: datetime
    confirmed_by: str | None = None
    effective_at: datetime | None = None
    removed_at: datetime | None = None
    ends_at: datetime | None = None
    """When it ends by itself, for an auditor who comes for a time; None: never."""

    def in_force(self, now: datetime) -> bool:
        """Say whether the grant gives power at `now`."""
        begun = self.effective_at is not None and self.effective_at <= now
        return begun and self.removed_at is None and not self.ended(now)

    def ended(self, now: datetime) -> bool:
        """Say whether the time it was given for is over at `now`."""
        return self.ends_at is not None and self.ends_at <= now


def powers(
    grants: tuple[Grant, ...], now: datetime, withheld: frozenset[str] = frozenset()
) -> tuple[Power, ...]:
    """Give the powers in force at `now`, without those of roles that are withheld."""
    return tuple(
        Power(grant.role, grant.scope)
        for grant in grants
        if grant.in_force(now) and grant.role.value not in withheld
    )


@dataclass(frozen=True, slots=True)
class Session:
    """A browser's sign-in, kept on the server (S17); `id` is public, the cookie's token is only hashed."""

    id: str
    token_hash: str
    person_id: str
    created_at: datetime
    seen_at: datetime
    ip: str
    agent: str
    mfa: str
    ended_at: datetime | None = None
    issuer: str = ""
    """The provider that vouched for the person in place of a password; empty for a password."""
    withheld: frozenset[str] = frozenset()
    """Roles that the provider's groups did not let be used."""

    def alive(self, now: datetime, idle: timedelta, longest: timedelta) -> bool:
        """Say whether the session still counts: not ended, not idle too long, not too old (U3)."""
        return self.ended_at is None and now - self.seen_at < idle and now - self.created_at < longest


class TokenState(StrEnum):
    """Where a token stands at a moment; computed, never stored."""

    WAITING = "waiting"
    """For a second administrator."""
    HELD = "held"
    """Agreed to; counts when the hold is over."""
    IN_FORCE = "in_force"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Token:
    """An API token, a person's (acting with their powers) or a machine's (with its own scopes) (S23).

    `addresses` are the networks it counts from; none means all. `withheld` are the roles that the session it was
    made in could not use. `effective_at` is None while it waits for a second administrator.
    """

    id: str
    token_hash: str
    name: str
    person_id: str | None
    permissions: frozenset[str]
    scope: Scope
    created_by: str
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    revoked_at: datetime | None = None
    effective_at: datetime | None = None
    addresses: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    used_from: str = ""

    def alive(self, now: datetime) -> bool:
        """Say whether the token counts."""
        return self.state(now) is TokenState.IN_FORCE

    def state(self, now: datetime) -> TokenState:
        """Say where it stands at `now`."""
        if self.revoked_at is not None:
            return TokenState.REVOKED
        if now >= self.expires_at:
            return TokenState.EXPIRED
        if self.effective_at is None:
            return TokenState.WAITING
        return TokenState.IN_FORCE if self.effective_at <= now else TokenState.HELD

    def counts_from(self, ip: str) -> bool:
        """Say whether it counts from this address; an address that is not known is none of those allowed."""
        if not self.addresses:
            return True
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        return any(address in ip_network(network) for network in self.addresses)


FREE_FAILURES: Final = 5
LONGEST_DELAY: Final = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Guesses:
    """Failures in a row for one subject: a person from a network, or from a device that is known (S15)."""

    subject: str
    failures: int
    last_at: datetime

    def wait(self, now: datetime) -> int:
        """Give the seconds before the next try is looked at: 2^n after five failures, 15 min at most."""
        if self.failures < FREE_FAILURES:
            return 0
        delay = min(timedelta(seconds=2 ** min(self.failures - FREE_FAILURES + 1, 20)), LONGEST_DELAY)
        left = (self.last_at + delay - now).total_seconds()
        return max(0, int(left) + (left > int(left)))
