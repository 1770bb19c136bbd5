"""Rotations of devices, and what is no proof of them although root signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, Desk
from tests.support.trails import found_at, root
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.rotation import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World


@pytest.mark.parametrize(("waited", "verified"), [(5, 0), (130, 1)])
def test_a_code_of_the_old_device_taken_just_before_the_attestation_leaves_nothing_proven(
    quick_world: World, tmp_path: Path, waited: int, verified: int
) -> None:
    """Whoever says at once that AWS took the new device, and signs in by the old one's code, is not believed."""
    desk, clock = Desk(quick_world, AwsConsole(tmp_path / "aws.json")).held(), quick_world.clock
    lease = desk.lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, PartKind.MFA)
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    clock.advance(seconds=90)
    desk.vault.reveals.code(desk.alice.actor, lease.id)
    clock.advance(seconds=2)
    desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    desk.vault.reveals.code(desk.alice.actor, lease.id)
    clock.advance(seconds=waited)
    found_at(desk.vault, tmp_path / "trail", [root(NUMBER, clock.now())], clock.now())
    clock.advance(minutes=20)
    assert desk.vault.proving.once().verified == verified
    old = VersionLabel.RETIRED if verified else VersionLabel.PREVIOUS
    assert desk.labels(PartKind.MFA) == [old, VersionLabel.CURRENT]
