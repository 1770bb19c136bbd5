r"""Entries for syslog (RFC 5424): one message an entry, printable ASCII from the first character to the last.

    <107>1 2026-11-21T02:41:49.000007Z host root-vault - secret.reveal.released
      [entry@32473 index="7" leaf_hash="05ce…" size="42" id="…"] {"account":…}         all of it on one line

Decided here: facility 13 (log audit); the message is the leaf as JSON with everything beyond printable ASCII
escaped, because what reads syslog reads JSON, and nothing that somebody typed steers a terminal. Read and
written again in the leaf's canonical form (docs/formats-log.md) it is the exact leaf, which `leaf_hash` shows.
Where a message may not be so long (datagrams), the leaf is left out and `cut` stands in its place. 32473 is the
number that is kept for examples (RFC 5612): the names in brackets are ours, and need no registration.

Frames (RFC 6587, octet counting) are for streams: the length, a blank, the message.
"""

from __future__ import annotations

import re
from typing import Final

from vault.domain.formats import Copied, compact
from vault.domain.formats.ocsf import mapped, severity_of

FACILITY: Final = 13
SEVERITIES: Final[dict[int, int]] = {0: 6, 1: 6, 2: 5, 3: 4, 4: 3, 5: 2, 6: 1}
"""From OCSF's severity to that of syslog."""

_HOST_MOST: Final = 255
_KIND_MOST: Final = 32
_TIME_MOST: Final = 27
_NOT_PRINTABLE: Final = re.compile(r"[^!-~]")
_SPECIAL: Final = re.compile(r'(["\\\]])')


def message(entry: Copied, longest: int | None = None) -> bytes:
    """Write one entry; one that would be longer than `longest` bytes goes without its leaf."""
    outcome = entry.text("outcome")
    priority = FACILITY * 8 + SEVERITIES[severity_of(mapped(entry), outcome)]
    host = _name(entry.text("app", "host"), _HOST_MOST)
    kind = _name(entry.text("type"), _KIND_MOST)
    told = {
        "index": str(entry.index),
        "leaf_hash": entry.leaf_hash,
        "size": str(entry.size),
        "id": entry.text("id"),
    }
    head = f"<{priority}>1 {_name(entry.text('time'), _TIME_MOST)} {host} root-vault - {kind} "
    whole = f"{head}{_element(told)} {compact(entry.content)}".encode("ascii")
    if longest is None or len(whole) <= longest:
        return whole
    return f"{head}{_element({**told, 'cut': str(len(whole))})}".encode("ascii")


def frame(written: bytes) -> bytes:
    """Write a message for a stream (RFC 6587 section 3.4.1)."""
    return str(len(written)).encode("ascii") + b" " + written


def _element(told: dict[str, str]) -> str:
    return f"[entry@32473 {' '.join(f'{name}={_quoted(value)}' for name, value in told.items())}]"


def _quoted(text: str) -> str:
    return '"' + _SPECIAL.sub(r"\\\1", _ascii(text)) + '"'


def _ascii(text: str) -> str:
    return _NOT_PRINTABLE.sub("?", text)


def _name(text: str, most: int) -> str:
    return _ascii(text)[:most] or "-"
