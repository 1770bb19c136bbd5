"""A body that does not open: nothing is shown, and the key's call is in the log although it came to nothing (S26)."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.support.events import entries
from vault.crypto.context import Context
from vault.crypto.envelope import decode_wraps
from vault.domain.actor import Role
from vault.domain.credential import PartKind
from vault.errors import Tampered

if TYPE_CHECKING:
    from tests.support.world import World

NUMBER = "111122223333"


def test_a_key_that_was_unwrapped_for_a_damaged_body_is_logged(world: World) -> None:
    world.held(NUMBER)
    with world.vault.units.read() as unit:
        version = unit.versions.current(NUMBER, PartKind.PASSWORD)
        vault_id = unit.vault_id
    assert version is not None
    damaged = replace(version, body=version.body[:-1] + bytes([version.body[-1] ^ 1]))
    context = Context(vault=vault_id, account=NUMBER, kind="password", version=version.number)
    expected = world.vault.keys.unwrap(decode_wraps(version.wraps), context.pairs()).calls
    with pytest.raises(Tampered) as caught:
        world.vault.reveals.sealer.open(vault_id, damaged)
    assert [(call.operation, call.key_id, call.outcome) for call in caught.value.calls] == [
        (call.operation, call.key_id, call.outcome) for call in expected
    ]
    assert all(call.request_id for call in caught.value.calls)


def test_an_honest_reveal_names_the_key_call_in_its_entry(world: World) -> None:
    world.held(NUMBER)
    alice = world.human("alice", Role.OPERATOR)
    lease = world.lease(alice, NUMBER)
    world.vault.reveals.password(alice.actor, lease.id)
    (released,) = entries(world, type="secret.reveal.released")
    assert [call["purpose"] for call in released["kms"]] == ["use"]
    assert all(call["request_id"] for call in released["kms"])
