"""Keys in a local file, for demonstrations, development and tests; insecure, and called so.

Decided here: the file's form (canonical JSON, mode 0600) and that wraps made here are bound to
their context just as KMS binds them. Whoever reads the file opens every envelope, and nobody but
ourselves records its use: the composition root refuses these keys in production.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from vault.adapters.keyring import UNKNOWN, KeyRing
from vault.adapters.private_file import read_private, write_private
from vault.crypto.local import KEY_BYTES, new_key, unwrap_key, wrap_key
from vault.domain.secret import Secret
from vault.errors import KeyCall, KeysUnavailable, Refused, Tampered
from vault.ports.keys import DataKey, KeyHealth, Unwrapped, Wrap, Wrapped

SERVICE: Final = "local"
KEYS_MAX: Final = 8
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)


class InsecureLocalKey:
    """One named key in memory, as a key service."""

    def __init__(self, name: str, master: Secret[bytes]) -> None:
        self.service = SERVICE
        self.key_id = name
        self._master = master

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Make a data key and wrap it."""
        key = new_key()
        wrap = wrap_key(self._master, SERVICE, self.key_id, key, context)
        return DataKey(key, (wrap,), (self._call("GenerateDataKey", "ok"),))

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap an existing data key."""
        wrap = wrap_key(self._master, SERVICE, self.key_id, key, context)
        return Wrapped((wrap,), (self._call("Encrypt", "ok"),))

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Unwrap the wrap that names this key."""
        for wrap in wraps:
            if (wrap.service, wrap.key_id) == (SERVICE, self.key_id):
                try:
                    key = unwrap_key(self._master, wrap, context)
                except Tampered as failure:
                    failure.calls = (self._call("Decrypt", failure.code),)
                    raise
                return Unwrapped(key, (self._call("Decrypt", "ok"),))
        raise KeysUnavailable(
            UNKNOWN,
            f"No wrap is under the local key {self.key_id}. Configure the key file it was sealed with.",
        )

    def check(self) -> tuple[KeyHealth, ...]:
        """Say that the key is there, as it always is, and that it is insecure."""
        words = "insecure local key: for demonstration and development only"
        return (KeyHealth(self.key_id, ok=True, words=words),)

    def _call(self, operation: str, outcome: str) -> KeyCall:
        return KeyCall(operation, self.key_id, f"local-{uuid.uuid4()}", outcome)


class InsecureLocalKeys(KeyRing):
    """All keys of one local key file as a ring: each data key is wrapped under every one that is not `retiring`."""

    def __init__(self, path: Path, retiring: tuple[str, ...] = ()) -> None:
        keys = _parse(path, read_private(path))
        if not set(retiring) < keys.keys() or len(set(retiring)) != len(retiring):
            words = f"Keys that retire have to be in {path}, each named once, and another has to be left."
            raise Refused("keys.settings", words)
        named = {name: InsecureLocalKey(name, key) for name, key in keys.items()}
        self.retiring = tuple(named[name] for name in retiring)
        self.sealing = tuple(key for name, key in named.items() if name not in retiring)
        super().__init__(self.sealing, retiring=self.retiring)
        self.key_ids = tuple(key.key_id for key in self.sealing)


def create_local_keys(path: Path, names: tuple[str, ...] = ("local-1", "local-2")) -> InsecureLocalKeys:
    """Make a new key file with fresh keys of these names; an existing file is refused."""
    keys = {name: new_key() for name in names}
    _check_names(names)
    write_private(path, _format(keys))
    return InsecureLocalKeys(path)


def _format(keys: Mapping[str, Secret[bytes]]) -> bytes:
    rows = [
        {"key": base64.b64encode(key.expose()).decode("ascii"), "name": name} for name, key in keys.items()
    ]
    text = json.dumps({"format": 1, "keys": rows}, sort_keys=True, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def _parse(path: Path, data: bytes) -> dict[str, Secret[bytes]]:
    try:
        rows = json.loads(data.decode("ascii"))["keys"]
        keys = {row["name"]: Secret(base64.b64decode(row["key"], validate=True)) for row in rows}
        _check_names(tuple(keys))
        sound = _format(keys) == data and all(len(key.expose()) == KEY_BYTES for key in keys.values())
    except (ValueError, TypeError, KeyError, RecursionError):
        raise _not_keys(path) from None
    if not sound:
        raise _not_keys(path)
    return keys


def _check_names(names: tuple[str, ...]) -> None:
    if not 1 <= len(names) <= KEYS_MAX or any(_NAME.fullmatch(name) is None for name in names):
        raise ValueError("a key file has 1 to 8 keys, named in lower case")


def _not_keys(path: Path) -> Refused:
    return Refused(
        "keys.settings", f"The file {path} is not a local key file. Restore it from a backup.", path=str(path)
    )
