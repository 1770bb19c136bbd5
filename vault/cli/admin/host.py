"""What the operator's commands share: where the settings are, and the entry of what no use case records."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType
from vault.settings import Settings, load_settings

if TYPE_CHECKING:
    from datetime import datetime

    from vault.ports.store import Units

HOST: Final = system_actor("host")
F = TypeVar("F", bound=Callable[..., Any])

config_option: Callable[[F], F] = click.option(
    "--config",
    "config",
    metavar="DIR",
    help="Directory of vault.toml; else ROOTVAULT_CONFIG, /etc/rootvault …",
)


def settings_of(config: str | None) -> Settings:
    """Read the settings, or end with the words of what is wrong."""
    return load_settings(config)


def record_command(units: Units, command: str, now: datetime, **facts: str | int | bool) -> None:
    """Write down that a command changes or sends something: before it does, in a transaction of its own."""
    with units.write() as unit:
        unit.log.record(Event(EventType.HOST_COMMAND, HOST, detail={"command": command, **facts}), now)
        unit.commit()


def link_of(settings: Settings, token: str) -> str:
    """Give the address of an enrolment page; it works once."""
    return f"{settings.server.public_url.rstrip('/')}/enrol/{token}"
