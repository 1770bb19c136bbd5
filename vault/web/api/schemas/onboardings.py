"""Onboardings on the wire: what is opened, the customer's text, root addresses of all times, limits of new accounts."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated

from pydantic import Field, StringConstraints

from vault.domain.account import Kind, Model
from vault.domain.account_limit import MOST, NEW_ACCOUNTS
from vault.domain.case import CaseState
from vault.domain.root_email import EmailUse
from vault.services.case_evidence import LONG_MAX
from vault.services.case_opening import CAUSE_MAX, MOST_ACCOUNTS
from vault.services.onboarding_desk import Joining, Welcome
from vault.web.api.schemas.base import AccountId, Body, Lax, Line, PageQuery, PersonName, Resource, Words
from vault.web.api.schemas.cases import KindQuery

if TYPE_CHECKING:
    from vault.domain.root_email import RootAddress
    from vault.services.account_limits import LimitView


class OnboardingQuery(KindQuery[Annotated[CaseState, Lax]]):
    """Which onboardings. Open ones are in the board's order: yours first, then what has waited longest."""


class JoiningAccount(Body):
    """One account. What is not registered yet is registered with the case, and then takes all but `address`."""

    account_id: AccountId
    name: Line = ""
    model: Annotated[Model, Lax] | None = None
    kind: Annotated[Kind, Lax] | None = None
    root_email: Line = Field(default="", description="The root e-mail that it has now.")
    is_new: bool = Field(
        default=False, description="It was made at AWS for the customer, and not transferred (A4)."
    )
    address: Line = Field(
        default="", description="The root e-mail that it will have; empty: made by the settings' pattern."
    )

    def joining(self) -> Joining:
        """Give what the service takes."""
        return Joining(
            self.account_id, self.name, self.model, self.kind, self.root_email, self.is_new, self.address
        )


class OnboardingInformation(Body):
    """What has to be known (A1)."""

    company: Line = Field(description="Its legal name.")
    company_address: Annotated[Words, StringConstraints(max_length=LONG_MAX)]
    signatory: Line
    signatory_email: Line
    path: Line = Field(description="The way in: `standalone`, `payer` or `new`.")


class NewOnboarding(Body):
    """Whose accounts are taken over."""

    customer_id: Line = Field(description="The customer's id, or its DDI.")
    ticket: Line = Field(description="The ticket that holds all communication.")
    accounts: Annotated[list[JoiningAccount], Field(min_length=1, max_length=MOST_ACCOUNTS)]
    information: OnboardingInformation | None = Field(default=None, description="Null: it is said later.")
    cause: Annotated[Line, StringConstraints(max_length=CAUSE_MAX)] = Field(
        default="", description="A name of your own: the same one again is the same case."
    )

    def pointer(self, pointer: str) -> str:
        """Give where in this body an account stands that is pointed at by its number."""
        parts = pointer.split("/")
        numbers = [each.account_id for each in self.accounts]
        if len(parts) != 3 or parts[1] != "accounts" or parts[2] not in numbers:  # noqa: PLR2004 - "", accounts, number
            return pointer
        return f"/accounts/{numbers.index(parts[2])}/account_id"

    def welcome(self, customer_id: str) -> Welcome:
        """Give what the service takes."""
        information = {} if self.information is None else self.information.model_dump()
        joining = tuple(each.joining() for each in self.accounts)
        return Welcome(customer_id, joining, self.ticket, self.cause, information)


class InstructionsResource(Resource):
    """What the customer is told, made of the case as it stands now."""

    case_id: str
    ticket: str
    text: str


class RootEmailQuery(PageQuery):
    """Which addresses."""

    q: Line | None = Field(default=None, description="Text in the address, or in the account's number.")
    account_id: AccountId | None = None
    use: EmailUse | None = None


class RootEmailResource(Resource):
    """One stretch of time in which an address was an account's, as the log tells it."""

    address: str
    account_id: AccountId
    use: EmailUse = Field(
        description="`reserved`: kept for it; `borne`: its root e-mail; `earlier`: borne before times were kept."
    )
    lasts: bool
    since: dt.datetime | None
    until: dt.datetime | None
    said_by: PersonName | None = Field(description="Who said so; null where only the log tells.")

    @classmethod
    def of(cls, found: RootAddress) -> RootEmailResource:
        """Show one."""
        said_by = PersonName(id=found.said_by, name=found.said_name) if found.said_by else None
        return cls(
            address=found.address,
            account_id=found.account_id,
            use=found.use,
            lasts=found.lasts,
            since=found.since,
            until=found.until,
            said_by=said_by,
        )


class LimitIncrease(Body):
    """How many new accounts a customer may have, since AWS raised its limit."""

    most: Annotated[int, Field(ge=NEW_ACCOUNTS, le=MOST)]
    ticket: Line = Field(description="The ticket on which AWS raised it.")


class AccountLimitResource(Resource):
    """How many new AWS accounts a customer has and may have (A4); transferred ones do not count."""

    customer_id: str
    new: int = Field(description="Those that were made for it and are with us.")
    most: int
    ticket: str | None = Field(description="Where a limit increase was recorded; null for the default.")
    set_by: PersonName | None
    set_at: dt.datetime | None

    @classmethod
    def of(cls, view: LimitView) -> AccountLimitResource:
        """Show it."""
        told = view.recorded
        return cls(
            customer_id=view.customer_id,
            new=view.new,
            most=view.most,
            ticket=None if told is None else told.ticket,
            set_by=None if told is None else PersonName(id=told.set_by, name=told.set_name),
            set_at=None if told is None else told.set_at,
        )
