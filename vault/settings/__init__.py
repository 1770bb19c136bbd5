"""Settings of one vault, from one file and the environment; ``docs/settings.md`` lists them."""

from vault.settings.reading import (
    FILE,
    PREFIX,
    find_directory,
    load_settings,
    parse_settings,
    setting_names,
    shipped_directory,
    variable,
)
from vault.settings.values import SECTIONS, Environment, KeyServiceName, Settings

__all__ = [
    "FILE",
    "PREFIX",
    "SECTIONS",
    "Environment",
    "KeyServiceName",
    "Settings",
    "find_directory",
    "load_settings",
    "parse_settings",
    "setting_names",
    "shipped_directory",
    "variable",
]
