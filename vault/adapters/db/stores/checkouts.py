"""Checkouts with their approvals and step-ups.

Decided here: an account's row is held before its checkout is read, in one statement that locks both, the
account first. On PostgreSQL (READ COMMITTED) a statement that waited sees other rows as they were before the wait,
unless it locks them as well: a checkout that was revoked meanwhile would come back as active.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, bindparam, insert, or_, select, union, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.freezes import frozen as freezes
from vault.adapters.db.paging import before, decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.stores.freezes import SHARED, concerning
from vault.adapters.db.types import Moment
from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.checkout import OPEN, Approval, Checkout, CheckoutState
from vault.errors import Conflict
from vault.ports.records import CheckoutFilter, Held, Page, Slice

_checkout = tables.checkout.c
_account = tables.account.c
_approval = tables.approval.c
_step = tables.step_up.c

_CHECKOUT = select(*mapping.checkout.columns)
_BY_ID = _CHECKOUT.where(_checkout.id == bindparam("id"))
_OPEN = _CHECKOUT.where(
    _checkout.account_id.in_(bindparam("ids", expanding=True)), _checkout.state.in_(sorted(OPEN))
)
_WITH_ACCOUNT = (
    select(*mapping.checkout.columns, *mapping.account.columns)
    .join(tables.account, _account.id == _checkout.account_id)
    .where(_checkout.id == bindparam("id"))
    .with_for_update(of=[tables.account, tables.checkout])
)
_first = freezes.alias("first_freeze")
_STOPS = (
    select(_first.c.id)
    .where(concerning(_first.c, _account.customer_id, _account.id, bindparam("person")))
    .order_by(_first.c.set_at, _first.c.id)
    .limit(1)
    .scalar_subquery()
)
_UNTIL = select(_step.until).where(
    _step.checkout_id == bindparam("checkout"),
    _step.person_id == bindparam("person"),
    _step.session == bindparam("session"),
)
_HELD = (
    select(
        *mapping.checkout.columns,
        *mapping.account.columns,
        *mapping.freeze.columns,
        tables.customer.c.split_custody,
        _UNTIL.scalar_subquery(),
    )
    .join(tables.account, _account.id == _checkout.account_id)
    .join(tables.customer, tables.customer.c.id == _account.customer_id)
    .outerjoin(freezes, freezes.c.id == _STOPS)
    .where(_checkout.id == bindparam("id"))
    .with_for_update(of=[tables.account, tables.checkout])
)
_HELD_SHARED = _HELD.add_columns(SHARED)
_BROKEN = and_(_checkout.break_glass, _checkout.reviewed_at.is_(None))
_UNREVIEWED = _CHECKOUT.where(_BROKEN).order_by(_checkout.requested_at, _checkout.id)
_BEARING = _CHECKOUT.where(
    _checkout.account_id.in_(bindparam("ids", expanding=True)),
    or_(_checkout.state.in_(sorted(OPEN)), _BROKEN),
).order_by(_checkout.requested_at, _checkout.id)
_UNREVIEWED_OF = _UNREVIEWED.where(_checkout.account_id.in_(bindparam("ids", expanding=True)))
# not FOR UPDATE: rows that refer to the person may be added meanwhile, which a disclosure does
_PERSON_HELD = (
    select(tables.person.c.id)
    .where(tables.person.c.id == bindparam("person"))
    .with_for_update(key_share=True)
)
_OTHERWISE = or_(_checkout.reason != bindparam("but"), _checkout.break_glass)
_USED = union(
    select(_checkout.account_id, _checkout.activated_at.label("at")).where(
        _checkout.requester_id == bindparam("person"),
        _checkout.activated_at > bindparam("since", type_=Moment),
        _OTHERWISE,
    ),
    select(_checkout.account_id, _checkout.joined_at.label("at")).where(
        _checkout.second_id == bindparam("person"),
        _checkout.joined_at > bindparam("since", type_=Moment),
        _OTHERWISE,
    ),
)
_APPROVALS = (
    select(*mapping.approval.columns)
    .where(_approval.checkout_id == bindparam("id"))
    .order_by(_approval.decided_at, _approval.id)
)
_APPROVALS_OF = (
    select(*mapping.approval.columns)
    .where(_approval.checkout_id.in_(bindparam("ids", expanding=True)))
    .order_by(_approval.decided_at, _approval.id)
)
_OVERDUE = (
    _CHECKOUT.where(
        or_(
            and_(
                _checkout.state == CheckoutState.ACTIVE,
                _checkout.expires_at <= bindparam("now", type_=Moment),
            ),
            and_(
                _checkout.state == CheckoutState.PENDING_APPROVAL,
                _checkout.decide_by <= bindparam("now", type_=Moment),
            ),
            and_(
                _checkout.state == CheckoutState.APPROVED, _checkout.use_by <= bindparam("now", type_=Moment)
            ),
        )
    )
    .order_by(_checkout.requested_at, _checkout.id)
    .limit(bindparam("most"))
)
_CHANGING = (
    "granted_seconds",
    "state",
    "use_by",
    "activated_at",
    "expires_at",
    "ended_at",
    "ended_by",
    "end_note",
    "reveals",
    "codes",
    "reviewed_by",
    "reviewed_at",
    "verdict",
    "review_note",
    "second_id",
    "second_name",
    "joined_at",
)
_UPDATE = (
    update(tables.checkout)
    .where(_checkout.id == bindparam("at"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)


@dataclass(frozen=True, slots=True)
class Checkouts:
    """Implements `CheckoutStore`."""

    db: Statements

    def add(self, checkout: Checkout) -> None:
        """Keep a new one; `Conflict` checkout.conflict where another is open for the account."""
        self.db.change(insert(tables.checkout), mapping.checkout.row(checkout))

    def get(self, checkout_id: str) -> Checkout | None:
        """Find by id."""
        row = self.db.one(_BY_ID, {"id": checkout_id})
        return None if row is None else mapping.checkout.value(row)

    def claim(self, checkout_id: str) -> tuple[Checkout, Account] | None:
        """Find with its account, holding the account's row until the unit ends."""
        row = self.db.one(_WITH_ACCOUNT, {"id": checkout_id})
        if row is None:
            return None
        return mapping.checkout.value(row), mapping.account.value(row, len(mapping.checkout.columns))

    def hold(
        self, checkout_id: str, person_id: str, session: str, *, to_release: bool = False
    ) -> Held | None:
        """As `claim`, with what this person's disclosures under it rest on, in the same statement."""
        statement = _HELD_SHARED if to_release and not self.db.is_sqlite else _HELD
        row = self.db.one(
            statement, {"id": checkout_id, "checkout": checkout_id, "person": person_id, "session": session}
        )
        if row is None:
            return None
        account_at = len(mapping.checkout.columns)
        freeze_at = account_at + len(mapping.account.columns)
        of_customer = freeze_at + len(mapping.freeze.columns)
        account = mapping.account.value(row, account_at)
        freeze = None if row[freeze_at] is None else mapping.freeze.value(row, freeze_at)
        is_split = account.split_custody or row[of_customer]
        return Held(mapping.checkout.value(row), account, is_split, freeze, row[of_customer + 1])

    def bearing_on(self, account_ids: tuple[str, ...]) -> tuple[Checkout, ...]:
        """List those of these accounts that are written as open, or broke the glass and were not reviewed."""
        rows = self.db.all(_BEARING, {"ids": list(account_ids)})
        return tuple(mapping.checkout.value(row) for row in rows)

    def unreviewed(self, account_ids: tuple[str, ...]) -> tuple[Checkout, ...]:
        """List those of these accounts that broke the glass and were not reviewed, oldest first."""
        rows = self.db.all(_UNREVIEWED_OF, {"ids": list(account_ids)})
        return tuple(mapping.checkout.value(row) for row in rows)

    def awaiting_review(self, reach: Reach, limit: int) -> tuple[Checkout, ...]:
        """List those within `reach` that broke the glass and were not reviewed, oldest first."""
        chosen = _UNREVIEWED.limit(limit)
        if not reach.everything:
            mine = within(select(_account.id), reach, _account.customer_id, _account.id)
            chosen = chosen.where(_checkout.account_id.in_(mine))
        return tuple(mapping.checkout.value(row) for row in self.db.all(chosen))

    def used_since(
        self, person_id: str, since: datetime, *, held: bool = True, but: str = ""
    ) -> frozenset[str]:
        """Name the accounts whose lease a person began or joined after a time; `held` holds the person's row."""
        if held:
            self.db.all(_PERSON_HELD, {"person": person_id})
        return frozenset(
            row[0] for row in self.db.all(_USED, {"person": person_id, "since": since, "but": but})
        )

    def last_used(self, person_id: str, since: datetime) -> Mapping[str, datetime]:
        """Give by account when a person last began or joined a lease of it, after a time."""
        rows = self.db.all(_USED, {"person": person_id, "since": since, "but": ""})
        return {row[0]: row[1] for row in sorted(rows, key=lambda row: row[1])}

    def open_of(self, account_id: str) -> Checkout | None:
        """Find the one that claims the account, as written."""
        return self.open_of_many((account_id,)).get(account_id)

    def open_of_many(self, account_ids: tuple[str, ...]) -> Mapping[str, Checkout]:
        """Find those of many accounts in one query."""
        found = [mapping.checkout.value(row) for row in self.db.all(_OPEN, {"ids": list(account_ids)})]
        return {checkout.account_id: checkout for checkout in found}

    def update(self, checkout: Checkout) -> None:
        """Write all fields that may change."""
        values = {f"new_{name}": getattr(checkout, name) for name in _CHANGING} | {"at": checkout.id}
        if self.db.change(_UPDATE, values) != 1:
            raise Conflict("concurrent.change", f"There is no checkout {checkout.id} to change.")

    def page(self, reach: Reach, wanted: CheckoutFilter, part: Slice) -> Page[Checkout]:
        """List those on accounts within `reach`, newest first."""
        chosen = _CHECKOUT.order_by(_checkout.requested_at.desc(), _checkout.id.desc())
        chosen = chosen.limit(limited(part.limit))
        if not reach.everything:
            mine = within(select(_account.id), reach, _account.customer_id, _account.id)
            chosen = chosen.where(_checkout.account_id.in_(mine))
        if wanted.account_id is not None:
            chosen = chosen.where(_checkout.account_id == wanted.account_id)
        if wanted.requester_id is not None:
            chosen = chosen.where(_checkout.requester_id == wanted.requester_id)
        if wanted.states is not None:
            chosen = chosen.where(_checkout.state.in_(sorted(wanted.states)))
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(before(_checkout.requested_at, _checkout.id, after))
        found = [mapping.checkout.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.requested_at, each.id))

    def overdue(self, now: datetime, limit: int) -> tuple[Checkout, ...]:
        """List open ones that time has ended (rule 10), oldest first."""
        rows = self.db.all(_OVERDUE, {"now": now, "most": limit})
        return tuple(mapping.checkout.value(row) for row in rows)

    def add_approval(self, approval: Approval) -> None:
        """Keep one; `Conflict` approval.duplicate where that person decided before."""
        self.db.change(insert(tables.approval), mapping.approval.row(approval))

    def approvals(self, checkout_id: str) -> tuple[Approval, ...]:
        """List a checkout's, oldest first."""
        return tuple(mapping.approval.value(row) for row in self.db.all(_APPROVALS, {"id": checkout_id}))

    def approvals_of(self, checkout_ids: tuple[str, ...]) -> Mapping[str, tuple[Approval, ...]]:
        """List those of many checkouts in one query, each oldest first; those without are left out."""
        if not checkout_ids:
            return {}
        found: dict[str, tuple[Approval, ...]] = {}
        for row in self.db.all(_APPROVALS_OF, {"ids": list(checkout_ids)}):
            approval = mapping.approval.value(row)
            found[approval.checkout_id] = (*found.get(approval.checkout_id, ()), approval)
        return found

    def put_step_up(self, checkout_id: str, person_id: str, session: str, until: datetime) -> None:
        """Remember that a fresh factor was given (S16)."""
        place = {"checkout_id": checkout_id, "person_id": person_id, "session": session}
        statement = self.db.insert(tables.step_up).values(**place, until=until)
        self.db.change(statement.on_conflict_do_update(index_elements=list(place), set_={"until": until}))

    def step_up_until(self, checkout_id: str, person_id: str, session: str) -> datetime | None:
        """Give until when the last factor counts, for exactly this checkout, person and session."""
        row = self.db.one(_UNTIL, {"checkout": checkout_id, "person": person_id, "session": session})
        until: datetime | None = None if row is None else row[0]
        return until
