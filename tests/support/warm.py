"""Programs in processes of their own, without the second of importing that each of them costs.

One process imports what the programs need and waits; for each call it forks a child that becomes the program:
arguments, environment, working directory and standard streams are the call's, and the child ends as Python ends, with
its status, its tracebacks and its exit functions. What it cannot show is that a program imports all that it
uses; a test that is about that starts an interpreter (`tests/cli/test_start.py`).

`python -m tests.support.warm MODULE...` reads calls as lines of JSON and answers each with a status.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import resource
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SECONDS: Final = 120
_STREAMS: Final = (("given", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))


class Warm:
    """One warm process; not for two threads at once."""

    def __init__(self, modules: Iterable[str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", __name__, *modules],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a call that hangs is killed with its process
        )

    def stop(self) -> None:
        """End it."""
        with self._process as process:
            process.kill()

    def run(
        self,
        module: str,
        *arguments: str | Path,
        environment: Mapping[str, str] | None = None,
        given: str = "",
        cwd: Path = ROOT,
        memory: int | None = None,
        seconds: float = SECONDS,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``python -m MODULE ARGUMENTS`` to its end, with at most `memory` bytes; give what it said.

        Raises `subprocess.TimeoutExpired` after so many seconds.
        """
        words = [module, *map(str, arguments)]
        with tempfile.TemporaryDirectory(prefix="warm-") as made:
            streams = {name: Path(made, name) for name, _ in _STREAMS}
            for name, path in streams.items():
                path.write_text(given if name == "given" else "", encoding="utf-8")
            call = {
                "words": words,
                "environment": dict(os.environ if environment is None else environment),
                "cwd": str(cwd),
                "streams": {name: str(path) for name, path in streams.items()},
                "memory": memory,
            }
            status = self._ask(json.dumps(call), seconds)
            out, err = (streams[name].read_bytes().decode() for name in ("out", "err"))
        return subprocess.CompletedProcess(words, status, out, err)

    def _ask(self, call: str, seconds: float) -> int:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        asked.write(call + "\n")
        asked.flush()
        if not select.select([answers], [], [], seconds)[0]:
            os.killpg(self._process.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(call, seconds)
        return int(answers.readline())


@cache
def vault_program() -> Warm:
    """Give this process's warm `rootvault`, made when it is first asked for."""
    from vault.cli.main import OPERATOR, PEOPLE  # noqa: PLC0415 - only who asks for it needs it

    places = {command.place.partition(":")[0] for command in (PEOPLE | OPERATOR).values()}
    return _kept(["vault.cli.main", "vault.bootstrap", "vault.web.app", *sorted(places)])


@cache
def audit_program() -> Warm:
    """Give this process's warm `python -m audit`, which has the log's own modules and nothing of the vault."""
    return _kept(["audit.__main__"])


def _kept(modules: list[str]) -> Warm:
    warm = Warm(modules)
    atexit.register(warm.stop)
    return warm


def main(modules: list[str]) -> None:
    """Import, wait for calls, and in the child of each become the program that was called."""
    for module in modules:
        importlib.import_module(module)
        if module.endswith(".__main__"):
            del sys.modules[module]  # it is run anew; what it imported stays
    gc.freeze()
    asked, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    for line in asked:
        child = os.fork()
        if child == 0:
            with contextlib.suppress(OSError):
                asked.close()
                answers.close()
            _become(json.loads(line))
            return
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        answers.flush()


def _become(call: dict[str, Any]) -> None:
    for descriptor, (name, flags) in enumerate(_STREAMS):
        opened = os.open(call["streams"][name], flags)
        os.dup2(opened, descriptor)
        os.close(opened)
    os.chdir(call["cwd"])
    os.environ.clear()
    os.environ.update(call["environment"])
    if call["memory"] is not None:
        resource.setrlimit(resource.RLIMIT_AS, (call["memory"], call["memory"]))
    module, *arguments = call["words"]
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1:])
