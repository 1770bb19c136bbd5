"""What is done in an emergency or against an attack: freezes, broken glass and its review, budgets, split custody."""

from __future__ import annotations

from typing import Final

from flask.typing import ResponseReturnValue

from vault.domain.actor import Scope, ScopeKind
from vault.domain.freeze import Freeze
from vault.domain.policy import Permission
from vault.services.velocity import Wanted
from vault.web.api.checkouts import shown
from vault.web.api.proposals import shown as shown_proposal
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.checkouts import CheckoutResource, SteppedUp, StepUp
from vault.web.api.schemas.emergency import (
    Budget,
    Enable,
    FreezeList,
    FreezeQuery,
    FreezeResource,
    Lift,
    Lifted,
    NewFreeze,
    Review,
    SplitResource,
    Unreviewed,
    UnreviewedList,
)
from vault.web.api.schemas.proposals import ProposalResource, Proposing
from vault.web.api.schemas.tokens import scope_of
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN
from vault.web.idempotency import renders

_TWO: Final[Problems] = {
    401: ("auth.refused",),
    403: ("policy.second_person",),
    409: ("proposal.exists", "proposal.state", "otp.used"),
    423: ("frozen",),
    429: ("auth.delayed",),
}


@operation("GET", "/freezes", SIGNED_IN)
def list_freezes(sent: FreezeQuery) -> FreezeList:
    """List what is frozen in your sight, oldest first; with `state=any` also what was lifted lately."""
    freezes, me = the_vault().freezes, actor()
    found = (*freezes.open(me), *(freezes.lately(me) if sent.state == "any" else ()))
    return FreezeList(items=[FreezeResource.of(each) for each in found])


@operation("GET", "/freezes/<freeze_id>", SIGNED_IN)
def read_freeze(freeze_id: str) -> FreezeResource:
    """Read one freeze."""
    return FreezeResource.of(the_vault().freezes.get(actor(), freeze_id))


@operation("POST", "/freeze", Permission.FREEZE_SET, problems={404: ("not_found",)})
def freeze(sent: NewFreeze) -> FreezeResource:
    """Stop every disclosure of the vault, a customer, an account or a person, at once, without a second factor.

    What is frozen already stays as it is. Attesting, abandoning and checking in go on; two people lift it.
    """
    return FreezeResource.of(the_vault().freezes.freeze(actor(), sent.scope, sent.why))


@operation("POST", "/freeze/lift", Permission.FREEZE_LIFT, problems={**_TWO, 404: ("not_found",)})
def lift_freeze(sent: Lift) -> Lifted:
    """Say that a freeze shall end: the first word proposes it, another person's lifts it."""
    vault = the_vault()
    proposal = vault.freezes.lift(actor(), sent.freeze, sent.why, sent.otp.expose())
    found: Freeze = vault.freezes.get(actor(), sent.freeze)
    return Lifted(freeze=FreezeResource.of(found), proposal=shown_proposal(proposal))


@operation("GET", "/break-glass", Permission.ACCOUNT_READ)
def list_unreviewed() -> UnreviewedList:
    """List the broken glasses in sight that wait for their review, the oldest first."""
    vault = the_vault()
    now = vault.clock.now()
    found = vault.glass.waiting(actor())
    return UnreviewedList(items=[Unreviewed.of_checkout(each, now) for each in found])


@operation(
    "POST",
    "/checkouts/<checkout_id>/review",
    Permission.CHECKOUT_REVIEW,
    problems={**_TWO, 409: ("checkout.state", "otp.used")},
)
def review_checkout(checkout_id: str, sent: Review) -> CheckoutResource:
    """Review an ended broken glass, as an approver who had no part in it, with a fresh second factor."""
    the_vault().glass.review(actor(), checkout_id, sent.verdict, sent.sentence, sent.otp.expose())
    return shown(checkout_id)


