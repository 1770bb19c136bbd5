"""What takes two people, as pages: the list, and one to agree to or to end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.campaign import Plan, read_plan
from vault.domain.proposal import ProposalKind
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.services.proposals import content_hash
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.forms import AgreeForm, Form, WhyForm
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.policy_changes import Difference
    from vault.domain.proposal import Proposal

PAGE: Final = 50


@blueprint.get("/proposals")
@needs(SIGNED_IN)
def proposal_list() -> Response:
    """Show what waits for a second person, or everything."""
    vault, who = the_vault(), actor()
    asked = {"state": request.args.get("state", "waiting"), "kind": request.args.get("kind", "")}
    kind = ProposalKind(asked["kind"]) if asked["kind"] in set(ProposalKind) else None
    found = vault.proposals.page(
        who, Slice(PAGE, request.args.get("cursor")), kind=kind, is_waiting=asked["state"] != "any"
    )
    names = _names({each.proposed_by for each in found.items})
    return page(
        "ui/proposals.html",
        proposals=found.items,
        names=names,
        asked=asked,
        roles=vault.people.waiting(who) if kind is None else (),
        next_url=next_page("ui.proposal_list", found.next, asked),
    )


@blueprint.get("/proposals/<proposal_id>")
@needs(SIGNED_IN)
def proposal_page(proposal_id: str) -> Response:
    """Show one, with exactly what is agreed to."""
    return _proposal(proposal_id, Form(), 200)


@blueprint.post("/proposals/<proposal_id>/confirm")
@needs(SIGNED_IN)
def proposal_confirm(proposal_id: str) -> AnyResponse:
    """Agree to what was looked at."""
    form = AgreeForm()
    if not form.validate():
        return _proposal(proposal_id, form, INVALID)
    try:
        the_vault().proposals.confirm(actor(), proposal_id, form.otp.data.strip(), form.content.data)
    except VaultError as error:
        return refused(error, form, lambda status: _proposal(proposal_id, form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=proposal_id), 303)


@blueprint.post("/proposals/<proposal_id>/end")
@needs(SIGNED_IN)
def proposal_end(proposal_id: str) -> AnyResponse:
    """Withdraw it, refuse it, or take away what it led to."""
    form = WhyForm()
    if not form.validate():
        return _proposal(proposal_id, form, INVALID)
    try:
        the_vault().proposals.end(actor(), proposal_id, form.why.data)
    except VaultError as error:
        return refused(error, form, lambda status: _proposal(proposal_id, form, status))
    return redirect(url_for("ui.proposal_page", proposal_id=proposal_id), 303)


def _proposal(proposal_id: str, form: Form, status: int) -> Response:
    vault, who = the_vault(), actor()
    found = vault.proposals.get(who, proposal_id)
    agree = form if isinstance(form, AgreeForm) else AgreeForm(formdata=None)
    agree.content.data = content_hash(found)
    plan = _plan(found)
    people = {found.proposed_by, found.confirmed_by or "", found.ended_by or "", found.subject}
    people |= frozenset() if plan is None else plan.people
    return page(
        "ui/proposal.html",
        status,
        proposal=found,
        state=found.state(vault.clock.now()),
        names=_names(people),
        form=form,
        agree=agree,
        why=form if isinstance(form, WhyForm) else WhyForm(formdata=None),
        barred=vault.proposals.barred(who, found),
        changed=_policy_changes(found),
        plan=plan,
        may_end=vault.proposals.may_end(who, found),
    )


def _plan(found: Proposal) -> Plan | None:
    """Read a proposed campaign; None for anything else."""
    return read_plan(found.content) if found.kind is ProposalKind.CAMPAIGN else None


def _policy_changes(found: Proposal) -> tuple[Difference, ...] | None:
    """Say what a proposed policy would change now; None for anything else, and for one that is decided."""
    is_open = found.ended_at is None and found.confirmed_at is None
    if found.kind is not ProposalKind.POLICY or not is_open or not the_vault().policies.may_read(actor()):
        return None
    return the_vault().policies.compare(actor(), found.content).differences


def _names(people: set[str]) -> dict[str, str]:
    """Give people's names by their ids, for those who are there."""
    with the_vault().units.read() as unit:
        found = [unit.people.get(each) for each in sorted(people) if each]
    return {each.id: each.name for each in found if each is not None}
