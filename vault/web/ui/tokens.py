"""One's own API tokens: made with a fresh second factor, shown once, ended at once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import disclose
from vault.web.ui.forms import Form, TokenForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE = 50


@blueprint.get("/tokens")
@needs(Permission.TOKEN_OWN)
def token_list() -> Response:
    """List one's own."""
    return _tokens(TokenForm(formdata=None, days="30"), 200)


@blueprint.post("/tokens")
@needs(Permission.TOKEN_OWN)
def token_new() -> AnyResponse:
    """Make one, and show it in this answer only."""
    form = TokenForm()
    if not form.validate():
        return _tokens(form, INVALID)
    days = timedelta(days=int(form.days.data))
    try:
        made = the_vault().tokens.issue_own(actor(), form.name.data, form.otp.data.strip(), days)
    except VaultError as error:
        return refused(error, form, lambda status: _tokens(form, status))
    return page("ui/token_made.html", made=made.token, value=disclose.of_text(made.text))


@blueprint.post("/tokens/<token_id>/revoke")
@needs(Permission.TOKEN_OWN)
def token_revoke(token_id: str) -> AnyResponse:
    """End one."""
    form = Form()
    try:
        the_vault().tokens.revoke(actor(), token_id)
    except VaultError as error:
        return refused(error, form, lambda status: _tokens(form, status))
    return redirect(url_for("ui.machine_list" if request.form.get("machine") else "ui.token_list"), 303)


def _tokens(form: Form, status: int) -> Response:
    found = the_vault().tokens.page(actor(), Slice(PAGE, request.args.get("cursor")))
    after = next_page("ui.token_list", found.next)
    shown = form if isinstance(form, TokenForm) else TokenForm(formdata=None, days="30")
    shown.error = form.error
    return page("ui/tokens.html", status, tokens=found.items, next_url=after, form=shown)
