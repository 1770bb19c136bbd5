"""Handovers on the wire: what is asked for, what is known, its gates, the days it could have."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from vault.domain.case import HandoverState
from vault.domain.plans.handover import (
    CONTACT,
    CONTRACT,
    NEW_EMAIL,
    ORGANIZATION,
    PAYER,
    SIGNATORY,
    SUCCESSORS,
    UNDER,
)
from vault.domain.policy import Permission
from vault.services.case_opening import CAUSE_MAX, MOST_ACCOUNTS
from vault.services.handing_over import Handing, HandoverWish, Information
from vault.services.handover_gates import GateState
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Lax,
    Line,
    QueryTime,
    Resource,
    SecretText,
)
from vault.web.api.schemas.cases import CaseWhole, KindQuery, StepName
from vault.web.api.schemas.proposals import Why

if TYPE_CHECKING:
    from vault.domain.policy import Policy
    from vault.services.case_views import CaseWhole as Whole
    from vault.services.handing_over import FreeDay
    from vault.services.handover_gates import GateSeen

Day = Annotated[str, StringConstraints(pattern=r"^\d{4}-\d\d-\d\d$")]


class HandoverQuery(KindQuery[Annotated[HandoverState, Lax]]):
    """Which handovers."""


class SignatoryBody(Body):
    """Who may sign for the customer (H1)."""

    name: Line
    email: Line
    channel: Line | None = Field(
        default=None,
        description="Another way to reach them, such as a phone number: for the code to their page.",
    )


class ContactBody(Body):
    """The customer's contact information, as AWS keeps it of each account (H7)."""

    full_name: Line
    address: Line
    city: Line
    postal_code: Line
    country: Line = Field(description="Two letters (ISO 3166).")
    phone: Line = Field(description="With its country, such as +1 555 0100.")
    company: Line | None = None
    more_address: Line | None = None
    state: Line | None = None


class HandingBody(Body):
    """One account, and what is known of its future (H1, C5)."""

    account_id: AccountId
    root_email: Line | None = Field(
        default=None, description="The customer's address for its root: never used before (L3)."
    )
    mailbox: Line | None = Field(default=None, description="Who reads that mailbox; with `phone`.")
    phone: Line | None = Field(default=None, description="Who answers the account's new phone number.")
    payer: AccountId | None = Field(
        default=None, description="A member's payer; asked for where the handover has several."
    )


class HandoverTelling(Body):
    """What is known of a handover; the rest is said later."""

    signatory: SignatoryBody | None = None
    contract_end: Day | None = Field(default=None, description="The contract's last day.")
    organization: Literal["leave", "keep"] | None = Field(
        default=None,
        description="`leave`: members leave it (so it is where nobody says); `keep`: it goes over whole.",
    )
    contact: ContactBody | None = None
    accounts: list[HandingBody] = Field(default=[], max_length=MOST_ACCOUNTS)

    def known(self) -> Information:
        """Give what the service takes."""
        accounts = tuple(
            Handing(
                each.account_id,
                each.root_email or "",
                each.mailbox or "",
                each.phone or "",
                each.payer or "",
            )
            for each in self.accounts
        )
        return Information(
            accounts,
            _said(self.signatory),
            self.contract_end or "",
            self.organization or "",
            _said(self.contact),
        )

    def pointer(self, pointer: str) -> str:
        """Give where in this body something stands that a step calls by another name."""
        parts = pointer.split("/")[1:]
        if len(parts) == 2 and parts[0] == "accounts":  # noqa: PLR2004 - accounts, number
            parts += ["", "account_id"]
        if len(parts) == 3 and parts[0] == "accounts":  # noqa: PLR2004 - accounts, number, step
            parts.append("")
        if len(parts) == 4 and parts[0] == "accounts":  # noqa: PLR2004 - and a field
            numbers = [each.account_id for each in self.accounts]
            place = numbers.index(parts[1]) if parts[1] in numbers else 0
            return f"/accounts/{place}/{'root_email' if parts[2] == NEW_EMAIL else parts[3]}"
        return {f"/{CONTRACT}/end": "/contract_end", f"/{ORGANIZATION}/goes": "/organization"}.get(
            pointer, pointer
        )


class NewHandover(HandoverTelling):
    """What a handover is opened with."""

    customer_id: Line = Field(description="A customer's id or DDI.")
    ticket: Line = Field(description="The one ticket that holds all communication (H1).")
    order: Annotated[Line, StringConstraints(max_length=CAUSE_MAX)] = Field(
        default="", description="What it grew out of for you; the same order again is the same handover."
    )
    accounts: list[HandingBody] = Field(min_length=1, max_length=MOST_ACCOUNTS)

    def wish(self, customer_id: str) -> HandoverWish:
        """Give what the service takes."""
        return HandoverWish(customer_id, self.ticket, self.known(), self.order)


