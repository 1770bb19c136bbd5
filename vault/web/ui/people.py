"""People: invite, propose and confirm roles, take them away, shut someone out.

Decided here: an enrolment link is shown once, in the answer to the POST that made it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, VaultError
from vault.ports.store import Slice
from vault.services.people import Wish
from vault.web.api.names import customer_id_of
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import disclose
from vault.web.ui.forms import Form, GrantForm, InviteForm, OtpForm, RecoverForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.services.people import Invited

PAGE = 50


@blueprint.get("/people")
@needs(Permission.PEOPLE_MANAGE)
def people_list() -> Response:
    """List everyone."""
    found = the_vault().people.page(actor(), Slice(PAGE, request.args.get("cursor")))
    return page("ui/people.html", people=found.items, next_url=next_page("ui.people_list", found.next))


@blueprint.get("/people/invite")
@needs(Permission.PEOPLE_MANAGE)
def invite() -> Response:
    """Ask for who."""
    return page("ui/invite.html", form=InviteForm(formdata=None), grant=GrantForm(formdata=None))


@blueprint.post("/people/invite")
@needs(Permission.PEOPLE_MANAGE)
def invite_send() -> AnyResponse:
    """Make a person and show their link, once."""
    form, grant = InviteForm(), GrantForm()

    def again(status: int) -> Response:
        return page("ui/invite.html", status, form=form, grant=grant)

    if not form.validate() or not grant.validate():
        return again(INVALID)
    try:
        made = the_vault().people.invite(actor(), form.email.data, form.name.data, (_wish(grant),))
    except VaultError as error:
        return refused(error, form, again)
    return _link(made)


@blueprint.get("/people/<person_id>")
@needs(Permission.PEOPLE_MANAGE)
def person_page(person_id: str) -> Response:
    """Show a person and their roles."""
    return person_again(person_id, GrantForm(formdata=None), 200)


@blueprint.post("/people/<person_id>/link")
@needs(Permission.PEOPLE_MANAGE)
def person_link(person_id: str) -> AnyResponse:
    """Make a fresh enrolment link; the one before is dead."""
    form = Form()
    try:
        made = the_vault().people.new_enrolment(actor(), person_id)
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    return _link(made)


@blueprint.post("/people/<person_id>/grants")
@needs(Permission.PEOPLE_MANAGE)
def person_grant(person_id: str) -> AnyResponse:
    """Propose a role."""
    form = GrantForm()
    if not form.validate():
        return person_again(person_id, form, INVALID)
    try:
        the_vault().people.propose_grant(actor(), person_id, _wish(form))
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    return redirect(url_for("ui.person_page", person_id=person_id), 303)


@blueprint.post("/people/<person_id>/grants/<grant_id>/confirm")
@needs(Permission.PEOPLE_MANAGE)
def grant_confirm(person_id: str, grant_id: str) -> AnyResponse:
    """Agree to a proposed role, with a fresh second factor."""
    form = OtpForm()
    if not form.validate():
        return person_again(person_id, form, INVALID)
    try:
        the_vault().people.confirm_grant(actor(), grant_id, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    return redirect(url_for("ui.person_page", person_id=person_id), 303)


@blueprint.post("/people/<person_id>/grants/<grant_id>/remove")
@needs(Permission.PEOPLE_MANAGE)
def grant_remove(person_id: str, grant_id: str) -> AnyResponse:
    """Take a role away, at once."""
    form = Form()
    try:
        the_vault().people.remove_grant(actor(), grant_id)
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    return redirect(url_for("ui.person_page", person_id=person_id), 303)


@blueprint.post("/people/<person_id>/disable")
@needs(Permission.PEOPLE_MANAGE)
def person_disable(person_id: str) -> AnyResponse:
    """Shut a person out, and show what they leave behind."""
    form = Form()
    try:
        the_vault().people.disable(actor(), person_id)
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    return redirect(url_for("ui.leaver_page", person_id=person_id), 303)


def person_again(person_id: str, form: Form, status: int) -> Response:
    """Show a person and their roles, with what was refused."""
    vault, who = the_vault(), actor()
    profile = vault.people.get(who, person_id)
    return page(
        "ui/person.html",
        status,
        identities=the_vault().federation.of(actor(), person_id),
        person=profile.person,
        grants=profile.grants,
        form=form,
        grant=form if isinstance(form, GrantForm) else GrantForm(formdata=None),
        otp_form=form if isinstance(form, OtpForm) else OtpForm(formdata=None),
        recover=form if isinstance(form, RecoverForm) else RecoverForm(formdata=None),
        recovery=vault.recovery.standing(person_id),
    )


def _link(made: Invited) -> Response:
    token = disclose.of_text(made.link)
    link = the_vault().settings.server.public_url.rstrip("/") + url_for("ui.enrol", token=token)
    return page("ui/invited.html", person=made.person, link=link)


def scope_of(reach: str, target: str) -> Scope:
    """Read a reach and its target, a DDI or an account number, as people type them; raises `Invalid` at /target."""
    kind, target = ScopeKind(reach), target.replace(" ", "")
    if kind is ScopeKind.ALL:
        return Scope()
    if kind is ScopeKind.ACCOUNT:
        return Scope(kind, target.replace("-", ""))
    customer_id = customer_id_of(target, Permission.ACCOUNT_READ)
    if customer_id == target:
        place = FieldError("/target", "Give the DDI number of a customer that is registered.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    return Scope(kind, customer_id)


def _wish(form: GrantForm) -> Wish:
    scope = scope_of(form.scope.data, form.target.data or "")
    return Wish(Role(form.role.data), scope, _end_of(form.ends_at.data or ""))


def _end_of(text: str) -> datetime | None:
    """Read the last day on which a power counts; it ends with that day, in UTC."""
    if not text.strip():
        return None
    try:
        return datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC) + timedelta(days=1)
    except (ValueError, OverflowError):
        place = FieldError("/ends_at", "Give a day as YYYY-MM-DD.")
        raise Invalid("input.invalid", place.detail, errors=(place,)) from None
