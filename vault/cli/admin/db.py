"""`rootvault db upgrade`: the schema, brought to what this version of the program expects."""

from __future__ import annotations

import click

from vault.adapters.db import upgrade
from vault.bootstrap import check_data_directory
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option


@click.group()
def db() -> None:
    """Look after the database's schema."""


@db.command("upgrade")
@config_option
@json_option
def upgrade_(config: str | None, *, as_json: bool) -> None:
    """Apply the migrations that are missing; take a backup first (rootvault backup FILE)."""
    settings = settings_of(config)
    check_data_directory(settings)
    upgrade(settings.database_url)
    if as_json:
        emit({"schema": "current"})
        return
    click.echo("The schema is what this version expects.")
