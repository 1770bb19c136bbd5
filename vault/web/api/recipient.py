"""The offline recovery recipient: whom every data key is wrapped for, and proposing another."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.web.api.proposals import shown
from vault.web.api.routes import operation
from vault.web.api.schemas.proposals import ProposalResource
from vault.web.api.schemas.recipient import NewRecipient, RecipientResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/keys/recipient", SIGNED_IN, problems={403: ("policy.denied",)})
def read_recipient() -> RecipientResource:
    """Say whom data keys are wrapped for, for who manages keys and for auditors."""
    return RecipientResource.of(the_vault().recipients.state(actor()))


@operation(
    "POST",
    "/keys/recipient",
    Permission.KEYS_MANAGE,
    creates="/proposals/{id}",
    problems={
        401: ("auth.refused",),
        409: ("proposal.exists", "proposal.state", "otp.used", "concurrent.change"),
        423: ("frozen",),
        429: ("auth.delayed",),
    },
)
def propose_recipient(sent: NewRecipient) -> ProposalResource:
    """Propose another recovery recipient, or `none`; another administrator compares it letter by letter and agrees.

    Its shares open every credential, so it waits out a hold after the second word; that nobody is wrapped for any more
    counts at once. What was sealed before gets its wrap by `rootvault rewrap`.
    """
    made = the_vault().recipients.propose(actor(), sent.recipient, sent.why, sent.otp.expose())
    return shown(made)
