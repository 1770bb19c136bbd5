"""Machines' tokens: who waits for a second administrator, from where each counts, and where it was last used."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from flask import request

from vault.domain.policy import MACHINE_READS, Permission
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.services.machines import Wanted
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import disclose
from vault.web.ui.forms import MachineForm, options
from vault.web.ui.people import scope_of
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE = 50


@blueprint.get("/tokens/machines")
@needs(Permission.PEOPLE_MANAGE)
def machine_list() -> Response:
    """List them, with the form for another."""
    return _machines(_form(fresh=True), 200)


@blueprint.post("/tokens/machines")
@needs(Permission.PEOPLE_MANAGE)
def machine_new() -> AnyResponse:
    """Make one, and show it in this answer only."""
    form = _form()
    if not form.validate():
        return _machines(form, INVALID)
    try:
        wanted = Wanted(
            form.name.data,
            frozenset(form.scopes.data),
            scope_of(form.reach.data, form.target.data or ""),
            tuple((form.addresses.data or "").replace(",", " ").split()),
            timedelta(days=int(form.days.data)),
            form.why.data or "",
        )
        made = the_vault().machines.issue(actor(), wanted, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _machines(form, status))
    return page("ui/token_made.html", made=made.token, value=disclose.of_text(made.text))


def _form(*, fresh: bool = False) -> MachineForm:
    form = MachineForm(formdata=None, days="30", reach="all") if fresh else MachineForm()
    form.scopes.choices = options((each, each) for each in the_vault().machines.scopes)
    return form


def _machines(form: MachineForm, status: int) -> Response:
    found = the_vault().machines.page(actor(), Slice(PAGE, request.args.get("cursor")))
    return page(
        "ui/machines.html",
        status,
        tokens=found.items,
        reads=MACHINE_READS,
        next_url=next_page("ui.machine_list", found.next),
        form=form,
    )
