"""Members without root credentials: the list, a look, the proposal, and what two people agreed to."""

from __future__ import annotations

from typing import Final

from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.web.api.names import customer_id_of
from vault.web.api.proposals import shown as shown_proposal
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.keyless import Asking, KeylessProposing, KeylessQuery, KeylessResource
from vault.web.api.schemas.proposals import ProposalResource
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

_ASKED: Final[Problems] = {409: ("keyless.state",), 423: ("frozen",), 503: ("keyless.unavailable",)}


@operation("GET", "/keyless", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_keyless(sent: KeylessQuery) -> Items[KeylessResource]:
    """List the members in sight whose root could be, or is, without credentials, by number."""
    customer = sent.customer_id and customer_id_of(sent.customer_id, Permission.ACCOUNT_READ)
    page, _ = the_vault().keyless.page(actor(), sent.wanted(customer), Slice(sent.limit, sent.cursor))
    return Items[KeylessResource](items=[KeylessResource.of(each) for each in page.items], next=page.next)


@operation("GET", "/accounts/<account_id>/keyless", Permission.ACCOUNT_READ)
def read_keyless(account_id: str) -> KeylessResource:
    """Read what is known of one member's root; AWS is not asked."""
    return _shown(account_id)


@operation("POST", "/accounts/<account_id>/keyless/look", Permission.KEYLESS_DECIDE, problems=_ASKED)
def look_at_keyless(account_id: str, sent: Asking) -> KeylessResource:
    """Ask AWS what the member's root has, by an audit session of its payer; nothing is changed there."""
    return KeylessResource.of(the_vault().keyless.look(actor(), account_id, sent.payer_id))


@operation("POST", "/accounts/<account_id>/keyless/register", Permission.KEYLESS_DECIDE, problems=_ASKED)
def register_keyless(account_id: str, sent: Asking) -> KeylessResource:
    """Take a member that never had root credentials as it is, on AWS's word."""
    return KeylessResource.of(the_vault().keyless.register(actor(), account_id, sent.payer_id))


@operation(
    "POST",
    "/accounts/<account_id>/keyless/proposal",
    Permission.KEYLESS_DECIDE,
    creates="/proposals/{id}",
    problems={
        401: ("auth.refused",),
        409: ("keyless.state", "keyless.changed", "proposal.exists", "otp.used"),
        423: ("frozen",),
        429: ("auth.delayed",),
    },
)
def propose_keyless(account_id: str, sent: KeylessProposing) -> ProposalResource:
    """Propose that what the last look found is deleted, or that recovery be allowed again; another has to agree."""
    proposal = the_vault().keyless.propose(actor(), account_id, sent.act, sent.why, sent.otp.expose())
    return shown_proposal(proposal)


@operation(
    "POST",
    "/accounts/<account_id>/keyless/carry-out",
    Permission.KEYLESS_DECIDE,
    problems={
        409: ("proposal.state", "keyless.state", "keyless.changed", "checkout.conflict", "rotation.state"),
        423: ("frozen",),
        503: ("keyless.unavailable", "proposal.unproven", "log.rolled_back"),
    },
)
def carry_out_keyless(account_id: str) -> KeylessResource:
    """Do at AWS what two people agreed to, or go on with it; asked again it does what is left."""
    return KeylessResource.of(the_vault().keyless.carry_out(actor(), account_id))


@renders(blueprint, "keyless")
def show_again(account_id: str) -> ResponseReturnValue:
    """Draw a member for a repeated request."""
    return as_json(_shown(account_id))


def _shown(account_id: str) -> KeylessResource:
    return KeylessResource.of(the_vault().keyless.get(actor(), account_id))
