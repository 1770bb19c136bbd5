"""Findings as pages: the list, one with what is done about it, drift, and what was seen of an account.

Decided here: nothing but how a filter is read; what is not a known choice does not narrow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.hygiene import ACCEPTED_MOST, DRIFT, ENDING_MAX, FindingState, Rule
from vault.domain.inspection import Unknown
from vault.domain.policy import Permission
from vault.errors import Invalid, VaultError
from vault.ports.inspection import FindingFilter
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui import words_findings
from vault.web.ui.forms import Form, options
from vault.web.ui.forms_findings import AcceptForm, FindingHandOnForm, MendedForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused
from vault.web.ui.upkeep import asked_for, choice, customers

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.services.findings import FindingView
    from vault.services.inspecting import Seen

PAGE: Final = 50
OPEN: Final = "open"
ACCEPT_DAYS: Final = 90
"""What the form proposes."""


@blueprint.get("/upkeep/findings")
@needs(Permission.ACCOUNT_READ)
def finding_list() -> Response:
    """Show findings: open ones first, the weightiest and oldest first."""
    asked, given = asked_for("state", "rule", "account", "customer", "owner")
    state = asked["state"] or OPEN
    rule = choice(Rule, asked["rule"])
    wanted = FindingFilter(
        state=choice(FindingState, state),
        rules=None if rule is None else frozenset({rule}),
        account_id=asked["account"].replace(" ", "") or None,
        customer_id=asked["customer"] or None,
        owner_id=actor().id if asked["owner"] == "me" else None,
    )
    return _listed("ui/findings.html", "ui.finding_list", wanted, asked | {"state": state}, given)


@blueprint.get("/upkeep/drift")
@needs(Permission.ACCOUNT_READ)
def drift_page() -> Response:
    """Show where the vault's list of accounts and the Organizations' differ."""
    asked, given = asked_for("customer")
    wanted = FindingFilter(state=FindingState.OPEN, rules=DRIFT, customer_id=asked["customer"] or None)
    return _listed("ui/drift.html", "ui.drift_page", wanted, asked, given)


def _listed(
    template: str, endpoint: str, wanted: FindingFilter, asked: dict[str, str], given: dict[str, str]
) -> Response:
    vault, who = the_vault(), actor()
    status, error = 200, None
    try:
        found = vault.findings.page(who, wanted, Slice(PAGE, request.args.get("cursor")))
    except Invalid as refusal:
        status, error = status_of(refusal), refusal
        found = vault.findings.page(who, wanted, Slice(PAGE))
    return page(
        template,
        status,
        findings=found.items,
        error=error,
        asked=asked,
        given=given,
        told=words_findings,
        rules=[(rule.value, word.name) for rule, word in words_findings.RULE.items()],
        customers=customers(),
        rosters=vault.inspecting.rosters(who),
        is_on=vault.inspecting.inspector is not None,
        next_url=next_page(endpoint, found.next, given),
    )


@blueprint.get("/upkeep/findings/<finding_id>")
@needs(Permission.ACCOUNT_READ)
def finding_page(finding_id: str) -> Response:
    """Show one finding."""
    return _finding(finding_id, Form(formdata=None), 200)


@blueprint.post("/upkeep/findings/<finding_id>/take")
@needs(Permission.FINDING_HANDLE)
def finding_take(finding_id: str) -> AnyResponse:
    """Take it, or hand it on to who was chosen."""
    form = FindingHandOnForm()
    to = form.to.data if form.to.name in request.form else None
    if to is not None and not form.validate():
        return _finding(finding_id, form, INVALID)
    return _done(finding_id, form, lambda: the_vault().findings.take(actor(), finding_id, to))


@blueprint.post("/upkeep/findings/<finding_id>/close")
@needs(Permission.FINDING_HANDLE)
def finding_close(finding_id: str) -> AnyResponse:
    """Say that it is mended."""
    form = MendedForm()
    words = form.sentence.data or ""
    return _done(finding_id, form, lambda: the_vault().findings.close(actor(), finding_id, words))


@blueprint.post("/upkeep/findings/<finding_id>/accept")
@needs(Permission.FINDING_HANDLE)
def finding_accept(finding_id: str) -> AnyResponse:
    """Accept it for a time."""
    form = AcceptForm()
    if not form.validate():
        return _finding(finding_id, form, INVALID)
    words, days = form.sentence.data, form.days.data
    return _done(finding_id, form, lambda: the_vault().findings.accept(actor(), finding_id, words, days))


@blueprint.get("/accounts/<account_id>/inspection")
@needs(Permission.ACCOUNT_READ)
def inspection_page(account_id: str) -> Response:
    """Show what was seen of an account through its role."""
    return _inspection(account_id, Form(formdata=None), 200)


@blueprint.post("/accounts/<account_id>/inspection")
@needs(Permission.FINDING_HANDLE)
def inspection_ask(account_id: str) -> AnyResponse:
    """Put the account first in line."""
    form = Form()
    try:
        the_vault().inspecting.ask(actor(), account_id)
    except VaultError as error:
        return refused(error, form, lambda status: _inspection(account_id, form, status))
    return redirect(url_for("ui.inspection_page", account_id=account_id), 303)


def at_aws(account_id: str) -> tuple[Seen, tuple[FindingView, ...]]:
    """Give what an account's page tells of AWS: the last look, and its open findings."""
    vault, who = the_vault(), actor()
    wanted = FindingFilter(state=FindingState.OPEN, account_id=account_id)
    return vault.inspecting.of_account(who, account_id), vault.findings.page(who, wanted, Slice(PAGE)).items


def _done(finding_id: str, form: Form, do: Callable[[], object]) -> AnyResponse:
    try:
        do()
    except VaultError as error:
        return refused(error, form, lambda status: _finding(finding_id, form, status))
    return redirect(url_for("ui.finding_page", finding_id=finding_id), 303)


def _finding(finding_id: str, form: Form, status: int) -> Response:
    found = the_vault().findings.get(actor(), finding_id)
    handing = form if isinstance(form, FindingHandOnForm) else FindingHandOnForm(formdata=None)
    handing.to.choices = options((("", "Choose…"), *((each.id, each.name) for each in found.candidates)))
    accepting = form if isinstance(form, AcceptForm) else AcceptForm(formdata=None)
    if not isinstance(form, AcceptForm):
        accepting.days.data = ACCEPT_DAYS
    return page(
        "ui/finding.html",
        status,
        found=found,
        it=found.view.finding,
        account=found.view.account,
        told=words_findings,
        form=form,
        handing=handing,
        mended=form if isinstance(form, MendedForm) else MendedForm(formdata=None),
        accepting=accepting,
        longest=ENDING_MAX,
        most_days=ACCEPTED_MOST.days,
    )


def _inspection(account_id: str, form: Form, status: int) -> Response:
    seen, findings = at_aws(account_id)
    return page(
        "ui/inspection.html",
        status,
        seen=seen,
        account=seen.account,
        facts=[] if seen.last is None else words_findings.rows(seen.last),
        missing=_missing(seen),
        findings=findings,
        told=words_findings,
        form=form,
        is_on=the_vault().inspecting.inspector is not None,
    )


def _missing(seen: Seen) -> list[tuple[str, str]]:
    """Give the defaults that are not there or not known, each with its word."""
    if seen.last is None:
        return []
    return [
        (name, words_findings.UNKNOWN[fact.reason] if isinstance(fact, Unknown) else "missing")
        for name, fact in sorted(seen.last.defaults.items())
        if isinstance(fact, Unknown) or not fact.value
    ]
