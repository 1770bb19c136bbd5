"""How far the approvals of a request have come: which words count, who may give another, whether it is locked.

Decided here: a word counts while its giver may still give it, by power that was in force when it was given and is
in force without a break since (S17, S20); a request that was edited has no word that counts; and what an approved
request is whose words do not suffice any more: it waits again. Never decided here: how many a reason needs (`policy`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from vault.domain.account import Account
from vault.domain.actor import Power, reach_of
from vault.domain.agreement import Approvers, Need, Needs, words
from vault.domain.agreement import approvals as people_of
from vault.domain.checkout import Approval, Checkout, CheckoutState, Decision, content_of, state_at
from vault.domain.person import Grant, Person
from vault.domain.policy import Terms

MOST_NAMED: Final = 8
"""How many people a sentence names before it counts the rest."""


@dataclass(frozen=True, slots=True)
class Approver:
    """Someone whose roles let them approve for an account now: each such power with the time it began."""

    id: str
    name: str
    since: tuple[tuple[Power, datetime], ...]

    @property
    def powers(self) -> tuple[Power, ...]:
        """The powers by which they may approve now."""
        return tuple(power for power, _ in self.since)

    def powers_at(self, at: datetime) -> tuple[Power, ...]:
        """Give those of their powers that were in force at `at`, and still are."""
        return tuple(power for power, begun in self.since if begun <= at)


@dataclass(frozen=True, slots=True)
class Progress:
    """Where the approvals of one request stand now.

    `given` are the words that count, `void` those that were said and do not count any more, `may` the people who
    may still give one, by name. `left` says what the words that count leave open, `short` what would be left open even
    if everybody in `may` agreed. `intact` is False where the stored request is not the one that was asked for.
    """

    needed: int
    given: tuple[Approval, ...]
    void: tuple[Approval, ...]
    may: tuple[Approver, ...]
    left: Needs
    short: Needs
    intact: bool = True

    @property
    def complete(self) -> bool:
        """Whether the words that count suffice."""
        return self.intact and not self.left

    @property
    def locked(self) -> bool:
        """Whether nobody, or too few, or the wrong people are left who could complete it."""
        return bool(self.short)


def approvers_for(
    holders: Iterable[tuple[Person, Grant]], account: Account, requester_id: str
) -> tuple[Approver, ...]:
    """Name who may approve a request for `account`, out of those who hold a role that approves, by name."""
    found: dict[str, Approver] = {}
    for person, grant in holders:
        covers = reach_of((grant.scope,)).covers(account.customer_id, account.id)
        if grant.effective_at is None or person.id == requester_id or not covers:
            continue
        known = found.get(person.id, Approver(person.id, person.name, ()))
        power = (Power(grant.role, grant.scope), grant.effective_at)
        found[person.id] = replace(known, since=(*known.since, power))
    return tuple(sorted(found.values(), key=lambda each: (each.name.casefold(), each.id)))


def powers_of(approvers: Iterable[Approver]) -> Approvers:
    """Give the powers of each by id, as the policy asks for them."""
    return {each.id: each.powers for each in approvers}


def progress_of(
    checkout: Checkout, said: tuple[Approval, ...], approvers: tuple[Approver, ...], terms: Terms
) -> Progress:
    """Weigh what was said on a request against who may approve it now, on the terms that are in force now.

    Both count: the number of people that the request was told it would need, and the terms.
    """
    intact = content_of(checkout) == checkout.content_hash
    known = {each.id: each for each in approvers}
    agreed = [each for each in said if each.decision is Decision.APPROVE]
    counting: dict[str, tuple[Power, ...]] = {}
    for word in agreed:
        approver = known.get(word.approver_id)
        powers = () if approver is None else approver.powers_at(word.decided_at)
        if intact and powers and word.content_hash == checkout.content_hash:
            counting[word.approver_id] = powers
    spoke = {each.approver_id for each in said}
    may = tuple(each for each in approvers if each.id not in spoke)
    return Progress(
        needed=max(checkout.approvals_needed, terms.approvals),
        given=tuple(each for each in agreed if each.approver_id in counting),
        void=tuple(each for each in agreed if each.approver_id not in counting),
        may=may,
        left=_left(checkout, terms, counting),
        short=_left(checkout, terms, {**counting, **powers_of(may)}),
        intact=intact,
    )


def _left(checkout: Checkout, terms: Terms, people: Approvers) -> Needs:
    """Give what `people` leave open: of the terms, or else of the number that the request was told."""
    by_terms = terms.missing(people)
    by_number = checkout.approvals_needed - len(people)
    return by_terms if people_of(by_terms) >= by_number else (Need(by_number),)


def waits_again(checkout: Checkout, progress: Progress, now: datetime) -> bool:
    """Say whether an approved request waits for a new word, because one that was given does not count any more."""
    lost = progress.intact and bool(progress.left)
    return lost and state_at(checkout, now) is CheckoutState.APPROVED


def standing(checkout: Checkout, progress: Progress, now: datetime) -> CheckoutState:
    """Give the state a request is in at `now`, by time and by who may approve, written or not (rule 10)."""
    if waits_again(checkout, progress, now):
        return state_at(replace(checkout, state=CheckoutState.PENDING_APPROVAL), now)
    return state_at(checkout, now)


def told(progress: Progress) -> str:
    """Say in words where the approvals stand: what is missing, who may give it, and the next step where nobody can."""
    if not progress.intact:
        return (
            "What is stored of this request is not what was asked for, so nothing begins with it. "
            "Treat this as an incident: have the request withdrawn or revoked, and ask again."
        )
    said: list[str] = []
    if progress.void:
        names = _names(each.approver_name for each in progress.void)
        said.append(f"The word of {names} does not count any more: who gave it may not approve now.")
    if not progress.left:
        return " ".join((*said, "All approvals are given."))
    people = _names(each.name for each in progress.may)
    if progress.locked:
        only = f"only {people} may decide" if progress.may else "nobody is left who may decide"
        said.append(
            f"Locked: still needed: {words(progress.left)}, and {only}. "
            "Two administrators have to appoint somebody, or the request is withdrawn."
        )
    else:
        said.append(f"Still needed: {words(progress.left)}. {people} may decide.")
    return " ".join(said)


def _names(people: Iterable[str]) -> str:
    """List names; many are counted, so that a sentence stays one."""
    named = list(people)
    shown, more = named[:MOST_NAMED], len(named) - MOST_NAMED
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, (", ".join(named[:-1]), named[-1]))) if named else ""
