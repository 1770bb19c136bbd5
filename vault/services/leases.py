"""What a lease does to the parts of a credential when it begins and when it ends, however it ends.

Decided here: the consequences, in one place for check-in, expiry, revocation and the first step-up. A
displayed value whose outcome nobody attested becomes unknown with the lease (rule 4).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.actor import EVERYTHING, Actor, system_actor
from vault.domain.checkout import CHECKOUT, Checkout, CheckoutEvent, CheckoutState, overdue
from vault.domain.credential import PART, Part, PartEvent
from vault.domain.event import Change, Event, EventType, SecretRef, stamp
from vault.domain.rotation import ROTATION, Rotation, RotationEvent, RotationState
from vault.domain.told import changes
from vault.errors import Conflict
from vault.ports.store import CheckoutFilter, Slice

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.store import Receipt, Unit

_NEWEST: Final = 200
_ENDINGS = {
    CheckoutEvent.CHECKED_IN: EventType.CHECKOUT_RETURNED,
    CheckoutEvent.EXPIRED: EventType.CHECKOUT_EXPIRED,
    CheckoutEvent.LAPSED: EventType.CHECKOUT_LAPSED,
    CheckoutEvent.CANCELLED: EventType.CHECKOUT_CANCELLED,
    CheckoutEvent.REVOKED: EventType.CHECKOUT_REVOKED,
    CheckoutEvent.DENIED: EventType.CHECKOUT_REJECTED,
}


def move_part(unit: Unit, part: Part, event: PartEvent, now: datetime) -> Change | None:
    """Move a part by its table and say what changed; None where the table does not know the step."""
    after = PART.after(part.state, event)
    if after is None:
        return None
    moved_on = replace(part, state=after, changed_at=now)
    unit.accounts.put_part(moved_on)
    return changes(part, moved_on)[0]


def begin(unit: Unit, checkout: Checkout, now: datetime) -> tuple[Change, ...]:
    """Take the parts into use: held ones are in use, unknown ones are being reconciled."""
    taken = (move_part(unit, part, PartEvent.LEASE, now) for part in unit.accounts.parts(checkout.account_id))
    return tuple(change for change in taken if change is not None)


def moved(checkout: Checkout, event: CheckoutEvent) -> CheckoutState:
    """Give the state after `event`; `Conflict` checkout.state where it cannot happen."""
    after = CHECKOUT.after(checkout.state, event)
    if after is None:
        detail = f"This checkout is {checkout.state}; that cannot be done with it now."
        raise Conflict("checkout.state", detail, state=checkout.state)
    return after


def not_active(checkout: Checkout) -> Conflict:
    """Say that the lease does not run, and what the holder does next."""
    following = {
        CheckoutState.PENDING_APPROVAL: "Wait until it is approved.",
        CheckoutState.APPROVED: "Give a second factor first (step-up); that begins the lease.",
    }
    words = following.get(checkout.state, "Ask for a new one if you still need it.")
    return Conflict("checkout.state", f"This checkout is {checkout.state}. {words}", state=checkout.state)


def end(
    unit: Unit,
    checkout: Checkout,
    event: CheckoutEvent,
    now: datetime,
    actor: Actor,
    note: str | None = None,
    why: tuple[Change, ...] = (),
) -> tuple[Checkout, Receipt]:
    """End a checkout by `event`, with all that follows for parts and rotations, recorded in this unit.

    `why` are changes that led to it, told in the same entry.
    """
    after = moved(checkout, event)
    parts: tuple[Change | None, ...] = ()
    unknown: tuple[Rotation, ...] = ()
    if checkout.state is CheckoutState.ACTIVE:
        unknown = tuple(
            rotation
            for rotation in unit.rotations.unsettled(checkout.account_id)
            if rotation.state is RotationState.DISPLAYED
        )
        parts = tuple(
            move_part(unit, part, PartEvent.LEASE_ENDED, now)
            for part in unit.accounts.parts(checkout.account_id)
        )
    ended = replace(checkout, state=after, ended_at=now, ended_by=actor.id, end_note=note)
    unit.checkouts.update(ended)
    for rotation in unknown:
        _leave_unknown(unit, rotation, checkout, now, actor)
    detail = {} if note is None else {"note": note}
    receipt = unit.log.record(
        Event(
            _ENDINGS[event],
            actor,
            account_id=checkout.account_id,
            checkout_id=checkout.id,
            changes=(*why, *changes(checkout, ended), *(part for part in parts if part is not None)),
            detail=detail,
            subject=f"checkout:{checkout.id}",
        ),
        now,
    )
    return ended, receipt


def had_lease(unit: Unit, account_id: str, reason: str, since: datetime) -> bool:
    """Say whether a lease of an account began for a reason since a time; of its newest two hundred."""
    wanted = CheckoutFilter(account_id=account_id)
    newest = unit.checkouts.page(EVERYTHING, wanted, Slice(_NEWEST)).items
    began = (each.activated_at for each in newest if each.reason == reason)
    return any(at is not None and at >= since for at in began)


def settle(unit: Unit, checkout: Checkout, now: datetime) -> Checkout:
    """Write down what time has done to a checkout already (rule 10); the caller commits."""
    event = overdue(checkout, now)
    if event is None:
        return checkout
    return end(unit, checkout, event, now, system_actor("clock"))[0]


def shorten(unit: Unit, actor: Actor, checkout: Checkout, longest: int, now: datetime) -> None:
    """Let a lease that runs end as early as its customer's limit of `longest` seconds says now (U3); recorded.

    One that is over by that limit is settled in the same unit.
    """
    if (
        checkout.state is not CheckoutState.ACTIVE
        or checkout.activated_at is None
        or checkout.expires_at is None
    ):
        return
    ends = checkout.activated_at + timedelta(seconds=longest)
    if ends >= checkout.expires_at:
        return
    shorter = replace(checkout, expires_at=ends)
    unit.checkouts.update(shorter)
    unit.log.record(
        Event(
            EventType.CHECKOUT_SHORTENED,
            actor,
            account_id=checkout.account_id,
            checkout_id=checkout.id,
            rule="U3",
            changes=changes(checkout, shorter),
            detail={"ends": stamp(ends)},
            subject=f"checkout:{checkout.id}",
        ),
        now,
    )
    settle(unit, shorter, now)


def reopen(unit: Unit, checkout: Checkout, void: str, now: datetime) -> Checkout:
    """Let an approved request wait for another word, because those of `void` do not count any more; recorded."""
    again = replace(checkout, state=moved(checkout, CheckoutEvent.APPROVAL_LOST), use_by=None)
    unit.checkouts.update(again)
    unit.log.record(
        Event(
            EventType.CHECKOUT_REOPENED,
            system_actor("approvals"),
            account_id=checkout.account_id,
            checkout_id=checkout.id,
            rule=checkout.reason,
            changes=changes(checkout, again),
            detail={"requester": checkout.requester_id, "void": void},
            subject=f"checkout:{checkout.id}",
        ),
        now,
    )
    return again


def _leave_unknown(unit: Unit, rotation: Rotation, checkout: Checkout, now: datetime, actor: Actor) -> None:
    after = ROTATION.transitions[rotation.state, RotationEvent.OUTCOME_UNKNOWN]
    left = replace(rotation, state=after)
    unit.rotations.update(left)
    version = unit.versions.get(rotation.account_id, rotation.kind, rotation.version)
    unit.log.record(
        Event(
            EventType.ROTATION_UNKNOWN,
            actor,
            account_id=rotation.account_id,
            checkout_id=checkout.id,
            secret=None if version is None else SecretRef.of(version),
            changes=changes(rotation, left),
            detail={"cause": "the lease ended before the outcome was attested"},
        ),
        now,
    )
