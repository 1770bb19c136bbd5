"""MFA devices that may still be enrolled at AWS: which count, who says that one is gone, and that it is said once."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from sqlalchemy import text

from tests.support.desk import NUMBER
from tests.support.events import types
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.device import LIMIT, device_name
from vault.domain.rotation import Outcome
from vault.errors import Forbidden, NotFound, VaultError

if TYPE_CHECKING:
    from tests.support.desk import Desk
    from vault.adapters.db.unit_of_work import SqlUnit
    from vault.domain.checkout import Checkout


def replaced(desk: Desk) -> Checkout:
    """Add a second device under Alice's lease; AWS took it."""
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    return lease


def old(desk: Desk) -> list[int]:
    """Name the devices that are to be taken off."""
    return [each.version for each in desk.vault.devices.of(desk.alice.actor, NUMBER) if each.is_old]


def test_a_replaced_device_is_remembered_until_its_removal_is_said_once(desk: Desk) -> None:
    replaced(desk)
    new, before = desk.vault.devices.of(desk.alice.actor, NUMBER)
    assert (new.version, new.name, new.in_use, new.is_old) == (2, device_name(2), True, False)
    assert (before.name, before.is_old) == ("", True)
    assert desk.vault.devices.removed(desk.alice.actor, NUMBER, 1).removed_by == desk.alice.actor.id
    assert types(desk.world, NUMBER)[-1] == "device.removed"
    assert old(desk) == []
    with desk.refused("device.state"):
        desk.vault.devices.removed(desk.alice.actor, NUMBER, 1)
    # nothing follows for the seed: it opens for as long as the new one is not proven
    assert desk.labels(PartKind.MFA) == [VersionLabel.PREVIOUS, VersionLabel.CURRENT]
    set_again = text("UPDATE version SET device_removed_by = 'x' WHERE device_removed_at IS NOT NULL")
    with desk.vault.units.write() as unit, pytest.raises(VaultError) as refused:
        cast("SqlUnit", unit).versions.db.change(set_again)
    assert refused.value.facts["rule"] == "version_device_removed_once"


def test_what_counts_follows_what_aws_did(desk: Desk) -> None:
    lease = desk.held().lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    assert [each.version for each in desk.vault.devices.of(desk.alice.actor, NUMBER)] == [1]
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    waiting = desk.vault.devices.of(desk.alice.actor, NUMBER)[0]
    assert (waiting.version, waiting.surely, waiting.is_old) == (2, False, False)
    with desk.refused("device.state"):
        desk.vault.devices.removed(desk.alice.actor, NUMBER, 2)
    desk.attest(desk.alice, rotation, Outcome.REFUSED)
    assert [each.version for each in desk.vault.devices.of(desk.alice.actor, NUMBER)] == [1]


def test_only_the_leases_holder_says_it_and_never_of_the_device_in_use(desk: Desk) -> None:
    lease = replaced(desk)
    with desk.refused("device.state"):
        desk.vault.devices.removed(desk.alice.actor, NUMBER, 2)
    with desk.refused("version.absent", NotFound):
        desk.vault.devices.removed(desk.alice.actor, NUMBER, 9)
    with desk.refused("policy.denied", Forbidden):
        desk.vault.devices.removed(desk.bob.actor, NUMBER, 1)
    desk.check_in(desk.alice, lease)
    with desk.refused("policy.denied", Forbidden):
        desk.vault.devices.removed(desk.alice.actor, NUMBER, 1)
    assert old(desk) == [1]
    # whoever has the account next goes on
    desk.lease(desk.bob)
    desk.vault.devices.removed(desk.bob.actor, NUMBER, 1)
    assert old(desk) == []
    assert LIMIT == 8
