"""What pages say of a value's proof: that it waits, that it waits too long, and what proved it, when and whence."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.support.trails import found_at, root
from tests.web.ui.test_views import NUMBER, Browser, operator
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.people import House

__all__ = ["operator"]


def test_pages_tell_what_was_verified_how(operator: Browser, house: House, tmp_path: Path) -> None:
    world = house.world
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, NUMBER, "CRED_ROTATE")
    rotation = world.vault.rotations.plan(alice.actor, lease.id, PartKind.PASSWORD)
    world.vault.rotations.display(alice.actor, rotation.id)
    at = world.clock.now()
    world.vault.attestations.attest(alice.actor, rotation.id, Outcome.ACCEPTED)
    world.vault.checkouts.check_in(alice.actor, lease.id)
    pages = (f"/accounts/{NUMBER}", f"/rotations/{rotation.id}")
    for page in pages:
        text = operator.get(page).text
        assert "is said to be at AWS since" in text
        assert "It waits too long" not in text
    world.clock.at += timedelta(days=8)
    world.vault.proving.once()
    again = Browser(operator.client.application, operator.member)
    for page in pages:
        assert "It waits too long for its proof." in again.get(page).text
    record = root(NUMBER, at, "PasswordUpdated")
    found_at(world.vault, tmp_path / "trail", [record], at)
    assert world.vault.proving.once().verified == 1
    for page in pages:
        text = again.get(page).text
        assert "by AWS&#39;s own records" in text
        for words in ("CloudTrail", "PasswordUpdated", f"{at:%Y-%m-%d %H:%M:%S} UTC", record["eventID"]):
            assert words in text
        assert "is said to be at AWS since" not in text
