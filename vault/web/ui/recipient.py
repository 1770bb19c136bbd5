"""The offline recovery recipient as a page: whom data keys are wrapped for, and the first of two words for another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, url_for

from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.forms import RecipientForm
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse


@blueprint.get("/upkeep/recipient")
@needs(SIGNED_IN)
def recipient_page() -> Response:
    """Show whom data keys are wrapped for, to who manages keys and to auditors."""
    return _shown(RecipientForm(formdata=None), 200)


@blueprint.post("/upkeep/recipient")
@needs(Permission.KEYS_MANAGE)
def recipient_propose() -> AnyResponse:
    """Propose another."""
    form = RecipientForm()
    if not form.validate():
        return _shown(form, INVALID)
    try:
        made = the_vault().recipients.propose(
            actor(), form.recipient.data.strip(), form.why.data, form.otp.data.strip()
        )
    except VaultError as error:
        return refused(error, form, lambda status: _shown(form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


def _shown(form: RecipientForm, status: int) -> Response:
    return page("ui/recipient.html", status, form=form, state=the_vault().recipients.state(actor()))
