"""The leaves of a log as they are read, held against the root that was signed (RFC 6962, section 2.1).

Decided here: that whoever draws a conclusion from all leaves of a log reads exactly those that its checkpoint counts.
An examination before that proves what it read itself; what is read afterwards, by another statement, may be more, less
or another: an entry put outside of the signed range, or one that came in between.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from audit.merkle import complete, fold, leaf_hash
from vault.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from audit.checkpoint import Checkpoint


def signed_leaves(leaves: Iterable[tuple[int, bytes]], checkpoint: Checkpoint) -> Iterator[tuple[int, bytes]]:
    """Hand on each index and leaf; raise `Refused` log.unavailable at the latest after the last, where they differ.

    Whoever keeps a conclusion reads to the end.
    """
    frontier: list[bytes] = []
    count = 0
    for index, leaf in leaves:
        if index != count or count == checkpoint.size:
            raise _refused(f"an entry {index} is where the signed log has none")
        _, frontier = complete(count, leaf_hash(leaf), frontier)
        count += 1
        yield index, leaf
    if count != checkpoint.size or fold(frontier) != checkpoint.root:
        raise _refused("its entries are not those whose root was signed")


def _refused(why: str) -> Refused:
    return Refused("log.unavailable", f"The log is not the one that was proven: {why}. Nothing was done.")
