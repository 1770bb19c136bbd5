"""A world whose keys are files, so that several processes can open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.note import Signer, read_key, write_key
from tests.support.world import ORIGIN, World, open_world
from vault.adapters.db import upgrade
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.adapters.server_key import create_server_key, read_server_key

if TYPE_CHECKING:
    from pathlib import Path


def make_shared(url: str, directory: Path) -> World:
    """Make the keys and the tables, and open it here."""
    create_local_keys(directory / "local-keys.json")
    create_server_key(directory / "server.key")
    write_key(directory / "log.key", Signer.generate(ORIGIN))
    upgrade(url)
    return open_shared(url, directory)


def open_shared(url: str, directory: Path) -> World:
    """Open it, in this process."""
    keys = InsecureLocalKeys(directory / "local-keys.json")
    signer = read_key(directory / "log.key", ORIGIN)
    return open_world(url, directory, keys, signer, read_server_key(directory / "server.key"))
