"""Whether two people agreed to something, as the log proves it: for commands of the host, which nobody else looks at.

Decided here: that a proposal counts for a command where the log tells exactly what its row says, each entry that
tells of it proven to be in the signed tree; where its hold is over, it was not ended, and it is not too old; and where
both words still count. Who writes rows into the database, or edits a file on the host, has agreed to nothing.
Never decided here: what follows (`rewrapping`, `drill`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.event import Event, EventType
from vault.domain.proposal import ProposalState
from vault.domain.told import told
from vault.errors import Conflict, Refused, not_found
from vault.services.gate import refuse
from vault.services.in_force import Kind, told_of
from vault.services.proposals import close, gone
from vault.services.sight import word_counts

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.policy import Permission
    from vault.domain.proposal import Proposal, ProposalKind
    from vault.errors import VaultError
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate

USE_WITHIN: Final = timedelta(days=14)
"""So long after it came into force a command may begin with it."""
DONE: Final = "It was carried out."
_PROPOSALS: Final = Kind(
    "proposal", (EventType.PROPOSAL_MADE, EventType.PROPOSAL_AGREED, EventType.PROPOSAL_ENDED)
)


@dataclass(frozen=True, slots=True)
class Agreed:
    """The use case of a command that takes two people."""

    units: Units
    gate: Gate
    clock: Clock

    def require(self, actor: Actor, proposal_id: str, kind: ProposalKind, permission: Permission) -> Proposal:
        """Give the proposal if it lets the command begin now; else record the refusal and raise.

        Raises `NotFound`, `Conflict` proposal.state, `Refused` proposal.unproven, `Unavailable` log.rolled_back.
        """
        now = self.clock.now()
        event = Event(
            EventType.ACCESS_DENIED, actor, detail={"asked_for": kind, "proposal": proposal_id[:36]}
        )
        with self.units.write() as unit:
            unit.check_mark()
            found = unit.proposals.get(proposal_id)
            if found is None or found.kind is not kind:
                refuse(unit, event, not_found(f"proposal ({kind})", proposal_id[:36]), now)
            error = self._fault(unit, found, permission, now)
            if error is not None:
                refuse(unit, event, error, now)
        return found

    def _fault(
        self, unit: Unit, proposal: Proposal, permission: Permission, now: datetime
    ) -> VaultError | None:
        state = proposal.state(now)
        if state is not ProposalState.IN_FORCE or proposal.effective_at is None:
            words = (
                f"This proposal is {state}. It takes one that two people agreed to and whose hold is over."
            )
            return Conflict("proposal.state", words)
        if now > proposal.effective_at + USE_WITHIN:
            words = f"It was agreed to more than {USE_WITHIN.days} days ago. End it, and propose it anew."
            return Conflict("proposal.state", words)
        facts = {name: value for name, value in told(proposal)[2].items() if value}
        if told_of(unit, _PROPOSALS, proposal.id) != facts:
            words = (
                "The log does not tell that two people agreed to exactly this. Nothing was done: treat it as an "
                "incident, and compare the database with the log (`rootvault doctor --deep --replay`)."
            )
            return Refused("proposal.unproven", words)
        people = (proposal.proposed_by, proposal.confirmed_by or "")
        if not all(
            word_counts(unit, self.gate.policy, each, permission, proposal.scope, now) for each in people
        ):
            return gone("proposal.state")
        return None


def used_up(unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> None:
    """End a proposal that was carried out, in the caller's unit, where it was not ended meanwhile."""
    found = unit.proposals.lock(proposal.id)
    if found is not None and found.ended_at is None:
        close(unit, actor, found, DONE, now)
