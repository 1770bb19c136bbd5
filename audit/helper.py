"""A second process that reads what the entries of the log's later part say, while this one hashes all of them.

Decided here: nothing is believed that the helper read otherwise. It gives back, with what it found, the hash of all
leaf hashes that it saw; if that is not the hash of those that the tree was made of, somebody changed files under
us, and that is a finding. A helper that dies is replaced by reading its part again, here.

Only a source that two processes may read at once can be given to a helper: files, not a database's connection.
"""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from multiprocessing.connection import Connection
from typing import Final, TypeAlias

from audit import merkle
from audit.contents import Contents
from audit.errors import AuditError
from audit.report import Finding, Findings, Source
from audit.tile import WIDTH

WORTH_IT: Final = 65_536
SHARE: Final = 0.42
"""What of the entries this process reads itself, so that both end at the same time: it also does all hashing."""

_Found: TypeAlias = tuple[Contents, list[Finding], bytes]


def processes() -> int:
    """Return how many processes an examination may use here."""
    return min(2, len(os.sched_getaffinity(0)))


class Helper:
    """Reads the entries from `first` up to `stop`, both at the beginning of a tile or the log's end."""

    def __init__(self, source: Source, make: Callable[[Findings], Contents], first: int, stop: int) -> None:
        self.first = first
        self._stop = stop
        self._source = source
        self._make = make
        self._seen = sha256()
        context = multiprocessing.get_context("fork")
        self._connection, theirs = context.Pipe(duplex=False)
        self._process = context.Process(target=self._work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    def saw(self, hashes: list[bytes]) -> None:
        """Take note of the leaf hashes of a tile of the part, as this process saw them."""
        self._seen.update(b"".join(hashes))

    def join(self, contents: Contents, findings: Findings) -> None:
        """Wait for the helper, and put what it found behind what was found before its part."""
        with closing(self._connection):
            try:
                theirs, found, seen = self._connection.recv()
            except EOFError:  # it was killed
                theirs, found, seen = self._read()
        self._process.join()
        for finding in found:
            findings.add(finding.code, finding.index, finding.words)
        contents.join(theirs)
        if seen != self._seen.digest():
            words = f"the entries from {self.first} on were not the same when they were read again"
            findings.add("bundle.changed", self.first, words)

    def stop(self) -> None:
        """Let go of the helper: nothing that it might find matters any more."""
        self._process.terminate()
        self._process.join()
        self._connection.close()

    def _work(self, connection: Connection) -> None:
        with closing(connection):
            connection.send(self._read())

    def _read(self) -> _Found:
        """Read the part; end at the first tile that cannot be read, as the pass does."""
        findings, seen = Findings(), sha256()
        contents = self._make(findings)
        for first in range(self.first, self._stop, WIDTH):
            try:
                leaves = self._source.leaves(first, min(first + WIDTH, self._stop))
            except AuditError:  # the pass comes to it as well, and says so
                break
            hashes = merkle.leaf_hashes(list(leaves.values()))
            seen.update(b"".join(hashes))
            contents.read(leaves, hashes)
            if findings.is_full:
                break
        return contents, list(findings), seen.digest()
