"""Notices: kept once for each recipient and channel, claimed by whoever sends them, removed when they are old.

Decided here: a claim is one statement. On PostgreSQL it passes over rows that another sender is claiming, on SQLite
there is one writer at a time; either way a row is in one claim until that runs out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, func, or_, select, tuple_, update

from vault.adapters.db import mapping
from vault.adapters.db.notices import notice as notices
from vault.adapters.db.notices import notice_choice as choices
from vault.adapters.db.paging import decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.notice import Channel, Choice, Notice, NoticeState, Topic, Way
from vault.ports.notices import Folded, Load
from vault.ports.records import Page, Slice

_c = notices.c
_ONE: Final = select(*mapping.notice.columns)
_SETTLED: Final = ("state", "tries", "next_at", "ended_at", "error")
_PIECE: Final = 500


@dataclass(frozen=True, slots=True)
class Notices:
    """Implements `NoticeStore`."""

    db: Statements

    def add(self, found: Sequence[Notice]) -> None:
        """Keep new ones; what a recipient was told of by a channel before stays as it is."""
        for start in range(0, len(found), _PIECE):
            rows = [mapping.notice.row(each) for each in found[start : start + _PIECE]]
            self.db.change(self.db.insert(notices).on_conflict_do_nothing(), rows)

    def folded(self, fold: str, since: datetime) -> Mapping[tuple[str, Channel], Folded]:
        """Find by recipient and channel what of one fold was made since a time."""
        each = (_c.recipient, _c.channel)
        within = (_c.fold == fold, _c.made_at > since)
        # one that is held back for more of its kind is the newest, also among those of one moment
        latest = func.coalesce(_c.next_at, _c.made_at).desc()
        place = func.row_number().over(partition_by=each, order_by=(latest, _c.id.desc()))
        number = func.count().over(partition_by=each)
        ranked = select(_c.id, place.label("place"), number.label("number")).where(*within).subquery()
        newest = select(*mapping.notice.columns, ranked.c.number).join(ranked, ranked.c.id == _c.id)
        found = {}
        for row in self.db.all(newest.where(ranked.c.place == 1)):
            notice = mapping.notice.value(row)
            found[notice.recipient, notice.channel] = Folded(int(row.number), notice)
        return found

    def count_more(self, notice_id: str, more: int) -> bool:
        """Let a notice stand for so many entries more, unread again; False where it went out meanwhile."""
        open_ = or_(_c.channel == Channel.INBOX, _c.state == NoticeState.WAITING)
        counted = update(notices).where(_c.id == notice_id, open_)
        counted = counted.values(count=_c.count + more, read_at=None)
        return self.db.change(counted) == 1

    def is_due(self, channel: Channel, now: datetime) -> bool:
        """Say whether anything of a channel is to be sent now."""
        due = (_c.state == NoticeState.WAITING, _c.channel == channel, _c.next_at <= now)
        return self.db.first(select(_c.id).where(*due).limit(1)) is not None

    def is_old(self, before: datetime) -> bool:
        """Say whether anything came to its end before a time."""
        return self.db.first(select(_c.id).where(_c.ended_at < before).limit(1)) is not None

    def claim(self, channel: Channel, now: datetime, until: datetime, limit: int) -> tuple[Notice, ...]:
        """Take what is due, urgent ones first, at most `limit`; nobody else takes it before `until`."""
        due = (
            select(_c.id)
            .where(_c.state == NoticeState.WAITING, _c.channel == channel, _c.next_at <= now)
            .order_by(_c.urgent.desc(), _c.next_at, _c.recipient, _c.id)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        names = [row[0] for row in self.db.all(due)]
        if not names:
            return ()
        taken = update(notices).where(_c.id.in_(names)).values(tries=_c.tries + 1, next_at=until)
        rows = self.db.all(taken.returning(*mapping.notice.columns))
        found = {each.id: each for each in map(mapping.notice.value, rows)}
        return tuple(found[name] for name in names)

    def settle(self, was: Notice, now: Notice) -> bool:
        """Write what came of a try; False where another try began meanwhile."""
        values = {name: getattr(now, name) for name in _SETTLED}
        mine = (_c.id == was.id, _c.state == NoticeState.WAITING, _c.tries == was.tries)
        return self.db.change(update(notices).where(*mine).values(values)) == 1

    def inbox(self, person_id: str, part: Slice, *, unread: bool) -> Page[Notice]:
        """List a person's, newest first."""
        chosen = _ONE.where(_c.recipient == person_id, _c.channel == Channel.INBOX)
        if unread:
            chosen = chosen.where(_c.read_at.is_(None))
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(tuple_(_c.at, _c.id) < after)
        chosen = chosen.order_by(_c.at.desc(), _c.id.desc()).limit(limited(part.limit))
        found = [mapping.notice.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.at, each.id))

    def unread(self, person_id: str, most: int) -> int:
        """Count a person's unread ones, no further than `most`."""
        mine = (_c.recipient == person_id, _c.channel == Channel.INBOX, _c.read_at.is_(None))
        few = select(_c.id).where(*mine).limit(most).subquery()
        row = self.db.one(select(func.count()).select_from(few))
        return 0 if row is None else int(row[0])

    def read(self, person_id: str, now: datetime, notice_id: str | None = None) -> int:
        """Mark one of a person's as read, or all that there are; give how many were not."""
        mine = update(notices).where(
            _c.recipient == person_id, _c.channel == Channel.INBOX, _c.read_at.is_(None)
        )
        if notice_id is not None:
            mine = mine.where(_c.id == notice_id)
        return self.db.change(mine.values(read_at=now))

    def get(self, notice_id: str) -> Notice | None:
        """Find by id."""
        return _value(self.db.one(_ONE.where(_c.id == notice_id)))

    def dead(self, part: Slice) -> Page[Notice]:
        """List dead letters, newest first."""
        chosen = _ONE.where(_c.state == NoticeState.DEAD)
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(tuple_(_c.ended_at, _c.id) < after)
        chosen = chosen.order_by(_c.ended_at.desc(), _c.id.desc()).limit(limited(part.limit))
        found = [mapping.notice.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.ended_at or each.made_at, each.id))

    def replay(self, now: datetime, notice_id: str | None = None) -> int:
        """Begin anew with one dead letter, or with all; give how many."""
        dead = update(notices).where(_c.state == NoticeState.DEAD)
        if notice_id is not None:
            dead = dead.where(_c.id == notice_id)
        return self.db.change(
            dead.values(state=NoticeState.WAITING, tries=0, next_at=now, ended_at=None, error=None)
        )

    def load(self, now: datetime) -> Mapping[Channel, Load]:
        """Count what waits and what is dead, by channel."""
        states = (NoticeState.WAITING, NoticeState.DEAD)
        counted = (
            select(_c.channel, _c.state, func.count(), func.min(_c.next_at))
            .where(_c.state.in_(states))
            .group_by(_c.channel, _c.state)
        )
        found = {(row[0], row[1]): row for row in self.db.all(counted)}
        loads = {}
        for channel in (Channel.MAIL, Channel.WEBHOOK):
            waiting, dead = (found.get((channel, state)) for state in states)
            first = None if waiting is None else waiting[3]
            loads[channel] = Load(
                0 if waiting is None else int(waiting[2]),
                0 if dead is None else int(dead[2]),
                first if first is not None and first <= now else None,
            )
        return loads

    def sweep(self, before: datetime, limit: int) -> int:
        """Remove what came to its end before a time, at most `limit`; give how many."""
        old = select(_c.id).where(_c.ended_at < before).order_by(_c.ended_at, _c.id).limit(limit)
        return self.db.change(delete(notices).where(_c.id.in_(old)))

    def choices(self, person_id: str) -> Mapping[Topic, Way]:
        """Give what a person chose."""
        chosen = select(choices.c.topic, choices.c.way).where(choices.c.person_id == person_id)
        return {row[0]: row[1] for row in self.db.all(chosen)}

    def choices_of(self, people: Sequence[str]) -> Mapping[tuple[str, Topic], Way]:
        """Give what several people chose, in one query."""
        chosen = select(choices.c.person_id, choices.c.topic, choices.c.way)
        rows = self.db.all(chosen.where(choices.c.person_id.in_(people))) if people else ()
        return {(row[0], row[1]): row[2] for row in rows}

    def choose(self, choice: Choice) -> None:
        """Write what a person chose."""
        added = self.db.insert(choices).values(asdict(choice))
        self.db.change(
            added.on_conflict_do_update(index_elements=["person_id", "topic"], set_={"way": choice.way})
        )


def _value(row: AnyRow | None) -> Notice | None:
    return None if row is None else mapping.notice.value(row)
