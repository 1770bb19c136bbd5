"""Freezes, and how a disclosure and a freeze are kept apart.

Decided here: on PostgreSQL a disclosure holds an advisory lock that many share, from its last look at the lease to its
commit, and a freeze takes the same lock alone. A statement that comes after the lock sees every freeze that was
committed before; none is committed while it is held. SQLite writes one after the other anyway.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    cast,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy import Text as SqlText

from vault.adapters.db import mapping, tables
from vault.adapters.db.freezes import frozen as freezes
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.account import Account
from vault.domain.freeze import Covered, Freeze, FreezeKind
from vault.errors import Conflict

LOCK: Final = 7_366_001
"""The advisory lock's number, of this database alone."""

_c = freezes.c
_step = tables.step_up.c
_checkout = tables.checkout.c
_account = tables.account.c

_ONE = select(*mapping.freeze.columns)
_OLDEST = (_c.set_at, _c.id)
_ALONE = select(func.pg_advisory_xact_lock(LOCK))
SHARED: Final = cast(func.pg_advisory_xact_lock_shared(LOCK), SqlText)
"""A column that takes the lock as a disclosure does; PostgreSQL only."""


def concerning(
    columns: Any,
    customer_id: ColumnElement[str],
    account_id: ColumnElement[str],
    person_id: ColumnElement[str],
) -> ColumnElement[bool]:
    """Say in SQL which freezes stop a person's disclosures of an account."""
    return and_(
        columns.lifted_at.is_(None),
        or_(
            columns.kind == FreezeKind.VAULT,
            and_(columns.kind == FreezeKind.CUSTOMER, columns.target == customer_id),
            and_(columns.kind == FreezeKind.ACCOUNT, columns.target == account_id),
            and_(columns.kind == FreezeKind.PERSON, columns.target == person_id),
        ),
    )


def stopped(account_id: ColumnElement[str], person_id: ColumnElement[str]) -> ColumnElement[bool]:
    """Say in SQL that something stops a person's disclosures of an account."""
    owner = select(_account.customer_id).where(_account.id == account_id).scalar_subquery()
    return exists().where(concerning(_c, owner, account_id, person_id))


_OVER = (
    _ONE.where(concerning(_c, bindparam("customer"), bindparam("account"), bindparam("person")))
    .order_by(*_OLDEST)
    .limit(1)
)


@dataclass(frozen=True, slots=True)
class Freezes:
    """Implements `FreezeStore`."""

    db: Statements

    def hold(self) -> None:
        """Wait until no disclosure is between its last look at the freezes and its commit, and let none begin."""
        if not self.db.is_sqlite:
            self.db.all(_ALONE)

    def add(self, freeze: Freeze) -> None:
        """Keep a new one; `Conflict` concurrent.change where the same is frozen already."""
        self.db.change(insert(freezes), mapping.freeze.row(freeze))

    def get(self, freeze_id: str) -> Freeze | None:
        """Find by id."""
        return _value(self.db.one(_ONE.where(_c.id == freeze_id)))

    def on(self, covered: Covered) -> Freeze | None:
        """Find the one that is not lifted on exactly this."""
        here = (_c.kind == covered.kind, _c.target == covered.target, _c.lifted_at.is_(None))
        return _value(self.db.one(_ONE.where(*here)))

    def over(self, account: Account | None, person_id: str) -> Freeze | None:
        """Find the oldest that stops a person's disclosures, of an account or (with None) of any."""
        customer, number = ("", "") if account is None else (account.customer_id, account.id)
        # no customer and no account has an empty id, and only the whole vault has an empty target
        values: Mapping[str, str] = {"customer": customer, "account": number, "person": person_id}
        return _value(self.db.one(_OVER, values))

    def open(self) -> tuple[Freeze, ...]:
        """List those not lifted, oldest first."""
        rows = self.db.all(_ONE.where(_c.lifted_at.is_(None)).order_by(*_OLDEST))
        return tuple(mapping.freeze.value(row) for row in rows)

    def lately(self, limit: int) -> tuple[Freeze, ...]:
        """List those that were lifted, the last first."""
        lifted = _ONE.where(_c.lifted_at.is_not(None)).order_by(_c.lifted_at.desc(), _c.id).limit(limit)
        return tuple(mapping.freeze.value(row) for row in self.db.all(lifted))

    def lift(self, freeze: Freeze) -> None:
        """Write that one was lifted, and by whose second word."""
        values = {"lifted_at": freeze.lifted_at, "lifted_by": freeze.lifted_by}
        written = update(freezes).where(_c.id == freeze.id, _c.lifted_at.is_(None)).values(values)
        if self.db.change(written) != 1:
            raise Conflict("concurrent.change", f"The freeze {freeze.id} is not there to lift any more.")

    def end_step_ups(self, covered: Covered, now: datetime) -> None:
        """End every second factor given for what is covered."""
        under = select(_checkout.id).join(tables.account, _account.id == _checkout.account_id)
        where = {
            FreezeKind.VAULT: literal(True),  # noqa: FBT003 - SQL's own word
            FreezeKind.CUSTOMER: _step.checkout_id.in_(under.where(_account.customer_id == covered.target)),
            FreezeKind.ACCOUNT: _step.checkout_id.in_(under.where(_account.id == covered.target)),
            FreezeKind.PERSON: _step.person_id == covered.target,
        }[covered.kind]
        self.db.change(update(tables.step_up).where(_step.until > now, where).values(until=now))


def _value(row: AnyRow | None) -> Freeze | None:
    return None if row is None else mapping.freeze.value(row)
