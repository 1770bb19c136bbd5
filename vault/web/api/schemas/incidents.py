"""Incidents and AWS's own records on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from vault.domain.cloudtrail import CloudKind
from vault.domain.incident import CLOSING_MAX, CLOSING_MIN, IncidentKind
from vault.ports.cloud import BrokenPart, IncidentFilter, LoggedCall, SeenEvent, SourceState
from vault.services.incidents import IncidentEvidence, IncidentView
from vault.services.sightings import CheckoutCloud, CloudStatus, Sighting
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Line,
    PageQuery,
    PersonName,
    Resource,
    Words,
)


class IncidentQuery(PageQuery):
    """Which incidents: open ones first, the weightiest and oldest first."""

    state: Literal["open", "closed"] | None = Field(
        default=None, description="Only open or only closed ones."
    )
    kind: IncidentKind | None = None
    account_id: AccountId | None = None
    owner: Line | None = Field(default=None, description="A person's id, or `me`.")

    def wanted(self, me: str) -> IncidentFilter:
        """Give what the service takes."""
        owner = me if self.owner == "me" else self.owner
        is_open = None if self.state is None else self.state == "open"
        return IncidentFilter(is_open, self.kind, self.account_id, owner)


class Taking(Body):
    """Who takes it: you, or the person you hand it on to."""

    to: Line | None = Field(default=None, description="The id of who may handle it; absent: you.")


class Closing(Body):
    """What explains it."""

    sentence: Annotated[Words, StringConstraints(min_length=CLOSING_MIN, max_length=CLOSING_MAX)]


class CloudEventResource(Resource):
    """A record of AWS: `record` is its JSON, `matched` what explains it."""

    event_id: str
    kind: CloudKind
    happened_at: datetime
    account_id: str | None
    recipient: str = Field(description="The account whose trail it is of.")
    region: str
    name: str
    who: str
    ip: str
    error: str | None
    mfa: bool | None
    request_id: str | None
    late: bool
    seen_at: datetime
    matched: str | None = Field(
        description="`entry:N`, `checkout:ID`, `session:EVENT`, `reveal:ID`, `incident:ID`, `noted` or `not_ours`."
    )
    record: str

    @classmethod
    def of(cls, seen: SeenEvent) -> CloudEventResource:
        """Show one."""
        of = seen.record
        return cls(
            event_id=of.event_id,
            kind=of.kind,
            happened_at=of.happened_at,
            account_id=of.account_id,
            recipient=of.recipient,
            region=of.region,
            name=of.name,
            who=of.who,
            ip=of.ip,
            error=of.error,
            mfa=of.mfa,
            request_id=of.request_id,
            late=of.late,
            seen_at=seen.seen_at,
            matched=seen.matched,
            record=of.record,
        )


class IncidentSummary(Resource):
    """One incident as the list shows it; `age_seconds` ends where it was closed."""

    id: str
    kind: IncidentKind
    severity: int = Field(description="1 weighs most.")
    state: str = Field(description="open, owned or closed.")
    account_id: str | None
    checkout_id: str | None
    summary: str
    happened_at: datetime
    opened_at: datetime
    owner: PersonName | None
    owned_at: datetime | None
    closed_at: datetime | None
    closed_by: str | None
    closing: str | None
    age_seconds: int

    @classmethod
    def of(cls, view: IncidentView) -> IncidentSummary:
        """Show one."""
        it = view.incident
        owner = None if it.owner_id is None else PersonName(id=it.owner_id, name=view.owner or it.owner_id)
        return cls(
            id=it.id,
            kind=it.kind,
            severity=it.severity,
            state=it.state,
            account_id=it.account_id,
            checkout_id=it.checkout_id,
            summary=it.summary,
            happened_at=it.happened_at,
            opened_at=it.opened_at,
            owner=owner,
            owned_at=it.owned_at,
            closed_at=it.closed_at,
            closed_by=it.closed_by,
            closing=it.closing,
            age_seconds=int(view.age.total_seconds()),
        )


class IncidentResource(IncidentSummary):
    """One incident with its evidence, and AWS's records that belong to it, 50 at most."""

    evidence: str
    records: list[CloudEventResource]
    record_count: int
    may_close: bool

    @classmethod
    def of_evidence(cls, found: IncidentEvidence) -> IncidentResource:
        """Show one."""
        return cls(
            **IncidentSummary.of(found.view).__dict__,
            evidence=found.view.incident.evidence,
            records=[CloudEventResource.of(each) for each in found.records],
            record_count=found.count,
            may_close=found.may_close,
        )


class SourceResource(Resource):
    """A source of AWS's records: how far it was read, and what keeps it from being read now."""

    name: str
    position: str
    read_at: datetime | None
    failing_since: datetime | None
    error: str | None

    @classmethod
    def of(cls, state: SourceState) -> SourceResource:
        """Show one."""
        return cls(
            name=state.name,
            position=state.position,
            read_at=state.read_at,
            failing_since=state.failing_since,
            error=state.error,
        )


class BrokenPartResource(Resource):
    """A file whose rest could not be read."""

    place: str
    fault: str
    read_at: datetime

    @classmethod
    def of(cls, part: BrokenPart) -> BrokenPartResource:
        """Show one."""
        return cls(place=part.place, fault=part.fault, read_at=part.read_at)


class CloudStatusResource(Resource):
    """How far AWS's records were read and compared with the log."""

    sources: list[SourceResource]
    newest: datetime | None = Field(description="The time of the newest record that was delivered.")
    lag_seconds: int | None = Field(description="How long ago that was.")
    indexed: int = Field(description="Entries whose calls of keys are known to the comparison.")
    size: int = Field(description="Entries of the log.")
    broken: list[BrokenPartResource]

    @classmethod
    def of(cls, status: CloudStatus, now: datetime) -> CloudStatusResource:
        """Show it."""
        return cls(
            sources=[SourceResource.of(each) for each in status.sources],
            newest=status.newest,
            lag_seconds=None if status.newest is None else int((now - status.newest).total_seconds()),
            indexed=status.indexed,
            size=status.size,
            broken=[BrokenPartResource.of(each) for each in status.broken],
        )


class SightingResource(CloudEventResource):
    """A record of AWS that belongs to a checkout; `after` says that the lease was over then."""

    after: bool

    @classmethod
    def of_sighting(cls, sighting: Sighting) -> SightingResource:
        """Show one."""
        return cls(**CloudEventResource.of(sighting.seen).__dict__, after=sighting.after)


class LoggedCallResource(Resource):
    """A call of a key service that an entry tells of; `event_id` is AWS's record of it, null while there is none."""

    entry: int
    request_id: str
    key: str
    operation: str
    purpose: str
    outcome: str
    event_id: str | None
    incident_id: str | None

    @classmethod
    def of(cls, call: LoggedCall) -> LoggedCallResource:
        """Show one."""
        return cls(
            entry=call.entry,
            request_id=call.request_id,
            key=call.key,
            operation=call.operation,
            purpose=call.purpose,
            outcome=call.outcome,
            event_id=call.event_id,
            incident_id=call.incident_id,
        )


class CheckoutCloudResource(Resource):
    """What AWS recorded of one checkout, and the calls that its entries tell of."""

    checkout_id: str
    records: list[SightingResource]
    calls: list[LoggedCallResource]

    @classmethod
    def of(cls, found: CheckoutCloud) -> CheckoutCloudResource:
        """Show it."""
        return cls(
            checkout_id=found.checkout.id,
            records=[SightingResource.of_sighting(each) for each in found.records],
            calls=[LoggedCallResource.of(each) for each in found.calls],
        )
