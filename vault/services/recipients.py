"""The recovery recipient: proposed by one administrator, agreed to by another, and how far it reaches (S6, S19).

Decided here: that a recipient comes into force by two people, after the hold, because its shares open every
credential; that nobody is wrapped for any more counts at once; that one in force is never ended, only replaced, so
that no one person takes the way back away. Which one is in force, the log decides (`recipient_book`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.crypto.recovery import is_recipient
from vault.domain.actor import Scope, ScopeKind, system_actor
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.domain.recipient import NONE, Recipient
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Invalid, VaultError
from vault.services.effects import Plain
from vault.services.proposals import Draft, close, in_json

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.proposal import Proposal
    from vault.domain.recipient import ToldRecipient
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate
    from vault.services.proposals import Proposals
    from vault.services.recipient_book import RecipientBook

OVERTAKEN: Final = "Another recovery recipient was agreed to."


@dataclass(frozen=True, slots=True)
class RecipientState:
    """The recipient in force, those that wait out their hold, and how many sealed values name it.

    `versions` are all that are not destroyed, `wrapped` those of them that have a wrap for it.
    """

    number: int
    recipient: str
    held: tuple[Recipient, ...]
    versions: int
    wrapped: int
    fault: str


@dataclass(frozen=True)
class RecipientEffect(Plain):
    """What a proposal of a recipient means; `rests` is the hold."""

    allowed: Permission = field(default=Permission.KEYS_MANAGE)

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot become the recipient."""
        if proposal.scope.kind is not ScopeKind.ALL:
            return Invalid(
                "input.invalid", "A recovery recipient is for everything; nobody proposes it for a part."
            )
        if proposal.subject != NONE and not is_recipient(proposal.subject):
            return _no_recipient()
        before = _named(unit, now)
        if proposal.content != content_of(proposal.subject, before):
            return Conflict("concurrent.change", "The recovery recipient changed a moment ago; look again.")
        if proposal.subject == before:
            return Conflict("proposal.state", "This recovery recipient is in force already.")
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name nobody beside who proposed it."""
        return frozenset()

    @override
    def hold(self, unit: Unit, proposal: Proposal, now: datetime) -> timedelta:
        """Wait for whoever could open everything; that nobody can counts at once."""
        return timedelta(0) if proposal.subject == NONE else self.rests

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Keep it by number; end what still waits out its hold, which would undo this one."""
        overtake(unit, actor, OVERTAKEN, now)
        recipient = Recipient(
            number=unit.recipients.next_number(),
            recipient="" if proposal.subject == NONE else proposal.subject,
            effective_at=proposal.effective_at or now,
            proposal_id=proposal.id,
        )
        unit.recipients.add(recipient)
        return changes(None, recipient)

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Withdraw one that waits out its hold; one in force is never ended (`LASTING`)."""
        held = unit.recipients.by_proposal(proposal.id)
        if held is None or held.ended_at is not None:
            return ()
        ended = replace(held, ended_at=now)
        unit.recipients.end(ended)
        return changes(held, ended)


@dataclass(frozen=True, slots=True)
class Recipients:
    """Use cases on the recovery recipient."""

    units: Units
    gate: Gate
    proposals: Proposals
    book: RecipientBook
    clock: Clock

    def propose(self, actor: Actor, recipient: str, why: str, otp: str) -> Proposal:
        """Propose a recipient, or ``none``; raises `Invalid` for what is neither, and what proposing raises."""
        named = recipient.strip()
        if named != NONE and not is_recipient(named):
            raise _no_recipient()
        now = self.clock.now()
        with self.units.read() as unit:
            content = content_of(named, _named(unit, now))
        return self.proposals.propose(actor, Draft(ProposalKind.RECIPIENT, named, content, why, Scope()), otp)

    def state(self, actor: Actor) -> RecipientState:
        """Say which is in force and how far it reaches, for who manages keys and for auditors."""
        now = self.clock.now()
        if not self.may_read(actor):
            with self.units.write() as unit:
                self.gate.require(unit, actor, Permission.KEYS_MANAGE, now, asked_for="recovery recipient")
        told = self.book.current()
        with self.units.read() as unit:
            versions, wrapped = unit.recipients.counts(told.recipient)
            held = unit.recipients.held(now)
        reached = wrapped if told.recipient else 0
        return RecipientState(told.number, told.recipient, held, versions, reached, self.book.fault)

    def covered(self) -> frozenset[str]:
        """Give the accounts whose every current version names the recipient in force; none where none is."""
        recipient = self.book.recipient
        if not recipient:
            return frozenset()
        with self.units.read() as unit:
            return unit.recipients.wrapped(recipient)

    def may_read(self, actor: Actor) -> bool:
        """Say whether someone may read what is in force."""
        asked = (Permission.KEYS_MANAGE, Permission.LOG_READ)
        return any(self.gate.policy.reach(actor, each).everything for each in asked)


def content_of(recipient: str, before: str) -> str:
    """Write what exactly is agreed to: the recipient, and the one that it takes the place of."""
    return in_json({"recipient": recipient, "instead_of": before})


def overtake(unit: Unit, actor: Actor, why: str, now: datetime) -> None:
    """End the recipients that wait out their hold, in the caller's unit: a later word counts instead."""
    for held in unit.recipients.held(now):
        before = None if held.proposal_id is None else unit.proposals.get(held.proposal_id)
        if before is not None and before.ended_at is None:
            ended = replace(held, ended_at=now)
            unit.recipients.end(ended)
            close(unit, actor, before, why, now, changes(held, ended))


def keep(unit: Unit, told: ToldRecipient, now: datetime) -> None:
    """Take a recipient over into a new log, by number, in the unit of a restore; nothing where there was none."""
    if not told.recipient:
        return
    kept = Recipient(unit.recipients.next_number(), told.recipient, now)
    unit.recipients.add(kept)
    detail: dict[str, Fact] = {
        "recipient": kept.recipient,
        "number": kept.number,
        "effective_at": stamp(now),
        "was_number": told.number,
    }
    event = Event(
        EventType.RECIPIENT_KEPT, system_actor("restore"), changes=changes(None, kept), detail=detail
    )
    unit.log.record(event, now)


def _named(unit: Unit, now: datetime) -> str:
    found = unit.recipients.latest(now)
    return (found[1] if found else "") or NONE


def _no_recipient() -> Invalid:
    words = "Give an age recipient (age1… of 62 characters, as `rootvault recovery new` prints it), or none."
    return Invalid("input.invalid", words, errors=(FieldError("/recipient", words),))
