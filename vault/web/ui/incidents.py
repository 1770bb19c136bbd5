"""Incidents as pages: the board, and one with its evidence, to take, hand on and close.

Decided here: nothing. The record on the page is what AWS wrote, as text; who typed what is in it is not believed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.incident import CLOSING_MAX, IncidentKind
from vault.domain.policy import Permission
from vault.errors import NotFound, VaultError
from vault.ports.cloud import IncidentFilter
from vault.ports.store import Page, Slice
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui.forms import ClosingForm, HandOnForm, options
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused
from vault.web.ui.words import INCIDENT

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.services.incidents import IncidentView
    from vault.web.ui.forms import Form

PAGE: Final = 50
FILTERS: Final = ("state", "kind", "account", "owner")


@blueprint.get("/incidents")
@needs(Permission.INCIDENT_HANDLE)
def incident_list() -> Response:
    """Show the board: open ones first, the weightiest and oldest first."""
    vault, who = the_vault(), actor()
    asked = {name: request.args.get(name, "").strip() for name in FILTERS}
    given = {name: value for name, value in asked.items() if value}
    state, kind = asked["state"] or "open", asked["kind"]
    wanted = IncidentFilter(
        is_open={"open": True, "closed": False}.get(state),
        kind=IncidentKind(kind) if kind in set(IncidentKind) else None,
        account_id=asked["account"].replace(" ", "") or None,
        owner_id=who.id if asked["owner"] == "me" else None,
    )
    try:
        found = vault.incidents.page(who, wanted, Slice(PAGE, request.args.get("cursor")))
        status, error = 200, None
    except NotFound:
        raise
    except VaultError as refusal:
        empty: tuple[IncidentView, ...] = ()
        found, status, error = Page(empty, None), status_of(refusal), refusal
    return page(
        "ui/incidents.html",
        status,
        incidents=found.items,
        asked=asked | {"state": state},
        error=error,
        kinds=[(kind.value, word.name) for kind, word in INCIDENT.items()],
        next_url=next_page("ui.incident_list", found.next, given),
        cloud=vault.reconciliation.status(),
    )


@blueprint.get("/incidents/<incident_id>")
@needs(Permission.INCIDENT_HANDLE)
def incident_page(incident_id: str) -> Response:
    """Show one with its evidence."""
    return _incident(incident_id, ClosingForm(formdata=None), 200)


@blueprint.post("/incidents/<incident_id>/take")
@needs(Permission.INCIDENT_HANDLE)
def incident_take(incident_id: str) -> AnyResponse:
    """Take it, or hand it on to who was chosen."""
    form = HandOnForm()
    incidents, who = the_vault().incidents, actor()
    is_handed_on = form.to.name in request.form
    if is_handed_on and not form.validate():
        return _incident(incident_id, form, INVALID)
    try:
        if is_handed_on:
            incidents.hand_on(who, incident_id, form.to.data)
        else:
            incidents.take(who, incident_id)
    except VaultError as error:
        return refused(error, form, lambda status: _incident(incident_id, form, status))
    return redirect(url_for("ui.incident_page", incident_id=incident_id), 303)


@blueprint.post("/incidents/<incident_id>/close")
@needs(Permission.INCIDENT_HANDLE)
def incident_close(incident_id: str) -> AnyResponse:
    """Close it with a sentence."""
    form = ClosingForm()
    try:
        the_vault().incidents.close(actor(), incident_id, form.sentence.data or "")
    except VaultError as error:
        return refused(error, form, lambda status: _incident(incident_id, form, status))
    return redirect(url_for("ui.incident_page", incident_id=incident_id), 303)


def _incident(incident_id: str, form: Form, status: int) -> Response:
    found = the_vault().incidents.evidence(actor(), incident_id)
    handing = form if isinstance(form, HandOnForm) else HandOnForm(formdata=None)
    handing.to.choices = options((("", "Choose…"), *((each.id, each.name) for each in found.candidates)))
    above = {each.record.event_id for each in found.records}
    return page(
        "ui/incident.html",
        status,
        found=found,
        around=[each for each in found.around if each.record.event_id not in above],
        incident=found.view.incident,
        form=form,
        closing=form if isinstance(form, ClosingForm) else ClosingForm(formdata=None),
        handing=handing,
        longest=CLOSING_MAX,
        evidence=_drawn(found.view.incident.evidence),
    )


def _drawn(evidence: str) -> str:
    """Lay JSON out in lines, still all ASCII; what is not JSON stays as it is."""
    try:
        return json.dumps(json.loads(evidence), indent=2, sort_keys=True)
    except (ValueError, RecursionError):
        return evidence
