"""The board: what has to be done so that every credential stays sound, the riskiest first.

Decided here: that the order is made of all credentials in sight at each reading, so that a page goes on behind the last
one's risk and number; what has changed meanwhile stands where it belongs now.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.board import WEIGHTS, Stage, risk, stages
from vault.domain.health import Fact, Health, Why, sort_facts
from vault.services.healths import HealthFilter, bad_cursor

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Slice, Unit, Units
    from vault.services.healths import AccountHealth, Healths

ROTATES: Final = "CRED_ROTATE"
"""The reason of a checkout that does this work."""
_CURSOR: Final = re.compile(r"(0|[1-9][0-9]{0,5})-([0-9]{12})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Doer:
    """Who is to do it: whose the account is in a campaign that runs."""

    campaign_id: str
    campaign: str
    person_id: str | None
    name: str


@dataclass(frozen=True, slots=True)
class BoardItem:
    """One credential about which something is to be done, and since when."""

    found: AccountHealth
    risk: int
    stages: frozenset[Stage]
    since: datetime | None
    doer: Doer | None = None

    @property
    def facts(self) -> tuple[Fact, ...]:
        """Give each kind of fact once and from its beginning, the weightiest first."""
        found: dict[Why, Fact] = {}
        for each in sort_facts(fact for part in self.found.health.parts for fact in part.facts):
            found.setdefault(each.why, each)
        return tuple(sorted(found.values(), key=lambda each: -WEIGHTS[each.why]))


@dataclass(frozen=True, slots=True)
class BoardPage:
    """A page of the board; `counts` is by stage over all that the rest of the filter leaves."""

    items: tuple[BoardItem, ...]
    counts: Mapping[Stage, int]
    next: str | None


@dataclass(frozen=True, slots=True)
class Board:
    """The use case of the board."""

    units: Units
    clock: Clock
    healths: Healths

    def page(self, actor: Actor, wanted: HealthFilter, stage: Stage | None, part: Slice) -> BoardPage:
        """List what is to be done in sight, the riskiest first; raise `Invalid` cursor.invalid."""
        after = _after(part.cursor)
        now = self.clock.now()
        with self.units.read() as unit:
            gathered = self.healths.gather(unit, self.healths.whose(actor, wanted), now)
            found = [item for each in gathered if (item := item_of(each, now)) is not None]
            found = [each for each in found if wanted.health in {None, each.found.health.health}]
            counts = Counter(each for item in found for each in item.stages)
            ordered = sorted((each for each in found if stage is None or stage in each.stages), key=_key)
            rest = ordered if after is None else [each for each in ordered if _key(each) > after]
            shown = _with_doers(unit, rest[: part.limit], now)
        following = _cursor(shown[-1]) if len(rest) > len(shown) else None
        return BoardPage(shown, {each: counts[each] for each in Stage}, following)


def item_of(found: AccountHealth, now: datetime) -> BoardItem | None:
    """Make the board's item of a credential; None where nothing is to be done about it."""
    unverified, holder = found.unverified, found.holder
    doing = found.in_progress or (holder is not None and holder.reason == ROTATES)
    at = stages(found.health, in_progress=doing, unverified=bool(unverified))
    if not at or found.health.health is Health.ABSENT:
        return None
    since = found.health.since or min((each.since for each in found.underway), default=None)
    weight = risk(found.health, found.account.kind, now, unverified=bool(unverified))
    return BoardItem(found, weight, at, since)


def _with_doers(unit: Unit, items: list[BoardItem], now: datetime) -> tuple[BoardItem, ...]:
    """Say of a page's items whose they are in a campaign that runs."""
    having = unit.campaigns.having([each.found.account.id for each in items], now)
    people = {place.person_id for _, place in having.values() if place.person_id is not None}
    names = {each: person.name for each in sorted(people) if (person := unit.people.get(each)) is not None}
    doers = {
        number: Doer(campaign.id, campaign.name, place.person_id, names.get(place.person_id or "", ""))
        for number, (campaign, place) in having.items()
    }
    return tuple(replace(item, doer=doers.get(item.found.account.id)) for item in items)


def _key(item: BoardItem) -> tuple[int, str]:
    return (-item.risk, item.found.account.id)


def _cursor(item: BoardItem) -> str:
    return f"{item.risk}-{item.found.account.id}"


def _after(cursor: str | None) -> tuple[int, str] | None:
    if cursor is None:
        return None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise bad_cursor()
    return (-int(found[1]), found[2])
