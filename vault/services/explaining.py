"""Why was this denied, and what would be needed: every gate between a person and an account's root, as it stands now.

Decided here: that each gate is told with pass or fail, in the order in which asking goes through them, and none is left
out because an earlier one is closed; that a person is told of themselves only, and of accounts in their sight only
(S21). Nothing is asked for and nothing is recorded. What the gates say is theirs: the policy's words and the use
cases' own are repeated, never composed anew.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from vault.domain.account import Custody
from vault.domain.agreement import words
from vault.domain.checkout import state_at
from vault.domain.event import stamp
from vault.domain.policy import Deny, Facts, Permission, Permit, Step, Terms
from vault.domain.reason import Reason
from vault.services.deciding import Deciding
from vault.services.gate import Gate
from vault.services.velocity import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units


class Passage(StrEnum):
    """The gates, in their order; those of a stated reason have the names of `Step`."""

    SIGHT = "sight"
    ROLE = "role"
    CUSTODY = "custody"
    FREEZE = "freeze"
    FREE = "free"
    REASON = "reason"
    KIND = "kind"
    SITUATION = "situation"
    HOURS = "hours"
    DURATION = "duration"
    APPROVERS = "approvers"
    VELOCITY = "velocity"
    TICKET = "ticket"
    FACTOR = "factor"


@dataclass(frozen=True, slots=True)
class GateSeen:
    """One gate as it stands: `code` is the refusal that it would give, `words` what it says or asks."""

    gate: Passage
    passed: bool
    words: str
    code: str = ""


@dataclass(frozen=True, slots=True)
class Explained:
    """All gates for one person, account and reason; `approvers` are the names of who may agree."""

    account: Account
    reason: str
    seconds: int
    policy_hash: str
    policy_number: int
    gates: tuple[GateSeen, ...]
    approvers: tuple[str, ...]
    needs: str

    @property
    def is_open(self) -> bool:
        """Whether asking now would be granted, or would wait for approvals only."""
        return all(gate.passed for gate in self.gates)


@dataclass(frozen=True, slots=True)
class Explaining:
    """The use case of explaining."""

    units: Units
    gate: Gate
    deciding: Deciding
    clock: Clock

    def explain(
        self, actor: Actor, account_id: str, code: str, seconds: int | None = None, ticket: str = ""
    ) -> Explained:
        """Explain what stands between the actor and an account in sight; raises `NotFound` for any other."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            policy = self.gate.policy
            facts = self.deciding.facts(unit, account, actor.id, now)
            reason = policy.reasons.get(code)
            terms = None if reason is None else policy.terms(reason, account, facts.customer)
            bound = policy.limits.longest_seconds if terms is None else terms.longest
            asked = min(policy.limits.checkout_seconds, bound) if seconds is None else seconds
            return Explained(
                account=account,
                reason=code,
                seconds=asked,
                policy_hash=policy.digest,
                policy_number=self.gate.book.number,
                gates=(
                    *self._around(unit, actor, account, now),
                    *self._stated(code, asked, facts, reason, terms),
                    self._velocity(unit, actor, account, code, now),
                    self._ticket(ticket),
                    GateSeen(
                        Passage.FACTOR,
                        passed=True,
                        words="A fresh second factor begins the lease, and stands before every disclosure.",
                    ),
                ),
                approvers=self._names(unit, facts, now),
                needs="" if terms is None else " and ".join(map(words, terms.needs)) or words(()),
            )

    def _around(self, unit: Unit, actor: Actor, account: Account, now: datetime) -> Iterator[GateSeen]:
        """Tell of the gates before the reason is looked at."""
        yield GateSeen(Passage.SIGHT, passed=True, words=f"You can see account {account.id}.")
        decision = self.gate.policy.decide(actor, Permission.CHECKOUT_USE, account.customer_id, account.id)
        yield _seen(
            Passage.ROLE, decision, "A role of yours asks for root, and its grant reaches this account."
        )
        if account.custody is Custody.CUSTOMER_HELD:
            said = "The customer holds this root (ECAM member); we hold nothing to check out."
            yield GateSeen(Passage.CUSTODY, passed=False, words=said, code="custody.customer_held")
        else:
            yield GateSeen(Passage.CUSTODY, passed=True, words=f"Our custody of it is {account.custody}.")
        frozen = unit.freezes.over(account, actor.id)
        if frozen is None:
            yield GateSeen(Passage.FREEZE, passed=True, words="Nothing that concerns you or it is frozen.")
        else:
            said = f"{str(frozen.covered).capitalize()} is frozen; two people lift that. Until then nothing is shown."
            yield GateSeen(Passage.FREEZE, passed=False, words=said, code="frozen")
        yield self._free(unit, actor, account, now)

    def _free(self, unit: Unit, actor: Actor, account: Account, now: datetime) -> GateSeen:
        claim = unit.checkouts.open_of(account.id)
        if claim is None or state_at(claim, now) is not claim.state:
            return GateSeen(Passage.FREE, passed=True, words="Nobody has it, and nobody has asked for it.")
        until = stamp(claim.expires_at or claim.use_by or claim.decide_by)
        holder = "You have" if claim.requester_id == actor.id else f"{claim.requester_name} has"
        said = f"{holder} it ({claim.state}) until {until}."
        return GateSeen(Passage.FREE, passed=False, words=said, code="checkout.conflict")

    def _stated(
        self, code: str, seconds: int, facts: Facts, reason: Reason | None, terms: Terms | None
    ) -> Iterator[GateSeen]:
        """Tell of every gate of the stated reason."""
        well = {
            Step.REASON: f"{code} is an accepted reason." if reason is None else f"{code}: {reason.title}.",
            Step.KIND: f"{code} is for a {facts.account.kind} account.",
            Step.SITUATION: f"{code} opens an account that is {facts.situation}.",
        }
        if terms is not None:
            hours = "; ".join(map(str, terms.hours))
            well[Step.HOURS] = f"It is open now: {hours}." if hours else "It has no hours of its own."
            well[Step.DURATION] = f"{seconds} seconds are within {terms.longest}."
            needed = " and ".join(map(words, terms.needs)) or words(())
            well[Step.APPROVERS] = f"It takes {needed}; enough people could give it."
        for step, decision in self.gate.policy.steps(code, seconds, facts):
            yield _seen(Passage(step.value), decision, well[step])

    def _velocity(self, unit: Unit, actor: Actor, account: Account, code: str, now: datetime) -> GateSeen:
        number, most = counted(unit, self.gate, actor.id, account.id, code, now)
        said = f"It would be account {number} of at most {most} within an hour."
        if number <= most:
            return GateSeen(Passage.VELOCITY, passed=True, words=said)
        return GateSeen(
            Passage.VELOCITY, passed=False, words=f"{said} You would be frozen.", code="limit.accounts"
        )

    def _ticket(self, ticket: str) -> GateSeen:
        pattern = self.gate.policy.limits.ticket_pattern
        if not ticket:
            return GateSeen(Passage.TICKET, passed=True, words=f"Its number has to be of the form {pattern}.")
        if re.fullmatch(pattern, ticket) is None:
            said = f"{ticket[:64]} is not of the form {pattern}."
            return GateSeen(Passage.TICKET, passed=False, words=said, code="input.invalid")
        return GateSeen(Passage.TICKET, passed=True, words="Its number is well formed.")

    def _names(self, unit: Unit, facts: Facts, now: datetime) -> tuple[str, ...]:
        """Name who may approve; whoever sees the account may know whom to ask."""
        eligible = facts.approvers or {}
        roles = self.gate.policy.permissions[Permission.CHECKOUT_APPROVE]
        holders = unit.people.holders(roles, now)
        return tuple(sorted({person.name for person, _ in holders if person.id in eligible}))


def _seen(gate: Passage, decision: Permit | Deny, well: str) -> GateSeen:
    if isinstance(decision, Deny):
        return GateSeen(gate, passed=False, words=decision.detail, code=decision.code)
    return GateSeen(gate, passed=True, words=well)
