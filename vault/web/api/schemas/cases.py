"""Cases on the wire: a case with where it waits, its accounts, its steps, and words on them.

`CaseResource` is one row of the board, `CaseWhole` one case with its accounts; every route that opens or changes a case
of some kind answers with `CaseWhole`. Steps are listed apart, because a case may have five hundred accounts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, TypeVar

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from vault.domain.account import Custody, Kind
from vault.domain.actor import Role
from vault.domain.case import CaseKind, Form, PlaceState
from vault.domain.outlook import Standing
from vault.domain.policy import Permission
from vault.services.case_board import MINE
from vault.services.case_evidence import LONG_MAX
from vault.services.case_views import Doing
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Line,
    PageQuery,
    QueryTime,
    Resource,
    SecretText,
    Words,
)
from vault.web.api.schemas.proposals import Why

if TYPE_CHECKING:
    from vault.domain.outlook import Item
    from vault.domain.policy import Policy
    from vault.services.case_board import BoardCase
    from vault.services.case_kinds import Preview
    from vault.services.case_views import CaseWhole as Whole

S = TypeVar("S")
StepName = Annotated[str, StringConstraints(max_length=60)]
Evidence = Annotated[
    dict[Line, Annotated[Words, StringConstraints(max_length=LONG_MAX)]], Field(max_length=40)
]
"""What is given for a step, by the names of its fields."""
ACTIONS = ("evidence", "run", "dry_run", "agree", "disagree", "waive")


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


class Agreeing(Body):
    """The second word."""

    at: QueryTime = Field(
        description="The step's `at`, as it was shown to who agrees; another one is refused."
    )


class StepSaid(Body):
    """What is said of a step, or done: exactly one of the six. With `otp` where it takes a fresh factor."""

    evidence: Evidence | None = Field(default=None, description="It is done: what proves it.")
    run: Evidence | None = Field(
        default=None, description="Have the vault do it at AWS, with what that asks for."
    )
    dry_run: Literal[True] | None = Field(
        default=None, description="Show what `run` would do; nothing changes."
    )
    agree: Agreeing | None = Field(default=None, description="The second word, with `otp`.")
    disagree: Why | None = Field(
        default=None, description="Why not; or why you take your own first word back."
    )
    waive: Why | None = Field(
        default=None, description="Why it may be let go; another person agrees. With `otp`."
    )
    otp: SecretText | None = None

    @model_validator(mode="after")
    def _one(self) -> StepSaid:
        if sum(getattr(self, name) is not None for name in ACTIONS) != 1:
            raise PydanticCustomError("one", f"Give exactly one of {', '.join(ACTIONS)}.")
        return self


class StepWord(StepSaid):
    """The same of a step that is named in the path, of an account that is named here."""

    account_id: AccountId | None = Field(default=None, description="Null: the step is one of the whole case.")


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


class FieldResource(Resource):
    """One piece of evidence that a step asks for; `code`: handed on to AWS and never kept."""

    name: str
    label: str
    form: Form
    optional: bool
    choices: list[str]
    help: str

    @classmethod
    def of(cls, field: Any) -> FieldResource:
        """Show one."""
        return cls(
            name=field.name,
            label=field.label,
            form=field.form,
            optional=field.optional,
            choices=list(field.choices),
            help=field.help,
        )


class StepItem(Resource):
    """One step of a case, or of one of its accounts, as it stands."""

    step: StepName
    title: str
    rule: str
    section: str
    help: str
    account_id: AccountId | None
    standing: Standing
    who: Permission | None = Field(description="What whoever is next needs; null where nobody is.")
    roles: list[Role]
    since: dt.datetime
    missing: list[str] = Field(description="Titles of what comes first.")
    evidence: dict[str, str]
    words: str = Field(description="What AWS answered, or why a step is waived.")
    by: str | None
    at: dt.datetime | None
    second_by: str | None
    by_vault: bool
    waiving: bool = Field(description="While it is asked: that it be waived, not that it is done.")
    two_people: bool
    two_people_with: str = Field(
        description="It takes two people where this piece of evidence is given; empty: whenever `two_people` says so."
    )
    waivable: bool
    reversible: bool
    able: bool = Field(description="The vault can do it here, at AWS.")
    looked: bool = Field(
        description="A word that it is done is held against what AWS has; where AWS does not say, it takes two people."
    )
    fields: list[FieldResource] = Field(description="What `evidence` has to give.")
    run_fields: list[FieldResource] = Field(description="What `run` has to give.")
    you_may: list[Doing]

    @classmethod
    def of(cls, found: Whole, item: Item, policy: Policy) -> StepItem:
        """Show one, as the reader of `found` sees it."""
        step, done = item.step, item.done
        able = found.able(item)
        return cls(
            step=step.name,
            title=step.title,
            rule=step.rule,
            section=step.section,
            help=step.help,
            account_id=item.account_id or None,
            standing=item.standing,
            who=item.who,
            roles=roles_of(item.who, policy),
            since=item.since,
            missing=list(item.missing),
            evidence={} if done is None else dict(done.evidence),
            words="" if done is None else done.words,
            by=None if done is None else done.by,
            at=None if done is None else done.at,
            second_by=None if done is None else done.second_by,
            by_vault=done is not None and done.by_vault,
            waiving=done is not None and done.waiving,
            two_people=step.second is not None,
            two_people_with=step.second_with,
            waivable=step.waivable,
            reversible=step.reversible,
            able=able,
            looked=able and step.looked,
            fields=[] if step.known is not None else [FieldResource.of(each) for each in found.asks(step)],
            run_fields=[FieldResource.of(each) for each in found.run_asks(step)] if able else [],
            you_may=sorted(found.may(item)),
        )


class PreviewResource(Resource):
    """What a step would do now, and what stays."""

    goes: list[str]
    stays: list[str]
    words: str

    @classmethod
    def of(cls, preview: Preview) -> PreviewResource:
        """Show one."""
        return cls(goes=list(preview.goes), stays=list(preview.stays), words=preview.words)


class StepAnswer(Resource):
    """A step as it stands after what was said; `preview` for a dry run alone."""

    item: StepItem
    preview: PreviewResource | None


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
