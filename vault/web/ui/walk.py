"""The walk: a page to stand beside the AWS console, one step large, the others small.

Decided here: which step is the large one (the one to do now, or the one that was asked for), and that every answer on
the way is this page again. What it shows of secrets is in the answer to a POST only, as on every page (S14).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, request, url_for

from vault.domain.checkout import CheckoutState
from vault.domain.policy import Permission
from vault.domain.rotation import RotationState
from vault.domain.walk import CREDENTIALS_AT, SIGN_IN_AT, Act, Stand, Which
from vault.errors import VaultError
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.forms import Form, OtpForm, SeedForm, carrying
from vault.web.ui.site import blueprint, page, refused
from vault.web.ui.standing import half_of, openable_under

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.walk import Step
    from vault.services.walking import WalkView
    from vault.web.ui.disclose import Shown


@blueprint.get("/checkouts/<checkout_id>/rotate/<any('password', 'mfa', 'both'):which>")
@needs(Permission.CHECKOUT_USE)
def walk_page(checkout_id: str, which: str) -> AnyResponse:
    """Show where the walk is; a lease that does not run has its own page."""
    view = the_vault().views.checkout(actor(), checkout_id)
    if not half_of(view) or view.checkout.state is not CheckoutState.ACTIVE:
        return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)
    return walk_again(checkout_id, Which(which), OtpForm(formdata=None), 200)


@blueprint.post("/checkouts/<checkout_id>/device-removed")
@needs(Permission.CHECKOUT_USE)
def device_removed(checkout_id: str) -> AnyResponse:
    """Record that an old device was taken off at AWS."""
    vault, form, which = the_vault(), Form(), asked_walk() or Which.MFA
    view = vault.views.checkout(actor(), checkout_id)
    try:
        vault.devices.removed(actor(), view.account.id, number_sent())
    except VaultError as error:
        return refused(error, form, lambda status: walk_again(checkout_id, which, form, status))
    return to_walk(checkout_id, which)


@blueprint.get("/checkouts/<checkout_id>/device-removed")
@needs(Permission.CHECKOUT_USE)
def device_removed_back(checkout_id: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


def asked_walk() -> Which | None:
    """Say from which walk a form was sent, None where it was another page."""
    text = request.form.get("walk", "")
    return Which(text) if text in set(Which) else None


def to_walk(checkout_id: str, which: Which, act: Act | None = None) -> AnyResponse:
    """Lead on to a step that is named, else to the one that is next."""
    followed = request.form.get("rotation", "") or None
    where = None if act is None else act.value
    address = url_for("ui.walk_page", checkout_id=checkout_id, which=which.value, rotation=followed, at=where)
    return redirect(address, 303)


def asked_act() -> Act | None:
    """Say from which step a form was sent."""
    text = request.form.get("at", "")
    return Act(text) if text in set(Act) else None


def walk_again(
    checkout_id: str, which: Which, form: Form, status: int, shown: Shown | None = None
) -> Response:
    """Show the walk, with what was refused or what is shown."""
    vault, who = the_vault(), actor()
    followed = request.values.get("rotation", "") or None
    lease = vault.views.checkout(who, checkout_id)
    view = vault.walks.of(who, checkout_id, which, followed)
    step = _large(view, Act.ADD if isinstance(form, SeedForm) else None)
    seed = form if isinstance(form, SeedForm) else SeedForm(formdata=None)
    return page(
        "ui/walk.html",
        status,
        view=view,
        lease=lease,
        step=step,
        form=carrying(form),
        seed=seed,
        shown=shown,
        half=half_of(lease),
        openable=openable_under(lease),
        outcomes=_outcomes(step),
        followed=followed or "",
        sign_in_at=SIGN_IN_AT,
        credentials_at=CREDENTIALS_AT,
    )


def _large(view: WalkView, refused: Act | None = None) -> Step:
    """Give the step of which a form was refused, or that was asked for, by its act; the one to do now otherwise."""
    asked = request.values.get("at", "") if refused is None else refused
    found = [each for each in view.steps if each.act == asked]
    open_ = [each for each in found if each.stand is not Stand.DONE]
    return next(iter([*open_, *found]), view.now)


def _outcomes(step: Step) -> tuple[tuple[str, str, str, str], ...]:
    """Give what can be said of a step's rotation: value, words, tone and key of each button."""
    state = None if step.rotation is None else step.rotation.state
    if step.act is Act.FIND_OUT:
        return (
            ("accepted", "The new one works", "primary", "t"),
            ("refused", "The one before works", "quiet", "r"),
            ("none_works", "None of them works", "quiet", "u"),
        )
    if state is not RotationState.DISPLAYED:
        return ()
    return (
        ("accepted", "AWS took it", "primary", "t"),
        ("refused", "AWS refused it", "quiet", "r"),
        ("unknown", "I do not know", "quiet", "u"),
    )


def number_sent() -> int:
    """Read the number of a version that a form names; 0, which no version has, where it is none."""
    text = request.form.get("version", "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0  # noqa: PLR2004 - a version's number fits 32 bits
