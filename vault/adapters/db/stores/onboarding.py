"""Root addresses of all times, and limit increases.

Decided here: a stretch of time begins and ends with the entry that tells of it, whoever records that; so it is written
where entries are, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import bindparam, func, insert, or_, select, tuple_, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.onboarding import account_limit, root_email_use
from vault.adapters.db.paging import ESCAPE, decode_cursor, limited, page, pattern
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import conflict, within
from vault.domain.account_limit import GONE, AccountLimit
from vault.domain.actor import Reach
from vault.domain.event import Event
from vault.domain.ids import fold_email
from vault.domain.replay import EMAIL
from vault.domain.root_email import EmailUse, RootAddress
from vault.ports.onboarding import AddressFilter
from vault.ports.records import Page, Slice

_c = root_email_use.c
_account = tables.account.c
_email = tables.root_email.c
_OWNER: Final = select(_email.account_id).where(_email.folded == bindparam("folded"))
_NUMBER: Final = select(func.coalesce(func.max(_c.number), 0) + 1).where(_c.folded == bindparam("folded"))
_BORNE: Final = "account.root_email"
TELLS: Final = frozenset({_BORNE, EMAIL})
"""The changes that say whose an address is."""


@dataclass(frozen=True, slots=True)
class Onboarding:
    """Implements `OnboardingStore`."""

    db: Statements

    def owner(self, address: str) -> str | None:
        """Give the account that an address was ever used for, or is kept for; None for one that nobody had."""
        row = self.db.first(_OWNER, {"folded": fold_email(address)})
        return None if row is None else str(row[0])

    def reserve(self, address: str, account_id: str) -> bool:
        """Keep an address for an account, for ever; False where it is that account's already."""
        owner = self.owner(address)
        if owner is not None and owner != account_id:
            conflict("root_email_once")
        if owner is None:
            self.db.change(
                insert(tables.root_email), {"folded": fold_email(address), "account_id": account_id}
            )
        return owner is None

    def addresses(self, reach: Reach, wanted: AddressFilter, part: Slice) -> Page[RootAddress]:
        """List stretches of accounts within `reach`, by address."""
        chosen = select(*mapping.root_address.columns).join(tables.account, _account.id == _c.account_id)
        chosen = within(chosen, reach, _account.customer_id, _account.id)
        if wanted.account_id is not None:
            chosen = chosen.where(_c.account_id == wanted.account_id)
        if wanted.use is not None:
            chosen = chosen.where(_c.use == wanted.use)
        if wanted.text:
            like = pattern(wanted.text)
            chosen = chosen.where(
                or_(_c.folded.like(like, escape=ESCAPE), _c.account_id.like(like, escape=ESCAPE))
            )
        after = decode_cursor(part.cursor, str, int)
        if after is not None:
            chosen = chosen.where(tuple_(_c.folded, _c.number) > tuple_(*after))
        rows = self.db.all(chosen.order_by(_c.folded, _c.number).limit(limited(part.limit)))
        found = [mapping.root_address.value(row) for row in rows]
        return page(found, part.limit, lambda each: (each.folded, each.number))

    def reserved_of(self, account_ids: Sequence[str]) -> Mapping[str, RootAddress]:
        """Give what is kept for accounts that do not bear it yet, by account."""
        chosen = select(*mapping.root_address.columns).where(
            _c.account_id.in_(list(account_ids)), _c.use == EmailUse.RESERVED, _c.until.is_(None)
        )
        rows = self.db.all(chosen.order_by(_c.since, _c.folded))
        return {each.account_id: each for row in rows for each in (mapping.root_address.value(row),)}

    def limit(self, customer_id: str) -> AccountLimit | None:
        """Give what was recorded last of a customer's limit."""
        columns = mapping.account_limit.columns
        row = self.db.one(select(*columns).where(account_limit.c.customer_id == customer_id))
        return None if row is None else mapping.account_limit.value(row)

    def put_limit(self, limit: AccountLimit) -> None:
        """Write it."""
        row = mapping.account_limit.row(limit)
        made = self.db.insert(account_limit).values(row)
        self.db.all(
            made.on_conflict_do_update(index_elements=["customer_id"], set_=row).returning(
                account_limit.c.customer_id
            )
        )

    def new_accounts(self, customer_id: str) -> int:
        """Count a customer's new accounts that are with us (A4)."""
        chosen = select(func.count()).select_from(tables.account)
        mine = chosen.where(
            _account.customer_id == customer_id, _account.is_new, _account.custody.not_in(GONE)
        )
        return int(self.db.all(mine)[0][0])


def note(db: Statements, event: Event, now: datetime) -> None:
    """Write which stretches begin and end with an entry."""
    for change in event.changes:
        if change.entity == _BORNE:
            _end(db, event, now, _c.account_id == change.id, _c.use == EmailUse.BORNE)
            if change.now:
                _end(db, event, now, _c.folded == fold_email(change.now), _c.use == EmailUse.RESERVED)
                _begin(db, event, now, change.id, change.now, EmailUse.BORNE)
        elif change.entity == EMAIL and not change.was:
            _begin(db, event, now, change.now, change.id, EmailUse.RESERVED)


def _begin(db: Statements, event: Event, now: datetime, account_id: str, address: str, use: EmailUse) -> None:
    folded = fold_email(address)
    number = int(db.all(_NUMBER, {"folded": folded})[0][0])
    made = RootAddress(folded, number, account_id, address, use, now, event.actor.id, event.actor.name)
    db.change(insert(root_email_use), mapping.root_address.row(made))


def _end(db: Statements, event: Event, now: datetime, *which: Any) -> None:
    ended = update(root_email_use).where(*which, _c.until.is_(None))
    db.change(ended.values(until=now, ended_by=event.actor.id))
