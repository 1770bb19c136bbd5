"""Inspections as text, as they are kept and as the log names them.

Decided here: one form for each fact, so that two inspections that saw the same are the same text. When AWS made its
credential report is left out of what is compared: the report is made anew every few hours and says the same.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any, Final

from vault.domain.event import stamp
from vault.domain.inspection import (
    Contact,
    Fact,
    Inspection,
    Known,
    Membership,
    PasswordPolicy,
    Place,
    Reason,
    ReportRow,
    Unknown,
)

_LONG_AGO: Final = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
FACTS: Final = (
    "root_keys", "root_mfa", "root_password", "root_certificates", "policy", "membership", "contacts", "report",
)  # fmt: skip
"""The facts that stand by themselves, in the order of `Inspection`."""


def write(inspection: Inspection) -> str:
    """Write the facts of an inspection as canonical JSON: `[value]` where known, `{"unknown": reason}` else."""
    told: dict[str, Any] = {name: _fact(getattr(inspection, name)) for name in FACTS}
    told["defaults"] = {name: _fact(fact) for name, fact in inspection.defaults.items()}
    return json.dumps(told, sort_keys=True, separators=(",", ":"))


def read(text: str) -> dict[str, Any]:
    """Give the facts written by `write`, by their names in `Inspection`."""
    told = json.loads(text)
    found: dict[str, Any] = {
        name: _read(told[name], _READING.get(name, lambda value: value)) for name in FACTS
    }
    found["defaults"] = {name: _read(fact, bool) for name, fact in told["defaults"].items()}
    return found


def digest(inspection: Inspection) -> str:
    """Give the SHA-256 of what was seen, as the log names it; equal for two that saw the same."""
    report = inspection.report
    if isinstance(report, Known):
        report = Known(replace(report.value, generated_at=_LONG_AGO))
    return hashlib.sha256(write(replace(inspection, report=report)).encode()).hexdigest()


def _fact(fact: Fact[Any]) -> Any:
    if isinstance(fact, Unknown):
        return {"unknown": fact.reason.value} | ({"code": fact.code} if fact.code else {})
    return [_value(fact.value)]


def _value(value: Any) -> Any:
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, Membership | PasswordPolicy | ReportRow):
        return {
            name: stamp(each) if isinstance(each, datetime) else each for name, each in asdict(value).items()
        }
    return value


def _read(fact: Any, reading: Callable[[Any], Any]) -> Fact[Any]:
    if isinstance(fact, Mapping):
        return Unknown(Reason(fact["unknown"]), fact.get("code", ""))
    return Known(None if fact[0] is None else reading(fact[0]))


def _membership(value: Mapping[str, str]) -> Membership:
    return Membership(Place(value["place"]), value["organization"], value["payer_id"])


def _report(value: Mapping[str, Any]) -> ReportRow:
    used = value["password_last_used"]
    return ReportRow(
        datetime.fromisoformat(value["generated_at"]),
        value["password_enabled"],
        None if used is None else datetime.fromisoformat(used),
        value["mfa_active"],
    )


_READING: Final[Mapping[str, Callable[[Any], Any]]] = {
    "policy": lambda value: PasswordPolicy(**value),
    "membership": _membership,
    "contacts": lambda value: frozenset(Contact(each) for each in value),
    "report": _report,
}
