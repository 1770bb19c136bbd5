"""A world whose keys are files, so that several processes can open it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.note import Signer, read_key, write_key
from tests.support.world import ORIGIN, World, create_world, open_world
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.adapters.server_key import create_server_key, read_server_key

if TYPE_CHECKING:
    from pathlib import Path

    from vault.crypto.local import ServerKey


def make_shared(url: str, directory: Path) -> World:
    """Make the keys, the tables and the log, and open it here."""
    create_local_keys(directory / "local-keys.json")
    create_server_key(directory / "server.key")
    write_key(directory / "log.key", Signer.generate(ORIGIN))
    return create_world(url, directory, *_keys(directory))


def open_shared(url: str, directory: Path) -> World:
    """Open it, in this process."""
    return open_world(url, directory, *_keys(directory))


def _keys(directory: Path) -> tuple[InsecureLocalKeys, Signer, ServerKey]:
    keys = InsecureLocalKeys(directory / "local-keys.json")
    signer = read_key(directory / "log.key", ORIGIN)
    return keys, signer, read_server_key(directory / "server.key")
