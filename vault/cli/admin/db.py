"""`rootvault db`: the schema brought to what this version expects, and the rights of the service's role."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from audit.errors import AuditError
from audit.progress import bar
from vault.adapters.clock import SystemClock
from vault.adapters.db import upgrade
from vault.adapters.db.privileges import grants
from vault.bootstrap import check_data_directory, open_vault
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import adopt_policy, program_version, units_for
from vault.cli.admin.host import config_option, record_command, settings_of
from vault.cli.output import emit, json_option
from vault.errors import Refused, VaultError

if TYPE_CHECKING:
    from vault.settings import Settings


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
    _record(settings)
    if as_json:
        emit({"schema": "current"})
        return
    click.echo("The schema is what this version expects.")


def _record(settings: Settings) -> None:
    """Write down that the schema was upgraded, where there is a log; one that takes no entry is told of."""
    try:
        units = units_for(settings, open_signer(settings))
        try:
            with units.read() as unit:
                size = unit.ranges.size()
            if size:
                adopt_policy(settings, units, SystemClock().now())
                record_command(units, "db upgrade", SystemClock().now(), version=program_version())
        finally:
            units.engine.dispose()
    except VaultError as error:
        click.echo(f"This upgrade is not in the log: {error.detail}", err=True)


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
        record_command(vault.units, "db reindex", vault.clock.now())
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
