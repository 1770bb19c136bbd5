"""Where a story can be hurt, and how: every step of it is a fuse, and at one of them a fault happens.

A step is the moment before a write begins, before or after its commit, before or after a call of the key service,
before or after an act at the AWS console. Faults that other people cause happen only where no transaction is
open. That nothing which crosses a network runs inside one is a promise of its own: a call of the key service inside one
would hang here.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

from vault.errors import KeyCall, KeysUnavailable, Unavailable

if TYPE_CHECKING:
    from vault.domain.secret import Secret
    from vault.ports.keys import DataKey, KeyHealth, KeyService, Unwrapped, Wrap, Wrapped
    from vault.ports.store import Unit, Units

NEVER: Final = 10**9


class Where(Enum):
    """What a step is a step of."""

    BEGIN = auto()
    COMMIT = auto()
    COMMITTED = auto()
    KEYS = auto()
    KEYED = auto()
    CONSOLE = auto()
    ACTED = auto()


ANYWHERE: Final = frozenset(Where)
OUTSIDE: Final = frozenset({Where.BEGIN, Where.KEYS, Where.CONSOLE, Where.ACTED})
Act: TypeAlias = "Callable[[Fuse], None]"


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens, and at which steps it can."""

    name: str
    where: frozenset[Where]
    act: Act


@dataclass(slots=True)
class Fuse:
    """Counts the steps at which its fault can happen, and lets it happen at the one that is set."""

    fault: Fault
    at: int = NEVER
    count: int = 0
    blown: bool = False
    lasting: Act | None = None
    """What happens at every later step where the fault can, once it did."""
    trace: list[Where] = field(default_factory=list)

    def step(self, where: Where) -> None:
        """Count one; hurt if this is it."""
        if where not in self.fault.where:
            return
        if self.blown:
            if self.lasting is not None:
                self.lasting(self)
            return
        self.count += 1
        if self.count == self.at:
            self.blown = True
            self.fault.act(self)


def kill(_fuse: Fuse) -> None:
    """End the process, without a word."""
    os.kill(os.getpid(), signal.SIGKILL)


def database_fails(_fuse: Fuse) -> None:
    """Refuse a commit, or lose the answer of one."""
    raise Unavailable("database.unavailable", "The database does not answer.")


def database_gone(fuse: Fuse) -> None:
    """Refuse this commit and every later one."""
    fuse.lasting = database_fails
    database_fails(fuse)


def keys_fail(_fuse: Fuse) -> None:
    """Fail a call of the key service, or lose its answer."""
    call = KeyCall("Decrypt", "a key", "", "TimeoutError")
    raise KeysUnavailable("keys.unavailable", "The key service does not answer.", calls=(call,))


def keys_gone(fuse: Fuse) -> None:
    """Fail this call and every later one."""
    fuse.lasting = keys_fail
    keys_fail(fuse)


BARE: Final = (
    Fault("killed", ANYWHERE, kill),
    Fault("commit refused", frozenset({Where.COMMIT}), database_fails),
    Fault("answer of the commit lost", frozenset({Where.COMMITTED}), database_fails),
    Fault("database gone", frozenset({Where.COMMIT}), database_gone),
    Fault("key call refused", frozenset({Where.KEYS}), keys_fail),
    Fault("answer of the key call lost", frozenset({Where.KEYED}), keys_fail),
    Fault("keys gone", frozenset({Where.KEYS}), keys_gone),
)
"""Faults of what we stand on; those of people and time are `crash_people.PEOPLE`."""


@dataclass(frozen=True, slots=True)
class FusedUnits:
    """Units whose writes and commits are steps."""

    units: Units
    fuse: Fuse

    def read(self) -> AbstractContextManager[Unit]:
        """Pass on."""
        return self.units.read()

    @contextmanager
    def write(self) -> Iterator[Unit]:
        """Pass on, with a step before it begins, before and after the commit."""
        self.fuse.step(Where.BEGIN)
        with self.units.write() as unit:
            commit = unit.commit

            def fused() -> None:
                self.fuse.step(Where.COMMIT)
                commit()
                self.fuse.step(Where.COMMITTED)

            unit.commit = fused  # type: ignore[method-assign]  # the fuse is the point of this class
            yield unit


@dataclass(frozen=True, slots=True)
class FusedKeys:
    """A key service whose calls are steps."""

    keys: KeyService
    fuse: Fuse

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Pass on, with a step before and after."""
        self.fuse.step(Where.KEYS)
        made = self.keys.generate(context)
        self.fuse.step(Where.KEYED)
        return made

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Pass on."""
        return self.keys.wrap(key, context)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Pass on, with a step before and after."""
        self.fuse.step(Where.KEYS)
        regained = self.keys.unwrap(wraps, context)
        self.fuse.step(Where.KEYED)
        return regained

    def check(self) -> tuple[KeyHealth, ...]:
        """Pass on."""
        return self.keys.check()
