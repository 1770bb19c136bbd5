"""Every chapter, fault and step: ``python -m tests.integration.crash_table sqlite|planted|URL DIRECTORY``.

Prints one line of JSON for each run. With THOROUGH=true all of them; otherwise every so many steps are killed at, and
each other fault happens once, in one chapter. `planted` breaks the vault on purpose: it shows a candidate before it is
committed, and the table has to find it lost.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, make_url, text

from tests.integration.crash_fuse import NEVER
from tests.integration.crash_hands import NUMBER
from tests.integration.crash_run import PEOPLE, ROLES, Run, enumerate_steps, fault_names, rehearse
from tests.integration.crash_story import CHAPTERS
from tests.integration.planted import show_before_store
from tests.support.console import AwsConsole
from tests.support.prepared import copy_files, keep_people, prepare
from tests.support.quick_sql import compile_once
from tests.support.thorough import THOROUGH, times
from tests.support.world import hasher
from vault.crypto import totp

KILLED = "killed"
LATEST = {True: 8, False: 28}
"""The latest step at which a fault of keys, or another one, is tried once: every chapter has as many for it."""
FROM = 76
"""Shortly before the step at which the planted fault loses a password."""


@dataclass(slots=True)
class Table:
    """The prepared worlds of one database, and fresh copies of them."""

    server: str | None
    directory: Path
    made: int = 0

    def prepare(self, name: str, *, held: bool) -> None:
        """Make a world with its people, and an account that is in custody or not."""
        source = self.directory / name
        source.mkdir()
        if self.server is not None:
            self._create(name, "template0")
        world = prepare(self._url(name), source)
        for person, role in zip(PEOPLE, ROLES, strict=True):
            world.human(person, role)
        if held:
            password, seed = "Correct-Horse-7-Battery", totp.generate_seed().secret.expose()
            world.held(NUMBER, password, seed)
            AwsConsole(source / "console.json").begin(password, seed)
        else:
            world.account(NUMBER)
        keep_people(world, source)
        world.close()

    def fresh(self, chapter: str, fault: str) -> Run:
        """Copy the world in which a chapter begins; the copy before it is thrown away."""
        source = "held" if CHAPTERS[chapter].held else "registered"
        self._forget(f"run_{self.made}")
        self.made += 1
        name = f"run_{self.made}"
        copy_files(self.directory / source, self.directory / name)
        if self.server is not None:
            self._create(name, f"crash_{source}")
        return Run(chapter, fault, self._url(name), self.directory / name)

    def runs(self) -> Iterator[dict[str, Any]]:
        """Hurt every chapter by every fault."""
        for chapter in CHAPTERS:
            rehearse(self.fresh(chapter, KILLED))
        run = self.fresh("change", KILLED)
        for number, fault in enumerate(fault_names(run.url, run.directory)):
            for place, chapter in enumerate(CHAPTERS):
                most = self._most(fault, number, place)
                stride = times(36 if self.server is None else 60, 1) if fault == KILLED else 1
                first = 1 if THOROUGH else 1 + (number * 11 + place * 7) % LATEST["key" in fault]
                yield from enumerate_steps(
                    lambda _at, c=chapter, f=fault: self.fresh(c, f),  # type: ignore[misc]  # a lambda's defaults
                    first,
                    stride,
                    most,
                )

    def _most(self, fault: str, number: int, place: int) -> int:
        """Give how often a fault is tried in a chapter: at every step, or once in one chapter only."""
        if fault == KILLED or THOROUGH:
            return NEVER
        return 1 if place == number % len(CHAPTERS) else 0

    def _forget(self, name: str) -> None:
        shutil.rmtree(self.directory / name, ignore_errors=True)
        if self.server is not None:
            self._ask(f"DROP DATABASE IF EXISTS crash_{name} WITH (FORCE)")

    def _url(self, name: str) -> str:
        if self.server is None:
            return f"sqlite+pysqlite:///{self.directory / name / 'vault.db'}"
        return make_url(self.server).set(database=f"crash_{name}").render_as_string(hide_password=False)

    def _create(self, name: str, template: str) -> None:
        self._ask(f"CREATE DATABASE crash_{name} TEMPLATE {template} STRATEGY FILE_COPY")

    def _ask(self, statement: str) -> None:
        engine = create_engine(self.server or "", isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


def main(database: str, directory: Path) -> None:
    """Prepare once, then hurt at every step."""
    compile_once()
    table = Table(None if database in {"sqlite", "planted"} else database, directory)
    table.prepare("held", held=True)
    table.prepare("registered", held=False)
    hasher()
    if database == "planted":
        show_before_store()
        rows = enumerate_steps(lambda _at: table.fresh("change", KILLED), FROM, 1)
        for row in rows:
            sys.stdout.write(json.dumps(row) + "\n")
            if row.get("lost"):
                return
        return
    for row in table.runs():
        sys.stdout.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
