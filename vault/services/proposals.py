"""Two people for one thing: who proposes, who agrees, the hold in between, and the end of it (S19).

Decided here: the steps that all such things share. Both words rest on a fresh second factor and on a permission
within the proposal's scope; nobody agrees to their own proposal, or to one about themselves. What adds power waits
out a hold, unless no account was ever held; whoever may agree may also end it, at once. What a kind of proposal means
is its `Effect`, given at composition. Everything is in the log, the content with it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from vault.domain.actor import joined
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.ids import new_id
from vault.domain.policy import Permission
from vault.domain.proposal import LASTING, Proposal, ProposalKind, ProposalState
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, VaultError, not_found
from vault.ports.proposals import ProposalFilter
from vault.ports.store import Slice
from vault.services.deciding import meanwhile
from vault.services.factors import Factors, refusal
from vault.services.frozen import require_word
from vault.services.gate import Gate, refuse, refuse_absent
from vault.services.sight import lies_within, word_counts
from vault.services.tokens import require_reach

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor, Reach, Scope
    from vault.ports.clock import Clock
    from vault.ports.store import Page, Unit, Units

WHY_MIN: Final = 10
WHY_MAX: Final = 500
WAITING_SHOWN: Final = 20
CONTENT_MAX: Final = 65_536


class Effect(Protocol):
    """What one kind of proposal means."""

    @property
    def permission(self) -> Permission:
        """What both people need, within the proposal's scope."""
        ...

    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: asked when it is proposed, and again when it is agreed to."""
        ...

    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name the people who may not agree, beside who proposed it."""
        ...

    def hold(self, unit: Unit, proposal: Proposal, now: datetime) -> timedelta:
        """Give how long it waits after the second word."""
        ...

    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Do what follows at once, in this unit; give the changes that the same entry tells."""
        ...

    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Do what follows from its end, in this unit; `proposal` is as it stood before."""
        ...


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody proposes: `content` exactly as it is agreed to, `why` for the other person and the log."""

    kind: ProposalKind
    subject: str
    content: str
    why: str
    scope: Scope


@dataclass(frozen=True, slots=True)
class Proposals:
    """Use cases on proposals; `effects` has one for each kind that this vault knows."""

    units: Units
    gate: Gate
    factors: Factors
    clock: Clock
    effects: Mapping[ProposalKind, Effect]

    def propose(self, actor: Actor, draft: Draft, otp: str) -> Proposal:
        """Propose; raises `Conflict` proposal.exists where such a one waits already."""
        now = self.clock.now()
        with self.units.write() as unit:
            actor = self.may_propose(unit, actor, draft, otp, now)
            proposal = self.put(unit, actor, draft, now)
            unit.commit()
        return proposal

    def may_propose(self, unit: Unit, actor: Actor, draft: Draft, otp: str, now: datetime) -> Actor:
        """Return the actor with their factor, where they may propose this; else refuse."""
        check_why(draft.why)
        effect = self.effects[draft.kind]
        require_word(
            unit, actor, Event(EventType.ACCESS_DENIED, actor, detail={"asked_for": draft.kind}), now
        )
        self.gate.require(unit, actor, effect.permission, now)
        require_reach(self.gate, unit, actor, draft.scope, now, effect.permission)
        error = effect.check(unit, actor, _drawn(actor, draft, now), now)
        if error is not None:
            self._deny(unit, actor, effect.permission, error, now)
        return self.factors.check(unit, actor, otp, now, refusal(actor))

    def put(
        self, unit: Unit, actor: Actor, draft: Draft, now: datetime, told: tuple[Change, ...] = ()
    ) -> Proposal:
        """Keep a proposal that was looked at by `may_propose`, and tell of it; the caller commits."""
        proposal = _drawn(actor, draft, now)
        unit.proposals.add(proposal)
        event = _event(EventType.PROPOSAL_MADE, actor, proposal, (*changes(None, proposal), *told))
        unit.log.record(replace(event, detail={**event.detail, "why": proposal.why}), now)
        return proposal

    def confirm(self, actor: Actor, proposal_id: str, otp: str, content: str | None = None) -> Proposal:
        """Agree, as another person than who proposed it, or whom it concerns.

        `content` is the hash of what the person looked at (`content_hash`). Raises `Forbidden` policy.second_person,
        `Conflict` proposal.state or approval.changed, what the kind's own check raises, and what a factor raises.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            proposal, effect = self._mine(unit, actor, proposal_id, now)
            denied = Event(EventType.ACCESS_DENIED, actor, detail={"permission": effect.permission})
            require_word(unit, actor, denied, now)
            concerned = {proposal.proposed_by, *effect.concerned(unit, proposal)}
            if actor.id in concerned:
                detail = "Another person has to agree: neither who proposed it nor whom it concerns."
                error: VaultError = Forbidden("policy.second_person", detail, rule="S19")
                self._deny(unit, actor, effect.permission, error, now)
            if proposal.state(now) is not ProposalState.WAITING:
                detail = f"This proposal is {proposal.state(now)}; nothing is left to decide."
                self._deny(unit, actor, effect.permission, Conflict("proposal.state", detail), now)
            first = (proposal.proposed_by, effect.permission, proposal.scope)
            if not word_counts(unit, self.gate.policy, *first, now):
                self._deny(unit, actor, effect.permission, gone("proposal.state"), now)
            if content is not None and content != content_hash(proposal):
                detail = "This is not what you looked at; reload it and look again."
                self._deny(unit, actor, effect.permission, Conflict("approval.changed", detail), now)
            stale = effect.check(unit, actor, proposal, now)
            if stale is not None:
                self._deny(unit, actor, effect.permission, stale, now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor))
            hold = effect.hold(unit, proposal, now) if unit.accounts.ever_held() else timedelta(0)
            agreed = replace(proposal, confirmed_by=actor.id, confirmed_at=now, effective_at=now + hold)
            unit.proposals.update(agreed)
            told = (*changes(proposal, agreed), *effect.agreed(unit, actor, agreed, now))
            event = _event(EventType.PROPOSAL_AGREED, actor, agreed, told)
            detail_ = {**event.detail, "proposed_by": proposal.proposed_by, "effective_at": stamp(now + hold)}
            unit.log.record(replace(event, detail=detail_), now)
            second = (actor.id, *first[1:])
            # the log's head is held by now: whoever took a power away before this entry has committed, and is seen
            if not all(word_counts(unit, self.gate.policy, *word, now) for word in (first, second)):
                raise meanwhile()
            unit.commit()
        return agreed

    def end(self, actor: Actor, proposal_id: str, why: str) -> Proposal:
        """Withdraw, refuse or take away, at once: by who proposed it, whom it concerns, or who may agree to it."""
        check_why(why)
        now = self.clock.now()
        with self.units.write() as unit:
            proposal, effect = self._mine(unit, actor, proposal_id, now, concerned=True)
            denied = Event(EventType.ACCESS_DENIED, actor, detail={"permission": effect.permission})
            require_word(unit, actor, denied, now)
            if proposal.ended_at is not None:
                return proposal
            if proposal.kind in LASTING and proposal.in_force(now):
                detail = "This is in force until another takes its place; propose what shall count instead."
                self._deny(unit, actor, effect.permission, Conflict("proposal.state", detail), now)
            ended = close(unit, actor, proposal, why, now, effect.ended(unit, actor, proposal, now))
            unit.commit()
        return ended

    def get(self, actor: Actor, proposal_id: str) -> Proposal:
        """Read one: within the scope in which one may decide its kind, or reads the log, or one's own."""
        with self.units.read() as unit:
            found = unit.proposals.get(proposal_id)
            if found is None or not self._sees(unit, actor, found):
                raise not_found("proposal", proposal_id[:36])
        return found

    def page(
        self, actor: Actor, part: Slice, *, kind: ProposalKind | None = None, is_waiting: bool = False
    ) -> Page[Proposal]:
        """List those within one's scope of the kinds that one may decide, or read as an auditor; newest first."""
        reaches = {each: self._reach(actor, each) for each in self.effects if kind in {None, each}}
        kinds = frozenset(each for each, reach in reaches.items() if not reach.empty)
        wanted = ProposalFilter(kinds, is_waiting=is_waiting, reaches=reaches, reader=actor.id)
        with self.units.read() as unit:
            found = unit.proposals.page(wanted, part)
            return replace(found, items=tuple(each for each in found.items if self._sees(unit, actor, each)))

    def mine(self, actor: Actor) -> tuple[Proposal, ...]:
        """List what waits for exactly this person's word, the newest first."""
        waiting = self.page(actor, Slice(limit=WAITING_SHOWN), is_waiting=True).items
        return tuple(each for each in waiting if not self.barred(actor, each))

    def barred(self, actor: Actor, proposal: Proposal) -> str:
        """Say why this actor may not agree to a proposal that waits; empty where they may."""
        effect = self.effects[proposal.kind]
        with self.units.read() as unit:
            if not lies_within(unit, self.gate.policy.reach(actor, effect.permission), proposal.scope):
                return f"It takes somebody who has {effect.permission} for {proposal.scope}."
            concerned = effect.concerned(unit, proposal)
        if actor.id == proposal.proposed_by:
            return "You proposed it; another person has to agree."
        return "It is about you; others have to agree." if actor.id in concerned else ""

    def may_end(self, actor: Actor, proposal: Proposal) -> bool:
        """Say whether this actor may end it: their own, one about themselves, or one they may decide."""
        effect = self.effects[proposal.kind]
        with self.units.read() as unit:
            theirs = {proposal.proposed_by, *effect.concerned(unit, proposal)}
            reach = self.gate.policy.reach(actor, effect.permission)
            return actor.id in theirs or lies_within(unit, reach, proposal.scope)

    def _reach(self, actor: Actor, kind: ProposalKind) -> Reach:
        """Give how far somebody knows of a kind: by deciding it, or by reading the log."""
        asked = (self.effects[kind].permission, Permission.LOG_READ)
        return joined(self.gate.policy.reach(actor, each) for each in asked)

    def _sees(self, unit: Unit, actor: Actor, proposal: Proposal) -> bool:
        effect = self.effects.get(proposal.kind)
        if effect is None:
            return False
        theirs = {proposal.proposed_by, *effect.concerned(unit, proposal)}
        return actor.id in theirs or lies_within(unit, self._reach(actor, proposal.kind), proposal.scope)

    def _mine(
        self, unit: Unit, actor: Actor, proposal_id: str, now: datetime, *, concerned: bool = False
    ) -> tuple[Proposal, Effect]:
        """Find a proposal that the actor may decide, its row held; with `concerned`, also one about themselves."""
        found = unit.proposals.lock(proposal_id)
        effect = None if found is None else self.effects.get(found.kind)
        if found is None or effect is None or not self._sees(unit, actor, found):
            refuse_absent(unit, actor, "proposal", proposal_id, now)
        if not (concerned and actor.id in {found.proposed_by, *effect.concerned(unit, found)}):
            self.gate.require(unit, actor, effect.permission, now)
            require_reach(self.gate, unit, actor, found.scope, now, effect.permission)
        return found, effect

    def _deny(
        self, unit: Unit, actor: Actor, permission: Permission, error: VaultError, now: datetime
    ) -> NoReturn:
        refuse(unit, Event(EventType.ACCESS_DENIED, actor, detail={"permission": permission}), error, now)


