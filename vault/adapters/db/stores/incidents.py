"""Incidents: the board's order and what may change on one."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, literal, or_, select, tuple_, update

from vault.adapters.db import tables
from vault.adapters.db.outside import incident as incidents
from vault.adapters.db.paging import decode_cursor, decode_dated, encode_cursor, encode_dated, limited
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.types import Key, Moment
from vault.domain.actor import Reach
from vault.domain.incident import SEVERITY, Incident
from vault.errors import Conflict
from vault.ports.cloud import IncidentFilter, OpenCount
from vault.ports.records import Page, Slice

_c = incidents.c
_account = tables.account.c
_COLUMNS: Final = tuple(_c[field.name] for field in fields(Incident))
_ONE: Final = select(*_COLUMNS)
_BY_ID: Final = _ONE.where(_c.id == bindparam("id"))
_ABOUT: Final = _ONE.where(_c.subject == bindparam("subject")).with_for_update()
_CHANGING: Final = ("owner_id", "owned_at", "closed_at", "closed_by", "closing")
_UPDATE: Final = (
    update(incidents)
    .where(_c.id == bindparam("at"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_WEIGHT: Final = case({str(kind): weight for kind, weight in SEVERITY.items()}, value=_c.kind, else_=9)
_COUNTS: Final = (
    select(_c.kind, func.count(), func.min(_c.opened_at, type_=Moment))
    .where(_c.closed_at.is_(None))
    .group_by(_c.kind)
    .order_by(_c.kind)
)


@dataclass(frozen=True, slots=True)
class Incidents:
    """Implements `IncidentStore`."""

    db: Statements

    def add(self, incident: Incident) -> bool:
        """Keep a new one; False, and nothing is changed, where one about this subject was opened before."""
        added = self.db.insert(incidents).values(asdict(incident))
        added = added.on_conflict_do_nothing(index_elements=["subject"])
        return bool(self.db.all(added.returning(_c.id)))

    def get(self, incident_id: str) -> Incident | None:
        """Find by id."""
        return _value(self.db.one(_BY_ID, {"id": incident_id}))

    def lock(self, incident_id: str) -> Incident | None:
        """Find by id and hold its row until the unit ends."""
        return _value(self.db.one(_BY_ID.with_for_update(), {"id": incident_id}))

    def about(self, subject: str) -> Incident | None:
        """Find by subject, holding its row."""
        return _value(self.db.one(_ABOUT, {"subject": subject}))

    def update(self, incident: Incident) -> None:
        """Write owner and end."""
        values = {f"new_{name}": getattr(incident, name) for name in _CHANGING} | {"at": incident.id}
        if self.db.change(_UPDATE, values) != 1:
            raise Conflict("concurrent.change", f"There is no incident {incident.id} to change.")

    def page(self, reach: Reach, wanted: IncidentFilter, part: Slice) -> Page[Incident]:
        """List open ones first, the weightiest and then the oldest first; closed ones newest first."""
        chosen = _ONE.limit(limited(part.limit))
        if not reach.everything:
            mine = within(select(_account.id), reach, _account.customer_id, _account.id)
            chosen = chosen.where(_c.account_id.in_(mine))
        if wanted.is_open is not None:
            chosen = chosen.where(_c.closed_at.is_(None) if wanted.is_open else _c.closed_at.is_not(None))
        for column, value in (
            (_c.kind, wanted.kind),
            (_c.account_id, wanted.account_id),
            (_c.owner_id, wanted.owner_id),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        after = _after(part.cursor)
        if after is not None:
            chosen = chosen.where(after)
        chosen = chosen.order_by(
            _c.closed_at.is_not(None),
            case((_c.closed_at.is_(None), _WEIGHT), else_=0),
            case((_c.closed_at.is_(None), _c.opened_at)),
            _c.opened_at.desc(),
            case((_c.closed_at.is_(None), _c.id)),
            _c.id.desc(),
        )
        found = [Incident(*row) for row in self.db.all(chosen)]
        most = limited(part.limit) - 1
        shown = tuple(found[:most])
        return Page(shown, encode_cursor(_key(shown[-1])) if len(found) > most else None)

    def open_counts(self) -> tuple[OpenCount, ...]:
        """Count open ones by kind."""
        return tuple(OpenCount(row[0], row[1], row[2]) for row in self.db.all(_COUNTS))


def _value(row: AnyRow | None) -> Incident | None:
    return None if row is None else Incident(*row)


def _key(incident: Incident) -> tuple[int, str, str]:
    weight = incident.severity if incident.is_open else 0
    return (weight, *encode_dated(incident.opened_at, incident.id))


def _after(cursor: str | None) -> ColumnElement[bool] | None:
    """Give the condition of what comes after a cursor: weight 0 is among the closed ones."""
    key: tuple[Any, ...] | None = decode_cursor(cursor, int, str, str)
    if key is None:
        return None
    dated = decode_dated(encode_cursor(key[1:]))
    if dated is None:  # pragma: no cover - a cursor was given
        return None
    moment, name = literal(dated[0], Moment), literal(dated[1], Key)
    if key[0] == 0:
        return and_(_c.closed_at.is_not(None), tuple_(_c.opened_at, _c.id) < tuple_(moment, name))
    later = tuple_(_WEIGHT, _c.opened_at, _c.id) > tuple_(literal(key[0]), moment, name)
    return or_(_c.closed_at.is_not(None), later)
