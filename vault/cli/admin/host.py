"""What the operator's commands share: where the settings are, and progress on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from vault.settings import Settings, load_settings

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


def link_of(settings: Settings, token: str) -> str:
    """Give the address of an enrolment page; it works once."""
    return f"{settings.server.public_url.rstrip('/')}/enrol/{token}"
