"""How accounts are looked at, made of settings and of the file of defaults. Nothing is asked of AWS yet.

Decided here: how the file of defaults is read; a key that is not known there is refused rather than ignored. Where
no role is named the file is not read.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vault.adapters.aws import checked_endpoint
from vault.adapters.cloudtrail.lookup import REGION
from vault.adapters.inspection.role import RoleInspector
from vault.domain.hygiene import Wanted
from vault.domain.inspection import Contact, PasswordPolicy
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.settings import Settings

_SECTIONS: Final[Mapping[str, frozenset[str]]] = {
    "password_policy": frozenset({"length", "upper", "lower", "number", "symbol", "remembers"}),
    "contacts": frozenset({"needed"}),
    "iam": frozenset({"roles", "policies"}),
    "rules": frozenset({"region", "names"}),
    "buckets": frozenset({"region", "names"}),
    "topics": frozenset({"names"}),
}
_ROLE: Final = re.compile(r"[A-Za-z0-9+=,.@_/-]{1,512}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9+=,.@_{}-]{1,128}", re.ASCII)
_LONGEST: Final = 128
"""The longest password that IAM takes."""
NOTHING: Final = Wanted(PasswordPolicy(0, upper=False, lower=False, number=False, symbol=False, remembers=0))
"""What is wanted where nothing is looked at."""


def open_inspection(settings: Settings) -> tuple[RoleInspector | None, Wanted]:
    """Give what looks at accounts, None without a role, and what it looks for.

    Raises `Refused` settings.invalid for what cannot be meant.
    """
    chosen = settings.inspection
    if not chosen.role:
        return None, NOTHING
    if _ROLE.fullmatch(chosen.role) is None or chosen.role.startswith("arn:"):
        _wrong("inspection.role", "is the name of a role, the same in each account")
    for region in chosen.regions:
        if REGION.fullmatch(region) is None:
            _wrong("inspection.regions", f"has {region[:64]!r}, which is no region; write us-east-1")
    checked_endpoint(chosen.endpoint)
    return RoleInspector(chosen.role, chosen.external_id, chosen.endpoint), read_defaults(settings)


def read_defaults(settings: Settings) -> Wanted:
    """Read the file of defaults; raise `Refused` settings.invalid naming what cannot be meant."""
    path = settings.defaults_file
    try:
        raw = path.read_bytes()
        document = tomllib.loads(raw.decode("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as failure:
        _wrong("inspection.defaults_file", f"{path} cannot be read: {failure}")
    for section, table in document.items():
        if section not in _SECTIONS or not isinstance(table, dict) or table.keys() - _SECTIONS[section]:
            _wrong("inspection.defaults_file", f"[{section}] is not known, or has something that is not")
    policy = document.get("password_policy", {})
    contacts = _names(document, "contacts", "needed")
    if not set(contacts) <= set(Contact):
        _wrong("inspection.defaults_file", "contacts.needed may have billing, operations and security")
    return Wanted(
        policy=PasswordPolicy(
            length=_number(policy, "length"),
            upper=_flag(policy, "upper"),
            lower=_flag(policy, "lower"),
            number=_flag(policy, "number"),
            symbol=_flag(policy, "symbol"),
            remembers=_number(policy, "remembers"),
        ),
        contacts=frozenset(Contact(each) for each in contacts),
        roles=_names(document, "iam", "roles"),
        policies=_names(document, "iam", "policies"),
        rules=_names(document, "rules", "names"),
        rule_region=_region(document, "rules", "us-east-1"),
        buckets=_names(document, "buckets", "names"),
        bucket_region=_region(document, "buckets", "us-west-2"),
        topics=_names(document, "topics", "names"),
        regions=settings.inspection.regions,
        digest=hashlib.sha256(raw).hexdigest(),
    )


def _number(table: Mapping[str, Any], name: str) -> int:
    value = table.get(name, 0)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _LONGEST:
        _wrong("inspection.defaults_file", f"password_policy.{name} is a number from 0 to {_LONGEST}")
    return value


def _flag(table: Mapping[str, Any], name: str) -> bool:
    value = table.get(name, False)
    return (
        value if isinstance(value, bool) else _wrong("inspection.defaults_file", f"{name} is true or false")
    )


def _names(document: Mapping[str, Any], section: str, name: str) -> tuple[str, ...]:
    value = document.get(section, {}).get(name, [])
    if not isinstance(value, list) or not all(
        isinstance(each, str) and _NAME.fullmatch(each) for each in value
    ):
        _wrong("inspection.defaults_file", f"{section}.{name} is a list of names")
    return tuple(value)


def _region(document: Mapping[str, Any], section: str, otherwise: str) -> str:
    value = document.get(section, {}).get("region", otherwise)
    if not isinstance(value, str) or REGION.fullmatch(value) is None:
        _wrong("inspection.defaults_file", f"{section}.region is a region such as us-east-1")
    return value


def _wrong(setting: str, words: str) -> NoReturn:
    raise Refused("settings.invalid", f"{setting}: {words}.", setting=setting)
