"""The words, signs and tones of cases: kinds, states, how a step stands, and the stages that a page draws."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.case import CaseKind, CaseState, HandoverState, PlaceState
from vault.domain.outlook import Standing
from vault.domain.policy import Permission
from vault.web.ui.words import ROLE, Word

if TYPE_CHECKING:
    from vault.domain.policy import Policy
    from vault.services.case_views import CaseWhole

KIND: Final[Mapping[CaseKind, Word]] = {
    CaseKind.ONBOARDING: Word("Onboarding", "accent", "in", "We take the root of accounts over."),
    CaseKind.HANDOVER: Word("Handover", "accent", "out", "Accounts and their root become the customer's."),
    CaseKind.CLOSURE: Word("Closure", "accent", "stop", "Accounts are closed for good."),
    CaseKind.MOVE: Word("Move", "accent", "arrow", "Accounts go to another customer."),
}
KINDS: Final[Mapping[CaseKind, str]] = {
    CaseKind.ONBOARDING: "Onboarding",
    CaseKind.HANDOVER: "Handovers",
    CaseKind.CLOSURE: "Closures",
    CaseKind.MOVE: "Moves",
}
"""The tabs."""
LEAD: Final[Mapping[CaseKind, str]] = {
    CaseKind.ONBOARDING: "Accounts whose root we take over, from the request to custody.",
    CaseKind.HANDOVER: "Accounts that become the customer's, from the notice to the last key.",
    CaseKind.CLOSURE: "Accounts that are closed, until they are gone for good.",
    CaseKind.MOVE: "Accounts that go to another customer.",
}
STATE: Final[Mapping[str, Word]] = {
    CaseState.OPEN: Word("Open", "accent", "turn", "Something is left to do."),
    CaseState.DONE: Word("Done", "ok", "check", "All of it is done."),
    CaseState.CANCELLED: Word("Cancelled", "info", "stop", "It ended before its work was done."),
    HandoverState.REQUESTED: Word("Requested", "warn", "question", "Information is missing."),
    HandoverState.PREPARED: Word("Prepared", "accent", "reasons", "All information is there; no day yet."),
    HandoverState.SCHEDULED: Word("Scheduled", "accent", "clock", "Each account has its day."),
    HandoverState.IN_PROGRESS: Word("In progress", "accent", "turn", "The first account's day has begun."),
    HandoverState.RELEASED: Word("Released", "ok", "out", "The customer holds every account."),
    HandoverState.ACKNOWLEDGED: Word("Acknowledged", "ok", "check", "The signatory says that they hold it."),
    HandoverState.CLOSED: Word("Closed", "ok", "lock", "What we could open is destroyed."),
}
PLACE: Final[Mapping[PlaceState, Word]] = {
    PlaceState.WAITING: Word("Not begun", "info", "clock", "Its work has not begun."),
    PlaceState.SCHEDULED: Word("Scheduled", "accent", "clock", "It has its day."),
    PlaceState.IN_PROGRESS: Word("In progress", "warn", "turn", "Its work has begun."),
    PlaceState.DONE: Word("Done", "ok", "check", "All of it is done."),
    PlaceState.CANCELLED: Word("Taken out", "info", "stop", "It is not of this case any more."),
}
STANDING: Final[Mapping[Standing, Word]] = {
    Standing.BLOCKED: Word("Comes later", "info", "lock", "Other steps come first."),
    Standing.OPEN: Word("To do", "accent", "arrow", "It can be done now."),
    Standing.DOING: Word("Being done", "accent", "turn", "The vault is doing it at AWS."),
    Standing.ASKED: Word("Second word", "warn", "people", "One of two people said their word."),
    Standing.FAILED: Word("To do again", "bad", "alert", "Not all of it was done; it can be done again."),
    Standing.DONE: Word("Done", "ok", "check", "It is done."),
    Standing.WAIVED: Word("Waived", "ok", "check", "Two people let it go."),
}
TURN: Final[Mapping[Permission, str]] = {
    Permission.ONBOARDING_MANAGE: "taking over",
    Permission.HANDOVER_PREPARE: "preparing a handover",
    Permission.HANDOVER_CARRY_OUT: "carrying a handover out",
    Permission.CLOSURE_MANAGE: "closing",
    Permission.MOVE_MANAGE: "moving",
}
NOW, PAST, COMING = "now", "past", "coming"


@dataclass(frozen=True, slots=True)
class StagePicture:
    """One stage of a lifecycle as it is drawn; `meaning` says what it is."""

    name: str
    meaning: str
    when: str


def whose(needed: Permission | None, policy: Policy) -> str:
    """Say in roles who holds a permission."""
    if needed is None:
        return "nobody"
    roles = sorted(ROLE[role] for role in policy.permissions.get(needed, frozenset()))
    return " or ".join(roles).lower() or "nobody"


def stages(whole: CaseWhole) -> tuple[StagePicture, ...]:
    """Give the way of a case: a handover's states, any other's sections; a cancelled one ends where it stood."""
    case = whole.scene.case
    if case.kind is CaseKind.HANDOVER:
        names: list[str] = [each for each in HandoverState if each is not HandoverState.CANCELLED]
        if case.state == HandoverState.CANCELLED:
            return (StagePicture(STATE[CaseState.CANCELLED].name, STATE[CaseState.CANCELLED].meaning, NOW),)
        at = names.index(case.state)
        over = len(names) if not case.is_open else at
        return tuple(
            StagePicture(STATE[name].name, STATE[name].meaning, _when(place, over))
            for place, name in enumerate(names)
        )
    return tuple(_sections(whole))


def _sections(whole: CaseWhole) -> list[StagePicture]:
    case, found = whole.scene.case, [StagePicture("Opened", "The case began.", PAST)]
    counted: dict[str, list[bool]] = {}
    for item in whole.items:
        settled = item.standing in {Standing.DONE, Standing.WAIVED}
        counted.setdefault(item.step.section or "Work", []).append(settled)
    begun = False
    for name, each in counted.items():
        words = f"{sum(each)} of {len(each)} steps"
        state = PAST if all(each) else COMING if begun or not case.is_open else NOW
        begun = begun or state == NOW
        found.append(StagePicture(name, words, state))
    last = CaseState.CANCELLED if case.state == CaseState.CANCELLED else CaseState.DONE
    found.append(StagePicture(STATE[last].name, STATE[last].meaning, COMING if case.is_open else NOW))
    return found


def _when(place: int, at: int) -> str:
    return PAST if place < at else NOW if place == at else COMING
