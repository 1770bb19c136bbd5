"""That AWS reopened a closed account, as a form; closures themselves are pages of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, url_for
from wtforms import StringField, TextAreaField

from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.forms import OTP_NEEDED, CodeField, Form, needed
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse


class ReopeningForm(Form):
    """What says that AWS reopened an account."""

    on = StringField("The day on which AWS reopened it", needed("Say the day, such as 2027-03-15."))
    where = TextAreaField(
        "By which case with AWS Support", needed("Say by which case, and where that can be seen.")
    )
    otp = CodeField("Code from your device", needed(OTP_NEEDED))


@blueprint.get("/accounts/<account_id>/reopen")
@needs(Permission.CLOSURE_MANAGE)
def reopen(account_id: str) -> Response:
    """Show what is asked."""
    return _page(account_id, ReopeningForm(formdata=None), 200)


@blueprint.post("/accounts/<account_id>/reopen")
@needs(Permission.CLOSURE_MANAGE)
def reopened(account_id: str) -> AnyResponse:
    """Write it down."""
    form = ReopeningForm()
    if not form.validate():
        return _page(account_id, form, INVALID)
    given = {"on": form.on.data.strip(), "where": form.where.data.strip()}
    try:
        the_vault().cases.closures.reopen(actor(), account_id, given, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _page(account_id, form, status))
    return redirect(url_for("ui.account_page", account_id=account_id), 303)


def _page(account_id: str, form: ReopeningForm, status: int) -> Response:
    view = the_vault().cases.closures.of_account(actor(), account_id)
    return page("ui/reopen.html", status, view=view, form=form)
