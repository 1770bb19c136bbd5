"""What is asked of the store of cases: works, as in `vault.ports.store`, inside the unit's transaction.

None of these runs a number of statements that grows with the accounts of a case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from vault.domain.account import Kind
from vault.domain.actor import Reach
from vault.domain.case import CaseFile, CaseKind, Done, Place, Scene
from vault.ports.records import Page, Slice


@dataclass(frozen=True, slots=True)
class CaseFilter:
    """Which cases; None does not narrow."""

    kind: CaseKind | None = None
    customer_id: str | None = None
    account_id: str | None = None
    state: str | None = None
    is_open: bool | None = None
    cause: str | None = None
    opened_by: str | None = None


class Booked(NamedTuple):
    """One account whose work is planned for a day."""

    case_id: str
    kind: CaseKind
    customer_id: str
    account_id: str
    account_name: str
    account_kind: Kind
    day: datetime


class CaseStore(Protocol):
    """Cases, their accounts and steps."""

    def add(self, case: CaseFile, places: Sequence[Place]) -> None:
        """Keep a new one; raises `Conflict` case.account where another open case has one of its accounts."""
        ...

    def get(self, case_id: str) -> CaseFile | None:
        """Find by id."""
        ...

    def lock(self, case_id: str) -> CaseFile | None:
        """Find by id and hold its row until the unit ends."""
        ...

    def scene(self, case: CaseFile, near: str = "") -> Scene:
        """Give a case as it stands; with `near`, the steps of this account and the case's own alone.

        Near one account, the others are read while the unit lasts, when somebody asks for one of them.
        """
        ...

    def again(self, scene: Scene) -> Scene:
        """Give a case as it stands after a step; near one account, its place and its row alone are read anew."""
        ...

    def scenes(self, cases: Sequence[CaseFile]) -> tuple[Scene, ...]:
        """Give many, in as many statements as one."""
        ...

    def update(self, case: CaseFile) -> None:
        """Write its state, customer and end."""
        ...

    def place(self, changed: Sequence[Place]) -> None:
        """Write state, day and end of accounts in their case."""
        ...

    def put(self, done: Sequence[Done]) -> None:
        """Write what is known of steps, for the first time or again."""
        ...

    def page(self, reach: Reach, wanted: CaseFilter, part: Slice) -> Page[CaseFile]:
        """List cases that have an account within `reach`, or whose customer lies within it; newest first."""
        ...

    def open_of(self, account_ids: Sequence[str]) -> Mapping[str, CaseFile]:
        """Find, by account, the open case that has it."""
        ...

    def hold_days(self) -> None:
        """Let nobody else plan a day until the unit ends, so that two people never take the last place of one."""
        ...

    def claimed(self, step: str, evidence: Mapping[str, str]) -> tuple[str, ...]:
        """Name the accounts of open cases of whose `step` exactly this was given, whatever its case of letters."""
        ...

    def booked(self, since: datetime, until: datetime, reach: Reach) -> tuple[Booked, ...]:
        """List accounts of open cases within `reach` that are planned from `since` up to `until`, by day."""
        ...

    def counts(self, reach: Reach) -> Mapping[tuple[CaseKind, str], int]:
        """Count cases within `reach` by kind and state."""
        ...
