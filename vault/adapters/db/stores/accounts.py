"""Customers, accounts and parts.

Decided here: a root e-mail is written into a register before an account can bear it, and the register is only
ever added to, so no second account can bear it, now or later (L3, C4).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

from sqlalchemy import Select, bindparam, exists, false, func, insert, or_, select, tuple_, update

from vault.adapters.db import mapping, tables, tenures
from vault.adapters.db.errors import CONFLICTS
from vault.adapters.db.paging import ESCAPE, decode_cursor, fold, limited, page, pattern
from vault.adapters.db.statements import Statements
from vault.domain.account import Account, Customer, Tenure
from vault.domain.actor import Reach
from vault.domain.credential import Part, PartKind, PartState
from vault.domain.ids import fold_email
from vault.errors import Conflict
from vault.ports.records import AccountFilter, Page, Slice

_customer = tables.customer.c
_account = tables.account.c
_email = tables.root_email.c
_part = tables.part.c

_tenure = tenures.account_tenure.c

_PIECE = 500
_CUSTOMER = select(*mapping.customer.columns)
_ACCOUNT = select(*mapping.account.columns)
_ACCOUNT_BY_ID = _ACCOUNT.where(_account.id == bindparam("id"))
_ACCOUNT_LOCKED = _ACCOUNT_BY_ID.with_for_update()
_TAKEN = select(
    select(_account.id).where(_account.id == bindparam("id")).scalar_subquery(),
    select(_email.account_id).where(_email.folded == bindparam("folded")).scalar_subquery(),
)
_OWNER = select(_email.account_id).where(_email.folded == bindparam("folded"))
_PARTS = select(*mapping.part.columns).where(_part.account_id.in_(bindparam("ids", expanding=True)))
_PUT_PART = (
    update(tables.part)
    .where(_part.account_id == bindparam("at_account"), _part.kind == bindparam("at_kind"))
    .values(state=bindparam("new_state"), changed_at=bindparam("new_changed_at"))
)


def within(statement: Select[Any], reach: Reach, customer_id: Any, account_id: Any) -> Select[Any]:
    """Narrow a statement to what a reach covers (S21)."""
    if reach.everything:
        return statement
    if reach.empty:
        return statement.where(false())
    return statement.where(
        or_(customer_id.in_(sorted(reach.customers)), account_id.in_(sorted(reach.accounts)))
    )


def conflict(constraint: str) -> NoReturn:
    """Raise what the breach of a constraint means."""
    code, detail = CONFLICTS[constraint]
    raise Conflict(code, detail)


@dataclass(frozen=True, slots=True)
class Customers:
    """Implements `CustomerStore`."""

    db: Statements

    def add(self, customer: Customer) -> None:
        """Keep a new customer; `Conflict` customer.exists where the DDI is taken."""
        self.db.change(insert(tables.customer), mapping.customer.row(customer) | _folded_customer(customer))

    def get(self, customer_id: str) -> Customer | None:
        """Find by id."""
        row = self.db.one(_CUSTOMER.where(_customer.id == customer_id))
        return None if row is None else mapping.customer.value(row)

    def lock(self, customer_id: str) -> Customer | None:
        """Find by id and hold the row until the unit ends; accounts may be added meanwhile."""
        row = self.db.one(_CUSTOMER.where(_customer.id == customer_id).with_for_update(key_share=True))
        return None if row is None else mapping.customer.value(row)

    def by_ddi(self, ddi: str) -> Customer | None:
        """Find by DDI number."""
        row = self.db.one(_CUSTOMER.where(_customer.ddi == ddi))
        return None if row is None else mapping.customer.value(row)

    def update(self, customer: Customer) -> None:
        """Write all fields of a customer that exists."""
        values = mapping.customer.row(customer) | _folded_customer(customer)
        if self.db.change(update(tables.customer).where(_customer.id == customer.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no customer {customer.id} to change.")

    def page(self, reach: Reach, text: str | None, part: Slice) -> Page[Customer]:
        """List within `reach`, by DDI as a number; also who may see only some accounts sees their customer."""
        length = func.length(_customer.ddi)
        chosen = _CUSTOMER.order_by(length, _customer.ddi).limit(limited(part.limit))
        if not reach.everything:
            near = select(_account.customer_id).where(_account.id.in_(sorted(reach.accounts)))
            chosen = chosen.where(or_(_customer.id.in_(sorted(reach.customers)), _customer.id.in_(near)))
        if text:
            chosen = chosen.where(_customer.folded.like(pattern(text), escape=ESCAPE))
        after = decode_cursor(part.cursor, str)
        if after is not None:
            chosen = chosen.where(tuple_(length, _customer.ddi) > tuple_(len(after[0]), after[0]))
        found = [mapping.customer.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda customer: (customer.ddi,))


@dataclass(frozen=True, slots=True)
class Accounts:
    """Implements `AccountStore`."""

    db: Statements

    def add(self, account: Account) -> None:
        """Keep a new account with both parts absent; `Conflict` account.exists or custody.email_used."""
        folded = fold_email(account.root_email)
        taken = self.db.all(_TAKEN, {"id": account.id, "folded": folded})[0]
        if taken[0] is not None:
            conflict("account_pkey")
        self._register(account, folded, taken[1])
        self.db.change(insert(tables.account), _account_row(account, folded))
        parts = [Part(account.id, kind, PartState.ABSENT, account.created_at) for kind in PartKind]
        self.db.change(insert(tables.part), [mapping.part.row(each) for each in parts])

    def get(self, account_id: str) -> Account | None:
        """Find by number."""
        row = self.db.one(_ACCOUNT_BY_ID, {"id": account_id})
        return None if row is None else mapping.account.value(row)

    def lock(self, account_id: str) -> Account | None:
        """Find by number and hold its row until the unit ends: first of all locks."""
        row = self.db.one(_ACCOUNT_LOCKED, {"id": account_id})
        return None if row is None else mapping.account.value(row)

    def update(self, account: Account) -> None:
        """Write all fields; a changed root e-mail is remembered forever (L3): `Conflict` custody.email_used."""
        folded = fold_email(account.root_email)
        owner = self.db.first(_OWNER, {"folded": folded})
        self._register(account, folded, None if owner is None else owner[0])
        values = _account_row(account, folded)
        if self.db.change(update(tables.account).where(_account.id == account.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no account {account.id} to change.")

    def page(self, reach: Reach, wanted: AccountFilter, part: Slice) -> Page[Account]:
        """List within `reach`, by number."""
        chosen = _ACCOUNT.order_by(_account.id).limit(limited(part.limit))
        chosen = within(chosen, reach, _account.customer_id, _account.id)
        for column, value in (
            (_account.customer_id, wanted.customer_id),
            (_account.custody, wanted.custody),
            (_account.model, wanted.model),
            (_account.kind, wanted.kind),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        if wanted.text:
            chosen = chosen.where(_account.folded.like(pattern(wanted.text), escape=ESCAPE))
        after = decode_cursor(part.cursor, str)
        if after is not None:
            chosen = chosen.where(_account.id > after[0])
        found = [mapping.account.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda account: (account.id,))

    def count(self) -> int:
        """Count all accounts."""
        return int(self.db.all(select(func.count()).select_from(tables.account))[0][0])

    def ever_held(self) -> bool:
        """Say whether any account was ever held."""
        return bool(self.db.all(select(exists().where(_account.held_since.is_not(None))))[0][0])

    def parts(self, account_id: str) -> tuple[Part, Part]:
        """Give the password part and the MFA part; `KeyError` for an account that is not there."""
        return self.parts_of((account_id,))[account_id]

    def many(self, account_ids: tuple[str, ...]) -> Mapping[str, Account]:
        """Find many by number, in a statement for each few hundred."""
        found: dict[str, Account] = {}
        for start in range(0, len(account_ids), _PIECE):
            chosen = _ACCOUNT.where(_account.id.in_(account_ids[start : start + _PIECE]))
            found |= {each.id: each for row in self.db.all(chosen) for each in (mapping.account.value(row),)}
        return found

    def parts_of(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Part, Part]]:
        """Give the parts of many accounts in one query."""
        found: dict[tuple[str, PartKind], Part] = {}
        for row in self.db.all(_PARTS, {"ids": list(account_ids)}):
            part = mapping.part.value(row)
            found[part.account_id, part.kind] = part
        return {
            number: (found[number, PartKind.PASSWORD], found[number, PartKind.MFA])
            for number in account_ids
            if (number, PartKind.PASSWORD) in found
        }

    def put_part(self, part: Part) -> None:
        """Write a part's state."""
        values = {
            "at_account": part.account_id,
            "at_kind": part.kind,
            "new_state": part.state,
            "new_changed_at": part.changed_at,
        }
        if self.db.change(_PUT_PART, values) != 1:
            raise Conflict(
                "concurrent.change", f"Account {part.account_id} has no {part.kind} part to change."
            )

    def tenures(self, account_id: str) -> tuple[Tenure, ...]:
        """List whose an account was before, the oldest first."""
        chosen = select(*mapping.tenure.columns).where(_tenure.account_id == account_id)
        return tuple(mapping.tenure.value(row) for row in self.db.all(chosen.order_by(_tenure.number)))

    def add_tenure(self, tenure: Tenure) -> None:
        """Keep that an account was a customer's until it moved."""
        self.db.change(insert(tenures.account_tenure), mapping.tenure.row(tenure))

    def _register(self, account: Account, folded: str, owner: str | None) -> None:
        if owner is None:
            self.db.change(insert(tables.root_email), {"folded": folded, "account_id": account.id})
        elif owner != account.id:
            conflict("root_email_once")


def _account_row(account: Account, folded: str) -> dict[str, Any]:
    return mapping.account.row(account) | {
        "root_email_folded": folded,
        "folded": fold(account.id, account.name, account.root_email),
    }


def _folded_customer(customer: Customer) -> dict[str, str]:
    return {"folded": fold(customer.ddi, customer.name)}