def close(
    unit: Unit, actor: Actor, proposal: Proposal, why: str, now: datetime, told: tuple[Change, ...] = ()
) -> Proposal:
    """End a proposal in the caller's unit and tell of it, with what followed; nothing is asked."""
    ended = replace(proposal, ended_at=now, ended_by=actor.id)
    unit.proposals.update(ended)
    event = _event(EventType.PROPOSAL_ENDED, actor, ended, (*changes(proposal, ended), *told))
    unit.log.record(replace(event, detail={**event.detail, "why": why.strip()}), now)
    return ended


def gone(code: str) -> Conflict:
    """Say that the first word of two does not count any more."""
    detail = (
        "Who proposed this may not do so any more, or is frozen; end it, and let somebody propose it anew."
    )
    return Conflict(code, detail)


def check_why(why: str) -> None:
    """Return where a sentence says enough for another person to decide; else `Invalid`."""
    if not WHY_MIN <= len(why.strip()) <= WHY_MAX:
        words = f"Say why in {WHY_MIN} to {WHY_MAX} characters."
        raise Invalid("input.invalid", words, errors=(FieldError("/why", words),))


def in_json(facts: Mapping[str, object]) -> str:
    """Write what exactly is agreed to, as canonical JSON: keys in order, no spaces, ASCII alone."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"))


def content_hash(proposal: Proposal) -> str:
    """Give the hex SHA-256 of what exactly is agreed to."""
    words = f"{proposal.kind}\n{proposal.subject}\n{proposal.scope}\n{proposal.content}"
    return hashlib.sha256(words.encode()).hexdigest()


def _drawn(actor: Actor, draft: Draft, now: datetime) -> Proposal:
    return Proposal(
        new_id(), draft.kind, draft.subject, draft.content, draft.why.strip(), actor.id, now, draft.scope
    )


def _event(kind: EventType, actor: Actor, proposal: Proposal, told: tuple[Change, ...]) -> Event:
    detail = {
        "proposal": proposal.id,
        "kind": proposal.kind,
        "about": proposal.subject,
        "scope": str(proposal.scope),
        "content_hash": content_hash(proposal),
    }
    return Event(kind, actor, changes=told, detail=detail, subject=f"proposal:{proposal.id}")
