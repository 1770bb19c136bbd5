"""Where tests put their files: in memory, where the machine has a place for that with room to spare.

Databases are made and thrown away by the hundred here, and a disk takes far longer to be told so than the tests
take. Nothing is lost by it: every promise about durability is tested by killing processes, which leaves memory's
files as whole as a disk's; no test cuts the power. PostgreSQL keeps `fsync` on, SQLite `synchronous`. Whoever
wants a disk says `TMPDIR=/var/tmp`, which is left alone.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Final

MEMORY: Final = Path("/dev/shm")  # noqa: S108 - everything that is made there is made by mkdtemp, for its owner alone
ROOM: Final = 4 << 30
"""Bytes that have to be free: what two workers need at most, twice over."""


def use_memory(place: Path = MEMORY, room: int = ROOM) -> None:
    """Let temporary files of this process and of its children lie in `place`, unless somebody chose another."""
    if "TMPDIR" in os.environ or not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        return
    found = os.statvfs(place)
    if found.f_bavail * found.f_frsize < room:
        return
    os.environ["TMPDIR"] = str(place)
    tempfile.tempdir = None  # it is looked up again
