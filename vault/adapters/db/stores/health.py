"""What the health of credentials is computed from: by account, in a number of statements that does not grow.

Decided here: no statement reads a sealed value. What is told of a version elsewhere comes in one statement of three
parts, because it is asked with every decision on a checkout.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BindParameter,
    Integer,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    type_coerce,
    union_all,
)

from vault.adapters.db import mapping, tables
from vault.adapters.db.inspections import finding
from vault.adapters.db.leavers import leaver_knows
from vault.adapters.db.outside import cloud_event, incident
from vault.adapters.db.reused import reused_value
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.types import Key, Moment
from vault.domain.account import Account
from vault.domain.checkout import OPEN
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.due import INCIDENTS, Current, Marks, Place, Reused
from vault.domain.health import CONTRADICTING
from vault.domain.hygiene import FindingState
from vault.domain.rotation import UNSETTLED, RotationState
from vault.ports.health import Differs, HeldPart, Holder, Underway, Whose

_account = tables.account.c
_part = tables.part.c
_version = tables.version.c
_rotation = tables.rotation.c
_checkout = tables.checkout.c
_knows = leaver_knows.c
_reused = reused_value.c
_incident = incident.c
_event = cloud_event.c
_finding = finding.c

_LEFT: Final = "left"
_SAME: Final = "reused"
_FOUND: Final = "incident"

_RECORDS = _event.matched == literal("incident:", Key) + _incident.id
# anybody on the network can fail to sign in, or ask for a new password: nothing was got by that
_HARMLESS = or_(_event.error.is_not(None), _event.name == "PasswordRecoveryRequested")
_MATTERS = or_(exists().where(_RECORDS, ~_HARMLESS), ~exists().where(_RECORDS))
_MARKS: Final = (
    select(
        literal(_LEFT).label("what"),
        _knows.account_id,
        _knows.kind,
        _knows.version,
        func.min(_knows.left_at, type_=Moment).label("at"),
    ).group_by(_knows.account_id, _knows.kind, _knows.version),
    select(literal(_SAME), _reused.account_id, _reused.kind, _reused.version, _reused.found_at),
    select(
        literal(_FOUND),
        _incident.account_id,
        type_coerce(null(), _knows.kind.type),
        type_coerce(null(), Integer),
        _incident.opened_at,
    ).where(_incident.closed_at.is_(None), _incident.kind.in_(sorted(INCIDENTS)), _MATTERS),
)
_NAMED: Final[BindParameter[Any]] = bindparam("ids", expanding=True)
_MARKS_OF: Final = union_all(
    *(
        statement.where(table.account_id.in_(_NAMED))
        for statement, table in zip(_MARKS, (_knows, _reused, _incident), strict=True)
    )
)
_CURRENT: Final = (
    _version.number,
    _version.origin,
    _version.weak,
    _version.current_since,
    _version.disclosed_at,
    _version.restored_at,
    _version.drilled_at,
    _version.drill_fault,
)
_PARTS: Final = (
    select(*mapping.part.columns, *_CURRENT)
    .select_from(tables.part)
    .join(tables.account, _account.id == _part.account_id)
    .outerjoin(
        tables.version,
        and_(
            _version.account_id == _part.account_id,
            _version.kind == _part.kind,
            _version.label == VersionLabel.CURRENT,
        ),
    )
    .order_by(_part.account_id, _part.kind.desc())
)
_DIFFERING: Final = (
    select(_finding.account_id, _finding.rule, _finding.summary, _finding.opened_at)
    .join(tables.account, _account.id == _finding.account_id)
    .where(_finding.state != FindingState.CLOSED, _finding.rule.in_(sorted(CONTRADICTING)))
    .order_by(_finding.opened_at, _finding.id)
)
_UNDERWAY: Final = (
    select(
        _rotation.id,
        _rotation.account_id,
        _rotation.kind,
        _rotation.state,
        func.coalesce(_rotation.attested_at, _rotation.displayed_at, _rotation.planned_at, type_=Moment),
    )
    .join(tables.account, _account.id == _rotation.account_id)
    .where(_rotation.state.in_(sorted({*UNSETTLED, RotationState.ACCEPTED})))
    .order_by(_rotation.planned_at, _rotation.id)
)
_HOLDERS: Final = (
    select(
        _checkout.id,
        _checkout.account_id,
        _checkout.requester_id,
        _checkout.requester_name,
        _checkout.reason,
        func.coalesce(_checkout.activated_at, _checkout.requested_at, type_=Moment),
    )
    .join(tables.account, _account.id == _checkout.account_id)
    .where(_checkout.state.in_(sorted(OPEN)))
)


@dataclass(frozen=True, slots=True)
class Healths:
    """Implements `HealthStore`."""

    db: Statements

    def marks_of(self, account_ids: tuple[str, ...]) -> Marks:
        """Give what is told elsewhere of the versions of these accounts, in one statement."""
        return _marks(self.db.all(_MARKS_OF, {"ids": list(account_ids)}))

    def marks(self, whose: Whose) -> Marks:
        """Give the same of many accounts, in one statement."""
        ours = _narrowed(select(_account.id), whose)
        statements = (
            statement.where(table.account_id.in_(ours))
            for statement, table in zip(_MARKS, (_knows, _reused, _incident), strict=True)
        )
        return _marks(self.db.all(union_all(*statements)))

    def accounts(self, whose: Whose) -> tuple[Account, ...]:
        """List the accounts, by number."""
        chosen = _narrowed(select(*mapping.account.columns), whose).order_by(_account.id)
        return tuple(mapping.account.value(row) for row in self.db.all(chosen))

    def parts(self, whose: Whose) -> Mapping[str, tuple[HeldPart, ...]]:
        """Give the parts of each account with their current versions, password first."""
        found: defaultdict[str, list[HeldPart]] = defaultdict(list)
        width = len(mapping.part.columns)
        for row in self.db.all(_narrowed(_PARTS, whose)):
            part = mapping.part.value(row)
            number, origin, weak, since, disclosed, restored, drilled, fault = row[width:]
            if number is None:
                found[part.account_id].append(HeldPart(part, None))
                continue
            current = Current(part.kind, number, origin, weak, since, disclosed, restored)
            found[part.account_id].append(HeldPart(part, current, drilled, fault))
        return {number: tuple(parts) for number, parts in found.items()}

    def differing(self, whose: Whose) -> tuple[Differs, ...]:
        """List standing findings of inspections that contradict what is held, oldest first."""
        return tuple(Differs(*row) for row in self.db.all(_narrowed(_DIFFERING, whose)))

    def underway(self, whose: Whose) -> tuple[Underway, ...]:
        """List their rotations that are not at an end, oldest first."""
        return tuple(Underway(*row) for row in self.db.all(_narrowed(_UNDERWAY, whose)))

    def holders(self, whose: Whose) -> Mapping[str, Holder]:
        """Give by account who has it, or asked for it, as written."""
        found = [Holder(*row) for row in self.db.all(_narrowed(_HOLDERS, whose))]
        return {each.account_id: each for each in found}

    def add_reused(self, found: Reused) -> bool:
        """Keep that a value was found elsewhere too; False, and nothing is changed, where that is kept."""
        added = self.db.insert(reused_value).values(asdict(found)).on_conflict_do_nothing()
        return bool(self.db.all(added.returning(_reused.account_id)))


def _narrowed(statement: Select[Any], whose: Whose) -> Select[Any]:
    chosen = within(statement, whose.reach, _account.customer_id, _account.id)
    if whose.accounts is not None:
        chosen = chosen.where(_account.id.in_(whose.accounts))
    for column, value in (
        (_account.customer_id, whose.customer_id),
        (_account.kind, whose.kind),
        (_account.custody, whose.custody),
    ):
        if value is not None:
            chosen = chosen.where(column == value)
    return chosen


def _marks(rows: Any) -> Marks:
    left: dict[Place, datetime] = {}
    reused: dict[Place, datetime] = {}
    incidents: defaultdict[str, list[datetime]] = defaultdict(list)
    for what, account_id, kind, version, at in rows:
        if what == _FOUND:
            incidents[account_id].append(at)
        else:
            (left if what == _LEFT else reused)[account_id, PartKind(kind), version] = at
    return Marks(left, reused, {number: tuple(sorted(times)) for number, times in incidents.items()})
