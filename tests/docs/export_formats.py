"""The tables of the formats that copies are written in, drawn from the writers themselves."""

from __future__ import annotations

from vault.domain.event import CATALOGUE, EventType
from vault.domain.formats import cef, sheet, syslog
from vault.domain.formats.ocsf_table import BASE, CLASS_NAMES, TABLE, Row

HEAD = """# Formats of copies and feeds

What each column, key and class holds. What copies and feeds are, and how to check them: [exports](exports.md)."""


def export_formats() -> str:
    """Show the columns of CSV, the keys of CEF, and which OCSF class each type of event is."""
    return "\n".join([HEAD, *_csv(), *_cef(), *_severities(), *_ocsf()])


def _csv() -> list[str]:
    rows = [f"| `{name}` | {words} |" for name, words in sheet.COLUMNS]
    return ["", "## CSV", "", "| column | holds |", "| --- | --- |", *rows]


def _cef() -> list[str]:
    rows = [f"| `{name}` | {words} |" for name, words in cef.KEYS]
    line = "    CEF:0|Rackspace|root-vault|1|<type>|<what it means>|<severity>|<extension>"
    return ["", "## CEF", "", line, "", "| key | holds |", "| --- | --- |", *rows]


def _severities() -> list[str]:
    words = ("unknown", "informational", "low", "medium", "high", "critical", "fatal")
    rows = [
        f"| {number} {name} | {cef.SEVERITIES[number]} | {syslog.SEVERITIES[number]} |"
        for number, name in enumerate(words)
    ]
    return ["", "## Severities", "", "| OCSF | CEF | syslog |", "| --- | --- | --- |", *rows]


def _ocsf() -> list[str]:
    rows = [_row(f"`{each}`", TABLE[EventType(each)]) for each in CATALOGUE]
    rows.append(_row("a type that this version does not know", BASE))
    told = (
        "Severity is that of a success, after the stroke that of anything else. A disposition is named where it is"
        " not the outcome's own (1 Allowed, 2 Blocked)."
    )
    head = ["| event | class | activity | type_uid | severity | disposition |", "| --- " * 6 + "|"]
    return ["", "## OCSF 1.8.0", "", told, "", *head, *rows]


def _row(name: str, row: Row) -> str:
    failing = max(row.severity, row.failing)
    severity = str(row.severity) if failing == row.severity else f"{row.severity} / {failing}"
    activity, type_uid = f"{row.activity} {row.name}", str(row.type_uid)
    if row.for_mfa is not None:
        activity += f"; of an MFA device {row.for_mfa.activity} {row.for_mfa.name}"
        type_uid += f"; {row.for_mfa.type_uid}"
    disposition = "" if row.disposition is None else str(row.disposition)
    kind = f"{int(row.kind)} {CLASS_NAMES[row.kind]}"
    return f"| {name} | {kind} | {activity} | {type_uid} | {severity} | {disposition} |"
