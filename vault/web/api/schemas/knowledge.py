"""Who could know what, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from vault.domain.credential import PartKind
from vault.services.knowledge import Known, KnownToPerson, Knows
from vault.services.knowledge_told import HOW, STANDING, Knower
from vault.web.api.schemas.base import PersonName, Query, QueryNumber, QueryTime, Resource

NOT_ALL: Final = "Not all entries were read: take an extract of the account's entries for the whole."


class KnownQuery(Query):
    """As of when, and of which version."""

    at: QueryTime | None = Field(default=None, description="As of this time; now where absent.")
    part: PartKind | None = Field(default=None, description="Goes with `version`.")
    version: Annotated[QueryNumber, Field(ge=1, le=2**31 - 1)] | None = None


class KnowerResource(Resource):
    """One way in which somebody could know a version."""

    how: str
    words: str
    person: PersonName | None = Field(description="Null for unknown others, from before our custody.")
    part: str
    version: int
    since: datetime | None
    entry: int = Field(description="The index of the entry that tells it.")
    leaf_hash: str
    checkout: str | None
    standing: str
    standing_words: str
    ended_by: int | None = Field(description="The entry that verified a later value.")
    ended_at: datetime | None

    @classmethod
    def of(cls, knower: Knower) -> KnowerResource:
        """Show one."""
        return cls(
            how=knower.how,
            words=HOW[knower.how],
            person=PersonName(id=knower.who_id, name=knower.who_name) if knower.who_id else None,
            part=knower.kind,
            version=knower.version,
            since=knower.since,
            entry=knower.leaf.index,
            leaf_hash=knower.leaf.leaf_hash,
            checkout=knower.leaf.checkout or None,
            standing=knower.standing,
            standing_words=STANDING[knower.standing],
            ended_by=None if knower.until is None else knower.until.index,
            ended_at=None if knower.until is None else knower.until.at,
        )


class KnownResource(Resource):
    """Everyone who could have known an account's credential, as told by the entries below `until`."""

    account: str
    at: datetime
    until: int
    knowers: list[KnowerResource]
    alone: list[str] = Field(description="Who knew password and device's key at once.")
    complete: bool = Field(
        description="False where unknown others could have known it, or not all entries were read."
    )
    unknown: list[str] = Field(description="Where the log cannot name who could have known it, in sentences.")
    checkpoint: str

    @classmethod
    def of(cls, known: Known) -> KnownResource:
        """Show it."""
        return cls(
            account=known.account_id,
            at=known.at,
            until=known.until,
            knowers=[KnowerResource.of(each) for each in known.knowers],
            alone=list(known.alone),
            complete=known.complete,
            unknown=[*known.unknown, *([] if known.read_all else [NOT_ALL])],
            checkpoint=known.checkpoint,
        )


class KnowsResource(KnowerResource):
    """One credential that a person may know now."""

    account: str

    @classmethod
    def of_item(cls, item: Knows) -> KnowsResource:
        """Show one."""
        return cls.model_validate({**KnowerResource.of(item.knower).__dict__, "account": item.account_id})


class KnownToPersonResource(Resource):
    """What one person may know now."""

    person: PersonName
    at: datetime
    items: list[KnowsResource]
    ended: int = Field(description="How many they knew that open nothing any more.")
    codes_received: int = Field(description="Each was good for its time step.")
    complete: bool

    @classmethod
    def of(cls, known: KnownToPerson) -> KnownToPersonResource:
        """Show it."""
        return cls(
            person=PersonName(id=known.person.id, name=known.person.name),
            at=known.at,
            items=[KnowsResource.of_item(each) for each in known.items],
            ended=known.ended,
            codes_received=known.codes,
            complete=known.complete,
        )
