"""Signing in and out, enrolment by link, and what the keyboard does; where one is signed in is `sessions`.

Decided here: where one goes after signing in is only ever a path of this site.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.secret import Secret
from vault.errors import FieldError, Invalid, Unauthenticated, VaultError
from vault.web import auth
from vault.web.auth import origin, the_vault, visitor
from vault.web.guard import PUBLIC, SIGNED_IN, needs
from vault.web.ui import disclose
from vault.web.ui.forms import EnrolForm, Form, OtpForm, SignInForm
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


def asked_for() -> str:
    """Give where one wanted to go; empty unless it is a path of this site."""
    text = request.form.get("next", "") or request.args.get("next", "")
    return text if is_local_path(text) else ""


def is_local_path(text: str) -> bool:
    """Say whether a text is a path of this site, and of no other."""
    return _LOCAL.fullmatch(text) is not None


def after_sign_in() -> str:
    """Give where one goes after signing in: only ever a path of this site."""
    return asked_for() or url_for("ui.home")


def sign_in_page(
    form: SignInForm | None, status: int, key: OtpForm | None = None, provider: Form | None = None
) -> Response:
    """Show the ways to sign in; `key` is the form of the passkey, `provider` that of a provider, where refused."""
    return page(
        "ui/sign_in.html",
        status,
        form=SignInForm(formdata=None) if form is None else form,
        key=OtpForm(formdata=None) if key is None else key,
        by_provider=Form(formdata=None) if provider is None else provider,
        asked_for=asked_for(),
    )


def _enrol_page(token: str, form: EnrolForm, status: int) -> Response:
    code = disclose.of_enrolment(the_vault().enrolment.begin(Secret(token), origin()))
    return page("ui/enrol.html", status, form=form, link=token, code=code)
