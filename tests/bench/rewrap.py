"""What it costs to re-wrap every data key and to drill every credential, and how that grows with accounts.

Keys are local ones, so that what is measured is ours; calls are counted, for what KMS adds is calls times its latency.
How well calls are made side by side is measured once, with keys that answer after 10 ms.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.measure import Aim, Result, Table
from tests.bench.places import TINY
from tests.bench.scenery import build
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.bootstrap.rewrapping import drill_of, rewrapping_of
from vault.domain.ids import new_id
from vault.domain.proposal import Proposal, ProposalKind
from vault.services.key_work import DrillScope, Rewrap

if TYPE_CHECKING:
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage
    from vault.domain.actor import Actor
    from vault.domain.policy import Permission
    from vault.domain.secret import Secret
    from vault.ports.keys import NamedKey, Unwrapped, Wrap, Wrapped

OLD, NEW = ("local-1", "local-2"), ("local-3", "local-4")
ACCOUNTS: Final = (500, 1_000, 5_000)
FEW: Final = (10, 30)
GROWS: Final = 0.25
MEGABYTES: Final = 32
LATENCY: Final = 0.010
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Granted:
    """What two people agreed to: the measurement is of the work alone."""

    content: str
    subject: str

    def require(self, actor: Actor, proposal_id: str, kind: ProposalKind, permission: Permission) -> Proposal:
        """Give it."""
        at = datetime.now(UTC)
        return Proposal(
            proposal_id, kind, self.subject, self.content, "a measurement of re-wrapping", "bench", at
        )


@dataclass(slots=True)
class Timed:
    """How long acts took, by the clock and by this process's own processor time."""

    seconds: dict[str, float] = field(default_factory=dict)
    cpu: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def act(self, name: str) -> Iterator[None]:
        """Time one."""
        began, worked = time.perf_counter(), time.process_time()
        yield
        self.seconds[name], self.cpu[name] = time.perf_counter() - began, time.process_time() - worked


@dataclass(slots=True)
class Memory:
    """How much more memory this process has at most than when it began, in bytes."""

    before: int = 0
    most: int = 0

    def look(self, *_told: object) -> None:
        """Look at it now."""
        self.most = max(self.most, _resident())

    @property
    def grown(self) -> float:
        """Give megabytes."""
        return round((self.most - self.before) / 2**20, 1)


@dataclass(frozen=True, slots=True)
class Found:
    """What one size cost: seconds of each act, seconds of our own processor in it, calls, megabytes."""

    versions: int
    seconds: Mapping[str, float]
    cpu: Mapping[str, float]
    calls: Mapping[str, int]
    memory: float


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    scales = FEW if size is TINY else ACCOUNTS
    tables: list[Table] = []
    aims: list[Aim] = []
    for place in places:
        found = {scale: measure(place, scale) for scale in scales}
        acts = ("re-wrap", "remove", "drill")
        rows: list[tuple[str | int | float, ...]] = [
            (
                f"{scale:,}",
                each.versions,
                *(round(each.seconds[act], 1) for act in acts),
                *(round(each.cpu[act] * 1_000 / each.versions, 2) for act in acts),
                *(each.calls[act] for act in ("re-wrap", "drill")),
                each.memory,
            )
            for scale, each in found.items()
        ]
        columns = (
            "accounts", "versions", "re-wrap s", "remove s", "drill s", "CPU ms each", "CPU ms each", "CPU ms each",
            "calls: re-wrap", "calls: drill", "MB more",
        )  # fmt: skip
        tables.append(Table(f"{place.name}: every version, eight at once", columns, tuple(rows)))
        aims += _aims(place.name, found)
    tables.append(_beside_latency(places[0], 20 if size is TINY else 250))
    return Result("rewrap", tuple(tables), tuple(aims))


