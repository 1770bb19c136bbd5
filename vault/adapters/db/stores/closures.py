"""Closed accounts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import insert, select, update

from vault.adapters.db import mapping
from vault.adapters.db.closures import closure
from vault.domain.closure import ClosureState
from vault.errors import Conflict

if TYPE_CHECKING:
    from datetime import datetime

    from vault.adapters.db.statements import Statements
    from vault.domain.closure import Closure

_c = closure.c
_ALL: Final = select(*mapping.closure.columns)


@dataclass(frozen=True, slots=True)
class Closures:
    """Implements `ClosureStore`."""

    db: Statements

    def add(self, closure_: Closure) -> None:
        """Keep that an account was closed in a case."""
        self.db.change(insert(closure), mapping.closure.row(closure_))

    def update(self, closure_: Closure) -> None:
        """Write what became of it; `Conflict` concurrent.change where that was written before."""
        values: Any = mapping.closure.row(closure_)
        there = update(closure).where(
            _c.case_id == closure_.case_id,
            _c.account_id == closure_.account_id,
            _c.state == ClosureState.CLOSED,
        )
        if self.db.change(there.values(values)) != 1:
            raise Conflict(
                "concurrent.change", f"Account {closure_.account_id} was reopened, or died, meanwhile."
            )

    def last(self, account_id: str) -> Closure | None:
        """Find an account's latest closing."""
        row = self.db.one(_ALL.where(_c.account_id == account_id).order_by(_c.closed_at.desc()).limit(1))
        return None if row is None else mapping.closure.value(row)

    def of(self, account_id: str) -> tuple[Closure, ...]:
        """List an account's closings, the latest first."""
        rows = self.db.all(_ALL.where(_c.account_id == account_id).order_by(_c.closed_at.desc()))
        return tuple(mapping.closure.value(row) for row in rows)

    def over(self, now: datetime, most: int) -> tuple[Closure, ...]:
        """List those written as closed whose time to reopen is over, the oldest first."""
        chosen = _ALL.where(_c.state == ClosureState.CLOSED, _c.dead_at <= now)
        rows = self.db.all(chosen.order_by(_c.dead_at, _c.account_id).limit(most))
        return tuple(mapping.closure.value(row) for row in rows)
