"""Entries for security lakes: one event of the Open Cybersecurity Schema Framework (OCSF 1.8.0) a line.

Decided here: which attributes are filled from what, for every class of `ocsf_table`. All of them hold what
the class requires; `raw_data` is the exact leaf, `raw_data_hash` its SHA-256, and `unmapped` its place in the
log (`leaf_index`, `leaf_hash`, `checkpoint_size`) and what the schema has no place for. Profiles:
security_control, and cloud where there is an AWS account. The last line is an event as well, an export
(100803) whose `unmapped` says how the copy ended.

https://schema.ocsf.io/1.8.0
"""

from __future__ import annotations

from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from vault.domain.event import CATALOGUE, EventType, Result
from vault.domain.formats import Copied, Trailer, compact
from vault.domain.formats.ocsf_table import BASE, CLASS_NAMES, OTHER, TABLE, Class, Row

VERSION: Final = "1.8.0"
_THOUSAND: Final = 1000
_SHA256: Final = {"algorithm": "SHA-256", "algorithm_id": 3}
_STATUS: Final = {
    Result.SUCCESS: (1, "Success"),
    Result.DENIED: (2, "Failure"),
    Result.FAILED: (2, "Failure"),
}
_FACTORS: Final = {"totp": ("OTP", 7), "passkey": ("WebAuthn", 10)}
"""The second factor as OCSF's `auth_factor` names and numbers it."""
_FINDING_STATUS: Final = {1: (1, "New"), 2: (2, "In Progress"), 3: (4, "Resolved")}
_CATEGORIES: Final = {
    0: "Uncategorized",
    1: "System Activity",
    2: "Findings",
    3: "Identity & Access Management",
    6: "Application Activity",
}
_SEVERITIES: Final = ("Unknown", "Informational", "Low", "Medium", "High", "Critical", "Fatal")
_DISPOSITIONS: Final = {
    1: "Allowed",
    2: "Blocked",
    8: "Approved",
    24: "Access Revoked",
    25: "Rejected",
    26: "Unauthorized",
}
_DENYING: Final = frozenset({2, 24, 25, 26})
_KINDS_OF_USER: Final = {"person": 1, "system": 3, "machine": 4}
_SUBJECTS: Final = ("person", "person_id", "of", "requester")
"""Where an entry's details may name the person that it is about, other than who acted."""


def line(entry: Copied) -> str:
    """Write one entry."""
    return compact(event(entry)) + "\n"


def trailer(end: Trailer, product_version: str = "") -> str:
    """Write the last line: how the copy ended, as an event of its own without a place in the log."""
    row = TABLE[EventType.AUDIT_EXPORTED]
    told = _classified(row, 1, 0) | {
        "metadata": {"version": VERSION, "event_code": "export.end", "product": _product(product_version)},
        "actor": {"app_name": "root-vault"},
        "device": {"type_id": 1, "hostname": "-"},
        "log_name": end.checkpoint.split("\n", 1)[0],
        "status_id": 1,
        "unmapped": end.members(),
    }
    return compact(told) + "\n"


def mapped(entry: Copied) -> Row:
    """Give the row of the table that an entry is written by."""
    kind = entry.text("type")
    row = TABLE[EventType(kind)] if kind in TABLE else BASE
    return row.for_mfa if row.for_mfa is not None and entry.text("secret", "kind") == "mfa" else row


def severity_of(row: Row, outcome: str) -> int:
    """Give how grave an entry is."""
    return row.severity if outcome == Result.SUCCESS else max(row.severity, row.failing)


def event(entry: Copied) -> dict[str, Any]:
    """Make one entry into an event."""
    row, outcome = mapped(entry), entry.text("outcome")
    told = _classified(row, severity_of(row, outcome), milliseconds(entry.text("time")))
    told |= _ended(row, outcome)
    told |= {
        "message": CATALOGUE[EventType(entry.text("type"))] if entry.text("type") in CATALOGUE else "",
        "metadata": _metadata(entry),
        "actor": _actor(entry),
        "src_endpoint": _source(entry),
        "raw_data": entry.leaf.decode("utf-8"),
        "raw_data_hash": {**_SHA256, "value": sha256(entry.leaf).hexdigest()},
        "unmapped": _unmapped(entry),
    }
    if number := entry.text("account", "id"):
        told["cloud"] = {"provider": "AWS", "account": {"uid": number, "type": "AWS Account", "type_id": 10}}
    if code := entry.text("reason", "code"):
        told["status_detail"] = code
    return told | _of_class(entry, row)


def milliseconds(time: str) -> int:
    """Read a leaf's time as milliseconds since 1970; 0 for what is none."""
    try:
        return round(datetime.fromisoformat(time).timestamp() * _THOUSAND)
    except ValueError:
        return 0


def _classified(row: Row, severity: int, time: int) -> dict[str, Any]:
    category = row.kind // _THOUSAND
    return {
        "activity_id": row.activity,
        "activity_name": row.name,
        "category_uid": category,
        "category_name": _CATEGORIES[category],
        "class_uid": int(row.kind),
        "class_name": CLASS_NAMES[row.kind],
        "type_uid": row.type_uid,
        "severity_id": severity,
        "severity": _SEVERITIES[severity],
        "time": time,
    }


