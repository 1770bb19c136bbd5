"""AWS's records and rotations side by side, for many accounts at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import and_, func, select, text

from vault.adapters.db import tables
from vault.adapters.db.outside import ROOT_CHANGED, cloud_event
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within
from vault.domain.actor import Reach
from vault.domain.cloudtrail import CloudRecord
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.proof import Observation, Window, observe
from vault.domain.rotation import RotationState
from vault.ports.records import RevealPurpose

_CHUNK: Final = 500
_event = cloud_event.c
_account = tables.account.c
_version = tables.version.c
_rotation = tables.rotation.c
_reveal = tables.reveal.c
_checkout = tables.checkout.c

_UNKEPT: Final = {"keys", "context"}
_RECORD: Final = tuple(field.name for field in fields(CloudRecord) if field.name not in _UNKEPT)
_SINCE: Final = (
    select(_version.account_id, func.min(_version.current_since).label("since"))
    .where(_version.label == VersionLabel.CURRENT)
    .group_by(_version.account_id)
    .subquery()
)
_CHANGED: Final = select(*(_event[name] for name in _RECORD)).where(text(ROOT_CHANGED)).subquery()
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


@dataclass(frozen=True, slots=True)
class Proofs:
    """Implements `ProofStore`."""

    db: Statements

    def root_changes(self, accounts: Reach | tuple[str, ...]) -> Mapping[str, tuple[Observation, ...]]:
        """List by account, oldest first, the changes of how root gets in that AWS accepted since a part held now is."""
        if isinstance(accounts, Reach):
            chosen = within(_CHANGES, accounts, _account.customer_id, _account.id)
            return _by_account(_record(row) for row in self.db.all(chosen))
        found: dict[str, tuple[Observation, ...]] = {}
        for start in range(0, len(accounts), _CHUNK):
            some = accounts[start : start + _CHUNK]
            rows = self.db.all(_CHANGES.where(_account.id.in_(some)))
            found |= _by_account(_record(row) for row in rows)
        return found

    def windows(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Window, ...]]:
        """List the windows of the rotations of some accounts whose value was shown."""
        found: dict[str, tuple[Window, ...]] = {}
        for start in range(0, len(account_ids), _CHUNK):
            some = account_ids[start : start + _CHUNK]
            for row in self.db.all(_WINDOWS.where(_rotation.account_id.in_(some))):
                window = _window(row)
                found[window.account_id] = (*found.get(window.account_id, ()), window)
        return found


def _by_account(records: Any) -> dict[str, tuple[Observation, ...]]:
    found: dict[str, tuple[Observation, ...]] = {}
    for record in records:
        seen = observe(record)
        if seen is not None:
            found[seen.account_id] = (*found.get(seen.account_id, ()), seen)
    return found


def _record(row: AnyRow) -> CloudRecord:
    return CloudRecord(**dict(zip(_RECORD, row, strict=True)))


def _window(row: AnyRow) -> Window:
    account_id, kind, version, state, shown, attested, expires, ended = row
    ends: list[datetime] = [end for end in (expires, ended) if end is not None]
    settled = state in {RotationState.ACCEPTED, RotationState.VERIFIED, RotationState.REFUSED}
    return Window(
        account_id=account_id,
        kind=PartKind(kind),
        version=version,
        since=shown,
        until=attested if settled else None,
        refused=state == RotationState.REFUSED,
        lease_end=min(ends, default=None),
    )
