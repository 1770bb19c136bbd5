"""AWS's records as they are kept, the calls that the log tells of, and how far each source was read.

Decided here: two workers may read and judge the same at once. What is kept twice is kept once; what is judged
or claimed twice is so once, because the row is held from then on. Rows of different records are always taken
in the order of their times, and the log's head after all of them, so that nobody waits in a circle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, literal, or_, select, tuple_, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.outside import cloud_event, cloud_file, cloud_reach, cloud_source, key_call
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.types import Key, Moment
from vault.domain.checkout import Checkout
from vault.domain.cloudtrail import CloudKind, CloudRecord
from vault.ports.cloud import BrokenPart, LoggedCall, Reached, SeenEvent, SourceState
from vault.ports.records import Reveal, RevealState

LOG: Final = "log"
"""The name under which stands how far the log itself was read for calls."""
CHUNK: Final = 500

_event = cloud_event.c
_call = key_call.c
_source = cloud_source.c
_reach = cloud_reach.c
_checkout = tables.checkout.c
_reveal = tables.reveal.c
_UNKEPT: Final = {"keys", "context"}
_RECORD: Final = tuple(field.name for field in fields(CloudRecord) if field.name not in _UNKEPT)
_EVENT: Final = select(*(_event[name] for name in _RECORD), _event.seen_at, _event.matched)
_OLDEST: Final = (_event.happened_at, _event.event_id)
_CALL: Final = select(*(_call[field.name] for field in fields(LoggedCall)))
_JUDGE: Final = (
    update(cloud_event)
    .where(_event.event_id == bindparam("at"), _event.matched.is_(None))
    .values(matched=bindparam("what"))
)
_THIS_CALL: Final = (_call.entry == bindparam("at"), _call.place == bindparam("nth"))
_CLAIM: Final = update(key_call).where(*_THIS_CALL).values(event_id=bindparam("event"))
_MISS: Final = (
    update(key_call)
    .where(*_THIS_CALL, _call.event_id.is_(None), _call.incident_id.is_(None))
    .values(incident_id=bindparam("incident"))
)


@dataclass(frozen=True, slots=True)
class CloudEvents:
    """Implements `CloudStore`."""

    db: Statements

    def add(self, record: CloudRecord, seen_at: datetime) -> bool:
        """Keep a record; False, and nothing is changed, where its event was kept before."""
        row: dict[str, Any] = {name: getattr(record, name) for name in _RECORD}
        row |= {"seen_at": seen_at, "matched": None}
        added = self.db.insert(cloud_event).values(row).on_conflict_do_nothing()
        return bool(self.db.all(added.returning(_event.event_id)))

    def get(self, event_id: str) -> SeenEvent | None:
        """Find by id."""
        row = self.db.one(_EVENT.where(_event.event_id == event_id))
        return None if row is None else _seen(row)

    def unjudged(self, after: tuple[datetime, str] | None, limit: int) -> tuple[SeenEvent, ...]:
        """List records that were not judged yet, by time and id, after a place in that order."""
        chosen = _EVENT.where(_event.matched.is_(None)).order_by(*_OLDEST).limit(limit)
        if after is not None:
            place = tuple_(literal(after[0], Moment), literal(after[1], Key))
            chosen = chosen.where(tuple_(*_OLDEST) > place)
        return tuple(_seen(row) for row in self.db.all(chosen))

    def judge(self, event_id: str, matched: str) -> bool:
        """Write what a record matched; False where it was judged before."""
        return self.db.change(_JUDGE, {"at": event_id, "what": matched}) == 1

    def hold_event(self, event_id: str) -> bool:
        """Hold a record's row until the unit ends; False where it was judged."""
        chosen = select(_event.event_id).where(_event.event_id == event_id, _event.matched.is_(None))
        return self.db.one(chosen.with_for_update()) is not None

    def hold_call(self, call: LoggedCall) -> bool:
        """Hold a call's row until the unit ends; False where it was found, or its absence written."""
        here = (_call.entry == call.entry, _call.place == call.place)
        chosen = select(_call.entry).where(*here, _call.event_id.is_(None), _call.incident_id.is_(None))
        return self.db.one(chosen.with_for_update()) is not None

    def matching(self, matched: tuple[str, ...], limit: int) -> tuple[SeenEvent, ...]:
        """List records judged as one of these, oldest first."""
        chosen = _EVENT.where(_event.matched.in_(matched)).order_by(*_OLDEST).limit(limit)
        return tuple(_seen(row) for row in self.db.all(chosen))

    def count_matching(self, matched: str) -> int:
        """Count records judged as this."""
        row = self.db.one(select(func.count()).where(_event.matched == matched))
        return 0 if row is None else int(row[0])

    def of_account(
        self, account_id: str, since: datetime, until: datetime, limit: int
    ) -> tuple[SeenEvent, ...]:
        """List an account's records within [since, until), oldest first."""
        chosen = _EVENT.where(
            _event.account_id == account_id, _event.happened_at >= since, _event.happened_at < until
        )
        return tuple(_seen(row) for row in self.db.all(chosen.order_by(*_OLDEST).limit(limit)))

    def by_request(self, request_id: str) -> tuple[SeenEvent, ...]:
        """List the records of one request."""
        chosen = _EVENT.where(_event.request_id == request_id).order_by(*_OLDEST).limit(CHUNK)
        return tuple(_seen(row) for row in self.db.all(chosen))

    def session(self, access_key: str) -> SeenEvent | None:
        """Find the `AssumeRoot` that gave out an access key."""
        chosen = _EVENT.where(_event.access_key == access_key, _event.kind == CloudKind.ASSUME_ROOT)
        row = self.db.first(chosen.order_by(*_OLDEST).limit(1))
        return None if row is None else _seen(row)

    def tags(self, places: tuple[str, ...]) -> Mapping[str, str]:
        """Give the tags of those of these places that were read before."""
        found: dict[str, str] = {}
        for start in range(0, len(places), CHUNK):
            some = places[start : start + CHUNK]
            chosen = select(cloud_file.c.place, cloud_file.c.tag).where(cloud_file.c.place.in_(some))
            found |= {row[0]: row[1] for row in self.db.all(chosen)}
        return found

    def put_file(self, place: str, tag: str, events: int, fault: str | None, at: datetime) -> None:
        """Remember that a place was read, with this tag."""
        rest = {"tag": tag, "events": events, "fault": fault, "read_at": at}
        added = self.db.insert(cloud_file).values(place=place, **rest)
        self.db.change(added.on_conflict_do_update(index_elements=["place"], set_=rest))

    def broken(self, limit: int) -> tuple[BrokenPart, ...]:
        """List files whose rest could not be read, newest first."""
        chosen = select(cloud_file.c.place, cloud_file.c.fault, cloud_file.c.read_at)
        chosen = chosen.where(cloud_file.c.fault.is_not(None)).order_by(cloud_file.c.read_at.desc())
        return tuple(BrokenPart(*row) for row in self.db.all(chosen.limit(limit)))

    def source(self, name: str) -> SourceState:
        """Give how far a source was read; an unknown one has no position."""
        row = self.db.one(select(*_columns(SourceState, _source)).where(_source.name == name))
        return SourceState(name, "") if row is None else SourceState(*row)

    def put_source(self, state: SourceState) -> None:
        """Write how far a source was read."""
        rest = {name: value for name, value in asdict(state).items() if name != "name"}
        added = self.db.insert(cloud_source).values(name=state.name, **rest)
        self.db.change(added.on_conflict_do_update(index_elements=["name"], set_=rest))

    def reach(self, found: Reached) -> None:
        """Widen what has been delivered for an account and a place."""
        added = self.db.insert(cloud_reach).values(asdict(found))
        wider = added.on_conflict_do_update(
            index_elements=["account_id", "place"],
            set_={"since": found.since, "until": _reach.until},
            where=_reach.since > found.since,
        )
        self.db.change(wider)
        later = update(cloud_reach).where(
            _reach.account_id == found.account_id, _reach.place == found.place, _reach.until < found.until
        )
        self.db.change(later.values(until=found.until))

    def reached(self, place: str) -> tuple[Reached, ...]:
        """List what has been delivered for a region, or for a key, by account."""
        chosen = select(*_columns(Reached, _reach)).where(_reach.place == place).order_by(_reach.account_id)
        return tuple(Reached(*row) for row in self.db.all(chosen))

    def newest(self) -> datetime | None:
        """Give the time of the newest record that any source delivered, ours or not."""
        row = self.db.one(select(func.max(_reach.until, type_=Moment)))
        newest: datetime | None = None if row is None else row[0]
        return newest

    def indexed(self) -> int:
        """Give the index before which every entry's calls are kept."""
        return int(self.source(LOG).position or 0)

    def log_position(self) -> int:
        """Give the index before which every entry's calls are kept, and hold that place."""
        begun = self.db.insert(cloud_source).values(name=LOG, position="0")
        self.db.change(begun.on_conflict_do_nothing())
        row = self.db.one(select(_source.position).where(_source.name == LOG).with_for_update())
        return 0 if row is None else int(row[0])

    def set_log_position(self, index: int) -> None:
        """Move that place."""
        self.db.change(update(cloud_source).where(_source.name == LOG).values(position=str(index)))

    def add_call(self, call: LoggedCall) -> None:
        """Keep a call that an entry tells of; one that is there stays as it is."""
        self.db.change(self.db.insert(key_call).values(asdict(call)).on_conflict_do_nothing())

    def calls(self, request_id: str) -> tuple[LoggedCall, ...]:
        """List calls of one request, by entry, holding their rows until the unit ends."""
        chosen = _CALL.where(_call.request_id == request_id).order_by(_call.entry, _call.place)
        return self._calls(chosen.limit(CHUNK).with_for_update())

    def calls_of(self, entries: tuple[int, ...]) -> tuple[LoggedCall, ...]:
        """List the calls that these entries tell of."""
        return self._calls(_CALL.where(_call.entry.in_(entries)).order_by(_call.entry, _call.place))

    def calls_of_checkout(self, checkout_id: str) -> tuple[LoggedCall, ...]:
        """List the calls that a checkout's entries tell of, oldest first."""
        chosen = _CALL.where(_call.checkout_id == checkout_id).order_by(_call.entry, _call.place)
        return self._calls(chosen.limit(CHUNK))

    def unanswered(
        self, keys: tuple[str, ...], operation: str, since: datetime, until: datetime
    ) -> tuple[LoggedCall, ...]:
        """List unmatched calls that KMS never answered, told of within a time, holding their rows."""
        chosen = _CALL.where(
            _call.key.in_(keys),
            _call.request_id == "",
            _call.operation == operation,
            _call.made_at >= since,
            _call.made_at <= until,
            _call.event_id.is_(None),
            _call.incident_id.is_(None),
        )
        return self._calls(chosen.order_by(_call.entry, _call.place).limit(CHUNK).with_for_update())

    def claim(self, call: LoggedCall, event_id: str) -> None:
        """Write that a call was found in AWS's records."""
        self.db.change(_CLAIM, {"at": call.entry, "nth": call.place, "event": event_id})

    def unseen(self, key: str, since: datetime, until: datetime, limit: int) -> tuple[LoggedCall, ...]:
        """List answered calls of a key, told of within [since, until), that AWS's records lack so far."""
        chosen = _CALL.where(
            _call.key == key,
            _call.made_at >= since,
            _call.made_at < until,
            _call.event_id.is_(None),
            _call.incident_id.is_(None),
            _call.request_id != "",
        )
        return self._calls(chosen.order_by(_call.made_at, _call.entry, _call.place).limit(limit))

    def leases(self, account_id: str, until: datetime, limit: int) -> tuple[Checkout, ...]:
        """List an account's checkouts whose lease began by then, the last first."""
        chosen = select(*mapping.checkout.columns).where(
            _checkout.account_id == account_id, _checkout.activated_at <= until
        )
        newest = (_checkout.activated_at.desc(), _checkout.id.desc())
        rows = self.db.all(chosen.order_by(*newest).limit(limit))
        return tuple(mapping.checkout.value(row) for row in rows)

    def unknown_reveals(
        self, place: tuple[str, str, int], since: datetime, until: datetime
    ) -> tuple[Reveal, ...]:
        """List disclosures of (account, kind, version) authorised within a time that never got an outcome."""
        account_id, kind, version = place
        chosen = select(*mapping.reveal.columns).where(
            _reveal.account_id == account_id,
            _reveal.kind == kind,
            _reveal.version == version,
            _reveal.state == RevealState.UNKNOWN,
            _reveal.authorized_at >= since,
            _reveal.authorized_at <= until,
        )
        rows = self.db.all(chosen.order_by(_reveal.authorized_at, _reveal.id).limit(CHUNK))
        return tuple(mapping.reveal.value(row) for row in rows)

    def keys(self) -> tuple[str, ...]:
        """Name every key that an unmatched call was made with."""
        open_ = _call.event_id.is_(None) & _call.incident_id.is_(None)
        found: list[str] = []
        # from one key to the next by the index, however many calls each has
        while True:
            beyond = _call.key > found[-1] if found else literal(value=True)
            row = self.db.first(select(func.min(_call.key)).where(open_, or_(beyond)))
            if row is None or row[0] is None:
                return tuple(found)
            found.append(str(row[0]))

    def miss(self, call: LoggedCall, incident_id: str) -> bool:
        """Write that a call's absence is an incident; False where it was found, or written, meanwhile."""
        values = {"at": call.entry, "nth": call.place, "incident": incident_id}
        return self.db.change(_MISS, values) == 1

    def _calls(self, statement: Any) -> tuple[LoggedCall, ...]:
        return tuple(LoggedCall(*row) for row in self.db.all(statement))


def _columns(made: type, columns: Any) -> tuple[Any, ...]:
    return tuple(columns[field.name] for field in fields(made))


def _seen(row: AnyRow) -> SeenEvent:
    values = dict(zip(_RECORD, row[: len(_RECORD)], strict=True))
    return SeenEvent(CloudRecord(**values), row.seen_at, row.matched)
