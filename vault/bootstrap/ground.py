"""The ground a vault stands on: its directory, its key files, its policy file, all checked as they are opened.

Decided here: that everything which is a key lies in a file of mode 0600, in a directory of mode 0700 of
the user that runs the vault; that an existing key is never overwritten. Never done here: choosing where
(settings do) or touching the database.
"""

from __future__ import annotations

import os
import stat
from functools import partial
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError
from audit.note import Signer, read_key, write_key
from vault.adapters.destroyed_list import DestroyedFile
from vault.adapters.kms import KmsKeys
from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.adapters.server_key import create_server_key, read_server_key
from vault.errors import Refused
from vault.settings import KeyServiceName

if TYPE_CHECKING:
    from pathlib import Path

    from vault.crypto.local import ServerKey
    from vault.ports.keys import Keys
    from vault.settings import Settings

PRIVATE: int = 0o700
DESTROYED_PURPOSE: Final = "destroyed.list"


def make_data_directory(settings: Settings) -> tuple[Path, ...]:
    """Make the data directory and every key file that is missing; give the files that were made.

    Local keys are made only where the settings name them as the key service.
    """
    _make_private(settings.data_directory)
    made: list[Path] = []
    log_key = settings.file(settings.log.key_file)
    if not log_key.exists():
        write_key(log_key, Signer.generate(settings.log.origin))
        made.append(log_key)
    server_key = settings.file(settings.keys.server_file)
    if not server_key.exists():
        create_server_key(server_key)
        made.append(server_key)
    if destroyed_list(settings).begin():
        made.append(settings.file(settings.backup.destroyed_file))
    local_keys = settings.file(settings.keys.local_file)
    if settings.key_service is KeyServiceName.LOCAL and not local_keys.exists():
        create_local_keys(local_keys)
        made.append(local_keys)
    return tuple(made)


def check_data_directory(settings: Settings) -> None:
    """Return if the data directory is there and only ours; else raise `Refused` with the next step."""
    directory = settings.data_directory
    try:
        facts = directory.stat()
    except OSError as failure:
        detail = (
            f"The data directory {directory} cannot be used ({failure.strerror}). Run `rootvault init` first."
        )
        raise Refused("operation.failed", detail) from None
    if not stat.S_ISDIR(facts.st_mode):
        raise Refused("operation.failed", f"The data directory {directory} is not a directory.")
    if facts.st_uid != os.geteuid():
        detail = f"The data directory {directory} belongs to another user; run as that user, or give it away."
        raise Refused("operation.failed", detail)
    if stat.S_IMODE(facts.st_mode) & 0o077:
        detail = f"Others may enter the data directory {directory}; set its mode with: chmod 700 {directory}"
        raise Refused("operation.failed", detail)


def read_policy_file(settings: Settings) -> bytes:
    """Give the bytes of the host's policy file, which nobody may have agreed to."""
    path = settings.policy_file
    try:
        return path.read_bytes()
    except OSError as failure:
        raise Refused("policy.invalid", f"The policy {path} cannot be read: {failure.strerror}") from None


def open_signer(settings: Settings) -> Signer:
    """Read the log's signing key, whose name is the log's origin."""
    return _signer(settings, settings.log.key_file)


def open_previous_signer(settings: Settings) -> Signer | None:
    """Read the key that signed before, while both sign; None where the settings name none."""
    name = settings.log.previous_key_file
    return _signer(settings, name) if name else None


def _signer(settings: Settings, name: str) -> Signer:
    path = settings.file(name)
    try:
        return read_key(path, settings.log.origin)
    except (OSError, AuditError) as failure:
        words = failure.words if isinstance(failure, AuditError) else f"{path}: {failure.strerror}"
        detail = f"The log's signing key cannot be used: {words}. Restore it from a backup; a new key is a new log."
        raise Refused("keys.settings", detail) from None


def open_server_key(settings: Settings) -> ServerKey:
    """Read the server's own key."""
    return read_server_key(settings.file(settings.keys.server_file))


def destroyed_list(settings: Settings) -> DestroyedFile:
    """Give the list of destroyed credentials, which lies outside the database."""
    server_key = open_server_key(settings)
    path = settings.file(settings.backup.destroyed_file)
    return DestroyedFile(path, partial(server_key.mac, DESTROYED_PURPOSE))


def open_keys(settings: Settings) -> Keys:
    """Make the key service that the settings name; nothing is asked of it yet."""
    if settings.key_service is KeyServiceName.LOCAL:
        return InsecureLocalKeys(settings.file(settings.keys.local_file), settings.keys.retiring)
    return KmsKeys(settings.keys.kms_keys, retiring=settings.keys.retiring, endpoint=settings.keys.endpoint)


def _make_private(directory: Path) -> None:
    try:
        directory.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        if not any(directory.iterdir()):
            directory.chmod(PRIVATE)
    except OSError as failure:
        detail = (
            f"The data directory {directory} cannot be made ({failure.strerror}). Name another in vault.toml."
        )
        raise Refused("operation.failed", detail) from None
