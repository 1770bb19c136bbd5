"""`rootvault backup FILE`: a consistent copy of the database while it is in use, readable by its owner only.

Decided here: SQLite is copied by its own backup interface, PostgreSQL by pg_dump. What is copied is what is
stored: secrets are sealed in it, and the keys are not in it; back those up apart from it.
"""

from __future__ import annotations

from pathlib import Path

import click

from vault.adapters.db.copying import copy_database
from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@config_option
@json_option
def backup(file: Path, config: str | None, *, as_json: bool) -> None:
    """Write a copy of the database to FILE, which must not exist yet."""
    settings = settings_of(config)
    # a database that the log does not prove is not worth keeping as if it were sound
    open_vault(settings).close()
    size = copy_database(settings.database_url, file)
    keys = [settings.log.key_file, settings.keys.server_file]
    if as_json:
        emit({"file": str(file), "bytes": size, "not_in_it": keys})
        return
    click.echo(f"{size} bytes in {file}. Not in it, to be kept elsewhere: {', '.join(keys)}")
