"""Inspections: what was seen of accounts, whose turn it is, and the lists of Organizations.

Decided here: what is asked for comes before what the schedule brings; an account that never had a turn comes next, so
that a vault's first pass is spread like all others, by how many are taken at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, case, func, insert, literal, or_, select, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.inspections import inspection as inspections
from vault.adapters.db.inspections import inspection_turn as turns
from vault.adapters.db.inspections import roster as rosters
from vault.adapters.db.mapping import Shape
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.types import Moment
from vault.domain.account import Account, Kind
from vault.domain.actor import Reach
from vault.domain.hygiene import INSPECTED
from vault.domain.inspection import Inspection
from vault.domain.inspection_text import read, write
from vault.errors import Conflict
from vault.ports.inspection import InspectionNumbers, RosterState, Turn

_account = tables.account.c
_c = inspections.c
_turn = turns.c
_roster = rosters.c
_NAMES: Final = ("id", "account_id", "at", "facts", "request_ids", "again_at")
_COLUMNS: Final = tuple(_c[name] for name in _NAMES)
_TURN: Final = select(_turn.account_id, _turn.next_at, _turn.asked_by, _turn.asked_at)
_ROSTER: Final = (_roster.payer_id, _roster.at, _roster.count, _roster.reason, _roster.code)
_RANKED: Final = (
    select(
        *_COLUMNS,
        func.row_number()
        .over(partition_by=_c.account_id, order_by=(_c.at.desc(), _c.id.desc()))
        .label("rank"),
    )
    .where(_c.account_id.in_(bindparam("ids", expanding=True)))
    .subquery()
)
_LATEST: Final = select(*(_RANKED.c[column.name] for column in _COLUMNS)).where(_RANKED.c.rank == 1)
_AGAIN: Final = (
    update(inspections).where(_c.id == bindparam("number")).values(again_at=bindparam("new_again"))
)
_LOOKED_AT: Final = _account.custody.in_(sorted(INSPECTED))


def _made(
    number: str, account_id: str, at: datetime, facts: str, ids: str, again: datetime | None
) -> Inspection:
    return Inspection(
        id=number, account_id=account_id, at=at, request_ids=tuple(ids.split()), again_at=again, **read(facts)
    )


INSPECTION: Final[Shape[Inspection]] = Shape(_made, inspections, _NAMES, _COLUMNS, None)
"""How one stands in its table: the facts as one text."""


@dataclass(frozen=True, slots=True)
class Inspections:
    """Implements `InspectionStore`."""

    db: Statements

    def add(self, inspection: Inspection) -> None:
        """Keep what was seen for the first time."""
        row = {
            "id": inspection.id,
            "account_id": inspection.account_id,
            "at": inspection.at,
            "facts": write(inspection),
            "request_ids": " ".join(inspection.request_ids),
            "again_at": inspection.again_at,
        }
        self.db.change(insert(inspections), row)

    def again(self, inspection: Inspection, at: datetime) -> None:
        """Write that the very same was seen again."""
        if self.db.change(_AGAIN, {"number": inspection.id, "new_again": at}) != 1:
            raise Conflict("concurrent.change", f"There is no inspection {inspection.id} to change.")

    def latest(self, account_ids: tuple[str, ...]) -> Mapping[str, Inspection]:
        """Give what was seen of each account last, in one query."""
        if not account_ids:
            return {}
        return {row[1]: INSPECTION.value(row) for row in self.db.all(_LATEST, {"ids": list(account_ids)})}

    def of(self, account_id: str, since: datetime | None, limit: int) -> tuple[Inspection, ...]:
        """List what was seen of an account, newest first."""
        chosen = select(*_COLUMNS).where(_c.account_id == account_id)
        if since is not None:
            chosen = chosen.where(or_(_c.at >= since, _c.again_at >= since))
        chosen = chosen.order_by(_c.at.desc(), _c.id.desc()).limit(limit)
        return tuple(INSPECTION.value(row) for row in self.db.all(chosen))

    def turn(self, account_id: str) -> Turn | None:
        """Give when an account is looked at next."""
        row = self.db.one(_TURN.where(_turn.account_id == account_id))
        return None if row is None else Turn(*row)

    def put_turn(self, turn: Turn) -> None:
        """Write when an account is looked at next."""
        values = {
            "account_id": turn.account_id,
            "next_at": turn.next_at,
            "asked_by": turn.asked_by,
            "asked_at": turn.asked_at,
        }
        added = self.db.insert(turns).values(values)
        self.db.change(added.on_conflict_do_update(index_elements=["account_id"], set_=values))

    def claim(self, now: datetime, until: datetime, limit: int) -> tuple[Turn, ...]:
        """Take accounts whose turn it is; the row of each account is held, and whoever moves its turn has it."""
        chosen = (
            select(_account.id, _turn.next_at, _turn.asked_by, _turn.asked_at)
            .select_from(tables.account.outerjoin(turns, _turn.account_id == _account.id))
            .where(_LOOKED_AT, or_(_turn.next_at.is_(None), _turn.next_at <= literal(now, Moment)))
            .order_by(
                case((_turn.asked_at.is_not(None), 0), else_=1),
                _turn.next_at.is_(None),
                _turn.next_at,
                _account.id,
            )
            .limit(limit)
            .with_for_update(of=tables.account, skip_locked=True)
        )
        found = [Turn(row[0], row[1] or now, row[2] or "", row[3]) for row in self.db.all(chosen)]
        return tuple(turn for turn in found if self._take(turn, now, until))

    def _take(self, turn: Turn, now: datetime, until: datetime) -> bool:
        """Move an account's turn; False where another moved it since it was read."""
        values = {
            "account_id": turn.account_id,
            "next_at": until,
            "asked_by": turn.asked_by,
            "asked_at": turn.asked_at,
        }
        moved = self.db.insert(turns).values(values)
        moved = moved.on_conflict_do_update(
            index_elements=["account_id"],
            set_={"next_at": until},
            where=_turn.next_at <= literal(now, Moment),
        )
        return bool(self.db.all(moved.returning(_turn.account_id)))

    def rosters(self, reach: Reach) -> tuple[RosterState, ...]:
        """List how the reading of each payer's list went."""
        chosen = select(*_ROSTER).join(tables.account, _account.id == _roster.payer_id)
        chosen = within(chosen, reach, _account.customer_id, _account.id).order_by(_roster.payer_id)
        return tuple(RosterState(*row) for row in self.db.all(chosen))

    def put_roster(self, state: RosterState) -> None:
        """Write how the reading of a payer's list went."""
        values = {
            "payer_id": state.payer_id,
            "at": state.at,
            "count": state.count,
            "reason": state.reason,
            "code": state.code,
        }
        added = self.db.insert(rosters).values(values)
        self.db.change(added.on_conflict_do_update(index_elements=["payer_id"], set_=values))

    def numbers(self) -> InspectionNumbers:
        """Count accounts looked at."""
        latest = (
            select(_c.account_id, func.max(func.coalesce(_c.again_at, _c.at)).label("at"))
            .group_by(_c.account_id)
            .subquery()
        )
        chosen = (
            select(func.count(_account.id), func.count(latest.c.at), func.min(latest.c.at, type_=Moment))
            .select_from(tables.account.outerjoin(latest, latest.c.account_id == _account.id))
            .where(_LOOKED_AT)
        )
        row = self.db.all(chosen)[0]
        return InspectionNumbers(row[0], row[1], row[2])

    def scene(self, customer_id: str, listed: tuple[str, ...]) -> Mapping[str, Account]:
        """Give a customer's payers and members, and whatever accounts of these numbers there are."""
        mine = and_(_account.customer_id == customer_id, _account.kind.in_([Kind.PAYER, Kind.MEMBER]))
        chosen = select(*mapping.account.columns).where(or_(mine, _account.id.in_(listed)))
        found = (mapping.account.value(row) for row in self.db.all(chosen))
        return {account.id: account for account in found}
