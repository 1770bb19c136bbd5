"""What was before a request, for the whole of a queue at once.

Decided here: each question is one statement, whatever number of requests it is asked for, and each goes by an index:
by account, by requester, by time, or by the partial index of open checkouts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Text, cast, func, literal_column, select, text

from vault.adapters.db import mapping, tables
from vault.adapters.db.columns import listed
from vault.adapters.db.paging import after, decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within
from vault.domain.actor import Reach
from vault.domain.checkout import OPEN, Checkout, CheckoutState
from vault.ports.history import Asked
from vault.ports.records import Page, Slice

_checkout = tables.checkout.c
_account = tables.account.c
_reveal = tables.reveal.c

_WAITING: Final = _checkout.state.in_((CheckoutState.PENDING_APPROVAL, CheckoutState.APPROVED))
_ASKED: Final = (
    select(*mapping.checkout.columns, *mapping.account.columns, *mapping.customer.columns)
    .join(tables.account, _account.id == _checkout.account_id)
    .join(tables.customer, tables.customer.c.id == _account.customer_id)
)
_ACCOUNT_AT: Final = len(mapping.checkout.columns)
_CUSTOMER_AT: Final = _ACCOUNT_AT + len(mapping.account.columns)
_open: Final = tables.checkout.alias("open_one")
_OPEN: Final = select(_open.c.id).where(text(f"open_one.state IN {listed(OPEN)}"))
"""In the words of the partial index `one_open_checkout_per_account`, so that both databases begin with it."""


@dataclass(frozen=True, slots=True)
class History:
    """Implements `HistoryStore`."""

    db: Statements

    def waiting(self, reach: Reach, part: Slice) -> Page[Asked]:
        """List what waits for approvals or for its first step-up after them, as written, oldest first."""
        chosen = (
            _ASKED.where(_checkout.id.in_(_OPEN), _WAITING)
            .order_by(_checkout.requested_at, _checkout.id)
            .limit(limited(part.limit))
        )
        key = decode_dated(part.cursor)
        if key is not None:
            chosen = chosen.where(after(_checkout.requested_at, _checkout.id, key))
        rows = self.db.all(within(chosen, reach, _account.customer_id, _account.id))
        found = [_asked(row) for row in rows]
        return page(found, part.limit, lambda each: encode_dated(each[0].requested_at, each[0].id))

    def asked(self, checkout_ids: tuple[str, ...]) -> tuple[Asked, ...]:
        """Find some requests with their accounts and customers, in one query."""
        rows = self.db.all(_ASKED.where(_checkout.id.in_(sorted(checkout_ids))))
        return tuple(_asked(row) for row in rows)

    def of_accounts(self, account_ids: tuple[str, ...], most: int) -> Mapping[str, tuple[Checkout, ...]]:
        """List the last `most` checkouts of each account, newest first."""
        return self._last(_checkout.account_id, account_ids, most)

    def of_people(self, person_ids: tuple[str, ...], most: int) -> Mapping[str, tuple[Checkout, ...]]:
        """List the last `most` checkouts of each person, newest first."""
        return self._last(_checkout.requester_id, person_ids, most)

    def had(self, person_ids: tuple[str, ...], account_ids: tuple[str, ...]) -> Mapping[tuple[str, str], int]:
        """Count by person and account how often a lease began."""
        by = (_checkout.requester_id, _checkout.account_id)
        counted = (
            select(*by, func.count())
            .where(
                _checkout.requester_id.in_(sorted(person_ids)),
                _checkout.account_id.in_(sorted(account_ids)),
                _checkout.activated_at.is_not(None),
            )
            .group_by(*by)
        )
        return {(person, account): number for person, account, number in self.db.all(counted)}

    def hours(
        self, person_ids: tuple[str, ...], since: datetime, until: datetime
    ) -> Mapping[str, Mapping[int, int]]:
        """Count each person's requests of a time, [since, until), by hour of the day (UTC)."""
        hour = self._hour()
        counted = (
            select(_checkout.requester_id, hour, func.count())
            .where(
                _checkout.requester_id.in_(sorted(person_ids)),
                _checkout.requested_at >= since,
                _checkout.requested_at < until,
            )
            .group_by(_checkout.requester_id, hour)
        )
        found: dict[str, dict[int, int]] = {}
        for person, at, number in self.db.all(counted):
            found.setdefault(person, {})[int(at)] = number
        return found

    def tickets(self, tickets: tuple[str, ...], since: datetime) -> Mapping[str, Mapping[str, int]]:
        """Count the requests since a time that named each ticket, by account."""
        named = select(_checkout.ticket, _checkout.account_id).where(
            _checkout.requested_at >= since, _checkout.ticket.in_(sorted(tickets))
        )
        # counted here: told to group, SQLite would go through all there ever were, by account
        found: dict[str, Counter[str]] = {}
        for ticket, account in self.db.all(named):
            found.setdefault(ticket, Counter())[account] += 1
        return found

    def last_revealed(self, checkout_ids: tuple[str, ...]) -> Mapping[str, datetime]:
        """Say when something was last disclosed under each checkout; those without are left out."""
        found = (
            select(_reveal.checkout_id, func.max(_reveal.authorized_at))
            .where(_reveal.checkout_id.in_(sorted(checkout_ids)))
            .group_by(_reveal.checkout_id)
        )
        return {row[0]: row[1] for row in self.db.all(found)}

    def customers_of(self, account_ids: tuple[str, ...]) -> Mapping[str, str]:
        """Give each account's customer, by which sight is decided."""
        found = select(_account.id, _account.customer_id).where(_account.id.in_(sorted(account_ids)))
        return {row[0]: row[1] for row in self.db.all(found)}

    def _last(self, by: Column[Any], names: tuple[str, ...], most: int) -> Mapping[str, tuple[Checkout, ...]]:
        place = func.row_number().over(
            partition_by=by, order_by=(_checkout.requested_at.desc(), _checkout.id.desc())
        )
        ranked = (
            select(_checkout.id.label("id"), place.label("place")).where(by.in_(sorted(names))).subquery()
        )
        chosen = (
            select(*mapping.checkout.columns)
            .join(ranked, ranked.c.id == _checkout.id)
            .where(ranked.c.place <= most)
            .order_by(_checkout.requested_at.desc(), _checkout.id.desc())
        )
        found: dict[str, list[Checkout]] = {}
        for row in self.db.all(chosen):
            checkout = mapping.checkout.value(row)
            found.setdefault(getattr(checkout, by.name), []).append(checkout)
        return {name: tuple(checkouts) for name, checkouts in found.items()}

    def _hour(self) -> ColumnElement[Any]:
        """Give the hour of the day (UTC) of `requested_at`, which SQLite keeps as text and PostgreSQL as a time."""
        if self.db.is_sqlite:
            return func.substr(cast(_checkout.requested_at, Text), 12, 2)
        return func.extract("hour", func.timezone(literal_column("'UTC'"), _checkout.requested_at))


def _asked(row: AnyRow) -> Asked:
    return (
        mapping.checkout.value(row),
        mapping.account.value(row, _ACCOUNT_AT),
        mapping.customer.value(row, _CUSTOMER_AT),
    )
