"""How accounts are given back, as settings say it; what cannot be meant is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from vault.bootstrap.offboarding import open_offboarding
from vault.errors import Refused
from vault.settings import load_settings
from vault.settings.values import DEFAULT_REGIONS

if TYPE_CHECKING:
    from vault.adapters.offboarding.acts import AwsOffboarding


def opened(**settings: str) -> AwsOffboarding | None:
    """Open what these settings say, in a demonstration."""
    environment = {"ROOTVAULT_ENVIRONMENT": "demo", "ROOTVAULT_KEYS_SERVICE": "local"}
    given = {f"ROOTVAULT_{name.upper()}": value for name, value in settings.items()}
    return open_offboarding(load_settings(environment=environment | given))


def test_without_a_role_people_do_it_by_hand() -> None:
    assert opened(inspection_defaults_file="/nowhere/at-all.toml") is None


def test_what_is_ours_is_what_was_applied_and_the_roles_of_the_settings() -> None:
    acts = opened(
        offboarding_role="path/Offboarding",
        offboarding_external_id="deal-{ddi}",
        offboarding_addresses="@msp.example, aws@parent.example",
        inspection_role="Inspection",
        keyless_role="Broker",
    )
    assert acts is not None
    assert (acts.role, acts.external_id) == ("path/Offboarding", "deal-{ddi}")
    ours = acts.ours
    assert ours.roles == ("Rackspace", "CloudHealth-Role", "AWSConfig", "rackspace-dispatcher")
    assert ours.policies == ours.rules == ("rackspace-dispatcher",)
    assert len(ours.topics) == 6
    assert (ours.eyes, ours.regions, ours.rule_region) == (
        ("Inspection", "Broker"),
        DEFAULT_REGIONS,
        "us-east-1",
    )
    for address, is_ours in (
        ("AWS@Parent.example", True),
        ("x@parent.example", False),
        ("Any.One@msp.example", True),
        ("any@sub.msp.example", False),
        ("any@notmsp.example", False),
        ("", False),
    ):
        assert ours.has_address(address) is is_ours


@pytest.mark.parametrize(
    ("settings", "names"),
    [
        ({"offboarding_role": "arn:aws:iam::111122223333:role/x"}, "offboarding.role"),
        ({"offboarding_role": "RackspaceDefaultEC2Role"}, "offboarding.role"),
        ({"offboarding_role": "two words"}, "offboarding.role"),
        ({"offboarding_role": "R", "offboarding_addresses": "msp.example"}, "offboarding.addresses"),
        ({"offboarding_role": "R", "offboarding_addresses": "@example"}, "offboarding.addresses"),
        ({"offboarding_role": "R", "inspection_defaults_file": "nothing.toml"}, "inspection.defaults_file"),
        ({"offboarding_role": "R", "offboarding_endpoint": "http://somewhere.example"}, "endpoint"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(settings: dict[str, str], names: str) -> None:
    with pytest.raises(Refused) as refused:
        opened(**settings)
    assert names in refused.value.detail or refused.value.code == "keys.endpoint"
