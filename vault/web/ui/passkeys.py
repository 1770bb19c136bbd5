"""Passkeys: one's own, signing in with one, and what a program of one's own waits for.

Decided here: what a browser is told before it asks its authenticator. Nothing is written by asking, so it is a GET;
that tells a ticket, who we are and the ids of one's own credentials, and at the sign-in nothing about anybody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from flask import current_app, jsonify, redirect, url_for
from werkzeug.exceptions import HTTPException

from vault.errors import VaultError, not_found
from vault.web import auth
from vault.web.api.routes import OPERATIONS
from vault.web.asked import asked
from vault.web.auth import actor, the_vault
from vault.web.guard import PUBLIC, SIGNED_IN, needs
from vault.web.ui.forms import Form, OtpForm, PasskeyForm, SignInForm
from vault.web.ui.session import after_sign_in, sign_in_page
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.passkey import Confirmation
    from vault.services.passkeys import Offer


@blueprint.get("/sign-in/challenge")
@needs(PUBLIC)
def sign_in_challenge() -> Response:
    """Begin to sign in by passkey."""
    return _offered(the_vault().passkeys.to_sign_in())


@blueprint.post("/sign-in/passkey")
@needs(PUBLIC)
def sign_in_passkey() -> AnyResponse:
    """Open a session for the person whose passkey signed."""
    form = OtpForm()
    if not form.validate():
        return sign_in_page(SignInForm(formdata=None), INVALID, form)
    where = replace(auth.origin(), asked=asked())
    try:
        signed = the_vault().passkeys.sign_in(form.otp.data.strip(), where, agent=auth.agent())
    except VaultError as error:
        return refused(error, form, lambda status: sign_in_page(SignInForm(formdata=None), status, form))
    auth.open_session(signed)
    return redirect(after_sign_in(), 303)


@blueprint.get("/passkeys")
@needs(SIGNED_IN)
def passkey_list() -> Response:
    """List one's own, and what adding one takes."""
    return _passkeys(PasskeyForm(formdata=None), 200)


@blueprint.get("/passkeys/challenge")
@needs(SIGNED_IN)
def passkey_challenge() -> Response:
    """Begin to confirm a request by passkey."""
    return _offered(the_vault().passkeys.to_confirm(actor()))


@blueprint.get("/passkeys/new")
@needs(SIGNED_IN)
def passkey_offer() -> Response:
    """Begin to add a passkey."""
    return _offered(the_vault().passkeys.to_enrol(actor()))


@blueprint.post("/passkeys")
@needs(SIGNED_IN)
def passkey_add() -> AnyResponse:
    """Add the passkey that the browser made."""
    form = PasskeyForm()
    if not form.validate():
        return _passkeys(form, INVALID)
    try:
        the_vault().passkeys.add(
            actor(), form.name.data, form.ticket.data, form.credential.data, form.otp.data.strip()
        )
    except VaultError as error:
        return refused(error, form, lambda status: _passkeys(form, status))
    return redirect(url_for("ui.passkey_list"), 303)


@blueprint.get("/passkeys/<passkey_id>/remove")
@needs(SIGNED_IN)
def passkey_removal(passkey_id: str) -> Response:
    """Say what removing one means."""
    return _removal(passkey_id, OtpForm(formdata=None), 200)


@blueprint.post("/passkeys/<passkey_id>/remove")
@needs(SIGNED_IN)
def passkey_remove(passkey_id: str) -> AnyResponse:
    """Remove one."""
    form = OtpForm()
    if not form.validate():
        return _removal(passkey_id, form, INVALID)
    try:
        the_vault().passkeys.remove(actor(), passkey_id, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _removal(passkey_id, form, status))
    return redirect(url_for("ui.passkey_list"), 303)


@blueprint.get("/confirmations/<confirmation_id>")
@needs(SIGNED_IN)
def confirmation_page(confirmation_id: str) -> Response:
    """Show exactly what a program asked for."""
    return _confirmation(confirmation_id, OtpForm(formdata=None), 200)


@blueprint.post("/confirmations/<confirmation_id>")
@needs(SIGNED_IN)
def confirmation_press(confirmation_id: str) -> AnyResponse:
    """Confirm it by passkey."""
    form = OtpForm()
    if not form.validate():
        return _confirmation(confirmation_id, form, INVALID)
    try:
        the_vault().passkeys.confirm(actor(), confirmation_id, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _confirmation(confirmation_id, form, status))
    return redirect(url_for("ui.confirmation_page", confirmation_id=confirmation_id), 303)


def _offered(offer: Offer) -> Response:
    told: dict[str, object] = {
        "ticket": offer.ticket,
        "origin": offer.party.origin,
        "party": offer.party.id,
        "credentials": offer.credentials,
    }
    if offer.person is not None:
        person = offer.person
        told["person"] = {"id": person.id, "name": person.email, "display": person.name}
    return jsonify(told)


def _passkeys(form: PasskeyForm, status: int) -> Response:
    vault = the_vault()
    return page(
        "ui/passkeys.html", status, passkeys=vault.passkeys.of(actor()), form=form, party=vault.passkeys.party
    )


def _removal(passkey_id: str, form: Form, status: int) -> Response:
    mine = the_vault().passkeys.of(actor())
    found = next((each for each in mine if each.id == passkey_id), None)
    if found is None:
        raise not_found("passkey", passkey_id[:36])
    return page("ui/passkey_removal.html", status, passkey=found, left=len(mine) - 1, form=form)


def _confirmation(confirmation_id: str, form: Form, status: int) -> Response:
    vault, who = the_vault(), actor()
    found = vault.passkeys.confirmation(who, confirmation_id)
    with vault.units.read() as unit:
        account = None if found.account_id is None else unit.accounts.get(found.account_id)
        checkout = None if found.checkout_id is None else unit.checkouts.get(found.checkout_id)
        requester = None if checkout is None else unit.people.get(checkout.requester_id)
    seen = account if account is not None and vault.gate.sees(who, account) else None
    return page(
        "ui/confirmation.html",
        status,
        confirmation=found,
        state=found.state(vault.clock.now()),
        account=seen,
        checkout=None if seen is None else checkout,
        requester=requester,
        what=_in_words(found),
        form=form,
    )


def _in_words(confirmation: Confirmation) -> str:
    """Say what a program's request does, in the words of the API's document."""
    paths = current_app.url_map.bind("")
    try:
        endpoint, _ = paths.match(confirmation.path.partition("?")[0], method=confirmation.method)
    except HTTPException:
        return ""
    name = endpoint.rpartition(".")[2]
    return next((each.summary for each in OPERATIONS if each.name == name), "")
