"""Checkouts: one's own with all that is done under it, somebody else's with the decision on it.

Decided here: a secret is only ever in the answer to the POST that asked for it, rendered at once and
never redirected to (S14). An address that answers POST with a secret answers GET with the way back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.checkout import CheckoutState, Decision
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.mail_rules import title_of
from vault.domain.policy import Permission
from vault.errors import Invalid, VaultError
from vault.ports.store import CheckoutFilter, Slice
from vault.services.approvals import Word
from vault.services.queue import Earlier
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui import disclose
from vault.web.ui.forms import DecideForm, Form, OtpForm, RevokeForm, carrying, options
from vault.web.ui.forms_emergency import ReviewGlassForm
from vault.web.ui.show import duration
from vault.web.ui.site import INVALID, blueprint, page, refused
from vault.web.ui.standing import half_of, openable_under
from vault.web.ui.walk import asked_act, asked_walk, number_sent, to_walk, walk_again

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.ports.store import Receipt
    from vault.services.mail_opening import MailView
    from vault.services.views import CheckoutView
    from vault.web.ui.disclose import Shown

SHORTER: Final = (900, 1800, 3600, 7200)
LATELY: Final = 8
MAILS: Final = 5
ANSWERS: Final = "'password', 'code', 'check-in', 'cancel', 'step-up', 'decide', 'revoke', 'none-works'"


@blueprint.get("/checkouts/<checkout_id>")
@needs(Permission.ACCOUNT_READ)
def checkout_page(checkout_id: str) -> Response:
    """Show a checkout: to its holder with what can be done, to others with what may be decided."""
    view = the_vault().views.checkout(actor(), checkout_id)
    if half_of(view):
        return _own(view, OtpForm(formdata=None), 200)
    return _others(view, DecideForm(formdata=None), RevokeForm(formdata=None), 200)


@blueprint.post("/checkouts/<checkout_id>/decide")
@needs(Permission.CHECKOUT_APPROVE)
def decide(checkout_id: str) -> AnyResponse:
    """Approve or deny."""
    vault, form = the_vault(), DecideForm()
    view = vault.views.checkout(actor(), checkout_id)
    _shorter(form, view)

    def again(status: int) -> Response:
        return _others(view, form, RevokeForm(formdata=None), status)

    if not form.validate():
        return again(INVALID)
    minutes = int(form.minutes.data)
    word = Word(
        Decision(form.decision.data),
        form.comment.data or "",
        minutes if minutes < view.checkout.requested_seconds else None,
        form.content_hash.data or "none was sent",
    )
    try:
        vault.approvals.decide(actor(), checkout_id, word, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, again)
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.post("/checkouts/<checkout_id>/revoke")
@needs(Permission.CHECKOUT_REVOKE)
def revoke(checkout_id: str) -> AnyResponse:
    """End somebody's checkout by force."""
    vault, form = the_vault(), RevokeForm()
    view = vault.views.checkout(actor(), checkout_id)

    def again(status: int) -> Response:
        return _others(view, DecideForm(formdata=None), form, status)

    if not form.validate():
        return again(INVALID)
    try:
        vault.checkouts.revoke(actor(), checkout_id, form.reason.data)
    except VaultError as error:
        return refused(error, form, again)
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.post("/checkouts/<checkout_id>/step-up")
@needs(Permission.CHECKOUT_USE)
def step_up(checkout_id: str) -> AnyResponse:
    """Give a fresh second factor; the first begins the lease."""
    form = OtpForm()
    if not form.validate():
        return _again(checkout_id, form, INVALID)
    try:
        the_vault().checkouts.step_up(actor(), checkout_id, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _again(checkout_id, form, status))
    which = asked_walk()
    if which is not None:
        return to_walk(checkout_id, which, asked_act())
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.post("/checkouts/<checkout_id>/password")
@needs(Permission.CHECKOUT_USE)
def password(checkout_id: str) -> AnyResponse:
    """Show a password, in this answer only."""
    form = Form()
    try:
        shown = disclose.of_password(the_vault().reveals.password(actor(), checkout_id, _wanted()))
    except VaultError as error:
        return refused(error, form, lambda status: _again(checkout_id, form, status))
    return _again(checkout_id, OtpForm(formdata=None), 200, shown)


@blueprint.post("/checkouts/<checkout_id>/code")
@needs(Permission.CHECKOUT_USE)
def code(checkout_id: str) -> AnyResponse:
    """Show the code of this time step, in this answer only."""
    form = Form()
    try:
        shown = disclose.of_code(the_vault().reveals.code(actor(), checkout_id, _wanted()))
    except VaultError as error:
        return refused(error, form, lambda status: _again(checkout_id, form, status))
    return _again(checkout_id, OtpForm(formdata=None), 200, shown)


