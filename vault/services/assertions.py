"""What passkeys sign: tickets that are handed out, and signatures that count once, for one request (S16).

Decided here: a challenge is made of a ticket and of the hash of exactly the request it confirms. A ticket is a random
number with its end, and a MAC over these, its purpose, the person and the session it was given to: nothing is
written when one is handed out, and one that came from elsewhere is not ours. What is written is its use: the row of
the signature, whose id is the ticket's number, in the transaction of the act that rests on it. So it counts once.
"""

from __future__ import annotations

import hashlib
import hmac
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.crypto import passkey as signed
from vault.domain.ids import new_id
from vault.domain.passkey import CHALLENGE_LASTS, Assertion, Passkey, Purpose

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vault.crypto.local import ServerKey
    from vault.domain.actor import Actor, Asked
    from vault.ports.store import Unit

TICKET_PURPOSE: Final = "passkey.ticket"
REQUEST_PURPOSE: Final = "passkey.request"
NOBODY: Final = ("", "")
"""Person and session of a ticket for signing in."""


@dataclass(frozen=True, slots=True)
class Good:
    """A signature that was checked, and the passkey that made it; nothing is claimed yet."""

    passkey: Passkey
    assertion: Assertion
    sign_count: int

    @property
    def factor(self) -> str:
        """How entries name it: the beginning of the credential's id, and the assertion's id."""
        return f"passkey:{self.passkey.credential[:12]}:{self.assertion.id}"


@dataclass(frozen=True, slots=True)
class Assertions:
    """Hands out tickets and checks what comes back."""

    server_key: ServerKey
    party: signed.Party

    def ticket(self, purpose: Purpose, whose: tuple[str, str], now: datetime) -> str:
        """Make a ticket for a person's id and their session's (`NOBODY` to sign in)."""
        number = f"{int((now + CHALLENGE_LASTS).timestamp()):x}.{new_id()}"
        return f"{number}.{self._mac(purpose, whose, number)}"

    def check_ticket(self, ticket: str, purpose: Purpose, whose: tuple[str, str], now: datetime) -> str:
        """Give the number of a ticket of ours that still counts; else raise `NotSignedError`."""
        number, _, mac = ticket.rpartition(".")
        if not hmac.compare_digest(
            self._mac(purpose, whose, number).encode(), mac.encode("utf-8", "replace")
        ):
            raise signed.NotSignedError("ticket")
        until, _, drawn = number.partition(".")
        if now.timestamp() >= int(until, 16):
            raise signed.NotSignedError("late")
        return str(uuid.UUID(drawn))

    def check(
        self,
        text: str,
        purpose: Purpose,
        origin: tuple[str, str],
        asked: Asked | None,
        find: Callable[[str], Passkey | None],
        now: datetime,
    ) -> Good:
        """Check what came in place of a code; `find` gives the passkey of a credential's id, where it may be used.

        `origin` is the person and session that the ticket was for. Raises `NotSignedError`.
        """
        presented = signed.read(text)
        number = self.check_ticket(presented.ticket, purpose, origin, now)
        passkey = find(presented.credential)
        if passkey is None:
            raise signed.NotSignedError("credential")
        # a passkey that signs in says whose it is; where it is known who asks, it may stay silent (section 7.2)
        if presented.user != passkey.person_id and (presented.user is not None or purpose is Purpose.SIGN_IN):
            raise signed.NotSignedError("user")
        if asked is None:
            raise signed.NotSignedError("request")
        counted = signed.verify(self.party, presented, asked.digest, passkey.public_key)
        session = origin[1]
        mac = self.request_mac(asked)
        return Good(passkey, Assertion(number, passkey.person_id, passkey.id, session, mac, now), counted)

    def request_mac(self, asked: Asked) -> str:
        """Give what is kept of a request's hash: a plain one would let a reader try values that it held."""
        return self.server_key.mac(REQUEST_PURPOSE, asked.digest).hex()

    def _mac(self, purpose: Purpose, whose: tuple[str, str], number: str) -> str:
        parts = (purpose, *whose, number)
        data = b"".join(hashlib.sha256(part.encode("utf-8", "replace")).digest() for part in parts)
        return self.server_key.mac(TICKET_PURPOSE, data).hex()


def claim(unit: Unit, good: Good, now: datetime) -> str | None:
    """Use a signature up and remember its counter; give what stood against it: "used", "counter" or None."""
    if not unit.passkeys.claim(good.assertion):
        return "used"
    return None if unit.passkeys.count(good.passkey.id, good.sign_count, now) else "counter"


def whose(actor: Actor) -> tuple[str, str]:
    """Give for whom a ticket within a session is: the person and their session or token."""
    return actor.id, actor.origin.session


def assertion_of(actor: Actor) -> str | None:
    """Give the id of the signature that an act rests on; None where it rests on something else."""
    kind, _, number = actor.origin.mfa.rpartition(":")
    return number if kind.startswith("passkey:") else None
