"""Finding the newest entries of a filter, whatever the filter, in a bounded number of steps.

Decided here: which way a search goes. One equality that has an index of its own goes by that index. All else
goes down the log in two strides: the entries behind the last indexed part are looked through as they are; of the
indexed ones the terms (`words`) say which can be meant, and only those are read. What has no term (a text of one or
two letters, a time alone, the reach over many accounts) is looked through in windows. Every stride has a budget: a
search that has used it up stops, tells how far it looked, and goes on from there at the next request.

Never done here: believing the index. It leaves out, it never adds; every entry is read and decided by its own words.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice
from typing import Final

from sqlalchemy import bindparam, select, text

from audit.entry import format_time
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.trail import Span, accounts_in, entries_like, entry_of, fits, moved_away
from vault.adapters.db.stores.words import GRAM, PART, Words, facet, grams, mask, parts, rows
from vault.domain.actor import Reach
from vault.ports.records import Entry, EntryFilter

WINDOW: Final = PART
"""Entries that are looked through by one statement."""
BUDGET: Final = 32_000
"""What one search may cost, in entries passed by; about as many microseconds."""
LOOKUP: Final = 5
"""What one row of the index costs."""
READ: Final = 25
"""What reading one entry costs."""
_CHUNKS: Final = (128, 512)
_PARTS: Final = (4, 64)
_STAGE: Final = 4
_GRAMS: Final = 32
_FEW: Final = 64
_FEW_ACCOUNTS: Final = 32

_SIZE: Final = text("SELECT size FROM audit_head")
_ROWS: Final = select(rows.c.part, rows.c.term, rows.c.entries).where(
    rows.c.part.in_(bindparam("parts", expanding=True)), rows.c.term.in_(bindparam("terms", expanding=True))
)
_WHOLE: Final = (1 << PART) - 1


class UsedUp(Exception):
    """The budget of a search is used up; it looked at everything from `reached` on."""

    def __init__(self, reached: int) -> None:
        super().__init__()
        self.reached = reached


@dataclass(slots=True)
class Budget:
    """What is left of a search's budget."""

    left: int = field(default_factory=lambda: BUDGET)

    def spend(self, cost: int, reached: int) -> None:
        """Take from the budget; raise `UsedUp`, having looked down to `reached`, where it does not suffice."""
        if self.left < cost:
            raise UsedUp(reached)
        self.left -= cost


