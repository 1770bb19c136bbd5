"""The policy in force, as every worker of every host holds it: looked for in the database, believed by the log.

Decided here: when a version is believed. One small statement, at most once a second in a process, says which version
the rows have in force. When that is another than before, the log decides: the entries that adopted, agreed to or
ended versions are read, those that count are proven to be in the signed tree, and the text has to be the one whose
digest they name. Rows that say otherwise change nothing. A process never goes back to an older version.

A request, or a turn of a job, keeps the version that it began with: `refresh` is called at its beginning.
Never decided here: what two people may agree to (`policies`), or what a version says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, Protocol

from vault.domain.event import EventType
from vault.domain.policy_document import read_policy
from vault.domain.policy_version import ToldVersion
from vault.errors import Refused, Unavailable
from vault.services.in_force import Kind, in_force

if TYPE_CHECKING:
    from vault.domain.policy import Policy
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units

LOOK_SECONDS: Final = 1.0
_VERSIONS: Final = Kind(
    "policy_version", (EventType.POLICY_ADOPTED, EventType.PROPOSAL_AGREED, EventType.PROPOSAL_ENDED)
)


class Book(Protocol):
    """Where use cases find the policy."""

    @property
    def policy(self) -> Policy:
        """The version that this request, or this turn of a job, goes by."""
        ...

    @property
    def number(self) -> int:
        """Its number; 0 for one that is no version of a vault."""
        ...

    @property
    def fault(self) -> str:
        """Why what the database says is not believed; empty while all is well."""
        ...

    def refresh(self, units: Units) -> None:
        """Look which version is in force, if nobody in this process did within the last second."""
        ...


@dataclass(frozen=True, slots=True)
class FixedPolicy:
    """Implements `Book` by one policy that never changes."""

    policy: Policy
    number: int = 0
    fault: str = ""

    def refresh(self, units: Units) -> None:
        """Stay as it is."""


@dataclass(frozen=True, slots=True)
class Held:
    """A version as this process believes it."""

    policy: Policy
    number: int


@dataclass(slots=True, eq=False)
class PolicyBook:
    """Implements `Book` by the versions in the database; `ticking` is the clock by which it is looked once a second."""

    clock: Clock
    ticking: Callable[[], float]
    fault: str = ""
    _held: Held | None = None
    _looked: float = float("-inf")
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _here: threading.local = field(default_factory=threading.local, repr=False)

    @property
    def policy(self) -> Policy:
        """The version that this thread's request goes by."""
        return self._mine().policy

    @property
    def number(self) -> int:
        """Its number."""
        return self._mine().number

    def refresh(self, units: Units) -> None:
        """Look which version is in force, if nobody did within the last second; this thread goes by what is held then.

        Raises `Unavailable` log.rolled_back or database.unavailable; at first `Refused` policy.unproven.
        """
        if self.ticking() - self._looked >= LOOK_SECONDS and self._turn.acquire(blocking=self._held is None):
            try:
                if self.ticking() - self._looked >= LOOK_SECONDS:
                    self._look(units)
                    self._looked = self.ticking()
            finally:
                self._turn.release()
        self._here.held = self._held

    def _look(self, units: Units) -> None:
        """Hold what the rows say against what is held, and where they differ, ask the log."""
        now, held = self.clock.now(), self._held
        with units.read() as unit:
            found = unit.policies.latest(now)
        if held is not None and not self.fault and found == (held.number, held.policy.digest):
            return
        with units.read() as unit:
            unit.check_mark()
            self._believe(unit, held, now)

    def _believe(self, unit: Unit, held: Held | None, now: datetime) -> None:
        """Go by what the log tells, if its text is there."""
        found = unit.policies.latest(now)
        told = told_in_force(unit, now)
        if told is None:
            self._doubt("The log tells of no version of the policy. Run: rootvault db upgrade", found)
            return
        if held is not None and told.number < held.number:
            self._doubt(f"Version {held.number} is hidden in the log", found)
            return
        if held is None or told.number > held.number:
            version = unit.policies.get(told.number)
            if version is None or version.digest != told.digest or not version.is_whole:
                self._doubt(
                    f"The text of version {told.number} is missing, or is not the one agreed to", found
                )
                return
            self._held = Held(read_policy(version.text.encode()), version.number)
        self.fault = ""
        if found is None or found != (told.number, told.digest):
            self._doubt("The rows name another version than the log", found)

    def _mine(self) -> Held:
        held: Held | None = getattr(self._here, "held", None) or self._held
        if held is None:
            raise Unavailable("policy.unproven", "No version of the policy was loaded; nothing was done.")
        return held

    def _doubt(self, words: str, found: tuple[int, str] | None) -> None:
        said = "none" if found is None else f"version {found[0]} ({found[1][:12]})"
        self.fault = f"{words}; the database has {said} in force."
        if self._held is None:
            raise Refused("policy.unproven", self.fault)


def told_in_force(unit: Unit, now: datetime) -> ToldVersion | None:
    """Give the version that the log has in force, each entry read for it proven; None where it tells of none.

    Call it in a unit whose mark was checked first.
    """
    told = in_force(unit, _VERSIONS, now)
    if told is None:
        return None
    return ToldVersion(told.number, told.facts.get("of", ""), told.facts.get("effective_at", ""), told.index)
