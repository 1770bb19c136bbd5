"""Findings, inspections and lists of Organizations on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from vault.domain.hygiene import ACCEPTED_MOST, DRIFT, ENDING_MAX, ENDING_MIN, FindingState, Rule
from vault.domain.inspection import Inspection, Known, Place, Reason, Unknown
from vault.ports.inspection import FindingFilter, RosterState
from vault.services.findings import FindingDetail, FindingView
from vault.services.inspecting import Seen
from vault.web.api.schemas.base import AccountId, Body, Items, Line, PageQuery, PersonName, Resource, Words


class FindingQuery(PageQuery):
    """Which findings: open ones first, the weightiest and oldest first."""

    state: FindingState | None = None
    rule: Rule | None = None
    account_id: AccountId | None = None
    customer_id: Line | None = None
    owner: Line | None = Field(default=None, description="A person's id, or `me`.")

    def wanted(self, me: str) -> FindingFilter:
        """Give what the service takes."""
        rules = None if self.rule is None else frozenset({self.rule})
        owner = me if self.owner == "me" else self.owner
        return FindingFilter(self.state, rules, self.account_id, self.customer_id, owner)


class DriftQuery(PageQuery):
    """Which differences between the vault's list of accounts and the Organizations'."""

    state: FindingState | None = None
    customer_id: Line | None = None

    def wanted(self) -> FindingFilter:
        """Give what the service takes."""
        return FindingFilter(self.state, DRIFT, None, self.customer_id)


class FindingTaking(Body):
    """Who takes it: you, or the person you hand it on to."""

    to: Line | None = Field(default=None, description="The id of who may handle it; absent: you.")


class FindingClosing(Body):
    """What was done about it."""

    sentence: Annotated[Words, StringConstraints(min_length=ENDING_MIN, max_length=ENDING_MAX)]


class FindingAccepting(FindingClosing):
    """Why it may stay, and for how many days."""

    days: Annotated[int, Field(ge=1, le=ACCEPTED_MOST.days)]


class FindingSummary(Resource):
    """One finding; `age_seconds` ends where it was closed or accepted."""

    id: str
    rule: Rule
    weight: int = Field(description="1 weighs most.")
    account_id: str
    subject: str = Field(
        description="What tells several of one rule apart: a default, a contact, an account."
    )
    summary: str
    state: FindingState
    first_at: datetime
    opened_at: datetime
    seen_at: datetime
    owner: PersonName | None
    owned_at: datetime | None
    ended_at: datetime | None
    ended_by: str | None
    ending: str | None
    accepted_until: datetime | None
    age_seconds: int

    @classmethod
    def of(cls, view: FindingView) -> FindingSummary:
        """Show one."""
        it = view.finding
        owner = None if it.owner_id is None else PersonName(id=it.owner_id, name=view.owner or it.owner_id)
        return cls(
            id=it.id,
            rule=it.rule,
            weight=it.weight,
            account_id=it.account_id,
            subject=it.subject,
            summary=it.summary,
            state=it.state,
            first_at=it.first_at,
            opened_at=it.opened_at,
            seen_at=it.seen_at,
            owner=owner,
            owned_at=it.owned_at,
            ended_at=it.ended_at,
            ended_by=it.ended_by,
            ending=it.ending,
            accepted_until=it.accepted_until,
            age_seconds=int(view.age.total_seconds()),
        )


class FindingResource(FindingSummary):
    """One finding, and whether the reader may take or end it."""

    may_take: bool
    may_end: bool
    may_accept: bool

    @classmethod
    def of_detail(cls, found: FindingDetail) -> FindingResource:
        """Show one."""
        return cls(
            **FindingSummary.of(found.view).__dict__,
            may_take=found.may_take,
            may_end=not found.not_mine,
            may_accept=found.may_accept,
        )


class RosterResource(Resource):
    """How the last reading of a payer's list went: how many accounts, or why it is not known."""

    payer_id: str
    at: datetime
    count: int | None
    unknown: Reason | None
    code: str

    @classmethod
    def of(cls, state: RosterState) -> RosterResource:
        """Show one."""
        return cls(
            payer_id=state.payer_id, at=state.at, count=state.count, unknown=state.reason, code=state.code
        )


