"""What the log itself tells of things that take two people: proposals, versions of the policy, recovery recipients.

Decided here: how it is told. The entries that adopted, agreed to or ended such things are read, newest first, and each
that tells of one is proven to be in the signed tree, whether or not it counts. Of numbered things that nobody ended,
the newest is in force whose time has come. Rows, settings and files say nothing here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Reach
from vault.domain.event import EventType, stamp
from vault.errors import Unavailable
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from vault.ports.store import Entry, Unit

_PIECE: Final = 100
Facts = Mapping[str, str]
"""What was told of one thing, by column; the empty name is its state."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of such things: how changes name it, and the entries that may tell of it."""

    entity: str
    types: tuple[EventType, ...]

    def told_by(self, content: Mapping[str, object]) -> dict[str, Facts]:
        """Read what an entry tells of them, by id."""
        found: dict[str, dict[str, str]] = {}
        changes = content.get("changes")
        is_telling = content.get("outcome") == "success" and content.get("type") in self.types
        for each in changes if is_telling and isinstance(changes, list) else ():
            kind, _, name = str(each["entity"]).partition(".") if isinstance(each, dict) else ("", "", "")
            if isinstance(each, dict) and kind == self.entity:
                found.setdefault(str(each["id"]), {})[name] = str(each["to"])
        return dict(found)

    def numbered_by(self, content: Mapping[str, object]) -> list[tuple[int, Facts]]:
        """Read what an entry tells of numbered ones, the newest first."""
        return sorted(((int(name), facts) for name, facts in self.told_by(content).items()), reverse=True)


@dataclass(frozen=True, slots=True)
class InForce:
    """The one that counts: its number, what was told of it, and by which entry."""

    number: int
    facts: Facts
    index: int


def in_force(unit: Unit, kind: Kind, now: datetime) -> InForce | None:
    """Give the numbered one that the log has in force; None where it tells of none.

    Call it in a unit whose mark was checked first. Raises `Unavailable` log.rolled_back.
    """
    ended: set[int] = set()
    for entry in _telling(unit, kind):
        told = kind.numbered_by(entry.content)
        # also what is passed by: an entry that was changed to count later would bring an older one back
        if told:
            _prove(unit, entry)
        for number, facts in told:
            if is_ended(facts):
                ended.add(number)
            elif number not in ended and has_come(facts, now):
                return InForce(number, facts, entry.index)
    return None


def told_of(unit: Unit, kind: Kind, name: str) -> Facts:
    """Give what the log tells of one by its id, the latest word on each fact, each entry that does so proven."""
    facts: dict[str, str] = {}
    for entry in _telling(unit, kind):
        mine = kind.told_by(entry.content).get(name)
        if mine:
            _prove(unit, entry)
            facts = {**mine, **facts}
    return {fact: value for fact, value in facts.items() if value}


def is_ended(facts: Facts) -> bool:
    """Say whether it was ended."""
    return facts.get("") == "ended"


def has_come(facts: Facts, now: datetime) -> bool:
    """Say whether its time has come."""
    return facts.get("effective_at", "") <= stamp(now)


def _telling(unit: Unit, kind: Kind) -> Iterator[Entry]:
    """Go through the entries that may tell of them, newest first."""
    wanted, cursor = EntryFilter(types=kind.types), None
    while True:
        page = unit.log.page(wanted, Reach(everything=True), Slice(_PIECE, cursor))
        yield from page.items
        if page.next is None:
            return
        cursor = page.next


def _prove(unit: Unit, entry: Entry) -> None:
    """Raise `Unavailable` log.rolled_back unless the signed tree has exactly this entry in this place."""
    proven = unit.log.proven(entry.index)
    if proven is None or proven.leaf_hash != entry.leaf_hash:
        raise Unavailable("log.rolled_back", f"Entry {entry.index} is not the one that was signed.")
