"""Reading the policy: from the parsed document to `Policy`, or to a sentence that names the place.

Decided here: what a policy file must hold. A permission, role, kind or situation that the program
does not know is refused rather than ignored; an empty list means nobody, and is refused as well.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Final, NoReturn, TypeVar

from vault.domain.account import Kind
from vault.domain.actor import Role
from vault.domain.policy import NEVER_FOR_MACHINES, Limits, Permission, Policy
from vault.domain.reason import Reason, Situation
from vault.errors import Refused

POLICY_VERSION: Final = 1
_CODE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,31}", re.ASCII)
_LIMITS: Final[Mapping[str, tuple[int, int]]] = {
    "checkout_seconds": (60, 14400),
    "longest_seconds": (60, 14400),
    "decide_seconds": (60, 86400),
    "use_seconds": (60, 14400),
    "step_up_seconds": (30, 300),
    "reveals_per_checkout": (1, 100),
    "codes_per_checkout": (1, 100),
    "longest_age_days": (1, 3650),
    "justification_min": (1, 500),
    "justification_max": (10, 2000),
}
"""Each limit's smallest and largest value: a policy may be tighter than these, never looser (SECURITY)."""
_ADMINISTERS: Final = frozenset({Permission.PEOPLE_MANAGE, Permission.POLICY_MANAGE})
_READS: Final = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.TRAIL_READ,
        Permission.LOG_READ,
        Permission.LOG_EXPORT,
        Permission.TOKEN_OWN,
    }
)
_REVIEWS: Final = frozenset({Permission.LOG_REVIEW, Permission.INCIDENT_HANDLE})
_STOPS: Final = frozenset({Permission.FREEZE_SET})
_TWO: Final = frozenset({Permission.FREEZE_LIFT, Permission.BUDGET_RAISE})
"""Acts of two people that are not administration alone."""
_MOST: Final[Mapping[Role, frozenset[Permission]]] = {
    Role.ADMIN: _READS
    | _ADMINISTERS
    | _STOPS
    | _TWO
    | {Permission.CHECKOUT_REVOKE, Permission.INCIDENT_HANDLE},
    Role.AUDITOR: _READS | _REVIEWS | _STOPS,
    **{
        role: frozenset(Permission) - _ADMINISTERS - {Permission.LOG_REVIEW}
        for role in Role
        if role not in {Role.ADMIN, Role.AUDITOR}
    },
}
"""The most that a policy may give a role: who gives power does not use it, who reads all changes nothing (rule 9)."""

W = TypeVar("W", bound=StrEnum)
Document = Mapping[str, object]


def parse_policy(document: Document, digest: str) -> Policy:
    """Read a whole policy; raise `Refused` ``policy.invalid`` naming the first wrong place."""
    _only(document, "", {"version", "permissions", "machines", "limits", "reasons", "not_root"})
    if document.get("version") != POLICY_VERSION:
        _wrong("version", f"must be {POLICY_VERSION}")
    permissions = _permissions(_table(document, "permissions"))
    machines = _table(document, "machines")
    _only(machines, "machines.", {"scopes"})
    scopes = _words(machines, "machines.", "scopes", Permission)
    if scopes & NEVER_FOR_MACHINES:
        _wrong("machines.scopes", f"a machine never has {', '.join(sorted(scopes & NEVER_FOR_MACHINES))}")
    reasons = {code: _reason(code, body) for code, body in _table(document, "reasons").items()}
    refused = {
        code: _text(_table(document, "not_root"), "not_root.", code) for code in _table(document, "not_root")
    }
    for code in refused.keys() & reasons.keys():
        _wrong(f"not_root.{code}", "is an accepted reason as well; keep one of the two")
    return Policy(digest, permissions, scopes, reasons, refused, _limits(_table(document, "limits")))


def _permissions(table: Document) -> dict[Permission, frozenset[Role]]:
    for name in table:
        if name not in set(Permission):
            _wrong(f"permissions.{name}", "is not a permission of this program")
    for permission in Permission:
        if permission not in table:
            _wrong(f"permissions.{permission}", "is missing; name the roles that have it")
    found = {permission: _words(table, "permissions.", permission, Role) for permission in Permission}
    for permission, roles in found.items():
        for role in sorted(roles):
            if permission not in _MOST[role]:
                _wrong(f"permissions.{permission}", f"is never for the role {role} (rule 9)")
    return found


def _reason(code: str, body: object) -> Reason:
    where = f"reasons.{code}."
    if _CODE.fullmatch(code) is None:
        _wrong(f"reasons.{code}", "a code is upper-case letters, digits and underscores")
    if not isinstance(body, Mapping):
        _wrong(f"reasons.{code}", "must be a table")
    _only(body, where, {"title", "kinds", "situations", "approvals", "max_seconds", "instead"})
    instead = body.get("instead", {})
    if not isinstance(instead, Mapping):
        _wrong(f"{where}instead", "must be a table of kind = way")
    _only(instead, f"{where}instead.", set(Kind))
    return Reason(
        code=code,
        title=_text(body, where, "title"),
        kinds=_words(body, where, "kinds", Kind),
        situations=_words(body, where, "situations", Situation),
        approvals=_number(body, where, "approvals", 0, 5),
        max_seconds=_number(body, where, "max_seconds", 60, 14400),
        instead={Kind(kind): _text(instead, f"{where}instead.", kind) for kind in instead},
    )


def _limits(table: Document) -> Limits:
    _only(table, "limits.", {*_LIMITS, "ticket_pattern"})
    found = {name: _number(table, "limits.", name, low, high) for name, (low, high) in _LIMITS.items()}
    pattern = _text(table, "limits.", "ticket_pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        _wrong("limits.ticket_pattern", f"is not a regular expression: {error}")
    longest_age = timedelta(days=found.pop("longest_age_days"))
    return Limits(**found, longest_age=longest_age, ticket_pattern=pattern)


def _table(document: Document, name: str) -> Document:
    value = document.get(name)
    if not isinstance(value, Mapping):
        _wrong(name, "is missing, or not a table")
    return value


def _words(table: Document, where: str, name: str, kind: type[W]) -> frozenset[W]:
    value = table.get(name)
    if not isinstance(value, list) or not value:
        _wrong(f"{where}{name}", "must be a list that is not empty")
    known = {str(word): word for word in kind}
    for word in value:
        if not isinstance(word, str) or word not in known:
            _wrong(f"{where}{name}", f"{word!r} is not one of {', '.join(known)}")
    return frozenset(known[word] for word in value)


def _text(table: Document, where: str, name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value.strip():
        _wrong(f"{where}{name}", "must be a text that is not empty")
    return value


def _number(table: Document, where: str, name: str, low: int, high: int) -> int:
    value = table.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        _wrong(f"{where}{name}", f"must be a whole number from {low} to {high}")
    return value


def _only(table: Document, where: str, known: set[str]) -> None:
    for name in table:
        if name not in known:
            _wrong(f"{where}{name}", "is not known here; check the spelling")


def _wrong(place: str, words: str) -> NoReturn:
    raise Refused("policy.invalid", f"policy: {place} {words}.", place=place)
