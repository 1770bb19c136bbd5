"""Replay: the log read from its first leaf, and what it leads to held against what the database keeps (S3).

Decided here: that both are read in one moment, in one pass each; how a difference is told; that a look at the
whole is an entry itself. A log that a restore ended is read before the one that followed it. What replay does not
see: a person's password and OTP seed (never in the log), when somebody was last seen, and which time step of a
code was used last. Never decided here: what an entry means (`vault.domain.replay`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.domain.credential import Version
from vault.domain.destruction import is_whole
from vault.domain.event import Event, EventType, Result, stamp
from vault.domain.incident import IncidentKind
from vault.domain.person import Session
from vault.domain.replay import EMAIL, Fault, Replayed
from vault.domain.told import BEGINNINGS, fact, told
from vault.ports.census import UsedEmail
from vault.services.finding import Finding, open_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.errors import Fact
    from vault.ports.census import CensusStore, PutAside
    from vault.ports.clock import Clock
    from vault.ports.store import Units

KEPT: Final = 1_000
"""Faults that are told one by one; the rest is counted."""
PROGRESS_EVERY: Final = 500
SESSION_FORGOTTEN: Final = timedelta(days=2)
"""Longer than any session lasts: an older one counts for nothing, ended or not."""


@dataclass(frozen=True, slots=True)
class Place:
    """An entry: its index, and which of the logs that were put aside it is in (None: the present log)."""

    index: int
    log: int | None = None

    def __str__(self) -> str:
        return f"entry {self.index}" + ("" if self.log is None else f" of the log put aside as {self.log}")


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing about which log and database disagree, or the log with itself."""

    entity: str
    id: str
    log: str
    database: str
    place: Place | None
    words: str


@dataclass(slots=True)
class Outcome:
    """What a replay found: entries of all logs, things compared, differences counted, the first ones told."""

    entries: int = 0
    things: int = 0
    count: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def first(self) -> Place | None:
        """The first entry from which on log and database disagree."""
        places = [each.place for each in self.differences if each.place is not None]
        return min(places, key=lambda place: (place.log is None, place.log or 0, place.index), default=None)


@dataclass(frozen=True, slots=True)
class Replay:
    """The use case of replay."""

    units: Units
    clock: Clock

    def examine(self, progress: Callable[[int, int], None]) -> Outcome:
        """Read everything and compare; nothing is written. `progress` is told entries done and entries in all."""
        now = self.clock.now()
        with self.units.read() as unit:
            return _Pass(unit.census, unit.census.put_aside(), unit.ranges.size()).run(now, progress)

    def record(self, actor: Actor, outcome: Outcome) -> None:
        """Write down that the state was examined, and what came of it."""
        examined(self.units, actor, self.clock.now(), "replay", outcome.entries, outcome.count)


def examined(units: Units, actor: Actor, now: datetime, what: str, entries: int, found: int) -> None:
    """Write down that the whole log was examined: `what` of it, how many entries, how many differences.

    Differences are an incident, which somebody has to explain; found again, it is the same one.
    """
    result = Result.FAILED if found else Result.SUCCESS
    detail: dict[str, Fact] = {"examined": what, "entries": entries, "differences": found}
    with units.write() as unit:
        if found:
            open_all(unit, [_damage(detail, now)], now, actor)
        unit.log.record(Event(EventType.AUDIT_EXAMINED, actor, result, detail=detail), now)
        unit.commit()


def _damage(detail: dict[str, Fact], now: datetime) -> Finding:
    """Make differences a finding of the log, or of the state that follows from it."""
    what = str(detail["examined"])
    words = (
        f"An examination ({what}) of {detail['entries']} entries found {detail['differences']} differences."
    )
    where = "`rootvault doctor --deep --replay` on the host names each of them."
    evidence = json.dumps(detail, sort_keys=True)
    return Finding(IncidentKind.LOG_DAMAGED, (what,), None, None, f"{words} {where}", evidence, now)


