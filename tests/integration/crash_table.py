"""Run the crash story's enumeration: ``python -m tests.integration.crash_table sqlite|planted|URL DIRECTORY``.

Prints one line of JSON for each step that was tried: on SQLite all of them, on PostgreSQL, where a world takes far
longer to make, every fourth unless THOROUGH=true. `planted` breaks the vault on purpose: it shows a candidate before
it is committed, and the table has to find it lost.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

from tests.integration.crash_story import NUMBER, enumerate_steps, rehearse
from tests.integration.planted import show_before_store
from tests.support.prepared import copy_files, keep_people, prepare
from tests.support.quick_sql import compile_once
from tests.support.thorough import times
from tests.support.world import hasher
from vault.domain.actor import Role


def main(database: str, directory: Path) -> None:
    """Prepare once, then kill at every step."""
    compile_once()
    source = directory / "prepared"
    source.mkdir()
    server = None if database in {"sqlite", "planted"} else database
    url = f"sqlite+pysqlite:///{source / 'vault.db'}" if server is None else _create(server, "crash_prepared")
    world = prepare(url, source)
    world.human("alice", Role.OPERATOR)
    world.human("bob", Role.OPERATOR)
    world.account(NUMBER)
    keep_people(world, source)
    world.close()
    hasher()

    def open_fresh(at: int) -> tuple[str, Path]:
        target = directory / f"step-{at}"
        copy_files(source, target)
        if server is None:
            return f"sqlite+pysqlite:///{target / 'vault.db'}", target
        return _create(server, f"crash_{at}", "crash_prepared"), target

    rehearse(*open_fresh(0))
    if database == "planted":
        show_before_store()
    for row in enumerate_steps(open_fresh, stride=1 if server is None else times(4, 1)):
        sys.stdout.write(json.dumps(row) + "\n")
        if database == "planted" and row.get("lost"):
            return


def _create(server: str, name: str, template: str = "template0") -> str:
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY"))
    engine.dispose()
    return make_url(server).set(database=name).render_as_string(hide_password=False)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
