"""Attacks by the policy's own file: a table that lets one role give power and use it is no policy (rule 9)."""

from __future__ import annotations

import copy
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from vault.domain.actor import Role
from vault.domain.policy import Permission
from vault.domain.policy_document import parse_policy
from vault.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = Path(__file__).resolve().parents[2] / "config" / "policy.toml"
READING = {"account.read", "case.read", "trail.read", "log.read", "log.export", "token.own"}
ADMINISTERING = {"people.manage", "policy.manage", "keys.manage", "checkout.revoke", "incident.handle"}
STOPPING = {"freeze.set", "freeze.lift", "budget.raise", "move.agree"}
POWERLESS = {
    Role.ADMIN: set(Permission) - READING - ADMINISTERING - STOPPING,
    Role.AUDITOR: set(Permission) - READING - {"log.review", "incident.handle", "freeze.set"},
}
EVERYBODY_ELSE = {
    Permission.PEOPLE_MANAGE,
    Permission.POLICY_MANAGE,
    Permission.KEYS_MANAGE,
    Permission.LOG_REVIEW,
}


def impossible() -> Iterator[tuple[Permission, Role]]:
    """Give what no policy may allow, whoever wrote it."""
    for role in Role:
        never = POWERLESS.get(role, EVERYBODY_ELSE)
        yield from ((Permission(each), role) for each in sorted(never))


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(("permission", "role"), list(impossible()))
def test_no_policy_joins_what_rule_nine_keeps_apart(
    document: dict[str, Any], permission: Permission, role: Role
) -> None:
    written = copy.deepcopy(document)
    written["permissions"][permission].append(role.value)
    with pytest.raises(Refused) as caught:
        parse_policy(written, "0" * 64)
    assert caught.value.facts["place"] == f"permissions.{permission}"
    assert role in caught.value.detail


def test_the_shipped_policy_is_within_it(document: dict[str, Any]) -> None:
    assert parse_policy(document, "0" * 64).permissions[Permission.PEOPLE_MANAGE] == {Role.ADMIN}
