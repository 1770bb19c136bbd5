"""Entries for a spreadsheet: CSV (RFC 4180) that no spreadsheet takes for formulas.

    "index","leaf_hash","time",…,"leaf" CR LF         UTF-8 with a byte order mark, once, at the beginning
    "0","05ce…","2026-11-21T…Z",…,"{""actor"":…}" CR LF
    "end","","",…,"{""end"":true,…}" CR LF            last: without it the file was cut off

Decided here: every cell is quoted, and every cell is one line. A spreadsheet reads a file without the mark in
the encoding of its country, and people open CSV with a spreadsheet; programs do better with jsonl. Characters
that act are written as their code points (`visible`), and so is what begins a formula, where a cell begins
and after whatever a spreadsheet may take for the end of a cell: ``=1+1`` is written ``[U+003D]1+1``.
`visible.reveal` gives back every cell as it was, the exact leaf among them.
"""

from __future__ import annotations

import re
from typing import Final

from vault.domain.formats import Copied, Trailer, compact
from vault.domain.formats.visible import conceal, named

COLUMNS: Final[tuple[tuple[str, str], ...]] = (
    ("index", "index of the entry in the log; `end` or `more` in the last row"),
    ("leaf_hash", "SHA-256 of 00 and the leaf, hex"),
    ("time", "when it happened, UTC"),
    ("type", "what happened, as docs/events.md lists it"),
    ("outcome", "success, denied, failed, unknown"),
    ("actor_id", "who: their id"),
    ("actor_name", "who: their name"),
    ("actor_role", "who: their roles, with commas"),
    ("actor_ip", "from where"),
    ("account_id", "the AWS account's number"),
    ("account_seq", "number of the entry among the account's own, from 0"),
    ("account_prev", "leaf hash of the account's entry before"),
    ("checkout_id", "the checkout it belongs to"),
    ("reason_code", "the stated reason"),
    ("reason_text", "the stated sentence"),
    ("reason_ticket", "the stated ticket"),
    ("request_id", "the request that caused it"),
    ("leaf", "the exact text that was hashed; in the last row how the copy ended, as JSON"),
)
"""Every column and what it holds."""

MARK: Final = "\ufeff"
_FORMULA: Final = re.compile(
    r"((?:^|[,;|])[\s\"']*)([=+\-@\uff1d\uff0b\uff0d\uff20\ufe66\ufe62\ufe63\ufe6b])"
)
_HARMLESS: Final = re.compile(r"(?:[0-9A-Za-z][0-9A-Za-z_.:@ -]*)?", re.ASCII)
"""What most cells are: nothing in it can begin anything."""
_PATHS: Final[tuple[tuple[str, ...], ...]] = (
    ("time",), ("type",), ("outcome",), ("actor", "id"), ("actor", "name"), ("actor", "role"), ("actor", "ip"),
    ("account", "id"), ("account", "seq"), ("account", "prev"), ("checkout",), ("reason", "code"),
    ("reason", "text"), ("reason", "ticket"), ("req",),
)  # fmt: skip


def head() -> str:
    """Write the byte order mark and the names of the columns."""
    return MARK + row([name for name, _ in COLUMNS])


def line(entry: Copied) -> str:
    """Write one entry."""
    told = [entry.text(*path) for path in _PATHS]
    return row([str(entry.index), entry.leaf_hash, *told, entry.leaf.decode("utf-8")])


def trailer(end: Trailer) -> str:
    """Write the last row."""
    empty = [""] * (len(COLUMNS) - 2)
    return row(["end" if end.next is None else "more", *empty, compact(end.members())])


def row(cells: list[str]) -> str:
    """Write cells as one line, each safe to be opened."""
    return ",".join(map(_quoted, cells)) + "\r\n"


def cell(text: str) -> str:
    """Write a text so that it stays a text; `visible.reveal` gives it back."""
    return _FORMULA.sub(lambda match: match[1] + named(match[2]), conceal(text))


def _quoted(text: str) -> str:
    if _HARMLESS.fullmatch(text):
        return f'"{text}"'
    return '"' + cell(text).replace('"', '""') + '"'
