"""The search index, kept behind the log: fed by the worker, made anew by the operator, held against the log.

Decided here: a part is read and cut into terms before a transaction that writes begins, so that nothing waits for
it; parts are written one a transaction. The log is the truth and the index follows it: there is no entry about it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vault.ports.store import Units


@dataclass(frozen=True, slots=True)
class Indexing:
    """Use cases on the search index."""

    units: Units

    def once(self) -> bool:
        """Index the next part of the log; False where no full one is left."""
        with self.units.read() as unit:
            part = unit.words.due()
        if part is None:
            return False
        with self.units.write() as unit:
            if unit.words.add(part):
                unit.commit()
        return True

    def anew(self, told: Callable[[int], None]) -> int:
        """Forget the index and make it again; tell after each part how many entries are in it, and give the last."""
        with self.units.write() as unit:
            unit.words.clear()
            unit.commit()
        while self.once():
            told(self.indexed())
        return self.indexed()

    def indexed(self) -> int:
        """Give how many entries are in the index."""
        with self.units.read() as unit:
            return unit.words.indexed()

    def differing(self) -> tuple[int, ...]:
        """Give the numbers of the parts whose index is not what the log makes of it."""
        with self.units.read() as unit:
            return tuple(unit.words.differing())
