"""The policy's versions: proposed by one administrator, agreed to by another, read and compared by who may.

Decided here: that a version comes into force by two people (S19): at once where every difference takes power away,
else after the hold; that agreeing to one ends those that still wait; that a version in force is never ended, only
replaced. The file on the host is only where a proposal's text may come from, and is never loaded by itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.actor import Scope, ScopeKind
from vault.domain.event import Change, Event, EventType, stamp
from vault.domain.policy import Permission, Policy
from vault.domain.policy_changes import Difference, adds_power, differences
from vault.domain.policy_document import read_policy
from vault.domain.policy_version import PolicyVersion, digest_of
from vault.domain.proposal import ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, Refused, VaultError, not_found
from vault.services.effects import Plain
from vault.services.proposals import CONTENT_MAX, Draft, close

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.proposal import Proposal
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Page, Slice, Unit, Units
    from vault.services.gate import Gate
    from vault.services.proposals import Proposals

OVERTAKEN: Final = "Another version of the policy was agreed to."


@dataclass(frozen=True, slots=True)
class Compared:
    """A text beside the version in force: what is other, and how long it would wait after the second word."""

    digest: str
    differences: tuple[Difference, ...]
    hold: timedelta


@dataclass(frozen=True, slots=True)
class FileState:
    """How the host's file stands to the version in force; `fault` says why it could not be proposed."""

    digest: str
    is_in_force: bool
    fault: str = ""

    @property
    def waits(self) -> bool:
        """Whether the file says something that nobody agreed to."""
        return not self.is_in_force