def measure(place: Place, accounts: int) -> Found:
    """Re-wrap, remove and drill a vault of so many accounts."""
    stage, keys = _stage(place, f"rewrap-{accounts}", accounts)
    gc.collect()
    memory = Memory(_resident())
    timed = Timed()
    wanted = Granted(Rewrap(OLD, NEW, remove_old=True).text(), "keys")
    work = replace(rewrapping_of(stage.vault, keys), agreed=wanted)  # type: ignore[arg-type]  # it stands for the agreement
    with timed.act("re-wrap"):
        added = work.run(new_id(), progress=memory.look)
    with timed.act("remove"):  # a second run, which proves all again before it removes
        removed = work.run(new_id(), remove_old=True, progress=memory.look)
    drill = replace(drill_of(stage.vault, keys), agreed=Granted("{}", DrillScope.LIVE))  # type: ignore[arg-type]  # as above
    with timed.act("drill"):
        report = drill.run(new_id(), memory.look)
    versions = accounts * 2
    assert (added.made, removed.removed, report.opened) == (versions, versions, versions)
    stage.vault.close()
    calls = {"re-wrap": sum(added.calls.values()), "drill": sum(report.calls.values())}
    return Found(versions, timed.seconds, timed.cpu, calls, memory.grown)


def _beside_latency(place: Place, accounts: int) -> Table:
    """Re-wrap with keys that take their time, one call after the other and side by side."""
    rows = []
    for at_once in (1, 8, 32):
        stage, keys = _stage(place, f"latency-{at_once}", accounts)
        slow = Slow(keys)
        wanted = Granted(Rewrap(OLD, NEW, remove_old=True).text(), "keys")
        work = replace(rewrapping_of(stage.vault, slow, at_once), agreed=wanted)  # type: ignore[arg-type]  # as above
        began = time.perf_counter()
        report = work.run(new_id())
        took = time.perf_counter() - began
        calls = sum(report.calls.values())
        rows.append((str(at_once), calls, round(took, 1), round(calls / took)))
        stage.vault.close()
    columns = ("at once", "calls", "seconds", "calls a second")
    return Table(f"{place.name}: {accounts:,} accounts, keys that answer after 10 ms", columns, tuple(rows))


def _stage(place: Place, name: str, accounts: int) -> tuple[Stage, InsecureLocalKeys]:
    room = place.room(name)
    data = room.directory / "data"
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = data / "local-keys.json"
    create_local_keys(file, (*OLD, *NEW))
    stage = build(room.url(), room.directory, accounts=accounts, retiring=NEW)
    return stage, InsecureLocalKeys(file, OLD)


def _aims(place: str, found: Mapping[int, Found]) -> list[Aim]:
    aims = []
    for act in ("re-wrap", "drill"):
        each = [one.cpu[act] / one.versions for one in found.values()]
        grows = each[-1] / each[0] - 1
        words = f"{grows:+.0%} a version from the smallest vault to the largest, by processor time"
        aims.append(Aim(f"{place}: {act} grows as versions do", grows <= GROWS, words))
    last = list(found.values())[-1]
    aims.append(
        Aim(
            f"{place}: memory within {MEGABYTES} MB",
            last.memory <= MEGABYTES,
            f"{last.memory} MB more at most",
        )
    )
    return aims


def _resident() -> int:
    return int(Path("/proc/self/statm").read_text("ascii").split()[1]) * _PAGE


class Slow:
    """Keys that answer as far away ones do."""

    def __init__(self, keys: InsecureLocalKeys) -> None:
        self.sealing = tuple(SlowKey(key) for key in keys.sealing)
        self.retiring = tuple(SlowKey(key) for key in keys.retiring)


class SlowKey:
    """One of them."""

    def __init__(self, key: NamedKey) -> None:
        self._key = key
        self.service, self.key_id = key.service, key.key_id

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wait, and pass on."""
        time.sleep(LATENCY)
        return self._key.wrap(key, context)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Wait, and pass on."""
        time.sleep(LATENCY)
        return self._key.unwrap(wraps, context)
