"""What a lease's holder finds out at AWS: that no value of ours opens the account any more.

Decided here: who may say it (the holder of the running lease), and when: every version that the lease offers of the
part was shown to them under it, so that it was tried. The part is lost then, which loses nothing: all that is still
sealed may be tried, and a reset through the mailbox leads back (lifecycle *part*). Somebody set another value behind
our back; AWS's records say when (`docs/evidence.md`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.checkout import CheckoutState
from vault.domain.credential import PartEvent, PartKind, PartState, offers
from vault.domain.event import Event, EventType, Result
from vault.errors import Conflict
from vault.ports.store import RevealPurpose, RevealState
from vault.services.gate import refuse
from vault.services.leases import move_part, not_active
from vault.services.split import require_half

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.credential import Part
    from vault.ports.clock import Clock
    from vault.ports.store import Held, Unit, Units
    from vault.services.checkouts import Checkouts


@dataclass(frozen=True, slots=True)
class Losing:
    """The use case of a value that does not work."""

    units: Units
    checkouts: Checkouts
    clock: Clock

    def none_works(self, actor: Actor, checkout_id: str, kind: PartKind) -> None:
        """Record that AWS takes no value of this part; raises `Conflict` checkout.state or rotation.state."""
        now = self.clock.now()
        with self.units.write() as unit:
            held = self.checkouts.user(unit, actor, checkout_id, now)
            account, checkout = held.account, held.checkout
            refused = Event(
                EventType.ACCESS_DENIED,
                actor,
                account_id=account.id,
                checkout_id=checkout.id,
                detail={"part": kind},
            )
            if checkout.state is not CheckoutState.ACTIVE:
                refuse(unit, refused, not_active(checkout), now)
            require_half(unit, held, actor, kind, refused, now)
            part = next(part for part in unit.accounts.parts(account.id) if part.kind is kind)
            self._tried(unit, held, part, refused, now)
            change = move_part(unit, part, PartEvent.NONE_WORKS, now)
            event = Event(
                EventType.CREDENTIAL_LOST,
                actor,
                Result.UNKNOWN,
                account_id=account.id,
                checkout_id=checkout.id,
                changes=() if change is None else (change,),
                detail={"part": kind},
            )
            unit.log.record(event, now)
            unit.commit()

    def _tried(self, unit: Unit, held: Held, part: Part, refused: Event, now: datetime) -> None:
        """Return if the part is in use, and all that the lease offers of it was shown under it."""
        if part.state is not PartState.IN_USE:
            words = {
                PartState.LOST: "It is lost already: try what opens, or rotate by the mailbox.",
                PartState.RECONCILING: "Say it of the rotation whose outcome is not known.",
            }
            detail = f"The {part.kind} is {part.state}. {words.get(part.state, 'Settle its rotation first.')}"
            refuse(unit, refused, Conflict("rotation.state", detail, state=part.state), now)
        shown = {
            reveal.version
            for reveal in unit.reveals.of_checkout(held.checkout.id)
            if reveal.kind is part.kind
            and reveal.purpose is RevealPurpose.USE
            and reveal.state is RevealState.RELEASED
        }
        unverified = bool(unit.rotations.unverified(part.account_id, part.kind))
        found = offers(part, unit.versions.of(part.account_id, part.kind), unverified=unverified)
        untried = [each.number for each in found if each.number not in shown]
        if untried:
            detail = f"Try version {untried[0]} first: it opens under this lease and was not shown to you."
            refuse(unit, refused, Conflict("rotation.state", detail, version=untried[0]), now)
