"""Break-glass: root in an emergency, without approvals, by who was enabled for it; and the review afterwards.

Decided here: who is enabled (two administrators agreed, the hold is over, and the person administers nothing), what
breaking waives (approvals, and that the credential is due) and nothing else, that it revokes somebody else's checkout
in the same transaction, and that afterwards somebody reviews it who had no part in it: neither who broke, nor who was
revoked by it, nor who took codes, displayed or rotated anything under it. Until then only rotation opens the account.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.actor import Actor, Role, Scope, reach_of
from vault.domain.checkout import Checkout, Verdict
from vault.domain.event import Change, Event, EventType
from vault.domain.person import PersonState
from vault.domain.policy import Permission
from vault.domain.proposal import Proposal, ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, VaultError, not_found
from vault.services.deciding import enabled
from vault.services.departures import claim_leases, end_claimed
from vault.services.effects import Plain, made_their_link
from vault.services.factors import Factors, refusal
from vault.services.frozen import require_word
from vault.services.gate import Gate, refuse
from vault.services.leases import settle
from vault.services.proposals import Draft, Proposals, in_json
from vault.services.tokens import check_scope

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

SHOWN: Final = 200
RULE: Final = "break-glass"


def is_enabled(unit: Unit, actor: Actor, account: Account, now: datetime) -> bool:
    """Say whether somebody may break the glass of an account; an administrator never may."""
    return Role.ADMIN not in actor.roles and enabled(unit, actor.id, account, now)


def not_enabled(account: Account) -> Forbidden:
    """Say that somebody may not, and who may."""
    detail = (
        f"You are not enabled to break the glass of account {account.id}. Ask in the usual way, or somebody who is "
        "enabled; two administrators enable a person."
    )
    return Forbidden("policy.denied", detail, rule=RULE)


def begun(checkout: Checkout, revoked: Checkout | None, actor: Actor) -> Event:
    """Make the entry that somebody broke the glass, which everybody concerned is told of."""
    detail: dict[str, str | int | bool | None] = {"seconds": checkout.requested_seconds}
    if revoked is not None:
        detail |= {"revoked": revoked.id, "revoked_person": revoked.requester_id}
    return Event(
        EventType.BREAK_GLASS_BEGUN,
        actor,
        account_id=checkout.account_id,
        checkout_id=checkout.id,
        rule=RULE,
        detail=detail,
    )


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The use cases around a broken glass; breaking it is asking (`asking`)."""

    units: Units
    gate: Gate
    factors: Factors
    proposals: Proposals
    clock: Clock

    def enable(self, actor: Actor, person_id: str, scope: Scope, why: str, otp: str) -> Proposal:
        """Propose that a person may break the glass within a scope; another administrator has to agree."""
        with self.units.read() as unit:
            check_scope(unit, scope)
        content = in_json({"person": person_id, "scope": str(scope)})
        draft = Draft(ProposalKind.BREAK_GLASS, person_id, content, why, scope)
        return self.proposals.propose(actor, draft, otp)

    def enabled(self, person_id: str) -> tuple[Proposal, ...]:
        """List what was agreed to for a person and not ended; some of it may still be held."""
        with self.units.read() as unit:
            return unit.proposals.agreed(ProposalKind.BREAK_GLASS, person_id)

    def may_break(self, actor: Actor, account: Account) -> bool:
        """Say whether somebody is enabled for an account, for the page on which it is asked."""
        with self.units.read() as unit:
            return is_enabled(unit, actor, account, self.clock.now())

    def waiting(self, actor: Actor) -> tuple[Checkout, ...]:
        """List the broken glasses within sight that were not reviewed, the oldest first."""
        with self.units.read() as unit:
            reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
            return unit.checkouts.awaiting_review(reach, SHOWN)

    def unreviewed(self, account_id: str) -> tuple[Checkout, ...]:
        """List those of one account, which the caller saw already."""
        with self.units.read() as unit:
            return unit.checkouts.unreviewed((account_id,))

    def uninvolved(self, actor: Actor, checkout: Checkout, account: Account) -> bool:
        """Say whether somebody could review a broken glass now."""
        reach = self.gate.policy.reach(actor, Permission.CHECKOUT_REVIEW)
        if not reach.covers(account.customer_id, account.id):
            return False
        with self.units.read() as unit:
            return actor.id not in involved(unit, checkout)

    def review(self, actor: Actor, checkout_id: str, verdict: Verdict, sentence: str, otp: str) -> Checkout:
        """Review an ended broken glass, once; raises `Forbidden` policy.second_person for who had a part in it."""
        sentence = sentence.strip()
        limits = self.gate.policy.limits
        if not limits.justification_min <= len(sentence) <= limits.justification_max:
            words = (
                f"Say what you found in {limits.justification_min} to {limits.justification_max} characters."
            )
            raise Invalid("input.invalid", words, errors=(FieldError("/sentence", words),))
        now = self.clock.now()
        with self.units.write() as unit:
            found, account = self.gate.checkout(unit, actor, checkout_id, now)
            denied = Event(EventType.ACCESS_DENIED, actor, account_id=account.id, checkout_id=found.id)
            self.gate.require(
                unit, actor, Permission.CHECKOUT_REVIEW, now, account=account, checkout_id=found.id
            )
            require_word(unit, actor, denied, now)
            checkout = settle(unit, found, now)
            if actor.id in involved(unit, checkout):
                detail = "You had a part in it; an approver who had none has to review it."
                refuse(unit, denied, Forbidden("policy.second_person", detail, rule=RULE), now)
            if not checkout.is_unreviewed or checkout.is_open:
                detail = _unreviewable(checkout)
                refuse(unit, denied, Conflict("checkout.state", detail, state=checkout.state), now)
            actor = self.factors.check(unit, actor, otp, now, refusal(actor, account.id, checkout.id))
            reviewed = replace(
                checkout, reviewed_by=actor.id, reviewed_at=now, verdict=verdict, review_note=sentence
            )
            unit.checkouts.update(reviewed)
            event = Event(
                EventType.BREAK_GLASS_REVIEWED,
                actor,
                account_id=account.id,
                checkout_id=checkout.id,
                rule=RULE,
                changes=changes(checkout, reviewed),
                detail={"verdict": verdict, "note": sentence, "requester": checkout.requester_id},
                subject=f"checkout:{checkout.id}",
            )
            unit.log.record(event, now)
            unit.commit()
        return reviewed


