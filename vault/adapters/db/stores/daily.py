"""Counts for the daily summary, by ranges of indexes; and PostgreSQL's own clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from vault.adapters.db.statements import Statements

if TYPE_CHECKING:
    from vault.adapters.db.stores.log import Marked
    from vault.ports.ranges import Stretch

_OUTCOMES: Final = text(
    "SELECT outcome, count(*) FROM audit_entry WHERE seq >= :first AND seq < :until GROUP BY outcome"
)
_ACCOUNTS: Final = text(
    "SELECT account_id, max(account_seq) + 1 FROM audit_entry WHERE account_id IN"
    " (SELECT DISTINCT account_id FROM audit_entry WHERE seq >= :first AND seq < :until AND account_id IS NOT NULL)"
    " GROUP BY account_id ORDER BY account_id"
)
_TIME: Final = text("SELECT clock_timestamp()")


@dataclass(frozen=True, slots=True)
class Daily:
    """Implements `DailyStore`."""

    db: Statements
    storage: Marked

    def hold(self) -> None:
        """Let nobody append to the log until the unit ends; what is read after this is the latest."""
        with self.db.guarded():
            self.storage.lock(None)

    def outcomes(self, stretch: Stretch) -> Mapping[str, int]:
        """Count a stretch's entries by outcome."""
        rows = self.db.all(_OUTCOMES, {"first": stretch.first, "until": stretch.until})
        return {row[0]: int(row[1]) for row in rows}

    def accounts(self, stretch: Stretch) -> tuple[tuple[str, int], ...]:
        """List the accounts that a stretch tells of, each with how many entries it has by now."""
        rows = self.db.all(_ACCOUNTS, {"first": stretch.first, "until": stretch.until})
        return tuple((row[0], int(row[1])) for row in rows)

    def time(self) -> datetime | None:
        """Give the database server's time at this moment; SQLite has no clock but ours."""
        if self.db.is_sqlite:
            return None
        row = self.db.one(_TIME)
        return None if row is None else row[0]
