"""One word on a step of many accounts on the wire, and what first words rest on, side by side.

A list names at most a hundred accounts. Each is answered by itself: what was refused of one stops no other.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from vault.domain.outlook import Standing
from vault.services.case_words import MOST, Outcome
from vault.web.api.schemas.base import AccountId, Body, Query, QueryTime, Resource, SecretText
from vault.web.api.schemas.case_steps import Evidence
from vault.web.api.schemas.cases import StepName
from vault.web.api.schemas.proposals import Why

if TYPE_CHECKING:
    from vault.services.case_compare import Compared, Line
    from vault.services.case_words import Answer

_NUMBERS: Final = re.compile(r"^[0-9]{12}(,[0-9]{12})*$", re.ASCII)
WORDS: Final = ("evidence", "agree", "disagree", "waive")


class StepWordsQuery(Query):
    """Of which accounts; without any, of the first hundred."""

    accounts: Annotated[str, StringConstraints(pattern=_NUMBERS.pattern, max_length=13 * MOST)] | None = (
        Field(default=None, description="A hundred numbers at most, with commas between them.")
    )

    @property
    def numbers(self) -> tuple[str, ...]:
        """The accounts; empty: all."""
        return () if self.accounts is None else tuple(self.accounts.split(","))


class SaidOf(Body):
    """One account that a word is on."""

    account_id: AccountId
    at: QueryTime | None = Field(
        default=None,
        description="With `agree`, and only there: the step's `at`, as it was shown to who agrees.",
    )

    def __str__(self) -> str:
        """Write it as the person reads it who confirms the request with a passkey: a hundred of them are shown."""
        return self.account_id if self.at is None else f"{self.account_id} ({self.at:%Y-%m-%d %H:%M:%S}Z)"


class StepWords(Body):
    """One word on a step of many accounts: exactly one of the four, and `otp` once for all where it takes a factor."""

    accounts: Annotated[list[SaidOf], Field(min_length=1, max_length=MOST)]
    evidence: Evidence | None = Field(default=None, description="It is done of each: what proves it.")
    agree: Literal[True] | None = Field(default=None, description="The second word on each, with `otp`.")
    disagree: Why | None = Field(
        default=None, description="Why not; or why you take your own first words back."
    )
    waive: Why | None = Field(
        default=None, description="Why it may be let go of each; another person agrees. With `otp`."
    )
    otp: SecretText | None = None

    @model_validator(mode="after")
    def _one(self) -> StepWords:
        if sum(getattr(self, name) is not None for name in WORDS) != 1:
            raise PydanticCustomError("one", f"Give exactly one of {', '.join(WORDS)}.")
        if any((each.at is None) == (self.agree is not None) for each in self.accounts):
            raise PydanticCustomError(
                "at", "With agree each account has its at, as it was shown; else none has."
            )
        if len(set(self.numbers)) != len(self.accounts):
            raise PydanticCustomError("twice", "An account is named twice.")
        return self

    @property
    def numbers(self) -> tuple[str, ...]:
        """The accounts, as they were sent."""
        return tuple(each.account_id for each in self.accounts)


class WordAnswer(Resource):
    """What became of the word on one account; `left`: it was not tried."""

    account_id: AccountId
    outcome: Outcome
    standing: Standing | None
    at: dt.datetime | None = Field(description="When what is known of the step now was said.")
    code: str | None = Field(description="Why it was refused; null where it was not.")
    detail: str | None

    @classmethod
    def of(cls, answer: Answer) -> WordAnswer:
        """Show one."""
        item = answer.item
        return cls(
            account_id=answer.account_id,
            outcome=answer.outcome,
            standing=None if item is None else item.standing,
            at=None if item is None or item.done is None else item.done.at,
            code=answer.code or None,
            detail=answer.detail or None,
        )


class StepWordsAnswer(Resource):
    """What became of the word, by account in the order in which they were sent."""

    step: StepName
    items: list[WordAnswer]
    said: int = Field(description="Of how many it is said now, `same` among them.")
    refused: int
    left: int = Field(description="How many were not tried; say it of them again, with another factor.")

    @classmethod
    def of(cls, step: str, answers: tuple[Answer, ...]) -> StepWordsAnswer:
        """Show all."""
        found = [each.outcome for each in answers]
        return cls(
            step=step,
            items=[WordAnswer.of(each) for each in answers],
            said=found.count(Outcome.SAID) + found.count(Outcome.SAME),
            refused=found.count(Outcome.REFUSED),
            left=found.count(Outcome.LEFT),
        )


class FactResource(Resource):
    """One thing that first words rest on; `label` is empty for by whom it was said or done."""

    title: str
    label: str


class SameFact(FactResource):
    """One that is the same of all."""

    value: str


class ComparedAccount(Resource):
    """One account that waits for your second word."""

    account_id: AccountId
    name: str
    at: dt.datetime = Field(description="When its first word was said; `agree` gives it back.")
    values: list[str] = Field(description="Of each of `facts`.")
    unlike: list[bool] = Field(
        description="Of each of `facts`, whether most of the others have another value."
    )

    @classmethod
    def of(cls, line: Line) -> ComparedAccount:
        """Show one."""
        return cls(
            account_id=line.account.id,
            name=line.account.name,
            at=line.at,
            values=list(line.values),
            unlike=list(line.unlike),
        )


class StepWordsWaiting(Resource):
    """What waits for your second word on a step, side by side; accounts that differ from most come first."""

    waiting: int = Field(description="How many there are; a hundred at most are shown.")
    same: list[SameFact]
    facts: list[FactResource]
    items: list[ComparedAccount]

    @classmethod
    def of(cls, waiting: int, compared: Compared) -> StepWordsWaiting:
        """Show them."""
        return cls(
            waiting=waiting,
            same=[SameFact(title=fact.title, label=fact.label, value=value) for fact, value in compared.same],
            facts=[FactResource(title=fact.title, label=fact.label) for fact in compared.facts],
            items=[ComparedAccount.of(line) for line in compared.lines],
        )
