"""Rotations, guided: seal, show, say what AWS did, have it verified."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartKind, PartState
from vault.domain.policy import Permission
from vault.domain.rotation import UNSETTLED, Outcome, Rotation, RotationState
from vault.domain.secret import Secret
from vault.domain.walk import Act, Which
from vault.errors import VaultError
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui import disclose
from vault.web.ui.forms import AttestForm, Form, OtpForm, SeedForm, VerifyForm, carrying, options
from vault.web.ui.site import INVALID, blueprint, page, refused
from vault.web.ui.standing import half_of
from vault.web.ui.walk import asked_walk, to_walk, walk_again

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.services.accounts import AccountView
    from vault.services.views import CheckoutView
    from vault.web.ui.disclose import Shown


@blueprint.post("/checkouts/<checkout_id>/rotations")
@needs(Permission.CHECKOUT_USE)
def plan(checkout_id: str) -> AnyResponse:
    """Seal a new value."""
    if request.form.get("part") == PartKind.MFA:
        return _plan_device(checkout_id)
    form, which = Form(), asked_walk() or Which.PASSWORD
    try:
        the_vault().rotations.plan(actor(), checkout_id, PartKind.PASSWORD)
    except VaultError as error:
        return refused(error, form, lambda status: walk_again(checkout_id, which, form, status))
    return to_walk(checkout_id, which, Act.SET)


@blueprint.get("/rotations/<rotation_id>")
@needs(Permission.ACCOUNT_READ)
def rotation_page(rotation_id: str) -> Response:
    """Show a rotation: to the lease's holder as the walk that it is part of, to everybody else as it stands."""
    return _page(rotation_id, OtpForm(formdata=None), 200)


@blueprint.post("/rotations/<rotation_id>/display")
@needs(Permission.CHECKOUT_USE)
def display(rotation_id: str) -> AnyResponse:
    """Show the new password, or two codes of the new device, in this answer only."""
    form = OtpForm(formdata=None)
    try:
        shown = disclose.of_rotation(the_vault().rotations.display(actor(), rotation_id))
    except VaultError as error:
        return refused(error, form, lambda status: _page(rotation_id, form, status))
    return _page(rotation_id, form, 200, shown=shown)


@blueprint.post("/rotations/<rotation_id>/attest")
@needs(Permission.CHECKOUT_USE)
def attest(rotation_id: str) -> AnyResponse:
    """Record what AWS did."""
    vault, form = the_vault(), AttestForm()
    _outcomes(form, vault.views.rotation(actor(), rotation_id).rotation)
    if not form.validate():
        return _page(rotation_id, form, INVALID, attest_form=form)
    try:
        settled = vault.attestations.attest(actor(), rotation_id, Outcome(form.outcome.data))
    except VaultError as error:
        return refused(error, form, lambda status: _page(rotation_id, form, status, attest_form=form))
    return _on(settled)


@blueprint.post("/rotations/<rotation_id>/verify")
@needs(Permission.ROTATION_VERIFY)
def verify(rotation_id: str) -> AnyResponse:
    """Record the evidence that the new value works."""
    form = VerifyForm()
    if not form.validate():
        return _page(rotation_id, OtpForm(formdata=None), INVALID, verify_form=form)
    try:
        the_vault().attestations.verify(actor(), rotation_id, form.evidence.data)
    except VaultError as error:
        return refused(
            error, form, lambda status: _page(rotation_id, OtpForm(formdata=None), status, verify_form=form)
        )
    return redirect(url_for("ui.rotation_page", rotation_id=rotation_id), 303)


@blueprint.post("/rotations/<rotation_id>/abandon")
@needs(Permission.CHECKOUT_USE)
def abandon(rotation_id: str) -> AnyResponse:
    """Drop a plan that nobody has seen."""
    form = OtpForm(formdata=None)
    try:
        dropped = the_vault().rotations.abandon(actor(), rotation_id)
    except VaultError as error:
        return refused(error, form, lambda status: _page(rotation_id, form, status))
    return _on(dropped)


@blueprint.get("/rotations/<rotation_id>/<any('display', 'attest', 'verify', 'abandon'):_step>")
@needs(SIGNED_IN)
def rotation_back(rotation_id: str, _step: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.rotation_page", rotation_id=rotation_id), 303)


def _plan_device(checkout_id: str) -> AnyResponse:
    form, which = SeedForm(), asked_walk() or Which.MFA

    def again(status: int) -> Response:
        return walk_again(checkout_id, which, form, status)

    if not form.validate():
        return again(INVALID)
    try:
        the_vault().rotations.plan(actor(), checkout_id, PartKind.MFA, Secret(form.seed.data))
    except VaultError as error:
        return refused(error, form, again)
    return to_walk(checkout_id, which, Act.CODES)


def _on(rotation: Rotation) -> AnyResponse:
    """Lead on: to the walk's next step where the form came from one, to the rotation otherwise."""
    which, mine = asked_walk(), _mine(rotation.account_id)
    if which is not None and mine is not None:
        return to_walk(mine.checkout.id, which)
    return redirect(url_for("ui.rotation_page", rotation_id=rotation.id), 303)


def _page(
    rotation_id: str,
    form: Form,
    status: int,
    *,
    shown: Shown | None = None,
    attest_form: AttestForm | None = None,
    verify_form: VerifyForm | None = None,
) -> Response:
    vault, who = the_vault(), actor()
    view = vault.views.rotation(who, rotation_id)
    rotation, mine = view.rotation, _mine(view.account.id)
    if mine is not None and (
        rotation.state in UNSETTLED or shown is not None or rotation.attested_in == mine.checkout.id
    ):
        return walk_again(mine.checkout.id, asked_walk() or Which(rotation.kind), form, status, shown)
    attest_form = attest_form or AttestForm(formdata=None)
    _outcomes(attest_form, rotation)
    return page(
        "ui/rotation.html",
        status,
        view=view,
        form=carrying(form),
        mine=mine,
        own=who.id in {rotation.displayed_by, rotation.attested_by},
        may_attest=rotation.state is RotationState.UNKNOWN and rotation.displayed_by == who.id,
        old_devices=[each for each in vault.devices.of(who, view.account.id) if each.is_old],
        attest=attest_form,
        verify=verify_form or VerifyForm(formdata=None),
    )


def _mine(account_id: str) -> CheckoutView | None:
    """Give the running checkout of an account that one holds, alone or as its second person."""
    vault, who = the_vault(), actor()
    claim = vault.accounts.get(who, account_id).claim
    if claim is None:
        return None
    view = vault.views.checkout(who, claim.id)
    return view if view.checkout.state is CheckoutState.ACTIVE and half_of(view) else None


def _outcomes(form: AttestForm, rotation: Rotation) -> None:
    """Offer what can be said now: that none works only while the part is being tried."""
    account: AccountView = the_vault().accounts.get(actor(), rotation.account_id)
    part = next(each.part for each in account.parts if each.part.kind is rotation.kind)
    choices = [
        (Outcome.ACCEPTED, "AWS took it"),
        (Outcome.REFUSED, "AWS refused it; the one before still works"),
    ]
    if rotation.state is RotationState.UNKNOWN:
        choices = [(Outcome.ACCEPTED, "The new one works"), (Outcome.REFUSED, "The one before works")]
    else:
        choices.append((Outcome.UNKNOWN, "I do not know"))
    if part.state is PartState.RECONCILING:
        choices.append((Outcome.NONE_WORKS, "None of them works"))
    form.outcome.choices = options(choices)
