"""Files that hold a key: who may have written them, who may read them, and how they are made.

Decided here: such a file is a regular file of our own user with mode 0600 or tighter, read through
no symbolic link, made once and never overwritten. Never done here: what stands in it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Final

from vault.errors import Refused

SIZE_MAX: Final = 65536
MODE: Final = 0o600


def read_private(path: Path) -> bytes:
    """Give the bytes of a private file; raise `Refused` (``keys.settings``) for any other file."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as failure:
        why = f"it cannot be opened ({failure.strerror}); a symbolic link is refused"
        raise _refused(path, why) from None
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise _refused(path, "it is not a regular file")
        if facts.st_uid != os.geteuid():
            raise _refused(path, "it belongs to another user; give it to the user that runs the vault")
        if stat.S_IMODE(facts.st_mode) & ~MODE:
            raise _refused(path, "others may use it; set its mode with chmod 600")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            data = file.read(SIZE_MAX + 1)
    finally:
        os.close(descriptor)
    if len(data) > SIZE_MAX:
        raise _refused(path, "it is too large for a key file")
    return data


def write_private(path: Path, data: bytes) -> None:
    """Make a new private file, durable when this returns; raise `Refused` if anything is there."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, MODE)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(descriptor, MODE)
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as failure:
        why = f"it cannot be made ({failure.strerror}); a key file is never overwritten"
        raise _refused(path, why) from None


def _refused(path: Path, why: str) -> Refused:
    return Refused("keys.settings", f"The key file {path} is refused: {why}.", path=str(path))
