"""How things are timed here: in short turns, one after the other, and told as medians and ratios.

Decided here: what is compared takes turns within one run, because the machine's speed drifts and other
programs run on it; a figure alone says little, its ratio to the floor beside it much. Never decided here: how
fast is fast enough (each measurement states its aims).
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeAlias

Act: TypeAlias = Callable[[], object]
Cell: TypeAlias = str | int | float


@dataclass(frozen=True, slots=True)
class Times:
    """How long single acts took, in seconds."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        """The middle one."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """The one that 99 of 100 do not exceed; the longest, where there are fewer than a hundred."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]

    @property
    def rate(self) -> float:
        """How many of them, one after the other, fit into a second."""
        return 1 / self.median


@dataclass(frozen=True, slots=True)
class Aim:
    """Something that was promised, and whether this run kept it."""

    name: str
    reached: bool
    words: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a measurement."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]


@dataclass(frozen=True, slots=True)
class Result:
    """What one measurement found."""

    name: str
    tables: tuple[Table, ...]
    aims: tuple[Aim, ...] = ()
    notes: tuple[str, ...] = field(default=())


def in_turns(acts: Mapping[str, Act], rounds: int, each: int) -> dict[str, Times]:
    """Time acts in turns: in each of `rounds`, each act `each` times; one act before, untimed, warms up."""
    seconds: dict[str, list[float]] = {name: [] for name in acts}
    for act in acts.values():
        act()
    gc.collect()
    for turn in range(rounds):
        # every second turn goes backwards, so that no act always follows the same one
        for name, act in list(acts.items())[:: 1 if turn % 2 == 0 else -1]:
            for _ in range(each):
                began = time.perf_counter()
                act()
                seconds[name].append(time.perf_counter() - began)
    return {name: Times(tuple(found)) for name, found in seconds.items()}


def per_act(act: Act, count: int) -> float:
    """Time many acts together, for those that are too short to be timed alone; give the seconds of one."""
    began = time.perf_counter()
    for _ in range(count):
        act()
    return (time.perf_counter() - began) / count


def short_in_turns(acts: Mapping[str, Act], rounds: int, count: int) -> dict[str, Times]:
    """As `in_turns`, for short acts: each turn times `count` of them together."""
    return in_turns_of({name: partial(per_act, act, count) for name, act in acts.items()}, rounds)


def in_turns_of(measured: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, Times]:
    """Let functions that time themselves take turns."""
    seconds: dict[str, list[float]] = {name: [] for name in measured}
    for turn in range(rounds):
        for name, one in list(measured.items())[:: 1 if turn % 2 == 0 else -1]:
            seconds[name].append(one())
    return {name: Times(tuple(found)) for name, found in seconds.items()}


def spread(values: Sequence[float]) -> float:
    """Say by how much the greatest of some values exceeds the smallest, as a share of the smallest."""
    return max(values) / min(values) - 1


def ms(seconds: float) -> float:
    """Give milliseconds, rounded as they are read."""
    return round(seconds * 1_000, 3)


def us(seconds: float) -> float:
    """Give microseconds, rounded as they are read."""
    return round(seconds * 1_000_000, 1)
