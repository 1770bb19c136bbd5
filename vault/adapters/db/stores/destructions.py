"""Destroyed credentials: kept for ever."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from vault.adapters.db import mapping
from vault.adapters.db.destructions import destruction

if TYPE_CHECKING:
    from vault.adapters.db.statements import Statements
    from vault.domain.destruction import Destroyed

_c = destruction.c
_ALL: Final = select(*mapping.destruction.columns)


@dataclass(frozen=True, slots=True)
class Destructions:
    """Implements `DestructionStore`."""

    db: Statements

    def add(self, destroyed: Destroyed) -> None:
        """Keep that an account's credential was destroyed; `Conflict` concurrent.change where it was before."""
        self.db.change(insert(destruction), mapping.destruction.row(destroyed))

    def get(self, account_id: str) -> Destroyed | None:
        """Find the destruction of an account's credential."""
        row = self.db.one(_ALL.where(_c.account_id == account_id))
        return None if row is None else mapping.destruction.value(row)

    def all(self) -> tuple[Destroyed, ...]:
        """List all, by time and account."""
        rows = self.db.all(_ALL.order_by(_c.at, _c.account_id))
        return tuple(mapping.destruction.value(row) for row in rows)

    def of(self, case_id: str) -> tuple[Destroyed, ...]:
        """List those of a case, by account."""
        rows = self.db.all(_ALL.where(_c.case_id == case_id).order_by(_c.account_id))
        return tuple(mapping.destruction.value(row) for row in rows)
