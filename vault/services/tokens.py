"""API tokens: a person's own, acting with their powers, and machines', with scopes of their own (S23).

Decided here: the format, who may make one, and when one counts. A token is shown once, kept as a keyed hash, ends
after at most ninety days and is made in a browser session with a fresh code: a token mints no token. What is not
well formed is refused without a question to the database. Roles that an identity provider's groups withhold from a
session are withheld from the tokens made in it. What a machine's may carry is `services/machines`.

    rv_ | p (person) or m (machine) | 43 characters of base62: 256 random bits | 6 of base62: their CRC-32

The checksum (RFC 1952 section 8, over all characters before it) tells a scanner of leaked secrets a token
from noise; it proves nothing.
"""

from __future__ import annotations

import re
import string
import zlib
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.crypto import chance
from vault.domain.actor import Actor, ActorKind, Origin, Power, Scope, ScopeKind
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.ids import new_id
from vault.domain.person import Person, PersonState, Token, powers
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.domain.secret import Secret
from vault.domain.told import changes
from vault.errors import FieldError, Forbidden, Invalid, Unavailable, not_found
from vault.ports.proposals import ProposalFilter
from vault.ports.records import Slice
from vault.services.factors import Factors, refusal
from vault.services.gate import Gate, refuse
from vault.services.sight import lies_within, standing

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.clock import Clock
    from vault.ports.store import Page, Unit, Units
    from vault.services.signin import SignedIn

PREFIX: Final = "rv_"
PURPOSE: Final = "api.token"
NAME_MAX: Final = 80
TOUCH_AFTER: Final = timedelta(minutes=1)
_ALPHABET: Final = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM: Final = 43
_CHECK: Final = 6
_FORMAT: Final = re.compile(rf"{PREFIX}[pm][0-9A-Za-z]{{{_RANDOM + _CHECK}}}", re.ASCII)


@dataclass(frozen=True, slots=True, eq=False)
class Issued:
    """A new token and its text, which is shown once and never again."""

    token: Token
    text: Secret[str]


@dataclass(frozen=True, slots=True)
class Bearer:
    """A token that counts, and whose it is: a person's with their powers, or a machine's."""

    token: Token
    person: Person | None
    powers: tuple[Power, ...]

    def actor(self, origin: Origin) -> Actor:
        """Make the actor of this token; a step-up is bound to the token's id (S16)."""
        where = Origin(origin.request_id, origin.ip, session=self.token.id)
        if self.person is not None:
            withheld = self.token.withheld
            return Actor(
                ActorKind.PERSON,
                self.person.id,
                self.person.name,
                self.powers,
                origin=where,
                withheld=withheld,
            )
        return Actor(
            ActorKind.MACHINE,
            self.token.id,
            self.token.name,
            permissions=self.token.permissions,
            scope=self.token.scope,
            origin=where,
        )


