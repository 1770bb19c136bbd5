"""What doctor says of the roles at AWS: each is tried in accounts that we hold, over HTTP at the tests' AWS."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.support.aws_cloud import aws_cloud
from tests.support.moto_kms import made_up_credentials
from tests.support.repository import ROOT
from tests.support.world import HandClock, World
from vault.bootstrap import open_vault
from vault.cli.admin.checks import Level
from vault.cli.admin.role_check import check_roles
from vault.domain.account import Kind
from vault.domain.secret import Secret
from vault.services.custody import Existing
from vault.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from vault.settings import Settings

PAYER, MEMBER, VAULT = "999988887777", "111122223333", "123456789012"


def told(settings: Settings) -> dict[str, tuple[Level, str]]:
    """Give what the check says, by name."""
    return {each.name: (each.level, each.words) for each in check_roles(settings)}


def test_each_role_is_tried_where_it_works(vault_directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copyfile(ROOT / "config" / "defaults.toml", vault_directory / "defaults.toml")
    assert told(load_settings(str(vault_directory), {})) == {}
    with made_up_credentials(), aws_cloud(lambda: datetime.now(UTC)) as aws:
        aws.organization(PAYER, {MEMBER: ("member", "m@msp.example")}, email="p@msp.example")
        for number in (PAYER, MEMBER):
            aws.role(number, "Work", trusts=VAULT, external_id="deal-900001")
        aws.role(PAYER, "CentralRoot", trusts=VAULT, external_id="central")
        for name, value in aws.user(VAULT).items():
            monkeypatch.setenv(name.upper(), str(value))
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        chosen = {
            "ROOTVAULT_OFFBOARDING_ROLE": "Work",
            "ROOTVAULT_OFFBOARDING_EXTERNAL_ID": "deal-{ddi}",
            "ROOTVAULT_OFFBOARDING_ENDPOINT": aws.url,
            "ROOTVAULT_KEYLESS_ROLE": "CentralRoot",
            "ROOTVAULT_KEYLESS_EXTERNAL_ID": "central",
            "ROOTVAULT_KEYLESS_ENDPOINT": aws.url,
        }
        settings = load_settings(str(vault_directory), chosen)
        assert told(settings)["role keyless"] == (
            Level.OK, "CentralRoot was tried nowhere: there is no payer that we hold",
        )  # fmt: skip
        clock = HandClock(datetime.now(UTC))
        world = World(open_vault(settings, clock), clock)
        world.held(MEMBER)
        payer, carla = world.account(PAYER, Kind.PAYER), world.people["carla"]
        seed = Secret("JBSWY3DPEHPK3PXP" * 2)
        known = Existing(payer.root_email, Secret("Another-Horse-8-Battery"), seed, attested=True)
        world.vault.custodies.take_in(carla.actor, PAYER, known, carla.otp())
        world.held("444455556666")  # no such role there
        world.close()
        found = told(settings)
        assert found["role offboarding"] == (
            Level.WARN,
            "Work cannot be taken on in 1 of 3 accounts tried: 444455556666 (AccessDenied)",
        )
        assert found["role keyless"] == (Level.OK, "CentralRoot can be taken on in each of 1 accounts tried")
        wrong = load_settings(str(vault_directory), chosen | {"ROOTVAULT_OFFBOARDING_EXTERNAL_ID": "another"})
        assert told(wrong)["role offboarding"][0] is Level.FAIL
    refused = load_settings(str(vault_directory), {"ROOTVAULT_KEYLESS_ROLE": "arn:no"})
    assert told(refused)["roles"][0] is Level.FAIL