class DriftResource(Items[FindingSummary]):
    """Differences, and how the reading of each list went."""

    rosters: list[RosterResource]


class UnknownResource(Resource):
    """A fact that is not known, which passes for nothing."""

    fact: str
    reason: Reason
    code: str

    @classmethod
    def of(cls, name: str, why: Unknown) -> UnknownResource:
        """Show one."""
        return cls(fact=name, reason=why.reason, code=why.code)


class PolicyResource(Resource):
    """IAM's password policy of an account; `there` is false where it has none."""

    there: bool
    length: int | None = None
    upper: bool | None = None
    lower: bool | None = None
    number: bool | None = None
    symbol: bool | None = None
    remembers: int | None = None


class InspectionResource(Resource):
    """What was seen of an account at a time, and last at `seen_at`; null is what is not known: see `unknown`."""

    id: str
    at: datetime
    seen_at: datetime
    root_keys: bool | None
    root_mfa: bool | None
    root_password: bool | None
    root_certificates: bool | None
    password_policy: PolicyResource | None
    place: Place | None
    organization: str | None
    payer_id: str | None
    contacts: list[str] | None
    password_last_used: datetime | None = Field(description="By the credential report of `report_at`.")
    report_at: datetime | None
    missing: list[str] = Field(description="Defaults that are not there; behind an @ stands the region.")
    request_ids: list[str]

    @classmethod
    def of(cls, it: Inspection) -> InspectionResource:
        """Show one."""
        member = it.membership.value if isinstance(it.membership, Known) else None
        report = it.report.value if isinstance(it.report, Known) else None
        return cls(
            id=it.id,
            at=it.at,
            seen_at=it.seen_at,
            root_keys=_known(it.root_keys),
            root_mfa=_known(it.root_mfa),
            root_password=_known(it.root_password),
            root_certificates=_known(it.root_certificates),
            password_policy=_policy(it),
            place=None if member is None else member.place,
            organization=None if member is None else member.organization,
            payer_id=None if member is None else member.payer_id,
            contacts=sorted(it.contacts.value) if isinstance(it.contacts, Known) else None,
            password_last_used=None if report is None else report.password_last_used,
            report_at=None if report is None else report.generated_at,
            missing=[name for name, fact in sorted(it.defaults.items()) if _known(fact) is False],
            request_ids=list(it.request_ids),
        )


class AccountInspectionResource(Resource):
    """What is known of an account: the last look, what of it is unknown, earlier ones, and when its turn comes."""

    account_id: str
    last: InspectionResource | None
    unknown: list[UnknownResource]
    earlier: list[InspectionResource]
    next_at: datetime | None
    asked: bool = Field(description="Whether a look that somebody asked for waits for the worker.")

    @classmethod
    def of(cls, seen: Seen) -> AccountInspectionResource:
        """Show it."""
        return cls(
            account_id=seen.account.id,
            last=None if seen.last is None else InspectionResource.of(seen.last),
            unknown=[UnknownResource.of(name, why) for name, why in seen.unknown],
            earlier=[InspectionResource.of(each) for each in seen.earlier],
            next_at=seen.next_at,
            asked=seen.asked,
        )


def _known(fact: Known[bool] | Unknown) -> bool | None:
    return fact.value if isinstance(fact, Known) else None


def _policy(it: Inspection) -> PolicyResource | None:
    if isinstance(it.policy, Unknown):
        return None
    found = it.policy.value
    if found is None:
        return PolicyResource(there=False)
    return PolicyResource(
        there=True,
        length=found.length,
        upper=found.upper,
        lower=found.lower,
        number=found.number,
        symbol=found.symbol,
        remembers=found.remembers,
    )
