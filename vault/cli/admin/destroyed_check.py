"""What doctor says of the list of destroyed credentials, which a restore applies again (H9)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import destroyed_list, open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.services.destruction import Destruction, Following

if TYPE_CHECKING:
    from vault.settings import Settings

NAME = "destroyed"


def check_destroyed(settings: Settings) -> Iterator[Finding]:
    """Look whether the list is there and ours, and whether it and the database have the same destructions."""
    units = units_for(settings, open_signer(settings))
    try:
        outside = destroyed_list(settings)
        listed = outside.read()
        Following(units, SystemClock(), Destruction(outside=outside)).check()
        with units.read() as unit:
            kept = {each.account_id for each in unit.destructions.all()}
    except VaultError as error:
        yield Finding(NAME, Level.FAIL, error.detail)
        return
    finally:
        units.engine.dispose()
    lacking = kept - {each.account_id for each in listed or ()}
    if listed is None or lacking:
        words = f"the list of destroyed credentials {outside.path} lacks {len(lacking)} of {len(kept)}, or is not there"
        yield Finding(NAME, Level.WARN, words, "A worker writes it within a minute: rootvault worker")
        return
    step = "Copy it elsewhere: a restore on another machine needs it." if kept else ""
    yield Finding(
        NAME, Level.OK, f"{len(kept)} destroyed credentials, all on the list outside the database", step
    )