def involved(unit: Unit, checkout: Checkout) -> frozenset[str]:
    """Name everybody who had a part in a broken glass: none of them reviews it."""
    people: set[str | None] = {checkout.requester_id, checkout.second_id}
    if checkout.revoked_id is not None:
        revoked = unit.checkouts.get(checkout.revoked_id)
        if revoked is not None:
            people |= {revoked.requester_id, revoked.second_id}
    people |= {reveal.person_id for reveal in unit.reveals.of_checkout(checkout.id)}
    for rotation in unit.rotations.under(checkout.id):
        people |= {rotation.planned_by, rotation.displayed_by, rotation.attested_by, rotation.verified_by}
    return frozenset(each for each in people if each is not None)


def _unreviewable(checkout: Checkout) -> str:
    if not checkout.break_glass:
        return "No glass was broken here; there is nothing to review."
    if checkout.is_open:
        return (
            f"This checkout is {checkout.state}; it is reviewed when it has ended. Revoke it to end it now."
        )
    return "This was reviewed already."


@dataclass(frozen=True)
class Enabling(Plain):
    """What it means that a person may break the glass: looked up when they do."""

    allowed: Permission = Permission.PEOPLE_MANAGE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: nobody enables themselves, and nobody who administers is ever enabled."""
        person = unit.people.get(proposal.subject)
        if person is None or person.state is not PersonState.ACTIVE:
            return not_found("person", proposal.subject[:36])
        if actor.id == person.id:
            return Forbidden(
                "policy.second_person", "Nobody enables themselves; two others have to.", rule="S19"
            )
        standing = [each for each in unit.people.grants(person.id) if each.removed_at is None]
        if any(each.role is Role.ADMIN and not each.ended(now) for each in standing):
            detail = "An administrator never breaks the glass: who gives power does not use it."
            return Forbidden("policy.denied", detail, rule="rule 9")
        return made_their_link(actor, person, proposal)

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """End the broken glasses of the person that rest on this alone; `proposal` still stands while it is asked."""
        others = [
            each.scope
            for each in unit.proposals.agreed(proposal.kind, proposal.subject)
            if each.id != proposal.id and each.in_force(now)
        ]
        claimed = claim_leases(unit, proposal.subject, reach_of(tuple(others)))
        end_claimed(unit, actor, tuple(each for each in claimed if each.break_glass), now)
        return ()
