"""Signing in and out, enrolment by link, where one is signed in, and what the keyboard does.

Decided here: where one goes after signing in is only ever a path of this site.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import redirect, request, session, url_for

from vault.domain.secret import Secret
from vault.errors import FieldError, Invalid, Unauthenticated, VaultError
from vault.web import auth
from vault.web.auth import origin, the_vault, visitor
from vault.web.guard import PUBLIC, SIGNED_IN, needs
from vault.web.ui import disclose
from vault.web.ui.forms import EnrolForm, OtpForm, SignInForm
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]{0,500}", re.ASCII)


@blueprint.get("/sign-in")
@needs(PUBLIC)
def sign_in() -> AnyResponse:
    """Show the form, or go on where one is signed in already."""
    if visitor().actor is not None:
        return redirect(after_sign_in(), 303)
    return sign_in_page(SignInForm(formdata=None), 200)


@blueprint.post("/sign-in")
@needs(PUBLIC)
def sign_in_send() -> AnyResponse:
    """Open a session."""
    form = SignInForm()
    if not form.validate():
        return sign_in_page(form, INVALID)
    try:
        signed = the_vault().signin.begin(
            form.email.data,
            Secret(form.password.data),
            form.otp.data.strip(),
            auth.origin(),
            agent=auth.agent(),
            device=auth.device(),
        )
    except VaultError as error:
        return refused(error, form, lambda status: sign_in_page(form, status))
    auth.open_session(signed)
    return redirect(after_sign_in(), 303)


@blueprint.post("/sign-out")
@needs(SIGNED_IN)
def sign_out() -> AnyResponse:
    """End this session on the server."""
    auth.close_session()
    return redirect(url_for("ui.sign_in"), 303)


@blueprint.get("/enrol/<token>")
@needs(PUBLIC)
def enrol(token: str) -> Response:
    """Show who holds a link the seed for their device."""
    return _enrol_page(token, EnrolForm(formdata=None), 200)


@blueprint.post("/enrol/<token>")
@needs(PUBLIC)
def enrol_send(token: str) -> AnyResponse:
    """Set password and second factor; the link is used up."""
    form = EnrolForm()
    if not form.validate():
        return _enrol_page(token, form, INVALID)
    try:
        if form.password.data != form.again.data:
            place = FieldError("/again", "The two are not the same; type both again.")
            raise Invalid("input.invalid", place.detail, errors=(place,))
        the_vault().enrolment.complete(
            Secret(token), Secret(form.password.data), form.otp.data.strip(), auth.origin()
        )
    except Unauthenticated as error:
        if error.code == "auth.enrolment_invalid":
            raise
        return refused(error, form, lambda status: _enrol_page(token, form, status))
    except VaultError as error:
        return refused(error, form, lambda status: _enrol_page(token, form, status))
    return page("ui/enrolled.html")


@blueprint.get("/sessions")
@needs(SIGNED_IN)
def session_list() -> Response:
    """Show this session."""
    return page("ui/sessions.html", session=visitor().session, settings=the_vault().settings.session)


@blueprint.post("/sessions/end")
@needs(SIGNED_IN)
def session_end() -> AnyResponse:
    """End all of one's own sessions, this one included."""
    the_vault().signin.end_all(auth.actor())
    session.clear()
    return redirect(url_for("ui.sign_in"), 303)


@blueprint.get("/keyboard")
@needs(SIGNED_IN)
def keyboard() -> Response:
    """Show the keyboard shortcuts."""
    return page("ui/keyboard.html")


@blueprint.get("/favicon.ico")
@needs(PUBLIC)
def favicon() -> AnyResponse:
    """Lead browsers that ask for it unasked to our mark."""
    return redirect(url_for("ui.static", filename="mark.svg"), 301)


def _asked_for() -> str:
    text = request.form.get("next", "") or request.args.get("next", "")
    return text if _LOCAL.fullmatch(text) else ""


def after_sign_in() -> str:
    """Give where one goes after signing in: only ever a path of this site."""
    return _asked_for() or url_for("ui.home")


def sign_in_page(form: SignInForm, status: int, key: OtpForm | None = None) -> Response:
    """Show both ways to sign in; `key` is the form of the passkey, where it was refused."""
    by_key = OtpForm(formdata=None) if key is None else key
    return page("ui/sign_in.html", status, form=form, key=by_key, asked_for=_asked_for())


def _enrol_page(token: str, form: EnrolForm, status: int) -> Response:
    code = disclose.of_enrolment(the_vault().enrolment.begin(Secret(token), origin()))
    return page("ui/enrol.html", status, form=form, link=token, code=code)
