"""Emergencies as pages: what is frozen and how it ends, the review of a broken glass, the second person of a lease."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from flask import redirect, url_for

from vault.domain.actor import Scope, ScopeKind
from vault.domain.checkout import Verdict
from vault.domain.freeze import FreezeKind, read_covered
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.services.velocity import Wanted
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.checkouts import others_again
from vault.web.ui.forms import Form, OtpForm
from vault.web.ui.forms_emergency import (
    BudgetForm,
    EnableForm,
    FreezeForm,
    LiftForm,
    ReviewGlassForm,
    SplitOffForm,
)
from vault.web.ui.people import scope_of
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

SHOWN: Final = 100


@blueprint.get("/freezes")
@needs(SIGNED_IN)
def freeze_list() -> Response:
    """Show what is frozen, what was lifted lately, and the press that freezes everything."""
    return _freezes(FreezeForm(formdata=None), LiftForm(formdata=None), 200)


@blueprint.post("/freeze")
@needs(Permission.FREEZE_SET)
def freeze_set() -> AnyResponse:
    """Freeze, in one press."""
    form = FreezeForm()

    def again(status: int) -> Response:
        return _freezes(form, LiftForm(formdata=None), status)

    if not form.validate():
        return again(INVALID)
    try:
        the_vault().freezes.freeze(actor(), form.scope.data.strip(), form.why.data or "")
    except VaultError as error:
        return refused(error, form, again)
    covered = read_covered(form.scope.data.strip())
    if covered is not None and covered.kind is FreezeKind.ACCOUNT:
        return redirect(url_for("ui.account_page", account_id=covered.target), 303)
    return redirect(url_for("ui.freeze_list"), 303)


@blueprint.post("/freezes/<freeze_id>/lift")
@needs(Permission.FREEZE_LIFT)
def freeze_lift(freeze_id: str) -> AnyResponse:
    """Give one of the two words that lift a freeze."""
    form = LiftForm()

    def again(status: int) -> Response:
        return _freezes(FreezeForm(formdata=None), form, status, freeze_id)

    if not form.validate():
        return again(INVALID)
    try:
        the_vault().freezes.lift(actor(), freeze_id, form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, again)
    return redirect(url_for("ui.freeze_list"), 303)


@blueprint.post("/checkouts/<checkout_id>/review")
@needs(Permission.CHECKOUT_REVIEW)
def glass_review(checkout_id: str) -> AnyResponse:
    """Review a broken glass."""
    form = ReviewGlassForm()
    if not form.validate():
        return others_again(checkout_id, form, INVALID)
    try:
        the_vault().glass.review(
            actor(), checkout_id, Verdict(form.verdict.data), form.sentence.data, form.otp.data.strip()
        )
    except VaultError as error:
        return refused(error, form, lambda status: others_again(checkout_id, form, status))
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.post("/checkouts/<checkout_id>/join")
@needs(Permission.CHECKOUT_USE)
def second_join(checkout_id: str) -> AnyResponse:
    """Take the codes of somebody's lease."""
    form = OtpForm()
    if not form.validate():
        return others_again(checkout_id, form, INVALID)
    try:
        the_vault().checkouts.join(actor(), checkout_id, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: others_again(checkout_id, form, status))
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.get("/checkouts/<checkout_id>/<any('review', 'join'):_step>")
@needs(SIGNED_IN)
def emergency_back(checkout_id: str, _step: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.checkout_page", checkout_id=checkout_id), 303)


@blueprint.get("/people/<person_id>/limits")
@needs(SIGNED_IN)
def limits_page(person_id: str) -> Response:
    """Show how many accounts a person opens, whether they may break the glass, and what changes either."""
    return _limits(person_id, Form(formdata=None), 200)


@blueprint.post("/people/<person_id>/limits/budget")
@needs(Permission.BUDGET_RAISE)
def budget_propose(person_id: str) -> AnyResponse:
    """Propose a campaign's budget."""
    form = BudgetForm()
    if not form.validate():
        return _limits(person_id, form, INVALID)
    vault, count = the_vault(), form.accounts.data.strip()
    until = vault.clock.now() + timedelta(hours=int(form.hours.data))
    number = int(count) if count.isascii() and count.isdigit() and len(count) < 7 else 0  # noqa: PLR2004 - no budget has as many digits
    try:
        wanted = Wanted(person_id, number, until)
        made = vault.budgets.propose(actor(), wanted, form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _limits(person_id, form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


@blueprint.post("/people/<person_id>/limits/break-glass")
@needs(Permission.PEOPLE_MANAGE)
def glass_enable(person_id: str) -> AnyResponse:
    """Propose that a person may break the glass."""
    form = EnableForm()
    if not form.validate():
        return _limits(person_id, form, INVALID)
    try:
        made = the_vault().glass.enable(
            actor(),
            person_id,
            scope_of(form.scope.data, form.target.data or ""),
            form.why.data,
            form.otp.data.strip(),
        )
    except VaultError as error:
        return refused(error, form, lambda status: _limits(person_id, form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


@blueprint.get("/accounts/<account_id>/custody")
@needs(Permission.ACCOUNT_REGISTER)
def split_page(account_id: str) -> Response:
    """Show whether password and codes of an account go to two people, and what changes it."""
    return _custody(account_id, SplitOffForm(formdata=None), 200)


@blueprint.post("/accounts/<account_id>/custody/split")
@needs(Permission.ACCOUNT_REGISTER)
def split_on(account_id: str) -> AnyResponse:
    """Split custody of an account."""
    form = Form()
    try:
        the_vault().split.turn_on(actor(), Scope(ScopeKind.ACCOUNT, account_id))
    except VaultError as error:
        return refused(error, form, lambda status: _custody(account_id, form, status))
    return redirect(url_for("ui.split_page", account_id=account_id), 303)


@blueprint.post("/accounts/<account_id>/custody/end")
@needs(Permission.ACCOUNT_REGISTER)
def split_off(account_id: str) -> AnyResponse:
    """Propose that one person may have both halves again."""
    form = SplitOffForm()
    if not form.validate():
        return _custody(account_id, form, INVALID)
    scope = Scope(ScopeKind.ACCOUNT, account_id)
    try:
        made = the_vault().split.turn_off(actor(), scope, form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _custody(account_id, form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


def _freezes(form: FreezeForm, lift: LiftForm, status: int, at: str = "") -> Response:
    vault, who = the_vault(), actor()
    waiting: dict[str, str] = {}
    if not vault.policy.reach(who, Permission.FREEZE_LIFT).empty:
        found = vault.proposals.page(who, Slice(SHOWN), kind=ProposalKind.LIFT, is_waiting=True).items
        waiting = {each.subject: each.proposed_by for each in found}
    return page(
        "ui/freezes.html",
        status,
        freezes=vault.freezes.open(who),
        lifted=vault.freezes.lately(who),
        waiting=waiting,
        form=form,
        lift=lift,
        lifting=at,
        fresh_lift=LiftForm(formdata=None),
    )


def _limits(person_id: str, form: Form, status: int) -> Response:
    vault, who = the_vault(), actor()
    return page(
        "ui/limits.html",
        status,
        pace=vault.budgets.pace(who, person_id),
        enabled=vault.glass.enabled(person_id),
        form=form,
        budget=form if isinstance(form, BudgetForm) else BudgetForm(formdata=None),
        enable=form if isinstance(form, EnableForm) else EnableForm(formdata=None),
    )


def _custody(account_id: str, form: Form, status: int) -> Response:
    vault = the_vault()
    view = vault.accounts.get(actor(), account_id)
    return page(
        "ui/custody.html",
        status,
        view=view,
        is_split=vault.split.is_split(view.account),
        form=form,
        off=form if isinstance(form, SplitOffForm) else SplitOffForm(formdata=None),
    )
