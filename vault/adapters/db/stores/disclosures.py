"""Disclosures and rotations: what was shown, and what was set at AWS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, insert, or_, select, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.freezes import stopped
from vault.domain.credential import PartKind
from vault.domain.rotation import UNSETTLED, Rotation, RotationState
from vault.errors import Conflict
from vault.ports.records import Reveal, RevealState

_reveal = tables.reveal.c
_rotation = tables.rotation.c

_REVEAL = select(*mapping.reveal.columns)
_END = (
    update(tables.reveal)
    .where(_reveal.id == bindparam("at"), _reveal.state == RevealState.AUTHORIZED)
    .values(state=bindparam("outcome"), ended_at=bindparam("ended"))
)
_RELEASE = _END.where(~stopped(_reveal.account_id, _reveal.person_id))
_UNFINISHED = (
    _REVEAL.where(_reveal.state == RevealState.AUTHORIZED, _reveal.authorized_at < bindparam("before"))
    .order_by(_reveal.authorized_at, _reveal.id)
    .limit(bindparam("most"))
)
_OF_CHECKOUT = _REVEAL.where(_reveal.checkout_id == bindparam("id")).order_by(
    _reveal.authorized_at, _reveal.id
)
_KNOWS = (
    select(_reveal.id)
    .where(
        _reveal.account_id == bindparam("account"),
        _reveal.kind == bindparam("kind"),
        _reveal.version == bindparam("number"),
        _reveal.person_id == bindparam("person"),
        _reveal.state != RevealState.FAILED,
    )
    .limit(1)
)

_ROTATION = select(*mapping.rotation.columns)
_NEWEST = (_rotation.planned_at.desc(), _rotation.id.desc())
_ROTATION_BY_ID = _ROTATION.where(_rotation.id == bindparam("id"))
_UNSETTLED = _ROTATION.where(
    _rotation.account_id == bindparam("account"), _rotation.state.in_(sorted(UNSETTLED))
).order_by(_rotation.kind)
_UNVERIFIED = _ROTATION.where(
    _rotation.account_id == bindparam("account"),
    _rotation.kind == bindparam("kind"),
    _rotation.state == RotationState.ACCEPTED,
).order_by(*_NEWEST)
_UNVERIFIED_OF = (
    select(_rotation.account_id, _rotation.kind)
    .where(
        _rotation.account_id.in_(bindparam("ids", expanding=True)),
        _rotation.state == RotationState.ACCEPTED,
    )
    .distinct()
)
_OF_ACCOUNT = (
    _ROTATION.where(_rotation.account_id == bindparam("account")).order_by(*_NEWEST).limit(bindparam("most"))
)
_UNDER = _ROTATION.where(
    or_(_rotation.checkout_id == bindparam("checkout"), _rotation.attested_in == bindparam("checkout"))
).order_by(_rotation.planned_at, _rotation.id)
_FIXED = {"id", "account_id", "kind", "version", "checkout_id", "planned_by", "planned_at", "recovering"}
_CHANGING = tuple(name for name in mapping.rotation.names if name not in _FIXED)
_UPDATE = (
    update(tables.rotation)
    .where(_rotation.id == bindparam("at"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)


@dataclass(frozen=True, slots=True)
class Reveals:
    """Implements `RevealStore`."""

    db: Statements

    def add(self, reveal: Reveal) -> None:
        """Keep an authorised one."""
        self.db.change(insert(tables.reveal), mapping.reveal.row(reveal))

    def end(self, reveal_id: str, state: RevealState, at: datetime) -> bool:
        """Write the outcome; False where one was written before."""
        return self.db.change(_END, {"at": reveal_id, "outcome": state, "ended": at}) == 1

    def release(self, reveal_id: str, at: datetime) -> bool:
        """Write that it was released, unless it has an outcome or is frozen; False where nothing was written."""
        values = {"at": reveal_id, "outcome": RevealState.RELEASED, "ended": at}
        return self.db.change(_RELEASE, values) == 1

    def unfinished(self, before: datetime, limit: int) -> tuple[Reveal, ...]:
        """List those authorised before a time and without outcome, oldest first."""
        rows = self.db.all(_UNFINISHED, {"before": before, "most": limit})
        return tuple(mapping.reveal.value(row) for row in rows)

    def of_checkout(self, checkout_id: str) -> tuple[Reveal, ...]:
        """List a checkout's, oldest first."""
        return tuple(mapping.reveal.value(row) for row in self.db.all(_OF_CHECKOUT, {"id": checkout_id}))

    def knows(self, person_id: str, account_id: str, kind: PartKind, version: int) -> bool:
        """Say whether a person may have seen a version: all but failed disclosures count."""
        values = {"account": account_id, "kind": kind, "number": version, "person": person_id}
        return self.db.first(_KNOWS, values) is not None


@dataclass(frozen=True, slots=True)
class Rotations:
    """Implements `RotationStore`."""

    db: Statements

    def add(self, rotation: Rotation) -> None:
        """Keep a new one; `Conflict` rotation.conflict where one is unsettled for the part."""
        self.db.change(insert(tables.rotation), mapping.rotation.row(rotation))

    def get(self, rotation_id: str) -> Rotation | None:
        """Find by id."""
        row = self.db.one(_ROTATION_BY_ID, {"id": rotation_id})
        return None if row is None else mapping.rotation.value(row)

    def update(self, rotation: Rotation) -> None:
        """Write all fields that may change."""
        values = {f"new_{name}": getattr(rotation, name) for name in _CHANGING} | {"at": rotation.id}
        if self.db.change(_UPDATE, values) != 1:
            raise Conflict("concurrent.change", f"There is no rotation {rotation.id} to change.")

    def unsettled(self, account_id: str) -> tuple[Rotation, ...]:
        """List those planned, displayed or unknown: at most one for each part."""
        rows = self.db.all(_UNSETTLED, {"account": account_id})
        return tuple(mapping.rotation.value(row) for row in rows)

    def unverified(self, account_id: str, kind: PartKind) -> tuple[Rotation, ...]:
        """List accepted ones that are not verified, newest first."""
        rows = self.db.all(_UNVERIFIED, {"account": account_id, "kind": kind})
        return tuple(mapping.rotation.value(row) for row in rows)

    def unverified_of(self, account_ids: tuple[str, ...]) -> frozenset[tuple[str, PartKind]]:
        """Name the parts of many accounts that have an accepted rotation not verified, in one query."""
        rows = self.db.all(_UNVERIFIED_OF, {"ids": list(account_ids)})
        return frozenset((row[0], row[1]) for row in rows)

    def under(self, checkout_id: str) -> tuple[Rotation, ...]:
        """List those planned or attested under a checkout, oldest first."""
        rows = self.db.all(_UNDER, {"checkout": checkout_id})
        return tuple(mapping.rotation.value(row) for row in rows)

    def of_account(self, account_id: str, limit: int) -> tuple[Rotation, ...]:
        """List an account's, newest first."""
        rows = self.db.all(_OF_ACCOUNT, {"account": account_id, "most": limit})
        return tuple(mapping.rotation.value(row) for row in rows)
