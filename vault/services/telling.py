"""New entries of the log become notices: for each who is told, one row a channel.

Decided here: the log is the outbox. An entry is written in the transaction of what it tells of, so a notice is
neither lost nor sent for what was rolled back. Rows and the position up to which the log was read move in one
transaction, so each entry is told once, whoever reads it. What comes in floods is folded: from the sixth notice
of one kind about one actor within an hour on, one row counts them. A vault that never told anything, or whose
position cannot be true, begins with the entries of the last day.

Never done here: sending; a reason, ticket or sentence that somebody stated.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.audience import QUIET, Audience, Route, route_of
from vault.domain.event import EventType, Result
from vault.domain.formats.visible import shown
from vault.domain.ids import new_id
from vault.domain.notice import (
    BURST,
    FOLDING,
    HOLDING,
    TEAM,
    Channel,
    Notice,
    NoticeState,
    Topic,
    Way,
    digest_at,
)
from vault.ports.notices import Folded
from vault.ports.ranges import Pick, Stretch
from vault.services.audiences import Audiences, Reader, concerned
from vault.services.leaves import Leaf
from vault.services.outlets import Outlets, believed, log_size

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.policy import Permission
    from vault.domain.proposal import ProposalKind
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate

NAME: Final = "notices"
"""The outlet's name: how far the log was read."""

_BATCH: Final = 200
_BATCHES: Final = 50
_FIRST_LOOK: Final = timedelta(days=1)
_NAME_MOST: Final = 60
_LINKS: Final = re.compile(r"(?<=\w)\.(?=\w)")
_UUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_PEOPLE: Final = frozenset({Audience.CONCERNED, Audience.REQUESTER})
_PAGES: Final[Mapping[str, str]] = {
    "proposal": "/proposals/{}",
    "incident": "/incidents/{}",
    "campaign": "/upkeep/campaigns/{}",
    "case": "/cases/{}",
    "finding": "/upkeep/findings/{}",
}
_WORK: Final = "/upkeep"
_OWN_PAGES: Final[Mapping[str, str]] = {
    EventType.SIGNED_IN: "/sessions",
    EventType.TOKEN_ISSUED: "/tokens",
    EventType.TOKEN_REVOKED: "/tokens",
}


@dataclass(frozen=True, slots=True)
class Telling:
    """The worker's use case on new entries.

    `second_words` says what agreeing to each kind of proposal needs; `by_mail` and `by_room` which channels there are.
    """

    units: Units
    outlets: Outlets
    gate: Gate
    clock: Clock
    second_words: Mapping[ProposalKind, Permission]
    by_mail: bool = False
    by_room: bool = False

    def once(self) -> int:
        """Read what is new, some batches at most; give the number of entries that were read."""
        count = 0
        for _ in range(_BATCHES):
            if not self._has_work():
                break
            count += self._batch()
        return count

    def lag(self) -> int:
        """Give how many entries were not read yet."""
        with self.units.read() as unit:
            size = log_size(unit)
            return max(0, size - believed(unit, NAME, self.clock.now()).position)

    def _has_work(self) -> bool:
        """Look without writing anything, since the worker asks every second."""
        with self.units.read() as unit:
            return believed(unit, NAME, self.clock.now()).position < log_size(unit)

    def _batch(self) -> int:
        now = self.clock.now()
        with self.units.write() as unit:
            outlet = self.outlets.claimed(unit, NAME, now)
            first = outlet.position or unit.ranges.index_at(now - _FIRST_LOOK)
            until = min(log_size(unit), first + _BATCH)
            audiences = Audiences(unit, self.gate, now, self.second_words)
            made = Made(unit, now)
            quiet = Pick(not_types=tuple(sorted(QUIET)))
            for entry in unit.ranges.pick(Stretch(first, until), quiet, _BATCH):
                self._tell(audiences, made, Leaf.of(entry), str(entry.content.get("id")), now)
            made.keep()
            caught_up = until == log_size(unit)
            self.outlets.confirm(unit, NAME, until, now, caught_up=caught_up)
            unit.commit()
        return until - first

    def _tell(self, audiences: Audiences, made: Made, leaf: Leaf, entry_id: str, now: datetime) -> None:
        route = route_of(leaf.type)
        if route is None or not is_told(route, leaf):
            return
        readers = audiences.of(leaf, route)
        made.know(readers)
        blank = _blank(audiences, leaf, route, entry_id, now)
        for person_id in sorted(readers):
            mine = replace(blank, recipient=person_id, path=path_of(leaf, route))
            made.add(replace(mine, channel=Channel.INBOX, state=NoticeState.SENT, ended_at=now))
            way = Way.MAIL if route.urgent else made.way(person_id, route.topic)
            if self.by_mail and route.by_mail and way is not Way.INBOX:
                is_late = way is Way.DIGEST
                due = digest_at(now) if is_late else now
                made.add(replace(mine, channel=Channel.MAIL, digest=is_late, next_at=due))
        if self.by_room and route.by_mail and route.to - _PEOPLE:
            # who reads a room is nobody's to know here: what happened is told, not to whom (S21)
            words = line_of(route, "Somebody", "somebody", "an account", leaf.told("kind"))
            room = replace(blank, recipient=TEAM, channel=Channel.WEBHOOK, title=words, next_at=now)
            made.add(replace(room, account_id=None, path=path_of(leaf, route, by_name=False)))


