"""Whom an administrator or auditor may know of: people who have power within their own reach, and themselves.

Decided here: a person is in sight where one of their roles lies within the reader's reach, or, while they have no
role, where the reader made their link; nobody else is there (S21, S22). Whoever is to be shut out, recovered or
signed out has to lie within it with all their roles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.actor import Actor, ActorKind, Scope, ScopeKind, joined
from vault.domain.freeze import Covered, FreezeKind
from vault.domain.person import PersonState, powers
from vault.domain.policy import Permission

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Reach
    from vault.domain.person import Grant, Person
    from vault.domain.policy import Policy
    from vault.ports.store import Unit


def reach_over_people(policy: Policy, actor: Actor) -> Reach:
    """Give how far somebody reads about people: by managing them, or by reading the whole log."""
    return joined(policy.reach(actor, each) for each in (Permission.LOG_READ, Permission.PEOPLE_MANAGE))


def lies_within(unit: Unit, reach: Reach, scope: Scope) -> bool:
    """Say whether a scope lies within a reach; an account lies within its customer."""
    if reach.everything or scope.kind is ScopeKind.ALL:
        return reach.everything
    if scope.kind is ScopeKind.CUSTOMER:
        return reach.covers(scope.target)
    account = unit.accounts.get(scope.target)
    return account is not None and reach.covers(account.customer_id, account.id)


def standing(unit: Unit, person_id: str) -> tuple[Grant, ...]:
    """List a person's grants that are not removed."""
    return tuple(grant for grant in unit.people.grants(person_id) if grant.removed_at is None)


def in_sight(
    unit: Unit, policy: Policy, actor: Actor, person: Person, grants: tuple[Grant, ...]
) -> tuple[Grant, ...] | None:
    """Give those of a person's standing grants that the actor may know of; None where the person is not there."""
    reach = reach_over_people(policy, actor)
    if person.id == actor.id or reach.everything:
        return grants
    seen = tuple(grant for grant in grants if lies_within(unit, reach, grant.scope))
    own = not grants and person.link_by == actor.id and not reach.empty
    return seen if seen or own else None


def word_counts(
    unit: Unit, policy: Policy, person_id: str, permission: Permission, scope: Scope, now: datetime
) -> bool:
    """Say whether a person's word within a scope counts now: they work here, may give it, and are not frozen (S17)."""
    person = unit.people.get(person_id)
    if person is None or person.state is not PersonState.ACTIVE:
        return False
    if unit.freezes.on(Covered(FreezeKind.PERSON, person.id)) is not None:
        return False
    who = Actor(ActorKind.PERSON, person.id, person.name, powers(unit.people.grants(person.id), now))
    return lies_within(unit, policy.reach(who, permission), scope)
