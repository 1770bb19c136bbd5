"""Signing in and staying signed in: password and one-time code together, sessions on the server (S15, S17, S22).

Signing in by passkey is `services/passkeys`, by a provider in place of the password `services/federation`.

Decided here: that an unknown e-mail, a disabled person, a wrong password and a wrong code get one
answer after the same work; how guesses are counted; what a session's end is. A try is counted before
the password is looked at and forgotten when it was right, so that many tries at once are no way around
the delay. Counted are an e-mail from a network, or from a browser that signed in before: whoever guesses
elsewhere delays nobody's own browser. The slow hash runs outside of any transaction.
Never kept: the name that was typed (people type their password there); its keyed hash counts guesses.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from vault.crypto import chance, totp
from vault.domain.actor import Actor, ActorKind, Origin, Power
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import fold_email, new_id
from vault.domain.person import Person, PersonState, Session, Token, powers
from vault.domain.secret import Secret
from vault.domain.told import changes, every_session
from vault.errors import Unauthenticated, Unavailable, VaultError
from vault.services.factors import Factors, used
from vault.services.guessing import note_refusal, reserve, same_network, too_early
from vault.services.limits import SessionLimits
from vault.services.vouching import check_vouched

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.identity import Vouched
    from vault.ports.clock import Clock
    from vault.ports.passwords import Passwords
    from vault.ports.store import Unit, Units

Detail: TypeAlias = dict[str, str | int | bool | None]

_NOBODY: Final = "nobody"
"""No person's id; looked for as a person's is."""
MAC_PURPOSE: Final = "signin.name"
DEVICE_PURPOSE: Final = "signin.device"
DEVICE_LASTS: Final = timedelta(days=180)
TOUCH_AFTER: Final = timedelta(minutes=1)
"""Activity is written down at most this often, so that reading does not become writing."""


@dataclass(frozen=True, slots=True, eq=False)
class SignedIn:
    """A fresh sign-in: the session with its token, and the token by which this browser is known from now on."""

    session: Session
    person: Person
    powers: tuple[Power, ...]
    token: Secret[str]
    device: Secret[str]

    def actor(self, origin: Origin) -> Actor:
        """Make the actor of this session."""
        return session_actor(self.session, self.person, self.powers, origin)


@dataclass(frozen=True, slots=True)
class Known:
    """A session that counts, whose it is, and the powers in force."""

    session: Session
    person: Person
    powers: tuple[Power, ...]

    def actor(self, origin: Origin) -> Actor:
        """Make the actor of this session."""
        return session_actor(self.session, self.person, self.powers, origin)


@dataclass(frozen=True, slots=True)
class _Try:
    """One attempt: where it came from, and under which subject its failures are counted."""

    origin: Origin
    network: str
    subject: str
    trusted: bool


@dataclass(frozen=True, slots=True)
class SignIn:
    """Use cases on sessions."""

    units: Units
    factors: Factors
    passwords: Passwords
    clock: Clock
    limits: SessionLimits
    insists_on: str = ""
    """The issuer whose word is needed of everybody who linked an identity there; empty where passwords do."""

    def begin(
        self,
        email: str,
        password: Secret[str],
        otp: str,
        origin: Origin,
        *,
        agent: str = "",
        device: str | None = None,
    ) -> SignedIn:
        """Open a session for who knows the password and has the code.

        `device` is what an earlier sign-in gave this browser. Raises `Unauthenticated` auth.refused
        whatever was wrong, `Conflict` otp.used where all was right but the code was used before, and
        `Limited` auth.delayed; each is in the log, a flood of them as a count (S26).
        """
        now = self.clock.now()
        attempt = self._attempt(fold_email(email), origin, device, now)
        with self.units.write() as unit:
            wait = reserve(unit, attempt.subject, now)
            person = unit.people.by_email(fold_email(email))
            if not wait:
                unit.commit()
        if wait:
            self._refuse(attempt, person, too_early(wait, "failures"), now)
        active = person is not None and person.state is PersonState.ACTIVE
        matches = self.passwords.matches(
            person.password_hash if person is not None and active else None, password
        )
        step = self._step(person if active else None, otp, now)
        return self._open(attempt, person, step, agent, now, right=active and matches)

    def begin_vouched(
        self,
        vouched: Vouched | None,
        otp: str,
        origin: Origin,
        *,
        agent: str = "",
        device: str | None = None,
    ) -> SignedIn:
        """Open a session for whom the provider vouched for, and who has the code; None is a stranger to us.

        Raises as `begin` does, and does the same work for a stranger, for whoever is disabled, and for a wrong code.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            person = None if vouched is None else unit.people.get(vouched.person_id)
            name = f"visit {origin.ip}" if person is None else fold_email(person.email)
            attempt = self._attempt(name, origin, device, now)
            wait = reserve(unit, attempt.subject, now)
            if not wait:
                unit.commit()
        if wait:
            self._refuse(attempt, person, too_early(wait, "failures"), now)
        active = person is not None and person.state is PersonState.ACTIVE
        step = self._step(person if active else None, otp, now)
        return self._open(attempt, person, step, agent, now, vouched, right=active)

    def resolve(self, token: Secret[str]) -> Known | None:
        """Find the session of a cookie's token while it counts, and remember the activity."""
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.sessions.find(token_hash(token))
            if found is None or found[1].state is not PersonState.ACTIVE:
                return None
            session, person, grants = found
            held = powers(grants, now, session.withheld)
            limits = self.limits.of(unit, held)
        if not session.alive(now, limits.idle, limits.longest):
            return None
        if now - session.seen_at >= min(TOUCH_AFTER, limits.idle / 5):
            self._touch(session, now)
        return Known(session, person, held)

    def end(self, actor: Actor, session: Session) -> None:
        """End one's own session; whoever copied its cookie is out as well."""
        now = self.clock.now()
        with self.units.write() as unit:
            unit.sessions.end(session.id, now)
            told = changes(session, replace(session, ended_at=now)) if session.ended_at is None else ()
            event = Event(EventType.SIGNED_OUT, actor, changes=told, detail={"session": session.id})
            unit.log.record(event, now)
            unit.commit()

    def end_all(self, actor: Actor) -> int:
        """End all of one's own sessions; gives how many."""
        now = self.clock.now()
        with self.units.write() as unit:
            ended = unit.sessions.end_all(actor.id, now)
            told = (every_session(actor.id),)
            event = Event(EventType.SIGNED_OUT, actor, changes=told, detail={"sessions": ended})
            unit.log.record(event, now)
            unit.commit()
        return ended

    def note_refusal(self, origin: Origin, count: int = 1, stray: Token | None = None) -> None:
        """Record that a token or cookie came which does not count; `count` above one is a flood's.

        `stray` is a token that came from an address that it is not for.
        """
        now = self.clock.now()
        network = same_network(origin.ip)
        detail: Detail = {"network": network, "what": "token or session"}
        kind = EventType.ACCESS_DENIED if stray is None else EventType.TOKEN_REFUSED
        detail |= (
            {} if stray is None else {"token": stray.id, "name": stray.name, "made_by": stray.created_by}
        )
        event = Event(kind, stranger(origin), Result.DENIED, detail=detail)
        if count > 1:
            event = Event(
                EventType.ACCESS_FLOOD, stranger(origin), Result.DENIED, detail={**detail, "count": count}
            )
        with self.units.write() as unit:
            unit.log.record(event, now)
            unit.commit()

    def admit(
        self,
        unit: Unit,
        person: Person,
        origin: Origin,
        factor: str,
        agent: str,
        now: datetime,
        detail: Detail,
        vouched: Vouched | None = None,
    ) -> SignedIn:
        """Open a session for whoever has proven to be `person`, record it and commit.

        `factor` is named by this entry in full, by later ones of the session up to its first colon. Raises
        `Unauthenticated` auth.provider_required where the word of the provider is needed and `vouched` is None, and
        auth.provider_refused where the visit there was used before.
        """
        check_vouched(unit, self.insists_on, person, vouched, stranger(origin), now)
        token = chance.token_text()
        session = Session(
            id=new_id(),
            token_hash=token_hash(token),
            person_id=person.id,
            created_at=now,
            seen_at=now,
            ip=origin.ip,
            agent=agent,
            mfa=factor.partition(":")[0],
            issuer="" if vouched is None else vouched.issuer,
            withheld=frozenset() if vouched is None else vouched.withheld,
        )
        unit.sessions.add(session)
        held = powers(unit.people.grants(person.id), now, session.withheld)
        actor = session_actor(session, person, held, origin).with_factor(factor)
        event = Event(
            EventType.SIGNED_IN,
            actor,
            changes=changes(None, session),
            detail={"session": session.id, "agent": agent, **detail, **_by_provider(session)},
        )
        unit.log.record(event, now)
        unit.commit()
        return SignedIn(session, person, held, token, self._new_device(person.email, now))

    def _open(
        self,
        attempt: _Try,
        person: Person | None,
        step: int | None,
        agent: str,
        now: datetime,
        vouched: Vouched | None = None,
        *,
        right: bool,
    ) -> SignedIn:
        """Open a session where the password, or the provider's word, was `right` and the code is.

        Whoever was not right is led as far as whoever only has a wrong code, statement for statement: neither the
        answer nor the time tells whether somebody exists, or what was wrong (S22).
        """
        who = person.id if person is not None and right else _NOBODY
        # codes for a known password are guessed from many networks as easily as from one
        codes = f"otp:{attempt.subject}" if who == _NOBODY else f"otp:{who}"
        error: VaultError | None = None
        why = None
        with self.units.write() as unit:
            wait = 0 if attempt.trusted else reserve(unit, codes, now)
            again = unit.people.get(who)
            if unit.passkeys.of(who):
                # no way down, and the answer of a wrong code: it tells nothing of the password either (S16)
                why, step = "passkey", None
            if wait or step is None or again is None or again.state is not PersonState.ACTIVE:
                error = _refused()
                if not wait:
                    unit.commit()
            elif not unit.people.claim_step(who, step):
                error = used(step, now)
            else:
                for subject in (attempt.subject, codes, f"otp:{attempt.subject}"):
                    unit.guesses.clear(subject)
                known: Detail = {"known_device": attempt.trusted}
                return self.admit(unit, again, attempt.origin, "totp", agent, now, known, vouched)
        self._refuse(attempt, person, error, now, why)

    def _attempt(self, name: str, origin: Origin, device: str | None, now: datetime) -> _Try:
        network = same_network(origin.ip)
        nonce, _, mark = (device or "").partition(".")
        right = hmac.compare_digest(self._mark(nonce, name).encode(), mark.encode("utf-8", "replace"))
        if right and now.timestamp() < int(nonce.partition("-")[0], 16):
            return _Try(origin, network, f"device:{nonce}", trusted=True)
        keyed = self.factors.server_key.mac(MAC_PURPOSE, name.encode("utf-8", "replace")).hex()[:32]
        return _Try(origin, network, f"signin:{keyed}:{network}", trusted=False)

    def _step(self, person: Person | None, otp: str, now: datetime) -> int | None:
        if person is not None and person.seed is not None:
            return self.factors.step(person, otp, now)
        # the same work for nobody, so that time tells nothing (S22)
        decoy = base64.b32encode(self.factors.server_key.derive("signin.decoy")[:20]).decode("ascii")
        totp.matching_step(totp.Seed(Secret(decoy)), otp, now)
        return None

    def _touch(self, session: Session, now: datetime) -> None:
        try:
            with self.units.write() as unit:
                unit.sessions.touch(session.id, now)
                unit.commit()
        except Unavailable:
            # reading goes on where writing cannot (disk full); the session only seems idle for longer
            return

    def _refuse(
        self, attempt: _Try, person: Person | None, error: VaultError, now: datetime, why: str | None = None
    ) -> NoReturn:
        detail: Detail = {"code": error.code}
        detail |= {} if person is None else {"person": person.id}
        detail |= {} if why is None else {"why": why}
        event = Event(EventType.SIGN_IN_REFUSED, stranger(attempt.origin), Result.FAILED, detail=detail)
        with self.units.write() as unit:
            note_refusal(unit, event, attempt.network, now)
            unit.commit()
        raise error

    def _new_device(self, email: str, now: datetime) -> Secret[str]:
        nonce = f"{int((now + DEVICE_LASTS).timestamp()):x}-{chance.nonce_text()}"
        return Secret(f"{nonce}.{self._mark(nonce, fold_email(email))}")

    def _mark(self, nonce: str, name: str) -> str:
        data = hashlib.sha256(nonce.encode("utf-8", "replace")).digest() + name.encode("utf-8", "replace")
        return self.factors.server_key.mac(DEVICE_PURPOSE, data).hex()


def session_actor(session: Session, person: Person, held: tuple[Power, ...], origin: Origin) -> Actor:
    """Make the actor of a browser session, keeping the request's id and address."""
    where = Origin(origin.request_id, origin.ip, session=session.id, mfa=session.mfa, browser=True)
    return Actor(ActorKind.PERSON, person.id, person.name, held, origin=where, withheld=session.withheld)


def stranger(origin: Origin) -> Actor:
    """Make the actor for what nobody known did."""
    return Actor(ActorKind.SYSTEM, "system:stranger", "not signed in", origin=origin)


def token_hash(token: Secret[str]) -> str:
    """Give what a session's token is kept as: 256 random bits need no slow hash."""
    return hashlib.sha256(token.expose().encode("utf-8", "replace")).hexdigest()


def _by_provider(session: Session) -> Detail:
    if not session.issuer:
        return {}
    return {"issuer": session.issuer, "withheld": " ".join(sorted(session.withheld))}


def _refused() -> Unauthenticated:
    return Unauthenticated(
        "auth.refused",
        "E-mail, password or code is not right. Try again with a fresh code; who has a passkey signs in with it.",
    )
