"""Who could have known a credential: from leaves, in doubt counted, ended by a verified later value alone."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.support.desk import NUMBER
from tests.support.world import with_keys
from vault.domain.actor import Role, Scope, ScopeKind, system_actor
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.errors import Invalid, KeysUnavailable, NotFound
from vault.services.reveals import ABANDONED_AFTER, Reveals

if TYPE_CHECKING:
    from datetime import datetime

    from tests.support.desk import Desk
    from tests.support.world import World
    from vault.ports.keys import KeyService
    from vault.services.knowledge import Known


def known(world: World, at: datetime | None = None) -> Known:
    return world.vault.knowledge.of_account(world.human("uma", Role.AUDITOR).actor, NUMBER, at)


def lines(found: Known, kind: str = "password") -> list[tuple[str, int, str, str]]:
    """Give who knew which version how, and what became of it."""
    return [
        (each.who_name, each.version, each.how.value, each.standing.value)
        for each in found.knowers
        if each.kind == kind
    ]


def test_what_existed_before_us_is_known_to_unknown_others_and_to_who_entered_it(desk: Desk) -> None:
    desk.held()
    found = known(desk.world)
    before = [("unknown others", 1, "before_us", "current"), ("carla", 1, "entered", "current")]
    assert sorted(lines(found)) == sorted(before)
    assert sorted(lines(found, "mfa")) == sorted(before)
    assert found.alone == ("carla", "unknown others")
    assert [each.since for each in found.knowers if each.how == "before_us"] == [None, None]


def test_a_disclosure_counts_from_its_entry_until_a_later_value_is_verified(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    shown = desk.world.clock.now()
    rotation = desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    unverified = lines(known(desk.world))
    assert ("alice", 1, "shown", "unverified") in unverified
    assert ("alice", 2, "shown_to_set", "current") in unverified
    desk.world.clock.advance(hours=1)
    desk.vault.attestations.verify(desk.bob.actor, rotation.id, "signed in with it")
    verified = desk.world.clock.now()
    assert lines(known(desk.world)) == [
        ("alice", 2, "shown_to_set", "current"),
        ("bob", 2, "verified", "current"),
    ]
    then = known(desk.world, verified)
    assert ("alice", 1, "shown", "unverified") in lines(then)
    assert then.until < known(desk.world).until
    assert "alice" not in [who for who, *_ in lines(known(desk.world, shown - timedelta(minutes=1)))]
    first = desk.vault.knowledge.of_account(desk.bob.actor, NUMBER, None, PartKind.PASSWORD, 1)
    (alice,) = (each for each in first.knowers if each.who_name == "alice")
    assert alice.since == shown
    assert alice.until is not None
    assert alice.until.type == "rotation.verified"
    assert alice.until.at == verified


def test_what_has_no_outcome_counts_and_what_failed_does_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.held()
    lease = desk.lease(desk.alice)

    def die(_self: Reveals, _authorized: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Reveals, "disclose", die)
        with pytest.raises(KeyboardInterrupt):
            desk.reveal(desk.alice, lease)
    assert ("alice", 1, "in_doubt", "current") in lines(known(desk.world))
    desk.world.clock.advance(seconds=ABANDONED_AFTER.total_seconds() + 1)
    desk.vault.reveals.close_abandoned(system_actor("sweep"))
    assert ("alice", 1, "in_doubt", "current") in lines(known(desk.world))


def test_a_failed_disclosure_makes_nobody_know(desk: Desk, broken_keys: KeyService) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    before = lines(known(desk.world))
    with pytest.raises(KeysUnavailable):
        with_keys(desk.world, broken_keys).vault.reveals.password(desk.alice.actor, lease.id)
    assert lines(known(desk.world)) == before


def test_a_code_is_known_for_its_step_and_gives_no_way_in(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    desk.vault.reveals.code(desk.alice.actor, lease.id)
    assert ("alice", 1, "code", "current") in lines(known(desk.world), "mfa")
    assert "alice" not in known(desk.world).alone


def test_a_person_is_told_what_they_may_know_now(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    desk.reveal(desk.alice, lease)
    desk.reveal(desk.alice, lease)
    uma = desk.world.human("uma", Role.AUDITOR).actor
    found = desk.vault.knowledge.of_person(uma, desk.alice.actor.id)
    assert [(each.account_id, each.knower.version, each.knower.how.value) for each in found.items] == [
        (NUMBER, 1, "shown")
    ]
    rotation = desk.rotate(desk.alice, lease)
    desk.vault.attestations.verify(desk.bob.actor, rotation.id, "signed in with it")
    found = desk.vault.knowledge.of_person(uma, desk.alice.actor.id)
    assert [(each.knower.version, each.knower.how.value) for each in found.items] == [(2, "shown_to_set")]
    assert found.ended == 1
    (mine,) = desk.vault.knowledge.of_person(desk.bob.actor, desk.bob.actor.id).items
    assert (mine.knower.version, mine.knower.how.value) == (2, "verified")
    with pytest.raises(NotFound):
        desk.vault.knowledge.of_person(desk.bob.actor, desk.alice.actor.id)


def test_accounts_out_of_scope_are_absent(world: World) -> None:
    account = world.held()
    mine = world.human("sue", Role.AUDITOR, Scope(ScopeKind.CUSTOMER, account.customer_id)).actor
    other = world.human("eve", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, "999999999999")).actor
    assert world.vault.knowledge.of_account(mine, NUMBER).knowers
    with pytest.raises(NotFound):
        world.vault.knowledge.of_account(other, NUMBER)
    carla = world.human("carla", Role.CUSTODIAN).actor
    assert world.vault.knowledge.of_person(mine, carla.id).items
    for person_id in (carla.id, "00000000-0000-4000-8000-00000000ffff"):
        with pytest.raises(NotFound):
            world.vault.knowledge.of_person(other, person_id)
    with pytest.raises(Invalid):
        world.vault.knowledge.of_account(mine, NUMBER, world.clock.now() + timedelta(seconds=1))


def test_codes_of_other_customers_are_not_counted(desk: Desk) -> None:
    """An auditor of one account is told of codes and values of that account alone."""
    desk.held()
    second = desk.world.held("444455556666").id
    for number in (NUMBER, second):
        lease = desk.world.lease(desk.alice, number)
        desk.reveal(desk.alice, lease)
        desk.vault.reveals.code(desk.alice.actor, lease.id)
        desk.world.clock.advance(minutes=2)
    sue = desk.world.human("sue", Role.AUDITOR, Scope(ScopeKind.ACCOUNT, second)).actor
    found = desk.vault.knowledge.of_person(sue, desk.alice.actor.id)
    assert ({each.account_id for each in found.items}, found.codes) == ({second}, 1)
    whole = desk.vault.knowledge.of_person(desk.alice.actor, desk.alice.actor.id)
    assert ({each.account_id for each in whole.items}, whole.codes) == ({NUMBER, second}, 2)


def test_who_proved_a_device_or_used_what_they_set_is_not_told_as_a_verifier_of_its_key(desk: Desk) -> None:
    desk.held()
    lease = desk.lease(desk.alice)
    rotation = desk.rotate(desk.alice, lease)
    desk.check_in(desk.alice, lease)
    again = desk.lease(desk.alice)
    desk.reveal(desk.alice, again)
    desk.vault.attestations.verify(desk.alice.actor, rotation.id, "used it")
    assert lines(known(desk.world)) == [
        ("alice", 2, "shown_to_set", "current"),
        ("alice", 2, "shown", "current"),
    ]


def test_what_the_log_cannot_tell_is_said_and_never_called_complete(desk: Desk) -> None:
    early = desk.world.clock.now() - timedelta(days=1)
    desk.held()
    found = known(desk.world, early)
    assert not found.complete
    assert "The log tells nothing of this account up to then: unknown others" in found.unknown[0]
    now = known(desk.world)
    assert now.complete
    assert now.unknown == ()


def test_an_account_that_we_do_not_hold_is_known_to_unknown_others(world: World) -> None:
    world.account(NUMBER)
    found = known(world)
    assert not found.complete
    assert [words.partition(" then")[0] for words in found.unknown] == [
        "We did not hold the password",
        "We did not hold the MFA device",
    ]


def test_a_first_value_of_ours_ends_what_others_knew_only_when_verified(world: World) -> None:
    world.account(NUMBER)
    alice, bob = world.human("alice", Role.OPERATOR), world.human("bob", Role.OPERATOR)
    lease = world.lease(alice, NUMBER, "ONBOARD_TAKEOVER")
    rotation = world.vault.rotations.plan(alice.actor, lease.id, PartKind.PASSWORD)
    world.vault.rotations.display(alice.actor, rotation.id)
    world.vault.attestations.attest(alice.actor, rotation.id, Outcome.ACCEPTED)
    assert "Ours was the first password and nobody had verified it" in known(world).unknown[0]
    world.vault.attestations.verify(bob.actor, rotation.id, "signed in with it")
    assert [words for words in known(world).unknown if "password" in words] == []
