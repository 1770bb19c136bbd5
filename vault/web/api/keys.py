"""Work on keys that takes two people: other keys for every data key, and a drill. Commands on the host do it then."""

from __future__ import annotations

from typing import Final

from vault.domain.policy import Permission
from vault.web.api.proposals import shown
from vault.web.api.routes import Problems, operation
from vault.web.api.schemas.keys import NewDrill, NewRewrap
from vault.web.api.schemas.proposals import ProposalResource
from vault.web.auth import actor, the_vault

_TWO: Final[Problems] = {
    401: ("auth.refused",),
    409: ("proposal.exists", "otp.used"),
    423: ("frozen",),
    429: ("auth.delayed",),
}


@operation("POST", "/keys/rewrap", Permission.KEYS_MANAGE, creates="/proposals/{id}", problems=_TWO)
def propose_rewrap(sent: NewRewrap) -> ProposalResource:
    """Propose that every data key is wrapped under exactly these keys; it waits out a hold after the second word.

    Then `rootvault rewrap` does it on the host, once the settings name the same keys.
    """
    made = the_vault().key_work.propose_rewrap(
        actor(), tuple(sent.keys), sent.why, sent.otp.expose(), remove_old=sent.remove_old
    )
    return shown(made)


@operation("POST", "/keys/drill", Permission.KEYS_MANAGE, creates="/proposals/{id}", problems=_TWO)
def propose_drill(sent: NewDrill) -> ProposalResource:
    """Propose that every credential is opened once, under each of its keys, and none is shown.

    Then `rootvault drill` does it on the host.
    """
    return shown(the_vault().key_work.propose_drill(actor(), sent.scope, sent.why, sent.otp.expose()))
