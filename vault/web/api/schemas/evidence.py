"""Evidence on the wire: what the log tells, each line with the entry that tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from vault.services.evidence import Evidence
from vault.services.evidence_told import Line, Section
from vault.services.leaves import Leaf
from vault.web.api.schemas.base import Query, Resource


class EvidenceQuery(Query):
    """In which form."""

    format: Literal["json", "tar"] = Field(
        default="json", description="`tar` holds each leaf and proof as well; taking it is an entry."
    )


class ActorResource(Resource):
    """Who, as the entry names them."""

    id: str
    name: str
    role: str
    ip: str
    mfa: str


class FactResource(Resource):
    """One thing that an entry says."""

    name: str
    value: str


class LineResource(Resource):
    """One entry, read."""

    index: int
    leaf_hash: str
    time: datetime
    type: str
    outcome: str
    actor: ActorResource
    facts: list[FactResource]

    @classmethod
    def of(cls, line: Line) -> LineResource:
        """Show one."""
        leaf = line.leaf
        return cls(
            index=leaf.index,
            leaf_hash=leaf.leaf_hash,
            time=leaf.at,
            type=leaf.type,
            outcome=leaf.outcome,
            actor=actor_of(leaf),
            facts=[FactResource(name=name, value=value) for name, value in line.facts],
        )


class SectionResource(Resource):
    """The entries that answer one question."""

    name: str
    title: str
    lines: list[LineResource] = Field(description="In the log's own order, by index.")

    @classmethod
    def of(cls, section: Section) -> SectionResource:
        """Show one."""
        return cls(
            name=section.name, title=section.title, lines=[LineResource.of(each) for each in section.lines]
        )


class CloudResource(Resource):
    """What AWS's own records say."""

    words: str
    records: list[str]


class EvidenceResource(Resource):
    """All that the log tells of one checkout, as of `checkpoint`."""

    checkout: str
    account: str
    made_at: datetime
    state: str
    sections: list[SectionResource]
    still_open: list[str] = Field(description="What is not settled yet, in sentences.")
    values: list[str] = Field(description="What became of each value that somebody came to know under it.")
    disagreements: list[str] = Field(description="Where the tables tell another story than the log.")
    cloud: CloudResource
    checkpoint: str

    @classmethod
    def of(cls, evidence: Evidence) -> EvidenceResource:
        """Show it."""
        return cls(
            checkout=evidence.checkout_id,
            account=evidence.account_id,
            made_at=evidence.made_at,
            state=evidence.state,
            sections=[SectionResource.of(each) for each in evidence.sections],
            still_open=list(evidence.still_open),
            values=list(evidence.values),
            disagreements=list(evidence.disagreements),
            cloud=CloudResource(words=evidence.cloud.words, records=list(evidence.cloud.lines)),
            checkpoint=evidence.checkpoint,
        )


def actor_of(leaf: Leaf) -> ActorResource:
    """Show who an entry names."""
    who = leaf.who
    return ActorResource(id=who.id, name=who.name, role=who.role, ip=who.ip, mfa=who.mfa)
