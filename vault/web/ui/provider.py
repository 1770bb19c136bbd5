"""The way to an identity provider and back: leaving, coming back, the second step, and one's linked identities.

Decided here: what a browser keeps meanwhile: one cookie for ten minutes, `SameSite=Lax`, because the session's own
(`Strict`) does not come along when another site sends a browser to us. For the same reason whoever comes back is
shown a page that leads on by itself: from there the step is one of our own. What came back is never believed here.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeAlias

from flask import current_app, redirect, request, url_for

from vault.domain.identity import VISIT_LASTS, VisitPurpose
from vault.errors import VaultError
from vault.services.federation import Back
from vault.web import auth
from vault.web.asked import asked
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import PUBLIC, SIGNED_IN, needs
from vault.web.ui.forms import Form, OtpForm
from vault.web.ui.session import asked_for, is_local_path, sign_in_page
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.identity import Vouched
    from vault.domain.secret import Secret
    from vault.services.signin import SignedIn

Begin: TypeAlias = "Callable[[Vouched | None], SignedIn]"


@blueprint.post("/sign-in/provider")
@needs(PUBLIC)
def provider_leave() -> AnyResponse:
    """Lead the browser to the provider."""
    form = Form()
    try:
        begun = the_vault().federation.begin(asked_for())
    except VaultError as error:
        return refused(error, form, lambda status: sign_in_page(None, status, provider=form))
    return _away(begun.address, begun.browser)


@blueprint.get("/sign-in/answer")
@needs(PUBLIC)
def provider_answer() -> AnyResponse:
    """Take what the browser came back with, once."""
    back = Back(
        state=request.args.get("state", ""),
        code=request.args.get("code", ""),
        error=request.args.get("error", ""),
        issuer=request.args.get("iss"),
    )
    try:
        visit = the_vault().federation.answer(_cookie(), back, auth.origin())
    except VaultError as error:
        response = page("ui/returned.html", status_of(error), error=error, onward=None)
        if error.retry_after is not None:
            response.headers["Retry-After"] = str(error.retry_after)
        return response
    place = "ui.provider_second" if visit.purpose is VisitPurpose.SIGN_IN else "ui.identity_confirm"
    return page("ui/returned.html", error=None, onward=url_for(place))


@blueprint.get("/sign-in/second")
@needs(PUBLIC)
def provider_second() -> AnyResponse:
    """Ask for the second factor of whoever the provider vouched for."""
    try:
        the_vault().federation.vouched(_cookie())
    except VaultError as error:
        return page("ui/returned.html", status_of(error), error=error, onward=None)
    return _second(OtpForm(formdata=None), OtpForm(formdata=None), 200)


@blueprint.post("/sign-in/second")
@needs(PUBLIC)
def provider_second_send() -> AnyResponse:
    """Open a session by a code."""
    form = OtpForm()

    def begin(vouched: Vouched | None) -> SignedIn:
        given = form.otp.data.strip()
        sign_in = the_vault().signin.begin_vouched
        return sign_in(vouched, given, auth.origin(), agent=auth.agent(), device=auth.device())

    if not form.validate():
        return _second(form, OtpForm(formdata=None), INVALID)
    try:
        return _signed_in(begin)
    except VaultError as error:
        return refused(error, form, lambda status: _second(form, OtpForm(formdata=None), status))


@blueprint.post("/sign-in/second/passkey")
@needs(PUBLIC)
def provider_second_passkey() -> AnyResponse:
    """Open a session by a passkey."""
    form = OtpForm()

    def begin(vouched: Vouched | None) -> SignedIn:
        where = replace(auth.origin(), asked=asked())
        return the_vault().passkeys.sign_in(
            form.otp.data.strip(), where, agent=auth.agent(), vouched=vouched or the_vault().federation.nobody
        )

    if not form.validate():
        return _second(OtpForm(formdata=None), form, INVALID)
    try:
        return _signed_in(begin)
    except VaultError as error:
        return refused(error, form, lambda status: _second(OtpForm(formdata=None), form, status))


@blueprint.get("/identities")
@needs(SIGNED_IN)
def identity_list() -> Response:
    """List one's own."""
    return _identities(Form(formdata=None), 200)


@blueprint.post("/identities")
@needs(SIGNED_IN)
def identity_leave() -> AnyResponse:
    """Lead the browser to the provider, to link an identity there."""
    form = Form()
    try:
        begun = the_vault().federation.begin_link(actor())
    except VaultError as error:
        return refused(error, form, lambda status: _identities(form, status))
    return _away(begun.address, begun.browser)


@blueprint.get("/identities/confirm")
@needs(SIGNED_IN)
def identity_confirm() -> AnyResponse:
    """Show which identity is about to be linked."""
    return _confirm(OtpForm(formdata=None), 200)


@blueprint.post("/identities/confirm")
@needs(SIGNED_IN)
def identity_link() -> AnyResponse:
    """Link it."""
    form = OtpForm()
    if not form.validate():
        return _confirm(form, INVALID)
    try:
        the_vault().federation.link(actor(), _cookie(), form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _confirm(form, status))
    return _without_cookie(redirect(url_for("ui.identity_list"), 303))


@blueprint.post("/identities/<identity_id>/unlink")
@needs(SIGNED_IN)
def identity_unlink(identity_id: str) -> AnyResponse:
    """Unlink one: one's own, or as an administrator anybody's."""
    form = Form()
    try:
        gone = the_vault().federation.unlink(actor(), identity_id)
    except VaultError as error:
        return refused(error, form, lambda status: _identities(form, status))
    if gone.person_id != actor().id:
        return redirect(url_for("ui.person_page", person_id=gone.person_id), 303)
    return redirect(url_for("ui.identity_list"), 303)


def _identities(form: Form, status: int) -> Response:
    me = actor()
    return page("ui/identities.html", status, identities=the_vault().federation.of(me, me.id), form=form)


def _confirm(form: OtpForm, status: int) -> Response:
    try:
        visit = the_vault().federation.to_link(actor(), _cookie())
    except VaultError as error:
        # after a refusal the visit may be used up: then there is nothing left to confirm
        shown = form.error or error
        return page("ui/returned.html", status_of(shown), error=shown, onward=None)
    return page("ui/identity_confirm.html", status, visit=visit, form=form)


def _second(form: OtpForm, key: OtpForm, status: int) -> Response:
    return page("ui/second.html", status, form=form, key=key)


def _signed_in(begin: Begin) -> AnyResponse:
    visit, vouched = the_vault().federation.vouched(_cookie())
    signed = begin(vouched)
    auth.open_session(signed)
    wanted = visit.asked_for if is_local_path(visit.asked_for) else url_for("ui.home")
    return _without_cookie(redirect(wanted, 303))


def _away(address: str, browser: Secret[str]) -> Response:
    response = page("ui/away.html", address=address)
    response.set_cookie(
        _cookie_name(),
        browser.expose(),
        max_age=int(VISIT_LASTS.total_seconds()),
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
    )
    return response


def _without_cookie(response: AnyResponse) -> AnyResponse:
    response.set_cookie(
        _cookie_name(),
        "",
        max_age=0,
        secure=bool(current_app.config["SESSION_COOKIE_SECURE"]),
        httponly=True,
        samesite="Lax",
    )
    return response


def _cookie() -> str:
    return request.cookies.get(_cookie_name(), "")


def _cookie_name() -> str:
    return str(current_app.config["SESSION_COOKIE_NAME"]) + "-visit"
