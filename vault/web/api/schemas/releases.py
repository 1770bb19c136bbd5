"""The end of a handover on the wire: links to the customer's page, the acknowledgement, the evidence pack."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, StringConstraints

from vault.domain.release import NAME_MAX, LinkEnd, Way
from vault.web.api.schemas.base import Body, Lax, Line, Query, Resource, SecretText, Words

if TYPE_CHECKING:
    from vault.domain.release import CustomerLink
    from vault.services.acknowledging import End
    from vault.services.customer_links import MadeLink


class LinkWish(Body):
    """A link to the customer's page, mailed to the signatory."""

    otp: SecretText = Field(description="A fresh code of your own second factor.")


class LinkMade(Resource):
    """A link that was mailed, and its code, shown once: tell it by phone or in the ticket, never by mail."""

    id: str
    sent_to: str
    until: datetime
    code: SecretText

    @classmethod
    def of(cls, made: MadeLink) -> LinkMade:
        """Show a link that was made, with its code."""
        return cls(id=made.link.id, sent_to=made.link.sent_to, until=made.link.until, code=made.code)


class LinkResource(Resource):
    """A link to the customer's page; what it opens with is told nowhere."""

    id: str
    sent_to: str
    made_by: str
    made_at: datetime
    until: datetime
    mailed_at: datetime | None
    opened_at: datetime | None
    wrong_codes: int
    ended_at: datetime | None
    ending: Annotated[LinkEnd | None, Lax]

    @classmethod
    def of(cls, link: CustomerLink) -> LinkResource:
        """Show a link."""
        return cls(
            id=link.id,
            sent_to=link.sent_to,
            made_by=link.made_by,
            made_at=link.made_at,
            until=link.until,
            mailed_at=link.mailed_at,
            opened_at=link.opened_at,
            wrong_codes=link.wrong,
            ended_at=link.ended_at,
            ending=link.ending,
        )


class EndResource(Resource):
    """Where the end of a handover stands; `destroy_after` is when what we kept goes without an acknowledgement."""

    case_id: str
    state: str
    released_at: datetime | None
    destroy_after: datetime | None
    acknowledged_at: datetime | None
    way: Annotated[Way | None, Lax]
    signed: str
    instead: str = Field(description="Why somebody else than the signatory signed; empty where they did.")
    links: list[LinkResource]
    destroyed: list[str] = Field(
        description="Accounts whose credential is destroyed; each has a certificate."
    )

    @classmethod
    def of(cls, end: End) -> EndResource:
        """Show the end of a handover."""
        handed = end.handed
        return cls(
            case_id=end.scene.case.id,
            state=end.scene.case.state,
            released_at=None if handed is None else handed.released_at,
            destroy_after=None if handed is None else handed.destroy_after,
            acknowledged_at=None if handed is None else handed.acknowledged_at,
            way=None if handed is None else handed.way,
            signed="" if handed is None else handed.signed,
            instead=end.instead,
            links=[LinkResource.of(each) for each in end.links],
            destroyed=[each.account_id for each in end.destroyed],
        )


class Acknowledgement(Body):
    """The signatory's letter, entered by one of us."""

    signed: Annotated[Line, StringConstraints(min_length=1, max_length=NAME_MAX)] = Field(
        description="The name under it."
    )
    on: Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")] = Field(
        description="The day of the letter, such as 2027-01-31."
    )
    where: Annotated[Words, StringConstraints(min_length=1)] = Field(description="Where it is kept.")
    instead: Annotated[Words, StringConstraints(min_length=1)] | None = Field(
        default=None,
        description="Where another name than the signatory's is under it: why that counts. With `otp`; then another "
        "person agrees to the step `acknowledge`.",
    )
    otp: SecretText | None = Field(default=None, description="A fresh code of your own; with `instead`.")


class PackQuery(Query):
    """In which form."""

    format: Literal["json", "html", "zip", "apn"] = Field(
        default="json",
        description="`html`: one page that needs no server. `zip`: all, with receipts. `apn`: the text for the case.",
    )


class PackResource(Resource):
    """The evidence pack as data; `python -m audit pack` checks its `receipts` (docs/release.md)."""

    format: str
    at: datetime
    origin: str
    vkey: str
    case_id: str
    state: str
    ticket: str
    opened_at: datetime
    customer: str
    ddi: str
    signatory: str
    released_at: datetime | None
    destroy_after: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    acknowledged_way: str
    accounts: list[dict[str, Any]]
    steps: list[dict[str, Any]]
    receipts: list[dict[str, Any]]
    checkpoint: str
    records: list[dict[str, Any]] = Field(
        description="AWS's own records on which steps rest, with the hash that the step's entry tells."
    )
    apn_case: str
