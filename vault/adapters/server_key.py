"""The server's own key in its file: one line that says what it is, one with 32 bytes in base64.

Losing the file loses no root credential; people enrol their second factor again.
"""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Final

from vault.adapters.private_file import read_private, write_private
from vault.crypto.local import KEY_BYTES, ServerKey, new_key
from vault.domain.secret import Secret
from vault.errors import Refused

HEADER: Final = b"root-vault server key 1"


def create_server_key(path: Path) -> ServerKey:
    """Make a fresh key and its file; an existing file is refused, never overwritten."""
    key = new_key()
    write_private(path, _format(key.expose()))
    return ServerKey(key)


def read_server_key(path: Path) -> ServerKey:
    """Read the key from its private file; raise `Refused` for what is not one."""
    data = read_private(path)
    try:
        key = base64.b64decode(data.removeprefix(HEADER + b"\n").removesuffix(b"\n"), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES or _format(key) != data:
        raise Refused(
            "keys.settings",
            f"The key file {path} is not a server key. Restore it from a backup, or make another.",
            path=str(path),
        )
    return ServerKey(Secret(key))


def _format(key: bytes) -> bytes:
    return HEADER + b"\n" + base64.b64encode(key) + b"\n"
