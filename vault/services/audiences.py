"""Who exactly is told of an entry: people by the table of audiences, each within what they may see (S21).

Decided here: how an audience becomes people. Nobody is told of an account that they do not see; of what is about
no account, only those whom it concerns and those whose power reaches it. Who did it is not told, but where it
concerns themselves. Never done here: a message, or anything that is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Actor, ActorKind, Reach, Role, Scope, ScopeKind
from vault.domain.audience import Audience, Route
from vault.domain.event import EventType
from vault.domain.freeze import FreezeKind
from vault.domain.notice import Topic
from vault.domain.person import PersonState, powers
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.checkout import Checkout
    from vault.domain.person import Person
    from vault.ports.store import Unit
    from vault.services.gate import Gate
    from vault.services.leaves import Leaf

CONCERNED: Final = (
    "person",
    "about",
    "of",
    "owner",
    "holder",
    "requester",
    "requester_id",
    "proposed_by",
    "revoked_person",
)
"""Members of an entry's detail that may name the person whom it is about."""
_WIDE: Final[Mapping[Audience, Permission]] = {
    Audience.APPROVERS: Permission.CHECKOUT_APPROVE,
    Audience.ADMINISTRATORS: Permission.PEOPLE_MANAGE,
    Audience.AUDITORS: Permission.LOG_READ,
    Audience.KEEPERS: Permission.FINDING_HANDLE,
    Audience.HANDLERS: Permission.INCIDENT_HANDLE,
    Audience.REVIEWERS: Permission.CHECKOUT_REVIEW,
}
_EVEN_SHUT_OUT: Final = frozenset({EventType.PERSON_DISABLED})


@dataclass(frozen=True, slots=True)
class Reader:
    """A person as somebody who may be told: with the powers that are in force now."""

    person: Person
    actor: Actor


@dataclass(slots=True)
class Audiences:
    """The people of one moment, looked up once for many entries; `second_words` is what agreeing needs, by kind."""

    unit: Unit
    gate: Gate
    now: datetime
    second_words: Mapping[ProposalKind, Permission]
    _readers: dict[str, Reader] | None = None
    _accounts: dict[str, Account | None] = field(default_factory=dict)
    _checkouts: dict[str, Checkout | None] = field(default_factory=dict)

    def of(self, leaf: Leaf, route: Route) -> dict[str, Reader]:
        """Name those who are told of an entry, by id."""
        found: dict[str, Reader] = {}
        for audience in route.to:
            about_them = audience is Audience.CONCERNED and not route.by_another
            for reader in self._group(audience, leaf, route):
                is_told = about_them or reader.person.id != leaf.who.id
                if is_told and self.may_hear(reader, leaf.type, leaf.account or None):
                    found[reader.person.id] = reader
        return found

    def may_hear(self, reader: Reader, event: str, account_id: str | None) -> bool:
        """Say whether a person is still somebody to tell, and sees the account."""
        state = reader.person.state
        shut_out_by_it = state is PersonState.DISABLED and event in _EVEN_SHUT_OUT
        if state is not PersonState.ACTIVE and not shut_out_by_it:
            return False
        if account_id is None:
            return True
        reach = self.gate.policy.reach(reader.actor, Permission.ACCOUNT_READ)
        account = self.account(account_id)
        return reach.everything if account is None else reach.covers(account.customer_id, account.id)

    def reader(self, person_id: str) -> Reader | None:
        """Find a person, with powers or without."""
        known = self._holders().get(person_id)
        if known is not None:
            return known
        person = self.unit.people.get(person_id)
        return None if person is None else Reader(person, Actor(ActorKind.PERSON, person.id, person.name))

    def account(self, account_id: str) -> Account | None:
        """Find an account, once."""
        if account_id not in self._accounts:
            self._accounts[account_id] = self.unit.accounts.get(account_id)
        return self._accounts[account_id]

    def checkout(self, checkout_id: str) -> Checkout | None:
        """Find a checkout, once."""
        if checkout_id not in self._checkouts:
            self._checkouts[checkout_id] = self.unit.checkouts.get(checkout_id)
        return self._checkouts[checkout_id]

    def _group(self, audience: Audience, leaf: Leaf, route: Route) -> Iterator[Reader]:
        if audience is Audience.CONCERNED:
            named = tuple(self._named(concerned(leaf)))
            yield from named or self._named((leaf.who.id,) if route.topic is Topic.OWN else ())
        elif audience is Audience.REQUESTER:
            checkout = self.checkout(leaf.checkout)
            yield from self._named(() if checkout is None else (checkout.requester_id,))
        elif audience is Audience.SECONDS:
            kind = leaf.told("kind")
            permission = self.second_words.get(ProposalKind(kind)) if kind in set(ProposalKind) else None
            yield from () if permission is None else self._holding(permission, leaf)
        elif audience is Audience.NEXT:
            needed = leaf.told("next")
            yield from self._holding(Permission(needed), leaf) if needed in set(Permission) else ()
        else:
            if audience is Audience.APPROVERS and not self._needs_approval(leaf):
                return
            yield from self._holding(_WIDE[audience], leaf)

    def _needs_approval(self, leaf: Leaf) -> bool:
        """Say whether approvers have to do with it: with anything but a checkout that nobody approves."""
        checkout = self.checkout(leaf.checkout) if leaf.checkout else None
        return checkout is None or checkout.approvals_needed > 0

    def _named(self, names: tuple[str, ...]) -> Iterator[Reader]:
        for name in names:
            reader = self.reader(name)
            if reader is not None:
                yield reader

    def _holding(self, permission: Permission, leaf: Leaf) -> Iterator[Reader]:
        for reader in self._holders().values():
            if self._reaches(self.gate.policy.reach(reader.actor, permission), leaf):
                yield reader

    def _reaches(self, reach: Reach, leaf: Leaf) -> bool:
        """Say whether a power reaches what an entry is about: its account, its case's customer, its scope, or all."""
        if leaf.account:
            account = self.account(leaf.account)
            return reach.everything if account is None else reach.covers(account.customer_id, account.id)
        if leaf.told("case"):
            return reach.covers(leaf.told("customer"))
        kind, _, target = leaf.told("scope").partition(":")
        if kind == FreezeKind.VAULT:
            return not reach.empty
        if kind not in set(ScopeKind) or kind == ScopeKind.ALL:
            return reach.everything
        scope = Scope(ScopeKind(kind), target)
        if scope.kind is ScopeKind.CUSTOMER:
            return reach.covers(scope.target)
        account = self.account(scope.target)
        return reach.everything if account is None else reach.covers(account.customer_id, account.id)

    def _holders(self) -> dict[str, Reader]:
        """List everybody who holds any power now, in one query."""
        if self._readers is None:
            readers: dict[str, Reader] = {}
            for person, grant in self.unit.people.holders(frozenset(Role), self.now):
                before = readers.get(person.id)
                given = () if before is None else before.actor.powers
                actor = Actor(
                    ActorKind.PERSON, person.id, person.name, powers=(*given, *powers((grant,), self.now))
                )
                readers[person.id] = Reader(person, actor)
            self._readers = readers
        return self._readers


def concerned(leaf: Leaf) -> tuple[str, ...]:
    """Name those whom an entry is about, by id, as far as it says so; some may be no people."""
    owners = (each.now for each in leaf.changes if each.entity.endswith(".owner"))
    scope, _, target = leaf.told("scope").partition(":")
    frozen = (target,) if scope == FreezeKind.PERSON else ()
    names = (*(leaf.told(name) for name in CONCERNED), *frozen, *owners)
    return tuple(dict.fromkeys(name for name in names if name))
