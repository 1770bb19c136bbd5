"""Recovery recipients, and which sealed values are wrapped for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, LargeBinary, bindparam, case, cast, func, insert, select, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.recipients import recovery_recipient as recipients
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.credential import VersionLabel
from vault.domain.recipient import Recipient
from vault.errors import Conflict

_c = recipients.c
_version = tables.version.c
_ONE: Final = select(*mapping.recovery_recipient.columns)
_LATEST: Final = (
    select(_c.number, _c.recipient)
    .where(_c.ended_at.is_(None), _c.effective_at <= bindparam("now"))
    .order_by(_c.number.desc())
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Recipients:
    """Implements `RecipientStore`."""

    db: Statements

    def add(self, recipient: Recipient) -> None:
        """Keep a new one; `Conflict` concurrent.change where its number was taken meanwhile."""
        self.db.change(insert(recipients), mapping.recovery_recipient.row(recipient))

    def end(self, recipient: Recipient) -> None:
        """Write `ended_at`."""
        ended = update(recipients).where(_c.number == recipient.number).values(ended_at=recipient.ended_at)
        if self.db.change(ended) != 1:
            raise Conflict("concurrent.change", f"There is no recipient {recipient.number} to end.")

    def by_proposal(self, proposal_id: str) -> Recipient | None:
        """Find what a proposal led to."""
        row: AnyRow | None = self.db.one(_ONE.where(_c.proposal_id == proposal_id))
        return None if row is None else mapping.recovery_recipient.value(row)

    def latest(self, now: datetime) -> tuple[int, str] | None:
        """Give number and recipient of the one that the rows have in force at `now`: one small statement."""
        row = self.db.one(_LATEST, {"now": now})
        return None if row is None else (row[0], row[1])

    def held(self, now: datetime) -> tuple[Recipient, ...]:
        """List those that were agreed to and wait out their hold."""
        waiting = _ONE.where(_c.ended_at.is_(None), _c.effective_at > now).order_by(_c.number)
        return tuple(mapping.recovery_recipient.value(row) for row in self.db.all(waiting))

    def next_number(self) -> int:
        """Give the number after the highest."""
        row = self.db.one(select(func.max(_c.number)))
        return 1 if row is None or row[0] is None else int(row[0]) + 1

    def wrapped(self, recipient: str) -> frozenset[str]:
        """Give the accounts whose every current version has a wrap that names this recipient: one statement."""
        chosen = (
            select(_version.account_id)
            .where(_version.label == VersionLabel.CURRENT)
            .group_by(_version.account_id)
            .having(func.min(case((self._names(recipient), 1), else_=0)) == 1)
        )
        return frozenset(row[0] for row in self.db.all(chosen))

    def counts(self, recipient: str) -> tuple[int, int]:
        """Count the sealed versions that are not destroyed: all, and those with a wrap that names this recipient."""
        chosen = select(func.count(), func.sum(case((self._names(recipient), 1), else_=0))).where(
            _version.label != VersionLabel.DESTROYED
        )
        row = self.db.all(chosen)[0]
        return int(row[0]), int(row[1] or 0)

    def _names(self, recipient: str) -> ColumnElement[bool]:
        """Ask for the recipient as wraps write it (canonical JSON), so that nothing else in them matches."""
        needle = cast(f'"key_id":"{recipient}","service":"age"'.encode("ascii"), LargeBinary)
        with self.db.guarded() as connection:
            lite = connection.dialect.name == "sqlite"
        if lite:
            return func.instr(_version.wraps, needle) > 0
        return func.position(needle.op("IN")(_version.wraps)) > 0
