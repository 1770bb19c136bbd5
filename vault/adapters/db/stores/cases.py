"""Cases: each question is a fixed number of statements, however many accounts a case has."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Select, Text, bindparam, cast, func, insert, or_, select, update

from vault.adapters.db import mapping, tables
from vault.adapters.db.cases import case_account, case_file, case_step
from vault.adapters.db.paging import before, decode_dated, encode_dated, limited, page
from vault.adapters.db.statements import AnyRow, Statements
from vault.adapters.db.stores.accounts import within as near
from vault.domain.account import Account
from vault.domain.actor import Reach
from vault.domain.case import CaseFile, CaseKind, Done, Place, Scene
from vault.errors import Conflict
from vault.ports.cases import Booked, CaseFilter
from vault.ports.records import Page, Slice

_PIECE: Final = 500
_DAYS_LOCK: Final = 7_366_019
"""The advisory lock's number, of this database alone."""
_DAYS_ALONE: Final = select(func.pg_advisory_xact_lock(_DAYS_LOCK))
_c = case_file.c
_a = case_account.c
_s = case_step.c
_account = tables.account.c
_ONE: Final = select(*mapping.case_file.columns)
_PLACED = (
    update(case_account)
    .where(_a.case_id == bindparam("at_case"), _a.account_id == bindparam("at_account"))
    .values(
        state=bindparam("new_state"),
        changed_at=bindparam("new_changed_at"),
        day=bindparam("new_day"),
        was=bindparam("new_was"),
        ended_at=bindparam("new_ended_at"),
    )
)
_PLACES: Final = (
    select(*mapping.case_account.columns, *mapping.account.columns)
    .join(tables.account, _account.id == _a.account_id)
    .order_by(_a.case_id, _a.position)
)
_WIDTH: Final = len(mapping.case_account.columns)
_NUMBERS: Final = (
    select(*mapping.case_account.columns, _account.kind)
    .join(tables.account, _account.id == _a.account_id)
    .where(_a.case_id == bindparam("of_case"))
    .order_by(_a.position)
)
"""The places of a case with no more of each account than its kind."""
_ALONE: Final = select(*mapping.account.columns).where(_account.id == bindparam("of_account"))
_PLACE: Final = select(*mapping.case_account.columns).where(
    _a.case_id == bindparam("of_case"), _a.account_id == bindparam("of_account")
)
_OWNER: Final = select(*mapping.customer.columns).where(tables.customer.c.id == bindparam("of_customer"))
_NEAR: Final = select(*mapping.case_step.columns).where(
    _s.case_id == bindparam("of_case"), _s.account_id.in_(("", bindparam("of_account")))
)


class Nearby(Mapping[str, Account]):
    """The accounts of a case of which one was read; the others are read together when one of them is asked for."""

    def __init__(
        self, numbers: Sequence[str], account: Account, load: Callable[[], Mapping[str, Account]]
    ) -> None:
        self._numbers = dict.fromkeys(numbers)
        self._account = account
        self._load = load
        self._others: Mapping[str, Account] | None = None

    def __getitem__(self, number: str) -> Account:
        """Give one of the case; raises `KeyError` for another."""
        if number == self._account.id:
            return self._account
        if number not in self._numbers:
            raise KeyError(number)
        if self._others is None:
            self._others = self._load()
        return self._others[number]

    def __contains__(self, number: object) -> bool:
        """Say whether an account is of the case; reads nothing."""
        return number in self._numbers

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)


