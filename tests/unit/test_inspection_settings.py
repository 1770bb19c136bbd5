"""How accounts are looked at, as settings and the file of defaults say it; what cannot be meant is refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.support.repository import ROOT
from vault.bootstrap.inspection import NOTHING, open_inspection
from vault.domain.hygiene import Wanted
from vault.domain.inspection import Contact
from vault.errors import Refused
from vault.settings import load_settings
from vault.settings.values import DEFAULT_REGIONS

if TYPE_CHECKING:
    from pathlib import Path

    from vault.adapters.inspection.role import RoleInspector

SHIPPED = ROOT / "config" / "defaults.toml"


def opened(**settings: str) -> tuple[RoleInspector | None, Wanted]:
    """Open what these settings say, in a demonstration."""
    environment = {"ROOTVAULT_ENVIRONMENT": "demo", "ROOTVAULT_KEYS_SERVICE": "local"}
    given = {f"ROOTVAULT_INSPECTION_{name.upper()}": value for name, value in settings.items()}
    return open_inspection(load_settings(environment=environment | given))


def test_without_a_role_nothing_is_looked_at_and_no_file_is_read() -> None:
    assert opened(defaults_file="/nowhere/at-all.toml") == (None, NOTHING)


def test_the_shipped_defaults_are_those_that_were_applied() -> None:
    inspector, wanted = opened(role="RootVaultInspection", external_id="deal-{ddi}")
    assert inspector is not None
    assert (inspector.role, inspector.external_id) == ("RootVaultInspection", "deal-{ddi}")
    assert (wanted.policy.length, wanted.policy.remembers) == (12, 24)
    assert wanted.policy.upper
    assert wanted.policy.symbol
    assert wanted.contacts == {Contact.SECURITY}
    assert wanted.roles == ("Rackspace", "CloudHealth-Role", "AWSConfig", "rackspace-dispatcher")
    assert wanted.policies == wanted.rules == ("rackspace-dispatcher",)
    assert wanted.buckets == ("{uuid}-logs", "rackspace-{uuid}")
    assert (wanted.rule_region, wanted.bucket_region) == ("us-east-1", "us-west-2")
    assert (len(wanted.topics), wanted.regions) == (6, DEFAULT_REGIONS)
    assert wanted.digest == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()
    assert len(set(wanted.names())) == 4 + 1 + 1 + 2 + 6 * len(DEFAULT_REGIONS)


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"role": "arn:aws:iam::111122223333:role/x"}, "inspection.role"),
        ({"role": "two words"}, "inspection.role"),
        ({"role": "Rackspace", "regions": "us-east-1,moon"}, "inspection.regions"),
        ({"role": "Rackspace", "defaults_file": "nothing.toml"}, "inspection.defaults_file"),
        ({"role": "Rackspace", "endpoint": "http://somewhere.example"}, "endpoint"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, str], names: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(**settings)
    assert names in refused.value.detail or refused.value.code == "keys.endpoint"


@pytest.mark.parametrize(
    "text",
    [
        "[unknown]\nx = 1",
        "[iam]\nrole = ['Rackspace']",
        "iam = 3",
        "[iam]\nroles = 'Rackspace'",
        "[iam]\nroles = ['../x y']",
        "[contacts]\nneeded = ['everybody']",
        "[password_policy]\nlength = -1",
        "[password_policy]\nlength = true",
        "[password_policy]\nupper = 'yes'",
        "[rules]\nregion = 'here'",
        "not toml",
    ],
)
def test_a_file_of_defaults_that_cannot_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "defaults.toml"
    path.write_text(text)
    with pytest.raises(Refused) as refused:
        opened(role="Rackspace", defaults_file=str(path))
    assert "inspection.defaults_file" in refused.value.detail
