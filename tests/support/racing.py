"""Many at once: use cases run at the same moment by threads of several processes, on one database.

Each process opens the vault for itself, as a worker would, with its own connections, and waits until all of them
stand ready. What came of each job is "ok" or the code of its error.
"""

from __future__ import annotations

import mmap
import multiprocessing
import shutil
import threading
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from tests.support.prepared import keep_people, prepare, reopen
from tests.support.quick_sql import compile_once
from vault.domain.checkout import Decision
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.domain.secret import Secret
from vault.errors import VaultError
from vault.services.approvals import Word
from vault.services.asking import Ask
from vault.services.custody import Existing
from vault.services.factors import Factors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    import pytest

    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from vault.bootstrap.compose import Vault
    from vault.domain.actor import Actor
    from vault.domain.event import Event
    from vault.ports.store import Unit

PROCESSES: Final = 4
_PATIENCE: Final = 60.0
_SLOT: Final = 8


@dataclass(frozen=True, slots=True)
class Job:
    """One use case of one person."""

    who: str
    verb: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Leg:
    """One of two jobs that meet, at a time of its own, `late` by so many seconds of the machine's clock."""

    job: Job
    at: datetime
    late: float = 0.0


@contextmanager
def course(request: pytest.FixtureRequest, directory: Path) -> Iterator[tuple[World, str]]:
    """Prepare an empty vault on the database that a fixture's parameter names; give it with the database's address."""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        url = f"sqlite+pysqlite:///{directory / 'vault.db'}"
        if request.param == "postgresql":
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url = stack.enter_context(server.database())
        yield stack.enter_context(closing(prepare(url, directory))), url


class Pressed(Factors):
    """A second factor that is good as often as it is given, as somebody with a passkey gives many at once."""

    def check(self, unit: Unit, actor: Actor, otp: str, now: datetime, event: Event) -> Actor:
        """Give the actor with a factor."""
        return actor.with_factor("passkey:test")


def pressed(vault: Vault) -> Pressed:
    """Give this vault's second factor as one that is always good."""
    factors = vault.checkouts.factors
    return Pressed(factors.server_key, factors.assertions)


VERBS: Final[dict[str, Callable[[Vault, Actor, tuple[str, ...]], object]]] = {
    "ask": lambda vault, actor, a: vault.asking.ask(
        actor, Ask(a[0], a[1], "T-1001", "many want this at once")
    ),
    "approve": lambda vault, actor, a: vault.approvals.decide(
        actor, a[0], Word(Decision.APPROVE, "seen"), a[1]
    ),
    "deny": lambda vault, actor, a: vault.approvals.decide(actor, a[0], Word(Decision.DENY, "seen"), a[1]),
    "step_up": lambda vault, actor, a: vault.checkouts.step_up(actor, a[0], a[1]),
    "begin": lambda vault, actor, a: replace(vault.checkouts, factors=pressed(vault)).step_up(
        actor, a[0], ""
    ),
    "freeze": lambda vault, actor, a: vault.freezes.freeze(actor, a[0], "both at the same moment"),
    "break_glass": lambda vault, actor, a: vault.asking.ask(
        actor, Ask(a[0], "BILL_ROOT", "INC-1", "an emergency that cannot wait for anybody", break_glass=True)
    ),
    "password": lambda vault, actor, a: vault.reveals.password(actor, a[0]),
    "code": lambda vault, actor, a: vault.reveals.code(actor, a[0]),
    "sweep": lambda vault, _, __: vault.sweep.once(),
    "remove": lambda vault, actor, a: vault.people.remove_grant(actor, a[0]),
    "disable": lambda vault, actor, a: vault.people.disable(actor, a[0]),
    "check_in": lambda vault, actor, a: vault.checkouts.check_in(actor, a[0]),
    "cancel": lambda vault, actor, a: vault.checkouts.cancel(actor, a[0]),
    "revoke": lambda vault, actor, a: vault.checkouts.revoke(actor, a[0], "both at the same moment"),
    "plan": lambda vault, actor, a: vault.rotations.plan(actor, a[0], PartKind.PASSWORD),
    "display": lambda vault, actor, a: vault.rotations.display(actor, a[0]),
    "abandon": lambda vault, actor, a: vault.rotations.abandon(actor, a[0]),
    "attest": lambda vault, actor, a: vault.attestations.attest(actor, a[0], Outcome(a[1])),
    "verify": lambda vault, actor, a: vault.attestations.verify(actor, a[0], "seen it work"),
    "take_in": lambda vault, actor, a: vault.custodies.take_in(
        actor,
        a[0],
        Existing(a[1], Secret("Some-Horse-7-Battery"), Secret("JBSWY3DPEHPK3PXP" * 4), attested=True),
        a[2],
    ),
}


