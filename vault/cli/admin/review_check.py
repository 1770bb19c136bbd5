"""What doctor says of the daily review."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.services.gate import Gate
from vault.services.policy_book import PolicyBook
from vault.services.reviews import Reviews

if TYPE_CHECKING:
    from vault.settings import Settings


def check_reviews(settings: Settings) -> Iterator[Finding]:
    """Look whether every day that is over for 24 hours was reviewed."""
    clock = SystemClock()
    units, book = units_for(settings, open_signer(settings)), PolicyBook(clock, monotonic)
    try:
        book.refresh(units)
        waiting = Reviews(units, Gate(book), clock).waiting()
    except VaultError as error:
        yield Finding("reviews", Level.FAIL, error.detail)
        return
    finally:
        units.engine.dispose()
    if not waiting:
        yield Finding("reviews", Level.OK, "every day that is over is signed")
        return
    words = f"{len(waiting)} days of the log are not reviewed, the oldest is {waiting[0].day.isoformat()}"
    yield Finding("reviews", Level.WARN, words, "An auditor signs them, on the page Review.")
