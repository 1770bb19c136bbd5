"""The live feeds and the team's room that the settings name, with what they need opened and checked.

Decided here: a feed that cannot be right (an address in clear, a secret that others may read) ends the start
with words; one that only does not answer does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.adapters.feeds.narrowed import OfCases
from vault.adapters.feeds.syslog import Syslog
from vault.adapters.feeds.webhook import Webhook, read_secrets
from vault.domain.case import CaseKind
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.ports.clock import Clock
    from vault.ports.feeds import Feed
    from vault.ports.notices import Room
    from vault.settings import Settings


def open_feeds(settings: Settings, clock: Clock) -> tuple[Feed, ...]:
    """Make the feeds; nothing is sent yet."""
    told = settings.feeds
    feeds: list[Feed] = []
    if told.webhook_url:
        if not told.webhook_secret_file:
            detail = "feeds.webhook_secret_file must name the file with the webhook's secret"
            raise Refused("settings.invalid", detail)
        secrets = read_secrets(settings.file(told.webhook_secret_file))
        feeds.append(Webhook(told.webhook_url, secrets, clock))
    if told.cases_url:
        if not told.cases_secret_file:
            detail = "feeds.cases_secret_file must name the file with the webhook's secret"
            raise Refused("settings.invalid", detail)
        unknown = sorted(set(told.cases_kinds) - set(CaseKind))
        if unknown:
            detail = f"feeds.cases_kinds names {unknown[0]!r}; known are {', '.join(CaseKind)}"
            raise Refused("settings.invalid", detail)
        secrets = read_secrets(settings.file(told.cases_secret_file))
        hook = Webhook(told.cases_url, secrets, clock, name="webhook-cases", setting="feeds.cases_url")
        feeds.append(OfCases(hook, frozenset(told.cases_kinds), frozenset(told.cases_customers)))
    if told.syslog:
        feeds.append(Syslog(told.syslog, clock))
    return tuple(feeds)


def open_room(settings: Settings, clock: Clock) -> Room | None:
    """Make the room that is told of notices; nothing is sent yet. None where the settings name none."""
    told = settings.notices
    if not told.webhook_url:
        return None
    if not told.webhook_secret_file:
        detail = "notices.webhook_secret_file must name the file with the webhook's secret"
        raise Refused("settings.invalid", detail)
    secrets = read_secrets(settings.file(told.webhook_secret_file))
    return Webhook(told.webhook_url, secrets, clock, setting="notices.webhook_url")
