"""Identities at a provider, and the visits there: each state and each answer is claimed once (S4)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select, update

from vault.adapters.db import mapping
from vault.adapters.db.identities import identity as identities
from vault.adapters.db.identities import visit as visits
from vault.adapters.db.statements import AnyRow, Statements
from vault.domain.identity import Identity, Visit

_i = identities.c
_v = visits.c
_ONE: Final = select(*mapping.identity.columns)
_VISIT: Final = select(*mapping.visit.columns)


@dataclass(frozen=True, slots=True)
class Identities:
    """Implements `IdentityStore`."""

    db: Statements

    def add(self, identity: Identity) -> None:
        """Keep a new one; `Conflict` identity.exists where the subject, or the person, is linked already."""
        self.db.change(insert(identities), mapping.identity.row(identity))

    def get(self, identity_id: str) -> Identity | None:
        """Find by id."""
        return _identity(self.db.one(_ONE.where(_i.id == identity_id)))

    def find(self, issuer: str, subject: str) -> Identity | None:
        """Find the one that counts."""
        chosen = _ONE.where(_i.issuer == issuer, _i.subject == subject, _i.ended_at.is_(None))
        return _identity(self.db.one(chosen))

    def of(self, person_id: str) -> tuple[Identity, ...]:
        """List a person's that count, oldest first."""
        chosen = _ONE.where(_i.person_id == person_id, _i.ended_at.is_(None)).order_by(_i.linked_at, _i.id)
        return tuple(mapping.identity.value(row) for row in self.db.all(chosen))

    def end(self, identity: Identity) -> None:
        """Write the end of one; one that has ended keeps its time."""
        ended = {"ended_at": identity.ended_at, "ended_by": identity.ended_by}
        chosen = update(identities).where(_i.id == identity.id, _i.ended_at.is_(None))
        self.db.change(chosen.values(ended))


@dataclass(frozen=True, slots=True)
class Visits:
    """Implements `VisitStore`."""

    db: Statements

    def add(self, visit: Visit) -> None:
        """Keep a new one, and forget those that are over."""
        self.db.change(delete(visits).where(_v.until < visit.begun_at))
        self.db.change(insert(visits), mapping.visit.row(visit))

    def get(self, visit_id: str) -> Visit | None:
        """Find by the hash of its state."""
        return _visit(self.db.one(_VISIT.where(_v.id == visit_id)))

    def of_browser(self, browser_hash: str) -> Visit | None:
        """Find by the hash of the browser's cookie."""
        return _visit(self.db.one(_VISIT.where(_v.browser_hash == browser_hash)))

    def claim(self, visit_id: str, at: datetime) -> bool:
        """Claim the answer; False where one was claimed before."""
        chosen = update(visits).where(_v.id == visit_id, _v.answered_at.is_(None))
        return self.db.change(chosen.values(answered_at=at)) == 1

    def answer(self, visit: Visit) -> None:
        """Write what the provider answered."""
        said = {"subject": visit.subject, "label": visit.label, "withheld": visit.withheld}
        self.db.change(update(visits).where(_v.id == visit.id).values(said))

    def use(self, visit_id: str, at: datetime) -> bool:
        """Use it up; False where it was before."""
        chosen = update(visits).where(_v.id == visit_id, _v.used_at.is_(None))
        return self.db.change(chosen.values(used_at=at)) == 1


def _identity(row: AnyRow | None) -> Identity | None:
    return None if row is None else mapping.identity.value(row)


def _visit(row: AnyRow | None) -> Visit | None:
    return None if row is None else mapping.visit.value(row)
