"""Checkouts: list, read, ask, decide, end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import g, request
from flask.typing import ResponseReturnValue

from vault.domain.checkout import CheckoutState
from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, not_found
from vault.ports.store import CheckoutFilter, Receipt, Slice
from vault.services.approvals import Word as Said
from vault.services.views import CheckoutView
from vault.web.api.routes import Problems, as_json, blueprint, operation
from vault.web.api.schemas.base import Items, ReceiptResource
from vault.web.api.schemas.checkouts import (
    CheckoutQuery,
    CheckoutResource,
    CheckoutSummary,
    Ended,
    LostPart,
    NewCheckout,
    Revocation,
    SteppedUp,
    StepUp,
    Word,
)
from vault.web.auth import actor, the_vault
from vault.web.idempotency import renders

if TYPE_CHECKING:
    from vault.domain.actor import Actor

_WRITTEN: Final = {
    CheckoutState.EXPIRED: {CheckoutState.ACTIVE},
    CheckoutState.LAPSED: {CheckoutState.PENDING_APPROVAL, CheckoutState.APPROVED},
    CheckoutState.PENDING_APPROVAL: {CheckoutState.APPROVED},
}
"""What else a checkout may be written as that time has ended, or of which an approval was lost (rule 10)."""

_FACTOR: Final[Problems] = {401: ("auth.refused",), 409: ("otp.used",), 429: ("auth.delayed",)}
_STATE: Final[Problems] = {409: ("checkout.state", "checkout.expired")}


@operation("GET", "/checkouts", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_checkouts(sent: CheckoutQuery) -> Items[CheckoutSummary]:
    """List checkouts on accounts in sight, newest first.

    With `state` or `awaiting`, a page may hold fewer than `limit`: what does not stand so any more is left out.
    """
    me = actor()
    if sent.awaiting is not None:
        return _awaiting(me, sent)
    states = None if sent.state is None else frozenset({sent.state, *_WRITTEN.get(sent.state, ())})
    requester = me.id if sent.requester_id == "me" else sent.requester_id
    wanted = CheckoutFilter(sent.account_id, requester, states)
    page = the_vault().views.checkouts(me, wanted, Slice(sent.limit, sent.cursor))
    shown = [each for each in page.items if sent.state in {None, each.state}]
    return Items[CheckoutSummary](items=[CheckoutSummary.of(each) for each in shown], next=page.next)


@operation(
    "POST",
    "/checkouts",
    Permission.CHECKOUT_USE,
    creates="/checkouts/{id}",
    problems={
        403: ("policy.lesser_way",),
        404: ("not_found",),
        409: ("checkout.conflict", "custody.customer_held", "custody.state"),
        422: ("policy.reason_unknown",),
        423: ("rotation.due", "review.due", "frozen", "approval.locked"),
    },
)
def request_checkout(sent: NewCheckout) -> CheckoutResource:
    """Ask for an account's root, with a reason, a ticket and a sentence.

    At most one request per account is open; a conflict names the holder and the end.
    """
    return shown(the_vault().asking.ask(actor(), sent.ask()).id)


@operation("GET", "/checkouts/<checkout_id>", Permission.ACCOUNT_READ)
def read_checkout(checkout_id: str) -> CheckoutResource:
    """Read one checkout with its approvals, in the state it is in now."""
    return shown(checkout_id)


@operation(
    "POST",
    "/checkouts/<checkout_id>/approvals",
    Permission.CHECKOUT_APPROVE,
    problems={
        401: ("auth.refused",),
        403: ("policy.self_approval",),
        409: ("approval.duplicate", "approval.changed", "otp.used", *_STATE[409]),
        423: ("frozen",),
        429: ("auth.delayed",),
    },
)
def decide_checkout(checkout_id: str, sent: Word) -> CheckoutResource:
    """Approve or deny a pending request, with a fresh second factor.

    An approval may shorten the lease. One denial ends the request. Send the `content_hash` that you looked at: a
    request that is another by now is refused.
    """
    said = Said(sent.decision, sent.comment, sent.duration_seconds, sent.content_hash)
    the_vault().approvals.decide(actor(), checkout_id, said, sent.otp.expose())
    return shown(checkout_id)


@operation(
    "POST",
    "/checkouts/<checkout_id>/step-up",
    Permission.CHECKOUT_USE,
    problems={
        **_FACTOR,
        409: ("otp.used", "approval.changed", "custody.state", *_STATE[409]),
        423: ("rotation.due", "review.due", "frozen"),
        429: ("auth.delayed", "limit.accounts"),
    },
)
def step_up(checkout_id: str, sent: StepUp) -> SteppedUp:
    """Give a fresh second factor for this checkout; the first one begins the lease.

    It counts until `until`, for this person and this session or token only.
    """
    _, until = the_vault().checkouts.step_up(actor(), checkout_id, sent.otp.expose())
    return SteppedUp.model_validate({**shown(checkout_id).__dict__, "until": until})


@operation(
    "POST",
    "/checkouts/<checkout_id>/none-works",
    Permission.CHECKOUT_USE,
    problems={409: ("rotation.state", *_STATE[409])},
)
def none_works(checkout_id: str, sent: LostPart) -> CheckoutResource:
    """Say that AWS takes no value of this part that the vault holds; each that opens was shown to you before.

    The part is lost then: everything that is still sealed may be tried, and a rotation by the mailbox leads back.
    """
    the_vault().losing.none_works(actor(), checkout_id, sent.part)
    return shown(checkout_id)


@operation("POST", "/checkouts/<checkout_id>/check-in", Permission.CHECKOUT_USE, problems=_STATE)
def check_in(checkout_id: str) -> Ended:
    """End your own lease."""
    _, receipt = the_vault().checkouts.check_in(actor(), checkout_id)
    return _ended(checkout_id, receipt)


@operation("POST", "/checkouts/<checkout_id>/cancel", Permission.CHECKOUT_USE, problems=_STATE)
def cancel_checkout(checkout_id: str) -> Ended:
    """Withdraw your own request before its lease begins."""
    _, receipt = the_vault().checkouts.cancel(actor(), checkout_id)
    return _ended(checkout_id, receipt)


@operation("POST", "/checkouts/<checkout_id>/revoke", Permission.CHECKOUT_REVOKE, problems=_STATE)
def revoke_checkout(checkout_id: str, sent: Revocation) -> Ended:
    """End someone's checkout, with a reason that stays in the log."""
    _, receipt = the_vault().checkouts.revoke(actor(), checkout_id, sent.reason)
    return _ended(checkout_id, receipt)


