"""Keys as a page: which wrap every data key, and the first of two words for other keys or for a drill."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, url_for

from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.services.key_work import DrillScope
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.forms import DrillForm, RewrapForm, options
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

SCOPES = [
    (DrillScope.LIVE, "This vault: every credential, where it is"),
    (DrillScope.RESTORE, "A backup: restored beside this vault, and removed again"),
]


@blueprint.get("/upkeep/keys")
@needs(Permission.KEYS_MANAGE)
def keys_page() -> Response:
    """Show the keys of this host's settings, and propose work on them."""
    return _shown(200)


@blueprint.post("/upkeep/keys/drill")
@needs(Permission.KEYS_MANAGE)
def drill_propose() -> AnyResponse:
    """Propose that every credential is opened once."""
    form = DrillForm()
    form.scope.choices = options(SCOPES)
    if not form.validate():
        return _shown(INVALID, drill=form)
    try:
        made = the_vault().key_work.propose_drill(
            actor(), DrillScope(form.scope.data), form.why.data, form.otp.data.strip()
        )
    except VaultError as error:
        return refused(error, form, lambda status: _shown(status, drill=form))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


@blueprint.post("/upkeep/keys/rewrap")
@needs(Permission.KEYS_MANAGE)
def rewrap_propose() -> AnyResponse:
    """Propose that every data key is wrapped under other keys."""
    form = RewrapForm()
    if not form.validate():
        return _shown(INVALID, rewrap=form)
    try:
        made = the_vault().key_work.propose_rewrap(
            actor(),
            tuple(form.keys.data.split()),
            form.why.data,
            form.otp.data.strip(),
            remove_old=bool(form.remove_old.data),
        )
    except VaultError as error:
        return refused(error, form, lambda status: _shown(status, rewrap=form))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


def _shown(status: int, drill: DrillForm | None = None, rewrap: RewrapForm | None = None) -> Response:
    drill = drill or DrillForm(formdata=None)
    drill.scope.choices = options(SCOPES)
    named = the_vault().key_work.named
    return page(
        "ui/keys.html",
        status,
        named=named,
        drill=drill,
        rewrap=rewrap or RewrapForm(formdata=None, keys="\n".join(named)),
    )