@dataclass(frozen=True, slots=True)
class Tokens:
    """Use cases on API tokens."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    longest: timedelta

    def issue_own(self, actor: Actor, name: str, otp: str, lasts: timedelta | None = None) -> Issued:
        """Make a token that acts with one's own powers; only from a browser session, with a fresh code."""
        now = self.clock.now()
        check_inputs(self.wrong(name, lasts))
        with self.units.write() as unit:
            self.from_browser(unit, actor, Permission.TOKEN_OWN, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            issued = self.put(unit, actor, self.drawn(actor, name, lasts, now), now)
            unit.commit()
        return issued

    def issue_at_sign_in(
        self, signed: SignedIn, origin: Origin, name: str, lasts: timedelta | None = None
    ) -> Issued:
        """Make one's own token out of a sign-in of this moment, and end that session (a program's sign-in).

        The code of the sign-in is the fresh one; it cannot be used a second time.
        """
        now = self.clock.now()
        check_inputs(self.wrong(name, lasts))
        actor = signed.actor(origin)
        with self.units.write() as unit:
            self.from_browser(unit, actor, Permission.TOKEN_OWN, now)
            unit.sessions.end(signed.session.id, now)
            ended = changes(signed.session, replace(signed.session, ended_at=now))
            issued = self.put(unit, actor, self.drawn(actor, name, lasts, now), now, ended)
            unit.commit()
        return issued

    def revoke(self, actor: Actor, token_id: str) -> Token:
        """End a token at once: one's own, or as an administrator of whoever is wholly within reach."""
        now = self.clock.now()
        with self.units.write() as unit:
            token = unit.tokens.get(token_id)
            if token is None or token.person_id != actor.id:
                self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
                token = self._theirs(unit, actor, token, token_id)
                for scope in self._scopes(unit, token):
                    require_reach(self.gate, unit, actor, scope, now)
            if token.revoked_at is None:
                before, token = token, replace(token, revoked_at=now)
                unit.tokens.update(token)
                event = Event(
                    EventType.TOKEN_REVOKED,
                    actor,
                    changes=(*changes(before, token), *_end_proposals(unit, actor, token, now)),
                    detail=named(token),
                    subject=f"token:{token.id}",
                )
                unit.log.record(event, now)
                unit.commit()
        return token

    def get(self, actor: Actor, token_id: str) -> Token:
        """Read one, never its text: one's own, or as an administrator of whoever is within reach."""
        with self.units.read() as unit:
            return self._theirs(unit, actor, unit.tokens.get(token_id), token_id)

    def page(self, actor: Actor, part: Slice, *, everyone: bool = False) -> Page[Token]:
        """List one's own, or as an administrator those of everyone and everything within reach."""
        reach = self.gate.policy.reach(actor, Permission.PEOPLE_MANAGE)
        with self.units.read() as unit:
            if everyone and not reach.empty:
                return unit.tokens.page(None, part, reach)
            return unit.tokens.page(actor.id, part)

    def resolve(self, text: Secret[str], ip: str = "") -> Bearer | None:
        """Find the token of a text while it counts, and remember its use, and from where.

        `ip` is the true address of who sent it, empty where that is not known.
        """
        if not is_well_formed(text):
            return None
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.tokens.find(self._hash(text))
        if found is None or not found[0].alive(now):
            return None
        token, person, grants = found
        if token.person_id is not None and (person is None or person.state is not PersonState.ACTIVE):
            return None
        if not token.counts_from(ip):
            return None
        if token.used_at is None or now - token.used_at >= TOUCH_AFTER or token.used_from != ip:
            self._touch(token, now, ip)
        return Bearer(token, person, powers(grants, now, token.withheld))

    def stray(self, text: Secret[str], ip: str) -> Token | None:
        """Find the token of a text that counts, but not from this address: somebody may have taken it along."""
        if not is_well_formed(text):
            return None
        with self.units.read() as unit:
            found = unit.tokens.find(self._hash(text))
        strays = found is not None and found[0].alive(self.clock.now()) and not found[0].counts_from(ip)
        return found[0] if found is not None and strays else None

    def from_browser(self, unit: Unit, actor: Actor, permission: Permission, now: datetime) -> None:
        """Return where a person with this permission asks in a browser session: a token makes no token (S23)."""
        self.gate.require(unit, actor, permission, now)
        if actor.kind is not ActorKind.PERSON or not actor.origin.browser:
            detail = "A token makes no token. Sign in with password and code, and make it there."
            event = Event(EventType.ACCESS_DENIED, actor, rule="S23", detail={"permission": permission})
            refuse(unit, event, Forbidden("policy.denied", detail, rule="S23"), now)

    def put(
        self, unit: Unit, actor: Actor, token: Token, now: datetime, ended: tuple[Change, ...] = ()
    ) -> Issued:
        """Keep a token with a text of its own, and tell of it; the caller commits."""
        text = new_text(person=token.person_id is not None)
        token = replace(token, token_hash=self._hash(text))
        unit.tokens.add(token)
        # a repeated request is not answered with the text again, so its subject is a disclosure (S8)
        told = (*changes(None, token), *ended)
        event = Event(EventType.TOKEN_ISSUED, actor, changes=told, detail=named(token), subject="disclosure")
        unit.log.record(event, now)
        return Issued(token, text)

    def drawn(self, actor: Actor, name: str, lasts: timedelta | None, now: datetime) -> Token:
        """Draw up a token of one's own, which counts from now on."""
        return Token(
            id=new_id(),
            token_hash="",
            name=name.strip(),
            person_id=actor.id,
            permissions=frozenset(),
            scope=Scope(),
            created_by=actor.id,
            created_at=now,
            expires_at=now + (self.longest if lasts is None else lasts),
            effective_at=now,
            withheld=actor.withheld,
        )

    def wrong(self, name: str, lasts: timedelta | None) -> tuple[FieldError, ...]:
        """Say what is wrong with a name and a time."""
        errors: list[FieldError] = []
        if not 1 <= len(name.strip()) <= NAME_MAX:
            errors.append(
                FieldError("/name", f"Say what the token is for, in at most {NAME_MAX} characters.")
            )
        if lasts is not None and not timedelta(minutes=1) <= lasts <= self.longest:
            errors.append(
                FieldError("/expires_in_seconds", f"Give from a minute to {self.longest.days} days.")
            )
        return tuple(errors)

    def _theirs(self, unit: Unit, actor: Actor, token: Token | None, token_id: str) -> Token:
        """Give a token that is the actor's own or within their reach; another is not there (S21)."""
        reach = self.gate.policy.reach(actor, Permission.PEOPLE_MANAGE)
        if token is not None and (
            token.person_id == actor.id
            or reach.everything
            or any(lies_within(unit, reach, scope) for scope in self._scopes(unit, token))
        ):
            return token
        raise not_found("token", token_id[:36])

    def _scopes(self, unit: Unit, token: Token) -> tuple[Scope, ...]:
        """Give how far a token's power may reach: a machine's own, or that of its person's roles."""
        if token.person_id is None:
            return (token.scope,)
        return tuple(grant.scope for grant in standing(unit, token.person_id))

    def _touch(self, token: Token, now: datetime, ip: str) -> None:
        try:
            with self.units.write() as unit:
                unit.tokens.touch(token.id, now, ip)
                unit.commit()
        except Unavailable:
            # reading goes on where writing cannot; only the time of last use is older than it was
            return

    def _hash(self, text: Secret[str]) -> str:
        return self.factors.server_key.mac(PURPOSE, text.expose().encode("ascii")).hex()


def new_text(*, person: bool) -> Secret[str]:
    """Make a token's text."""
    body = PREFIX + ("p" if person else "m") + chance.draw(_ALPHABET, _RANDOM)
    return Secret(body + _checksum(body))


def is_well_formed(text: Secret[str]) -> bool:
    """Say whether a text can be a token at all: prefix, length, alphabet and checksum."""
    given = text.expose()
    return _FORMAT.fullmatch(given) is not None and _checksum(given[:-_CHECK]) == given[-_CHECK:]


def check_scope(unit: Unit, scope: Scope) -> None:
    """Return if a scope names a customer or account that is there, or all."""
    missing = (scope.kind is ScopeKind.CUSTOMER and unit.customers.get(scope.target) is None) or (
        scope.kind is ScopeKind.ACCOUNT and unit.accounts.get(scope.target) is None
    )
    if missing or (scope.kind is ScopeKind.ALL and scope.target):
        check_inputs(
            (FieldError("/scope", "Name a customer's id or an account's number that exists, or all."),)
        )


def require_reach(
    gate: Gate,
    unit: Unit,
    actor: Actor,
    scope: Scope,
    now: datetime,
    permission: Permission = Permission.PEOPLE_MANAGE,
) -> None:
    """Return if `scope` lies within what the actor reaches by `permission`: nobody gives more than that (C1)."""
    reach = gate.policy.reach(actor, permission)
    if scope.kind is ScopeKind.CUSTOMER:
        within = reach.covers(scope.target)
    elif scope.kind is ScopeKind.ACCOUNT:
        account = unit.accounts.get(scope.target)
        within = account is not None and reach.covers(account.customer_id, account.id)
    else:
        within = reach.everything
    if not within:
        detail = f"The scope {scope} is wider than your own; ask somebody who has it."
        event = Event(EventType.ACCESS_DENIED, actor, rule="C1", detail={"permission": permission})
        refuse(unit, event, Forbidden("policy.denied", detail, rule="C1"), now)


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode("ascii")), ""
    for _ in range(_CHECK):
        number, digit = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[digit] + digits
    return digits


def named(token: Token) -> dict[str, str | int | bool | None]:
    """Tell of a token in an entry: all but its text."""
    return {
        "token": token.id,
        "name": token.name,
        "of": token.person_id or "machine",
        "scopes": " ".join(sorted(token.permissions)),
        "scope": str(token.scope),
        "addresses": " ".join(sorted(token.addresses)),
        "until": stamp(token.expires_at),
    }


def _end_proposals(unit: Unit, actor: Actor, token: Token, now: datetime) -> tuple[Change, ...]:
    """End what proposed a machine's token; give the changes."""
    if token.person_id is not None:
        return ()
    told: tuple[Change, ...] = ()
    wanted = ProposalFilter(frozenset({ProposalKind.TOKEN}), token.id)
    for proposal in unit.proposals.page(wanted, Slice(1)).items:
        if proposal.ended_at is None:
            ended = replace(proposal, ended_at=now, ended_by=actor.id)
            unit.proposals.update(ended)
            told += changes(proposal, ended)
    return told


def check_inputs(errors: tuple[FieldError, ...]) -> None:
    """Return where nothing is wrong; else raise `Invalid`."""
    if errors:
        raise Invalid("input.invalid", "Some of the input is not valid; see errors.", errors=errors)
