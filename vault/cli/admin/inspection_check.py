"""What doctor says of looks at accounts: whether any is made, whether they keep their pace, and what was found."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from vault.bootstrap.ground import open_signer
from vault.bootstrap.inspection import open_inspection
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.domain.actor import EVERYTHING
from vault.errors import VaultError

if TYPE_CHECKING:
    from vault.ports.inspection import InspectionNumbers
    from vault.settings import Settings


def check_inspection(settings: Settings) -> Iterator[Finding]:
    """Look at the settings of looks, at the oldest look, at lists that were not read, and at open findings."""
    units = None
    try:
        inspector, _ = open_inspection(settings)
        units = units_for(settings, open_signer(settings))
        with units.read() as unit:
            numbers = unit.inspections.numbers()
            counts = unit.findings.open_counts(EVERYTHING)
            unread = [state for state in unit.inspections.rosters(EVERYTHING) if state.reason is not None]
    except VaultError as error:
        yield Finding("inspection", Level.FAIL, error.detail)
        return
    finally:
        if units is not None:
            units.engine.dispose()
    if inspector is None:
        words = "accounts are not looked at through a role"
        yield Finding("inspection", Level.OK, words, "Name one in [inspection]; see docs/hygiene.md.")
    else:
        yield _pace(settings, numbers)
    for state in unread[:3]:
        words = (
            f"the list of {state.payer_id} was not read ({state.reason}, {state.code or 'no word of AWS'})"
        )
        step = "Look whether its role has organizations:ListAccounts."
        yield Finding("inspection", Level.WARN, words, step)
    if not counts:
        yield Finding("findings", Level.OK, "none open")
        return
    total, oldest = sum(each.count for each in counts), min(each.oldest for each in counts)
    words = f"{total} open, the oldest since {oldest:%Y-%m-%dT%H:%M:%SZ}"
    step = "Look at them: rootvault findings, or the page /upkeep/findings."
    yield Finding("findings", Level.WARN, words, step)


def _pace(settings: Settings, numbers: InspectionNumbers) -> Finding:
    interval = timedelta(seconds=settings.inspection.interval_seconds)
    if numbers.accounts and numbers.oldest is None:
        words = f"none of {numbers.accounts} accounts was looked at yet"
        return Finding("inspection", Level.WARN, words, "Look whether a worker runs: rootvault worker")
    if numbers.oldest is not None and datetime.now(UTC) - numbers.oldest > 2 * interval:
        words = f"an account was last looked at {numbers.oldest:%Y-%m-%dT%H:%M:%SZ}"
        return Finding("inspection", Level.WARN, words, "Look whether a worker runs, and what it says.")
    return Finding("inspection", Level.OK, f"{numbers.seen} of {numbers.accounts} accounts were looked at")
