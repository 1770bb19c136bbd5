"""What doctor says of notices: whether they can go out, what waits for too long, and dead letters."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.adapters.clock import SystemClock
from vault.bootstrap.feeds import open_room
from vault.bootstrap.ground import open_signer
from vault.bootstrap.open import units_for
from vault.cli.admin.checks import Finding, Level
from vault.errors import VaultError

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.notice import Channel
    from vault.ports.notices import Load
    from vault.settings import Settings

LATE: Final = timedelta(minutes=5)


def check_notices(settings: Settings) -> Iterator[Finding]:
    """Look at what waits and what is dead; nothing is sent."""
    units, clock = None, SystemClock()
    try:
        open_room(settings, clock)
        units = units_for(settings, open_signer(settings))
        with units.read() as unit:
            loads = unit.notices.load(clock.now())
    except VaultError as error:
        yield Finding("notices", Level.FAIL, error.detail)
        return
    finally:
        if units is not None:
            units.engine.dispose()
    if not settings.mail.server:
        step = "People are told in their inbox only: name a mail server in [mail]."
        yield Finding("notices", Level.WARN, "the settings name no mail server", step)
    for channel, load in loads.items():
        yield from _finding(channel, load, clock.now())


def _finding(channel: Channel, load: Load, now: datetime) -> Iterator[Finding]:
    if load.dead:
        step = "Mend what keeps them, then: rootvault notices replay --all (see also the page Notices, Not delivered)."
        yield Finding("notices", Level.FAIL, f"{channel}: {load.dead} could not be delivered", step)
    since = load.due_since
    if since is not None and now - since > LATE:
        step = "The worker sends; does it run, and does the receiver answer?"
        words = f"{channel}: {load.waiting} wait, the oldest since {since:%Y-%m-%dT%H:%M:%SZ}"
        yield Finding("notices", Level.WARN, words, step)
    elif not load.dead:
        yield Finding("notices", Level.OK, f"{channel}: {load.waiting} wait")
