"""Cases on the wire: a case with where it waits, and its accounts.

`CaseResource` is one row of the board, `CaseWhole` one case with its accounts; every route that opens or changes a case
of some kind answers with `CaseWhole`. Steps are listed apart (`case_steps`), because a case may have five hundred
accounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints

from vault.domain.account import Custody, Kind
from vault.domain.actor import Role
from vault.domain.case import CaseKind, PlaceState
from vault.domain.outlook import Standing
from vault.domain.policy import Permission
from vault.services.case_board import MINE
from vault.web.api.schemas.base import AccountId, Body, Line, PageQuery, Resource
from vault.web.api.schemas.proposals import Why

if TYPE_CHECKING:
    from vault.domain.outlook import Item
    from vault.domain.policy import Policy
    from vault.services.case_board import BoardCase
    from vault.services.case_views import CaseWhole as Whole

S = TypeVar("S")
StepName = Annotated[str, StringConstraints(max_length=60)]


class CaseQuery(PageQuery):
    """Which cases. Open ones are in the board's order: yours first, then what has waited longest."""

    kind: CaseKind | None = None
    state: Annotated[str, StringConstraints(max_length=20)] | None = None
    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    account_id: AccountId | None = None
    open: Literal["true", "false", "any"] = "true"
    turn: Permission | Literal["mine"] | None = Field(
        default=None, description=f"`{MINE}`, or the permission of whoever is next; of open cases alone."
    )


class KindQuery(PageQuery, Generic[S]):
    """Which cases of one kind, whose states are `S`. Open ones are in the board's order."""

    customer_id: Line | None = Field(default=None, description="A customer's id or DDI.")
    account_id: AccountId | None = None
    state: S | None = None
    open: Literal["true", "false", "any"] = "true"


class CaseStepQuery(PageQuery):
    """Which steps of a case, in the plan's order, by account."""

    account_id: AccountId | None = None
    step: StepName | None = None
    waits: Literal["true", "mine"] | None = Field(
        default=None, description="`true`: what waits for somebody; `mine`: what waits for you."
    )


class CaseCancelling(Body):
    """Why a case ends before its work is done."""

    why: Why


class CaseCustomer(Resource):
    """Whose accounts."""

    id: str
    ddi: str
    name: str


class WaitResource(Resource):
    """What waits, for whom, since when."""

    step: StepName
    title: str
    rule: str
    account_id: AccountId | None
    standing: Standing
    who: Permission
    roles: list[Role] = Field(description="The roles that hold `who`.")
    since: dt.datetime


class CaseResource(Resource):
    """One case, and where it waits; computed at this moment, of what of it is within your sight."""

    id: str
    kind: CaseKind
    customer: CaseCustomer
    ticket: str
    cause: str = Field(description="What it grew out of for who opened it; empty where nothing is named.")
    state: str
    opened_by: str
    opened_at: dt.datetime
    changed_at: dt.datetime
    ended_at: dt.datetime | None
    accounts: int
    done: int = Field(description="Steps that are done or waived, of all accounts.")
    steps: int
    oldest: WaitResource | None = Field(description="What has waited longest, for anybody.")
    mine: WaitResource | None = Field(description="What has waited longest for you.")

    @classmethod
    def of(cls, row: BoardCase, policy: Policy) -> CaseResource:
        """Show one row of the board."""
        facts = case_facts(row.case, row.customer)
        return cls(
            **facts,
            accounts=row.accounts,
            done=row.done,
            steps=row.steps,
            oldest=wait_of(row.oldest, policy),
            mine=wait_of(row.mine, policy),
        )


class CaseCount(Resource):
    """How many cases of a kind are in a state."""

    kind: CaseKind
    state: str
    count: int


class CaseBoardResource(Resource):
    """A page of the board; `counts` are all cases within your sight, whatever the filter."""

    items: list[CaseResource]
    counts: list[CaseCount]
    next: str | None


class CaseAccountResource(Resource):
    """One account in its case."""

    account_id: AccountId
    name: str
    kind: Kind
    custody: Custody
    state: str = Field(json_schema_extra={"enum": [each.value for each in PlaceState]})
    day: dt.datetime | None = Field(description="When its work is planned.")
    done: int
    steps: int


class CaseWhole(CaseResource):
    """A case with its accounts, members before their payer."""

    unseen: int = Field(description="So many of its accounts are beyond your sight.")
    may_cancel: bool
    places: list[CaseAccountResource]

    @classmethod
    def whole(cls, found: Whole, policy: Policy) -> CaseWhole:
        """Show one."""
        facts = case_facts(found.scene.case, found.scene.customer)
        waits, mine = found.waits, found.mine
        return cls(
            **facts,
            accounts=len(found.scene.live),
            done=found.settled,
            steps=len(found.items),
            oldest=wait_of(waits[0] if waits else None, policy),
            mine=wait_of(mine[0] if mine else None, policy),
            unseen=found.unseen,
            may_cancel=found.may_end,
            places=list(_places(found)),
        )


def roles_of(needed: Permission | None, policy: Policy) -> list[Role]:
    """Name the roles that hold a permission."""
    return [] if needed is None else sorted(policy.permissions.get(needed, frozenset()))


def wait_of(item: Item | None, policy: Policy) -> WaitResource | None:
    """Show what waits."""
    if item is None or item.who is None:
        return None
    return WaitResource(
        step=item.step.name,
        title=item.step.title,
        rule=item.step.rule,
        account_id=item.account_id or None,
        standing=item.standing,
        who=item.who,
        roles=roles_of(item.who, policy),
        since=item.since,
    )


def case_facts(case: Any, customer: Any) -> Mapping[str, Any]:
    """Give what every form of a case has."""
    return {
        "id": case.id,
        "kind": case.kind,
        "customer": CaseCustomer(id=customer.id, ddi=customer.ddi, name=customer.name),
        "ticket": case.ticket,
        "cause": case.cause,
        "state": case.state,
        "opened_by": case.opened_by,
        "opened_at": case.opened_at,
        "changed_at": case.changed_at,
        "ended_at": case.ended_at,
    }


def _places(found: Whole) -> Iterator[CaseAccountResource]:
    settled: dict[str, int] = {}
    steps: dict[str, int] = {}
    for item in found.items:
        steps[item.account_id] = steps.get(item.account_id, 0) + 1
        if item.standing in {Standing.DONE, Standing.WAIVED}:
            settled[item.account_id] = settled.get(item.account_id, 0) + 1
    for place in found.scene.places:
        account = found.scene.accounts[place.account_id]
        yield CaseAccountResource(
            account_id=place.account_id,
            name=account.name,
            kind=account.kind,
            custody=account.custody,
            state=place.state,
            day=place.day,
            done=settled.get(place.account_id, 0),
            steps=steps.get(place.account_id, 0),
        )
