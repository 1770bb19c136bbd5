"""The gates of a handover: by rule and account, what is there, what is missing, and on whom it waits (H1-H6, C5).

Decided here: which steps are gates, and which of them a case does not need and why. They are read off where the case
stands, never kept beside it, so that a gate cannot say anything else than the begin of an account does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.domain.account import Kind
from vault.domain.case import Form, PlaceState
from vault.domain.days_of_business import PAYER_FROM
from vault.domain.outlook import Standing
from vault.domain.plans.handover import (
    BILLING,
    BILLING_LAST,
    CTA_AWS,
    CTA_INDIA,
    DAY,
    GATES,
    ORGANIZATION,
    PLAN,
    UNDER,
)

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.case import Scene, Step
    from vault.domain.days_of_business import Calendar
    from vault.domain.outlook import Item
    from vault.domain.policy import Permission
    from vault.services.case_ground import CaseView

H5: Final = f"A dedicated master payer from the {PAYER_FROM}th of a month on; nothing overrides that"
_NOT_NEEDED: Final[Mapping[str, str]] = {
    CTA_AWS: "The customer is not Public Sector.",
    CTA_INDIA: "The customer is not under AWS India.",
    BILLING: "A payer's billing permissions are amended at the end.",
    BILLING_LAST: "For payers alone.",
    ORGANIZATION: "The case has no payer with members.",
}


_ELSE_UNTOLD: Final = frozenset({BILLING_LAST, UNDER})
"""Gates of some accounts that are not told of as not needed by all others."""


class GateState(StrEnum):
    """How a gate stands."""

    MET = "met"
    OPEN = "open"
    """Somebody can meet it now."""
    ASKED = "asked"
    """It waits for the second of two people."""
    WAITS = "waits"
    """Something else comes first."""
    WAIVED = "waived"
    NOT_NEEDED = "not_needed"


_STATES: Final[Mapping[Standing, GateState]] = {
    Standing.BLOCKED: GateState.WAITS,
    Standing.OPEN: GateState.OPEN,
    Standing.DOING: GateState.OPEN,
    Standing.FAILED: GateState.OPEN,
    Standing.ASKED: GateState.ASKED,
    Standing.DONE: GateState.MET,
    Standing.WAIVED: GateState.WAIVED,
}


@dataclass(frozen=True, slots=True)
class GateSeen:
    """One gate of an account, or with an empty number of the whole case; `who` is the permission of who is next."""

    rule: str
    step: str
    title: str
    account_id: str
    state: GateState
    words: str
    who: Permission | None = None
    since: datetime | None = None


def gates_of(view: CaseView, now: datetime, calendar: Calendar) -> tuple[GateSeen, ...]:
    """Give every gate in the plan's order, by account in the case's."""
    items = {(each.step.name, each.account_id): each for each in view.items}
    return tuple(_held_against_day(each, view.scene, now, calendar) for each in _gates(view, items))


def _held_against_day(gate: GateSeen, scene: Scene, now: datetime, calendar: Calendar) -> GateSeen:
    """Call a gate that is met open again where the begin, on the account's day, would be refused for it."""
    place = scene.place(gate.account_id) if gate.account_id else None
    if gate.state is not GateState.MET or place is None or place.state is not PlaceState.SCHEDULED:
        return gate
    assert place.day is not None  # noqa: S101 - it is scheduled
    day, words = calendar.day(place.day), ""
    if gate.step == DAY and day < calendar.day(now):
        words = f"The day was {day}; choose one anew."
    done = scene.of(gate.account_id, BILLING)
    if gate.step == BILLING and done is not None and calendar.day(done.at) >= day:
        words = (
            f"Amended on {calendar.day(done.at)}, which is not before the day, {day}: choose another day, or let two "
            "people waive it."
        )
    if not words:
        return gate
    step = PLAN.step(gate.step)
    assert step is not None  # noqa: S101 - the plan's own names
    return replace(gate, state=GateState.OPEN, words=words, who=step.by)


def _gates(view: CaseView, items: Mapping[tuple[str, str], Item]) -> Iterator[GateSeen]:
    scene = view.scene
    for name in GATES:
        step = PLAN.step(name)
        assert step is not None  # noqa: S101 - the plan's own names
        for number in scene.live if step.per_account else ("",):
            item = items.get((name, number))
            if item is not None:
                yield _gate(item)
            elif not step.applies(scene.seen(number)) and (not number or name not in _ELSE_UNTOLD):
                words = _NOT_NEEDED.get(name, "")
                yield GateSeen(step.rule, name, step.title, number, GateState.NOT_NEEDED, words)
            if name == DAY and item is not None and scene.accounts[number].kind is Kind.PAYER:
                yield _payers_day(item, number)


def _gate(item: Item) -> GateSeen:
    step = item.step
    return GateSeen(
        step.rule,
        step.name,
        step.title,
        item.account_id,
        _STATES[item.standing],
        _words(item),
        item.who,
        item.since,
    )


def _payers_day(item: Item, number: str) -> GateSeen:
    """H5 is a gate of its own: met by whatever day the payer has, because no other one is taken."""
    state = _STATES[item.standing]
    return GateSeen("H5", DAY, H5, number, state, _words(item), item.who, item.since)


def _words(item: Item) -> str:
    if item.standing is Standing.BLOCKED:
        return f"First comes {'; '.join(item.missing[:3])}."
    if item.standing is Standing.ASKED:
        return "Another person has to agree."
    if item.standing in {Standing.DONE, Standing.WAIVED}:
        return "" if item.done is None else item.done.words
    return _asked(item.step)


def _asked(step: Step) -> str:
    names = [field.label for field in step.evidence if not field.optional and field.form is not Form.CODE]
    return f"Missing: {'; '.join(names)}." if names else f"{step.title}."
