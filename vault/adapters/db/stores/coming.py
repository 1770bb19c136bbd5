"""What becomes due when, for everybody's accounts at once: a statement each, however many accounts there are."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import select

from vault.adapters.db import tables
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.domain.account import Custody
from vault.domain.actor import Reach
from vault.domain.credential import VersionLabel
from vault.domain.rotation import RotationState
from vault.ports.campaigns import Unproven

_account = tables.account.c
_version = tables.version.c
_rotation = tables.rotation.c
_AGING: Final = (
    select(_account.id, _version.current_since)
    .join(tables.version, (_version.account_id == _account.id) & (_version.label == VersionLabel.CURRENT))
    .where(_account.custody == Custody.HELD)
    .order_by(_version.current_since, _account.id)
)
_UNPROVEN: Final = (
    select(_rotation.account_id, _rotation.kind, _rotation.id, _rotation.attested_at)
    .join(tables.account, _account.id == _rotation.account_id)
    .join(
        tables.version,
        (_version.account_id == _rotation.account_id)
        & (_version.kind == _rotation.kind)
        & (_version.number == _rotation.version)
        & (_version.label == VersionLabel.CURRENT),
    )
    .where(_rotation.state == RotationState.ACCEPTED)
    .order_by(_rotation.attested_at, _rotation.id)
)


@dataclass(frozen=True, slots=True)
class Coming:
    """Implements `ComingStore`."""

    db: Statements

    def aging(self, reach: Reach, since: datetime, until: datetime) -> tuple[tuple[str, datetime], ...]:
        """Name the accounts whose current value is in use since a time in [since, until), with that time."""
        chosen = within(_AGING, reach, _account.customer_id, _account.id)
        chosen = chosen.where(_version.current_since >= since, _version.current_since < until)
        return tuple((row[0], row[1]) for row in self.db.all(chosen))

    def unproven(self, reach: Reach, since: datetime | None, until: datetime) -> tuple[Unproven, ...]:
        """List accepted, unproven rotations that were attested in [since, until), oldest first."""
        chosen = within(_UNPROVEN, reach, _account.customer_id, _account.id)
        chosen = chosen.where(_rotation.attested_at < until)
        if since is not None:
            chosen = chosen.where(_rotation.attested_at >= since)
        return tuple(Unproven(*row) for row in self.db.all(chosen))
