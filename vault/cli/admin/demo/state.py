"""What a program needs to drive the demonstration, as one JSON file of mode 0600.

Decided here: the values of accounts are those that really open them, as the simulated console knows them,
and null where nothing is held. Only a demonstration may write such a file; everything in it is made up.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from vault.cli.admin.demo.world import EVERY, MACHINE, SCOPES
from vault.domain.actor import Role
from vault.domain.credential import PartKind

if TYPE_CHECKING:
    from pathlib import Path

    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground


def describe(act: Act, base_url: str | None) -> dict[str, Any]:
    """Put everything together."""
    people = [
        {
            "name": player.part.name,
            "email": player.part.email,
            "roles": [player.part.role.value],
            "password": player.password.expose(),
            "totp_seed": player.seed.expose(),
            "token": player.token.expose(),
        }
        for player in act.cast.players.values()
    ]
    return {
        "base_url": base_url,
        "log": {"origin": act.vault.origin, "vkey": act.vault.vkey},
        "people": people,
        "machines": [{"name": MACHINE, "scopes": list(SCOPES), "token": act.cast.machine.expose()}],
        "accounts": [_account(act, ground) for ground in EVERY],
    }


def write(path: Path, content: dict[str, Any]) -> None:
    """Write the file whole or not at all, readable by its owner only."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)
        file.write("\n")
    fresh.replace(path)


def _account(act: Act, ground: Ground) -> dict[str, Any]:
    view = act.vault.accounts.get(act.cast.of(Role.CUSTODIAN).actor(act.vault), ground.number)
    held = {part.part.kind for part in view.parts if part.current is not None}
    root = act.console.roots.get(ground.number)
    password = root.password if root is not None and PartKind.PASSWORD in held else None
    seed = root.seed if root is not None and PartKind.MFA in held else None
    return {
        "account_id": ground.number,
        "name": ground.name,
        "customer_ddi": ground.company.ddi,
        "model": ground.model.value,
        "kind": ground.kind.value,
        "state": view.account.custody.value,
        "situation": view.situation.value,
        "root_email": view.account.root_email,
        "password": None if password is None else password.expose(),
        "totp_seed": None if seed is None else seed.expose(),
    }
