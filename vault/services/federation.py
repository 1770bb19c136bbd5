"""Signing in by an identity provider, and linking an identity there (OpenID Connect; S15, S16, S17, S22).

    begin ──► a visit: state for the provider, another random text for the browser ──► answer, claimed once ──► code
    or passkey, which uses the visit up ──► session

Decided here: that the provider replaces the password and nothing else; that a person is never made by it, and an
identity is linked by the person alone, signed in, with a fresh factor: an e-mail address proves nothing here and is
only shown. A stranger, a disabled person and a wrong code get one answer. A visit belongs to one browser, lasts ten
minutes, and its answer and its use count once each. What the provider is asked, it is asked with no transaction open.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, NoReturn

from vault.crypto import chance
from vault.domain.event import Event, EventType, Result
from vault.domain.identity import (
    VISIT_LASTS,
    Claims,
    Identity,
    RoleGroups,
    Visit,
    VisitPurpose,
    Vouched,
    withheld,
)
from vault.domain.ids import new_id
from vault.domain.person import PersonState
from vault.domain.policy import Permission
from vault.domain.told import changes, every_session
from vault.errors import Conflict, Forbidden, Unauthenticated, Unavailable, VaultError, not_found
from vault.ports.identities import Redemption, Rejected
from vault.services.factors import Factors, refusal
from vault.services.gate import Gate, refuse, refuse_absent
from vault.services.guessing import note_refusal, same_network
from vault.services.sight import in_sight, lies_within, standing
from vault.services.signin import stranger, token_hash

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor, Origin
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.identities import IdentityProvider
    from vault.ports.store import Unit, Units

NONCE: Final = "provider.nonce"
VERIFIER: Final = "provider.verifier"
TEXT_MOST: Final = 4_096
"""Characters of a code or state that are looked at."""


@dataclass(frozen=True, slots=True, eq=False)
class Begun:
    """Where to send a browser, and the text that only this browser keeps."""

    address: str
    browser: Secret[str]


@dataclass(frozen=True, slots=True)
class Back:
    """What a browser came back with: query parameters, none of them believed."""

    state: str = ""
    code: str = ""
    error: str = ""
    issuer: str | None = None


@dataclass(frozen=True, slots=True)
class Federation:
    """Use cases around one provider; None where the settings name none."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    provider: IdentityProvider | None
    role_groups: RoleGroups

    def begin(self, asked_for: str) -> Begun:
        """Begin to sign in; `asked_for` is where the person wanted to go."""
        return self._leave(VisitPurpose.SIGN_IN, asked_for)

    def begin_link(self, actor: Actor) -> Begun:
        """Begin to link an identity to oneself; from the browser only."""
        now = self.clock.now()
        if not actor.origin.browser:
            with self.units.write() as unit:
                detail = "Identities are linked in the browser. Sign in there and repeat it."
                event = Event(EventType.ACCESS_DENIED, actor, rule="S23", detail={"asked_for": "identities"})
                refuse(unit, event, Forbidden("policy.denied", detail, rule="S23"), now)
        return self._leave(VisitPurpose.LINK, "", actor)

    def answer(self, browser: str, back: Back, origin: Origin) -> Visit:
        """Take what a browser came back with; give its visit, with what the provider says of who came.

        Raises `Unauthenticated` auth.provider_refused whatever is wrong, recorded with why, and `Unavailable`
        identity.unavailable. The visit's subject may be nobody's here: the next step says so to nobody.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            visit = unit.visits.get(_hash(back.state))
            why = self._not_this(visit, browser, back, now)
            if visit is None or why is not None or not unit.visits.claim(visit.id, now):
                self._refuse(unit, origin, why or "answered before", now)
            unit.commit()
        if back.error:
            with self.units.write() as unit:
                self._refuse(unit, origin, f"provider: {_plain(back.error)}", now)
        try:
            said = self._provider().redeem(self._redemption(back), now)
        except Unavailable:
            with self.units.write() as unit:
                self._note(unit, origin, "provider away", now)
                unit.commit()
            raise
        with self.units.write() as unit:
            if isinstance(said, Rejected):
                self._refuse(unit, origin, said.why, now)
            kept = self._kept(visit, said, now)
            unit.visits.answer(kept)
            if kept.purpose is VisitPurpose.SIGN_IN:
                self._note_stranger(unit, kept, origin, now)
            unit.commit()
        return kept

    def vouched(self, browser: str) -> tuple[Visit, Vouched | None]:
        """Give the visit of a browser that waits for a second factor, and whom it is of, where that is anybody.

        Raises `Unauthenticated` auth.provider_refused where none waits.
        """
        now = self.clock.now()
        with self.units.read() as unit:
            visit = self._answered(unit, browser, VisitPurpose.SIGN_IN, now)
            identity = unit.identities.find(visit.issuer, visit.subject or "")
        if identity is None:
            return visit, None
        return visit, Vouched(visit.id, identity.person_id, visit.issuer, visit.withheld)

    @property
    def nobody(self) -> Vouched:
        """Give a word for nobody, so that a passkey is looked at and no session opens."""
        return Vouched("", "", "" if self.provider is None else self.provider.issuer, frozenset())

    def to_link(self, actor: Actor, browser: str) -> Visit:
        """Give the visit whose subject may be linked now: of this browser, this person and this session."""
        now = self.clock.now()
        with self.units.read() as unit:
            return self._mine(unit, actor, browser, now)

    def link(self, actor: Actor, browser: str, otp: str) -> Identity:
        """Link what the provider vouched for to oneself, with a fresh factor; `Conflict` identity.exists."""
        now = self.clock.now()
        with self.units.write() as unit:
            visit = self._mine(unit, actor, browser, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            if not unit.visits.use(visit.id, now):
                raise _begin_again()
            identity = Identity(new_id(), actor.id, visit.issuer, visit.subject or "", now)
            if unit.identities.find(identity.issuer, identity.subject) is not None:
                # in words that do not say whose
                detail = "This identity cannot be linked to you. Ask an administrator."
                event = Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": "identities"})
                refuse(unit, event, Conflict("identity.exists", detail), now)
            unit.identities.add(identity)
            self._record(unit, EventType.IDENTITY_LINKED, actor, (None, identity), now)
            unit.commit()
        return identity

    def unlink(self, actor: Actor, identity_id: str) -> Identity:
        """End a link at once: one's own, or as an administrator anyone's, whose sessions then end as well."""
        now = self.clock.now()
        with self.units.write() as unit:
            found = unit.identities.get(identity_id)
            own = found is not None and found.person_id == actor.id
            if not own:
                self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            if found is None or not (own or self._reaches(unit, actor, found.person_id)):
                refuse_absent(unit, actor, "identity", identity_id, now)
            if found.ended_at is not None:
                return found
            ended = replace(found, ended_at=now, ended_by=actor.id)
            unit.identities.end(ended)
            if not own:
                unit.sessions.end_all(found.person_id, now)
            self._record(unit, EventType.IDENTITY_UNLINKED, actor, (found, ended), now, sessions=not own)
            unit.commit()
        return ended

    def get(self, actor: Actor, identity_id: str) -> Identity:
        """Read one: one's own, or as an administrator anybody's."""
        with self.units.read() as unit:
            found = unit.identities.get(identity_id)
            if found is not None and (
                found.person_id == actor.id or self._reaches(unit, actor, found.person_id)
            ):
                return found
        raise not_found("identity", identity_id[:36])

    def of(self, actor: Actor, person_id: str) -> tuple[Identity, ...]:
        """List the identities that are linked to oneself, or as an administrator to whoever is within reach."""
        now = self.clock.now()
        if person_id != actor.id and self.gate.policy.reach(actor, Permission.PEOPLE_MANAGE).empty:
            with self.units.write() as unit:
                self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
        with self.units.read() as unit:
            if person_id != actor.id and not self._reaches(unit, actor, person_id):
                return ()
            return unit.identities.of(person_id)

    def _reaches(self, unit: Unit, actor: Actor, person_id: str) -> bool:
        """Say whether an administrator reaches all that a person may do."""
        reach = self.gate.policy.reach(actor, Permission.PEOPLE_MANAGE)
        person, grants = unit.people.get(person_id), standing(unit, person_id)
        if person is None or in_sight(unit, self.gate.policy, actor, person, grants) is None:
            return False
        return not reach.empty and all(lies_within(unit, reach, grant.scope) for grant in grants)

    def _leave(self, purpose: VisitPurpose, asked_for: str, actor: Actor | None = None) -> Begun:
        now = self.clock.now()
        provider = self._provider()
        state, browser = chance.token_text(), chance.token_text()
        nonce, verifier = self._drawn(NONCE, state.expose()), self._drawn(VERIFIER, state.expose())
        address = provider.leave_for(state.expose(), nonce, verifier)
        visit = Visit(
            id=_hash(state.expose()),
            browser_hash=token_hash(browser),
            purpose=purpose,
            issuer=provider.issuer,
            asked_for=asked_for,
            begun_at=now,
            until=now + VISIT_LASTS,
            person_id=None if actor is None else actor.id,
            session="" if actor is None else actor.origin.session,
        )
        with self.units.write() as unit:
            unit.visits.add(visit)
            unit.commit()
        return Begun(address, browser)

    def _provider(self) -> IdentityProvider:
        if self.provider is None:
            raise not_found("identity provider", "here")
        return self.provider

    def _drawn(self, purpose: str, state: str) -> str:
        """Compute what belongs to a state, 43 characters of base64url: nobody has to keep it (RFC 7636, 4.1)."""
        mac = self.factors.server_key.mac(purpose, state.encode("utf-8", "replace"))
        return urlsafe_b64encode(mac[:32]).rstrip(b"=").decode("ascii")

    def _redemption(self, back: Back) -> Redemption:
        nonce, verifier = self._drawn(NONCE, back.state), self._drawn(VERIFIER, back.state)
        return Redemption(back.code, nonce, verifier, back.issuer)

    def _not_this(self, visit: Visit | None, browser: str, back: Back, now: datetime) -> str | None:
        """Say why what came back is not an answer that this browser waits for."""
        if visit is None or len(back.state) > TEXT_MOST:
            return "state"
        if not hmac.compare_digest(visit.browser_hash, _hash(browser)):
            return "another browser"
        if not visit.waits(now):
            return "answered before" if visit.answered_at is not None else "too late"
        if self.provider is None or visit.issuer != self.provider.issuer:
            return "another provider"
        if not back.error and not 1 <= len(back.code) <= TEXT_MOST:
            return "no code"
        return None

    def _kept(self, visit: Visit, said: Claims, now: datetime) -> Visit:
        taken = withheld(self.role_groups, said.groups)
        return replace(visit, answered_at=now, subject=said.subject, label=said.label, withheld=taken)

    def _answered(self, unit: Unit, browser: str, purpose: VisitPurpose, now: datetime) -> Visit:
        visit = unit.visits.of_browser(_hash(browser))
        if visit is None or visit.purpose is not purpose or not visit.answered(now):
            raise _begin_again()
        return visit

    def _mine(self, unit: Unit, actor: Actor, browser: str, now: datetime) -> Visit:
        visit = self._answered(unit, browser, VisitPurpose.LINK, now)
        if visit.person_id != actor.id or visit.session != actor.origin.session:
            raise _begin_again()
        return visit

    def _note_stranger(self, unit: Unit, visit: Visit, origin: Origin, now: datetime) -> None:
        """Let the log know of a subject that is nobody's here, or of whoever is disabled; the answer does not tell."""
        identity = unit.identities.find(visit.issuer, visit.subject or "")
        person = None if identity is None else unit.people.get(identity.person_id)
        if person is None:
            self._note(unit, origin, "not linked", now)
        elif person.state is not PersonState.ACTIVE:
            self._note(unit, origin, "disabled", now, person.id)

    def _note(self, unit: Unit, origin: Origin, why: str, now: datetime, person_id: str = "") -> None:
        detail: dict[str, str | int | bool | None] = {"code": "auth.provider_refused", "why": why}
        detail |= {"person": person_id} if person_id else {}
        event = Event(EventType.SIGN_IN_REFUSED, stranger(origin), Result.FAILED, detail=detail)
        note_refusal(unit, event, same_network(origin.ip), now)

    def _refuse(self, unit: Unit, origin: Origin, why: str, now: datetime) -> NoReturn:
        self._note(unit, origin, why, now)
        unit.commit()
        raise _begin_again()

    def _record(
        self,
        unit: Unit,
        kind: EventType,
        actor: Actor,
        told: tuple[Identity | None, Identity],
        now: datetime,
        *,
        sessions: bool = False,
    ) -> None:
        before, identity = told
        ended = (every_session(identity.person_id),) if sessions else ()
        event = Event(
            kind,
            actor,
            changes=(*changes(before, identity), *ended),
            detail={
                "identity": identity.id,
                "person": identity.person_id,
                "issuer": identity.issuer,
            },
            subject=f"identity:{identity.id}",
        )
        unit.log.record(event, now)


def _begin_again() -> VaultError:
    detail = "What came back from the provider does not count here, or its ten minutes are over. Begin again."
    return Unauthenticated("auth.provider_refused", detail)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def _plain(text: str) -> str:
    """Keep of the provider's error what can be one (RFC 6749 section 4.1.2.1)."""
    return "".join(each for each in text[:40] if each.isascii() and (each.isalnum() or each == "_"))
