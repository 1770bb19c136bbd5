"""`rootvault backup FILE`: a consistent copy of the database while it is in use, readable by its owner only.

Decided here: SQLite is copied by its own backup interface, PostgreSQL by pg_dump. What is copied is what is
stored: secrets are sealed in it, and the keys are not in it; back those up apart from it. The entry about
it is written afterwards, so that it can name the copy's size and hash; the copy does not tell of itself.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import click

from vault.adapters.db.copying import copy_database
from vault.bootstrap import Vault, open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option
from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@json_option
def backup(file: Path, config: str | None, *, as_json: bool) -> None:
    """Write a copy of the database to FILE, which must not exist yet."""
    settings = settings_of(config)
    # a database that the log does not prove is not worth keeping as if it were sound
    vault = open_vault(settings)
    try:
        size = copy_database(settings.database_url, file)
        record(vault, file, size)
    finally:
        vault.close()
    keys = [settings.log.key_file, settings.keys.server_file]
    if as_json:
        emit({"file": str(file), "bytes": size, "not_in_it": keys})
        return
    click.echo(f"{size} bytes in {file}. Not in it, to be kept elsewhere: {', '.join(keys)}")


def record(vault: Vault, file: Path, size: int) -> None:
    """Write down that a copy was made: where, how large, and its hash, by which it is known again."""
    with file.open("rb") as copy:
        digest = hashlib.file_digest(copy, "sha256").hexdigest()
    detail: dict[str, str | int | bool | None] = {"file": file.name, "bytes": size, "sha256": digest}
    with vault.units.write() as unit:
        unit.log.record(
            Event(EventType.BACKUP_TAKEN, system_actor("backup"), detail=detail), vault.clock.now()
        )
        unit.commit()
