"""Campaigns: whose accounts they are, and how far each account has come since it began.

Decided here: an account's stage is counted from its current versions and their rotations in the statement that asks:
nothing of it is written when a rotation ends, so nothing of it can be forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Text, and_, bindparam, func, insert, or_, select, type_coerce, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.campaigns import campaign, campaign_account, reminder
from vault.adapters.db.paging import before, decode_cursor, decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within as near
from vault.adapters.db.types import Moment
from vault.domain.actor import Reach
from vault.domain.campaign import Assignment, Campaign, Parts, Reminder, Stage, stage_of
from vault.domain.credential import PartKind, VersionLabel, VersionOrigin
from vault.domain.rotation import RotationState
from vault.errors import Conflict
from vault.ports.campaigns import Item, Stands, Wanted
from vault.ports.records import Page, Slice

_PIECE: Final = 500
_c = campaign.c
_a = campaign_account.c
_account = tables.account.c
_version = tables.version.c
_rotation = tables.rotation.c

_ONE: Final = select(*mapping.campaign.columns)
_CHANGED = (
    update(campaign_account)
    .where(_a.campaign_id == bindparam("at_campaign"), _a.account_id == bindparam("at_account"))
    .values(
        person_id=bindparam("new_person"),
        changed_at=bindparam("new_changed_at"),
        changed_by=bindparam("new_changed_by"),
    )
)
_MEANT = or_(_c.parts == Parts.BOTH, type_coerce(_c.parts, Text) == type_coerce(_version.kind, Text))
_ROTATED = (
    (_version.account_id == _a.account_id)
    & (_version.label == VersionLabel.CURRENT)
    & (_version.origin != VersionOrigin.TAKEN_IN)
    & (_version.current_since >= _c.begun_at)
    & _MEANT
)
_PROVEN = (
    (_rotation.account_id == _version.account_id)
    & (_rotation.kind == _version.kind)
    & (_rotation.version == _version.number)
    & (_rotation.state == RotationState.VERIFIED)
)
_COUNTED = (
    select(
        *mapping.assignment.columns,
        _account.customer_id,
        _account.name,
        _c.parts,
        func.count(_version.number).label("rotated"),
        func.count(_rotation.id).label("verified"),
    )
    .select_from(
        campaign_account.join(campaign, _c.id == _a.campaign_id)
        .join(tables.account, _account.id == _a.account_id)
        .outerjoin(tables.version, _ROTATED)
        .outerjoin(tables.rotation, _PROVEN)
    )
    .group_by(*mapping.assignment.columns, _account.customer_id, _account.name, _c.parts)
)
"""Accounts of campaigns, each with how many of the parts that are meant were rotated since it began, and proven."""
_HAVING: Final = (
    select(*mapping.campaign.columns, *mapping.assignment.columns)
    .join(campaign_account, _a.campaign_id == _c.id)
    .where(
        _a.account_id.in_(bindparam("ids", expanding=True)),
        _c.ended_at.is_(None),
        _c.until > bindparam("now", type_=Moment),
    )
)
_ROTATED_IN: Final = (
    select(_a.account_id, _c.parts, func.count(_version.number), func.max(_version.current_since))
    .select_from(campaign_account.join(campaign, _c.id == _a.campaign_id).outerjoin(tables.version, _ROTATED))
    .where(
        _a.person_id == bindparam("person"),
        _a.account_id.in_(bindparam("ids", expanding=True)),
        _c.ended_at.is_(None),
        _c.until > bindparam("now", type_=Moment),
    )
    .group_by(_a.account_id, _c.id, _c.parts)
)


@dataclass(frozen=True, slots=True)
class Campaigns:
    """Implements `CampaignStore`."""

    db: Statements

    def add(self, campaign_: Campaign, accounts: Sequence[Assignment]) -> None:
        """Keep a new one with all its accounts."""
        self.db.change(insert(campaign), mapping.campaign.row(campaign_))
        for start in range(0, len(accounts), _PIECE):
            rows = [mapping.assignment.row(each) for each in accounts[start : start + _PIECE]]
            self.db.change(insert(campaign_account), rows)

    def get(self, campaign_id: str) -> Campaign | None:
        """Find by id."""
        return _value(self.db.one(_ONE.where(_c.id == campaign_id)))

    def lock(self, campaign_id: str) -> Campaign | None:
        """Find by id and hold its row until the unit ends."""
        return _value(self.db.one(_ONE.where(_c.id == campaign_id).with_for_update()))

    def update(self, campaign_: Campaign) -> None:
        """Write its people and its end."""
        values = {name: getattr(campaign_, name) for name in ("people", "ended_at", "ended_by")}
        if self.db.change(update(campaign).where(_c.id == campaign_.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no campaign {campaign_.id} to change.")

    def page(self, reach: Reach, part: Slice, *, running_at: datetime | None = None) -> Page[Campaign]:
        """List those that have an account within `reach`, newest first."""
        chosen = _ONE
        if running_at is not None:
            chosen = chosen.where(_c.ended_at.is_(None), _c.until > running_at)
        if not reach.everything:
            seen = select(_a.campaign_id).join(tables.account, _account.id == _a.account_id)
            chosen = chosen.where(_c.id.in_(near(seen, reach, _account.customer_id, _account.id)))
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(before(_c.begun_at, _c.id, after))
        chosen = chosen.order_by(_c.begun_at.desc(), _c.id.desc()).limit(limited(part.limit))
        found = [mapping.campaign.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.begun_at, each.id))

    def open(self) -> tuple[Campaign, ...]:
        """List those that nobody ended, oldest first."""
        rows = self.db.all(_ONE.where(_c.ended_at.is_(None)).order_by(_c.begun_at, _c.id))
        return tuple(mapping.campaign.value(row) for row in rows)

    def progress(self, campaign_ids: Sequence[str], reach: Reach) -> tuple[Stands, ...]:
        """Count the accounts of many campaigns within `reach` by person and stage, in one statement."""
        if not campaign_ids:
            return ()
        counted = near(_COUNTED, reach, _account.customer_id, _account.id)
        each = counted.where(_a.campaign_id.in_(campaign_ids)).subquery().c
        groups = (each.campaign_id, each.person_id, each.parts, each.rotated, each.verified)
        found: dict[tuple[str, str | None, Stage], int] = {}
        for number, person, parts, rotated, verified, accounts in self.db.all(
            select(*groups, func.count()).group_by(*groups)
        ):
            place = (number, person, stage_of(parts, rotated, verified))
            found[place] = found.get(place, 0) + int(accounts)
        return tuple(Stands(*place, accounts) for place, accounts in found.items())

    def accounts(self, campaign_id: str, reach: Reach, wanted: Wanted, part: Slice) -> Page[Item]:
        """List a campaign's accounts within `reach`, by number."""
        chosen = near(_COUNTED, reach, _account.customer_id, _account.id).where(_a.campaign_id == campaign_id)
        if wanted.person_id is not None:
            chosen = chosen.where(
                _a.person_id == wanted.person_id if wanted.person_id else _a.person_id.is_(None)
            )
        if wanted.stage is not None:
            chosen = chosen.having(_is(wanted.stage))
        after = decode_cursor(part.cursor, str)
        if after is not None:
            chosen = chosen.where(_a.account_id > after[0])
        rows = self.db.all(chosen.order_by(_a.account_id).limit(limited(part.limit)))
        return page([_item(row) for row in rows], part.limit, lambda each: (each.assignment.account_id,))

    def assignments(
        self, campaign_id: str, account_ids: Sequence[str] | None = None, person_id: str | None = None
    ) -> Mapping[str, Assignment]:
        """Find some, a person's, or all accounts of a campaign by number."""
        chosen = select(*mapping.assignment.columns).where(_a.campaign_id == campaign_id)
        if account_ids is not None:
            chosen = chosen.where(_a.account_id.in_(account_ids))
        if person_id is not None:
            chosen = chosen.where(_a.person_id == person_id)
        found = (mapping.assignment.value(row) for row in self.db.all(chosen.order_by(_a.account_id)))
        return {each.account_id: each for each in found}

    def assign(self, changed: Sequence[Assignment]) -> None:
        """Write whose accounts they are."""
        values = [
            {
                "at_campaign": each.campaign_id,
                "at_account": each.account_id,
                "new_person": each.person_id,
                "new_changed_at": each.changed_at,
                "new_changed_by": each.changed_by,
            }
            for each in changed
        ]
        for start in range(0, len(values), _PIECE):
            self.db.change(_CHANGED, values[start : start + _PIECE])

    def within(self, person_id: str, account_ids: Sequence[str], now: datetime) -> Mapping[str, Campaign]:
        """Find, by account, the running campaign with the fastest pace in which this person has the account."""
        ordered = _HAVING.where(_a.person_id == person_id).order_by(_c.accounts_per_hour, _c.id)
        start = len(mapping.campaign.columns)
        rows = self.db.all(ordered, {"ids": list(account_ids), "now": now})
        return {mapping.assignment.value(row, start).account_id: mapping.campaign.value(row) for row in rows}

    def done(self, person_id: str, account_ids: Sequence[str], now: datetime) -> Mapping[str, datetime]:
        """Find which of a person's accounts have all rotated that their running campaigns mean, and since when."""
        found: dict[str, datetime] = {}
        left: set[str] = set()
        for number, parts, rotated, since in self.db.all(
            _ROTATED_IN, {"person": person_id, "ids": list(account_ids), "now": now}
        ):
            if rotated < len(parts.kinds):
                left.add(number)
            else:
                found[number] = max(since, found.get(number, since))
        return {number: since for number, since in found.items() if number not in left}

    def having(self, account_ids: Sequence[str], now: datetime) -> Mapping[str, tuple[Campaign, Assignment]]:
        """Find, by account, the running campaign that ends first and has it."""
        ordered = _HAVING.order_by(_c.until.desc(), _c.id)
        start = len(mapping.campaign.columns)
        rows = self.db.all(ordered, {"ids": list(account_ids), "now": now})
        pairs = ((mapping.campaign.value(row), mapping.assignment.value(row, start)) for row in rows)
        return {place.account_id: (of, place) for of, place in pairs}

    def reminders(self) -> Mapping[str, Reminder]:
        """List the last reminder of everybody, by person."""
        found = (mapping.reminder.value(row) for row in self.db.all(select(*mapping.reminder.columns)))
        return {each.person_id: each for each in found}

    def remind(self, reminded: Reminder) -> bool:
        """Write that somebody is reminded on a day; False where that day, or a later one, is written already."""
        made = self.db.insert(reminder).values(mapping.reminder.row(reminded))
        later = made.on_conflict_do_update(
            index_elements=[reminder.c.person_id],
            set_={"day": made.excluded.day},
            where=reminder.c.day < made.excluded.day,
        )
        return self.db.first(later.returning(reminder.c.day)) is not None


def _is(stage: Stage) -> ColumnElement[bool]:
    """Say in SQL that an account is at a stage: for which counts of parts that is so, the domain says."""
    fitting = [
        and_(_c.parts == parts, func.count(_version.number) == rotated, func.count(_rotation.id) == verified)
        for parts in Parts
        for rotated in range(len(PartKind) + 1)
        for verified in range(rotated + 1)
        if stage_of(parts, rotated, verified) is stage
    ]
    return or_(*fitting)


def _item(row: AnyRow) -> Item:
    start = len(mapping.assignment.columns)
    customer_id, name, parts, rotated, verified = row[start:]
    return Item(mapping.assignment.value(row), stage_of(parts, rotated, verified), customer_id, name)


def _value(row: AnyRow | None) -> Campaign | None:
    return None if row is None else mapping.campaign.value(row)
