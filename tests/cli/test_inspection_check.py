"""What doctor says of looks at accounts, in-process on a founded vault."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from typing import TYPE_CHECKING

from tests.support.inspected import inspected
from tests.support.repository import ROOT
from vault.bootstrap import open_vault
from vault.cli.admin.checks import Level
from vault.cli.admin.inspection_check import check_inspection
from vault.domain.account import Custodian, Kind, Model
from vault.domain.actor import Power, Role, Scope, system_actor
from vault.domain.inspection import Known
from vault.services.accounts import AccountFacts
from vault.services.customers import CustomerFacts
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    from vault.domain.actor import Actor
    from vault.settings import Settings

NUMBER = "111122223333"


def told(settings: Settings) -> dict[str, tuple[Level, str]]:
    """Give what the check says, by name."""
    return {each.name: (each.level, each.words) for each in check_inspection(settings)}


def test_looks_are_told_from_none_to_late(vault_directory: Path) -> None:
    settings = load_settings(str(vault_directory), {})
    assert told(settings)["inspection"] == (Level.OK, "accounts are not looked at through a role")
    shutil.copyfile(ROOT / "config" / "defaults.toml", vault_directory / "defaults.toml")
    settings = load_settings(str(vault_directory), {"ROOTVAULT_INSPECTION_ROLE": "RootVaultInspection"})
    vault = open_vault(settings)
    try:
        paper = inspected(vault)
        carla = with_power(Role.CUSTODIAN)
        customer = vault.customers.register(carla, "900001", CustomerFacts(name="Example Ltd"))
        facts = AccountFacts("Payer", "root@msp.example", Custodian.OURS, Custodian.OURS)
        vault.accounts.register(carla, NUMBER, customer.id, Model.SPAM, Kind.PAYER, facts)
        assert told(settings)["inspection"] == (Level.WARN, "none of 1 accounts was looked at yet")
        paper.other[NUMBER] = {"root_keys": Known(value=True)}
        vault.inspecting.once()
    finally:
        vault.close()
    found = [(each.name, each.level, each.words) for each in check_inspection(settings)]
    assert found[0] == ("inspection", Level.OK, "1 of 1 accounts were looked at")
    assert found[1] == (
        "inspection", Level.WARN, f"the list of {NUMBER} was not read (denied, AccessDenied)",
    )  # fmt: skip
    assert found[2][:2] == ("findings", Level.WARN)
    assert found[2][2].startswith("2 open, the oldest since ")


def test_a_file_of_defaults_that_is_not_there_fails(vault_directory: Path) -> None:
    settings = load_settings(str(vault_directory), {"ROOTVAULT_INSPECTION_ROLE": "RootVaultInspection"})
    ((level, words),) = told(settings).values()
    assert level is Level.FAIL
    assert f"{os.sep}defaults.toml cannot be read" in words


def with_power(role: Role) -> Actor:
    """Make the program itself an actor with a power."""
    return replace(system_actor("test"), powers=(Power(role, Scope()),))