@operation(
    "POST",
    "/checkouts/<checkout_id>/join",
    Permission.CHECKOUT_USE,
    problems={
        401: ("auth.refused",),
        403: ("custody.split",),
        409: ("checkout.state", "checkout.expired", "otp.used"),
        423: ("frozen",),
        429: ("auth.delayed", "limit.accounts"),
    },
)
def join_checkout(checkout_id: str, sent: StepUp) -> SteppedUp:
    """Take the codes of somebody's running lease under split custody; later factors are given at /step-up."""
    _, until = the_vault().checkouts.join(actor(), checkout_id, sent.otp.expose())
    return SteppedUp.model_validate({**shown(checkout_id).__dict__, "until": until})


@operation(
    "POST",
    "/people/<person_id>/break-glass",
    Permission.PEOPLE_MANAGE,
    creates="/proposals/{id}",
    problems={**_TWO, 404: ("not_found",)},
)
def enable_break_glass(person_id: str, sent: Enable) -> ProposalResource:
    """Propose that a person may break the glass; it counts once another administrator agreed and the hold is over."""
    scope = scope_of(sent.scope)
    made = the_vault().glass.enable(actor(), person_id, scope, sent.why, sent.otp.expose())
    return shown_proposal(made)


@operation(
    "POST",
    "/people/<person_id>/budget",
    Permission.BUDGET_RAISE,
    creates="/proposals/{id}",
    problems={**_TWO, 404: ("not_found",)},
)
def raise_budget(person_id: str, sent: Budget) -> ProposalResource:
    """Propose that a person may open more distinct accounts an hour for a time; a second person has to agree."""
    wanted = Wanted(person_id, sent.accounts_per_hour, sent.until)
    return shown_proposal(the_vault().budgets.propose(actor(), wanted, sent.why, sent.otp.expose()))


@operation("POST", "/accounts/<account_id>/split-custody", Permission.ACCOUNT_REGISTER)
def split_account(account_id: str) -> SplitResource:
    """Give password and codes of an account to two people, from the next disclosure on."""
    return _split(Scope(ScopeKind.ACCOUNT, account_id))


@operation("POST", "/customers/<customer_id>/split-custody", Permission.ACCOUNT_REGISTER)
def split_customer(customer_id: str) -> SplitResource:
    """Give password and codes of all accounts of a customer to two people, from the next disclosure on."""
    return _split(Scope(ScopeKind.CUSTOMER, customer_id))


@operation(
    "POST",
    "/accounts/<account_id>/split-custody/end",
    Permission.ACCOUNT_REGISTER,
    creates="/proposals/{id}",
    problems=_TWO,
)
def end_split_of_account(account_id: str, sent: Proposing) -> ProposalResource:
    """Propose that one person may have password and codes of an account again; another custodian has to agree."""
    return _end_split(Scope(ScopeKind.ACCOUNT, account_id), sent)


@operation(
    "POST",
    "/customers/<customer_id>/split-custody/end",
    Permission.ACCOUNT_REGISTER,
    creates="/proposals/{id}",
    problems=_TWO,
)
def end_split_of_customer(customer_id: str, sent: Proposing) -> ProposalResource:
    """Propose the same for a customer; accounts that were split by themselves stay split."""
    return _end_split(Scope(ScopeKind.CUSTOMER, customer_id), sent)


@renders(blueprint, "freeze")
def show_again(freeze_id: str) -> ResponseReturnValue:
    """Draw a freeze for a repeated request."""
    return as_json(FreezeResource.of(the_vault().freezes.get(actor(), freeze_id)))


def _split(scope: Scope) -> SplitResource:
    the_vault().split.turn_on(actor(), scope)
    return SplitResource(scope=str(scope), split_custody=True)


def _end_split(scope: Scope, sent: Proposing) -> ProposalResource:
    return shown_proposal(the_vault().split.turn_off(actor(), scope, sent.why, sent.otp.expose()))
