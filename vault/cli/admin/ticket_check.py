"""What doctor says of tickets: whether what the policy asks of them can be answered."""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.bootstrap.tickets import open_tickets
from vault.cli.admin.checks import Finding, Level
from vault.domain.ticket import Outage
from vault.errors import Unavailable, VaultError
from vault.services.policy_book import PolicyBook

if TYPE_CHECKING:
    from vault.settings import Settings

NOBODYS = "ROOTVAULT-TEST"


def check_tickets(settings: Settings) -> Iterator[Finding]:
    """Ask the ticket system for a ticket that nobody has; hold the settings against the policy in force."""
    try:
        system = open_tickets(settings)
    except VaultError as error:
        yield Finding("tickets", Level.FAIL, error.detail)
        return
    units, book = units_for(settings, open_signer(settings)), PolicyBook(SystemClock(), monotonic)
    try:
        book.refresh(units)
        rules = book.policy.tickets
    except VaultError:
        return  # the policy's own finding says so
    finally:
        units.engine.dispose()
    if system is None:
        if rules.checks:
            outcome = "pass unlooked at" if rules.outage is Outage.MARK else "are refused"
            step = "Name the system in vault.toml: [tickets] url."
            words = f"the policy asks of tickets and no system is named, so requests {outcome}"
            yield Finding("tickets", Level.FAIL, words, step)
        return
    try:
        system.find(NOBODYS)
    except Unavailable as error:
        step = (
            "Look at the system, its address and the token; docs/operations.md tells what happens meanwhile."
        )
        yield Finding("tickets", Level.FAIL, f"the ticket system: {error.detail}", step)
        return
    if not rules.checks:
        step = "Propose a policy with [tickets] checks."
        words = "a ticket system is named, and the policy asks nothing of tickets"
        yield Finding("tickets", Level.WARN, words, step)
        return
    asked = ", ".join(sorted(rules.checks))
    yield Finding("tickets", Level.OK, f"the ticket system answers; the policy asks: exists, {asked}")
