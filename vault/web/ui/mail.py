"""Mail to root addresses as pages: what came, and one mail that was opened under a live lease.

Decided here: a link of a mail may be followed from the page only where the mail is proven to be AWS's and the link
leads to AWS; every other is words. HTML of a mail is never drawn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for
from wtforms import StringField, TextAreaField

from vault.domain.mail import MailKind, Verdict
from vault.domain.mail_rules import is_aws_link, title_of
from vault.domain.policy import Permission
from vault.errors import Forbidden, Invalid, VaultError
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui import disclose
from vault.web.ui.checkouts import own_again
from vault.web.ui.forms import OTP_NEEDED, CodeField, Form, needed
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE: Final = 50
KINDS: Final = (
    (MailKind.SECURITY, "Security mail"),
    (MailKind.ORDINARY, "Passed on to tickets"),
    (MailKind.UNMATCHED, "To no account"),
)


@blueprint.get("/mail")
@needs(Permission.ACCOUNT_READ)
def mail_list() -> Response:
    """Show mail to root addresses of every account in sight, or (to custodians) that to none."""
    asked = request.args.get("kind", "")
    kind = MailKind(asked) if asked in set(MailKind) else None
    mails, who, part = the_vault().mails, actor(), Slice(PAGE, request.args.get("cursor"))
    status, error = 200, None
    try:
        found = mails.unmatched(who, part) if kind is MailKind.UNMATCHED else mails.page(who, part, kind)
    except (Invalid, Forbidden) as refusal:
        status, error, kind = status_of(refusal), refusal, None
        found = mails.page(who, Slice(PAGE))
    given = {"kind": kind.value} if kind is not None else {}
    return page(
        "ui/mail_list.html",
        status,
        found=found.items,
        account=None,
        error=error,
        kind=kind or "",
        kinds=_kinds(),
        title_of=title_of,
        next_url=next_page("ui.mail_list", found.next, given),
    )


@blueprint.get("/accounts/<account_id>/mail")
@needs(Permission.ACCOUNT_READ)
def account_mail(account_id: str) -> Response:
    """Show mail to one account's root address."""
    vault, who = the_vault(), actor()
    account = vault.accounts.get(who, account_id).account
    status, error = 200, None
    try:
        found = vault.mails.of_account(who, account_id, Slice(PAGE, request.args.get("cursor")))
    except Invalid as refusal:
        status, error = status_of(refusal), refusal
        found = vault.mails.of_account(who, account_id, Slice(PAGE))
    after = found.next and f"{url_for('ui.account_mail', account_id=account_id)}?cursor={found.next}"
    return page(
        "ui/mail_list.html",
        status,
        found=found.items,
        account=account,
        error=error,
        kind="",
        kinds=(),
        title_of=title_of,
        next_url=after,
    )


class AssignForm(Form):
    """Whose a mail to no account is, and how that is known."""

    account = StringField("Account number", needed("Give the AWS account number: 12 digits."))
    why = TextAreaField("How you know whose it is", needed("Say how you know whose it is."))
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


@blueprint.get("/mail/<mail_id>")
@needs(Permission.ACCOUNT_READ)
def mail_page(mail_id: str) -> Response:
    """Show what is known of one mail, who opened it, and (to custodians) the way to give it to an account."""
    return _mail_page(mail_id, AssignForm(formdata=None), 200)


@blueprint.post("/mail/<mail_id>/assignment")
@needs(Permission.ACCOUNT_REGISTER)
def mail_assign(mail_id: str) -> AnyResponse:
    """Give mail to no account to one, unread."""
    form = AssignForm()
    if not form.validate():
        return _mail_page(mail_id, form, INVALID)
    account = re.sub(r"[\s-]", "", form.account.data)
    try:
        the_vault().mail_assigning.assign(actor(), mail_id, account, form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _mail_page(mail_id, form, status))
    return redirect(url_for("ui.mail_page", mail_id=mail_id), 303)


@blueprint.get("/mail/<mail_id>/assignment")
@needs(SIGNED_IN)
def mail_assign_back(mail_id: str) -> AnyResponse:
    """Lead back from the address of a form that was refused."""
    return redirect(url_for("ui.mail_page", mail_id=mail_id), 303)


@blueprint.post("/checkouts/<checkout_id>/mail/<mail_id>")
@needs(Permission.CHECKOUT_USE)
def mail_open(checkout_id: str, mail_id: str) -> AnyResponse:
    """Show a sealed mail, in this answer only."""
    form = Form()
    try:
        opened = the_vault().mails.open(actor(), checkout_id, mail_id)
    except VaultError as error:
        return refused(error, form, lambda status: own_again(checkout_id, form, status))
    is_proven = opened.mail.verdict is Verdict.PASSED and not opened.mail.forged
    shown = disclose.of_mail(opened, lambda link: is_proven and is_aws_link(link))
    return page("ui/mail_open.html", shown=shown, title=title_of(opened.mail.rule), checkout_id=checkout_id)


@blueprint.get("/checkouts/<checkout_id>/mail/<mail_id>")
@needs(SIGNED_IN)
def mail_back(checkout_id: str, mail_id: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    del mail_id
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


def _mail_page(mail_id: str, form: AssignForm, status: int) -> Response:
    view = the_vault().mails.get(actor(), mail_id)
    if form.account.data is None and view.owner is not None:
        form.account.data = view.owner
    may_assign = the_vault().policy.reach(actor(), Permission.ACCOUNT_REGISTER).everything
    return page("ui/mail_one.html", status, view=view, form=form, may_assign=may_assign, title_of=title_of)


def _kinds() -> tuple[tuple[str, str], ...]:
    """Give the kinds to choose from: mail to no account is for who registers accounts."""
    registers = not the_vault().policy.reach(actor(), Permission.ACCOUNT_REGISTER).empty
    return tuple((str(kind), name) for kind, name in KINDS if registers or kind is not MailKind.UNMATCHED)