@dataclass(frozen=True)
class Search:
    """One search: what is wanted by whom, below which index, and at most how many."""

    db: Statements
    wanted: EntryFilter
    reach: Reach
    most: int
    budget: Budget = field(default_factory=Budget)

    @cached_property
    def once(self) -> bool:
        """Whether accounts that moved away have entries that are meant."""
        return moved_away(self.db, self.reach)

    def below(self, before: int | None) -> tuple[list[Entry], int | None]:
        """Give the newest entries below an index, and how far it looked where the budget ended it."""
        found: list[Entry] = []
        if self.reach.empty:
            return found, None
        try:
            for entry in self._each(before):
                found.append(entry)
                if len(found) == self.most:
                    break
        except UsedUp as over:
            return found, over.reached
        return found, None

    def _each(self, before: int | None) -> Iterator[Entry]:
        if self._has_an_index():
            yield from self._straight(before)
            return
        size = self._size() if before is None else min(before, self._size())
        indexed = Words(self.db).indexed()
        yield from self._through(min(indexed, size), size)
        if indexed and size:
            yield from self._by_terms(min(indexed, size))

    def _has_an_index(self) -> bool:
        """Say whether the log's own indexes serve this alone: no filter, one equality, or one checkout."""
        wanted = self.wanted
        if wanted.checkout_id is not None:
            return True
        if not self.reach.everything or len(wanted.any_type) > 1 or len(wanted.any_outcome) > 1:
            return False
        if wanted.not_types:  # a million readings left out in one go would be nobody's budget
            return False
        rough = (wanted.text, wanted.reason, wanted.ticket, wanted.since, wanted.until)
        equal = (wanted.account_id, wanted.actor_id, *wanted.any_type, *wanted.any_outcome)
        given = [value for value in equal if value is not None]
        of_accounts = wanted.of_accounts and wanted.account_id is None
        return not any(each is not None for each in rough) and len(given) + of_accounts <= 1

    def _straight(self, before: int | None) -> Iterator[Entry]:
        """Read by one of the log's own indexes, page by page."""
        stop = before
        while True:
            found = self._rows(Span(stop=stop))
            yield from self._fitting(found)
            if len(found) < self.most:
                return
            stop = found[-1].seq
            self.budget.spend(READ * self.most, stop)

    def _through(self, start: int, stop: int) -> Iterator[Entry]:
        """Look through the entries of a span, window by window from its end."""
        while stop > start:
            bottom = max(start, stop - WINDOW)
            self.budget.spend(stop - bottom, stop)
            while True:
                found = self._rows(Span(bottom, stop))
                yield from self._fitting(found)
                if len(found) < self.most:
                    break
                stop = found[-1].seq
                self.budget.spend(READ * self.most, stop)
            stop = bottom

    def _by_terms(self, stop: int) -> Iterator[Entry]:
        """Go down the indexed parts, by terms where there are some, else by looking through them."""
        groups = self._groups()
        numbers = self._overlapping((stop + PART - 1) // PART)
        if not groups:
            for number in numbers:
                yield from self._through(number * PART, min(stop, (number + 1) * PART))
            return
        size, most = _PARTS
        while numbers:
            now, numbers = numbers[:size], numbers[size:]
            size = min(2 * size, most)
            yield from self._among(self._candidates(now, groups, stop))

    def _overlapping(self, count: int) -> list[int]:
        """Give the parts below a number that have something of the time asked for, newest first."""
        chosen = select(parts.c.part).where(parts.c.part < count).order_by(parts.c.part.desc())
        if self.wanted.since is not None:
            chosen = chosen.where(parts.c.last_at >= format_time(self.wanted.since))
        if self.wanted.until is not None:
            chosen = chosen.where(parts.c.first_at < format_time(self.wanted.until))
        return [row.part for row in self.db.all(chosen)]

    def _groups(self) -> list[tuple[int, ...]]:
        """Give the terms of which an entry that is meant has one of each group."""
        wanted = self.wanted
        groups: list[tuple[int, ...]] = []
        for name, value in (
            ("ticket", wanted.ticket),
            ("account", wanted.account_id),
            ("actor", wanted.actor_id),
            ("reason", wanted.reason),
            ("account", "" if wanted.of_accounts and wanted.account_id is None else None),
        ):
            if value is not None:
                groups.append((facet(name, value),))
        for name, several in (("type", wanted.any_type), ("outcome", wanted.any_outcome)):
            if several:
                groups.append(tuple(facet(name, value) for value in several))
        if wanted.text and len(wanted.text.lower()) >= GRAM:
            groups += [(term,) for term in grams(wanted.text, _GRAMS)]
        if not self.reach.everything and wanted.account_id is None:
            mine = [row[0] for row in self.db.all(accounts_in(self.reach, _FEW_ACCOUNTS + 1, once=self.once))]
            if len(mine) <= _FEW_ACCOUNTS:
                groups.append(tuple(facet("account", each) for each in mine))
        groups.sort(key=len)
        return groups

    def _candidates(self, numbers: Sequence[int], groups: list[tuple[int, ...]], stop: int) -> Iterator[int]:
        """Give the entries of some parts that have a term of every group, newest first.

        The rarest groups are asked for first, and no more of them once few entries are left. Which are rare is
        seen in the first parts, for which all are asked; `groups` is put into that order.
        """
        left = dict.fromkeys(numbers, _WHOLE)
        is_first = len(numbers) <= _PARTS[0]
        rarity = dict.fromkeys(groups, 0)
        for stage in [groups] if is_first else _stages(groups):
            terms = sorted({term for group in stage for term in group})
            self.budget.spend(LOOKUP * len(terms) * len(left), min(stop, (numbers[0] + 1) * PART))
            having: dict[int, dict[int, int]] = {number: {} for number in left}
            for row in self.db.all(_ROWS, {"parts": list(left), "terms": terms}):
                having[row.part][row.term] = mask(row.entries)
            for number, masks in having.items():
                for group in stage:
                    several = 0
                    for term in group:
                        several |= masks.get(term, 0)
                    rarity[group] += several.bit_count()
                    left[number] &= several
            left = {number: places for number, places in left.items() if places}
            if sum(places.bit_count() for places in left.values()) <= _FEW:
                break
        if is_first:
            groups.sort(key=lambda group: (len(group), rarity[group]))
            # the letters of one text go together: what tells them apart is the rarest filter beside them
            facets = [group for group in groups if len(group) == 1 and group[0] < 0]
            groups.sort(key=lambda group: group not in facets[:1])
        for number, places in left.items():
            for place in _places(places):
                if number * PART + place < stop:
                    yield number * PART + place

    def _among(self, seqs: Iterator[int]) -> Iterator[Entry]:
        """Read the entries that the index named, newest first, and give those that are meant."""
        size, most = _CHUNKS
        while chunk := list(islice(seqs, size)):
            size = most
            while chunk:
                found = self._rows(Span(seqs=chunk))
                yield from self._fitting(found)
                if len(found) < self.most:
                    self.budget.spend(LOOKUP * len(chunk) + READ * len(found), chunk[-1])
                    break
                last = found[-1].seq
                self.budget.spend(READ * self.most, last)
                chunk = [seq for seq in chunk if seq < last]

    def _rows(self, span: Span) -> Sequence[AnyRow]:
        chosen = entries_like(
            self.wanted, self.reach, span, self.most, is_sqlite=self.db.is_sqlite, once=self.once
        )
        return self.db.all(chosen)

    def _fitting(self, found: Sequence[AnyRow]) -> Iterator[Entry]:
        for row in found:
            entry = entry_of(row.seq, row.leaf)
            if fits(entry.content, self.wanted):
                yield entry

    def _size(self) -> int:
        row = self.db.one(_SIZE)
        return 0 if row is None else int(row[0])


def _stages(groups: list[tuple[int, ...]]) -> Iterator[list[tuple[int, ...]]]:
    """Part groups into those that are asked for together: a few of one term each, or one of several terms."""
    stage: list[tuple[int, ...]] = []
    for group in groups:
        if stage and (len(stage) == _STAGE or len(group) > 1):
            yield stage
            stage = []
        stage.append(group)
    if stage:
        yield stage


def _places(bits: int) -> Iterator[int]:
    """Give the numbers of the bits that are set, highest first."""
    while bits:
        top = bits.bit_length() - 1
        yield top
        bits ^= 1 << top
