"""Sealed versions: added, relabelled, never changed; and claims of a seed's time steps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, select, tuple_, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.domain.actor import Reach
from vault.domain.credential import PartKind, Version, VersionLabel, VersionOrigin
from vault.domain.destruction import EMPTIED
from vault.errors import Conflict

_version = tables.version.c
_account = tables.account.c
_STEP: Final = 500

_VERSION = select(*mapping.version.columns)
_OF_PART = _VERSION.where(_version.account_id == bindparam("account"), _version.kind == bindparam("kind"))
_ONE = _OF_PART.where(_version.number == bindparam("number"))
_CURRENT = _OF_PART.where(_version.label == VersionLabel.CURRENT)
_ALL_OF_PART = _OF_PART.order_by(_version.number.desc())
_CURRENT_OF = _VERSION.where(
    _version.account_id.in_(bindparam("ids", expanding=True)), _version.label == VersionLabel.CURRENT
)
_SEEN = (
    _VERSION.join(tables.account, _account.id == _version.account_id)
    .where(
        _version.label == VersionLabel.CURRENT,
        _version.kind == PartKind.PASSWORD,
        _version.disclosed_at.is_not(None),
    )
    .order_by(_version.disclosed_at, _version.account_id)
)
_BY_ORIGIN = (
    select(_version.origin, func.count())
    .join(tables.account, _account.id == _version.account_id)
    .where(_version.label == VersionLabel.CURRENT, _version.kind == PartKind.PASSWORD)
    .group_by(_version.origin)
)
_HIGHEST = select(func.max(_version.number)).where(
    _version.account_id == bindparam("account"), _version.kind == bindparam("kind")
)
_AT = (
    _version.account_id == bindparam("account"),
    _version.kind == bindparam("part"),
    _version.number == bindparam("at_number"),
)
_RELABEL = update(tables.version).where(*_AT).values(label=bindparam("new_label"))
_PROMOTE = _RELABEL.values(current_since=bindparam("since"))
_DISCLOSED = (
    update(tables.version).where(*_AT, _version.disclosed_at.is_(None)).values(disclosed_at=bindparam("at"))
)
_REWRAP = (
    update(tables.version).where(*_AT, _version.wraps == bindparam("old")).values(wraps=bindparam("new"))
)
_SHRED = (
    update(tables.version)
    .where(_version.account_id == bindparam("account"), _version.label != VersionLabel.DESTROYED)
    .values(label=VersionLabel.DESTROYED, body=EMPTIED, wraps=EMPTIED)
)
_SHRED_BY_OWNER = select(func.vault_shred(bindparam("account")))
_MAY_REWRAP = select(func.has_column_privilege("version", "wraps", "UPDATE"))
_DRILLED = (
    update(tables.version)
    .where(
        *_AT,
        _version.drilled_at.is_not_distinct_from(bindparam("was_at", type_=_version.drilled_at.type)),
        _version.drill_fault == bindparam("was_fault"),
    )
    .values(drilled_at=bindparam("at"), drill_fault=bindparam("fault"))
)
_place_in_order = tuple_(_version.account_id, _version.kind, _version.number)
_PIECE = _VERSION.order_by(_version.account_id, _version.kind, _version.number).limit(bindparam("most"))
_after = tuple_(
    bindparam("account", type_=_version.account_id.type),
    bindparam("part", type_=_version.kind.type),
    bindparam("at_number", type_=_version.number.type),
)
_PIECE_AFTER = _PIECE.where(_place_in_order > _after)
_COUNT = select(func.count()).select_from(tables.version)
_REMOVED = (
    update(tables.version)
    .where(*_AT, _version.device_removed_at.is_(None))
    .values(device_removed_at=bindparam("at"), device_removed_by=bindparam("by"))
)
_CLAIM = (
    update(tables.version)
    .where(*_AT, _version.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
)


@dataclass(frozen=True, slots=True)
class Versions:
    """Implements `VersionStore`."""

    db: Statements

    def add(self, version: Version) -> None:
        """Keep a new version; `Conflict` concurrent.change where the number was taken meanwhile."""
        self.db.change(insert(tables.version), mapping.version.row(version))

    def get(self, account_id: str, kind: PartKind, number: int) -> Version | None:
        """Find one."""
        row = self.db.one(_ONE, {"account": account_id, "kind": kind, "number": number})
        return None if row is None else mapping.version.value(row)

    def current(self, account_id: str, kind: PartKind) -> Version | None:
        """Find the version labelled current."""
        row = self.db.one(_CURRENT, {"account": account_id, "kind": kind})
        return None if row is None else mapping.version.value(row)

    def current_of(self, account_ids: tuple[str, ...]) -> Mapping[tuple[str, PartKind], Version]:
        """Find the current versions of many accounts in one query."""
        found = [mapping.version.value(row) for row in self.db.all(_CURRENT_OF, {"ids": list(account_ids)})]
        return {(version.account_id, version.kind): version for version in found}

    def of(self, account_id: str, kind: PartKind) -> tuple[Version, ...]:
        """List all, newest first."""
        rows = self.db.all(_ALL_OF_PART, {"account": account_id, "kind": kind})
        return tuple(mapping.version.value(row) for row in rows)

    def seen(self, reach: Reach, limit: int) -> tuple[Version, ...]:
        """List current passwords within `reach` that somebody saw, the longest ago first."""
        chosen = within(_SEEN, reach, _account.customer_id, _account.id).limit(limit)
        return tuple(mapping.version.value(row) for row in self.db.all(chosen))

    def current_passwords(self, reach: Reach) -> Mapping[VersionOrigin, int]:
        """Count the current passwords within `reach` by where they came from."""
        chosen = within(_BY_ORIGIN, reach, _account.customer_id, _account.id)
        return {VersionOrigin(origin): int(count) for origin, count in self.db.all(chosen)}

    def next_number(self, account_id: str, kind: PartKind) -> int:
        """Give the number after the highest used, 1 at first."""
        highest = self.db.all(_HIGHEST, {"account": account_id, "kind": kind})[0][0]
        return 1 if highest is None else int(highest) + 1

    def relabel(
        self, version: Version, label: VersionLabel, *, current_since: datetime | None = None
    ) -> None:
        """Move a version's label; a time of promotion, once given, stays."""
        values = _place(version) | {"new_label": label}
        if current_since is None:
            changed = self.db.change(_RELABEL, values)
        else:
            changed = self.db.change(_PROMOTE, values | {"since": current_since})
        if changed != 1:
            raise Conflict("concurrent.change", f"Version {version.number} is not there to be relabelled.")

    def mark_disclosed(self, version: Version, at: datetime) -> None:
        """Set the first disclosure's time, where none is set."""
        if version.disclosed_at is None:  # once set, it stays
            self.db.change(_DISCLOSED, _place(version) | {"at": at})

    def device_removed(self, version: Version, at: datetime, by: str) -> None:
        """Write that a seed's device was taken off at AWS; `Conflict` concurrent.change where that was said before."""
        if self.db.change(_REMOVED, _place(version) | {"at": at, "by": by}) != 1:
            raise Conflict("concurrent.change", f"Device {version.number} was said to be removed meanwhile.")

    def claim_step(self, version: Version, step: int) -> bool:
        """Claim a TOTP time step of a seed; False where it, or a later one, was claimed before."""
        return self.db.change(_CLAIM, _place(version) | {"step": step}) == 1

    def each(self) -> Iterator[Version]:
        """Go through all versions, by account, kind and number, a few hundred a statement."""
        after: Version | None = None
        while found := self.piece(after, _STEP):
            yield from found
            after = found[-1]

    def piece(self, after: Version | None, most: int) -> tuple[Version, ...]:
        """List the versions next to `after`, by account, kind and number."""
        step = _PIECE if after is None else _PIECE_AFTER
        rows = self.db.all(step, {"most": most} | ({} if after is None else _place(after)))
        return tuple(mapping.version.value(row) for row in rows)

    def count(self) -> int:
        """Count all versions."""
        return int(self.db.all(_COUNT)[0][0])

    def may_rewrap(self) -> bool:
        """Say whether this database role may put other wraps in place: on PostgreSQL the service's may not."""
        return self.db.is_sqlite or bool(self.db.all(_MAY_REWRAP)[0][0])

    def rewrap(self, version: Version, wraps: bytes) -> bool:
        """Put other wraps in place of exactly those that `version` has; False where it has others by now."""
        return self.db.change(_REWRAP, _place(version) | {"old": version.wraps, "new": wraps}) == 1

    def shred(self, account_id: str) -> int:
        """Empty every version of an account, with all its wraps, and label it destroyed; give how many were not yet.

        On PostgreSQL the service's role may write neither column: a function of the tables' owner does this alone.
        """
        if self.db.is_sqlite:
            return self.db.change(_SHRED, {"account": account_id})
        return int(self.db.all(_SHRED_BY_OWNER, {"account": account_id})[0][0])

    def drilled(self, version: Version, at: datetime | None, fault: str) -> bool:
        """Keep what came of a drill: when it last opened, and what was wrong now; False where another drill did."""
        was = {"was_at": version.drilled_at, "was_fault": version.drill_fault}
        return self.db.change(_DRILLED, _place(version) | was | {"at": at, "fault": fault}) == 1


def _place(version: Version) -> dict[str, Any]:
    return {"account": version.account_id, "part": version.kind, "at_number": version.number}
