"""Mail to root addresses: what came, and opening what is sealed under a live lease."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.domain.mail import MailKind
from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.disclosures import OPENING
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.base import Items, PageQuery
from vault.web.api.schemas.mail import Assignment, MailQuery, MailResource, MailSummary, OpenedMailResource
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue

_PROBLEMS: Final[Problems] = {
    401: ("auth.step_up_required",),
    403: ("custody.split", "policy.second_person"),
    409: ("checkout.state", "checkout.expired", "mail.gone"),
    423: ("frozen",),
    429: ("reveal.quota",),
    503: OPENING,
}


@operation("GET", "/mail", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_mail(sent: MailQuery) -> Items[MailSummary]:
    """List mail to root addresses in sight, newest first, without contents.

    With `kind=unmatched` that to addresses of no account, which takes registering accounts everywhere.
    """
    mails, part = the_vault().mails, Slice(sent.limit, sent.cursor)
    is_unmatched = sent.kind is MailKind.UNMATCHED
    page = mails.unmatched(actor(), part) if is_unmatched else mails.page(actor(), part, sent.kind)
    return Items[MailSummary](items=[MailSummary.of(each) for each in page.items], next=page.next)


@operation("GET", "/accounts/<account_id>/mail", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_account_mail(account_id: str, sent: PageQuery) -> Items[MailSummary]:
    """List one account's mail, newest first, without contents."""
    page = the_vault().mails.of_account(actor(), account_id, Slice(sent.limit, sent.cursor))
    return Items[MailSummary](items=[MailSummary.of(each) for each in page.items], next=page.next)


@operation("GET", "/mail/<mail_id>", Permission.ACCOUNT_READ)
def read_mail(mail_id: str) -> MailResource:
    """Read what is known of one mail, and who opened it; never its content."""
    return MailResource.of(the_vault().mails.get(actor(), mail_id))


@operation(
    "POST",
    "/mail/<mail_id>/assignment",
    Permission.ACCOUNT_REGISTER,
    problems={
        401: ("auth.refused",),
        409: ("mail.assigned", "mail.gone", "custody.state", "otp.used", "concurrent.change"),
        423: ("frozen",),
        429: ("auth.delayed",),
        503: ("keys.unavailable",),
    },
)
def assign_mail(mail_id: str, sent: Assignment) -> MailResource:
    """Give mail to no account to one: by who registers accounts everywhere, with a fresh second factor.

    What may be a way in is sealed anew for the account, and opened under its lease by another than who gave it;
    what was found harmless when it came goes to a ticket. Nobody sees it by this. Said again, it is the same.
    """
    the_vault().mail_assigning.assign(actor(), mail_id, sent.account_id, sent.why, sent.otp.expose())
    return MailResource.of(the_vault().mails.get(actor(), mail_id))


@renders(blueprint, "mail")
def show_again(mail_id: str) -> ResponseReturnValue:
    """Draw a mail for a repeated request."""
    return as_json(MailResource.of(the_vault().mails.get(actor(), mail_id)))


@operation("POST", "/checkouts/<checkout_id>/mail/<mail_id>", Permission.CHECKOUT_USE, problems=_PROBLEMS)
def open_mail(checkout_id: str, mail_id: str) -> OpenedMailResource:
    """Open a sealed mail of the account that one holds; needs a fresh step-up. Each opening is an entry."""
    return OpenedMailResource.of(the_vault().mails.open(actor(), checkout_id, mail_id))
