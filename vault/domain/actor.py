"""Who acts: a person, a machine or the system, with what powers, and by which request.

Decided here: what roles exist, what a scope covers, and which roles one person may not hold
together (P1, ARCHITECTURE rule 9). Never decided here: what a role may do (`policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a person is here for (P1)."""

    OPERATOR = "operator"
    APPROVER = "approver"
    AUDITOR = "auditor"
    ADMIN = "admin"
    CUSTODIAN = "custodian"
    CSM = "csm"


INCOMPATIBLE: frozenset[frozenset[Role]] = frozenset(
    {frozenset({Role.ADMIN, Role.OPERATOR}), frozenset({Role.ADMIN, Role.APPROVER})}
)
"""Roles that no one person holds together: who gives power does not use it."""


class ActorKind(StrEnum):
    """The three kinds of actor in the log."""

    PERSON = "person"
    MACHINE = "machine"
    SYSTEM = "system"


class ScopeKind(StrEnum):
    """How far a grant reaches (C1: a person can be limited to customers or accounts)."""

    ALL = "all"
    CUSTOMER = "customer"
    ACCOUNT = "account"


@dataclass(frozen=True, slots=True)
class Scope:
    """The reach of one grant; `target` is a customer id or an account number, empty for all."""

    kind: ScopeKind = ScopeKind.ALL
    target: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind is ScopeKind.ALL else f"{self.kind}:{self.target}"


@dataclass(frozen=True, slots=True)
class Power:
    """A role within a scope, in force now."""

    role: Role
    scope: Scope


@dataclass(frozen=True, slots=True)
class Reach:
    """The customers and accounts that something covers: everything, or those named."""

    everything: bool = False
    customers: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()

    @property
    def empty(self) -> bool:
        """Whether it covers nothing at all."""
        return not (self.everything or self.customers or self.accounts)

    def covers(self, customer_id: str, account_id: str | None = None) -> bool:
        """Say whether a customer, or one of its accounts, lies within."""
        return (
            self.everything
            or customer_id in self.customers
            or (account_id is not None and account_id in self.accounts)
        )


EVERYTHING: Final = Reach(everything=True)


def reach_of(scopes: tuple[Scope, ...]) -> Reach:
    """Join scopes into what they cover together; no scopes cover nothing."""
    return Reach(
        everything=any(scope.kind is ScopeKind.ALL for scope in scopes),
        customers=frozenset(scope.target for scope in scopes if scope.kind is ScopeKind.CUSTOMER),
        accounts=frozenset(scope.target for scope in scopes if scope.kind is ScopeKind.ACCOUNT),
    )


def joined(reaches: Iterable[Reach]) -> Reach:
    """Join reaches into what they cover together."""
    each = tuple(reaches)
    return Reach(
        everything=any(one.everything for one in each),
        customers=frozenset().union(*(one.customers for one in each)),
        accounts=frozenset().union(*(one.accounts for one in each)),
    )


@dataclass(frozen=True, slots=True)
class IdempotencyKey:
    """A client's promise that repeats of one request carry this key (SECURITY S8).

    `body_mac` is the HMAC of method, path and body under a key outside the database.
    """

    key: str
    body_mac: str


@dataclass(frozen=True, slots=True)
class Asked:
    """What one request asks for, exactly, as a passkey signs it (S16).

    `digest` is the SHA-256 of method, path and all fields but the factor; it is never kept or logged as it is, because
    the fields may hold a secret. `content` are a program's fields as JSON, secrets left out, for the person to read;
    None where the person sends the request from a page.
    """

    digest: bytes = field(repr=False)
    method: str = ""
    path: str = ""
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from, as far as the log may know: never a token, only its id.

    `session` is the id of the session or API token, to which a step-up is bound (S16); `mfa` names
    the second factor that the act rests on, of the sign-in or given afresh ("totp"; "passkey", given afresh with
    the passkey and the signature that it names; "none" for a token by itself); `browser` is true for a cookie session.
    """

    request_id: str
    ip: str = ""
    session: str = ""
    mfa: str = "none"
    browser: bool = False
    idempotency: IdempotencyKey | None = None
    asked: Asked | None = None
    """Of a request that carries a second factor."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts in one use case, with the powers that were in force when the request came in."""

    kind: ActorKind
    id: str
    name: str
    powers: tuple[Power, ...] = ()
    permissions: frozenset[str] = frozenset()
    """A machine's scopes, by permission name; empty for people."""
    scope: Scope = field(default=Scope())
    """A machine token's reach."""
    withheld: frozenset[str] = frozenset()
    """Roles that this session or token may not use, whatever grants say: they are not in `powers`."""
    origin: Origin = field(default=Origin(request_id="-"))

    @property
    def roles(self) -> tuple[Role, ...]:
        """The roles held, each once, in the order of `Role`."""
        held = {power.role for power in self.powers}
        return tuple(role for role in Role if role in held)

    def with_factor(self, factor: str = "totp") -> Actor:
        """Give this actor as the log names them for an act that rests on a fresh factor (S16, S26)."""
        return replace(self, origin=replace(self.origin, mfa=factor))


def system_actor(name: str, request_id: str = "-") -> Actor:
    """Make the actor for what the program does by itself (expiry, start, import on the host)."""
    return Actor(ActorKind.SYSTEM, f"system:{name}", name, origin=Origin(request_id=request_id))


def incompatible(roles: frozenset[Role]) -> tuple[Role, ...] | None:
    """Name two roles of `roles` that no one may hold together, or None (ARCHITECTURE rule 9)."""
    for pair in INCOMPATIBLE:
        if pair <= roles:
            return tuple(sorted(pair))
    return None
