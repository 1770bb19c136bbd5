"""The states of cases: tables of a handover, of every other case, of an account in its case, and of a step (H9, H4).

Decided here: what moves each of them. Where a case waits is computed from them (`vault.domain.outlook`), never stored.
"""

from __future__ import annotations

from enum import StrEnum

from vault.domain.lifecycle import Lifecycle


class HandoverState(StrEnum):
    """Where a handover stands."""

    REQUESTED = "requested"
    PREPARED = "prepared"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    RELEASED = "released"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class HandoverEvent(StrEnum):
    """What moves a handover."""

    COMPLETED = "completed"
    """All information is there, and who signs is known (H1)."""
    SCHEDULED = "scheduled"
    """Each account has its day (H2)."""
    BEGUN = "begun"
    """The first account's day has begun."""
    RELEASED = "released"
    """The last account was released (H9)."""
    ACKNOWLEDGED = "acknowledged"
    """The signatory says that they hold it."""
    CLOSED = "closed"
    """What we could open is destroyed; without an acknowledgement after a grace."""
    CANCELLED = "cancelled"


HANDOVER = Lifecycle(
    "handover",
    HandoverState.REQUESTED,
    {
        (HandoverState.REQUESTED, HandoverEvent.COMPLETED): HandoverState.PREPARED,
        (HandoverState.PREPARED, HandoverEvent.SCHEDULED): HandoverState.SCHEDULED,
        (HandoverState.SCHEDULED, HandoverEvent.BEGUN): HandoverState.IN_PROGRESS,
        (HandoverState.IN_PROGRESS, HandoverEvent.RELEASED): HandoverState.RELEASED,
        (HandoverState.RELEASED, HandoverEvent.ACKNOWLEDGED): HandoverState.ACKNOWLEDGED,
        (HandoverState.RELEASED, HandoverEvent.CLOSED): HandoverState.CLOSED,
        (HandoverState.ACKNOWLEDGED, HandoverEvent.CLOSED): HandoverState.CLOSED,
        (HandoverState.REQUESTED, HandoverEvent.CANCELLED): HandoverState.CANCELLED,
        (HandoverState.PREPARED, HandoverEvent.CANCELLED): HandoverState.CANCELLED,
        (HandoverState.SCHEDULED, HandoverEvent.CANCELLED): HandoverState.CANCELLED,
        (HandoverState.IN_PROGRESS, HandoverEvent.CANCELLED): HandoverState.CANCELLED,
    },
)


class CaseState(StrEnum):
    """Where any other case stands."""

    OPEN = "open"
    DONE = "done"
    CANCELLED = "cancelled"


class CaseEvent(StrEnum):
    """What moves any other case."""

    FINISHED = "finished"
    CANCELLED = "cancelled"


CASE = Lifecycle(
    "case",
    CaseState.OPEN,
    {
        (CaseState.OPEN, CaseEvent.FINISHED): CaseState.DONE,
        (CaseState.OPEN, CaseEvent.CANCELLED): CaseState.CANCELLED,
    },
)


class PlaceState(StrEnum):
    """Where one account of a case stands."""

    WAITING = "waiting"
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    DONE = "done"
    CANCELLED = "cancelled"


class PlaceEvent(StrEnum):
    """What moves an account in its case."""

    SCHEDULED = "scheduled"
    UNSCHEDULED = "unscheduled"
    BEGUN = "begun"
    FINISHED = "finished"
    CANCELLED = "cancelled"


PLACE = Lifecycle(
    "case_account",
    PlaceState.WAITING,
    {
        (PlaceState.WAITING, PlaceEvent.SCHEDULED): PlaceState.SCHEDULED,
        (PlaceState.SCHEDULED, PlaceEvent.SCHEDULED): PlaceState.SCHEDULED,
        (PlaceState.SCHEDULED, PlaceEvent.UNSCHEDULED): PlaceState.WAITING,
        (PlaceState.WAITING, PlaceEvent.BEGUN): PlaceState.IN_PROGRESS,
        (PlaceState.SCHEDULED, PlaceEvent.BEGUN): PlaceState.IN_PROGRESS,
        (PlaceState.WAITING, PlaceEvent.FINISHED): PlaceState.DONE,
        (PlaceState.SCHEDULED, PlaceEvent.FINISHED): PlaceState.DONE,
        (PlaceState.IN_PROGRESS, PlaceEvent.FINISHED): PlaceState.DONE,
        (PlaceState.WAITING, PlaceEvent.CANCELLED): PlaceState.CANCELLED,
        (PlaceState.SCHEDULED, PlaceEvent.CANCELLED): PlaceState.CANCELLED,
        (PlaceState.IN_PROGRESS, PlaceEvent.CANCELLED): PlaceState.CANCELLED,
    },
)


class StepState(StrEnum):
    """What was last written of a step."""

    DOING = "doing"
    """The vault began it at AWS and has not written how it ended."""
    ASKED = "asked"
    """One of the two people said their word."""
    DONE = "done"
    WAIVED = "waived"
    """Two people let it go, with a sentence."""
    FAILED = "failed"
    """AWS did not do all of it; it can be done again."""
