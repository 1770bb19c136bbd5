"""Versions of the policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import bindparam, func, insert, select, update

from vault.adapters.db import mapping
from vault.adapters.db.paging import decode_cursor, limited, page
from vault.adapters.db.policies import policy_version as versions
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.policy_version import PolicyVersion
from vault.errors import Conflict
from vault.ports.records import Page, Slice

_c = versions.c
_ONE: Final = select(*mapping.policy_version.columns)
_LATEST: Final = (
    select(_c.number, _c.digest)
    .where(_c.ended_at.is_(None), _c.effective_at <= bindparam("now"))
    .order_by(_c.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Policies:
    """Implements `PolicyStore`."""

    db: Statements

    def add(self, version: PolicyVersion) -> None:
        """Keep a new one; `Conflict` concurrent.change where its number was taken meanwhile."""
        self.db.change(insert(versions), mapping.policy_version.row(version))

    def end(self, version: PolicyVersion) -> None:
        """Write `ended_at`."""
        ended = update(versions).where(_c.number == version.number).values(ended_at=version.ended_at)
        if self.db.change(ended) != 1:
            raise Conflict("concurrent.change", f"There is no version {version.number} to end.")

    def get(self, number: int) -> PolicyVersion | None:
        """Find by number."""
        return _value(self.db.one(_ONE.where(_c.number == number)))

    def by_digest(self, digest: str) -> PolicyVersion | None:
        """Find the newest of a digest."""
        return _value(self.db.one(_ONE.where(_c.digest == digest).order_by(_c.number.desc()).limit(1)))

    def by_proposal(self, proposal_id: str) -> PolicyVersion | None:
        """Find what a proposal led to."""
        return _value(self.db.one(_ONE.where(_c.proposal_id == proposal_id)))

    def latest(self, now: datetime) -> tuple[int, str] | None:
        """Give number and digest of the one that the rows have in force at `now`: one small statement."""
        row = self.db.one(_LATEST, {"now": now})
        return None if row is None else (row[0], row[1])

    def held(self, now: datetime) -> tuple[PolicyVersion, ...]:
        """List those that were agreed to and wait out their hold."""
        waiting = _ONE.where(_c.ended_at.is_(None), _c.effective_at > now).order_by(_c.number)
        return tuple(mapping.policy_version.value(row) for row in self.db.all(waiting))

    def next_number(self) -> int:
        """Give the number after the highest."""
        row = self.db.one(select(func.max(_c.number)))
        return 1 if row is None or row[0] is None else int(row[0]) + 1

    def page(self, part: Slice) -> Page[PolicyVersion]:
        """List newest first."""
        chosen = _ONE.order_by(_c.number.desc()).limit(limited(part.limit))
        after = decode_cursor(part.cursor, int)
        if after is not None:
            chosen = chosen.where(_c.number < int(after[0]))
        found = [mapping.policy_version.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: (each.number,))


def _value(row: AnyRow | None) -> PolicyVersion | None:
    return None if row is None else mapping.policy_version.value(row)
