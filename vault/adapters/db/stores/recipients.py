"""Recovery recipients, and which sealed values are wrapped for one, or under which keys."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import (
    ColumnElement,
    LargeBinary,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    insert,
    or_,
    select,
    true,
    update,
)

from vault.adapters.db import mapping, tables
from vault.adapters.db.mail import mail
from vault.adapters.db.recipients import recovery_recipient as recipients
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.credential import VersionLabel
from vault.domain.recipient import Recipient
from vault.errors import Conflict
from vault.ports.recipients import Naming

if TYPE_CHECKING:
    from sqlalchemy import Column
    from sqlalchemy.sql.base import ReadOnlyColumnCollection

AGE: Final = "age"
"""The service of wraps for a recipient."""
_mail = mail.c
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
        """Count what is sealed, versions and mail: all, and those with a wrap that names this recipient."""
        found = self.naming(((AGE, recipient),))
        return found.total, found.some

    def naming(self, keys: tuple[tuple[str, str], ...]) -> Naming:
        """Count what is sealed, versions and mail: all, with a wrap under any of these keys, and under each."""
        told = [self._naming(_version, _version.label != VersionLabel.DESTROYED, keys)]
        told.append(self._naming(_mail, _mail.body.is_not(None), keys))
        return Naming(*(sum(counts) for counts in zip(*told, strict=True)))

    def _naming(
        self,
        columns: ReadOnlyColumnCollection[str, Column[Any]],
        there: ColumnElement[bool],
        keys: tuple[tuple[str, str], ...],
    ) -> tuple[int, int, int]:
        names = [self._names(key_id, service, columns.wraps) for service, key_id in keys]
        some, every = or_(false(), *names), and_(true(), *names)
        counts = (func.count(), *(func.sum(case((each, 1), else_=0)) for each in (some, every)))
        total, any_of, each_of = self.db.all(select(*counts).where(there))[0]
        return int(total), int(any_of or 0), int(each_of or 0)

    def _names(
        self, key_id: str, service: str = AGE, wraps: ColumnElement[Any] = _version.wraps
    ) -> ColumnElement[bool]:
        """Ask for a key as wraps write it (canonical JSON), so that nothing else in them matches."""
        needle = cast(f'"key_id":"{key_id}","service":"{service}"'.encode("ascii"), LargeBinary)
        with self.db.guarded() as connection:
            lite = connection.dialect.name == "sqlite"
        if lite:
            return func.instr(wraps, needle) > 0
        return func.position(needle.op("IN")(wraps)) > 0
