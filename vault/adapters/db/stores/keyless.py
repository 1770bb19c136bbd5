"""Members without root credentials, and the sessions that were asked of AWS."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, insert, select, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.keyless import keyless, task_session
from vault.adapters.db.paging import decode_cursor, limited, page
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.domain.account import Account, Custody, Kind, Model
from vault.domain.actor import Reach
from vault.domain.keyless import Keyless, Task, TaskSession
from vault.errors import Conflict
from vault.ports.central_root import KeylessFilter
from vault.ports.records import Page, Slice

_account = tables.account.c
_keyless = keyless.c
_session = task_session.c
_CUSTODIES: Final = (Custody.ONBOARDING, Custody.HELD, Custody.KEYLESS)
_WIDTH: Final = len(mapping.account.columns)


@dataclass(frozen=True, slots=True)
class KeylessMembers:
    """Implements `KeylessStore`."""

    db: Statements

    def get(self, account_id: str) -> Keyless | None:
        """Find what is known of a member."""
        row = self.db.one(select(*mapping.keyless.columns).where(_keyless.account_id == account_id))
        return None if row is None else mapping.keyless.value(row)

    def put(self, found: Keyless) -> None:
        """Write what is known, for the first time or again."""
        values: Any = mapping.keyless.row(found)
        if self.db.change(update(keyless).where(_keyless.account_id == found.account_id).values(values)) == 0:
            self.db.change(insert(keyless), values)

    def page(self, reach: Reach, wanted: KeylessFilter, part: Slice) -> Page[tuple[Account, Keyless | None]]:
        """List members whose root could be, or is, without credentials, by number."""
        chosen = (
            select(*mapping.account.columns, *mapping.keyless.columns)
            .select_from(tables.account.outerjoin(keyless, _keyless.account_id == _account.id))
            .where(
                _account.kind == Kind.MEMBER, _account.model == Model.SPAM, _account.custody.in_(_CUSTODIES)
            )
            .order_by(_account.id)
            .limit(limited(part.limit))
        )
        chosen = within(chosen, reach, _account.customer_id, _account.id)
        if wanted.customer_id is not None:
            chosen = chosen.where(_account.customer_id == wanted.customer_id)
        if wanted.is_gone is not None:
            gone = _account.custody == Custody.KEYLESS
            chosen = chosen.where(gone if wanted.is_gone else _account.custody != Custody.KEYLESS)
        after = decode_cursor(part.cursor, str)
        if after is not None:
            chosen = chosen.where(_account.id > after[0])
        found = [
            (
                mapping.account.value(row),
                None if row[_WIDTH] is None else mapping.keyless.value(row, _WIDTH),
            )
            for row in self.db.all(chosen)
        ]
        return page(found, part.limit, lambda each: (each[0].id,))

    def payers(self, reach: Reach) -> tuple[Account, ...]:
        """List the payers within `reach`, by number."""
        chosen = select(*mapping.account.columns).where(_account.kind == Kind.PAYER).order_by(_account.id)
        chosen = within(chosen, reach, _account.customer_id, _account.id)
        return tuple(mapping.account.value(row) for row in self.db.all(chosen))

    def ask(self, session: TaskSession) -> None:
        """Keep that a session was asked for."""
        self.db.change(insert(task_session), mapping.task_session.row(session))

    def opened(self, session: TaskSession) -> None:
        """Write its access key and the entry that tells of it."""
        values = {"access_key": session.access_key, "entry": session.entry}
        if self.db.change(update(task_session).where(_session.id == session.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no session {session.id} to write down.")

    def session(self, access_key: str) -> TaskSession | None:
        """Find by access key."""
        row = self.db.one(select(*mapping.task_session.columns).where(_session.access_key == access_key))
        return None if row is None else mapping.task_session.value(row)

    def last_asked(self, account_id: str, task: Task) -> datetime | None:
        """Give when a session for a task was last asked for on a member."""
        of_task = (_session.account_id == account_id, _session.task == task)
        row = self.db.one(select(func.max(_session.asked_at)).where(*of_task))
        at: datetime | None = None if row is None else row[0]
        return at

    def unanswered(self, account_id: str, since: datetime, until: datetime) -> tuple[TaskSession, ...]:
        """List sessions of a member asked for within a time of which AWS's answer was never written."""
        chosen = select(*mapping.task_session.columns).where(
            _session.account_id == account_id,
            _session.asked_at.between(since, until),
            _session.access_key.is_(None),
        )
        rows = self.db.all(chosen.order_by(_session.asked_at, _session.id))
        return tuple(mapping.task_session.value(row) for row in rows)
