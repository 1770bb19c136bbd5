"""Everything that is kept, gone through once, in pieces of bounded size.

Decided here: the order, which is that of the primary keys, so that one piece begins where the last ended.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BigInteger, LargeBinary, Text, column, inspect, select, tuple_
from sqlalchemy import table as named

from vault.adapters.db import mapping, tables
from vault.adapters.db.mapping import Shape
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.inspections import INSPECTION
from vault.ports.census import PutAside, UsedEmail

_PIECE: Final = 500
_SHAPES: Final[tuple[Shape[Any], ...]] = (
    mapping.customer,
    mapping.account,
    mapping.account_limit,
    mapping.tenure,
    mapping.part,
    mapping.version,
    mapping.checkout,
    mapping.approval,
    mapping.reveal,
    mapping.rotation,
    mapping.person,
    mapping.grant,
    mapping.session,
    mapping.token,
    mapping.incident,
    INSPECTION,
    mapping.finding,
    mapping.proposal,
    mapping.policy_version,
    mapping.recovery_recipient,
    mapping.identity,
    mapping.passkey,
    mapping.notice_choice,
    mapping.keyless,
    mapping.mail,
    mapping.mail_opening,
    mapping.leaver_knows,
    mapping.reused_value,
    mapping.freeze,
    mapping.destruction,
    mapping.closure,
    mapping.handed,
    mapping.customer_link,
    mapping.campaign,
    mapping.case_file,
    mapping.case_account,
    mapping.case_step,
    mapping.assignment,
    mapping.reminder,
)
_email = tables.root_email.c


@dataclass(frozen=True, slots=True)
class Census:
    """Implements `CensusStore`."""

    db: Statements

    def put_aside(self) -> tuple[PutAside, ...]:
        """List the logs that a restore ended, oldest first."""
        with self.db.guarded() as connection:
            names = set(inspect(connection).get_table_names())
        found = []
        number = 1
        while (name := f"audit_head_{number}") in names:
            head = named(name, column("size", BigInteger), column("note", Text))
            row = self.db.one(select(head.c.size, head.c.note))
            if row is not None:
                found.append(PutAside(number, row[0], row[1]))
            number += 1
        return tuple(found)

    def leaves(self, number: int | None = None) -> Iterator[tuple[int, bytes]]:
        """Go through the leaves of the log, or of one put aside, by index."""
        name = "audit_entry" if number is None else f"audit_entry_{number}"
        entry = named(name, column("seq", BigInteger), column("leaf", LargeBinary)).c
        ordered = select(entry.seq, entry.leaf).order_by(entry.seq).limit(_PIECE)
        step = ordered
        while rows := self.db.all(step):
            yield from ((row[0], bytes(row[1])) for row in rows)
            step = ordered.where(entry.seq > rows[-1][0])

    def things(self) -> Iterator[object]:
        """Go through all rows that the log tells of, as values of the domain, a few hundred a statement."""
        for shape in _SHAPES:
            yield from self._rows(shape)
        for row in self.db.all(select(_email.folded, _email.account_id)):
            yield UsedEmail(row[0], row[1])

    def _rows(self, shape: Shape[Any]) -> Iterator[object]:
        keys = tuple(shape.table.primary_key.columns)
        ordered = select(*keys, *shape.columns).order_by(*keys).limit(_PIECE)
        step = ordered
        while rows := self.db.all(step):
            yield from (shape.value(row, len(keys)) for row in rows)
            step = ordered.where(tuple_(*keys) > tuple_(*rows[-1][: len(keys)]))