def _ended(row: Row, outcome: str) -> dict[str, Any]:
    status = _STATUS.get(Result(outcome), (0, "Unknown")) if outcome in set(Result) else (0, "Unknown")
    if row.kind is Class.FINDING:
        status = _FINDING_STATUS.get(row.activity, (0, "Unknown"))
    if outcome == Result.DENIED or row.disposition is not None:
        disposition = row.disposition or 2
    else:
        disposition = 1 if outcome == Result.SUCCESS else 0
    told: dict[str, Any] = {"status_id": status[0], "status": status[1]}
    if disposition:
        told |= {
            "action_id": 2 if disposition in _DENYING else 1,
            "disposition_id": disposition,
            "disposition": _DISPOSITIONS[disposition],
        }
    return told


def _metadata(entry: Copied) -> dict[str, Any]:
    told: dict[str, Any] = {
        "version": VERSION,
        "uid": entry.text("id"),
        "event_code": entry.text("type"),
        "sequence": entry.index,
        "log_name": entry.text("log"),
        "original_time": entry.text("time"),
        "product": _product(entry.text("app", "version")),
        "profiles": ["security_control", *(["cloud"] if entry.text("account", "id") else [])],
    }
    if checkout := entry.text("checkout"):
        told["correlation_uid"] = checkout
    return told


def _product(version: str) -> dict[str, str]:
    return {"name": "root-vault", "vendor_name": "Rackspace"} | ({"version": version} if version else {})


def _actor(entry: Copied) -> dict[str, Any]:
    told: dict[str, Any] = {"user": _acting_user(entry)}
    if session := entry.text("actor", "session"):
        told["session"] = {"uid": session, "is_mfa": entry.text("actor", "mfa") not in {"", "none"}}
    return told


def _acting_user(entry: Copied) -> dict[str, Any]:
    return {
        "uid": entry.text("actor", "id"),
        "name": entry.text("actor", "name"),
        "type": entry.text("actor", "role"),
        "type_id": _KINDS_OF_USER.get(entry.text("actor", "kind"), 0),
    }


def _source(entry: Copied) -> dict[str, str]:
    ip = entry.text("actor", "ip")
    return {"ip": ip} if ip else {"hostname": entry.text("app", "host") or "-"}


def _unmapped(entry: Copied) -> dict[str, Any]:
    told: dict[str, Any] = {
        "leaf_index": entry.index,
        "leaf_hash": entry.leaf_hash,
        "checkpoint_size": entry.size,
    }
    for name in ("account", "reason", "detail", "secret", "approval"):
        if name in entry.content:
            told[name] = entry.content[name]
    return told


def _of_class(entry: Copied, row: Row) -> dict[str, Any]:
    """Give what the class of an event asks for beside what all have."""
    number, kind = entry.text("account", "id"), row.kind
    if kind is Class.AUTHENTICATION:
        factor = entry.text("actor", "mfa").partition(":")[0]
        is_mfa = factor not in {"", "none"}
        name, number_ = _FACTORS.get(factor, ("OTP", 7))
        factors = {"auth_factors": [{"factor_type": name, "factor_type_id": number_}]} if is_mfa else {}
        return {"user": _acting_user(entry), "service": {"name": "root-vault"}, "is_mfa": is_mfa, **factors}
    if kind is Class.ACCOUNT_CHANGE:
        return {"user": _root(number) if number else _subject(entry)}
    if kind is Class.USER_ACCESS:
        resources = {"resources": [{"uid": number, "type": "AWS account"}]} if number else {}
        role = entry.text("detail", "role")
        return {"user": _subject(entry), "privileges": [role or ("root" if number else "log")], **resources}
    if kind is Class.ENTITY:
        return {"entity": _entity(entry, row)} | _comment(entry)
    if kind is Class.API:
        return {"api": {"operation": entry.text("type"), "request": {"uid": entry.text("req")}}}
    if kind is Class.EVENT_LOG:
        return {
            "log_name": entry.text("log"),
            "device": {"type_id": 1, "type": "Server", "hostname": entry.text("app", "host") or "-"},
        }
    if kind is Class.FINDING:
        title = entry.text("detail", "kind") or entry.text("type")
        uid = entry.text("detail", "incident") or entry.text("detail", "finding") or entry.text("id")
        return {"finding_info": {"uid": uid, "title": title}, "is_alert": row.activity == 1}
    return {}


def _comment(entry: Copied) -> dict[str, Any]:
    said = entry.text("reason", "text")
    return {"comment": said} if said else {}


def _subject(entry: Copied) -> dict[str, Any]:
    """Give the person that an entry is about: named in its details, else who acted."""
    for name in _SUBJECTS:
        if person := entry.text("detail", name):
            return {"uid": person, "type_id": 1}
    return _acting_user(entry)


def _root(number: str) -> dict[str, Any]:
    account = {"uid": number, "type": "AWS Account", "type_id": 10}
    return {"name": "root", "uid": f"arn:aws:iam::{number}:root", "type_id": 2, "account": account}


def _entity(entry: Copied, row: Row) -> dict[str, Any]:
    about = entry.text("secret", "id") or entry.text("account", "id")
    details = entry.content.get("detail")
    first = next(iter(details.values()), None) if isinstance(details, dict) else None
    uid = about or entry.text("policy", "id") or (str(first) if first is not None else entry.text("type"))
    told: dict[str, Any] = {"uid": uid, "type": row.entity, "type_id": 5 if row.entity == "Policy" else OTHER}
    if version := entry.text("secret", "version"):
        told["version"] = version
    return told