@dataclass(frozen=True)
class PolicyEffect(Plain):
    """What a proposal of another policy means; `rests` is the hold of what adds power."""

    gate: Gate = field(kw_only=True)
    allowed: Permission = Permission.POLICY_MANAGE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why a text cannot become the policy."""
        if proposal.scope.kind is not ScopeKind.ALL:
            return Invalid("input.invalid", "A policy is for everything; nobody proposes it for a part.")
        if digest_of(proposal.content) != proposal.subject:
            return Invalid("input.invalid", "The digest is not that of the text.")
        try:
            parse(proposal.content)
        except Invalid as error:
            return error
        found = unit.policies.latest(now)
        if found != (self.gate.book.number, self.gate.policy.digest):
            return Conflict("concurrent.change", "The policy changed a moment ago; look again.")
        if proposal.subject == self.gate.policy.digest:
            return Conflict("proposal.state", "This version is in force already.")
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name nobody beside who proposed it."""
        return frozenset()

    @override
    def hold(self, unit: Unit, proposal: Proposal, now: datetime) -> timedelta:
        """Wait for whatever adds power; what only takes it away counts at once."""
        return compare(self.gate.policy, proposal.content, self.rests).hold

    @override
    def agreed(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Keep the version; end what still waits out its hold, which would undo this one."""
        overtake(unit, actor, OVERTAKEN, now)
        version = PolicyVersion(
            number=unit.policies.next_number(),
            digest=proposal.subject,
            text=proposal.content,
            effective_at=proposal.effective_at or now,
            proposal_id=proposal.id,
        )
        unit.policies.add(version)
        return changes(None, version)

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Withdraw the version that waits out its hold; one in force is never ended (`lasting`)."""
        held = unit.policies.by_proposal(proposal.id)
        if held is None or held.ended_at is not None:
            return ()
        ended = replace(held, ended_at=now)
        unit.policies.end(ended)
        return changes(held, ended)


@dataclass(frozen=True, slots=True)
class Policies:
    """Use cases on the policy's versions; `file` reads the host's file, and raises `OSError` where it cannot."""

    units: Units
    gate: Gate
    proposals: Proposals
    effect: PolicyEffect
    clock: Clock
    file: Callable[[], bytes]

    def propose(self, actor: Actor, text: str, why: str, otp: str) -> Proposal:
        """Propose a text; raises `Invalid` policy.invalid naming the line, and what proposing raises."""
        parse(text)
        draft = Draft(ProposalKind.POLICY, digest_of(text), text, why, Scope())
        return self.proposals.propose(actor, draft, otp)

    def compare(self, actor: Actor, text: str) -> Compared:
        """Hold a text against the version in force; nothing is kept. Raises `Invalid` policy.invalid."""
        self._may_read(actor)
        return compare(self.gate.policy, text, self.effect.rests)

    def file_text(self, actor: Actor) -> str:
        """Give the text of the host's file; raises `Invalid` policy.invalid where it cannot be read."""
        self._may_read(actor)
        try:
            return self.file().decode("utf-8")
        except (OSError, UnicodeDecodeError) as failure:
            words = f"The host's policy file cannot be read ({type(failure).__name__})."
            raise Invalid("policy.invalid", words) from None

    def file_state(self) -> FileState:
        """Say how the host's file stands to the version in force; of a file that is missing it says nothing."""
        return file_state(self.gate.policy, self.file)

    def page(self, actor: Actor, part: Slice) -> Page[PolicyVersion]:
        """List all versions, newest first, for administrators and auditors."""
        self._may_read(actor)
        with self.units.read() as unit:
            return unit.policies.page(part)

    def version(self, actor: Actor, digest: str) -> tuple[PolicyVersion, PolicyVersion | None]:
        """Give a version by digest, with the one of the number before, for administrators and auditors."""
        self._may_read(actor)
        with self.units.read() as unit:
            found = unit.policies.by_digest(digest)
            if found is None:
                raise not_found("policy version", digest[:64])
            return found, unit.policies.get(found.number - 1)

    def may_read(self, actor: Actor) -> bool:
        """Say whether someone may read the versions."""
        asked = (Permission.POLICY_MANAGE, Permission.LOG_READ)
        return any(self.gate.policy.reach(actor, each).everything for each in asked)

    def _may_read(self, actor: Actor) -> None:
        if not self.may_read(actor):
            now = self.clock.now()
            with self.units.write() as unit:
                self.gate.require(unit, actor, Permission.POLICY_MANAGE, now, asked_for="policy versions")
            raise Forbidden("policy.denied", "The versions are for administrators and auditors.")


def parse(text: str) -> Policy:
    """Read a text as people send it; raises `Invalid` policy.invalid naming the line."""
    data = text.encode()
    if len(data) > CONTENT_MAX:
        words = f"A policy has at most {CONTENT_MAX} bytes, this one {len(data)}."
        raise Invalid("policy.invalid", words, errors=(FieldError("/text", words),))
    try:
        return read_policy(data)
    except Refused as error:
        place = (FieldError("/text", error.detail),)
        raise Invalid("policy.invalid", error.detail, errors=place, line=error.facts.get("line")) from None


def compare(before: Policy, text: str, hold_for: timedelta) -> Compared:
    """Hold a text against a version; raises `Invalid` policy.invalid."""
    after = parse(text)
    found = differences(before, after)
    return Compared(after.digest, found, hold_for if adds_power(found) else timedelta(0))


def between(before: PolicyVersion | None, after: PolicyVersion) -> tuple[Difference, ...]:
    """Say how a version differs from the one before; nothing where there is none."""
    if before is None:
        return ()
    return differences(read_policy(before.text.encode()), read_policy(after.text.encode()))


def file_state(policy: Policy, file: Callable[[], bytes]) -> FileState:
    """Say how a file stands to a version."""
    try:
        data = file()
    except OSError:
        return FileState("", is_in_force=True)
    digest = hashlib.sha256(data).hexdigest()
    if digest == policy.digest:
        return FileState(digest, is_in_force=True)
    try:
        read_policy(data)
    except Refused as error:
        return FileState(digest, is_in_force=False, fault=error.detail)
    return FileState(digest, is_in_force=False)


def overtake(unit: Unit, actor: Actor, why: str, now: datetime) -> None:
    """End the versions that wait out their hold, in the caller's unit: a later word counts instead."""
    for held in unit.policies.held(now):
        before = None if held.proposal_id is None else unit.proposals.get(held.proposal_id)
        if before is not None and before.ended_at is None:
            ended = replace(held, ended_at=now)
            unit.policies.end(ended)
            close(unit, actor, before, why, now, changes(held, ended))


def adopt(unit: Unit, actor: Actor, text: str, now: datetime) -> PolicyVersion:
    """Make a text the version in force by the host's word, in the caller's unit.

    Only for a log that tells of no version yet: a new vault, one from before there were versions, a restored one.
    """
    policy = read_policy(text.encode())
    version = PolicyVersion(unit.policies.next_number(), policy.digest, text, now)
    unit.policies.add(version)
    detail: dict[str, Fact] = {"digest": policy.digest, "number": version.number, "effective_at": stamp(now)}
    told = changes(None, version)
    unit.log.record(Event(EventType.POLICY_ADOPTED, actor, changes=told, detail=detail), now)
    return version
