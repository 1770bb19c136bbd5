"""What doctor says of live feeds: whether they can be made, how far behind they are, and who has stopped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from vault.adapters.clock import SystemClock
from vault.bootstrap.feeds import open_feeds
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError
from vault.services.feeds import is_stopped

if TYPE_CHECKING:
    from vault.domain.outlet import Outlet
    from vault.settings import Settings


def check_feeds(settings: Settings) -> Iterator[Finding]:
    """Look at each feed that the settings name; nothing is sent."""
    units, clock = None, SystemClock()
    try:
        feeds = open_feeds(settings, clock)
        if not feeds:
            return
        units = units_for(settings, open_signer(settings))
        with units.read() as unit:
            size = int(unit.log.checkpoint().split("\n")[1])
            found = [(feed.name, unit.outlets.get(feed.name)) for feed in feeds]
    except VaultError as error:
        yield Finding("feeds", Level.FAIL, error.detail)
        return
    finally:
        if units is not None:
            units.engine.dispose()
    for name, outlet in found:
        words = None if outlet is None else outlet.doubt(size, clock.now())
        if words is None:
            yield _finding(name, outlet, size)
        else:
            step = "Somebody wrote to the table outlet, or a clock was wrong: find out who can. It is not believed."
            yield Finding("feeds", Level.FAIL, f"{name}: {words}", step)


def _finding(name: str, outlet: Outlet | None, size: int) -> Finding:
    if outlet is None:
        step = "The worker sends; does it run? Try the feed with: rootvault feed test"
        return Finding("feeds", Level.WARN, f"{name}: nothing was sent yet", step)
    waiting = f"{size - outlet.position} entries wait"
    if is_stopped(outlet):
        step = f"Ask the receiver why, then: rootvault feed start {name}"
        return Finding("feeds", Level.FAIL, f"{name}: {outlet.error}; {waiting}", step)
    if outlet.failing_since is not None:
        step = f"Look at the receiver, then: rootvault feed test {name}"
        words = f"{name}: fails since {outlet.failing_since:%Y-%m-%dT%H:%M:%SZ} ({outlet.error}); {waiting}"
        return Finding("feeds", Level.FAIL if outlet.lost else Level.WARN, words, step)
    return Finding("feeds", Level.OK, f"{name}: {waiting}")
