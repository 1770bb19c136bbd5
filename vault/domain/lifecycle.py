"""The engine under every lifecycle: a table from (state, event) to state, and nothing else.

Decided here: that a pair which is not in the table does not happen. Never decided here: who may
cause an event, or what else changes with it. Diagrams in ``docs/state-machines.md`` are drawn from
the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Lifecycle(Generic[S, E]):
    """One noun's lifecycle: where it starts and every step it may take."""

    name: str
    start: S
    transitions: Mapping[tuple[S, E], S]

    def after(self, state: S, event: E) -> S | None:
        """Give the state after `event`, or None where the table does not know the step."""
        return self.transitions.get((state, event))

    def allows(self, state: S, event: E) -> bool:
        """Say whether `event` may happen in `state`."""
        return (state, event) in self.transitions

    def final(self) -> frozenset[S]:
        """Give the states that nothing leaves."""
        left = {state for state, _ in self.transitions}
        return frozenset(state for state in type(self.start) if state not in left)
