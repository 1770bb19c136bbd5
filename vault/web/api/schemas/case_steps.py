"""Steps of a case on the wire: one as it stands, and what is said of it or done.

`StepSaid` is one word, whatever the kind of case; `StepItem` is what stands then, as whoever reads it sees it.
"""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from vault.domain.actor import Role
from vault.domain.case import Form
from vault.domain.outlook import Standing
from vault.domain.policy import Permission
from vault.services.case_evidence import LONG_MAX
from vault.services.case_views import Doing
from vault.web.api.schemas.base import AccountId, Body, Line, QueryTime, Resource, SecretText, Words
from vault.web.api.schemas.cases import StepName, roles_of
from vault.web.api.schemas.proposals import Why

if TYPE_CHECKING:
    from vault.domain.outlook import Item
    from vault.domain.policy import Policy
    from vault.services.case_kinds import Preview
    from vault.services.case_views import CaseWhole as Whole

Evidence = Annotated[
    dict[Line, Annotated[Words, StringConstraints(max_length=LONG_MAX)]], Field(max_length=40)
]
"""What is given for a step, by the names of its fields."""
ACTIONS = ("evidence", "run", "dry_run", "agree", "disagree", "waive")


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