@dataclass(slots=True)
class Made:
    """The notices of one batch, folded with each other and with those of the last hour."""

    unit: Unit
    now: datetime
    rows: dict[str, Notice] = field(default_factory=dict)
    more: dict[str, tuple[Notice, int]] = field(default_factory=dict)
    _folds: dict[str, dict[tuple[str, Channel], Folded]] = field(default_factory=dict)
    _ways: dict[tuple[str, Topic], Way] = field(default_factory=dict)
    _known: set[str] = field(default_factory=set)

    def know(self, readers: Mapping[str, Reader]) -> None:
        """Look up what people chose, once."""
        new = sorted(set(readers) - self._known)
        self._known.update(new)
        self._ways.update(self.unit.notices.choices_of(new))

    def way(self, person_id: str, topic: Topic) -> Way:
        """Give how a person wants to hear of a topic."""
        return self._ways.get((person_id, topic), Way.MAIL)

    def add(self, notice: Notice) -> None:
        """Keep a notice, or let one before it stand for it as well."""
        place = (notice.recipient, notice.channel)
        fold = self._fold(notice.fold)
        before = fold.get(place)
        if before is None or before.count < BURST or notice.digest:
            self._new(fold, place, notice, 0 if before is None else before.count)
            return
        newest = before.newest
        is_held = newest.next_at is not None and newest.next_at > self.now and newest.tries == 0
        if newest.channel is Channel.INBOX or is_held:
            self._count(newest, notice)
        else:
            self._new(fold, place, replace(notice, next_at=self.now + HOLDING), before.count)

    def keep(self) -> None:
        """Write all."""
        late = [
            replace(again, count=number)
            for name, (again, number) in self.more.items()
            if not self.unit.notices.count_more(name, number)
        ]
        self.unit.notices.add([*self.rows.values(), *late])

    def _fold(self, name: str) -> dict[tuple[str, Channel], Folded]:
        if name not in self._folds:
            self._folds[name] = dict(self.unit.notices.folded(name, self.now - FOLDING))
        return self._folds[name]

    def _new(
        self, fold: dict[tuple[str, Channel], Folded], place: tuple[str, Channel], notice: Notice, before: int
    ) -> None:
        made = replace(notice, id=new_id())
        self.rows[made.id] = made
        fold[place] = Folded(before + 1, made)

    def _count(self, newest: Notice, notice: Notice) -> None:
        if newest.id in self.rows:
            row = self.rows[newest.id]
            self.rows[newest.id] = replace(row, count=row.count + 1)
        else:
            number = self.more.get(newest.id, (notice, 0))[1]
            self.more[newest.id] = (replace(notice, id=new_id()), number + 1)


def is_told(route: Route, leaf: Leaf) -> bool:
    """Say whether an entry is one that its route tells of."""
    right = leaf.outcome in set(Result) and Result(leaf.outcome) in route.outcomes
    return right and all(leaf.detail.get(name) == value for name, value in route.where.items())


def line_of(route: Route, who: str, whom: str, account: str, what: str) -> str:
    """Write the one line that is read; nothing in it acts, in a header, in a terminal or on a page."""
    return route.line.format(
        who=who, whom=whom, account=account, what=shown(what).replace("_", " ")[:_NAME_MOST]
    )


def name_of(text: str) -> str:
    """Write a name that somebody typed: short, on one line, and nothing that a mail program makes a link of."""
    line = " ".join(shown(text).split())
    short = line if len(line) <= _NAME_MOST else line[: _NAME_MOST - 1] + "…"
    return _LINKS.sub("[.]", short).replace("://", "[:]//") or "nobody"


def path_of(leaf: Leaf, route: Route, *, by_name: bool = True) -> str:
    """Give the page to look at: of what it is about; without `by_name` one that names no checkout."""
    for name, page in _PAGES.items():
        if _UUID.fullmatch(leaf.told(name)):
            return page.format(leaf.told(name))
    if by_name and _UUID.fullmatch(leaf.checkout):
        return f"/checkouts/{leaf.checkout}"
    if route.topic is Topic.WORK:
        return _WORK
    if route.topic is Topic.OWN:
        return _OWN_PAGES.get(leaf.type, "/sessions")
    return f"/trail/{leaf.index}"


def _blank(audiences: Audiences, leaf: Leaf, route: Route, entry_id: str, now: datetime) -> Notice:
    who = "The vault" if leaf.who.kind == "system" else name_of(leaf.who.name)
    people = (audiences.reader(each) for each in concerned(leaf))
    whom = next((name_of(each.person.name) for each in people if each is not None), None)
    whom = whom or (who if route.topic is Topic.OWN else "somebody")
    return Notice(
        id="",
        entry_id=entry_id,
        entry=leaf.index,
        event=leaf.type,
        topic=route.topic,
        recipient="",
        channel=Channel.INBOX,
        urgent=route.urgent,
        digest=False,
        title=line_of(route, who, whom, leaf.account or "an account", leaf.told("kind")),
        path="",
        account_id=leaf.account or None,
        fold=f"{leaf.type}:{leaf.who.id}",
        count=1,
        at=leaf.at,
        made_at=now,
        state=NoticeState.WAITING,
    )
