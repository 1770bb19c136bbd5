"""Enrolment: by a link that works once, a person sets their password and second factor.

Decided here: the link is 256 random bits, kept hashed, good for a set time and until it was used. The seed
is made at the first look and shown, the same, until enrolment is complete; it is sealed in between. A
password is weighed before it is hashed, and the code that completes the enrolment is used up by it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.crypto import chance, totp
from vault.crypto.password import login_weaknesses
from vault.domain.actor import Actor, ActorKind, Origin
from vault.domain.event import Event, EventType, Result
from vault.domain.person import Person, PersonState
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import FieldError, Invalid, Limited, Unauthenticated
from vault.services.factors import SEED_PURPOSE, Factors, used
from vault.services.gate import refuse
from vault.services.guessing import reserve
from vault.services.signin import stranger

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.passwords import Passwords
    from vault.ports.store import Unit, Units

ISSUER: Final = "Root vault"


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A fresh enrolment link's token, what is kept of it, and until when it is good."""

    token: Secret[str]
    hash: str
    until: datetime


@dataclass(frozen=True, slots=True, eq=False)
class Enrolling:
    """Who enrols, and the seed for their authenticator: as characters, and as the URI of a QR code."""

    person: Person
    seed: Secret[str]
    uri: Secret[str]


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Use cases of whoever holds an enrolment link."""

    units: Units
    factors: Factors
    passwords: Passwords
    clock: Clock

    def begin(self, link: Secret[str], origin: Origin) -> Enrolling:
        """Show the seed to enrol with; raise `Unauthenticated` auth.enrolment_invalid for a dead link.

        Whoever looks first sees the seed that the person will use: so each look is an entry, with its address.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            person = self._invited(unit, link, now)
            if person.seed is None:
                seed = totp.generate_seed()
                sealed = self.factors.server_key.seal(SEED_PURPOSE, person.id, seed.secret)
                person = replace(person, seed=sealed)
                unit.people.update(person)
            else:
                seed = totp.Seed(self.factors.server_key.open(SEED_PURPOSE, person.id, person.seed))
            looker = stranger(origin)
            unit.log.record(Event(EventType.ENROLMENT_OPENED, looker, detail={"person": person.id}), now)
            unit.commit()
        return Enrolling(person, seed.secret, totp.provisioning_uri(seed, ISSUER, person.email))

    def complete(self, link: Secret[str], password: Secret[str], otp: str, origin: Origin) -> Person:
        """Set password and second factor; the link is used up.

        Raises `Unauthenticated` auth.enrolment_invalid or auth.refused (the code), `Conflict` otp.used,
        `Invalid` password.weak naming each rule.
        """
        now = self.clock.now()
        with self.units.read() as unit:
            person = self._invited(unit, link, now)
        weak = login_weaknesses(password, email=person.email)
        if weak:
            errors = tuple(FieldError("/password", words) for words in weak)
            raise Invalid("password.weak", " ".join(weak), errors=errors)
        hashed = self.passwords.hash(password)
        actor = Actor(ActorKind.PERSON, person.id, person.name, origin=origin)
        with self.units.write() as unit:
            step = self._step(unit, actor, person, otp, now)
            refused = Event(EventType.STEP_UP_REFUSED, actor, detail={"at": "enrolment"})
            if not unit.people.claim_step(person.id, step):
                refuse(unit, refused, used(step, now), now)
            # looked up again under the row that the claim holds: a link works once
            person = self._invited(unit, link, now)
            enrolled = replace(
                person,
                state=PersonState.ACTIVE,
                password_hash=hashed,
                enrolment_hash=None,
                enrolment_until=None,
            )
            unit.people.update(enrolled)
            told = changes(person, enrolled)
            event = Event(EventType.PERSON_ENROLLED, actor, changes=told, detail={"person": person.id})
            unit.log.record(event, now)
            unit.commit()
        return enrolled

    def _step(self, unit: Unit, actor: Actor, person: Person, otp: str, now: datetime) -> int:
        refused = Event(EventType.STEP_UP_REFUSED, actor, Result.FAILED, detail={"at": "enrolment"})
        subject = f"enrolment:{person.id}"
        wait = reserve(unit, subject, now)
        if wait:
            raise Limited(
                "auth.delayed", f"Too many wrong codes. Try again in {wait} seconds.", retry_after=wait
            )
        step = self.factors.step(person, otp, now)
        if step is None:
            detail = (
                "The code is not right. Check that the device's clock is right, and take the present code."
            )
            refuse(unit, refused, Unauthenticated("auth.refused", detail), now)
        unit.guesses.clear(subject)
        return step

    def _invited(self, unit: Unit, link: Secret[str], now: datetime) -> Person:
        person = unit.people.by_enrolment(link_hash(link))
        if (
            person is None
            or person.state is not PersonState.INVITED
            or person.enrolment_until is None
            or now >= person.enrolment_until
        ):
            detail = "This link is not known, was used, or has ended. Ask an administrator for a new one."
            raise Unauthenticated("auth.enrolment_invalid", detail)
        return person


def new_link(now: datetime, lasts: timedelta) -> Link:
    """Make a link's token."""
    token = chance.token_text()
    return Link(token, link_hash(token), now + lasts)


def link_hash(link: Secret[str]) -> str:
    """Give what is kept of a link's token: 256 random bits need no slow hash."""
    return hashlib.sha256(link.expose().encode("utf-8", "replace")).hexdigest()