class Track:
    """A prepared vault that several processes race on."""

    def __init__(self, world: World, url: str, directory: Path, pool: ProcessPoolExecutor) -> None:
        self.world, self.url, self.directory, self._pool = world, url, directory, pool
        self._races = 0

    def race(self, jobs: Sequence[Job]) -> list[str]:
        """Run all jobs at once, spread over the processes; give each one's end in the jobs' order."""
        keep_people(self.world, self.directory)
        self._races += 1
        meeting = self.directory / f"race-{self._races}"
        meeting.mkdir()
        lanes = [list(range(lane, len(jobs), PROCESSES)) for lane in range(PROCESSES)]
        at = self.world.clock.now()
        running = [
            self._pool.submit(_run, self.url, self.directory, meeting, at, [jobs[place] for place in lane])
            for lane in lanes
        ]
        ended: dict[int, str] = {}
        for lane, done in zip(lanes, running, strict=True):
            ended |= dict(zip(lane, done.result(_PATIENCE), strict=True))
        return [ended[place] for place in range(len(jobs))]

    def meet(self, rounds: Sequence[tuple[Leg, Leg]]) -> list[tuple[str, str]]:
        """Run pairs of jobs one pair after the other, each pair at once, in two processes; give how each ended."""
        keep_people(self.world, self.directory)
        self._races += 1
        slots = self.directory / f"rounds-{self._races}"
        slots.write_bytes(bytes(2 * _SLOT))
        running = [
            self._pool.submit(_lane, self.url, self.directory, slots, lane, [legs[lane] for legs in rounds])
            for lane in (0, 1)
        ]
        first, second = (each.result(_PATIENCE) for each in running)
        return list(zip(first, second, strict=True))


def pool() -> ProcessPoolExecutor:
    """Start the processes: forks of one that imported this module and did nothing else, so none has our threads."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    return ProcessPoolExecutor(PROCESSES, mp_context=context, initializer=compile_once)


def _run(url: str, directory: Path, meeting: Path, at: datetime, jobs: Sequence[Job]) -> list[str]:
    with closing(reopen(url, directory)) as world:
        world.clock.at = at
        start = threading.Barrier(len(jobs) + 1)

        def lane(job: Job) -> str:
            actor = world.people[job.who].actor
            start.wait(_PATIENCE)
            return _end_of(world.vault, actor, job)

        with ThreadPoolExecutor(max(1, len(jobs))) as threads:
            running = [threads.submit(lane, job) for job in jobs]
            _meet(meeting)
            start.wait(_PATIENCE)
            return [each.result(_PATIENCE) for each in running]


def _lane(url: str, directory: Path, slots: Path, lane: int, legs: Sequence[Leg]) -> list[str]:
    """Run one side of each round, when the other side stands ready for it as well."""
    ended: list[str] = []
    with (
        closing(reopen(url, directory)) as world,
        slots.open("r+b") as file,
        mmap.mmap(file.fileno(), 2 * _SLOT) as ready,
    ):
        for number, leg in enumerate(legs, start=1):
            world.clock.at = leg.at
            ready[lane * _SLOT : (lane + 1) * _SLOT] = number.to_bytes(_SLOT, "big")
            _wait_for(ready, 1 - lane, number)
            time.sleep(leg.late)
            ended.append(_end_of(world.vault, world.people[leg.job.who].actor, leg.job))
    return ended


def _wait_for(ready: mmap.mmap, lane: int, number: int) -> None:
    until = time.monotonic() + _PATIENCE
    while int.from_bytes(ready[lane * _SLOT : (lane + 1) * _SLOT], "big") < number:
        if time.monotonic() > until:
            raise TimeoutError("the other process did not come")
        time.sleep(0.0002)


def _meet(meeting: Path) -> None:
    """Wait until every process stands here."""
    (meeting / str(multiprocessing.current_process().pid)).touch()
    until = time.monotonic() + _PATIENCE
    while sum(1 for _ in meeting.iterdir()) < PROCESSES:
        if time.monotonic() > until:
            raise TimeoutError("the other processes did not come")
        time.sleep(0.002)


def _end_of(vault: Vault, actor: Actor, job: Job) -> str:
    try:
        found: Any = VERBS[job.verb](vault, actor, job.arguments)
    except VaultError as error:
        return error.code
    return "ok" if found is not None else "nothing"
