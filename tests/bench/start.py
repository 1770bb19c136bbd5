"""How long programs take to start: a people's command, and the service until its first answer.

Every start is a fresh process, in turns with the floors: the interpreter alone, and click alone.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.bench.measure import Aim, Result, Table, Times, in_turns_of, ms
from tests.bench.scenery import build

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

ROOT: Final = Path(__file__).resolve().parents[2]
PEOPLE: Final = 1.7
SERVICE: Final = 1.3
HEAVY: Final = (
    "alembic", "argon2", "asyncio", "boto3", "botocore", "cryptography", "flask", "gunicorn", "http.client",
    "jinja2", "limits", "numpy", "prometheus_client", "psycopg", "pydantic", "pyotp", "qrcode", "requests", "rich",
    "sqlalchemy", "ssl", "structlog", "urllib.request", "vault.adapters", "vault.bootstrap", "vault.services",
    "vault.web", "werkzeug", "wtforms",
)  # fmt: skip
"""Modules that take long to import, or that a people's command has no business with."""
IMPORTS: Final = "import vault.bootstrap, vault.web.app, vault.web.server, vault.web.api, vault.web.ui"
FIRST_ANSWER: Final = 30.0


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure; the service on SQLite."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and never listening: whoever connects is refused
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        people = _people(closed, places[0].directory, size)
    stage = build(places[0].url(), places[0].directory, accounts=1)
    stage.vault.close()
    service = in_turns_of(
        {
            "importing what it needs": lambda: _timed([sys.executable, "-c", IMPORTS]),
            "rootvault serve": lambda: _serve(stage),
        },
        max(1, size.rounds // 2),
    )
    click_alone, needed = people["click alone"].median, service["importing what it needs"].median
    rows = [(name, ms(each.median), round(each.median / click_alone, 2)) for name, each in people.items()]
    served = [(name, ms(each.median), round(each.median / needed, 2)) for name, each in service.items()]
    slowest = max(people[name].median for name in people if name.startswith("rootvault"))
    first = service["rootvault serve"].median
    heavy = tuple((name, _heavy(arguments, closed)) for name, arguments in COMMANDS.items())
    return Result(
        "start",
        (
            Table("Until a command has ended", ("command", "median ms", "of click alone"), tuple(rows)),
            Table("What of the heavy a command imports", ("command", "modules"), heavy),
            Table("Until the service's first answer", ("what", "median ms", "of the imports"), tuple(served)),
        ),
        (
            Aim(
                f"a people's command within {PEOPLE} of click alone",
                slowest <= PEOPLE * click_alone,
                f"the slowest {slowest / click_alone:.2f}",
            ),
            Aim(
                f"the service's first answer within {SERVICE} of its imports",
                first <= SERVICE * needed,
                f"{first / needed:.2f}",
            ),
        ),
    )


COMMANDS: Final[Mapping[str, tuple[str, ...]]] = {
    "rootvault --help": ("--help",),
    "rootvault me (nobody answers)": ("me",),
}


def _people(closed: str, home: Path, size: Size) -> dict[str, Times]:
    environment = _environment(closed, home)
    program = Path(sys.executable).with_name("rootvault")
    start = [str(program)] if program.exists() else [sys.executable, "-m", "vault"]
    floors = {
        "python alone": "pass",
        "click alone": "import click",
        "click and http.client": "import click, http.client",
    }
    acts: dict[str, Callable[[], float]] = {
        name: partial(_timed, [sys.executable, "-c", text]) for name, text in floors.items()
    }
    acts |= {name: partial(_timed, [*start, *arguments], environment) for name, arguments in COMMANDS.items()}
    return in_turns_of(acts, size.rounds)


def _timed(command: list[str], environment: Mapping[str, str] | None = None) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=False)
    return time.perf_counter() - began


def _heavy(arguments: tuple[str, ...], closed: str) -> str:
    """Name the heavy modules that are there when a command has ended."""
    program = (
        "import sys\nfrom vault.cli.main import main\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        f"print('|'.join(n for n in {HEAVY!r} if n in sys.modules), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=_environment(closed, Path("/nowhere")),
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stderr.splitlines()[-1].replace("|", ", ") or "none"


def _environment(closed: str, home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ROOTVAULT_")}
    return kept | {"ROOTVAULT_URL": closed, "ROOTVAULT_TOKEN": "rv_p" + "0" * 49, "HOME": str(home)}


def _serve(stage: Stage) -> float:
    """Start the service on a vault that is there; give the seconds until it answered a first request."""
    port = _free_port()
    settings = stage.settings
    environment = _environment("", Path("/nowhere")) | {
        "ROOTVAULT_ENVIRONMENT": "demo",
        "ROOTVAULT_DATA_DIRECTORY": str(settings.data_directory),
        "ROOTVAULT_DATABASE_URL": settings.database_url,
        "ROOTVAULT_KEYS_SERVICE": "local",
        "ROOTVAULT_LOG_ORIGIN": settings.log.origin,
        "ROOTVAULT_SERVER_PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    del environment["ROOTVAULT_URL"], environment["ROOTVAULT_TOKEN"]
    command = [sys.executable, "-m", "vault", "serve", "--port", str(port)]
    began = time.perf_counter()
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as service:
        try:
            while not _answers(port):
                if service.poll() is not None or time.perf_counter() - began > FIRST_ANSWER:
                    service.kill()
                    raise RuntimeError(
                        f"the service did not answer:\n{service.stdout.read() if service.stdout else ''}"
                    )
                time.sleep(0.005)
            return time.perf_counter() - began
        finally:
            service.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(port: int) -> bool:
    with (
        suppress(OSError, http.client.HTTPException),
        closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection,
    ):
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    return False