class Scheduling(Body):
    """A day for an account; against H2 with a sentence, and then another person has to agree."""

    at: Annotated[Line, StringConstraints(max_length=40)] = Field(
        description="A moment (RFC 3339), or a time by the clocks of the calendar: 2027-03-16T09:00."
    )
    why: Why | None = None
    otp: SecretText | None = None


class Releasing(Body):
    """One of the two words of a release; a `note` is the first one's, `at` the second one's."""

    otp: SecretText
    at: QueryTime | None = Field(
        default=None,
        description="For the second word: the step's `at`, as it was shown to who agrees; another one is refused.",
    )
    note: Line | None = None


class SignatoryResource(Resource):
    """Who may sign for the customer."""

    name: str
    email: str
    channel: str | None


class HandingResource(Resource):
    """What is known of one account's future."""

    account_id: AccountId
    root_email: str | None = Field(description="The customer's address for its root.")
    mailbox: str | None
    phone: str | None
    payer: str | None = Field(description="A member's payer, where the handover has several.")


class HandoverResource(CaseWhole):
    """A handover with its accounts, and what is known of it."""

    signatory: SignatoryResource | None
    contract_end: dt.date | None
    organization: Literal["leave", "keep"] | None
    contact: dict[str, str] | None
    known: list[HandingResource]

    @classmethod
    def shown(cls, found: Whole, policy: Policy) -> HandoverResource:
        """Show one."""
        scene = found.scene

        def given(step: str, name: str, number: str = "") -> str | None:
            return scene.given(number, step, name) or None

        name, email = given(SIGNATORY, "name"), given(SIGNATORY, "email")
        signatory = None
        if name is not None and email is not None:
            signatory = SignatoryResource(name=name, email=email, channel=given(SIGNATORY, "channel"))
        contact = scene.of("", CONTACT)
        facts: dict[str, Any] = dict(CaseWhole.whole(found, policy))
        facts |= {"contract_end": given(CONTRACT, "end"), "organization": given(ORGANIZATION, "goes")}
        return cls(
            **facts,
            signatory=signatory,
            contact=None if contact is None else dict(contact.evidence),
            known=[
                HandingResource(
                    account_id=number,
                    root_email=given(NEW_EMAIL, "email", number),
                    mailbox=given(SUCCESSORS, "mailbox", number),
                    phone=given(SUCCESSORS, "phone", number),
                    payer=given(UNDER, PAYER, number),
                )
                for number in scene.live
            ],
        )


class GateResource(Resource):
    """One gate; `missing` says what it takes, empty where nothing."""

    rule: str
    step: StepName
    title: str
    account_id: AccountId | None = Field(description="Null: of the whole handover.")
    state: GateState
    missing: str
    who: Permission | None
    since: dt.datetime | None

    @classmethod
    def of(cls, gate: GateSeen) -> GateResource:
        """Show one."""
        return cls(
            rule=gate.rule,
            step=gate.step,
            title=gate.title,
            account_id=gate.account_id or None,
            state=gate.state,
            missing=gate.words,
            who=gate.who,
            since=gate.since,
        )


class GatesResource(Resource):
    """All gates of a handover."""

    met: bool = Field(description="Nothing is missing for any of its accounts at this moment.")
    items: list[GateResource]

    @classmethod
    def of(cls, gates: tuple[GateSeen, ...]) -> GatesResource:
        """Show them."""
        passed = {GateState.MET, GateState.WAIVED, GateState.NOT_NEEDED}
        return cls(
            met=all(each.state in passed for each in gates), items=[GateResource.of(each) for each in gates]
        )


class FreeDayResource(Resource):
    """The free day nearest to the contract's end for an account that has none."""

    account_id: AccountId
    at: dt.datetime | None = Field(description="When its business begins; null where no day is known.")


class FreeDaysResource(Resource):
    """Days that accounts could have, members first; nothing is booked by it."""

    items: list[FreeDayResource]

    @classmethod
    def of(cls, days: tuple[FreeDay, ...]) -> FreeDaysResource:
        """Show them."""
        return cls(items=[FreeDayResource(account_id=each.account_id, at=each.at) for each in days])


def _said(body: Body | None) -> dict[str, str]:
    return {} if body is None else {name: value for name, value in dict(body).items() if value}
