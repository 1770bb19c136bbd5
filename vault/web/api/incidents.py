"""Incidents, and how far AWS's own records were compared with the log."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.errors import not_found
from vault.ports.store import Slice
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.incidents import (
    CheckoutCloudResource,
    Closing,
    CloudStatusResource,
    IncidentQuery,
    IncidentResource,
    IncidentSummary,
    Taking,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders


@operation("GET", "/incidents", Permission.INCIDENT_HANDLE, problems={422: ("cursor.invalid",)})
def list_incidents(sent: IncidentQuery) -> Items[IncidentSummary]:
    """List incidents in sight: open ones first, the weightiest and oldest first."""
    me = actor()
    page = the_vault().incidents.page(me, sent.wanted(me.id), Slice(sent.limit, sent.cursor))
    return Items[IncidentSummary](items=[IncidentSummary.of(each) for each in page.items], next=page.next)


@operation("GET", "/incidents/<incident_id>", Permission.INCIDENT_HANDLE)
def read_incident(incident_id: str) -> IncidentResource:
    """Read one incident with its evidence and AWS's records of it."""
    return IncidentResource.of_evidence(the_vault().incidents.evidence(actor(), incident_id))


@operation(
    "POST", "/incidents/<incident_id>/take", Permission.INCIDENT_HANDLE, problems={409: ("incident.state",)}
)
def take_incident(incident_id: str, sent: Taking) -> IncidentSummary:
    """Take an incident that nobody has, or hand it on to someone who may handle it.

    One that somebody else has is handed on by them, or by an auditor.
    """
    incidents, me = the_vault().incidents, actor()
    if sent.to is None:
        return IncidentSummary.of(incidents.take(me, incident_id))
    return IncidentSummary.of(incidents.hand_on(me, incident_id, me.id if sent.to == "me" else sent.to))


@operation(
    "POST",
    "/incidents/<incident_id>/close",
    Permission.INCIDENT_HANDLE,
    problems={403: ("policy.second_person",), 409: ("incident.state",)},
)
def close_incident(incident_id: str, sent: Closing) -> IncidentSummary:
    """Close an incident that you own, with what explains it; not one about your own checkout.

    What is about the log itself is closed by an auditor.
    """
    return IncidentSummary.of(the_vault().incidents.close(actor(), incident_id, sent.sentence))


@operation("GET", "/cloud/status", Permission.INCIDENT_HANDLE)
def read_cloud_status() -> CloudStatusResource:
    """Say how far AWS's records were read, source by source, and what could not be."""
    vault = the_vault()
    return CloudStatusResource.of(vault.reconciliation.status(), vault.clock.now())


@operation("GET", "/checkouts/<checkout_id>/cloud", Permission.TRAIL_READ)
def read_checkout_cloud(checkout_id: str) -> CheckoutCloudResource:
    """Read what AWS recorded of one checkout: uses of keys, and what root did under it."""
    vault = the_vault()
    vault.views.checkout(actor(), checkout_id)  # in sight, or it is not there
    found = vault.reconciliation.of_checkout(checkout_id)
    if found is None:
        raise not_found("checkout", checkout_id[:36])
    return CheckoutCloudResource.of(found)


@renders(blueprint, "incident")
def show_again(incident_id: str) -> ResponseReturnValue:
    """Draw an incident for a repeated request."""
    return as_json(IncidentSummary.of(the_vault().incidents.get(actor(), incident_id)))
