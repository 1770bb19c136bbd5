"""The calendar of cases on the wire: what is booked, and what forbids a day to whom."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from pydantic import Field

from vault.domain.account import Kind
from vault.domain.case import CaseKind
from vault.services.case_calendar import LONGEST
from vault.web.api.schemas.base import AccountId, Query, Resource

if TYPE_CHECKING:
    from vault.domain.days_of_business import Objection
    from vault.ports.cases import Booked
    from vault.services.case_calendar import CaseDay, CaseDays


class CaseCalendarQuery(Query):
    """Which days; without any, this month."""

    since: dt.date | None = Field(default=None, alias="from", description="The first day.")
    until: dt.date | None = Field(default=None, description=f"The last day; {LONGEST} days at most.")


class ObjectionResource(Resource):
    """What speaks against a day."""

    why: str
    words: str
    rule: str
    waivable: bool = Field(description="Two people may put it aside on record.")

    @classmethod
    def of(cls, objection: Objection | None) -> ObjectionResource | None:
        """Show one; none for nothing."""
        if objection is None:
            return None
        return cls(why=objection.why, words=objection.words, rule=objection.rule, waivable=objection.waivable)


class BookedResource(Resource):
    """One account whose work is planned for a day."""

    case_id: str
    kind: CaseKind
    customer_id: str
    account_id: AccountId
    account_name: str
    account_kind: Kind
    day: dt.datetime

    @classmethod
    def of(cls, booked: Booked) -> BookedResource:
        """Show one."""
        return cls(**booked._asdict())


class CaseDayResource(Resource):
    """One day; `member` and `payer` say what forbids it to an account of that kind, null where it is free."""

    day: dt.date
    booked: int = Field(description="How many accounts, whoever sees them.")
    capacity: int
    accounts: list[BookedResource] = Field(description="Those within your sight.")
    closed: ObjectionResource | None = Field(description="Why it is no business day.")
    holiday: str | None
    member: ObjectionResource | None = Field(description="Against a member, or an account that stands alone.")
    payer: ObjectionResource | None

    @classmethod
    def of(cls, day: CaseDay) -> CaseDayResource:
        """Show one."""
        return cls(
            day=day.day,
            booked=day.booked,
            capacity=day.capacity,
            accounts=[BookedResource.of(each) for each in day.seen],
            closed=ObjectionResource.of(day.closed),
            holiday=day.holiday or None,
            member=ObjectionResource.of(day.member),
            payer=ObjectionResource.of(day.payer),
        )


class CaseCalendarResource(Resource):
    """Days, in the calendar's own zone."""

    zone: str
    hours: str
    days: list[CaseDayResource]

    @classmethod
    def of(cls, found: CaseDays) -> CaseCalendarResource:
        """Show them."""
        return cls(zone=found.zone, hours=found.hours, days=[CaseDayResource.of(each) for each in found.days])
