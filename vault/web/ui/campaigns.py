"""Campaigns and the calendar of coming work as pages."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import redirect, request, url_for

from vault.domain.account import Kind
from vault.domain.campaign import MOST_ACCOUNTS, Parts, Stage
from vault.domain.health import WORDS, Health, Why
from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.ports.campaigns import Wanted
from vault.ports.store import Slice
from vault.services.campaigns import TAKEN_AT_ONCE
from vault.services.coming import EARLIEST, LATEST, LONGEST
from vault.services.planning import Where, Wish
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.forms import Form
from vault.web.ui.forms_campaigns import CampaignForm, MoveForm, TakeForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused
from vault.web.ui.upkeep import asked_for, choice, customers
from vault.web.ui.words import HEALTH, KIND

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE: Final = 50
WEEKS: Final = (1, 4, 13)


@blueprint.get("/upkeep/campaigns")
@needs(Permission.ACCOUNT_READ)
def campaign_list() -> Response:
    """Show the campaigns that run, or all."""
    asked, given = asked_for("state")
    part = Slice(PAGE, request.args.get("cursor"))
    found = the_vault().campaigns.page(actor(), part, is_running=asked["state"] != "any")
    return page(
        "ui/campaigns.html",
        found=found.items,
        asked=asked,
        next_url=next_page("ui.campaign_list", found.next, given),
    )


@blueprint.get("/upkeep/campaigns/new")
@needs(Permission.BUDGET_RAISE)
def campaign_new() -> Response:
    """Show which accounts a filter finds now, and the form that proposes a campaign over them."""
    form = CampaignForm(formdata=None)
    form.pace.data = str(the_vault().policy.limits.accounts_per_hour)
    return _new(form, 200)


@blueprint.post("/upkeep/campaigns/new")
@needs(Permission.BUDGET_RAISE)
def campaign_propose() -> AnyResponse:
    """Propose one."""
    form = CampaignForm()
    if not form.validate():
        return _new(form, INVALID)
    vault = the_vault()
    named = tuple(re.split(r"[\s,;]+", form.numbers.data.strip())) if form.numbers.data.strip() else None
    wish = Wish(
        form.name.data,
        form.why.data,
        Parts(form.parts.data),
        vault.clock.now() + timedelta(days=int(form.days.data)),
        int(form.pace.data),
        tuple(form.people.data),
        named,
        _where(),
        form.share.data == "even",
    )
    try:
        made = vault.campaigns.propose(actor(), wish, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _new(form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=made.id), 303)


@blueprint.get("/upkeep/campaigns/<campaign_id>")
@needs(Permission.ACCOUNT_READ)
def campaign_page(campaign_id: str) -> Response:
    """Show one: how far it is, who has what, and its accounts."""
    return _campaign(campaign_id, Form(formdata=None), 200)


@blueprint.post("/upkeep/campaigns/<campaign_id>/take")
@needs(Permission.CHECKOUT_USE)
def campaign_take(campaign_id: str) -> AnyResponse:
    """Take accounts that nobody has: so many, or one that is named."""
    form, one = TakeForm(), request.form.get("account", "")
    if not one and not form.validate():
        return _campaign(campaign_id, form, INVALID)
    wanted: tuple[str, ...] | int = (one,) if one else int(form.number.data)
    try:
        the_vault().campaigns.take(actor(), campaign_id, wanted)
    except VaultError as error:
        return refused(error, form, lambda status: _campaign(campaign_id, form, status))
    return redirect(url_for("ui.campaign_page", campaign_id=campaign_id), 303)


@blueprint.post("/upkeep/campaigns/<campaign_id>/give-back")
@needs(Permission.CHECKOUT_USE)
def campaign_give_back(campaign_id: str) -> AnyResponse:
    """Give an account of one's own back."""
    form = Form()
    try:
        the_vault().campaigns.give_back(actor(), campaign_id, (request.form.get("account", ""),))
    except VaultError as error:
        return refused(error, form, lambda status: _campaign(campaign_id, form, status))
    return redirect(url_for("ui.campaign_page", campaign_id=campaign_id), 303)


