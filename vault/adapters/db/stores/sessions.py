"""Browser sessions and API tokens: found on every request, in one query with person and grants (S17)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, case, insert, select, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.paging import before, decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.people import has_role_within, scope_within
from vault.domain.actor import EVERYTHING, Reach
from vault.domain.person import Grant, Person, Session, Token
from vault.errors import Conflict
from vault.ports.records import Page, Slice

_session = tables.browser_session.c
_token = tables.api_token.c
_person = tables.person.c
_grant = tables.role_grant.c

_PERSON_AT = len(mapping.person.columns)
_FIND_SESSION = (
    select(*mapping.session.columns, *mapping.person.columns, *mapping.grant.columns)
    .join(tables.person, _person.id == _session.person_id)
    .outerjoin(tables.role_grant, _grant.person_id == _person.id)
    .where(_session.token_hash == bindparam("hash"))
    .order_by(_grant.proposed_at, _grant.id)
)
_FIND_TOKEN = (
    select(*mapping.token.columns, *mapping.person.columns, *mapping.grant.columns)
    .outerjoin(tables.person, _person.id == _token.person_id)
    .outerjoin(tables.role_grant, _grant.person_id == _person.id)
    .where(_token.token_hash == bindparam("hash"))
    .order_by(_grant.proposed_at, _grant.id)
)
_TOUCH_SESSION = (
    update(tables.browser_session)
    .where(_session.id == bindparam("at_id"), _session.seen_at < bindparam("seen"))
    .values(seen_at=bindparam("seen"))
)
_END = (
    update(tables.browser_session)
    .where(_session.id == bindparam("at_id"), _session.ended_at.is_(None))
    .values(ended_at=bindparam("ended"))
)
_END_ALL = (
    update(tables.browser_session)
    .where(_session.person_id == bindparam("person"), _session.ended_at.is_(None))
    .values(ended_at=bindparam("ended"))
)
_ENDED = select(_session.ended_at).where(_session.id == bindparam("at_id"), _session.ended_at.is_not(None))
_OF = (
    select(*mapping.session.columns)
    .where(_session.person_id == bindparam("person"), _session.ended_at.is_(None))
    .order_by(_session.created_at.desc(), _session.id.desc())
)
_TOKEN = select(*mapping.token.columns)
_MACHINES_OF = _TOKEN.where(
    _token.created_by == bindparam("maker"),
    _token.person_id.is_(None),
    _token.revoked_at.is_(None),
    _token.expires_at > bindparam("now"),
).order_by(_token.created_at.desc(), _token.id.desc())
_TOUCH_TOKEN = (
    update(tables.api_token)
    .where(_token.id == bindparam("at_id"))
    .values(used_at=bindparam("used"), used_from=bindparam("used_ip"))
)
_CHANGE = (
    update(tables.api_token)
    .where(_token.id == bindparam("at_id"), _token.revoked_at.is_(None))
    .values(revoked_at=bindparam("revoked"), effective_at=bindparam("effective"))
)
_REVOKE_ALL = (
    update(tables.api_token)
    .where(_token.person_id == bindparam("person"), _token.revoked_at.is_(None))
    .values(revoked_at=bindparam("revoked"))
)


@dataclass(frozen=True, slots=True)
class Sessions:
    """Implements `SessionStore`."""

    db: Statements

    def add(self, session: Session) -> None:
        """Keep a new one."""
        self.db.change(insert(tables.browser_session), mapping.session.row(session))

    def find(self, token_hash: str) -> tuple[Session, Person, tuple[Grant, ...]] | None:
        """Find by the hash of the cookie's token, with the person and their grants."""
        rows = self.db.all(_FIND_SESSION, {"hash": token_hash})
        if not rows:
            return None
        start = len(mapping.session.columns)
        return mapping.session.value(rows[0]), mapping.person.value(rows[0], start), _grants(rows, start)

    def touch(self, session_id: str, at: datetime) -> None:
        """Remember activity; never moves back."""
        self.db.change(_TOUCH_SESSION, {"at_id": session_id, "seen": at})

    def end(self, session_id: str, at: datetime) -> None:
        """End one; one that has ended keeps its time."""
        self.db.change(_END, {"at_id": session_id, "ended": at})

    def end_all(self, person_id: str, at: datetime) -> int:
        """End all of a person; give how many."""
        return self.db.change(_END_ALL, {"person": person_id, "ended": at})

    def has_ended(self, session_id: str) -> bool:
        """Say whether one was ended: signed out, or shut out."""
        return self.db.one(_ENDED, {"at_id": session_id}) is not None

    def of(self, person_id: str) -> tuple[Session, ...]:
        """List those not ended, newest first."""
        return tuple(mapping.session.value(row) for row in self.db.all(_OF, {"person": person_id}))


