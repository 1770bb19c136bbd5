"""What leavers know: found in what was disclosed, entered and verified, written down, and read with its versions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import BindParameter, bindparam, case, func, insert, literal, select, tuple_, union_all

from vault.adapters.db import mapping, tables
from vault.adapters.db.leavers import leaver_knows
from vault.adapters.db.paging import decode_cursor, limited, page
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.accounts import within
from vault.adapters.db.types import Choice
from vault.domain.actor import Reach
from vault.domain.credential import PartKind, VersionLabel, VersionOrigin
from vault.domain.leaver import KNOWABLE, LeaverKnows, Way
from vault.domain.rotation import Evidence
from vault.ports.leavers import LeaverItem
from vault.ports.records import Page, RevealPurpose, RevealState, Slice

_PIECE: Final = 500
_version = tables.version.c
_reveal = tables.reveal.c
_rotation = tables.rotation.c
_account = tables.account.c
_knows = leaver_knows.c
_WAY: Final = Choice(Way)


def _way(way: Way) -> BindParameter[Way]:
    return literal(way, _WAY)


_OPENS = _version.label.in_(sorted(KNOWABLE))
# a seed's codes tell nothing of the seed: only passwords are known by being shown
_SHOWN = (
    select(
        _version.account_id,
        _version.kind,
        _version.number,
        case(
            (_reveal.state != RevealState.RELEASED, _way(Way.IN_DOUBT)),
            (_reveal.purpose == RevealPurpose.USE, _way(Way.SHOWN)),
            else_=_way(Way.SHOWN_TO_SET),
        ).label("way"),
        _reveal.authorized_at.label("since"),
    )
    .join(
        tables.version,
        (_version.account_id == _reveal.account_id)
        & (_version.kind == _reveal.kind)
        & (_version.number == _reveal.version),
    )
    .where(
        _reveal.person_id == bindparam("person"),
        _reveal.kind == PartKind.PASSWORD,
        _reveal.state != RevealState.FAILED,
        _OPENS,
    )
)
# a generated password is sealed unseen; what was taken in, and every seed, somebody typed
_ENTERED = select(
    _version.account_id,
    _version.kind,
    _version.number,
    _way(Way.ENTERED).label("way"),
    _version.created_at.label("since"),
).where(
    _version.created_by == bindparam("person"),
    (_version.origin == VersionOrigin.TAKEN_IN) | (_version.kind == PartKind.MFA),
    _OPENS,
)
# whoever vouches for somebody else's password signed in with it, or saw it work
_VERIFIED = (
    select(
        _version.account_id,
        _version.kind,
        _version.number,
        _way(Way.VERIFIED).label("way"),
        _rotation.verified_at.label("since"),
    )
    .join(
        tables.version,
        (_version.account_id == _rotation.account_id)
        & (_version.kind == _rotation.kind)
        & (_version.number == _rotation.version),
    )
    .where(
        _rotation.verified_by == bindparam("person"),
        _rotation.evidence == Evidence.SECOND_PERSON,
        _rotation.kind == PartKind.PASSWORD,
        _OPENS,
    )
)
_EVERY = union_all(_SHOWN, _ENTERED, _VERIFIED).subquery()
_KNOWN_TO = select(_EVERY).order_by(
    _EVERY.c.account_id, _EVERY.c.kind, _EVERY.c.number, _EVERY.c.since, _EVERY.c.way
)
_JOINED = (
    leaver_knows.join(
        tables.version,
        (_version.account_id == _knows.account_id)
        & (_version.kind == _knows.kind)
        & (_version.number == _knows.version),
    )
).join(tables.account, _account.id == _knows.account_id)
_OF = (
    select(*mapping.leaver_knows.columns, _version.label)
    .select_from(_JOINED)
    .where(_knows.person_id == bindparam("person"))
    .order_by(_knows.account_id, _knows.kind, _knows.version)
)
_LABELS = (
    select(_version.label, func.count())
    .select_from(_JOINED)
    .where(_knows.person_id == bindparam("person"))
    .group_by(_version.label)
)
_KEPT = select(_knows.account_id, _knows.kind, _knows.version).where(_knows.person_id == bindparam("person"))


@dataclass(frozen=True, slots=True)
class Leavers:
    """Implements `LeaverStore`."""

    db: Statements

    def known_to(self, person_id: str, now: datetime) -> tuple[LeaverKnows, ...]:
        """Name each value that may open an account and that a person may know, by its first way; in one query."""
        first: dict[tuple[str, PartKind, int], LeaverKnows] = {}
        for account, kind, number, way, since in self.db.all(_KNOWN_TO, {"person": person_id}):
            place = (account, kind, number)
            first.setdefault(place, LeaverKnows(person_id, *place, way, since, now))
        return tuple(first.values())

    def add(self, found: tuple[LeaverKnows, ...]) -> tuple[LeaverKnows, ...]:
        """Keep those that are not kept yet; give these, by account, part and version."""
        if not found:
            return ()
        kept = {tuple(row) for row in self.db.all(_KEPT, {"person": found[0].person_id})}
        new = tuple(each for each in found if (each.account_id, each.kind, each.version) not in kept)
        for start in range(0, len(new), _PIECE):
            rows = [mapping.leaver_knows.row(each) for each in new[start : start + _PIECE]]
            self.db.change(insert(leaver_knows), rows)
        return new

    def page(self, person_id: str, reach: Reach, part: Slice, *, is_open: bool) -> Page[LeaverItem]:
        """List what a person knew of accounts within `reach`, by account, part and version."""
        chosen = within(_OF, reach, _account.customer_id, _account.id).limit(limited(part.limit))
        if is_open:
            chosen = chosen.where(_OPENS)
        after = decode_cursor(part.cursor, str, str, int)
        if after is not None:
            chosen = chosen.where(tuple_(_knows.account_id, _knows.kind, _knows.version) > tuple_(*after))
        label = len(mapping.leaver_knows.columns)
        rows = self.db.all(chosen, {"person": person_id})
        found = [LeaverItem(mapping.leaver_knows.value(row), row[label]) for row in rows]
        return page(found, part.limit, _place)

    def labels(self, person_id: str, reach: Reach) -> Mapping[VersionLabel, int]:
        """Count what a person knew of accounts within `reach`, by where the versions stand now."""
        counted = within(_LABELS, reach, _account.customer_id, _account.id)
        return {VersionLabel(row[0]): int(row[1]) for row in self.db.all(counted, {"person": person_id})}


def _place(item: LeaverItem) -> tuple[str, str, int]:
    return item.knows.account_id, item.knows.kind.value, item.knows.version
