"""Who gets past the gate of each route: drawn from the application's own routes and the shipped policy."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from flask import Flask

from vault.domain.actor import Role
from vault.domain.policy import NEVER_FOR_MACHINES, Permission
from vault.web import health, idempotency
from vault.web.api import blueprint as api
from vault.web.guard import HEALTH, PUBLIC, SIGNED_IN, declaration_of
from vault.web.ui import blueprint as ui

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault.domain.policy import Policy

HEAD: Final = """# Who gets past the gate

Every route, its methods, and who gets past its first gate. Behind it each use case decides on the one
account, request or person it is about; that refusal is an entry as well. Whoever is not in a row gets 403
and leaves an entry, who is not signed in gets 401 or is led to sign in; methods that are not in a row get 405
and run nothing. *Everybody* is whoever is signed in.
"""
_UNREAL: Final = frozenset({"HEAD", "OPTIONS"})
_ALL: Final = {PUBLIC: "anyone", HEALTH: "anyone (HEAD too)", SIGNED_IN: "everybody, machines too"}


def access(policy: Policy) -> str:
    """Draw the tables."""
    app = Flask("vault.web", static_folder=None)
    idempotency.set_up(app)
    health.set_up(app)
    app.register_blueprint(api)
    app.register_blueprint(ui)
    rules = [rule for rule in app.url_map.iter_rules() if not rule.rule.startswith("/bootstrap")]
    rooms = {
        "REST": [rule for rule in rules if rule.rule.startswith("/api/")],
        "Pages": [rule for rule in rules if not rule.rule.startswith("/api/")],
    }
    rows = {
        room: sorted(
            (_path(rule.rule), _methods(rule.methods or ()), _who(app, rule.endpoint, policy))
            for rule in found
        )
        for room, found in rooms.items()
    }
    lines = [HEAD]
    for room, found in rows.items():
        lines += [f"## {room}", "", "| path | methods | who |", "| --- | --- | --- |"]
        lines += [f"| `{path}` | {methods} | {who} |" for path, methods, who in found]
        lines.append("")
    return "\n".join(lines).rstrip()


def _methods(methods: Iterable[str]) -> str:
    return ", ".join(sorted(set(methods) - _UNREAL))


def _path(rule: str) -> str:
    return re.sub(r"<(?:[a-z_]+(?:\([^)]*\))?:)?([a-z_]+)>", r"{\1}", rule)


def _who(app: Flask, endpoint: str, policy: Policy) -> str:
    declared = declaration_of(app, endpoint)
    if declared is None:
        message = f"{endpoint} declares nothing"
        raise AssertionError(message)
    if not isinstance(declared.need, Permission):
        return _ALL[declared.need]
    roles = [role for role in Role if role in policy.permissions[declared.need]]
    who = "every role" if len(roles) == len(Role) else ", ".join(roles)
    machines = declared.need in policy.machine_scopes and declared.need not in NEVER_FOR_MACHINES
    return f"{who}{', machines by scope' if machines else ''} (`{declared.need}`)"