@dataclass(frozen=True, slots=True)
class Tokens:
    """Implements `TokenStore`."""

    db: Statements

    def add(self, token: Token) -> None:
        """Keep a new one."""
        self.db.change(insert(tables.api_token), mapping.token.row(token))

    def get(self, token_id: str) -> Token | None:
        """Find by id."""
        row = self.db.one(_TOKEN.where(_token.id == token_id))
        return None if row is None else mapping.token.value(row)

    def find(self, token_hash: str) -> tuple[Token, Person | None, tuple[Grant, ...]] | None:
        """Find by hash, with the person it belongs to and their grants."""
        rows = self.db.all(_FIND_TOKEN, {"hash": token_hash})
        if not rows:
            return None
        token, start = mapping.token.value(rows[0]), len(mapping.token.columns)
        person = None if token.person_id is None else mapping.person.value(rows[0], start)
        return token, person, _grants(rows, start)

    def touch(self, token_id: str, at: datetime, ip: str) -> None:
        """Remember use, and from where."""
        self.db.change(_TOUCH_TOKEN, {"at_id": token_id, "used": at, "used_ip": ip})

    def update(self, token: Token) -> None:
        """Write from when it counts, and a revocation; nothing else changes, and a revocation never goes."""
        written = {"at_id": token.id, "revoked": token.revoked_at, "effective": token.effective_at}
        if self.db.change(_CHANGE, written) != 1 and (token.revoked_at is None or self.get(token.id) is None):
            raise Conflict("concurrent.change", f"Token {token.id} is not there, or revoked.")

    def revoke_all(self, person_id: str, at: datetime) -> int:
        """Revoke all of a person; give how many."""
        return self.db.change(_REVOKE_ALL, {"person": person_id, "revoked": at})

    def machines_of(self, maker_id: str, now: datetime) -> tuple[Token, ...]:
        """List the machines' tokens that count at `now` and that one person made, newest first."""
        return tuple(
            mapping.token.value(row) for row in self.db.all(_MACHINES_OF, {"maker": maker_id, "now": now})
        )

    def page(
        self, person_id: str | None, part: Slice, reach: Reach = EVERYTHING, *, machines: bool = False
    ) -> Page[Token]:
        """List newest first, one person's, or all within `reach`: machines' scopes, and people's roles.

        With `machines`, only theirs.
        """
        chosen = _TOKEN.order_by(_token.created_at.desc(), _token.id.desc()).limit(limited(part.limit))
        if person_id is not None:
            chosen = chosen.where(_token.person_id == person_id)
        elif not reach.everything:
            of_machine = scope_within(reach, _token.scope_kind, _token.scope_target)
            of_person = has_role_within(reach, _token.person_id)
            chosen = chosen.where(case((_token.person_id.is_(None), of_machine), else_=of_person))
        if machines:
            chosen = chosen.where(_token.person_id.is_(None))
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(before(_token.created_at, _token.id, after))
        found = [mapping.token.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda token: encode_dated(token.created_at, token.id))


def _grants(rows: Sequence[AnyRow], start: int) -> tuple[Grant, ...]:
    at = start + _PERSON_AT
    return tuple(mapping.grant.value(row, at) for row in rows if row[at] is not None)
