"""A restore tried out on PostgreSQL: a dump that was put back beside the live database, which is never taken for it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import make_url

from tests.support.events import entries
from tests.support.key_work import Changing
from tests.support.prepared import copy_files, reopen
from tests.support.replay import check_replay
from tests.support.world import ORIGIN
from vault.adapters.local_keys import InsecureLocalKeys
from vault.bootstrap.restore_drill import try_restore
from vault.bootstrap.rewrapping import drill_of
from vault.domain.event import EventType
from vault.errors import Refused
from vault.services.key_work import DrillScope

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from vault.bootstrap.restore_drill import Tried


def tried(world: World, directory: Path, url: str) -> Tried:
    """Let two people agree, and try it out."""
    vault, keys = world.vault, directory / "local-keys.json"
    general = replace(vault.settings.general, data_directory=str(directory))
    log = replace(vault.settings.log, origin=ORIGIN, key_file="log.key", mark_file="log.mark")
    vault = replace(vault, settings=replace(vault.settings, general=general, log=log))
    proposal = Changing(world, keys).agreed_drill(DrillScope.RESTORE)
    work = drill_of(vault, InsecureLocalKeys(keys))
    return try_restore(vault, work, proposal.id, url, lambda *_: None)


def test_a_dump_that_was_put_back_is_opened_and_the_live_database_is_refused(
    prepared_postgres: tuple[str, Path], postgres_server: PostgresServer, tmp_path: Path
) -> None:
    template, source = prepared_postgres
    directory = tmp_path / "vault"
    copy_files(source, directory)
    directory.chmod(0o700)
    with postgres_server.database(template) as live:
        world = reopen(live, directory)
        world.held()
        world.close()  # its connections; a template may have none
        with postgres_server.database(str(make_url(live).database)) as back:
            world.held("222233334444")
            done = tried(world, directory, back)
            assert (done.found.report.opened, done.found.report.failed, done.promoted) == (2, 0, 2)
            assert (done.found.report.finished, done.found.behind) == (True, 2)
            world.clock.advance(minutes=2)
            with pytest.raises(Refused, match="live database"):
                tried(world, directory, live)
            # people of this test came in by the back door, so that rows and log of the dump differ
            finished = entries(world, type=EventType.DRILL_FINISHED)
            assert [entry["outcome"] for entry in finished] == ["failed", "failed"]
            assert not list(directory.glob("restore-drill-*"))
            check_replay(world)
            world.close()
