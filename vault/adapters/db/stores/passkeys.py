"""Passkeys, what they signed, and what waits in the browser for a signature."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import and_, bindparam, insert, or_, select, update

from vault.adapters.db import mapping
from vault.adapters.db.passkeys import assertion as assertions
from vault.adapters.db.passkeys import confirmation as confirmations
from vault.adapters.db.passkeys import passkey as passkeys
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.passkey import Assertion, Confirmation, Passkey

_c = passkeys.c
_w = confirmations.c
_ONE: Final = select(*mapping.passkey.columns).where(_c.removed_at.is_(None))
_OF: Final = _ONE.where(_c.person_id == bindparam("person")).order_by(_c.created_at, _c.id)
_WAITING: Final = select(*mapping.confirmation.columns)
_COUNTED: Final = (
    update(passkeys)
    .where(
        _c.id == bindparam("which"),
        or_(_c.sign_count < bindparam("count"), and_(_c.sign_count == 0, bindparam("count") == 0)),
    )
    .values(sign_count=bindparam("count"), used_at=bindparam("at"))
)


@dataclass(frozen=True, slots=True)
class Passkeys:
    """Implements `PasskeyStore`."""

    db: Statements

    def add(self, passkey: Passkey) -> None:
        """Keep a new one; `Conflict` passkey.exists where the authenticator's name for it is taken."""
        self.db.change(insert(passkeys), mapping.passkey.row(passkey))

    def of(self, person_id: str) -> tuple[Passkey, ...]:
        """List those of a person that were not removed, oldest first."""
        return tuple(mapping.passkey.value(row) for row in self.db.all(_OF, {"person": person_id}))

    def by_credential(self, credential: str) -> Passkey | None:
        """Find by the authenticator's own name for it, unless it was removed."""
        row = self.db.one(_ONE.where(_c.credential == credential))
        return None if row is None else mapping.passkey.value(row)

    def remove(self, passkey_id: str, at: datetime) -> None:
        """Let it count no more."""
        self.db.change(update(passkeys).where(_c.id == passkey_id).values(removed_at=at))

    def claim(self, assertion: Assertion) -> bool:
        """Keep a signature as used; False where it was used before, also by who asks at the same moment."""
        kept = self.db.insert(assertions).values(mapping.assertion.row(assertion))
        claimed = kept.on_conflict_do_nothing(index_elements=["id"]).returning(assertions.c.id)
        return self.db.one(claimed) is not None

    def count(self, passkey_id: str, sign_count: int, at: datetime) -> bool:
        """Remember the counter and the use; False where the counter did not go up although it counts."""
        return self.db.change(_COUNTED, {"which": passkey_id, "count": sign_count, "at": at}) == 1

    def ask(self, confirmation: Confirmation) -> None:
        """Keep what waits for its person."""
        self.db.change(insert(confirmations), mapping.confirmation.row(confirmation))

    def confirmation(self, confirmation_id: str) -> Confirmation | None:
        """Find by id."""
        return _waits(self.db.one(_WAITING.where(_w.id == confirmation_id)))

    def waiting(self, session: str, request_mac: str, now: datetime) -> Confirmation | None:
        """Find the one of this token for this request that may still be confirmed or used."""
        chosen = _WAITING.where(
            _w.session == session, _w.request_mac == request_mac, _w.expires_at > now, _w.used_at.is_(None)
        )
        return _waits(self.db.first(chosen.order_by(_w.expires_at.desc(), _w.id).limit(1)))

    def confirm(self, confirmation_id: str, assertion_id: str, at: datetime) -> bool:
        """Write that it was confirmed; False where it was before."""
        chosen = update(confirmations).where(_w.id == confirmation_id, _w.confirmed_at.is_(None))
        return self.db.change(chosen.values(confirmed_at=at, assertion_id=assertion_id)) == 1

    def use(self, confirmation_id: str, at: datetime) -> bool:
        """Use it up; False where it was before, also by who asks at the same moment."""
        chosen = update(confirmations).where(
            _w.id == confirmation_id, _w.used_at.is_(None), _w.confirmed_at.is_not(None)
        )
        return self.db.change(chosen.values(used_at=at)) == 1


def _waits(row: AnyRow | None) -> Confirmation | None:
    return None if row is None else mapping.confirmation.value(row)