@renders(blueprint, "checkout")
def show_again(checkout_id: str) -> ResponseReturnValue:
    """Draw a checkout for a repeated request, in the shape that the request answers."""
    endpoint = (request.endpoint or "").rpartition(".")[2]
    if endpoint == step_up.__name__:
        view = _view(checkout_id)
        until = view.step_up_until or view.checkout.activated_at or view.checkout.requested_at
        return as_json(SteppedUp.model_validate({**CheckoutResource.of_view(view).__dict__, "until": until}))
    if endpoint in {check_in.__name__, cancel_checkout.__name__, revoke_checkout.__name__}:
        return as_json(_ended(checkout_id, _receipt_again()))
    return as_json(shown(checkout_id))


def shown(checkout_id: str) -> CheckoutResource:
    """Show a checkout to whoever asks."""
    me, queue = actor(), the_vault().queue
    view = _view(checkout_id)
    decides = view.checkout.requester_id != me.id and queue.tells(me, view.account)
    return CheckoutResource.of_view(view, queue.one(me, checkout_id) if decides else None)


def _awaiting(me: Actor, sent: CheckoutQuery) -> Items[CheckoutSummary]:
    others = (sent.account_id, sent.requester_id, sent.state)
    if any(each is not None for each in others):
        place = FieldError("/awaiting", "Goes alone: leave out account_id, requester_id and state.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    page = the_vault().queue.waiting(me, Slice(sent.limit, sent.cursor))
    return Items[CheckoutSummary](
        items=[CheckoutSummary.of_waiting(each) for each in page.items], next=page.next
    )


def _view(checkout_id: str) -> CheckoutView:
    return the_vault().views.checkout(actor(), checkout_id)


def _ended(checkout_id: str, receipt: Receipt) -> Ended:
    members = {**shown(checkout_id).__dict__, "receipt": ReceiptResource.of(receipt)}
    return Ended.model_validate(members)


def _receipt_again() -> Receipt:
    """Give the receipt of the entry that the repeated request made, under the present checkpoint."""
    with the_vault().units.read() as unit:
        repeat = unit.log.repeated(actor().id, g.idempotency.key)
        found = None if repeat is None else unit.log.receipt(repeat.index)
    if found is None:
        raise not_found("entry", "of this request")
    return found
