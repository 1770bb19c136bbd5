"""Reading the policy: from the parsed document to `Policy`, or to a sentence that names the place and its line.

Decided here: what a policy file must hold. A permission, role, kind or situation that the program
does not know is refused rather than ignored; an empty list means nobody, and is refused as well.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from datetime import time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from vault.domain.account import Kind
from vault.domain.actor import Role, Scope, ScopeKind
from vault.domain.agreement import Need, Needs
from vault.domain.hours import DAYS, Hours
from vault.domain.ids import is_account_id, is_ddi
from vault.domain.policy import NEVER_FOR_MACHINES, Limits, Permission, Policy, Stricter
from vault.domain.policy_lines import line_of, lines_of
from vault.domain.policy_table import Table, WrongPlace, wrong
from vault.domain.reason import Reason, Situation
from vault.domain.ticket import Check, Outage, TicketRules
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
    "accounts_per_hour": (1, 100),
    "break_glass_min": (20, 500),
    "break_glass_seconds": (60, 3600),
}
"""Each limit's smallest and largest value: a policy may be tighter than these, never looser (SECURITY)."""
_ADMINISTERS: Final = frozenset({Permission.PEOPLE_MANAGE, Permission.POLICY_MANAGE, Permission.KEYS_MANAGE})
_LATER: Final = frozenset(
    {
        Permission.FINDING_HANDLE,
        Permission.KEYLESS_DECIDE,
        Permission.KEYS_MANAGE,
        Permission.CASE_READ,
        Permission.CASE_AGREE,
        Permission.ONBOARDING_MANAGE,
        Permission.HANDOVER_OPEN,
        Permission.HANDOVER_PREPARE,
        Permission.HANDOVER_CARRY_OUT,
        Permission.CLOSURE_MANAGE,
        Permission.MOVE_MANAGE,
        Permission.MOVE_AGREE,
    }
)
"""Younger than versions that were agreed to and count: where such a version is silent, nobody has them."""
_READS: Final = frozenset(
    {
        Permission.ACCOUNT_READ,
        Permission.CASE_READ,
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
    | {Permission.CHECKOUT_REVOKE, Permission.INCIDENT_HANDLE, Permission.MOVE_AGREE},
    Role.AUDITOR: _READS | _REVIEWS | _STOPS,
    **{
        role: frozenset(Permission) - _ADMINISTERS - {Permission.LOG_REVIEW}
        for role in Role
        if role not in {Role.ADMIN, Role.AUDITOR}
    },
}
"""The most that a policy may give a role: who gives power does not use it, who reads all changes nothing (rule 9)."""

_IF_ABSENT: Final = {"accounts_per_hour": 10, "break_glass_min": 30, "break_glass_seconds": 3600}
"""Limits that a file of before they were known may leave out, with what holds then."""
APPROVALS_MOST: Final = 5
_ID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_CLOCK: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_WIDE: Final = {ScopeKind.ACCOUNT, ScopeKind.CUSTOMER}


def read_policy(data: bytes) -> Policy:
    """Read the bytes of a policy file; raise `Refused` ``policy.invalid`` naming line and place of the first fault.

    The version's digest is the SHA-256 of exactly these bytes.
    """
    try:
        text = data.decode("utf-8")
        document = tomllib.loads(text)
    except UnicodeDecodeError as failure:
        line = data.count(b"\n", 0, failure.start) + 1
        detail = f"policy, line {line}: is not UTF-8 text."
        raise Refused("policy.invalid", detail, line=line) from None
    except tomllib.TOMLDecodeError as failure:
        raise Refused("policy.invalid", f"policy: is not TOML: {failure}.") from None
    except RecursionError:
        raise Refused("policy.invalid", "policy: is nested too deeply.") from None
    try:
        return parse_policy(document, hashlib.sha256(data).hexdigest())
    except WrongPlace as error:
        raise WrongPlace(error.path, error.words, line_of(lines_of(text), error.path)) from None


def parse_policy(document: Mapping[str, object], digest: str) -> Policy:
    """Read a whole policy; raise `Refused` ``policy.invalid`` naming the first wrong place."""
    whole = Table(document)
    whole.only(
        {
            "version",
            "permissions",
            "machines",
            "limits",
            "hours",
            "reasons",
            "stricter",
            "not_root",
            "tickets",
        }
    )
    if document.get("version") != POLICY_VERSION:
        wrong(("version",), f"must be {POLICY_VERSION}")
    permissions = _permissions(whole.table("permissions"))
    machines = whole.table("machines")
    machines.only({"scopes"})
    scopes = machines.words("scopes", Permission)
    if scopes & NEVER_FOR_MACHINES:
        never = ", ".join(sorted(scopes & NEVER_FOR_MACHINES))
        wrong(machines.at("scopes"), f"a machine never has {never}")
    approving = permissions[Permission.CHECKOUT_APPROVE]
    hours = _hours(whole.table("hours", optional=True))
    table = whole.table("reasons")
    reasons = {code: _reason(code, table, approving, hours) for code in table}
    ways = whole.table("not_root")
    refused = {code: ways.text(code) for code in ways}
    for code in refused.keys() & reasons.keys():
        wrong(ways.at(code), "is an accepted reason as well; keep one of the two")
    stricter: dict[Scope, tuple[Stricter, ...]] = {}
    for each in whole.tables("stricter"):
        more = _stricter(each, approving, hours, reasons)
        stricter[more.scope] = (*stricter.get(more.scope, ()), more)
    limits = _limits(whole.table("limits"))
    tickets = _tickets(whole.table("tickets", optional=True), reasons)
    return Policy(digest, permissions, scopes, reasons, refused, limits, stricter, tickets)


def _permissions(table: Table) -> dict[Permission, frozenset[Role]]:
    for name in table:
        if name not in set(Permission):
            wrong(table.at(name), "is not a permission of this program")
    for permission in Permission:
        if permission not in table and permission not in _LATER:
            wrong(table.at(permission), "is missing; name the roles that have it")
    found = {
        permission: table.words(permission, Role) if permission in table else frozenset()
        for permission in Permission
    }
    for permission, roles in found.items():
        for role in sorted(roles):
            if permission not in _MOST[role]:
                wrong(table.at(permission), f"is never for the role {role} (rule 9)")
    return found


def _reason(code: str, reasons: Table, approving: frozenset[Role], hours: Mapping[str, Hours]) -> Reason:
    if _CODE.fullmatch(code) is None:
        wrong(reasons.at(code), "a code is upper-case letters, digits and underscores")
    body = reasons.table(code)
    body.only({"title", "kinds", "situations", "approvals", "max_seconds", "instead", "hours"})
    instead = body.table("instead", optional=True)
    instead.only(set(Kind))
    return Reason(
        code=code,
        title=body.text("title"),
        kinds=body.words("kinds", Kind),
        situations=body.words("situations", Situation),
        needs=_needs(body, approving),
        max_seconds=body.number("max_seconds", 60, 14400),
        instead={Kind(kind): instead.text(kind) for kind in instead},
        hours=_named(body, hours),
    )


def _needs(body: Table, approving: frozenset[Role]) -> Needs:
    """Read `approvals`: a number, or a list of {role, count, scope}."""
    if not isinstance(body.body.get("approvals"), list):
        count = body.number("approvals", 0, APPROVALS_MOST)
        return (Need(count),) if count else ()
    found = []
    for each in body.tables("approvals"):
        each.only({"role", "count", "scope"})
        role = each.word("role", Role)
        if role is not None and role not in approving:
            wrong(each.at("role"), f"{role} does not have checkout.approve, so nobody could ever agree")
        scope = each.word("scope", ScopeKind, ScopeKind.ACCOUNT) or ScopeKind.ACCOUNT
        found.append(Need(each.number("count", 1, APPROVALS_MOST), role, scope))
    if not found:
        wrong(body.at("approvals"), "must be a number, or a list that is not empty")
    if sum(need.count for need in found) > APPROVALS_MOST:
        wrong(body.at("approvals"), f"asks for more than {APPROVALS_MOST} people together")
    return tuple(found)


def _hours(table: Table) -> dict[str, Hours]:
    found = {}
    for name in table:
        body = table.table(name)
        body.only({"zone", "days", "from", "until"})
        zone = body.text("zone")
        try:
            place = ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            wrong(body.at("zone"), f"{zone!r} is not a zone of the IANA's database, as Europe/London is")
        days = body.texts("days")
        for day in days:
            if day not in DAYS:
                wrong(body.at("days"), f"{day!r} is not one of {', '.join(DAYS)}")
        opens, closes = _clock(body, "from"), _clock(body, "until")
        if opens == closes and body.text("until") != "24:00":
            wrong(body.at("until"), "is the time at which it opens; a whole day is from 00:00 until 24:00")
        found[name] = Hours(name, place, frozenset(DAYS.index(day) for day in days), opens, closes)
    return found


def _clock(body: Table, name: str) -> time:
    value = body.text(name)
    if name == "until" and value == "24:00":
        return time(0, 0)
    found = _CLOCK.fullmatch(value)
    if found is None:
        wrong(body.at(name), "must be a time of day as 08:00")
    return time(int(found[1]), int(found[2]))


def _named(body: Table, hours: Mapping[str, Hours]) -> Hours | None:
    if "hours" not in body:
        return None
    name = body.text("hours")
    if name not in hours:
        wrong(body.at("hours"), f"{name!r} is not described; write a table [hours.{name}]")
    return hours[name]


def _stricter(
    body: Table, approving: frozenset[Role], hours: Mapping[str, Hours], reasons: Mapping[str, Reason]
) -> Stricter:
    body.only({"scope", "reasons", "approvals", "max_seconds", "hours"})
    kind, _, target = body.text("scope").partition(":")
    known = kind in _WIDE and (
        is_account_id(target) if kind == ScopeKind.ACCOUNT else is_ddi(target) or _ID.fullmatch(target)
    )
    if not known:
        wrong(body.at("scope"), "must be customer:DDI, customer:ID or account:NUMBER")
    codes = frozenset(body.texts("reasons")) if "reasons" in body else frozenset[str]()
    for code in sorted(codes - reasons.keys()):
        wrong(body.at("reasons"), f"{code!r} is not an accepted reason")
    if not body.body.keys() & {"approvals", "max_seconds", "hours"}:
        wrong(body.at("scope"), "asks for nothing more: give approvals, max_seconds or hours")
    return Stricter(
        scope=Scope(ScopeKind(kind), target),
        reasons=codes,
        needs=_needs(body, approving) if "approvals" in body else (),
        max_seconds=body.number("max_seconds", 60, 14400) if "max_seconds" in body else None,
        hours=_named(body, hours),
    )


def _tickets(table: Table, reasons: Mapping[str, Reason]) -> TicketRules:
    table.only({"checks", "outage", "outage_of"})
    checks = table.words("checks", Check) if "checks" in table else frozenset[Check]()
    exceptions = table.table("outage_of", optional=True)
    for code in exceptions:
        if code not in reasons:
            wrong(exceptions.at(code), "is not an accepted reason")
    found = {code: exceptions.word(code, Outage, Outage.DENY) or Outage.DENY for code in exceptions}
    return TicketRules(checks, table.word("outage", Outage, Outage.DENY) or Outage.DENY, found)


def _limits(table: Table) -> Limits:
    table.only({*_LIMITS, "ticket_pattern"})
    found = {
        name: table.number(name, low, high, _IF_ABSENT.get(name)) for name, (low, high) in _LIMITS.items()
    }
    pattern = table.text("ticket_pattern")
    try:
        re.compile(pattern)
    except re.error as error:
        wrong(table.at("ticket_pattern"), f"is not a regular expression: {error}")
    longest_age = timedelta(days=found.pop("longest_age_days"))
    return Limits(**found, longest_age=longest_age, ticket_pattern=pattern)
