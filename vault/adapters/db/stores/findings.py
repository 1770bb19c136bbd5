"""Findings: the list's order and what may change on one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, bindparam, case, func, literal, or_, select, tuple_, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.inspections import finding as findings
from vault.adapters.db.paging import decode_cursor, decode_dated, encode_cursor, encode_dated, limited
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.types import Key, Moment
from vault.domain.actor import Reach
from vault.domain.hygiene import INSPECTED, WEIGHT, Finding, FindingState, Rule
from vault.errors import Conflict
from vault.ports.inspection import FindingCount, FindingFilter
from vault.ports.records import Page, Slice

_c = findings.c
_account = tables.account.c
_ONE: Final = select(*mapping.finding.columns)
_BY_ID: Final = _ONE.where(_c.id == bindparam("id"))
_STAYING: Final = ("id", "rule", "account_id", "subject", "first_at")
_CHANGING: Final = tuple(each.name for each in fields(Finding) if each.name not in _STAYING)
_UPDATE: Final = (
    update(findings)
    .where(_c.id == bindparam("number"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_TOUCH: Final = (
    update(findings)
    .where(_c.id.in_(bindparam("ids", expanding=True)))
    .values(seen_at=bindparam("new_seen", type_=Moment))
)
_HOLD: Final = (
    _ONE.where(_c.account_id.in_(bindparam("ids", expanding=True)))
    .order_by(_c.account_id, _c.rule, _c.subject)
    .with_for_update()
)
_OPEN: Final = _c.state == FindingState.OPEN
_OPEN_OF: Final = _ONE.where(_c.account_id.in_(bindparam("ids", expanding=True)), _OPEN).order_by(
    _c.account_id, _c.opened_at, _c.id
)
_WEIGHT: Final = case({str(rule): weight for rule, weight in WEIGHT.items()}, value=_c.rule, else_=9)
_RANK: Final = case((_OPEN, _WEIGHT), (_c.state == FindingState.ACCEPTED, 10), else_=11)
"""Open ones by weight, then accepted ones, then closed ones; each oldest first."""


@dataclass(frozen=True, slots=True)
class Findings:
    """Implements `FindingStore`."""

    db: Statements

    def add(self, finding: Finding) -> bool:
        """Keep a new one; False, and nothing is changed, where there is one of this account, rule and subject."""
        added = self.db.insert(findings).values(mapping.finding.row(finding))
        added = added.on_conflict_do_nothing(index_elements=["account_id", "rule", "subject"])
        return bool(self.db.all(added.returning(_c.id)))

    def get(self, finding_id: str) -> Finding | None:
        """Find by id."""
        row = self.db.one(_BY_ID, {"id": finding_id})
        return None if row is None else mapping.finding.value(row)

    def lock(self, finding_id: str) -> Finding | None:
        """Find by id and hold its row until the unit ends."""
        row = self.db.one(_BY_ID.with_for_update(), {"id": finding_id})
        return None if row is None else mapping.finding.value(row)

    def hold(self, account_ids: tuple[str, ...]) -> tuple[Finding, ...]:
        """Give all findings of these accounts, holding their rows, in one order."""
        if not account_ids:
            return ()
        return tuple(mapping.finding.value(row) for row in self.db.all(_HOLD, {"ids": sorted(account_ids)}))

    def left(self, rules: frozenset[Rule], limit: int) -> tuple[Finding, ...]:
        """List standing findings of these rules whose accounts are not looked at any more."""
        chosen = (
            _ONE.join(tables.account, _account.id == _c.account_id)
            .where(
                _c.state != FindingState.CLOSED,
                _account.custody.not_in(sorted(INSPECTED)),
                _c.rule.in_(sorted(rules)),
            )
            .order_by(_c.account_id, _c.id)
            .limit(limit)
        )
        return tuple(mapping.finding.value(row) for row in self.db.all(chosen))

    def update(self, finding: Finding) -> None:
        """Write all that changes of one."""
        values: dict[str, Any] = {f"new_{name}": getattr(finding, name) for name in _CHANGING}
        if self.db.change(_UPDATE, values | {"number": finding.id}) != 1:
            raise Conflict("concurrent.change", f"There is no finding {finding.id} to change.")

    def touch(self, finding_ids: tuple[str, ...], at: datetime) -> None:
        """Write that these were seen again."""
        if finding_ids:
            self.db.change(_TOUCH, {"ids": sorted(finding_ids), "new_seen": at})

    def page(self, reach: Reach, wanted: FindingFilter, part: Slice) -> Page[Finding]:
        """List within `reach`: open ones first, the weightiest and then the oldest first."""
        chosen = _ONE.join(tables.account, _account.id == _c.account_id).limit(limited(part.limit))
        chosen = within(chosen, reach, _account.customer_id, _account.id)
        for column, value in (
            (_c.state, wanted.state),
            (_c.account_id, wanted.account_id),
            (_account.customer_id, wanted.customer_id),
            (_c.owner_id, wanted.owner_id),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        if wanted.rules is not None:
            chosen = chosen.where(_c.rule.in_(sorted(wanted.rules)))
        after = _after(part.cursor)
        if after is not None:
            chosen = chosen.where(after)
        rows = self.db.all(chosen.order_by(_RANK, _c.opened_at, _c.id))
        found = [mapping.finding.value(row) for row in rows]
        most = limited(part.limit) - 1
        shown = tuple(found[:most])
        return Page(shown, encode_cursor(_key(shown[-1])) if len(found) > most else None)

    def open_counts(self, reach: Reach) -> tuple[FindingCount, ...]:
        """Count open ones by rule."""
        chosen = (
            select(_c.rule, func.count(), func.min(_c.opened_at, type_=Moment))
            .join(tables.account, _account.id == _c.account_id)
            .where(_OPEN)
            .group_by(_c.rule)
            .order_by(_c.rule)
        )
        rows = self.db.all(within(chosen, reach, _account.customer_id, _account.id))
        return tuple(FindingCount(row[0], row[1], row[2]) for row in rows)

    def open_of(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Finding, ...]]:
        """Give the open findings of many accounts in one query."""
        if not account_ids:
            return {}
        found: dict[str, tuple[Finding, ...]] = {}
        for row in self.db.all(_OPEN_OF, {"ids": sorted(account_ids)}):
            finding = mapping.finding.value(row)
            found[finding.account_id] = (*found.get(finding.account_id, ()), finding)
        return found


def _key(finding: Finding) -> tuple[int, str, str]:
    rank = {FindingState.OPEN: finding.weight, FindingState.ACCEPTED: 10, FindingState.CLOSED: 11}
    return (rank[finding.state], *encode_dated(finding.opened_at, finding.id))


def _after(cursor: str | None) -> ColumnElement[bool] | None:
    """Give the condition of what comes after a cursor."""
    key: tuple[Any, ...] | None = decode_cursor(cursor, int, str, str)
    if key is None:
        return None
    dated = decode_dated(encode_cursor(key[1:]))
    if dated is None:  # pragma: no cover - a cursor was given
        return None
    moment, name = literal(dated[0], Moment), literal(dated[1], Key)
    later = tuple_(_c.opened_at, _c.id) > tuple_(moment, name)
    rank = literal(key[0])
    return or_(rank < _RANK, and_(rank == _RANK, later))
