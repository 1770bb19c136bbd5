"""What most kinds of proposals have in common: they are about one person, and nothing follows at once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from typing_extensions import override

from vault.errors import Forbidden
from vault.services.proposals import Effect

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.event import Change
    from vault.domain.person import Person
    from vault.domain.policy import Permission
    from vault.domain.proposal import Proposal
    from vault.errors import VaultError
    from vault.ports.store import Unit


@dataclass(frozen=True)
class Plain(Effect):
    """An effect that is only looked up, with `rests` as its hold; its subject is the person whom it concerns."""

    allowed: Permission
    rests: timedelta = timedelta(0)

    @property
    @override
    def permission(self) -> Permission:
        """What both people need, within the proposal's scope."""
        return self.allowed

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say nothing against it."""
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name the subject, who does not agree to what is about themselves."""
        return frozenset({proposal.subject})

    @override
    def hold(self, unit: Unit, proposal: Proposal, now: datetime) -> timedelta:
        """Give how long it waits after the second word."""
        return self.rests

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Do nothing: whether it counts is looked up where it matters."""
        return ()

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Do nothing: it counts no more."""
        return ()


def made_their_link(actor: Actor, person: Person, proposal: Proposal) -> VaultError | None:
    """Say why who made a person's link does not agree to what gives them power: they could be that person (S19)."""
    if actor.id == person.link_by and actor.id != proposal.proposed_by:
        words = "You made the link by which they enrolled; another person has to agree to this."
        return Forbidden("policy.second_person", words, rule="S19")
    return None
