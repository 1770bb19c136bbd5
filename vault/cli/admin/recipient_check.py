"""What doctor says of the offline recovery: whom data keys are wrapped for, if the log proves it, how far it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.services.recipient_book import RecipientBook

if TYPE_CHECKING:
    from vault.ports.clock import Clock
    from vault.settings import Settings

NAME = "recovery"


def check_recipient(settings: Settings, clock: Clock | None = None) -> Iterator[Finding]:
    """Look whom every data key is wrapped for offline, and how many values have that wrap."""
    units = units_for(settings, open_signer(settings))
    book = RecipientBook(units, clock or SystemClock())
    try:
        recipient = book.recipient
        with units.read() as unit:
            versions, wrapped = unit.recipients.counts(recipient)
    except VaultError as error:
        yield Finding(NAME, Level.FAIL, error.detail)
        return
    finally:
        units.engine.dispose()
    if book.fault:
        step = "Somebody changed the rows: keep the database as evidence. Whom the log names is wrapped for."
        yield Finding(NAME, Level.FAIL, book.fault, step)
    if not recipient:
        yield Finding(NAME, Level.OK, "none is in force: losing every key loses every credential")
    elif wrapped < versions:
        words = f"{versions - wrapped} of {versions} sealed values are not wrapped for {recipient}"
        yield Finding(NAME, Level.WARN, words, "Have two people agree to a re-wrap, then: rootvault rewrap")
    else:
        yield Finding(NAME, Level.OK, f"all {versions} sealed values are wrapped for {recipient}")