@dataclass(frozen=True, slots=True)
class Cases:
    """Implements `CaseStore`."""

    db: Statements

    def add(self, case: CaseFile, places: Sequence[Place]) -> None:
        """Keep a new one; raises `Conflict` case.account where another open case has one of its accounts."""
        self.db.change(insert(case_file), mapping.case_file.row(case))
        for start in range(0, len(places), _PIECE):
            rows = [mapping.case_account.row(each) for each in places[start : start + _PIECE]]
            self.db.change(insert(case_account), rows)

    def get(self, case_id: str) -> CaseFile | None:
        """Find by id."""
        return _value(self.db.one(_ONE.where(_c.id == case_id)))

    def lock(self, case_id: str) -> CaseFile | None:
        """Find by id and hold its row until the unit ends."""
        return _value(self.db.one(_ONE.where(_c.id == case_id).with_for_update()))

    def scene(self, case: CaseFile, near: str = "") -> Scene:
        """Give a case as it stands; with `near`, the steps of this account and the case's own alone."""
        found = self._near(case, near) if near else None
        return self.scenes((case,))[0] if found is None else found

    def again(self, scene: Scene) -> Scene:
        """Give a case as it stands after a step; near one account, its place and its row alone are read anew."""
        case = self.get(scene.case.id) or scene.case
        if not scene.near:
            return self.scene(case)
        named = {"of_case": case.id, "of_account": scene.near}
        row, alone = self.db.one(_PLACE, named), self.db.one(_ALONE, {"of_account": scene.near})
        assert row is not None  # noqa: S101 - it was there when the scene was read, and rows of cases stay
        assert alone is not None  # noqa: S101 - as above
        place, account = mapping.case_account.value(row), mapping.account.value(alone)
        places = tuple(place if each.account_id == scene.near else each for each in scene.places)
        accounts = Nearby(tuple(scene.accounts), account, lambda: self._accounts(case.id))
        return replace(scene, case=case, places=places, accounts=accounts)

    def scenes(self, cases: Sequence[CaseFile]) -> tuple[Scene, ...]:
        """Give many, in as many statements as one."""
        if not cases:
            return ()
        ids = [case.id for case in cases]
        owners = select(*mapping.customer.columns).where(
            tables.customer.c.id.in_({case.customer_id for case in cases})
        )
        customers = {each.id: each for each in map(mapping.customer.value, self.db.all(owners))}
        places: dict[str, list[Place]] = {number: [] for number in ids}
        accounts: dict[str, dict[str, Account]] = {number: {} for number in ids}
        for row in self.db.all(_PLACES.where(_a.case_id.in_(ids))):
            place, account = mapping.case_account.value(row), mapping.account.value(row, _WIDTH)
            places[place.case_id].append(place)
            accounts[place.case_id][account.id] = account
        done: dict[str, dict[tuple[str, str], Done]] = {number: {} for number in ids}
        steps = select(*mapping.case_step.columns).where(_s.case_id.in_(ids))
        for row in self.db.all(steps):
            step = mapping.case_step.value(row)
            done[step.case_id][step.account_id, step.step] = step
        return tuple(
            Scene(
                case,
                customers[case.customer_id],
                tuple(places[case.id]),
                accounts[case.id],
                done[case.id],
            )
            for case in cases
        )

    def _near(self, case: CaseFile, near: str) -> Scene | None:
        """Give a case near one account: of others their places and kinds alone; None where it is not of the case."""
        named = {"of_case": case.id, "of_account": near}
        rows = self.db.all(_NUMBERS, {"of_case": case.id})
        places = tuple(mapping.case_account.value(row) for row in rows)
        kinds = {place.account_id: row[_WIDTH] for place, row in zip(places, rows, strict=True)}
        alone = self.db.one(_ALONE, {"of_account": near})
        owner = self.db.one(_OWNER, {"of_customer": case.customer_id})
        if near not in kinds or alone is None or owner is None:
            return None
        steps = [mapping.case_step.value(row) for row in self.db.all(_NEAR, named)]
        accounts = Nearby(tuple(kinds), mapping.account.value(alone), lambda: self._accounts(case.id))
        done = {(step.account_id, step.step): step for step in steps}
        return Scene(case, mapping.customer.value(owner), places, accounts, done, near, kinds)

    def _accounts(self, case_id: str) -> Mapping[str, Account]:
        rows = self.db.all(_PLACES.where(_a.case_id == case_id))
        found = (mapping.account.value(row, _WIDTH) for row in rows)
        return {account.id: account for account in found}

    def update(self, case: CaseFile) -> None:
        """Write its state, customer and end."""
        names = ("state", "customer_id", "changed_at", "ended_at")
        values = {name: getattr(case, name) for name in names}
        if self.db.change(update(case_file).where(_c.id == case.id).values(values)) != 1:
            raise Conflict("concurrent.change", f"There is no case {case.id} to change.")

    def place(self, changed: Sequence[Place]) -> None:
        """Write state, day and end of accounts in their case."""
        values = [
            {
                "at_case": each.case_id,
                "at_account": each.account_id,
                "new_state": each.state,
                "new_changed_at": each.changed_at,
                "new_day": each.day,
                "new_was": each.was,
                "new_ended_at": each.ended_at,
            }
            for each in changed
        ]
        for start in range(0, len(values), _PIECE):
            self.db.change(_PLACED, values[start : start + _PIECE])

    def put(self, done: Sequence[Done]) -> None:
        """Write what is known of steps, for the first time or again."""
        for start in range(0, len(done), _PIECE):
            rows = [mapping.case_step.row(each) for each in done[start : start + _PIECE]]
            made = self.db.insert(case_step)
            keys = {"case_id", "account_id", "step"}
            written = {name: made.excluded[name] for name in mapping.case_step.names if name not in keys}
            self.db.change(
                made.on_conflict_do_update(index_elements=[_s.case_id, _s.account_id, _s.step], set_=written),
                rows,
            )

    def page(self, reach: Reach, wanted: CaseFilter, part: Slice) -> Page[CaseFile]:
        """List cases that have an account within `reach`, or whose customer lies within it; newest first."""
        chosen = _seen(_ONE, reach)
        for column, value in (
            (_c.kind, wanted.kind),
            (_c.customer_id, wanted.customer_id),
            (_c.state, wanted.state),
            (_c.cause, wanted.cause),
            (_c.opened_by, wanted.opened_by),
        ):
            if value is not None:
                chosen = chosen.where(column == value)
        if wanted.is_open is not None:
            chosen = chosen.where(_c.ended_at.is_(None) if wanted.is_open else _c.ended_at.is_not(None))
        if wanted.account_id is not None:
            chosen = chosen.where(_c.id.in_(select(_a.case_id).where(_a.account_id == wanted.account_id)))
        after = decode_dated(part.cursor)
        if after is not None:
            chosen = chosen.where(before(_c.opened_at, _c.id, after))
        chosen = chosen.order_by(_c.opened_at.desc(), _c.id.desc()).limit(limited(part.limit))
        found = [mapping.case_file.value(row) for row in self.db.all(chosen)]
        return page(found, part.limit, lambda each: encode_dated(each.opened_at, each.id))

    def open_of(self, account_ids: Sequence[str]) -> Mapping[str, CaseFile]:
        """Find, by account, the open case that has it."""
        chosen = select(_a.account_id, *mapping.case_file.columns).join(case_file, _c.id == _a.case_id)
        found: dict[str, CaseFile] = {}
        for start in range(0, len(account_ids), _PIECE):
            numbers = account_ids[start : start + _PIECE]
            for row in self.db.all(chosen.where(_a.account_id.in_(numbers), _a.ended_at.is_(None))):
                found[row[0]] = mapping.case_file.value(row, 1)
        return found

    def hold_days(self) -> None:
        """Let nobody else plan a day until the unit ends; on SQLite nobody else writes meanwhile anyway."""
        if not self.db.is_sqlite:
            self.db.all(_DAYS_ALONE)

    def claimed(self, step: str, evidence: Mapping[str, str]) -> tuple[str, ...]:
        """Name the accounts of open cases of whose `step` exactly this was given, whatever its case of letters."""
        written = json.dumps(dict(evidence), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        chosen = (
            select(_s.account_id)
            .join(case_file, _c.id == _s.case_id)
            .where(_c.ended_at.is_(None), _s.step == step)
            .where(func.lower(cast(_s.evidence, Text)) == written.lower())
            .order_by(_s.account_id)
        )
        return tuple(row[0] for row in self.db.all(chosen))

    def booked(self, since: datetime, until: datetime, reach: Reach) -> tuple[Booked, ...]:
        """List accounts of open cases within `reach` that are planned from `since` up to `until`, by day."""
        chosen = (
            select(_c.id, _c.kind, _c.customer_id, _a.account_id, _account.name, _account.kind, _a.day)
            .join(case_account, _a.case_id == _c.id)
            .join(tables.account, _account.id == _a.account_id)
            .where(_a.ended_at.is_(None), _a.day >= since, _a.day < until)
            .order_by(_a.day, _a.account_id)
        )
        return tuple(
            Booked(*row) for row in self.db.all(near(chosen, reach, _account.customer_id, _account.id))
        )

    def counts(self, reach: Reach) -> Mapping[tuple[CaseKind, str], int]:
        """Count cases within `reach` by kind and state."""
        chosen = _seen(select(_c.kind, _c.state, func.count()), reach).group_by(_c.kind, _c.state)
        return {(row[0], row[1]): int(row[2]) for row in self.db.all(chosen)}


def _seen(chosen: Select[Any], reach: Reach) -> Select[Any]:
    """Narrow to cases of customers within `reach`, or with an account within it."""
    if reach.everything:
        return chosen
    having = select(_a.case_id).join(tables.account, _account.id == _a.account_id)
    mine = near(having, reach, _account.customer_id, _account.id)
    return chosen.where(or_(_c.customer_id.in_(sorted(reach.customers)), _c.id.in_(mine)))


def _value(row: AnyRow | None) -> CaseFile | None:
    return None if row is None else mapping.case_file.value(row)
