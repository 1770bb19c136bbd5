"""Reading checkouts: one with all that belongs to it, lists, the approvers' queue, one's own work.

Decided here: who sees which. Reading writes nothing: a checkout that time has ended is shown as ended,
whether or not that is written yet (rule 10).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.approving import Progress, standing
from vault.domain.checkout import OPEN, Checkout, CheckoutState, state_at
from vault.domain.policy import Permission
from vault.errors import not_found
from vault.ports.store import CheckoutFilter, Page, Slice

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.checkout import Approval
    from vault.domain.rotation import Rotation
    from vault.ports.clock import Clock
    from vault.ports.store import Reveal, Unit, Units
    from vault.services.deciding import Deciding
    from vault.services.gate import Gate


@dataclass(frozen=True, slots=True)
class CheckoutView:
    """A checkout as people see it, in the state it is in now.

    `step_up_until` is the reader's own and None for anyone but the holder in the same session;
    `may_approve` says whether the reader could decide on it, `progress` how far its approvals have come.
    """

    checkout: Checkout
    account: Account
    approvals: tuple[Approval, ...]
    reveals: tuple[Reveal, ...]
    rotations: tuple[Rotation, ...]
    step_up_until: datetime | None
    may_approve: bool
    progress: Progress


@dataclass(frozen=True, slots=True)
class RotationView:
    """A rotation with its account."""

    rotation: Rotation
    account: Account


@dataclass(frozen=True, slots=True)
class Views:
    """Use cases that only read."""

    units: Units
    gate: Gate
    deciding: Deciding
    clock: Clock

    def checkout(self, actor: Actor, checkout_id: str) -> CheckoutView:
        """Read one checkout on an account in sight."""
        now = self.clock.now()
        with self.units.read() as unit:
            found = unit.checkouts.get(checkout_id)
            account = None if found is None else unit.accounts.get(found.account_id)
            if found is None or account is None or not self.gate.sees(actor, account):
                raise not_found("checkout", checkout_id[:36])
            until = unit.checkouts.step_up_until(found.id, actor.id, actor.origin.session)
            approvals = unit.checkouts.approvals(found.id)
            progress = self.deciding.progress(unit, found, account, approvals, now)
            shown = replace(found, state=standing(found, progress, now))
            return CheckoutView(
                checkout=shown,
                account=account,
                approvals=approvals,
                reveals=unit.reveals.of_checkout(found.id),
                rotations=unit.rotations.of_account(account.id, 20),
                step_up_until=until if until is not None and until > now else None,
                may_approve=self._may_approve(actor, shown, account, progress),
                progress=progress,
            )

    def checkouts(self, actor: Actor, wanted: CheckoutFilter, part: Slice) -> Page[Checkout]:
        """List checkouts on accounts in sight, newest first."""
        now = self.clock.now()
        with self.units.read() as unit:
            page = unit.checkouts.page(self.gate.policy.reach(actor, Permission.ACCOUNT_READ), wanted, part)
            return Page(self._now(unit, page.items, now), page.next)

    def mine(self, actor: Actor) -> tuple[Checkout, ...]:
        """List one's own checkouts that are open now."""
        wanted = CheckoutFilter(requester_id=actor.id, states=OPEN)
        return tuple(each for each in self.checkouts(actor, wanted, Slice(200)).items if each.is_open)

    def rotation(self, actor: Actor, rotation_id: str) -> RotationView:
        """Read one rotation on an account in sight."""
        with self.units.read() as unit:
            found = unit.rotations.get(rotation_id)
            account = None if found is None else unit.accounts.get(found.account_id)
            if found is None or account is None or not self.gate.sees(actor, account):
                raise not_found("rotation", rotation_id[:36])
            return RotationView(found, account)

    def _now(self, unit: Unit, checkouts: tuple[Checkout, ...], now: datetime) -> tuple[Checkout, ...]:
        """Give checkouts in the states they are in now: by time, and by whose word on them still counts."""
        lost = self.deciding.lost(unit, checkouts, now)
        return tuple(replace(each, state=lost.get(each.id, state_at(each, now))) for each in checkouts)

    def _may_approve(self, actor: Actor, checkout: Checkout, account: Account, progress: Progress) -> bool:
        reach = self.gate.policy.reach(actor, Permission.CHECKOUT_APPROVE)
        return (
            checkout.state is CheckoutState.PENDING_APPROVAL
            and reach.covers(account.customer_id, account.id)
            and progress.intact
            and any(each.id == actor.id for each in progress.may)
        )
