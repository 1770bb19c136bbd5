"""Ends of handovers, and the links to their customers' pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, insert, or_, select, update

from vault.adapters.db import mapping
from vault.adapters.db.cases import case_file
from vault.adapters.db.release import customer_link, handed
from vault.domain.release import LinkEnd
from vault.errors import Conflict

if TYPE_CHECKING:
    from datetime import datetime

    from vault.adapters.db.statements import Statements
    from vault.domain.release import CustomerLink, Handed

_h = handed.c
_l = customer_link.c
_ENDS: Final = select(*mapping.handed.columns)
_LINKS: Final = select(*mapping.customer_link.columns)
_OPEN: Final = _ENDS.join(case_file, and_(case_file.c.id == _h.case_id, case_file.c.ended_at.is_(None)))
_MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Releases:
    """Implements `ReleaseStore`."""

    db: Statements

    def add(self, end: Handed) -> None:
        """Keep that a handover's last account was released."""
        self.db.change(insert(handed), mapping.handed.row(end))

    def get(self, case_id: str) -> Handed | None:
        """Find the end of a handover."""
        row = self.db.one(_ENDS.where(_h.case_id == case_id))
        return None if row is None else mapping.handed.value(row)

    def update(self, end: Handed) -> None:
        """Write its warning and acknowledgement."""
        names = ("warned_at", "acknowledged_at", "way", "signed", "link_id")
        values = {name: getattr(end, name) for name in names}
        if self.db.change(update(handed).where(_h.case_id == end.case_id).values(values)) != 1:
            raise Conflict("concurrent.change", f"Case {end.case_id} was not released.")

    def due(self, now: datetime, limit: int) -> tuple[Handed, ...]:
        """List handovers that are not closed and whose destruction is due: acknowledged, or their grace is over."""
        chosen = _OPEN.where(or_(_h.acknowledged_at.is_not(None), _h.destroy_after <= now))
        rows = self.db.all(chosen.order_by(_h.released_at, _h.case_id).limit(limit))
        return tuple(mapping.handed.value(row) for row in rows)

    def ending(self, before: datetime, limit: int) -> tuple[Handed, ...]:
        """List those not closed, neither acknowledged nor warned of, whose grace ends before a time."""
        chosen = _OPEN.where(_h.acknowledged_at.is_(None), _h.warned_at.is_(None), _h.destroy_after < before)
        rows = self.db.all(chosen.order_by(_h.destroy_after, _h.case_id).limit(limit))
        return tuple(mapping.handed.value(row) for row in rows)

    def add_link(self, link: CustomerLink) -> None:
        """Keep a new link; `Conflict` concurrent.change where the handover has a live one."""
        self.db.change(insert(customer_link), mapping.customer_link.row(link))

    def link_of(self, token_hash: str) -> CustomerLink | None:
        """Find a link by the hash of its token."""
        row = self.db.one(_LINKS.where(_l.token_hash == token_hash))
        return None if row is None else mapping.customer_link.value(row)

    def lock_link(self, token_hash: str) -> CustomerLink | None:
        """Find a link by the hash of its token, and hold its row until the unit ends."""
        row = self.db.one(_LINKS.where(_l.token_hash == token_hash).with_for_update())
        return None if row is None else mapping.customer_link.value(row)

    def live(self, case_id: str) -> CustomerLink | None:
        """Find a handover's live link, and hold its row until the unit ends."""
        row = self.db.one(_LINKS.where(_l.case_id == case_id, _l.ended_at.is_(None)).with_for_update())
        return None if row is None else mapping.customer_link.value(row)

    def links(self, case_id: str) -> tuple[CustomerLink, ...]:
        """List a handover's links, newest first; fifty at most."""
        chosen = _LINKS.where(_l.case_id == case_id).order_by(_l.made_at.desc(), _l.id.desc()).limit(_MOST)
        return tuple(mapping.customer_link.value(row) for row in self.db.all(chosen))

    def update_link(self, link: CustomerLink) -> None:
        """Write what became of a link."""
        names = ("mailed_at", "wrong", "opened_at", "visit_hash", "visit_until", "ended_at", "ending")
        values = {name: getattr(link, name) for name in names}
        if self.db.change(update(customer_link).where(_l.id == link.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no link {link.id} to change.")

    def end_all(self, now: datetime) -> tuple[tuple[CustomerLink, CustomerLink], ...]:
        """End every live link because a backup was restored; give each before and after."""
        rows = self.db.all(_LINKS.where(_l.ended_at.is_(None)).order_by(_l.id))
        before = [mapping.customer_link.value(row) for row in rows]
        pairs = tuple((each, replace(each, ended_at=now, ending=LinkEnd.RESTORED)) for each in before)
        for _, ended in pairs:
            self.update_link(ended)
        return pairs

    def unopened(self, before: datetime, limit: int) -> tuple[CustomerLink, ...]:
        """List live links that were not opened and whose time was over before a moment."""
        chosen = _LINKS.where(_l.ended_at.is_(None), _l.opened_at.is_(None), _l.until <= before)
        rows = self.db.all(chosen.order_by(_l.until, _l.id).limit(limit))
        return tuple(mapping.customer_link.value(row) for row in rows)
