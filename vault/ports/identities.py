"""Identities at a provider, the visits there, and the provider itself.

The stores work inside the unit's transaction, as in `vault.ports.store`; the provider never does: it crosses a network.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from vault.domain.identity import Claims, Identity, Visit


class IdentityStore(Protocol):
    """Which subject is whose."""

    def add(self, identity: Identity) -> None:
        """Keep a new one; `Conflict` identity.exists where the subject, or the person, is linked already."""
        ...

    def get(self, identity_id: str) -> Identity | None:
        """Find by id."""
        ...

    def find(self, issuer: str, subject: str) -> Identity | None:
        """Find the one that counts."""
        ...

    def of(self, person_id: str) -> tuple[Identity, ...]:
        """List a person's that count, oldest first."""
        ...

    def end(self, identity: Identity) -> None:
        """Write the end of one; one that has ended keeps its time."""
        ...


class VisitStore(Protocol):
    """Ways to the provider and back."""

    def add(self, visit: Visit) -> None:
        """Keep a new one, and forget those that are over."""
        ...

    def get(self, visit_id: str) -> Visit | None:
        """Find by the hash of its state."""
        ...

    def of_browser(self, browser_hash: str) -> Visit | None:
        """Find by the hash of the browser's cookie."""
        ...

    def claim(self, visit_id: str, at: datetime) -> bool:
        """Claim the answer; False where one was claimed before."""
        ...

    def answer(self, visit: Visit) -> None:
        """Write what the provider answered."""
        ...

    def use(self, visit_id: str, at: datetime) -> bool:
        """Use it up; False where it was before."""
        ...


@dataclass(frozen=True, slots=True)
class Redemption:
    """What came back with a browser, and what has to fit it."""

    code: str
    nonce: str
    verifier: str
    issuer: str | None
    """The `iss` beside the code (RFC 9207), if there was one."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """An answer that does not count, and why, in a few words of ours for the log."""

    why: str


class IdentityProvider(Protocol):
    """One OpenID provider. Both raise `Unavailable` identity.unavailable where it does not answer in bounded time."""

    @property
    def issuer(self) -> str:
        """Its name for ever."""
        ...

    def leave_for(self, state: str, nonce: str, verifier: str) -> str:
        """Give the address to send a browser to."""
        ...

    def redeem(self, came: Redemption, now: datetime) -> Claims | Rejected:
        """Give what the provider says of who came, if all of it is genuine."""
        ...
