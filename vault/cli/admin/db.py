"""`rootvault db`: the schema brought to what this version expects, and the rights of the service's role."""

from __future__ import annotations

import click

from audit.errors import AuditError
from audit.progress import bar
from vault.adapters.db import upgrade
from vault.adapters.db.privileges import grants
from vault.bootstrap import check_data_directory, open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option
from vault.errors import Refused


@click.group()
def db() -> None:
    """Look after the database's schema and its rights."""


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


@db.command("reindex")
@config_option
@json_option
def reindex(config: str | None, *, as_json: bool) -> None:
    """Make the search index anew from the log; searches work meanwhile, and look through what is not yet indexed."""
    settings = settings_of(config)
    vault = open_vault(settings)
    try:
        size = int(vault.trail.checkpoint().split("\n")[1])
        told = bar("indexing the log")
        entries = vault.indexing.anew(lambda done: told(done, size))
    finally:
        vault.close()
    if as_json:
        emit({"indexed": entries})
        return
    words = "the newest, up to a few thousand, are looked through"
    click.echo(f"{entries} entries are in the search index; {words}.")


@db.command("grants")
@click.argument("role")
@json_option
def grants_(role: str, *, as_json: bool) -> None:
    """Print the statements that give PostgreSQL's role ROLE what the service needs, and nothing else.

    Run them as the owner of the tables, after each upgrade: rootvault db grants vault_service | psql ...
    """
    try:
        statements = grants(role)
    except AuditError as error:
        raise Refused("operation.failed", f"{error.words}. Name a role such as vault_service.") from None
    if as_json:
        emit({"statements": list(statements)})
        return
    for statement in statements:
        click.echo(f"{statement};")