@dataclass(slots=True)
class _Pass:
    """One pass over leaves and rows."""

    census: CensusStore
    aside: tuple[PutAside, ...]
    size: int
    outcome: Outcome = field(default_factory=Outcome)
    state: Replayed = field(init=False)

    def __post_init__(self) -> None:
        self.state = Replayed(self._fault)

    def run(self, now: datetime, progress: Callable[[int, int], None]) -> Outcome:
        """Take all entries in, then all rows."""
        horizon = stamp(now - SESSION_FORGOTTEN)
        total = sum(log.size for log in self.aside) + self.size
        logs = [(log.number, log.size) for log in self.aside]
        for number, size in (*logs, (None, self.size)):
            self.state.begin()
            self._log(number, size, horizon, total, progress)
        self.outcome.entries = self.state.entry
        self.state.forget_sessions(horizon)
        for thing in self.census.things():
            self.outcome.things += 1
            self._compare(thing, horizon)
        self._left_over()
        return self.outcome

    def _log(
        self, number: int | None, size: int, horizon: str, total: int, progress: Callable[[int, int], None]
    ) -> None:
        base = self.state.entry
        for seq, leaf in self.census.leaves(number):
            if seq >= size:
                break
            if base + seq != self.state.entry:
                words = "entries before this one are missing"
                self._fault(Fault("entry", str(seq), "", "", base + seq, words))
                self.state.entry = base + seq
            try:
                content = json.loads(leaf)
            except ValueError:
                self._fault(Fault("entry", str(seq), "", "", base + seq, "the entry cannot be read"))
                self.state.entry += 1
                continue
            self.state.take(content, leaf)
            if self.state.entry % PROGRESS_EVERY == 0:
                progress(self.state.entry, total)
                self.state.forget_sessions(min(horizon, str(content.get("time", ""))))
        progress(self.state.entry, total)

    def _compare(self, thing: object, horizon: str) -> None:
        """Hold one row against the lines about it, and take them out."""
        if isinstance(thing, UsedEmail):
            self._same(EMAIL, thing.folded, thing.account_id)
            return
        kind, number, facts = told(thing)
        if isinstance(thing, Session) and (facts[""] != "open" or stamp(thing.created_at) < horizon):
            # one that cannot count any more: only what the log has as open, and the row as ended, is told
            if thing.ended_at is not None:
                self._same(kind, number, facts[""])
            for name in facts:
                self.state.lines.pop((fact(kind, name), number), None)
            return
        if isinstance(thing, Version) and not is_whole(thing):
            line = self.state.lines.get(("version.sha256", number))
            words = "the sealed value in the row is not the one whose hash stands beside it"
            self._tell(
                "version.body", number, thing.sha256, "another", None if line is None else line.entry, words
            )
        for name, value in facts.items():
            self._same(fact(kind, name), number, value)

    def _same(self, kind: str, number: str, value: str) -> None:
        line = self.state.lines.pop((kind, number), None)
        said = BEGINNINGS.get(kind, "") if line is None else line.value
        if said != value:
            words = (
                "the row is not as the log says"
                if line is not None
                else "no entry tells of what the row says"
            )
            self._tell(kind, number, said, value, None if line is None else line.entry, words)

    def _left_over(self) -> None:
        """Tell of what the log has and no row does."""
        for (kind, number), line in self.state.lines.items():
            if line.value and line.value != BEGINNINGS.get(kind, ""):
                self._tell(kind, number, line.value, "", line.entry, "no row is there for what the log says")

    def _fault(self, fault: Fault) -> None:
        self._tell(fault.kind, fault.id, fault.log, fault.found, fault.entry, fault.words)

    def _tell(self, kind: str, number: str, log: str, found: str, entry: int | None, words: str) -> None:
        self.outcome.count += 1
        if len(self.outcome.differences) < KEPT:
            place = None if entry is None else self._place(entry)
            self.outcome.differences.append(Difference(kind, number, log, found, place, words))

    def _place(self, entry: int) -> Place:
        for log in self.aside:
            if entry < log.size:
                return Place(entry, log.number)
            entry -= log.size
        return Place(entry)


def lines_of(outcome: Outcome) -> Iterable[str]:
    """Write what was found in plain words, a line each."""
    for each in outcome.differences:
        where = "" if each.place is None else f" ({each.place})"
        log, database = each.log or "nothing", each.database or "nothing"
        yield f"{each.entity} {each.id}: {each.words}; the log says {log}{where}, found: {database}"
