"""The first page, one's own work, and the page of reasons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vault.domain.account import Custody
from vault.domain.actor import Actor
from vault.domain.policy import Permission
from vault.domain.reason import Situation
from vault.errors import NotFound
from vault.ports.store import AccountFilter, CheckoutFilter, Slice
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui import words_cases
from vault.web.ui.site import blueprint, page

if TYPE_CHECKING:
    from flask import Response

    from vault.bootstrap import Vault
    from vault.services.accounts import AccountView

CASES: Final = 5
"""How many of the cases that wait for somebody are named."""
LATELY: Final = 20
"""How many of one's last checkouts are looked at for what was left unfinished."""


@blueprint.get("/")
@needs(SIGNED_IN)
def home() -> Response:
    """Show what waits for whoever is looking."""
    vault, who = the_vault(), actor()
    uses = not vault.policy.reach(who, Permission.CHECKOUT_USE).empty
    approves = not vault.policy.reach(who, Permission.CHECKOUT_APPROVE).empty
    takes_in = not vault.policy.reach(who, Permission.CREDENTIAL_INTAKE).empty
    manages = not vault.policy.reach(who, Permission.PEOPLE_MANAGE).empty
    reads_cases = not vault.policy.reach(who, Permission.CASE_READ).empty
    audits = not vault.policy.reach(who, Permission.LOG_READ).empty
    onboarding = AccountFilter(custody=Custody.ONBOARDING)
    return page(
        "ui/home.html",
        mine=vault.views.mine(who) if uses else (),
        waiting=vault.queue.waiting(who).items if approves else (),
        unreviewed=vault.glass.waiting(who),
        due=_left_behind(vault, who) if uses else (),
        onboarding=vault.accounts.page(who, onboarding, Slice(LATELY))[0] if takes_in else (),
        seconds_=vault.proposals.mine(who),
        roles=tuple(each for each in vault.people.waiting(who) if each[1].proposed_by != who.id)
        if manages
        else (),
        cases=vault.cases.board.waiting(who, CASES) if reads_cases else ((), 0),
        told=words_cases,
        watched=vault.watching.look(who) if audits else None,
    )


@blueprint.get("/reasons")
@needs(SIGNED_IN)
def reason_list() -> Response:
    """Show what root is for, and what has a lesser way."""
    return page("ui/reasons.html")


def _left_behind(vault: Vault, who: Actor) -> list[AccountView]:
    """Give the accounts one used lately that nobody has now and whose credential is not settled."""
    checkouts = vault.views.checkouts(who, CheckoutFilter(requester_id=who.id), Slice(LATELY)).items
    found: list[AccountView] = []
    for number in dict.fromkeys(checkout.account_id for checkout in checkouts):
        try:
            view = vault.accounts.get(who, number)
        except NotFound:
            continue
        free = view.claim is None or not view.claim.is_open
        if free and view.situation in {Situation.DUE, Situation.UNKNOWN}:
            found.append(view)
    return found
