"""`rootvault admin`: the people of this vault, read on the host. Whatever gives power takes two, by the web."""

from __future__ import annotations

import click

from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.output import emit, json_option, table
from vault.domain.person import Grant
from vault.ports.store import Slice

_COLUMNS = (
    ("email", "E-MAIL"),
    ("name", "NAME"),
    ("state", "STATE"),
    ("roles", "ROLES"),
    ("proposed", "PROPOSED"),
)


@click.group()
def admin() -> None:
    """Look at the people of this vault."""


@admin.command("people")
@config_option
@json_option
def people_(config: str | None, *, as_json: bool) -> None:
    """List everyone, with the roles in force and those that wait for a second administrator."""
    vault = open_vault(settings_of(config))
    now = vault.clock.now()
    rows = []
    cursor: str | None = None
    try:
        with vault.units.read() as unit:
            while True:
                page = unit.people.page(Slice(200, cursor))
                for person in page.items:
                    grants = unit.people.grants(person.id)
                    waiting = [
                        grant for grant in grants if grant.confirmed_by is None and grant.removed_at is None
                    ]
                    rows.append(
                        {
                            "id": person.id,
                            "email": person.email,
                            "name": person.name,
                            "state": person.state.value,
                            "roles": [_words(grant) for grant in grants if grant.in_force(now)],
                            "proposed": [_words(grant) for grant in waiting],
                        }
                    )
                cursor = page.next
                if cursor is None:
                    break
    finally:
        vault.close()
    if as_json:
        emit({"items": rows})
        return
    table(rows, _COLUMNS)


def _words(grant: Grant) -> str:
    until = "" if grant.ends_at is None else f" until {grant.ends_at:%Y-%m-%d %H:%M}Z"
    return f"{grant.role} ({grant.scope}){until}"
