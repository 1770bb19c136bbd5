"""Proposals: what waits for a second person, and what was agreed to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, and_, insert, or_, select, tuple_, update

from vault.adapters.db import mapping
from vault.adapters.db.paging import decode_dated, encode_dated, limited, page
from vault.adapters.db.proposals import proposal as proposals
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.people import scope_within
from vault.domain.actor import Reach
from vault.domain.proposal import Proposal, ProposalKind
from vault.errors import Conflict
from vault.ports.proposals import ProposalFilter
from vault.ports.records import Page, Slice

_c = proposals.c
_ONE: Final = select(*mapping.proposal.columns)
_CHANGING: Final = ("confirmed_by", "confirmed_at", "effective_at", "ended_at", "ended_by")


@dataclass(frozen=True, slots=True)
class Proposals:
    """Implements `ProposalStore`."""

    db: Statements

    def add(self, proposal: Proposal) -> None:
        """Keep a new one; `Conflict` proposal.exists where one of this kind and subject waits already."""
        self.db.change(insert(proposals), mapping.proposal.row(proposal))

    def get(self, proposal_id: str) -> Proposal | None:
        """Find by id."""
        return _value(self.db.one(_ONE.where(_c.id == proposal_id)))

    def lock(self, proposal_id: str) -> Proposal | None:
        """Find by id and hold its row until the unit ends."""
        return _value(self.db.one(_ONE.where(_c.id == proposal_id).with_for_update()))

    def update(self, proposal: Proposal) -> None:
        """Write the second word, the moment of effect and the end."""
        values = {name: getattr(proposal, name) for name in _CHANGING}
        if self.db.change(update(proposals).where(_c.id == proposal.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no proposal {proposal.id} to change.")

    def agreed(self, kind: ProposalKind, subject: str | None = None) -> tuple[Proposal, ...]:
        """List those that were agreed to and not ended, in the order of their effect; of one subject, or all."""
        chosen = _ONE.where(_c.kind == kind, _c.effective_at.is_not(None), _c.ended_at.is_(None))
        if subject is not None:
            chosen = chosen.where(_c.subject == subject)
        rows = self.db.all(chosen.order_by(_c.effective_at, _c.confirmed_at, _c.id))
        return tuple(mapping.proposal.value(row) for row in rows)

    def in_force(self, kind: ProposalKind, subject: str, now: datetime) -> Proposal | None:
        """Find the one that took effect last and counts at `now`."""
        chosen = (
            _ONE.where(_c.kind == kind, _c.subject == subject, _c.effective_at <= now, _c.ended_at.is_(None))
            .order_by(_c.effective_at.desc(), _c.confirmed_at.desc(), _c.id.desc())
            .limit(1)
        )
        return _value(self.db.one(chosen))

    def page(self, wanted: ProposalFilter, part: Slice) -> Page[Proposal]:
        """List newest first."""
        chosen = _ONE.where(_c.kind.in_(sorted(wanted.kinds)))
        if wanted.subject is not None:
            chosen = chosen.where(_c.subject == wanted.subject)
        if wanted.is_waiting:
            chosen = chosen.where(_c.effective_at.is_(None), _c.ended_at.is_(None))
        if wanted.reaches is not None:
            chosen = chosen.where(_in_sight(wanted.reaches, wanted.reader))
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(tuple_(_c.proposed_at, _c.id) < after)
        chosen = chosen.order_by(_c.proposed_at.desc(), _c.id.desc()).limit(limited(part.limit))
        found = [mapping.proposal.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.proposed_at, each.id))


def _in_sight(reaches: Mapping[ProposalKind, Reach], reader: str) -> ColumnElement[bool]:
    """Say in SQL which proposals lie within the reach of their kind, or are the reader's own or about them."""
    near = [
        _c.kind == kind
        if reach.everything
        else and_(_c.kind == kind, scope_within(reach, _c.scope_kind, _c.scope_target))
        for kind, reach in sorted(reaches.items())
    ]
    return or_(_c.proposed_by == reader, _c.subject == reader, *near)


def _value(row: AnyRow | None) -> Proposal | None:
    return None if row is None else mapping.proposal.value(row)
