"""What takes two people: the list, the second word, the end. Each kind is proposed where its noun is."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from vault.domain.proposal import Proposal
from vault.ports.store import Slice
from vault.web.api.routes import as_json, blueprint, operation
from vault.web.api.schemas.base import Items
from vault.web.api.schemas.proposals import Agreement, Ending, ProposalQuery, ProposalResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN
from vault.web.idempotency import renders


def shown(proposal: Proposal) -> ProposalResource:
    """Show a proposal as it stands now."""
    return ProposalResource.of(proposal, the_vault().clock.now())


@operation("GET", "/proposals", SIGNED_IN, problems={422: ("cursor.invalid",)})
def list_proposals(sent: ProposalQuery) -> Items[ProposalResource]:
    """List what takes two people within your scope, newest first: of the kinds you may decide, or all as an auditor."""
    page = the_vault().proposals.page(
        actor(), Slice(sent.limit, sent.cursor), kind=sent.kind, is_waiting=sent.state == "waiting"
    )
    return Items[ProposalResource](items=[shown(each) for each in page.items], next=page.next)


@operation("GET", "/proposals/<proposal_id>", SIGNED_IN)
def read_proposal(proposal_id: str) -> ProposalResource:
    """Read one with exactly what is agreed to."""
    return shown(the_vault().proposals.get(actor(), proposal_id))


@operation(
    "POST",
    "/proposals/<proposal_id>/confirm",
    SIGNED_IN,
    problems={
        401: ("auth.refused",),
        403: ("policy.denied", "policy.second_person"),
        409: ("proposal.state", "approval.changed", "otp.used"),
        429: ("auth.delayed",),
    },
)
def confirm_proposal(proposal_id: str, sent: Agreement) -> ProposalResource:
    """Agree, as another person than who proposed it or whom it concerns, with a fresh second factor."""
    proposals = the_vault().proposals
    return shown(proposals.confirm(actor(), proposal_id, sent.otp.expose(), sent.content_hash))


@operation("POST", "/proposals/<proposal_id>/end", SIGNED_IN, problems={403: ("policy.denied",)})
def end_proposal(proposal_id: str, sent: Ending) -> ProposalResource:
    """Withdraw or refuse a proposal, or take away what it led to, at once."""
    return shown(the_vault().proposals.end(actor(), proposal_id, sent.why))


@renders(blueprint, "proposal")
def show_again(proposal_id: str) -> ResponseReturnValue:
    """Draw a proposal for a repeated request."""
    return as_json(shown(the_vault().proposals.get(actor(), proposal_id)))
