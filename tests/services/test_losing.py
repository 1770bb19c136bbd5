"""AWS takes none of what the vault holds: said under a lease once all was tried, and led back by the mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, PASSWORD, Desk
from tests.support.events import newest
from vault.domain.credential import PartKind, PartState
from vault.domain.reason import Situation
from vault.domain.rotation import Outcome
from vault.errors import Forbidden

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.world import World


@pytest.fixture
def quick_desk(quick_world: World, tmp_path: Path) -> Desk:
    return Desk(quick_world, AwsConsole(tmp_path / "aws.json")).held()


def lost(desk: Desk, lease_id: str, kind: PartKind = PartKind.PASSWORD) -> None:
    desk.vault.losing.none_works(desk.alice.actor, lease_id, kind)


def test_what_was_set_behind_our_back_is_said_and_everything_sealed_may_be_tried(quick_desk: Desk) -> None:
    """An older value was put back at AWS by somebody who knew it: it is found, though it was retired."""
    desk = quick_desk
    lease = desk.lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    desk.vault.attestations.verify(desk.bob.actor, rotation.id, "signed in with it")
    desk.console.reset_password(PASSWORD)
    lease = desk.lease(desk.alice)
    assert desk.reveal(desk.alice, lease) != desk.console.password
    lost(desk, lease.id)
    assert desk.part() is PartState.LOST
    (told,) = newest(desk.world, "credential.lost")
    assert told["detail"] == {"part": "password"}
    assert desk.reveal(desk.alice, lease, 1) == desk.console.password
    again = desk.plan(desk.alice, lease)
    assert again.recovering
    desk.console.reset_password(desk.show(desk.alice, again))
    desk.attest(desk.alice, again, Outcome.ACCEPTED)
    desk.check_in(desk.alice, lease)
    assert desk.part() is PartState.HELD


def test_it_is_not_said_before_all_was_tried(quick_desk: Desk) -> None:
    desk = quick_desk
    lease = desk.lease(desk.alice)
    with desk.refused("rotation.state"):
        lost(desk, lease.id)
    desk.rotate(desk.alice, lease)
    desk.reveal(desk.alice, lease)
    with pytest.raises(Exception, match="Try version 1 first"):
        lost(desk, lease.id)  # the one before is not proven dead yet
    desk.reveal(desk.alice, lease, 1)
    lost(desk, lease.id)
    with desk.refused("rotation.state"):
        lost(desk, lease.id)


def test_only_the_holder_of_the_running_lease_says_it(quick_desk: Desk) -> None:
    desk = quick_desk
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    with desk.refused("policy.denied", Forbidden):
        desk.vault.losing.none_works(desk.bob.actor, lease.id, PartKind.PASSWORD)
    desk.check_in(desk.alice, lease)
    with desk.refused("checkout.state"):
        lost(desk, lease.id)
    assert desk.part() is PartState.HELD


def test_a_device_that_gives_wrong_codes_is_lost_by_itself(quick_desk: Desk) -> None:
    desk = quick_desk
    lease = desk.lease(desk.alice)
    desk.vault.reveals.code(desk.alice.actor, lease.id)
    lost(desk, lease.id, PartKind.MFA)
    desk.check_in(desk.alice, lease)
    assert (desk.part(PartKind.MFA), desk.part()) == (PartState.LOST, PartState.HELD)
    view = desk.vault.accounts.get(desk.alice.actor, NUMBER)
    assert view.situation is Situation.UNKNOWN