@blueprint.post("/checkouts/<checkout_id>/none-works")
@needs(Permission.CHECKOUT_USE)
def none_works(checkout_id: str) -> AnyResponse:
    """Record that AWS takes no value of a part that the vault holds."""
    form, part = Form(), request.form.get("part", "")
    try:
        if part not in set(PartKind):
            raise Invalid("input.invalid", "Say of which part: press one of the two buttons.")
        the_vault().losing.none_works(actor(), checkout_id, PartKind(part))
    except VaultError as error:
        return refused(error, form, lambda status: own_again(checkout_id, form, status))
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.post("/checkouts/<checkout_id>/check-in")
@needs(Permission.CHECKOUT_USE)
def check_in(checkout_id: str) -> AnyResponse:
    """End one's own lease, and show the receipt."""
    form = Form()
    try:
        receipt = the_vault().checkouts.check_in(actor(), checkout_id)[1]
    except VaultError as error:
        return refused(error, form, lambda status: own_again(checkout_id, form, status))
    view = the_vault().views.checkout(actor(), checkout_id)
    return _own(view, OtpForm(formdata=None), 200, returned=receipt)


@blueprint.post("/checkouts/<checkout_id>/cancel")
@needs(Permission.CHECKOUT_USE)
def cancel(checkout_id: str) -> AnyResponse:
    """Withdraw one's own request."""
    form = Form()
    try:
        the_vault().checkouts.cancel(actor(), checkout_id)
    except VaultError as error:
        return refused(error, form, lambda status: own_again(checkout_id, form, status))
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.get(f"/checkouts/<checkout_id>/<any({ANSWERS}):_step>")
@needs(SIGNED_IN)
def checkout_back(checkout_id: str, _step: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


def _wanted() -> VersionLabel | int:
    return number_sent() or VersionLabel.CURRENT


def _again(checkout_id: str, form: Form, status: int, shown: Shown | None = None) -> Response:
    """Show the page again from which a form was sent: the walk, or one's own checkout."""
    which = asked_walk()
    if which is not None:
        return walk_again(checkout_id, which, form, status, shown)
    return _own(the_vault().views.checkout(actor(), checkout_id), form, status, shown)


def own_again(checkout_id: str, form: Form, status: int) -> Response:
    """Show one's own checkout again, with what was refused."""
    return _own(the_vault().views.checkout(actor(), checkout_id), form, status)


def others_again(checkout_id: str, form: Form, status: int) -> Response:
    """Show somebody's checkout again, with what was refused of a review or of joining it."""
    view = the_vault().views.checkout(actor(), checkout_id)
    if half_of(view):
        return _own(view, form, status)
    return _others(view, DecideForm(formdata=None), RevokeForm(formdata=None), status, form)


def _own(
    view: CheckoutView,
    form: Form,
    status: int,
    shown: Shown | None = None,
    returned: Receipt | None = None,
) -> Response:
    return page(
        "ui/checkout.html",
        status,
        view=view,
        form=carrying(form),
        shown=shown,
        returned=returned,
        openable=openable_under(view),
        half=half_of(view),
        mails=_mails(view),
        title_of=title_of,
        old_devices=[each for each in the_vault().devices.of(actor(), view.account.id) if each.is_old],
    )


def _mails(view: CheckoutView) -> tuple[MailView, ...]:
    """Give the newest mail of the account while the lease runs."""
    if view.checkout.state is not CheckoutState.ACTIVE:
        return ()
    return the_vault().mails.of_account(actor(), view.account.id, Slice(MAILS)).items


def _others(
    view: CheckoutView,
    form: DecideForm,
    revoke_form: RevokeForm,
    status: int,
    more: Form | None = None,
) -> Response:
    vault, who = the_vault(), actor()
    _shorter(form, view)
    reason = vault.policy.reasons.get(view.checkout.reason)
    told = vault.queue.one(who, view.checkout.id) if vault.queue.tells(who, view.account) else None
    before = vault.views.checkouts(who, CheckoutFilter(account_id=view.account.id), Slice(LATELY))
    return page(
        "ui/request.html",
        status,
        view=view,
        form=form,
        revoke=revoke_form,
        told=told,
        history=[Earlier(each, None) for each in before.items if each.id != view.checkout.id],
        instead="" if reason is None else reason.instead.get(view.account.kind, ""),
        is_split=vault.split.is_split(view.account),
        more=more,
        join=more if isinstance(more, OtpForm) else OtpForm(formdata=None),
        review=more if isinstance(more, ReviewGlassForm) else ReviewGlassForm(formdata=None),
        may_review=view.checkout.is_unreviewed
        and not view.checkout.is_open
        and vault.glass.uninvolved(who, view.checkout, view.account),
    )


def _shorter(form: DecideForm, view: CheckoutView) -> None:
    asked = view.checkout.requested_seconds
    shorter = [(str(each), duration(each)) for each in reversed(SHORTER) if each < asked]
    form.minutes.choices = options([(str(asked), f"{duration(asked)}, as asked"), *shorter])