@blueprint.post("/upkeep/campaigns/<campaign_id>/assign")
@needs(Permission.BUDGET_RAISE)
def campaign_assign(campaign_id: str) -> AnyResponse:
    """Give somebody's accounts to somebody else."""
    form = MoveForm()
    if not form.validate():
        return _campaign(campaign_id, form, INVALID)
    of, to = form.of.data or None, form.to.data or None
    try:
        the_vault().campaigns.assign(actor(), campaign_id, int(form.number.data), of, to)
    except VaultError as error:
        return refused(error, form, lambda status: _campaign(campaign_id, form, status))
    return redirect(url_for("ui.campaign_page", campaign_id=campaign_id), 303)


@blueprint.get("/upkeep/campaigns/<campaign_id>/<any('take', 'give-back', 'assign'):_step>")
@needs(Permission.ACCOUNT_READ)
def campaign_back(campaign_id: str, _step: str) -> AnyResponse:
    """Lead back from the address of an answer that is not there any more."""
    return redirect(url_for("ui.campaign_page", campaign_id=campaign_id), 303)


@blueprint.get("/upkeep/calendar")
@needs(Permission.ACCOUNT_READ)
def calendar_page() -> Response:
    """Show what falls on coming days, week by week."""
    vault = the_vault()
    asked, _ = asked_for("from", "weeks")
    today = vault.clock.now().date()
    try:
        first = date.fromisoformat(asked["from"]) if asked["from"] else today
    except ValueError:
        first = today
    first = first if EARLIEST <= first <= LATEST - LONGEST * timedelta(days=1) else today
    weeks = int(asked["weeks"]) if asked["weeks"] in {str(each) for each in WEEKS} else WEEKS[1]
    days = vault.coming.days(actor(), first, first + timedelta(days=7 * weeks - 1))
    return page(
        "ui/calendar.html",
        days=days,
        today=today,
        first=first,
        weeks=weeks,
        choices=WEEKS,
        earlier=first - timedelta(days=7 * weeks),
        later=first + timedelta(days=7 * weeks),
    )


def _new(form: CampaignForm, status: int) -> Response:
    vault, who = the_vault(), actor()
    asked, given = asked_for("customer", "kind", "health", "why")
    found = vault.campaigns.candidates(who, _where())
    form.people.choices = [(each.id, each.name) for each in vault.campaigns.able(who)]
    return page(
        "ui/campaign_new.html",
        status,
        form=form,
        asked=asked,
        given=given,
        found=found,
        most=MOST_ACCOUNTS,
        customers=customers(),
        kinds=[(each.value, KIND[each]) for each in Kind],
        healths=[(each.value, HEALTH[each].name) for each in Health if each is not Health.ABSENT],
        whys=[(each.value, WORDS[each]) for each in Why if each in WORDS],
    )


def _campaign(campaign_id: str, form: Form, status: int) -> Response:
    vault, who = the_vault(), actor()
    view = vault.campaigns.get(who, campaign_id)
    asked, given = asked_for("person", "stage")
    person = {"": None, "nobody": ""}.get(asked["person"], asked["person"])
    wanted = Wanted(person, choice(Stage, asked["stage"]))
    found = vault.campaigns.accounts(who, campaign_id, wanted, Slice(PAGE, request.args.get("cursor")))
    move = form if isinstance(form, MoveForm) else MoveForm(formdata=None)
    names = vault.campaigns.names(view)
    people = sorted(view.campaign.people, key=lambda each: (names.get(each, each), each))
    move.of.choices = [("", "Nobody"), *((each, names.get(each, each)) for each in people)]
    move.to.choices = move.of.choices
    here = url_for("ui.campaign_page", campaign_id=campaign_id)
    after = None if found.next is None else f"{here}?{urlencode({**given, 'cursor': found.next})}"
    return page(
        "ui/campaign.html",
        status,
        view=view,
        campaign=view.campaign,
        names=names,
        people=[
            each for each in (*people, None) if each in view.campaign.people or any(view.of(each).values())
        ],
        found=found.items,
        asked=asked,
        given=given,
        next_url=after,
        form=form,
        take=form if isinstance(form, TakeForm) else TakeForm(formdata=None),
        move=move,
        most=TAKEN_AT_ONCE,
        stages=list(Stage),
    )


def _where() -> Where:
    """Read the filter, which stands in the address also when the form is sent."""
    asked, _ = asked_for("customer", "kind", "health", "why")
    health, why = choice(Health, asked["health"]), choice(Why, asked["why"])
    return Where(
        asked["customer"] or None,
        choice(Kind, asked["kind"]),
        frozenset() if health is None else frozenset({health}),
        frozenset() if why is None else frozenset({why}),
    )
