"""CloudTrail's files in a directory of this machine, as ``aws s3 sync`` leaves them there.

Decided here: only plain files are opened, no links and no pipes. A file is known by its path, size and time of
change: one that was still being written is read again when it changed.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

from vault.adapters.cloudtrail.names import day_of
from vault.adapters.cloudtrail.stream import read_file
from vault.errors import Unavailable
from vault.ports.cloud import Known, Part, PartBroken

_BATCH: Final = 500


class Folder:
    """One directory and all below it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.name = f"folder:{directory}"

    def parts(self, position: str, known: Known, now: datetime) -> Iterator[Part | str]:  # noqa: ARG002 - the port's signature
        """Give the files that were not read yet, by path."""
        if not self._directory.is_dir():
            detail = f"{self._directory} is no directory that can be read. Correct cloud.folders."
            raise Unavailable("cloud.unavailable", detail)
        batch: list[tuple[Path, str, str]] = []
        for path in self._files():
            facts = path.lstat()
            if not stat.S_ISREG(facts.st_mode):
                continue
            tag = f"{facts.st_size}-{facts.st_mtime_ns}"
            batch.append((path, f"{self.name}/{path.relative_to(self._directory).as_posix()}", tag))
            if len(batch) == _BATCH:
                yield from _unread(batch, known)
                batch = []
        yield from _unread(batch, known)

    def _files(self) -> Iterator[Path]:
        for where, folders, files in os.walk(self._directory, onerror=_refuse):
            folders.sort()
            for file in sorted(files):
                path = Path(where) / file
                if day_of(path.as_posix()) is not None and path.as_posix().isprintable():
                    yield path


def _unread(batch: list[tuple[Path, str, str]], known: Known) -> Iterator[Part]:
    read = known(tuple(place for _, place, _ in batch))
    for path, place, tag in batch:
        if read.get(place) != tag:
            yield Part(place, tag, lambda path=path: _records(path))  # type: ignore[misc]  # bound at once


def _records(path: Path) -> Iterator[object]:
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    except OSError as failure:
        raise PartBroken(errno.errorcode.get(failure.errno or 0, "cannot be opened")) from None
    yield from read_file(file)


def _refuse(failure: OSError) -> None:
    detail = f"{failure.filename} cannot be read ({failure.strerror}). Let the vault's user read it."
    raise Unavailable("cloud.unavailable", detail) from None
