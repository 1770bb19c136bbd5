"""Passkeys: keys of people's authenticators, what they sign, and what waits in the browser for a signature (S16).

Decided here: how long a challenge and a confirmation count, and when a confirmation is open. A passkey is a public
key: nothing here is secret. Never decided here: whether a signature is good (`crypto/passkey`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

CHALLENGE_LASTS: Final = timedelta(minutes=2)
CONFIRMATION_LASTS: Final = timedelta(minutes=5)
MOST: Final = 10
"""Passkeys of one person."""
NAME_MAX: Final = 60


class Purpose(StrEnum):
    """What a challenge is for; an answer to one of another purpose is not looked at."""

    SIGN_IN = "sign-in"
    CONFIRM = "confirm"
    ENROL = "enrol"


class SecondFactor(StrEnum):
    """What proves a person a second time; there is no way from a passkey down to codes."""

    CODE = "code"
    PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of one person.

    `credential` is the authenticator's own name for it, in base64url without padding; `public_key` a COSE key
    (RFC 9052); `sign_count` the highest counter that was seen, 0 where the authenticator does not count.
    """

    id: str
    person_id: str
    credential: str
    public_key: bytes
    sign_count: int
    name: str
    backed_up: bool
    created_at: datetime
    used_at: datetime | None = None
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assertion:
    """One signature of a passkey that was accepted; `id` stands in the entries of what rests on it.

    `request_mac` is the keyed hash of the request that was signed: a plain hash would let a reader of the
    database try values that the request held.
    """

    id: str
    person_id: str
    passkey_id: str
    session: str
    request_mac: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What a program of a person's asked for, until they confirm it in the browser by a passkey.

    `session` is the id of the program's token; `content` the request's fields as JSON, secrets left out;
    `assertion_id` what confirmed it.
    """

    id: str
    person_id: str
    session: str
    request_mac: str
    method: str
    path: str
    content: str
    account_id: str | None
    checkout_id: str | None
    asked_at: datetime
    expires_at: datetime
    confirmed_at: datetime | None = None
    assertion_id: str | None = None
    used_at: datetime | None = None

    def state(self, now: datetime) -> ConfirmationState:
        """Say where it stands at `now`."""
        if self.used_at is not None:
            return ConfirmationState.USED
        if now >= self.expires_at:
            return ConfirmationState.ENDED
        return ConfirmationState.WAITING if self.confirmed_at is None else ConfirmationState.CONFIRMED


class ConfirmationState(StrEnum):
    """Where a confirmation stands at a moment; computed, never stored."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    """Good for the one request, once."""
    USED = "used"
    ENDED = "ended"
    """By time."""
