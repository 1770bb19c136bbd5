"""What doctor says of places outside: whether they answer now, what they keep, and whether disclosures go on.

Decided here: each is asked, but nothing is handed over and no letter is sent. What a place keeps is held against the
log, as at the start.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.bootstrap.outside import ask_outside, open_outside
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.services.anchored import Anchored
from vault.services.highwater import HighWater
from vault.services.outlets import Outlets, log_size
from vault.services.publishing import Pace, Publishing

if TYPE_CHECKING:
    from vault.adapters.db import SqlUnits
    from vault.bootstrap.outside import Outside
    from vault.domain.outlet import Outlet
    from vault.settings import Settings

_RUNBOOK = "See docs/operations.md, 'Places outside'."


def check_outside(settings: Settings) -> Iterator[Finding]:
    """Look at each place outside that the settings name, and ask it what it keeps."""
    clock, units = SystemClock(), None
    try:
        units = units_for(settings, open_signer(settings))
        outside = open_outside(settings, units.log.verifiers, units.mark, clock)
        if not outside.anchors:
            words = "nobody outside keeps this log: whoever owns this machine can cut or rewrite it unnoticed"
            yield Finding("anchors", Level.WARN, words, f"Name a witness, a bucket or a file. {_RUNBOOK}")
        else:
            yield from _ask(settings, units, outside)
        yield from _others(units, outside)
    except VaultError as error:
        yield Finding("anchors", Level.FAIL, error.detail, _RUNBOOK)
    finally:
        if units is not None:
            units.engine.dispose()


def _ask(settings: Settings, units: SqlUnits, outside: Outside) -> Iterator[Finding]:
    clock = SystemClock()
    nothing = timedelta(0)
    publishing = Publishing(
        units,
        Outlets(units, clock, nothing),
        HighWater(units, outside.verifiers, outside.mark),
        clock,
        Pace(nothing, nothing),
        outside.anchors,
    )
    silent = dict(ask_outside(publishing))
    allowed, now = timedelta(seconds=settings.log.unanchored_seconds), clock.now()
    anchored = Anchored(publishing.names, allowed)
    with units.read() as unit:
        known = {name: unit.outlets.get(name) for name in publishing.names}
        stopped, size = anchored.stopped_since(unit, now), log_size(unit)
    for name in publishing.names:
        outlet = known[name]
        words = None if outlet is None else outlet.doubt(size, now)
        yield _finding(name, outlet, silent.get(name)) if words is None else _doubted(name, words)
    if not anchored.is_asked:
        words = "log.unanchored_seconds is 0: disclosures go on whatever becomes of the places outside"
        yield Finding("anchors", Level.WARN, words, "Set it to the seconds after which they are to stop.")
    elif stopped is not None:
        since = f"{stopped - allowed:%Y-%m-%dT%H:%M:%SZ}"
        words = f"no place outside has confirmed the log since {since}: nothing is disclosed"
        yield Finding("anchors", Level.FAIL, words, f"Does `rootvault worker` run? {_RUNBOOK}")


def _doubted(name: str, words: str) -> Finding:
    """Say that a row cannot be true; it counts for nothing, and the next confirmation sets it right."""
    step = "Somebody wrote to the table outlet, or a clock was wrong: find out who can. It is not believed."
    return Finding("outside", Level.FAIL, f"{name}: {words}", step)


def _finding(name: str, outlet: Outlet | None, says: str | None) -> Finding:
    if says is not None:
        return Finding("anchors", Level.FAIL, f"{name}: {says}", _RUNBOOK)
    if outlet is None or outlet.confirmed_at is None:
        return Finding("anchors", Level.WARN, f"{name}: answers, and has confirmed nothing yet", _RUNBOOK)
    if outlet.failing_since is not None:
        since = f"{outlet.failing_since:%Y-%m-%dT%H:%M:%SZ}"
        words = f"{name}: answers, and fails to confirm since {since} ({outlet.error})"
        return Finding("anchors", Level.FAIL if outlet.lost else Level.WARN, words, _RUNBOOK)
    at = f"{outlet.confirmed_at:%Y-%m-%dT%H:%M:%SZ}"
    return Finding("anchors", Level.OK, f"{name}: confirmed {outlet.position} entries, last at {at}")


def _others(units: SqlUnits, outside: Outside) -> Iterator[Finding]:
    """Tell of the copy, the second signer and the letters, where they fail; they confirm nothing."""
    named = [place.name for place in outside.copies]
    if outside.cosigner is not None:
        named.append(outside.cosigner.name)
    with units.read() as unit:
        found = [each for each in unit.outlets.all() if each.name in named or each.name.startswith("mail/")]
        doubted, size, now = unit.published.doubted(), log_size(unit), SystemClock().now()
    if doubted:
        words = (
            f"{len(doubted)} published checkpoints are not this log's, the largest of {doubted[0]} entries"
        )
        step = "Somebody wrote to the table published: find out who can. They are passed over; keep them as evidence."
        yield Finding("published", Level.FAIL, words, step)
    for outlet in found:
        if (words := outlet.doubt(size, now) or "") != "":
            yield _doubted(outlet.name, words)
        elif outlet.failing_since is not None:
            words = f"{outlet.name}: fails since {outlet.failing_since:%Y-%m-%dT%H:%M:%SZ} ({outlet.error})"
            yield Finding("outside", Level.FAIL if outlet.lost else Level.WARN, words, _RUNBOOK)
        else:
            yield Finding("outside", Level.OK, f"{outlet.name}: {outlet.position} entries")
