"""Findings, drift, and looks at accounts through their roles."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items, NoBody
from vault.web.api.schemas.findings import (
    AccountInspectionResource,
    DriftQuery,
    DriftResource,
    FindingAccepting,
    FindingClosing,
    FindingQuery,
    FindingResource,
    FindingSummary,
    FindingTaking,
    RosterResource,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

_STATE = {409: ("finding.state",)}


@operation("GET", "/findings", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_findings(sent: FindingQuery) -> Items[FindingSummary]:
    """List findings in sight: open ones first, the weightiest and oldest first."""
    me = actor()
    page = the_vault().findings.page(me, sent.wanted(me.id), Slice(sent.limit, sent.cursor))
    return Items[FindingSummary](items=[FindingSummary.of(each) for each in page.items], next=page.next)


@operation("GET", "/findings/<finding_id>", Permission.ACCOUNT_READ)
def read_finding(finding_id: str) -> FindingResource:
    """Read one finding."""
    return FindingResource.of_detail(the_vault().findings.get(actor(), finding_id))


@operation("POST", "/findings/<finding_id>/take", Permission.FINDING_HANDLE, problems=_STATE)
def take_finding(finding_id: str, sent: FindingTaking) -> FindingSummary:
    """Take a finding that nobody has, or hand it on to somebody who may handle it."""
    me = actor()
    to = me.id if sent.to == "me" else sent.to
    return FindingSummary.of(the_vault().findings.take(me, finding_id, to))


@operation("POST", "/findings/<finding_id>/close", Permission.FINDING_HANDLE, problems=_STATE)
def close_finding(finding_id: str, sent: FindingClosing) -> FindingSummary:
    """Say that a finding that you own is mended; seen again, it is opened again."""
    return FindingSummary.of(the_vault().findings.close(actor(), finding_id, sent.sentence))


@operation("POST", "/findings/<finding_id>/accept", Permission.FINDING_HANDLE, problems=_STATE)
def accept_finding(finding_id: str, sent: FindingAccepting) -> FindingSummary:
    """Accept a finding that you own for some days; what weighs most is never accepted."""
    return FindingSummary.of(the_vault().findings.accept(actor(), finding_id, sent.sentence, sent.days))


@operation("GET", "/drift", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def read_drift(sent: DriftQuery) -> DriftResource:
    """List where the vault's list of accounts and the Organizations' differ, and how each list was read."""
    vault, me = the_vault(), actor()
    page = vault.findings.page(me, sent.wanted(), Slice(sent.limit, sent.cursor))
    return DriftResource(
        items=[FindingSummary.of(each) for each in page.items],
        next=page.next,
        rosters=[RosterResource.of(each) for each in vault.inspecting.rosters(me)],
    )


@operation("GET", "/accounts/<account_id>/inspection", Permission.ACCOUNT_READ)
def read_inspection(account_id: str) -> AccountInspectionResource:
    """Read what was seen of an account through its role, and what of it is not known."""
    return AccountInspectionResource.of(the_vault().inspecting.of_account(actor(), account_id))


@operation(
    "POST",
    "/accounts/<account_id>/inspection",
    Permission.FINDING_HANDLE,
    problems={409: ("inspection.off", "custody.state")},
)
def ask_for_inspection(account_id: str, sent: NoBody) -> AccountInspectionResource:  # noqa: ARG001 - names the body
    """Put an account first in line to be looked at; the worker does so within a minute or two."""
    return AccountInspectionResource.of(the_vault().inspecting.ask(actor(), account_id))


@renders(blueprint, "finding")
def show_finding_again(finding_id: str) -> ResponseReturnValue:
    """Draw a finding for a repeated request."""
    return as_json(FindingSummary.of(the_vault().findings.get(actor(), finding_id).view))


@renders(blueprint, "inspection")
def show_inspection_again(account_id: str) -> ResponseReturnValue:
    """Draw what is known of an account for a repeated request."""
    return as_json(AccountInspectionResource.of(the_vault().inspecting.of_account(actor(), account_id)))
