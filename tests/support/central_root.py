"""A vault that may ask an Organization about its members' root users, over HTTP at the tests' AWS."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final
from unittest import mock

from tests.support.aws_cloud import AwsCloud, aws_cloud
from vault.adapters.central_root import AwsCentralRoot
from vault.crypto import totp
from vault.domain.account import Kind
from vault.domain.actor import Role
from vault.domain.secret import Secret
from vault.services.custody import Existing

if TYPE_CHECKING:
    from tests.support.world import World

VAULT: Final = "123456789012"
PAYER: Final = "999988887777"
MEMBER: Final = "111122223333"


@contextlib.contextmanager
def asking_aws(world: World) -> Iterator[AwsCloud]:
    """Serve AWS with an Organization of a payer, which is registered, and a member with a password and a device."""
    with aws_cloud(world.clock.now) as cloud:
        cloud.organization(PAYER, {MEMBER: ("Shop", "shop@msp.example")}, root_access=True)
        cloud.role(PAYER, "Broker", trusts=VAULT, external_id="our-deal")
        cloud.root(MEMBER).add_device("rv-1", world.clock.now())
        keys = {name.upper(): str(value) for name, value in cloud.user(VAULT).items()}
        central = AwsCentralRoot("Broker", "our-deal", "eu-central-1", cloud.url)
        world.account(PAYER, Kind.PAYER)
        # the vault was composed before there was an AWS to name
        object.__setattr__(world.vault.keyless, "central", central)
        with mock.patch.dict(os.environ, keys):
            yield cloud


def hold_member(world: World, number: str = MEMBER) -> None:
    """Take a member into custody."""
    account = world.account(number, Kind.MEMBER)
    carla = world.human("carla", Role.CUSTODIAN)
    values = Existing(
        account.root_email, Secret("Correct-Horse-7-Battery"), totp.generate_seed().secret, attested=True
    )
    world.vault.custodies.take_in(carla.actor, number, values, carla.otp())
