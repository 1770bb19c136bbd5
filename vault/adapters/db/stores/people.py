"""People and their grants, and failures in a row against guessing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    delete,
    exists,
    insert,
    or_,
    select,
    update,
)

from vault.adapters.db import mapping, tables
from vault.adapters.db.paging import decode_cursor, limited, page
from vault.adapters.db.statements import Statements
from vault.domain.actor import EVERYTHING, Reach, Role, ScopeKind
from vault.domain.ids import fold_email
from vault.domain.person import Grant, Guesses, Person, PersonState
from vault.errors import Conflict
from vault.ports.records import Page, Slice

FORGOTTEN_AFTER: Final = timedelta(days=1)

_person = tables.person.c
_grant = tables.role_grant.c
_guess = tables.guess.c

_PERSON = select(*mapping.person.columns)
_GRANT = select(*mapping.grant.columns)
_OLDEST_GRANT = (_grant.proposed_at, _grant.id)
_CLAIM = (
    update(tables.person)
    .where(_person.id == bindparam("at"), _person.last_step < bindparam("step"))
    .values(last_step=bindparam("step"))
)
_WAITING = (
    select(*mapping.person.columns, *mapping.grant.columns)
    .join(tables.role_grant, _grant.person_id == _person.id)
    .where(
        _person.state == PersonState.ACTIVE,
        _grant.confirmed_by.is_(None),
        _grant.removed_at.is_(None),
    )
    .order_by(_grant.proposed_at.desc(), _grant.id.desc())
)
_HOLDERS = (
    select(*mapping.person.columns, *mapping.grant.columns)
    .join(tables.role_grant, _grant.person_id == _person.id)
    .where(
        _person.state == PersonState.ACTIVE,
        _grant.role.in_(bindparam("roles", expanding=True)),
        _grant.effective_at <= bindparam("now"),
        _grant.removed_at.is_(None),
        _grant.ends_at.is_(None) | (_grant.ends_at > bindparam("now")),
    )
    .order_by(_person.id, *_OLDEST_GRANT)
)


_STANDING = select(_grant.id).where(_grant.person_id == _person.id, _grant.removed_at.is_(None))


def scope_within(reach: Reach, kind: Any, target: Any) -> ColumnElement[bool]:
    """Say in SQL whether a scope lies within a limited reach; an account lies within its customer."""
    near = select(tables.account.c.id).where(tables.account.c.customer_id.in_(sorted(reach.customers)))
    of_account = or_(target.in_(sorted(reach.accounts)), target.in_(near))
    return or_(
        and_(kind == ScopeKind.CUSTOMER, target.in_(sorted(reach.customers))),
        and_(kind == ScopeKind.ACCOUNT, of_account),
    )


def has_role_within(reach: Reach, person_id: Any) -> ColumnElement[bool]:
    """Say in SQL whether a person has a standing role that lies within a limited reach."""
    return exists(
        select(_grant.id).where(
            _grant.person_id == person_id,
            _grant.removed_at.is_(None),
            scope_within(reach, _grant.scope_kind, _grant.scope_target),
        )
    )


@dataclass(frozen=True, slots=True)
class People:
    """Implements `PersonStore`."""

    db: Statements

    def add(self, person: Person) -> None:
        """Keep a new one; `Conflict` person.exists where the e-mail is taken, whatever its case."""
        self.db.change(insert(tables.person), _person_row(person))

    def get(self, person_id: str) -> Person | None:
        """Find by id."""
        return self._find(_PERSON.where(_person.id == person_id))

    def lock(self, person_id: str) -> Person | None:
        """Find by id and hold the row until the unit ends; rows that name the person may be added meanwhile."""
        return self._find(_PERSON.where(_person.id == person_id).with_for_update(key_share=True))

    def by_email(self, email: str) -> Person | None:
        """Find by e-mail, whatever its case."""
        return self._find(_PERSON.where(_person.email_folded == fold_email(email)))

    def by_enrolment(self, enrolment_hash: str) -> Person | None:
        """Find by the hash of an enrolment link's token."""
        return self._find(_PERSON.where(_person.enrolment_hash == enrolment_hash))

    def update(self, person: Person) -> None:
        """Write all fields but the last step."""
        values = _person_row(person)
        del values["last_step"]
        if self.db.change(update(tables.person).where(_person.id == person.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no person {person.id} to change.")

    def claim_step(self, person_id: str, step: int) -> bool:
        """Claim an OTP time step; False where it, or a later one, was claimed before (S15)."""
        return self.db.change(_CLAIM, {"at": person_id, "step": step}) == 1

    def page(self, part: Slice, reach: Reach = EVERYTHING, reader: str = "") -> Page[Person]:
        """List by e-mail: with a limited `reach` who has a role within it, and whom `reader` is or invited."""
        chosen = _PERSON.order_by(_person.email_folded).limit(limited(part.limit))
        if not reach.everything:
            invited = (_person.link_by == reader) & ~exists(_STANDING)
            chosen = chosen.where(or_(_person.id == reader, has_role_within(reach, _person.id), invited))
        after = decode_cursor(part.cursor, str)
        if after is not None:
            chosen = chosen.where(_person.email_folded > after[0])
        found = [mapping.person.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda person: (fold_email(person.email),))

    def add_grant(self, grant: Grant) -> None:
        """Keep a proposed grant."""
        self.db.change(insert(tables.role_grant), mapping.grant.row(grant))

    def get_grant(self, grant_id: str) -> Grant | None:
        """Find a grant."""
        row = self.db.one(_GRANT.where(_grant.id == grant_id))
        return None if row is None else mapping.grant.value(row)

    def lock_grant(self, grant_id: str) -> Grant | None:
        """Find a grant and hold its row until the unit ends."""
        row = self.db.one(_GRANT.where(_grant.id == grant_id).with_for_update())
        return None if row is None else mapping.grant.value(row)

    def update_grant(self, grant: Grant) -> None:
        """Write a grant's confirmation or removal; its person, role and scope never change."""
        values = {
            "confirmed_by": grant.confirmed_by,
            "effective_at": grant.effective_at,
            "removed_at": grant.removed_at,
        }
        if self.db.change(update(tables.role_grant).where(_grant.id == grant.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no grant {grant.id} to change.")

    def grants(self, person_id: str) -> tuple[Grant, ...]:
        """List a person's, oldest first, also removed ones."""
        rows = self.db.all(_GRANT.where(_grant.person_id == person_id).order_by(*_OLDEST_GRANT))
        return tuple(mapping.grant.value(row) for row in rows)

    def holders(self, roles: frozenset[Role], now: datetime) -> tuple[tuple[Person, Grant], ...]:
        """List active people with each grant in force of one of `roles`."""
        rows = self.db.all(_HOLDERS, {"roles": sorted(roles), "now": now})
        start = len(mapping.person.columns)
        return tuple((mapping.person.value(row), mapping.grant.value(row, start)) for row in rows)

    def waiting(self, limit: int) -> tuple[tuple[Person, Grant], ...]:
        """List proposed grants of active people that nobody agreed to yet, the newest first."""
        rows = self.db.all(_WAITING.limit(limit))
        start = len(mapping.person.columns)
        return tuple((mapping.person.value(row), mapping.grant.value(row, start)) for row in rows)

    def _find(self, statement: Select[Any]) -> Person | None:
        row = self.db.one(statement)
        return None if row is None else mapping.person.value(row)


@dataclass(frozen=True, slots=True)
class GuessCounts:
    """Implements `GuessStore`."""

    db: Statements

    def get(self, subject: str) -> Guesses | None:
        """Find a subject's."""
        row = self.db.one(select(*mapping.guess.columns).where(_guess.subject == subject))
        return None if row is None else mapping.guess.value(row)

    def fail(self, subject: str, at: datetime) -> Guesses:
        """Count one more, in one statement; a day without failures starts anew."""
        first = {"subject": subject, "failures": 1, "last_at": at}
        again = case((_guess.last_at <= at - FORGOTTEN_AFTER, 1), else_=_guess.failures + 1)
        counted = self.db.insert(tables.guess).values(first)
        counted = counted.on_conflict_do_update(
            index_elements=["subject"], set_={"failures": again, "last_at": at}
        )
        rows = self.db.all(counted.returning(*mapping.guess.columns))
        return mapping.guess.value(rows[0])

    def clear(self, subject: str) -> None:
        """Forget them."""
        self.db.change(delete(tables.guess).where(_guess.subject == subject))

    def has_old(self, now: datetime) -> bool:
        """Say whether there are any that count no more."""
        old = select(_guess.subject).where(_guess.last_at <= now - FORGOTTEN_AFTER)
        return self.db.first(old.limit(1)) is not None

    def sweep(self, now: datetime, limit: int) -> int:
        """Forget at most `limit` that count no more, the oldest first; give how many."""
        # said again in the deletion: one that failed meanwhile counts anew
        old = _guess.last_at <= now - FORGOTTEN_AFTER
        some = select(_guess.subject).where(old).order_by(_guess.last_at).limit(limit)
        return self.db.change(delete(tables.guess).where(_guess.subject.in_(some), old))


def _person_row(person: Person) -> dict[str, Any]:
    return mapping.person.row(person) | {"email_folded": fold_email(person.email)}
