"""Which entries of a day the rules look at, and what they need of the days before.

Decided here: of each type of entry, by each outcome, the first 5,000 of the day are looked at, and what strangers
did counts apart from what people and the vault did. So no type crowds out another: who is not signed in can fill
the log with refused sign-ins, and a granted role after them still stands out. What was left out is named.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.event import EventType, Result
from vault.ports.ranges import Pick, Stretch
from vault.services.anomalies import ENOUGH_HOURS, NOTABLE, Anomaly, Past, anomalies
from vault.services.leaves import Leaf

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault.ports.store import Unit

MOST: Final = 5_000
"""So many notable entries of one type, outcome and kind of actor in a day are looked at."""
STRANGER: Final = "system:stranger"
"""The actor's id of what nobody known did."""
_HOURS_LOOKED_AT: Final = 4 * ENOUGH_HOURS
_LOOKED_AT: Final = (Pick(types=NOTABLE), Pick(outcome=Result.DENIED), Pick(outcome=Result.FAILED))


def look_at(unit: Unit, stretch: Stretch) -> tuple[tuple[Anomaly, ...], tuple[str, ...]]:
    """Give what stands out in a day, and the types of which not all notable entries were looked at."""
    leaves, unread = _first_ones(unit, stretch, _LOOKED_AT)
    taken, more = _first_ones(unit, stretch, (Pick(types=(EventType.ROTATION_ACCEPTED,)),))
    return anomalies(leaves, _past(unit, leaves, stretch, taken)), tuple(sorted(unread | more))


def _first_ones(
    unit: Unit, stretch: Stretch, wanted: Iterable[Pick]
) -> tuple[tuple[Leaf, ...], frozenset[str]]:
    """Give the first entries of each type, by index, and the types that have more."""
    picked = (unit.ranges.of_each(stretch, each, MOST + 1, STRANGER) for each in wanted)
    leaves = {entry.index: Leaf.of(entry) for some in picked for entry in some}
    counted: Counter[tuple[str, str, bool]] = Counter()
    kept: list[Leaf] = []
    unread: set[str] = set()
    for index in sorted(leaves):
        leaf = leaves[index]
        counted[of := (leaf.type, leaf.outcome, leaf.who.id == STRANGER)] += 1
        if counted[of] > MOST:
            unread.add(leaf.type)
        else:
            kept.append(leaf)
    return tuple(kept), frozenset(unread)


def _past(unit: Unit, leaves: tuple[Leaf, ...], stretch: Stretch, taken: tuple[Leaf, ...]) -> Past:
    """Look up what the rules need of the log before the day; `taken` are the new values that AWS took that day."""
    granted = [leaf for leaf in leaves if leaf.is_(EventType.CHECKOUT_GRANTED)]
    leases = (EventType.CHECKOUT_GRANTED,)
    pairs = {(leaf.who.id, leaf.account) for leaf in granted}
    before = Stretch(0, stretch.first)
    used = frozenset(
        (who, account)
        for who, account in pairs
        if unit.ranges.pick(before, Pick(types=leases, actor_id=who, account_id=account), 1)
    )
    acts = (EventType.SIGNED_IN, EventType.CHECKOUT_GRANTED)
    hours = {
        who: tuple(
            Leaf.of(each).at.hour
            for each in unit.ranges.last(Pick(types=acts, actor_id=who), _HOURS_LOOKED_AT, stretch.first)
        )
        for who in {who for who, _ in pairs}
    }
    loaded = unit.ranges.last(Pick(types=(EventType.POLICY_LOADED,)), 1, stretch.first)
    return Past(
        used_before=used,
        hours=hours,
        policy=Leaf.of(loaded[0]).policy.get("id", "") if loaded else "",
        rotated=tuple((leaf.account, leaf.index) for leaf in taken if leaf.kind == PartKind.PASSWORD),
    )
