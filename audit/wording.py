"""A report in words and as JSON.

Decided here: how findings are told, and that nothing of a hostile log steers the reader's terminal: only printable
ASCII is printed, the rest is escaped, and no text of the log's is printed at length.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from typing import Final

from audit.note import Verifier
from audit.report import Report

NO_LOG: Final = "NOT SOUND: there is no log here that could be examined"
_LONGEST: Final = 400


def visible(words: str) -> str:
    """Return printable ASCII, of bounded length, for whatever words."""
    shown = "".join(each if " " <= each <= "~" else ascii(each)[1:-1] for each in words[:_LONGEST])
    return shown if len(words) <= _LONGEST else f"{shown}..."


def as_text(report: Report) -> str:
    """Tell a report: one finding a line, then what the log is, then the verdict."""
    return "\n".join(_lines(report))


def _lines(report: Report) -> Iterator[str]:
    for finding in report.findings:
        where = "" if finding.index is None else f" at entry {finding.index}"
        yield f"{finding.code}{where}: {visible(finding.words)}"
    if report.checkpoint is None:
        yield NO_LOG
        return
    name, size = visible(report.checkpoint.origin), report.checkpoint.size
    if report.is_sound:
        older = "".join(f", and it continues the log of {size} that was kept" for size in report.agreed)
        yield f"sound: {name}, {size} entries, each in its place, under the signed root{older}"
    yield from _facts(report)
    if report.is_sound:
        return
    if any(finding.code.startswith("served.") for finding in report.findings):
        yield f"NOT EXAMINED TO THE END: {name}, {report.examined} of {size} entries"
    yield f"NOT SOUND: {name}{_first_bad(report)}"


def _facts(report: Report) -> Iterator[str]:
    facts = report.facts
    if facts.began is not None and facts.ended is not None:
        yield f"entries from {facts.began} to {facts.ended}, about {facts.accounts} accounts"
    for rotation in facts.rotations:
        vkey = visible(rotation.vkey) or "one that it does not name"
        yield f"the log changed its key at entry {rotation.index}, to {vkey}"
    asked = facts.account
    if asked is not None:
        gaps = "numbered from 0 without a gap" if asked.is_unbroken else "WITH GAPS, as said above"
        told = f"{asked.entries} entries, {gaps}" if asked.entries else "no entry"
        yield f"account {visible(asked.id)}: {told}"


def _first_bad(report: Report) -> str:
    """Say where the first bad entry is: in a range only where nothing tells more."""
    first, bounds = report.first_bad, report.bounds
    if first is None:
        return ""
    if bounds is not None and bounds[0] == first != bounds[1]:
        return f", the first bad entry is one of {bounds[0]} to {bounds[1]}"
    return f", the first bad entry is {first} as far as can be told"


def to_json(report: Report, verifiers: Sequence[Verifier]) -> str:
    """Write the whole report as one JSON object, in printable ASCII."""
    return json.dumps(as_json(report, verifiers), indent=2).replace("\x7f", "\\u007f")


def as_json(report: Report, verifiers: Sequence[Verifier]) -> dict[str, object]:
    """Return the whole report as JSON's types."""
    checkpoint, facts = report.checkpoint, report.facts
    return {
        "sound": report.is_sound,
        "origin": checkpoint and checkpoint.origin,
        "size": checkpoint and checkpoint.size,
        "root": checkpoint and base64.b64encode(checkpoint.root).decode("ascii"),
        "keys": [verifier.vkey for verifier in verifiers],
        "examined": report.examined,
        "agreed": list(report.agreed),
        "first_bad": report.first_bad,
        "first_bad_between": report.bounds and list(report.bounds),
        "began": facts.began,
        "ended": facts.ended,
        "accounts": facts.accounts,
        "account": facts.account
        and {
            "id": facts.account.id,
            "entries": facts.account.entries,
            "unbroken": facts.account.is_unbroken,
        },
        "key_rotations": [{"index": each.index, "vkey": each.vkey} for each in facts.rotations],
        "findings": [{"code": f.code, "index": f.index, "words": f.words} for f in report.findings],
    }
