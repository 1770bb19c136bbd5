"""A reveal by REST, from one connection and from eight: the program's own server, beside its floor.

The floor is the same server program with an application that only commits: the two commits that a reveal makes,
and one, which is the least that any answer with a durable record costs. Each connection is a person of their own,
with their own token, account and lease: otherwise one account's row would be measured, and the limit of requests.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.floors import make_floor
from tests.bench.measure import Aim, Result, Table, Times, ms
from tests.bench.scenery import PASSWORD, build

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.bench.places import Place, Size

ROOT: Final = Path(__file__).resolve().parents[2]
REVEAL: Final = "reveal"
ONE: Final = "1 commit, Core"
TWO: Final = "2 commits, Core"
NONE: Final = "nothing"
HALF: Final = 0.5


class Caller:
    """One connection that is kept, and the one request it sends."""

    def __init__(self, port: int, path: str, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._path = path
        self._headers = headers | {"Content-Type": "application/json"}

    def begin_anew(self) -> None:
        """Let go of a connection that the server may have closed while others had their turn."""
        self._connection.close()

    def call(self) -> bytes:
        """Send it and read the answer."""
        self._connection.request("POST", self._path, b"{}", self._headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{self._path} answered {answer.status}: {content[:300]!r}")
        return content


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    rows: list[tuple[str | int | float, ...]] = []
    aims: list[Aim] = []
    for place in places:
        room = place.room("rest")
        url, floor_url = room.url(), room.url()
        stage = build(url, room.directory, accounts=10, operators=max(size.writers))
        stage.vault.close()
        make_floor(floor_url).dispose()
        with (
            _served("vault", url, room.directory) as vault,
            _served("floor", floor_url, room.directory) as floor,
        ):
            reveals = [
                Caller(
                    vault,
                    f"/api/v1/checkouts/{one.checkout_id}/password",
                    {"Authorization": f"Bearer {one.token}", "Host": "127.0.0.1"},
                )
                for one in stage.operators
            ]
            assert json.loads(reveals[0].call())["password"].startswith(PASSWORD)
            callers = {REVEAL: reveals} | {
                name: [Caller(floor, f"/commits/{count}", {}) for _ in range(max(size.writers))]
                for count, name in enumerate((NONE, ONE, TWO))
            }
            found: dict[str, tuple[float, Times]] = {}
            for connections in size.writers:
                found = _in_turns(callers, connections, size)
                least = found[ONE][0]
                rows += [
                    (
                        place.name,
                        connections,
                        name,
                        round(rate),
                        ms(times.median),
                        ms(times.p99),
                        round(rate / least, 2),
                    )
                    for name, (rate, times) in found.items()
                ]
            for caller in (each for some in callers.values() for each in some):
                caller.begin_anew()
            aims.append(_aim(place.name, found, size.writers[-1]))
    columns = ("database", "connections", "request", "a second", "p50 ms", "p99 ms", "of one commit")
    return Result("rest", (Table("POST …/password", columns, tuple(rows)),), tuple(aims))


def _aim(database: str, found: dict[str, tuple[float, Times]], connections: int) -> Aim:
    share, of_two = (found[REVEAL][0] / found[name][0] for name in (ONE, TWO))
    words = f"{share:.2f} of it at {connections} connections; {of_two:.2f} of two commits"
    return Aim(f"{database}: half the speed of the one-commit floor", share >= HALF, words)


@contextmanager
def _served(kind: str, url: str, directory: Path) -> Iterator[int]:
    """Run one of the servers; give its port."""
    command = [sys.executable, "-m", "tests.bench.served", kind, url, str(directory)]
    errors = directory / f"{kind}.err"
    with (
        errors.open("w") as told,
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=told, text=True) as process,
    ):
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            if not line:
                raise RuntimeError(f"the {kind} server did not start:\n{errors.read_text()}")
            yield int(line)
        finally:
            process.terminate()


def _in_turns(
    callers: dict[str, list[Caller]], connections: int, size: Size
) -> dict[str, tuple[float, Times]]:
    """Let each kind of request run for a while, in turns; give its rate and its single times."""
    rates: dict[str, list[float]] = {name: [] for name in callers}
    seconds: dict[str, list[float]] = {name: [] for name in callers}
    for turn in range(max(1, size.rounds // 4)):
        for name, some in list(callers.items())[:: 1 if turn % 2 == 0 else -1]:
            found = _at_once(some[:connections], size.seconds)
            rates[name].append(len(found) / size.seconds)
            seconds[name] += found
    return {
        name: (sorted(rates[name])[len(rates[name]) // 2], Times(tuple(seconds[name]))) for name in callers
    }


def _at_once(callers: Sequence[Caller], seconds: float) -> list[float]:
    """Let connections call as often as they can; give the seconds of every answer."""
    found: list[float] = []
    errors: list[BaseException] = []
    end = time.perf_counter() + seconds

    def work(caller: Caller) -> None:
        try:
            caller.begin_anew()
            while True:  # once at least, however late a busy machine begins
                began = time.perf_counter()
                caller.call()
                found.append(time.perf_counter() - began)
                if time.perf_counter() >= end:
                    break
        except BaseException as error:  # noqa: BLE001 - told by whoever waits for the thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(caller,)) for caller in callers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return found
