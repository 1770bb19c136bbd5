"""The second factor of a person, fresh for one act: it works once, and guessing gets slow.

Decided here: the order of the checks, and that a passkey leaves no way down: whoever has one is not believed a code.
A refusal is recorded with its count and committed; the claim of a time step or of a signature is part of the act's
own transaction, so it is used exactly when something was done. A program cannot press a passkey: what it asked for is
kept for its person, who confirms exactly that in the browser, and counts for that request once.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

from vault.crypto import totp
from vault.crypto.passkey import PREFIX, NotSignedError
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import new_id
from vault.domain.passkey import CONFIRMATION_LASTS, Confirmation, ConfirmationState, Purpose, SecondFactor
from vault.domain.person import PersonState
from vault.errors import Conflict, FieldError, Forbidden, Invalid, Unauthenticated
from vault.services.assertions import claim, whose
from vault.services.gate import refuse
from vault.services.guessing import too_early

if TYPE_CHECKING:
    from datetime import datetime

    from vault.crypto.local import ServerKey
    from vault.domain.actor import Actor
    from vault.domain.passkey import Passkey
    from vault.domain.person import Person
    from vault.ports.store import Unit
    from vault.services.assertions import Assertions, Good

SEED_PURPOSE: Final = "person.otp"
CONFIRM_PAGE: Final = "/confirmations/"
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Factors:
    """Checks codes against seeds that are sealed under the server's local key (rule 13), and signatures."""

    server_key: ServerKey
    assertions: Assertions

    def check(self, unit: Unit, actor: Actor, otp: str, now: datetime, event: Event) -> Actor:
        """Claim what `otp` proves; else record `event` as refused and raise.

        `otp` is six digits; for whoever has a passkey, what it signed, or the id of what they confirmed in the
        browser. Gives the actor as the act's own entries name them: with a factor.

        Raises `Limited` auth.delayed, `Conflict` otp.used (with the seconds to the next step) or passkey.used,
        `Unauthenticated` auth.refused or auth.passkey_required, `Forbidden` for whoever has no factor (machines), and
        `Invalid` input.invalid where a code is missing: that is no try, and counts as none.
        """
        # the row is held: who is shut out at this moment was before, or this act is not
        person = unit.people.lock(actor.id)
        if person is None or person.seed is None or person.state is not PersonState.ACTIVE:
            error = Forbidden("policy.denied", "Only a person with a second factor can do this.", rule="S16")
            refuse(unit, event, error, now)
        passkeys = unit.passkeys.of(person.id)
        if not passkeys and not otp.strip():
            raise missing()
        if passkeys and _ID.fullmatch(otp) is not None:
            return self._by_confirmation(unit, actor, otp, now, event)
        subject = _subject(actor)
        guesses = unit.guesses.get(subject)
        wait = 0 if guesses is None else guesses.wait(now)
        if wait:
            refuse(unit, event, too_early(wait), now)
        if passkeys:
            factor = self._by_passkey(unit, actor, passkeys, otp, now, event)
        else:
            factor = self._by_code(unit, actor, person, otp, now, event)
        unit.guesses.clear(subject)
        return actor.with_factor(factor)

    def step(self, person: Person, otp: str, now: datetime) -> int | None:
        """Give the time step whose code `otp` is, within one step of `now`; claims nothing."""
        if person.seed is None:
            return None
        seed = totp.Seed(self.server_key.open(SEED_PURPOSE, person.id, person.seed))
        return totp.matching_step(seed, otp, now)

    def kind_of(self, unit: Unit, person_id: str) -> SecondFactor:
        """Say by what a person proves themselves."""
        return SecondFactor.PASSKEY if unit.passkeys.of(person_id) else SecondFactor.CODE

    def _by_code(
        self, unit: Unit, actor: Actor, person: Person, otp: str, now: datetime, event: Event
    ) -> str:
        step = self.step(person, otp, now)
        if step is None:
            unit.guesses.fail(_subject(actor), now)
            wrong = Unauthenticated(
                "auth.refused", "The code is not right. Take the present one from your device."
            )
            refuse(unit, _failed(event), wrong, now)
        if not unit.people.claim_step(person.id, step):
            refuse(unit, event, used(step, now), now)
        return "totp"

    def _by_passkey(
        self, unit: Unit, actor: Actor, passkeys: tuple[Passkey, ...], otp: str, now: datetime, event: Event
    ) -> str:
        if not otp.startswith(PREFIX):
            self._hand_over(unit, actor, now, event)
        mine = {each.credential: each for each in passkeys}
        try:
            good = self.assertions.check(
                otp, Purpose.CONFIRM, whose(actor), actor.origin.asked, mine.get, now
            )
        except NotSignedError as failure:
            unit.guesses.fail(_subject(actor), now)
            detail = (
                "The passkey's answer is not for exactly this request. Load the page again and press it anew."
            )
            failed = replace(_failed(event), detail={**event.detail, "why": failure.why})
            refuse(unit, failed, Unauthenticated("auth.refused", detail), now)
        against = claim(unit, good, now)
        if against == "used":
            detail = "This answer of the passkey was used before. Press the passkey again."
            refuse(unit, event, Conflict("passkey.used", detail), now)
        if against == "counter":
            refuse(unit, suspect(actor, good), suspected(), now)
        return good.factor

    def _by_confirmation(
        self, unit: Unit, actor: Actor, confirmation_id: str, now: datetime, event: Event
    ) -> Actor:
        """Use up what the person confirmed in the browser: for this token, this very request, once."""
        found = unit.passkeys.confirmation(confirmation_id)
        asked = actor.origin.asked
        theirs = (
            found is not None
            and asked is not None
            and (found.person_id, found.session) == whose(actor)
            and found.request_mac == self.assertions.request_mac(asked)
        )
        if found is None or not theirs or found.state(now) is ConfirmationState.ENDED:
            detail = "This confirmation is not for exactly this request, or its time is over. Ask anew."
            failed = replace(_failed(event), detail={**event.detail, "why": "confirmation"})
            refuse(unit, failed, Unauthenticated("auth.refused", detail), now)
        if found.state(now) is ConfirmationState.WAITING:
            raise self._asking(found)
        if not unit.passkeys.use(found.id, now):
            detail = "This confirmation was used before; it counts for one request. Ask anew."
            refuse(unit, event, Conflict("passkey.used", detail), now)
        unit.guesses.clear(_subject(actor))
        return actor.with_factor(f"passkey:confirmation:{found.assertion_id}")

    def _hand_over(self, unit: Unit, actor: Actor, now: datetime, event: Event) -> NoReturn:
        """Refuse a code where a passkey is enrolled; for a program, keep what it asked for its person."""
        asked = actor.origin.asked
        if asked is None or asked.content is None:
            detail = "You have a passkey, so a code does not do: press your passkey on the page that asks for this."
            refuse(unit, event, Unauthenticated("auth.passkey_required", detail), now)
        mac = self.assertions.request_mac(asked)
        waiting = unit.passkeys.waiting(actor.origin.session, mac, now)
        if waiting is not None:
            raise self._asking(waiting)
        unit.guesses.fail(_subject(actor), now)
        made = Confirmation(
            id=new_id(),
            person_id=actor.id,
            session=actor.origin.session,
            request_mac=mac,
            method=asked.method,
            path=asked.path,
            content=asked.content,
            account_id=event.account_id,
            checkout_id=event.checkout_id,
            asked_at=now,
            expires_at=now + CONFIRMATION_LASTS,
        )
        unit.passkeys.ask(made)
        told = Event(
            EventType.PASSKEY_ASKED,
            actor,
            account_id=event.account_id,
            checkout_id=event.checkout_id,
            detail={"confirmation": made.id, "asked_for": f"{asked.method} {asked.path}"[:200]},
        )
        refuse(unit, told, self._asking(made), now)

    def _asking(self, waiting: Confirmation) -> Unauthenticated:
        url = f"{self.assertions.party.origin}{CONFIRM_PAGE}{waiting.id}"
        detail = f"Confirm this with your passkey at {url}, then send the same request with otp {waiting.id}."
        return Unauthenticated("auth.passkey_required", detail, confirmation=waiting.id, confirm_url=url)


