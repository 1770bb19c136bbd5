"""Mail to root addresses, on the wire: what is known of it, and what was opened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self

from pydantic import ConfigDict, Field
from typing_extensions import override

from vault.domain.credential import PartKind
from vault.domain.mail import Emptied, MailKind, MailWay, NoteState, Verdict
from vault.domain.mail_rules import title_of
from vault.ports.mail import Opening
from vault.ports.store import RevealState
from vault.services.mail_opening import MailView, OpenedMail
from vault.web.api.schemas.base import (
    AccountId,
    Body,
    Lax,
    PageQuery,
    ReceiptResource,
    Resource,
    SecretText,
    SecretWords,
)
from vault.web.api.schemas.proposals import Why


class MailQuery(PageQuery):
    """Which mail of every account in sight."""

    kind: MailKind | None = Field(
        default=None,
        description="`security`, `ordinary`, or `unmatched`: that to addresses of no account, for custodians.",
    )


class Assignment(Body):
    """Whose a mail to no account is, and how that is known."""

    account_id: AccountId
    why: Why = Field(description="How it is known whose it is; it stands in the log.")
    otp: SecretText = Field(description="A fresh second factor.")


class OpeningResource(Resource):
    """One opening of a mail: by whom, under which checkout, and how it ended."""

    person_id: str
    checkout_id: str
    state: Annotated[RevealState, Lax]
    at: datetime

    @classmethod
    def of(cls, opening: Opening) -> OpeningResource:
        """Show one."""
        return cls(
            person_id=opening.person_id,
            checkout_id=opening.checkout_id,
            state=opening.state,
            at=opening.authorized_at,
        )


class MailSummary(Resource):
    """A mail without its content. Of security mail nothing is told that it says.

    `title` is what this kind of mail is called; `subject` is ordinary mail's alone. `from` is what stands in From,
    `verdict` what our mail server says of it, `forged` that it claims to be AWS's and is not. `state` is `sealed`,
    `emptied` or `passed_on`. `half` says whose it is under split custody. `assigned_at` and `assigned_by` are there
    where a custodian gave it to its account.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    account_id: str | None
    recipient: str
    kind: Annotated[MailKind, Lax]
    title: str
    rule: str
    half: Annotated[PartKind, Lax]
    sender: str = Field(serialization_alias="from")
    verdict: Annotated[Verdict, Lax]
    forged: bool
    way: Annotated[MailWay, Lax]
    size: int
    received_at: datetime
    state: str
    emptied_why: Annotated[Emptied | None, Lax]
    assigned_at: datetime | None
    assigned_by: str | None
    subject: str | None
    ticket: str | None
    ticket_state: Annotated[NoteState | None, Lax]

    @classmethod
    def of(cls, view: MailView) -> Self:
        """Show one; what is told of openings is left to who asks for one mail."""
        mail, note = view.mail, view.note
        shows_subject = mail.kind is MailKind.ORDINARY and note is not None
        return cls(
            id=mail.id,
            account_id=mail.account_id,
            recipient=mail.recipient,
            kind=mail.kind,
            title=title_of(mail.rule),
            rule=mail.rule,
            half=mail.half,
            sender=mail.sender,
            verdict=mail.verdict,
            forged=mail.forged,
            way=mail.way,
            size=mail.size,
            received_at=mail.received_at,
            state=mail.state,
            emptied_why=mail.emptied_why,
            assigned_at=mail.assigned_at,
            assigned_by=mail.assigned_by,
            subject=note.subject if shows_subject and note is not None else None,
            ticket=(note.ticket or None) if note is not None else None,
            ticket_state=None if note is None else note.state,
            **cls._more(view),
        )

    @classmethod
    def _more(cls, view: MailView) -> dict[str, Any]:
        """Give what a fuller resource adds."""
        del view
        return {}


class MailResource(MailSummary):
    """A mail without its content, with who opened it."""

    openings: list[OpeningResource]

    @classmethod
    @override
    def _more(cls, view: MailView) -> dict[str, Any]:
        return {"openings": [OpeningResource.of(each) for each in view.openings]}


class AttachmentResource(Resource):
    """A part that is never opened: what it calls itself, and its size as it was sent."""

    name: str
    type: str
    size: int


class OpenedMailResource(Resource):
    """A mail, opened under a live lease. Its text and links are what anybody may have written.

    `links` are empty for a forged mail. `faults` say what is not shown. Keep the receipt, not the mail.
    """

    model_config = ConfigDict(serialize_by_alias=True)

    id: str
    subject: SecretWords
    sender: str = Field(serialization_alias="from")
    sender_name: str
    received_at: datetime
    text: SecretWords
    links: list[SecretWords]
    attachments: list[AttachmentResource]
    verdict: Annotated[Verdict, Lax]
    forged: bool
    faults: list[str]
    receipt: ReceiptResource

    @classmethod
    def of(cls, opened: OpenedMail) -> OpenedMailResource:
        """Show one."""
        mail = opened.mail
        return cls(
            id=mail.id,
            subject=opened.subject,
            sender=mail.sender,
            sender_name=opened.sender_name,
            received_at=mail.received_at,
            text=opened.text,
            links=list(opened.links),
            attachments=[
                AttachmentResource(name=each.name, type=each.type, size=each.size)
                for each in opened.attachments
            ],
            verdict=mail.verdict,
            forged=mail.forged,
            faults=list(opened.faults),
            receipt=ReceiptResource.of(opened.receipt),
        )
