"""Reasons: the few situations that need root, and the situation an account is in (U1, U2).

Decided here: what a reason says of itself, and which one word describes an account to the reasons
table. The table itself is data in ``config/policy.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from vault.domain.account import Custody, Kind
from vault.domain.agreement import Needs
from vault.domain.agreement import approvals as people_of
from vault.domain.credential import BLOCKING, Due, Part, PartState
from vault.domain.hours import Hours


class Situation(StrEnum):
    """What an account's custody and parts amount to, in the words of the reasons table."""

    ONBOARDING = "onboarding"
    HELD = "held"
    DUE = "due"
    UNKNOWN = "unknown"
    IN_TRANSFER = "in_transfer"
    CLOSING = "closing"
    REVIEW = "review"
    """A broken glass was not reviewed yet: only rotation opens."""
    NONE = "none"
    """Nothing opens: released, closed, dead, keyless or the customer's."""


_BY_CUSTODY = {
    Custody.ONBOARDING: Situation.ONBOARDING,
    Custody.HELD: Situation.HELD,
    Custody.IN_TRANSFER: Situation.IN_TRANSFER,
    Custody.CLOSING: Situation.CLOSING,
}

_ENDED = frozenset({Custody.CLOSED, Custody.DEAD})
UNPROVEN = frozenset({PartState.UNKNOWN, PartState.RECONCILING, PartState.LOST})


def behind_glass(custody: Custody, now_in: Situation) -> Situation:
    """Give the situation as which broken glass is decided: due is waived, custody is not.

    Closed and dead accounts open by it alone, for what would open a held one.
    """
    if now_in in {Situation.DUE, Situation.UNKNOWN} or (now_in is Situation.NONE and custody in _ENDED):
        return Situation.HELD
    return now_in


def situation(
    custody: Custody, parts: tuple[Part, ...], due: frozenset[Due], *, unreviewed: bool = False
) -> Situation:
    """Say in one word which reasons can open an account.

    A broken glass that nobody reviewed outweighs all, an unproven part a due one.
    """
    if unreviewed:
        return Situation.REVIEW
    found = _BY_CUSTODY.get(custody, Situation.NONE)
    if found is not Situation.HELD:
        return found
    if any(part.state in UNPROVEN for part in parts):
        return Situation.UNKNOWN
    return Situation.DUE if due & BLOCKING else Situation.HELD


@dataclass(frozen=True, slots=True)
class Reason:
    """One accepted reason: for which accounts, how many others agree, how long, and the lesser way.

    `instead` names, per kind of account, how to do it without root; where the kind is not in
    `kinds` that is the only way. Outside its `hours` it opens nothing.
    """

    code: str
    title: str
    kinds: frozenset[Kind]
    situations: frozenset[Situation]
    needs: Needs
    max_seconds: int
    instead: Mapping[Kind, str]
    hours: Hours | None = None

    @property
    def approvals(self) -> int:
        """How many people have to agree, whoever they are."""
        return people_of(self.needs)
