"""Passkeys: added, removed, signed in with, and pressed for what a program asked for (S16, S22).

Decided here: a passkey is added and removed in the browser, with a factor that is fresh for exactly that; from the
first one on, codes prove nothing of that person. Removing the last one leads back to codes, and its entry says so.
Signing in takes no name: the authenticator says whose passkey it is, so nothing here tells who exists, and whatever
is wrong gets one answer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from vault.crypto.passkey import NotSignedError, Party, enrol, prepare
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import new_id
from vault.domain.passkey import (
    MOST,
    NAME_MAX,
    Confirmation,
    ConfirmationState,
    Passkey,
    Purpose,
    SecondFactor,
)
from vault.domain.person import PersonState
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, Unauthenticated, VaultError, not_found
from vault.services.assertions import NOBODY, Assertions, assertion_of, claim, whose
from vault.services.factors import Factors, refusal, suspect
from vault.services.gate import refuse
from vault.services.guessing import note_refusal, same_network
from vault.services.signin import Detail, SignedIn, SignIn, stranger

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor, Origin
    from vault.domain.event import Change
    from vault.domain.identity import Vouched
    from vault.domain.person import Person
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


@dataclass(frozen=True, slots=True)
class Offer:
    """What a browser needs to ask its authenticator: a ticket, who we are, and which passkeys are known."""

    ticket: str
    party: Party
    credentials: tuple[str, ...] = ()
    person: Person | None = None
    """Whom a new passkey is for."""


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Use cases on one's own passkeys."""

    units: Units
    factors: Factors
    signin: SignIn
    clock: Clock

    @property
    def party(self) -> Party:
        """Who we are to browsers."""
        return self._assertions.party

    def to_sign_in(self) -> Offer:
        """Begin to sign in: nothing is written, and nobody is named."""
        prepare()
        return Offer(self._assertions.ticket(Purpose.SIGN_IN, NOBODY, self.clock.now()), self.party)

    def to_confirm(self, actor: Actor) -> Offer:
        """Begin to confirm a request of this session by one of one's passkeys."""
        return self._offer(actor, Purpose.CONFIRM)

    def to_enrol(self, actor: Actor) -> Offer:
        """Begin to add a passkey; those that are known already are named, so that none is added twice."""
        with self.units.read() as unit:
            person = unit.people.get(actor.id)
        return replace(self._offer(actor, Purpose.ENROL), person=person)

    def of(self, actor: Actor) -> tuple[Passkey, ...]:
        """List one's own."""
        with self.units.read() as unit:
            return unit.passkeys.of(actor.id)

    def factor_of(self, actor: Actor) -> SecondFactor:
        """Say by what one proves oneself."""
        with self.units.read() as unit:
            return self.factors.kind_of(unit, actor.id)

    def add(self, actor: Actor, name: str, ticket: str, credential: str, otp: str) -> Passkey:
        """Add a passkey that the browser made for `ticket`; `credential` is its PublicKeyCredential as JSON.

        Raises `Invalid` input.invalid, `Conflict` passkey.exists or passkey.state, and what a factor raises.
        """
        now = self.clock.now()
        name = _named(name)
        with self.units.write() as unit:
            self._from_browser(unit, actor, now)
            made = self._made(actor, ticket, credential, name, now)
            before = unit.passkeys.of(actor.id)
            if len(before) >= MOST:
                detail = f"You have {MOST} passkeys; remove one that you do not use first."
                raise Conflict("passkey.state", detail)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            unit.passkeys.add(made)
            event = Event(
                EventType.PASSKEY_ADDED,
                actor,
                changes=changes(None, made),
                detail={**_told(made), "backed_up": made.backed_up, "first": not before},
                subject=f"person:{actor.id}",
            )
            unit.log.record(event, now)
            unit.commit()
        return made

    def remove(self, actor: Actor, passkey_id: str, otp: str) -> int:
        """Remove one of one's own, confirmed by one of them; give how many are left.

        After the last one codes count again: nobody else can do this for a person, and whoever only knows
        their codes cannot either. Raises `NotFound`, `Conflict` passkey.state, and what a factor raises.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            self._from_browser(unit, actor, now)
            mine = unit.passkeys.of(actor.id)
            found = next((each for each in mine if each.id == passkey_id), None)
            if found is None:
                raise not_found("passkey", passkey_id[:36])
            person = unit.people.get(actor.id)
            if len(mine) == 1 and (person is None or person.seed is None):
                detail = "This is your only second factor. Add another passkey first, then remove this one."
                raise Conflict("passkey.state", detail)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            told = _remove(unit, found, now)
            event = Event(
                EventType.PASSKEY_REMOVED,
                actor,
                changes=told,
                detail={**_told(found), "left": len(mine) - 1},
                subject=f"person:{actor.id}",
            )
            unit.log.record(event, now)
            unit.commit()
        return len(mine) - 1

    def sign_in(
        self, text: str, origin: Origin, *, agent: str = "", vouched: Vouched | None = None
    ) -> SignedIn:
        """Open a session for the person whose passkey signed; raise `Unauthenticated` auth.refused otherwise.

        `text` is as `Factors.check` takes it, for a ticket of `to_sign_in`, over the request of `origin`. With
        `vouched` it is the second step after a provider, and only that person's passkey does.
        """
        now = self.clock.now()
        try:
            good = self._assertions.check(text, Purpose.SIGN_IN, NOBODY, origin.asked, self._known, now)
        except NotSignedError as failure:
            self._refuse(origin, failure.why, now)
        actor = stranger(origin)
        with self.units.write() as unit:
            person = unit.people.get(good.passkey.person_id)
            still = unit.passkeys.by_credential(good.passkey.credential)
            if person is None or person.state is not PersonState.ACTIVE or still is None:
                against: str | None = "person"
            else:
                against = claim(unit, good, now)
                if against is None:
                    known: Detail = {"passkey": good.passkey.id}
                    return self.signin.admit(unit, person, origin, good.factor, agent, now, known, vouched)
            if against == "counter":
                refuse(unit, suspect(actor, good), _refused(), now)
        self._refuse(origin, against, now, good.passkey.person_id)

    def confirmation(self, actor: Actor, confirmation_id: str) -> Confirmation:
        """Read what waits for one's own passkey, or did."""
        with self.units.read() as unit:
            found = unit.passkeys.confirmation(confirmation_id)
        if found is None or found.person_id != actor.id:
            raise not_found("confirmation", confirmation_id[:36])
        return found

    def confirm(self, actor: Actor, confirmation_id: str, otp: str) -> Confirmation:
        """Confirm by passkey what a program of one's own asked for; it counts for that request, once.

        Raises `NotFound`, `Conflict` passkey.state, and what a factor raises.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            self._from_browser(unit, actor, now)
            found = unit.passkeys.confirmation(confirmation_id)
            if found is None or found.person_id != actor.id:
                raise not_found("confirmation", confirmation_id[:36])
            if found.state(now) is not ConfirmationState.WAITING:
                raise Conflict("passkey.state", f"This is {found.state(now)}; nothing is left to confirm.")
            actor = self.factors.check(
                unit, actor, otp, now, refusal(actor, found.account_id, found.checkout_id)
            )
            by = assertion_of(actor)
            if by is None or not unit.passkeys.confirm(found.id, by, now):
                raise Conflict("passkey.state", "This takes a passkey, once. Ask anew from the program.")
            event = Event(
                EventType.PASSKEY_CONFIRMED,
                actor,
                account_id=found.account_id,
                checkout_id=found.checkout_id,
                detail={
                    "confirmation": found.id,
                    "asked_for": f"{found.method} {found.path}"[:200],
                    "token": found.session,
                },
            )
            unit.log.record(event, now)
            unit.commit()
        return replace(found, confirmed_at=now, assertion_id=by)

    @property
    def _assertions(self) -> Assertions:
        return self.factors.assertions

    def _offer(self, actor: Actor, purpose: Purpose) -> Offer:
        prepare()
        ticket = self._assertions.ticket(purpose, whose(actor), self.clock.now())
        return Offer(ticket, self.party, tuple(each.credential for each in self.of(actor)))

    def _known(self, credential: str) -> Passkey | None:
        with self.units.read() as unit:
            return unit.passkeys.by_credential(credential)

    def _made(self, actor: Actor, ticket: str, credential: str, name: str, now: datetime) -> Passkey:
        try:
            if not self.party.is_usable:
                raise NotSignedError("party")  # noqa: TRY301 - one answer to whatever cannot be enrolled
            self._assertions.check_ticket(ticket, Purpose.ENROL, whose(actor), now)
            made = enrol(self.party, ticket, credential)
        except NotSignedError as failure:
            words = (
                f"The browser's answer cannot be accepted ({failure.why}). Load the page again and repeat it."
            )
            place = FieldError("/credential", words)
            raise Invalid("input.invalid", words, errors=(place,)) from None
        return Passkey(
            id=new_id(),
            person_id=actor.id,
            credential=made.credential,
            public_key=made.public_key,
            sign_count=made.sign_count,
            name=name,
            backed_up=made.backed_up,
            created_at=now,
        )

    def _from_browser(self, unit: Unit, actor: Actor, now: datetime) -> None:
        if not actor.origin.browser:
            detail = "Passkeys are for the browser. Sign in there and repeat it."
            event = Event(EventType.ACCESS_DENIED, actor, rule="S23", detail={"asked_for": "passkeys"})
            refuse(unit, event, Forbidden("policy.denied", detail, rule="S23"), now)

    def _refuse(self, origin: Origin, why: str | None, now: datetime, person_id: str = "") -> NoReturn:
        error = _refused()
        detail: Detail = {"code": error.code, "by": "passkey", "why": why}
        detail |= {"person": person_id} if person_id else {}
        event = Event(EventType.SIGN_IN_REFUSED, stranger(origin), Result.FAILED, detail=detail)
        with self.units.write() as unit:
            note_refusal(unit, event, same_network(origin.ip), now)
            unit.commit()
        raise error


def forget_all(unit: Unit, person_id: str, now: datetime) -> tuple[Change, ...]:
    """Let all passkeys of a person count no more, where they lost them or left; give what the entry tells."""
    return tuple(change for each in unit.passkeys.of(person_id) for change in _remove(unit, each, now))


def _remove(unit: Unit, passkey: Passkey, now: datetime) -> tuple[Change, ...]:
    unit.passkeys.remove(passkey.id, now)
    return changes(passkey, replace(passkey, removed_at=now))


def _named(name: str) -> str:
    words = name.strip()
    if not 1 <= len(words) <= NAME_MAX or not words.isprintable():
        place = FieldError("/name", f"Give the passkey a name of at most {NAME_MAX} characters.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    return words


def _told(passkey: Passkey) -> dict[str, str | int | bool | None]:
    return {"person": passkey.person_id, "passkey": passkey.id, "name": passkey.name}


def _refused() -> VaultError:
    return Unauthenticated(
        "auth.refused", "This passkey does not sign in here. Try again, or sign in with password and code."
    )
