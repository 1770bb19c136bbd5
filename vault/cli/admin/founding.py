"""The founding of a vault: directory, keys, database, the log's first entry, the first two administrators.

Decided here: the order, and that a vault is founded once: one that was cut off before it had administrators is
finished by doing the same again. `init` and the demonstration both go this way.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.adapters.db import upgrade
from vault.bootstrap import Vault, make_data_directory, open_log, open_vault
from vault.errors import Refused
from vault.ports.store import Slice
from vault.services.inviting import check_first_administrators

if TYPE_CHECKING:
    from pathlib import Path

    from vault.ports.clock import Clock
    from vault.services.people import Invited
    from vault.settings import Settings


@dataclass(frozen=True, slots=True, eq=False)
class Founded:
    """A new vault, the key files that were made for it, and its administrators' links."""

    vault: Vault
    made: tuple[Path, ...]
    administrators: tuple[Invited, ...]


def found(settings: Settings, admins: tuple[tuple[str, str], ...], clock: Clock | None = None) -> Founded:
    """Found a vault, or finish a founding that was cut off; raise `Refused` where somebody is in it already."""
    check_first_administrators(admins)
    made = make_data_directory(settings)
    upgrade(settings.database_url)
    try:
        open_log(settings, clock)
    except Refused:
        vault = open_vault(settings, clock)
        if _has_people(vault):
            vault.close()
            raise
    else:
        vault = open_vault(settings, clock)
    return Founded(vault, made, vault.people.bootstrap_admins(admins))


def _has_people(vault: Vault) -> bool:
    with vault.units.read() as unit:
        return bool(unit.people.page(Slice(1)).items)
