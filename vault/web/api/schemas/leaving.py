"""Leavers, recoveries and sessions on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from vault.domain.leaver import LeaverStep, Way, next_step
from vault.ports.leavers import LeaverItem
from vault.services.knowledge_told import HOW, How
from vault.services.leavers import Progress
from vault.services.recovery import RecoveryLink
from vault.services.sessions import Seat
from vault.web.api.schemas.base import Body, Lax, PageQuery, PersonName, Resource, SecretText


class LeaverQuery(PageQuery):
    """Which of the values that a leaver knew."""

    state: Annotated[str, StringConstraints(pattern="^(open|any)$")] = Field(
        default="open", description="`any`: also what was replaced and proven since."
    )


class LeaverItemResource(Resource):
    """One value that a person knew when they were shut out, and what is to be done next."""

    account: str
    part: str
    version: int
    how: Annotated[Way, Lax]
    words: str
    known_since: datetime
    next_step: Annotated[LeaverStep, Lax] = Field(
        description="`rotate`; `settle` what was displayed; `verify` the later value; or `done`."
    )

    @classmethod
    def of(cls, item: LeaverItem) -> LeaverItemResource:
        """Show one."""
        return cls(
            account=item.knows.account_id,
            part=item.knows.kind,
            version=item.knows.version,
            how=item.knows.way,
            words=HOW[How(item.knows.way)],
            known_since=item.knows.known_since,
            next_step=next_step(item.label),
        )


class MachineName(Resource):
    """A machine's token that the leaver made, and whose text they saw."""

    id: str
    name: str
    scope: str
    expires_at: datetime


class LeaverResource(Resource):
    """What is left to do after somebody was shut out; counts and items are of accounts within reach."""

    person: PersonName
    state: str
    known: int = Field(description="How many values they knew.")
    done: int = Field(description="How many of them were replaced and proven since.")
    to_verify: int
    to_settle: int
    to_rotate: int
    items: list[LeaverItemResource]
    next: str | None
    machine_tokens: list[MachineName]

    @classmethod
    def of(cls, found: Progress) -> LeaverResource:
        """Show it."""
        return cls(
            person=PersonName(id=found.person.id, name=found.person.name),
            state=found.person.state,
            known=found.known,
            done=found.done,
            to_verify=found.steps[LeaverStep.VERIFY],
            to_settle=found.steps[LeaverStep.SETTLE],
            to_rotate=found.steps[LeaverStep.ROTATE],
            items=[LeaverItemResource.of(each) for each in found.items.items],
            next=found.items.next,
            machine_tokens=[
                MachineName(id=each.id, name=each.name, scope=str(each.scope), expires_at=each.expires_at)
                for each in found.machines
            ],
        )


class TakeLink(Body):
    """A fresh second factor, of one of the two who agreed."""

    otp: SecretText


class RecoveryLinkResource(Resource):
    """A recovery's link, which is not given again; it works once."""

    person: PersonName
    enrolment_token: SecretText
    enrolment_until: datetime

    @classmethod
    def of(cls, given: RecoveryLink) -> RecoveryLinkResource:
        """Show one."""
        return cls.model_validate(
            {
                "person": PersonName(id=given.person.id, name=given.person.name),
                "enrolment_token": given.link,
                "enrolment_until": given.until,
            }
        )


class SessionResource(Resource):
    """A browser in which somebody is signed in."""

    id: str
    since: datetime
    last_seen: datetime
    address: str
    browser: str
    factor: str
    idle_until: datetime
    until: datetime
    this: bool = Field(description="Whether this request came by it.")

    @classmethod
    def of(cls, seat: Seat) -> SessionResource:
        """Show one."""
        return cls(
            id=seat.session.id,
            since=seat.session.created_at,
            last_seen=seat.session.seen_at,
            address=seat.session.ip,
            browser=seat.session.agent,
            factor=seat.session.mfa,
            idle_until=seat.idle_until,
            until=seat.until,
            this=seat.is_this,
        )


class SessionList(Resource):
    """Every session of a person that counts, newest first."""

    items: list[SessionResource]


class EndedSessions(Resource):
    """How many sessions were ended."""

    ended: int
