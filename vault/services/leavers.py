"""What is left to do after somebody was shut out: n of m values replaced and proven, and the next step for each.

Decided here: who may ask (who manages people or reads the log, of the accounts within their reach), and that machines'
tokens that the leaver made are named, never ended by themselves: they saw the text, but what runs on it is somebody's
to move first. What an auditor reads is an entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.leaver import LeaverStep, next_step
from vault.domain.person import PersonState
from vault.errors import not_found
from vault.services.sight import in_sight, lies_within, reach_over_people, standing
from vault.services.viewed import is_auditor, record_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.actor import Actor, Reach
    from vault.domain.credential import VersionLabel
    from vault.domain.person import Person, Token
    from vault.ports.clock import Clock
    from vault.ports.leavers import LeaverItem
    from vault.ports.store import Page, Slice, Unit, Units
    from vault.services.gate import Gate


@dataclass(frozen=True, slots=True)
class Progress:
    """A leaver, how many of the values they knew stand at which step, one page of these, and their machines."""

    person: Person
    steps: Mapping[LeaverStep, int]
    items: Page[LeaverItem]
    machines: tuple[Token, ...]

    @property
    def known(self) -> int:
        """How many values they knew."""
        return sum(self.steps.values())

    @property
    def done(self) -> int:
        """How many of them open nothing any more."""
        return self.steps[LeaverStep.DONE]


@dataclass(frozen=True, slots=True)
class Leavers:
    """Use cases on leavers."""

    units: Units
    gate: Gate
    clock: Clock

    def progress(self, actor: Actor, person_id: str, part: Slice, *, is_open: bool = True) -> Progress:
        """Tell what a person knew when they were shut out, and what became of each value.

        With `is_open` only those that may still open an account are listed; all are counted.
        """
        reach = reach_over_people(self.gate.policy, actor)
        with self.units.read() as unit:
            person = unit.people.get(person_id)
            labels = unit.leavers.labels(person_id, reach)
            if person is None or not self._sees(unit, actor, person, labels):
                raise not_found("person", person_id[:36])
            items = unit.leavers.page(person_id, reach, part, is_open=is_open)
            machines = self._machines(unit, person, reach)
        if is_auditor(self.gate.policy, actor):
            record_view(self.units, actor, {"what": "leaver", "person": person_id}, self.clock.now())
        steps = dict.fromkeys(LeaverStep, 0)
        for label, count in labels.items():
            steps[next_step(label)] += count
        return Progress(person, steps, items, machines)

    def _sees(self, unit: Unit, actor: Actor, person: Person, labels: Mapping[VersionLabel, int]) -> bool:
        reads = not reach_over_people(self.gate.policy, actor).empty
        near = in_sight(unit, self.gate.policy, actor, person, standing(unit, person.id)) is not None
        return reads and (near or bool(labels))

    def _machines(self, unit: Unit, person: Person, reach: Reach) -> tuple[Token, ...]:
        """Name the machines' tokens that count and whose text this person saw, within reach."""
        if person.state is not PersonState.DISABLED:
            return ()
        found = unit.tokens.machines_of(person.id, self.clock.now())
        return tuple(each for each in found if lies_within(unit, reach, each.scope))
