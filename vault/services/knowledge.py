"""Who could have known a credential at a time, and what one person may know now: answered from leaves.

Decided here: who may ask, and up to which entry is read for a time. Whose account is not in sight learns nothing,
not even that there is one (S21); a person of whom nothing is in sight is as absent. What an auditor reads is an
entry. What is derived from the entries is decided in `knowledge_told`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.actor import ActorKind, Reach
from vault.domain.credential import PartKind
from vault.domain.event import EventType, stamp
from vault.domain.policy import Permission
from vault.errors import Invalid, not_found
from vault.ports.ranges import Pick, Stretch
from vault.services.knowledge_told import DISCLOSED, LIFE, How, Knower, Life, how_of
from vault.services.leaves import Disclosure, Leaf, disclosures
from vault.services.viewed import is_auditor, record_view

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.person import Person
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate

MOST_OF_LIFE: Final = 20_000
MOST_DISCLOSED: Final = 20_000
MOST_OF_PERSON: Final = 5_000
MOST_ACCOUNTS: Final = 500

_OF_PERSON: Final = (
    EventType.REVEAL_AUTHORIZED,
    EventType.REVEAL_RELEASED,
    EventType.REVEAL_FAILED,
    EventType.CREDENTIAL_TAKEN_IN,
    EventType.ROTATION_PLANNED,
    EventType.ROTATION_VERIFIED,
)
_NOTHING: Final = (
    "The log tells nothing of this account up to then: "
    "unknown others could have known its password and its MFA device."
)


@dataclass(frozen=True, slots=True)
class Known:
    """Everyone who could have known an account's credential at `at`, as told by entries below `until`.

    `alone` names who knew a password and a device's key at once, and so could have signed in by themselves;
    `read_all` is False where there were more entries than are read at once; `unknown` says in sentences where unknown
    others could have known it and the log cannot name them.
    """

    account_id: str
    at: datetime
    until: int
    knowers: tuple[Knower, ...]
    alone: tuple[str, ...]
    read_all: bool
    checkpoint: str
    unknown: tuple[str, ...]

    @property
    def complete(self) -> bool:
        """Whether everyone who could have known it is named."""
        return self.read_all and not self.unknown


@dataclass(frozen=True, slots=True)
class Knows:
    """One credential that a person may know now."""

    account_id: str
    knower: Knower


@dataclass(frozen=True, slots=True)
class KnownToPerson:
    """What a person may know now; `ended` counts what they knew and opens nothing any more."""

    person: Person
    at: datetime
    items: tuple[Knows, ...]
    ended: int
    codes: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Knowledge:
    """Use cases that tell who could know what."""

    units: Units
    gate: Gate
    clock: Clock

    def of_account(
        self,
        actor: Actor,
        account_id: str,
        at: datetime | None = None,
        kind: PartKind | None = None,
        version: int | None = None,
    ) -> Known:
        """Tell who could have known an account's credential at a time (None: now).

        With `kind` and `version`, everyone who ever could have known that one up to then, also where it has ended.
        """
        now = self.clock.now()
        if at is not None and at > now:
            raise Invalid("input.invalid", "Nobody knows what will be: give a time that is over.")
        if (kind is None) is not (version is None):
            raise Invalid("input.invalid", "Name a part and a version of it, or neither.")
        when = now if at is None else at
        with self.units.read() as unit:
            account = unit.accounts.get(account_id)
            if account is None or not self._sees(actor, account):
                raise not_found("account", account_id[:12])
            until = unit.ranges.size() if at is None else unit.ranges.index_at(at)
            life_leaves = _read(unit, Pick(types=tuple(LIFE), account_id=account_id), 0, until, MOST_OF_LIFE)
            life = Life.of(life_leaves)
            first = life.first_of_use() if version is None else 0
            wanted = Pick(types=tuple(DISCLOSED), account_id=account_id)
            shown = _read(unit, wanted, first, until, MOST_DISCLOSED)
            told = unit.ranges.pick(Stretch(0, until), Pick(account_id=account_id), 1)
            checkpoint = unit.log.checkpoint()
        asked = {} if at is None else {"at": stamp(at)}
        part = {} if kind is None or version is None else {"part": f"{kind}:{version}"}
        self._viewed(actor, {"what": "known", "account": account_id} | asked | part, now)
        found = life.knowers(disclosures(shown))
        if version is not None:
            found = tuple(each for each in found if (each.kind, each.version) == (kind, version))
        else:
            found = tuple(each for each in found if each.lasts or _is_code_now(each))
        return Known(
            account_id,
            when,
            until,
            found,
            _alone(found),
            len(life_leaves) < MOST_OF_LIFE and len(shown) < MOST_DISCLOSED,
            checkpoint,
            () if version is not None else life.unreached() if told else (_NOTHING,),
        )

    def of_person(self, actor: Actor, person_id: str) -> KnownToPerson:
        """Tell which credentials a person may know now: of oneself, or for administrators and auditors."""
        now = self.clock.now()
        reach = self._reach(actor, person_id)
        with self.units.read() as unit:
            person = unit.people.get(person_id)
            if person is None or reach.empty:
                raise not_found("person", person_id[:36])
            wanted = Pick(types=tuple(_OF_PERSON), actor_id=person_id)
            newest = unit.ranges.last(wanted, MOST_OF_PERSON)
            every = tuple(Leaf.of(each) for each in reversed(newest))
            accounts = _in_sight(unit, every, reach)
            mine = every if reach.everything else tuple(leaf for leaf in every if leaf.account in accounts)
            if not mine and not reach.everything:
                raise not_found("person", person_id[:36])
            items: list[Knower] = []
            ended = 0
            for account in list(accounts.values())[:MOST_ACCOUNTS]:
                own = tuple(leaf for leaf in mine if leaf.account == account.id)
                known = self._of_person_in(unit, account, person_id, own)
                items += [each for each in known if each.lasts]
                ended += sum(1 for each in known if not each.lasts)
        self._viewed(actor, {"what": "knows", "person": person_id}, now)
        codes = sum(1 for each in disclosures(mine) if each.counts and how_of(each) is How.CODE)
        told = tuple(Knows(each.leaf.account, each) for each in items)
        complete = len(newest) < MOST_OF_PERSON and len(accounts) <= MOST_ACCOUNTS
        return KnownToPerson(person, now, told, ended, codes, complete)

    def _of_person_in(
        self, unit: Unit, account: Account, person_id: str, own: tuple[Leaf, ...]
    ) -> tuple[Knower, ...]:
        """Give what one person came to know of one account, each version once, by its first entry."""
        leaves = _read(
            unit, Pick(types=tuple(LIFE), account_id=account.id), 0, unit.ranges.size(), MOST_OF_LIFE
        )
        seen: tuple[Disclosure, ...] = disclosures(own)
        found = Life.of(leaves).knowers(seen)
        lasting = (each for each in found if each.who_id == person_id and each.how is not How.CODE)
        first: dict[tuple[str, int], Knower] = {}
        for each in lasting:
            first.setdefault((each.kind, each.version), each)
        return tuple(first.values())

    def _viewed(self, actor: Actor, detail: Mapping[str, str], now: datetime) -> None:
        if is_auditor(self.gate.policy, actor):
            record_view(self.units, actor, detail, now)

    def _sees(self, actor: Actor, account: Account) -> bool:
        if actor.kind is ActorKind.MACHINE:
            return False
        whole = self.gate.policy.reach(actor, Permission.LOG_READ).everything
        reach = self.gate.policy.reach(actor, Permission.TRAIL_READ)
        return whole or reach.covers(account.customer_id, account.id)

    def _reach(self, actor: Actor, person_id: str) -> Reach:
        """Give the accounts that the answer may name: all for oneself, else those one reads or manages."""
        if actor.id == person_id:
            return Reach(everything=True)
        reaches = [
            self.gate.policy.reach(actor, each) for each in (Permission.LOG_READ, Permission.PEOPLE_MANAGE)
        ]
        return Reach(
            everything=any(each.everything for each in reaches),
            customers=frozenset().union(*(each.customers for each in reaches)),
            accounts=frozenset().union(*(each.accounts for each in reaches)),
        )


def _read(unit: Unit, wanted: Pick, first: int, until: int, limit: int) -> tuple[Leaf, ...]:
    return tuple(Leaf.of(each) for each in unit.ranges.pick(Stretch(first, until), wanted, limit))


def _in_sight(unit: Unit, leaves: tuple[Leaf, ...], reach: Reach) -> dict[str, Account]:
    """Give the accounts that leaves are about, by number, as far as `reach` goes."""
    numbers = dict.fromkeys(leaf.account for leaf in leaves if leaf.account)
    found = (unit.accounts.get(number) for number in numbers)
    return {each.id: each for each in found if each is not None and reach.covers(each.customer_id, each.id)}


def _is_code_now(each: Knower) -> bool:
    """Say whether it is a code of a device that has not been replaced: worth showing, though it opens nothing."""
    return each.how is How.CODE and each.until is None


def _alone(found: tuple[Knower, ...]) -> tuple[str, ...]:
    """Name who knew a password and a device's key at once."""
    by_kind = {
        kind: {each.who_id: each.who_name for each in found if each.lasts and each.kind == kind}
        for kind in PartKind
    }
    both = by_kind[PartKind.PASSWORD].keys() & by_kind[PartKind.MFA].keys()
    return tuple(sorted(by_kind[PartKind.MFA][who] for who in both))
