"""What doctor says of AWS's own records: whether any are read, how late they are, and what is unexplained."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from vault.bootstrap.cloud import open_sources
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.settings import KeyServiceName

if TYPE_CHECKING:
    from vault.settings import Settings


def check_cloud(settings: Settings) -> Iterator[Finding]:
    """Look at the sources, at the newest record they gave, and at open incidents."""
    units = None
    try:
        sources = open_sources(settings)
        units = units_for(settings, open_signer(settings))
        with units.read() as unit:
            states = [unit.cloud.source(source.name) for source in sources]
            newest, broken = unit.cloud.newest(), unit.cloud.broken(1)
            counts = unit.incidents.open_counts()
    except VaultError as error:
        yield Finding("cloud", Level.FAIL, error.detail)
        return
    finally:
        if units is not None:
            units.engine.dispose()
    yield from _sources(settings, [(state.name, state.error) for state in states], newest)
    for part in broken:
        words = f"{part.place} cannot be read to its end ({part.fault})"
        yield Finding("cloud", Level.WARN, words, "Fetch the file again; what was cut off was not compared.")
    if counts:
        total, oldest = sum(each.count for each in counts), min(each.oldest for each in counts)
        words = f"{total} open, the oldest since {oldest:%Y-%m-%dT%H:%M:%SZ}"
        yield Finding(
            "incidents", Level.WARN, words, "Look at them: rootvault incidents, or the page /incidents."
        )
    else:
        yield Finding("incidents", Level.OK, "none open")


def _sources(
    settings: Settings, states: list[tuple[str, str | None]], newest: datetime | None
) -> Iterator[Finding]:
    if not states:
        # without keys at AWS only root's acts are left to compare
        level = Level.WARN if settings.key_service is KeyServiceName.AWS_KMS else Level.OK
        step = "Name a source in [cloud]; see docs/reconciliation.md." if level is Level.WARN else ""
        yield Finding("cloud", level, "AWS's own records are not compared with the log", step)
        return
    for name, error in states:
        if error is not None:
            yield Finding("cloud", Level.WARN, f"{name}: {error}", "Mend it, then run: rootvault reconcile")
    late = timedelta(seconds=settings.cloud.wait_seconds)
    if newest is None:
        words = f"{len(states)} sources, and no record has come yet"
        yield Finding("cloud", Level.WARN, words, "Run: rootvault reconcile")
        return
    lag = datetime.now(UTC) - newest
    level = Level.WARN if lag > late else Level.OK
    step = "Look whether the trail still writes, and the worker still runs." if level is Level.WARN else ""
    words = f"{len(states)} sources, the newest record is of {newest:%Y-%m-%dT%H:%M:%SZ}"
    yield Finding("cloud", level, words, step)
