r"""Entries for programs: JSON, one object a line, all of it printable ASCII.

    {"index":0,"leaf":"{…}","leaf_hash":"05ce…","proof":"c2sp.org/tlog-proof@v1\n…"}
    {"checkpoint":"…","end":true,"entries":1,"next":null,"size":42}                 last

`leaf` is the exact text that was hashed and `proof` shows it to be in the log; nothing else is needed to check
a line. The last line has the member `end`; without it the copy was cut off.
"""

from __future__ import annotations

from vault.domain.formats import Copied, Trailer, compact


def line(entry: Copied, proof: str) -> str:
    """Write one entry with its proof."""
    members = {
        "index": entry.index,
        "leaf_hash": entry.leaf_hash,
        "leaf": entry.leaf.decode("utf-8"),
        "proof": proof,
    }
    return compact(members) + "\n"


def trailer(end: Trailer) -> str:
    """Write the last line."""
    return compact(end.members()) + "\n"
