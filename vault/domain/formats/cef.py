r"""Entries for security products that read the Common Event Format (CEF 0), one event a line.

    CEF:0|Rackspace|root-vault|1|<type>|<what it means>|<0 to 10>|rt=… externalId=… …

Decided here: which keys are used, and the escapes. In the header a backslash stands before ``\`` and ``|``, in
the extension before ``\`` and ``=``; line breaks are ``\n`` and ``\r``, in the header code points, as every
other character that acts (`visible`). The last line is an event of type ``export.end``, or ``export.more``.
The leaf is not in it: index and hash name it.
"""

from __future__ import annotations

import ipaddress
from typing import Final

from vault.domain.event import CATALOGUE, EventType
from vault.domain.formats import Copied, Trailer
from vault.domain.formats.ocsf import mapped, milliseconds, severity_of
from vault.domain.formats.visible import conceal

KEYS: Final[tuple[tuple[str, str], ...]] = (
    ("rt", "when it happened, in milliseconds since 1970"),
    ("externalId", "the entry's id"),
    ("suid", "who: their id"),
    ("suser", "who: their name"),
    ("spriv", "who: their roles"),
    ("src", "from where, for IPv4"),
    ("c6a2", "from where, for IPv6 (`c6a2Label` is sourceIPv6)"),
    ("dvchost", "the host of the vault"),
    ("outcome", "success, denied, failed, unknown"),
    ("reason", "the stated reason"),
    ("msg", "the stated sentence"),
    ("cs1", "the AWS account's number (`cs1Label` is account)"),
    ("cs2", "the checkout (checkout)"),
    ("cs3", "the leaf hash (leafHash)"),
    ("cs4", "the stated ticket (ticket)"),
    ("cs5", "the log's origin (log)"),
    ("cs6", "the request (request)"),
    ("cn1", "the index of the entry (seq)"),
    ("cn2", "the size of the tree it is proven in (checkpointSize)"),
    ("cn3", "number of the entry among the account's own (accountSeq)"),
)
"""Every key of the extension and what it holds."""

SEVERITIES: Final[dict[int, int]] = {0: 0, 1: 1, 2: 3, 3: 5, 4: 7, 5: 9, 6: 10}
"""From OCSF's severity to CEF's."""

_LABELS: Final[dict[str, str]] = {
    "c6a2": "sourceIPv6",
    "cs1": "account",
    "cs2": "checkout",
    "cs3": "leafHash",
    "cs4": "ticket",
    "cs5": "log",
    "cs6": "request",
    "cn1": "seq",
    "cn2": "checkpointSize",
    "cn3": "accountSeq",
}


def line(entry: Copied) -> str:
    """Write one entry."""
    kind = entry.text("type")
    severity = SEVERITIES[severity_of(mapped(entry), entry.text("outcome"))]
    words = CATALOGUE[EventType(kind)] if kind in CATALOGUE else kind
    ip = entry.text("actor", "ip")
    told = {
        "rt": str(milliseconds(entry.text("time"))),
        "externalId": entry.text("id"),
        "suid": entry.text("actor", "id"),
        "suser": entry.text("actor", "name"),
        "spriv": entry.text("actor", "role"),
        "c6a2" if _is_six(ip) else "src": ip,
        "dvchost": entry.text("app", "host"),
        "outcome": entry.text("outcome"),
        "reason": entry.text("reason", "code"),
        "msg": entry.text("reason", "text"),
        "cs1": entry.text("account", "id"),
        "cs2": entry.text("checkout"),
        "cs3": entry.leaf_hash,
        "cs4": entry.text("reason", "ticket"),
        "cs5": entry.text("log"),
        "cs6": entry.text("req"),
        "cn1": str(entry.index),
        "cn2": str(entry.size),
        "cn3": entry.text("account", "seq"),
    }
    return event(kind, words.removesuffix("."), severity, told)


def trailer(end: Trailer) -> str:
    """Write the last line."""
    kind = "export.end" if end.next is None else "export.more"
    told = {"cnt": str(end.entries), "cn1": "" if end.next is None else str(end.next), "cn2": str(end.size)}
    return event(kind, "The copy ends here", 0, {**told, "msg": end.checkpoint})


def event(kind: str, words: str, severity: int, told: dict[str, str]) -> str:
    """Write an event; keys without a value are left out, those with a label bring it along."""
    parts: list[str] = []
    for key, value in told.items():
        if value:
            parts += [f"{key}Label={_LABELS[key]}"] if key in _LABELS else []
            parts.append(f"{key}={extension(value)}")
    return f"CEF:0|Rackspace|root-vault|1|{header(kind)}|{header(words)}|{severity}|{' '.join(parts)}\n"


def header(text: str) -> str:
    """Write a text as a field of the header."""
    return conceal(text).replace("\\", "\\\\").replace("|", "\\|")


def extension(text: str) -> str:
    """Write a text as a value of the extension."""
    lines = ("\\r".join(conceal(part) for part in each.split("\r")) for each in _escaped(text).split("\n"))
    return "\\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=")


def _is_six(ip: str) -> bool:
    try:
        return ipaddress.ip_address(ip).version == 6  # noqa: PLR2004 - the protocol's own number
    except ValueError:
        return False
