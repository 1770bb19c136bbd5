"""Notices on the wire: an inbox, choices, dead letters."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from vault.domain.notice import Notice, Topic, Way
from vault.services.letters import line_of
from vault.services.notices import DeadLetter
from vault.web.api.schemas.base import Body, Lax, PageQuery, Resource


class NoticeQuery(PageQuery):
    """Which of one's notices, newest first."""

    state: Literal["unread"] | None = Field(default=None, description="Only those not read.")


class NoticeResource(Resource):
    """One notice of an inbox."""

    id: str
    event: str = Field(description="The type of the entry that it tells of.")
    topic: Topic
    urgent: bool
    title: str
    path: str = Field(description="The page to look at, on this server.")
    entry: int = Field(description="The entry's index in the log.")
    account_id: str | None
    count: int = Field(description="How many entries it stands for.")
    at: datetime
    read_at: datetime | None

    @classmethod
    def of(cls, notice: Notice) -> NoticeResource:
        """Show one."""
        return cls(
            id=notice.id,
            event=notice.event,
            topic=notice.topic,
            urgent=notice.urgent,
            title=line_of(notice),
            path=notice.path,
            entry=notice.entry,
            account_id=notice.account_id,
            count=notice.count,
            at=notice.at,
            read_at=notice.read_at,
        )


class CountResource(Resource):
    """How many."""

    count: int


_Way = Annotated[Way, Lax]


class ChoicesResource(Resource):
    """How one hears of each topic: by mail, in one letter a day, or in the inbox alone. An inbox has everything."""

    requests: Way
    people: Way
    own: Way
    log: Way
    work: Way
    emergency: Way = Field(description="Always mail.")
    by_mail: bool = Field(description="Whether this vault sends letters at all.")

    @classmethod
    def of(cls, chosen: dict[Topic, Way], *, by_mail: bool) -> ChoicesResource:
        """Show them."""
        told = {topic.value: way for topic, way in chosen.items()}
        return cls(**told, emergency=Way.MAIL, by_mail=by_mail)


class Choosing(Body):
    """How one wants to hear of some topics; what is left out stays."""

    requests: _Way | None = None
    people: _Way | None = None
    own: _Way | None = None
    log: _Way | None = None
    work: _Way | None = None

    def wanted(self) -> dict[Topic, Way]:
        """Give what the service takes."""
        named = {
            Topic.REQUESTS: self.requests,
            Topic.PEOPLE: self.people,
            Topic.OWN: self.own,
            Topic.LOG: self.log,
            Topic.WORK: self.work,
        }
        return {topic: way for topic, way in named.items() if way is not None}


class DeadLetterResource(Resource):
    """One notice that could not be delivered."""

    id: str
    event: str
    channel: str = Field(description="mail or webhook.")
    reader: str = Field(description="Whose it is: a person's name, or `team`.")
    title: str
    account_id: str | None
    tries: int
    error: str | None = Field(description="What the receiver said last; not to be trusted.")
    at: datetime
    dead_at: datetime | None

    @classmethod
    def of(cls, letter: DeadLetter) -> DeadLetterResource:
        """Show one."""
        it = letter.notice
        return cls(
            id=it.id,
            event=it.event,
            channel=it.channel,
            reader=letter.reader,
            title=line_of(it),
            account_id=it.account_id,
            tries=it.tries,
            error=it.error,
            at=it.at,
            dead_at=it.ended_at,
        )