def missing() -> Invalid:
    """Say that a code is missing, which is another thing than a wrong one."""
    detail = "This takes a fresh code of your own second factor: give the one that your device shows now."
    return Invalid("input.invalid", detail, errors=(FieldError("/otp", detail),))


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


def suspect(actor: Actor, good: Good) -> Event:
    """Make the entry of a passkey whose counter went back (WebAuthn Level 3, section 6.1.1)."""
    detail: dict[str, str | int | bool | None] = {
        "passkey": good.passkey.id,
        "person": good.passkey.person_id,
        "name": good.passkey.name,
        "counted": good.sign_count,
        "before": good.passkey.sign_count,
    }
    return Event(EventType.PASSKEY_SUSPECT, actor, Result.DENIED, detail=detail)


def suspected() -> Unauthenticated:
    """Say that a passkey counted backwards."""
    detail = "This passkey counts backwards, as a copy would. Use another one, and tell an administrator."
    return Unauthenticated("auth.refused", detail)


def _subject(actor: Actor) -> str:
    """Name what a person's wrong tries are counted for (S15).

    All their tokens together, so that ten stolen ones give no more guesses than one; a browser's session by itself,
    because its person proved a factor there: whoever guesses by a token delays nobody's browser.
    """
    return f"factor:{actor.id}:{actor.origin.session if actor.origin.browser else 'tokens'}"


def _failed(event: Event) -> Event:
    return replace(event, result=Result.FAILED)
