"""AWS's records and rotations side by side, for many accounts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, and_, func, select, text

from vault.adapters.db import mapping, tables
from vault.adapters.db.inspections import inspection
from vault.adapters.db.outside import OBSERVED, cloud_event
from vault.adapters.db.paging import after as later
from vault.adapters.db.paging import decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.stores.inspections import INSPECTION
from vault.adapters.db.types import Moment
from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.cloudtrail import CloudRecord
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.inspection import Inspection
from vault.domain.observation import ROOT_CHANGES, Observation, observe
from vault.domain.proof import Use, Window
from vault.domain.rotation import Rotation, RotationState
from vault.ports.proofs import UnverifiedCount, UnverifiedFilter
from vault.ports.records import Page, RevealPurpose, RevealState, Slice

_CHUNK: Final = 500
_SESSION: Final = "session:"
_event = cloud_event.c
_account = tables.account.c
_version = tables.version.c
_rotation = tables.rotation.c
_reveal = tables.reveal.c
_checkout = tables.checkout.c
_inspected = inspection.c
_last_seen = func.coalesce(_inspected.again_at, _inspected.at, type_=Moment)

_UNKEPT: Final = {"keys", "context"}
_RECORD: Final = tuple(field.name for field in fields(CloudRecord) if field.name not in _UNKEPT)
_COLUMNS: Final = (*(_event[name] for name in _RECORD), _event.matched)
_SEEN: Final = select(*_COLUMNS).where(text(OBSERVED))
_SINCE: Final = (
    select(_version.account_id, func.min(_version.current_since).label("since"))
    .where(_version.label == VersionLabel.CURRENT)
    .group_by(_version.account_id)
    .subquery()
)
_CHANGED: Final = _SEEN.where(_event.name.in_(sorted(ROOT_CHANGES)), _event.error.is_(None)).subquery()
_CHANGES: Final = (
    select(*_CHANGED.c)
    .join(tables.account, _account.id == _CHANGED.c.account_id)
    .join(_SINCE, and_(_SINCE.c.account_id == _account.id, _CHANGED.c.happened_at >= _SINCE.c.since))
    .order_by(_CHANGED.c.account_id, _CHANGED.c.happened_at, _CHANGED.c.event_id)
)
_WINDOWS: Final = (
    select(
        _rotation.account_id,
        _rotation.kind,
        _rotation.version,
        _rotation.state,
        func.coalesce(func.min(_reveal.authorized_at), _rotation.displayed_at).label("shown"),
        _rotation.attested_at,
        _checkout.expires_at,
        _checkout.ended_at,
    )
    .outerjoin(
        tables.reveal,
        and_(
            _reveal.account_id == _rotation.account_id,
            _reveal.kind == _rotation.kind,
            _reveal.version == _rotation.version,
            _reveal.purpose == RevealPurpose.DISPLAY,
        ),
    )
    .outerjoin(tables.checkout, _checkout.id == _rotation.attested_in)
    .where(_rotation.displayed_at.is_not(None))
    .group_by(_rotation.id, _checkout.id)
    .order_by(_rotation.account_id, _rotation.planned_at, _rotation.id)
)
_USES: Final = (
    select(
        _reveal.account_id,
        _reveal.checkout_id,
        _reveal.kind,
        _reveal.version,
        _reveal.ended_at,
        _checkout.activated_at,
        _checkout.expires_at,
        _checkout.ended_at,
    )
    .join(tables.checkout, _checkout.id == _reveal.checkout_id)
    .where(_reveal.purpose == RevealPurpose.USE, _reveal.state == RevealState.RELEASED)
    .order_by(_reveal.account_id, _reveal.ended_at, _reveal.id)
)
# written out, so that a partial index answers it
_WAITING: Final = text("rotation.state = 'accepted'")
_OLDEST: Final = (_rotation.attested_at, _rotation.id)
_UNVERIFIED: Final = select(*mapping.rotation.columns).where(_WAITING).order_by(*_OLDEST)
_WITH_ACCOUNT: Final = (
    select(*mapping.rotation.columns, *mapping.account.columns)
    .join(tables.account, _account.id == _rotation.account_id)
    .where(_WAITING)
    .order_by(*_OLDEST)
)
_COUNT: Final = select(
    func.count(), func.count(_rotation.overdue_at), func.min(_rotation.attested_at, type_=Moment)
).where(_WAITING)


@dataclass(frozen=True, slots=True)
class Proofs:
    """Implements `ProofStore`."""

    db: Statements

    def root_changes(self, accounts: Reach | tuple[str, ...]) -> Mapping[str, tuple[Observation, ...]]:
        """List by account, oldest first, the changes of how root gets in that AWS accepted since a part held now is."""
        if isinstance(accounts, Reach):
            chosen = within(_CHANGES, accounts, _account.customer_id, _account.id)
            return _by_account(map(_observation, self.db.all(chosen)))
        rows = self._each(accounts, lambda some: _CHANGES.where(_account.id.in_(some)))
        return _by_account(map(_observation, rows))

    def observed(self, since: Mapping[str, datetime]) -> Mapping[str, tuple[Observation, ...]]:
        """List by account, oldest first, what CloudTrail's records tell of root from a time on."""
        if not since:
            return {}
        ordered = _SEEN.where(_event.happened_at >= min(since.values()))
        ordered = ordered.order_by(_event.account_id, _event.happened_at, _event.event_id)
        rows = self._each(tuple(since), lambda some: ordered.where(_event.account_id.in_(some)))
        found = (_observation(row) for row in rows)
        return _by_account(each for each in found if each is None or each.at >= since[each.account_id])

    def inspected(self, since: Mapping[str, datetime]) -> Mapping[str, tuple[Inspection, ...]]:
        """List by account, oldest first, what was seen of it from a time on, and what was seen last before."""
        if not since:
            return {}
        first = min(since.values())
        earlier = _inspection_rank(first)
        before = select(*(earlier.c[column.name] for column in INSPECTION.columns)).where(earlier.c.rank == 1)
        later_on = (
            select(*INSPECTION.columns).where(_last_seen >= first).order_by(_inspected.at, _inspected.id)
        )
        rows = [
            *self._each(tuple(since), lambda some: before.where(earlier.c.account_id.in_(some))),
            *self._each(tuple(since), lambda some: later_on.where(_inspected.account_id.in_(some))),
        ]
        return _by_account(INSPECTION.value(row) for row in rows)

    def windows(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Window, ...]]:
        """List by account the windows of the rotations whose value was shown, in the order they were planned."""
        rows = self._each(account_ids, lambda some: _WINDOWS.where(_rotation.account_id.in_(some)))
        return _by_account(map(_window, rows))

    def uses(self, account_ids: tuple[str, ...], since: datetime) -> Mapping[str, tuple[Use, ...]]:
        """List by account, oldest first, the values that were given out to be used, from a time on."""
        found: dict[str, tuple[Use, ...]] = {}
        recent = _USES.where(_reveal.ended_at >= since)
        for row in self._each(account_ids, lambda some: recent.where(_reveal.account_id.in_(some))):
            account_id, checkout_id, kind, version, at, began, *ends = row
            use = Use(checkout_id, PartKind(kind), version, at, began, _first(ends))
            found[account_id] = (*found.get(account_id, ()), use)
        return found

    def unverified(self, after: tuple[datetime, str] | None, limit: int) -> tuple[Rotation, ...]:
        """List rotations that wait for their proof, the oldest first, after a place in that order."""
        chosen = _UNVERIFIED.limit(limit)
        if after is not None:
            chosen = chosen.where(later(*_OLDEST, after))
        return tuple(mapping.rotation.value(row) for row in self.db.all(chosen))

    def page(self, reach: Reach, wanted: UnverifiedFilter, part: Slice) -> Page[tuple[Rotation, Account]]:
        """List those in reach with their accounts, the oldest first."""
        chosen = within(_WITH_ACCOUNT, reach, _account.customer_id, _account.id)
        for column, value in (
            (_rotation.account_id, wanted.account_id),
            (_rotation.kind, wanted.kind),
            (_account.customer_id, wanted.customer_id),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        if wanted.before is not None:
            chosen = chosen.where(_rotation.attested_at < wanted.before)
        place = decode_dated(part.cursor)
        if place is not None:
            chosen = chosen.where(later(*_OLDEST, place))
        width = len(mapping.rotation.columns)
        found = [
            (mapping.rotation.value(row), mapping.account.value(row, width))
            for row in self.db.all(chosen.limit(limited(part.limit)))
        ]
        return page(
            found,
            part.limit,
            lambda each: encode_dated(each[0].attested_at or each[0].planned_at, each[0].id),
        )

    def overdue(self, before: datetime, limit: int) -> tuple[Rotation, ...]:
        """List those attested before a time of which it was not told yet, the oldest first."""
        chosen = _UNVERIFIED.where(_rotation.attested_at < before, _rotation.overdue_at.is_(None))
        return tuple(mapping.rotation.value(row) for row in self.db.all(chosen.limit(limit)))

    def count(self) -> UnverifiedCount:
        """Count them all."""
        row = self.db.one(_COUNT)
        return UnverifiedCount(0, 0, None) if row is None else UnverifiedCount(row[0], row[1], row[2])

    def _each(
        self, account_ids: tuple[str, ...], chosen: Callable[[Sequence[str]], Select[Any]]
    ) -> Iterable[AnyRow]:
        for start in range(0, len(account_ids), _CHUNK):
            yield from self.db.all(chosen(account_ids[start : start + _CHUNK]))


def _inspection_rank(first: datetime) -> Any:
    newest = (_last_seen.desc(), _inspected.id.desc())
    rank = func.row_number().over(partition_by=_inspected.account_id, order_by=newest).label("rank")
    return select(*INSPECTION.columns, rank).where(_last_seen < first).subquery()


def _by_account(things: Iterable[Any]) -> dict[str, tuple[Any, ...]]:
    found: dict[str, list[Any]] = {}
    for thing in things:
        if thing is not None:
            found.setdefault(thing.account_id, []).append(thing)
    return {account_id: tuple(some) for account_id, some in found.items()}


def _observation(row: AnyRow) -> Observation | None:
    *values, matched = row
    record = CloudRecord(**dict(zip(_RECORD, values, strict=True)))
    return observe(record, in_session=(matched or "").startswith(_SESSION))


def _window(row: AnyRow) -> Window:
    account_id, kind, version, state, shown, attested, *ends = row
    settled = state in {RotationState.ACCEPTED, RotationState.VERIFIED, RotationState.REFUSED}
    return Window(
        account_id=account_id,
        kind=PartKind(kind),
        version=version,
        since=shown,
        until=attested if settled else None,
        refused=state == RotationState.REFUSED,
        lease_end=_first(ends),
    )


def _first(ends: Sequence[datetime | None]) -> datetime | None:
    return min((end for end in ends if end is not None), default=None)
