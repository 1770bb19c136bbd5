"""Enrolment: by a link that works once, a person sets their password and second factor.

Decided here: the link is 256 random bits, kept hashed, good for a set time and until it was used. The seed
is made at the first look and shown, the same, until enrolment is complete; it is sealed in between. A
password is weighed before it is hashed, and the code that completes the enrolment is used up by it. Who recovers gets
a seed beside the one they had, which counts until the new one is proven. A role that others agreed to before its
person enrolled counts for nothing: whoever held the link could be that person (S19).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from vault.crypto import totp
from vault.crypto.password import login_weaknesses
from vault.domain.actor import Actor, ActorKind, Origin, system_actor
from vault.domain.event import Event, EventType, Result
from vault.domain.person import Person, PersonState
from vault.domain.secret import Secret
from vault.domain.told import changes, every_session, every_token
from vault.errors import FieldError, Invalid, Unauthenticated
from vault.services.factors import SEED_PURPOSE, Factors, missing, used
from vault.services.gate import refuse
from vault.services.granting import removed
from vault.services.guessing import reserve, too_early
from vault.services.links import link_hash
from vault.services.passkeys import forget_all
from vault.services.recovery import end_recoveries, in_force
from vault.services.sight import standing
from vault.services.signin import stranger

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.passwords import Passwords
    from vault.ports.store import Unit, Units

ISSUER: Final = "Root vault"
Fact: TypeAlias = "str | int | bool | None"
INIT_ID: Final = system_actor("init").id


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
            # looked up again under the row: whoever is shut out, or gets another link, at this moment stays so
            unit.people.lock(self._invited(unit, link, now).id)
            person = self._invited(unit, link, now)
            kept = _seed(person)
            if kept is None:
                seed = totp.generate_seed()
                sealed = self.factors.server_key.seal(SEED_PURPOSE, person.id, seed.secret)
                unit.people.update(_with_seed(person, sealed))
            else:
                seed = totp.Seed(self.factors.server_key.open(SEED_PURPOSE, person.id, kept))
            looker = stranger(origin)
            unit.log.record(Event(EventType.ENROLMENT_OPENED, looker, detail={"person": person.id}), now)
            unit.commit()
        return Enrolling(person, seed.secret, totp.provisioning_uri(seed, ISSUER, person.email))

    def complete(self, link: Secret[str], password: Secret[str], otp: str, origin: Origin) -> Person:
        """Set password and second factor; the link is used up.

        After a recovery, all sessions, tokens and passkeys of the person end with it, and so does the recovery.

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
            # a recovery's row before its person's, in the order of whoever ends it at this moment
            found = in_force(unit, person.id, now)
            if found is not None:
                unit.proposals.lock(found.id)
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
                seed=_seed(person),
                next_seed=None,
                enrolment_hash=None,
                enrolment_until=None,
            )
            unit.people.update(enrolled)
            self._tell(unit, actor, person, enrolled, now)
            unit.commit()
        return enrolled

    def _tell(self, unit: Unit, actor: Actor, before: Person, now_: Person, now: datetime) -> None:
        told, detail = changes(before, now_), dict[str, Fact](person=now_.id)
        if before.state is PersonState.INVITED:
            _take_back(unit, actor, now_.id, now)
        else:
            detail["recovered"] = True
            detail["sessions"] = unit.sessions.end_all(now_.id, now)
            detail["tokens"] = unit.tokens.revoke_all(now_.id, now)
            forgotten = forget_all(unit, now_.id, now)
            detail["passkeys"] = len(forgotten)
            told += (every_session(now_.id), every_token(now_.id), *forgotten)
            end_recoveries(unit, actor, now_.id, now, "the person enrolled again by it")
        unit.log.record(Event(EventType.PERSON_ENROLLED, actor, changes=told, detail=detail), now)

    def _step(self, unit: Unit, actor: Actor, person: Person, otp: str, now: datetime) -> int:
        if not otp.strip():
            raise missing()
        refused = Event(EventType.STEP_UP_REFUSED, actor, Result.FAILED, detail={"at": "enrolment"})
        subject = f"enrolment:{person.id}"
        wait = reserve(unit, subject, now)
        if wait:
            raise too_early(wait, "wrong codes")
        step = self.factors.step(replace(person, seed=_seed(person)), otp, now)
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
            or person.enrolment_until is None
            or now >= person.enrolment_until
            or (person.state is not PersonState.INVITED and in_force(unit, person.id, now) is None)
        ):
            detail = "This link is not known, was used, or has ended. Ask an administrator for a new one."
            raise Unauthenticated("auth.enrolment_invalid", detail)
        return person


def _seed(person: Person) -> bytes | None:
    """Give the sealed seed that this enrolment is about."""
    return person.seed if person.state is PersonState.INVITED else person.next_seed


def _with_seed(person: Person, sealed: bytes) -> Person:
    if person.state is PersonState.INVITED:
        return replace(person, seed=sealed)
    return replace(person, next_seed=sealed)


def _take_back(unit: Unit, actor: Actor, person_id: str, now: datetime) -> None:
    """Take away what was confirmed too early, as an older version of this program allowed; `init`'s stays."""
    for grant in standing(unit, person_id):
        if grant.confirmed_by is not None and grant.confirmed_by != INIT_ID:
            gone = replace(grant, removed_at=now)
            unit.people.update_grant(gone)
            unit.log.record(removed(actor, grant, gone), now)
