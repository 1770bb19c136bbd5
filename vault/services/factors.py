"""The second factor of a person, fresh for one act: an OTP works once, and guessing gets slow.

Decided here: the order of the checks. A refusal is recorded with its count and committed; the claim of
a time step is part of the act's own transaction, so a step is used exactly when something was done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.crypto import totp
from vault.domain.event import Event, EventType, Result
from vault.domain.person import PersonState
from vault.errors import Conflict, Forbidden, Limited, Unauthenticated
from vault.services.gate import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from vault.crypto.local import ServerKey
    from vault.domain.actor import Actor
    from vault.domain.person import Person
    from vault.ports.store import Unit

SEED_PURPOSE: Final = "person.otp"


@dataclass(frozen=True, slots=True)
class Factors:
    """Checks one-time passwords against seeds that are sealed under the server's local key (rule 13)."""

    server_key: ServerKey

    def check(self, unit: Unit, actor: Actor, otp: str, now: datetime, event: Event) -> Actor:
        """Claim the time step of a good `otp`; else record `event` as refused and raise.

        Gives the actor as the act's own entries name them: with a factor.

        Raises `Limited` auth.delayed, `Conflict` otp.used (with the seconds to the next step),
        `Unauthenticated` auth.refused, `Forbidden` for whoever has no factor (machines).
        """
        person = unit.people.get(actor.id)
        if person is None or person.seed is None or person.state is not PersonState.ACTIVE:
            error = Forbidden("policy.denied", "Only a person with a second factor can do this.", rule="S16")
            refuse(unit, event, error, now)
        subject = f"factor:{actor.id}:{actor.origin.session}"
        guesses = unit.guesses.get(subject)
        wait = 0 if guesses is None else guesses.wait(now)
        if wait:
            detail = f"Too many wrong codes. Try again in {wait} seconds."
            refuse(unit, event, Limited("auth.delayed", detail, retry_after=wait), now)
        step = self.step(person, otp, now)
        if step is None:
            unit.guesses.fail(subject, now)
            wrong = Unauthenticated(
                "auth.refused", "The code is not right. Take the present one from your device."
            )
            refuse(unit, _failed(event), wrong, now)
        if not unit.people.claim_step(person.id, step):
            refuse(unit, event, used(step, now), now)
        unit.guesses.clear(subject)
        return actor.with_factor()

    def step(self, person: Person, otp: str, now: datetime) -> int | None:
        """Give the time step whose code `otp` is, within one step of `now`; claims nothing."""
        if person.seed is None:
            return None
        seed = totp.Seed(self.server_key.open(SEED_PURPOSE, person.id, person.seed))
        return totp.matching_step(seed, otp, now)


def used(step: int, now: datetime) -> Conflict:
    """Say that a time step's code was used, and when there is a next one (S15)."""
    wait = max(1, int((totp.step_end(max(step, totp.step_of(now))) - now).total_seconds()) + 1)
    detail = f"This code was used before. Wait for the next one, {wait} seconds from now."
    return Conflict("otp.used", detail, retry_after=wait)


def refusal(actor: Actor, account_id: str | None = None, checkout_id: str | None = None) -> Event:
    """Make the entry that a refused factor leaves."""
    return Event(
        EventType.STEP_UP_REFUSED, actor, Result.DENIED, account_id=account_id, checkout_id=checkout_id
    )


def _failed(event: Event) -> Event:
    return Event(
        event.type, event.actor, Result.FAILED, account_id=event.account_id, checkout_id=event.checkout_id
    )
