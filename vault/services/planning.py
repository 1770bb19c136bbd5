"""What somebody wants two people to agree to, resolved: every account, and everybody who may ever have one.

Decided here: a filter is looked up once, when a campaign is proposed; only held accounts within the reach of who
proposes are in it, and only people who may use root there; shared out, each account goes to somebody who reaches it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vault.domain.account import Custody
from vault.domain.actor import Actor, ActorKind, Reach, Scope, ScopeKind
from vault.domain.campaign import LONGEST, MOST_ACCOUNTS, MOST_PEOPLE, NAME_MAX, Parts, Plan, shared_out
from vault.domain.person import Grant, Person, powers
from vault.domain.policy import Permission, Policy
from vault.errors import FieldError, Invalid
from vault.ports.health import Whose
from vault.services.velocity import BUDGET_MOST

if TYPE_CHECKING:
    from vault.domain.account import Account, Kind
    from vault.domain.health import Health, Why
    from vault.ports.store import Unit
    from vault.services.gate import Gate
    from vault.services.healths import AccountHealth, Healths

_WORDS: Final = "Some of the input is not valid; see errors."


@dataclass(frozen=True, slots=True)
class Where:
    """Which held accounts: what is given narrows together; of `healths` and of `whys` any fits."""

    customer_id: str | None = None
    kind: Kind | None = None
    healths: frozenset[Health] = frozenset()
    whys: frozenset[Why] = frozenset()

    def fits(self, found: AccountHealth) -> bool:
        """Say whether an account's credential is one that is meant."""
        if self.healths and found.health.health not in self.healths:
            return False
        whys = {fact.why for part in found.health.parts for fact in part.facts}
        return not self.whys or bool(self.whys & whys)


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants two people to agree to; `accounts` are named, or looked up by `where` (then None).

    With `share` they are shared out evenly among `people` (ids) now; else each takes what nobody has.
    """

    name: str
    why: str
    parts: Parts
    until: datetime
    accounts_per_hour: int
    people: tuple[str, ...]
    accounts: tuple[str, ...] | None = None
    where: Where = field(default_factory=Where)
    share: bool = True


@dataclass(frozen=True, slots=True)
class Planning:
    """Resolves wishes."""

    gate: Gate
    healths: Healths

    def plan(self, unit: Unit, actor: Actor, wish: Wish, now: datetime) -> tuple[Plan, Scope]:
        """Resolve a wish into what is agreed to, and how far that reaches; raises `Invalid`."""
        errors = self._wrong(wish, now)
        found = self.found(unit, actor, wish.where, now, wish.accounts)
        users = self.able(unit, actor, now)
        if wish.accounts is not None and len(found) < len(set(wish.accounts)):
            words = f"{len(set(wish.accounts)) - len(found)} of these are not held by us, or not within your reach."
            errors.append(FieldError("/accounts", words))
        elif not 1 <= len(found) <= MOST_ACCOUNTS:
            words = f"That is {len(found)} accounts; a campaign has 1 to {MOST_ACCOUNTS}."
            errors.append(FieldError("/accounts", words))
        if actor.id in wish.people:
            errors.append(FieldError("/people", "Nobody proposes a pace for themselves; leave yourself out."))
        elif any(each not in users for each in wish.people):
            errors.append(FieldError("/people", "Some of these may not use root here, or are not there."))
        if errors:
            raise Invalid("input.invalid", _WORDS, errors=tuple(errors))
        reaches = {each: users[each][1] for each in wish.people}
        near = {
            each.id: frozenset(
                who for who, reach in reaches.items() if reach.covers(each.customer_id, each.id)
            )
            for each in found
        }
        shares = shared_out(near) if wish.share else {"": tuple(near)}
        plan = Plan(
            wish.name.strip(),
            wish.parts,
            wish.until.replace(microsecond=0),
            wish.accounts_per_hour,
            frozenset(wish.people),
            shares,
        )
        return plan, _scope(found)

    def _wrong(self, wish: Wish, now: datetime) -> list[FieldError]:
        errors: list[FieldError] = []
        if not 1 <= len(wish.name.strip()) <= NAME_MAX:
            errors.append(FieldError("/name", f"Give it a name of at most {NAME_MAX} characters."))
        least = self.gate.policy.limits.accounts_per_hour
        if not least <= wish.accounts_per_hour <= BUDGET_MOST:
            words = f"Give a number from {least}, which is everybody's anyhow, to {BUDGET_MOST}."
            errors.append(FieldError("/accounts_per_hour", words))
        if not now < wish.until <= now + LONGEST:
            errors.append(FieldError("/until", f"Give a moment within the next {LONGEST.days} days."))
        if not 1 <= len(wish.people) <= MOST_PEOPLE:
            errors.append(FieldError("/people", f"Name 1 to {MOST_PEOPLE} people who do it."))
        return errors

    def found(
        self, unit: Unit, actor: Actor, where: Where, now: datetime, numbers: Sequence[str] | None = None
    ) -> tuple[Account, ...]:
        """Find held accounts within the reach of who proposes: those named, or those that a filter finds."""
        whose = Whose(
            self.gate.policy.reach(actor, Permission.BUDGET_RAISE),
            None if numbers is None else tuple(sorted(set(numbers))),
            where.customer_id,
            where.kind,
            Custody.HELD,
        )
        if numbers is not None or not (where.healths or where.whys):
            return unit.health.accounts(whose)
        gathered = self.healths.gather(unit, whose, now)
        return tuple(each.account for each in gathered if where.fits(each))

    def able(self, unit: Unit, actor: Actor, now: datetime) -> dict[str, tuple[Person, Reach]]:
        """Give whoever may use root within the reach of who raises budgets, but themselves (S21)."""
        reach = self.gate.policy.reach(actor, Permission.BUDGET_RAISE)
        users = users_of(unit, self.gate.policy, now)
        numbers = frozenset().union(reach.accounts, *(theirs.accounts for _, theirs in users.values()))
        owners = unit.history.customers_of(tuple(sorted(numbers)))
        return {
            number: (person, theirs)
            for number, (person, theirs) in users.items()
            if number != actor.id and _meet(reach, theirs, owners)
        }


def users_of(unit: Unit, policy: Policy, now: datetime) -> dict[str, tuple[Person, Reach]]:
    """List who may use root now, each with how far, by id: one statement."""
    grants: dict[str, tuple[Person, tuple[Grant, ...]]] = {}
    for person, grant in unit.people.holders(policy.permissions[Permission.CHECKOUT_USE], now):
        before = grants.get(person.id, (person, ()))[1]
        grants[person.id] = (person, (*before, grant))
    found: dict[str, tuple[Person, Reach]] = {}
    for number, (person, held) in grants.items():
        who = Actor(ActorKind.PERSON, number, person.name, powers(held, now))
        found[number] = (person, policy.reach(who, Permission.CHECKOUT_USE))
    return found


def _meet(one: Reach, other: Reach, owners: Mapping[str, str]) -> bool:
    """Say whether some account can lie within both."""
    if one.empty or other.empty:
        return False
    customers = any(other.covers(each) for each in one.customers) or any(
        one.covers(each) for each in other.customers
    )
    accounts = (*one.accounts, *other.accounts)
    return (
        one.everything
        or other.everything
        or customers
        or any(
            each in owners and one.covers(owners[each], each) and other.covers(owners[each], each)
            for each in accounts
        )
    )


def _scope(found: tuple[Account, ...]) -> Scope:
    """Give the narrowest scope that has all of some accounts."""
    if len(found) == 1:
        return Scope(ScopeKind.ACCOUNT, found[0].id)
    owners = {each.customer_id for each in found}
    return Scope(ScopeKind.CUSTOMER, owners.pop()) if len(owners) == 1 else Scope()
