"""Removal of root credentials killed after each of its commits, and done by two at once: it always ends the same."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from botocore.client import BaseClient

from tests.support.central_root import MEMBER, PAYER, asking_aws, hold_member
from tests.support.replay import check_replay
from vault.adapters.central_root import AwsRootSession
from vault.adapters.db.unit_of_work import SqlUnit
from vault.domain.account import Custody
from vault.domain.actor import Reach, Role
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.keyless import Act, KeylessState
from vault.errors import Conflict, Unavailable, VaultError
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws_cloud import AwsCloud
    from tests.support.world import World

WHY = "nobody signs in as root of this member any more"


class Killed(BaseException):
    """The process ends here."""


def agree(world: World, number: str = MEMBER) -> None:
    carla, ada = world.human("carla", Role.CUSTODIAN), world.human("ada", Role.APPROVER)
    members = world.vault.keyless
    members.look(carla.actor, number)
    made = members.propose(carla.actor, number, Act.REMOVE, WHY, carla.otp())
    world.vault.proposals.confirm(ada.actor, made.id, ada.otp())


def labels(world: World, number: str) -> set[VersionLabel]:
    with world.vault.units.read() as unit:
        return {each.label for kind in PartKind for each in unit.versions.of(number, kind)}


def custody(world: World, number: str) -> Custody:
    with world.vault.units.read() as unit:
        account = unit.accounts.get(number)
    assert account is not None
    return account.custody


def reached(world: World) -> int:
    with world.vault.units.read() as unit:
        wanted = EntryFilter(types=("keyless.reached",))
        return len(unit.log.page(wanted, Reach(everything=True), Slice(200)).items)


def another(world: World, aws: AwsCloud, number: str) -> None:
    """Hold one more member, whose root has everything that a root can have."""
    aws.member(PAYER, number, f"member {number}", f"root+{number}@msp.example")
    root = aws.root(number)
    root.add_device("rv-1", world.clock.now())
    root.add_key()
    root.add_certificate()
    hold_member(world, number)


def test_killed_after_any_commit_it_is_done_again(
    quick_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world, whole = quick_world, SqlUnit.commit
    with asking_aws(world) as aws:
        for last in range(1, 20):
            number = f"{555566660000 + last}"
            another(world, aws, number)
            agree(world, number)
            left = [last]

            def commit(self: SqlUnit, left: list[int] = left) -> None:
                whole(self)
                left[0] -= 1
                if left[0] == 0:
                    raise Killed

            actor = world.people["carla"].actor
            with monkeypatch.context() as patch:
                patch.setattr(SqlUnit, "commit", commit)
                try:
                    world.vault.keyless.carry_out(actor, number)
                except Killed:
                    pass
                else:
                    break
            gone = custody(world, number) is Custody.KEYLESS
            assert labels(world, number) == ({VersionLabel.RETIRED} if gone else {VersionLabel.CURRENT})
            if gone:
                continue
            world.clock.advance(minutes=16)
            assert world.vault.keyless.carry_out(actor, number).account.custody is Custody.KEYLESS
            root = aws.root(number)
            assert (root.password, root.devices, root.keys, root.certificates) == (False, [], [], [])
        assert last > 7
        assert reached(world) == last


def test_two_at_once_end_the_same(world: World) -> None:
    with asking_aws(world) as aws:
        hold_member(world)
        agree(world)
        start, troubles = threading.Barrier(2), []

        def run(actor: Any) -> None:
            start.wait()
            try:
                world.vault.keyless.carry_out(actor, MEMBER)
            except VaultError as error:
                troubles.append(error.code)

        both = [threading.Thread(target=run, args=(world.people[who].actor,)) for who in ("carla", "ada")]
        for each in both:
            each.start()
        for each in both:
            each.join()

        assert (custody(world, MEMBER), reached(world), aws.root(MEMBER).password) == (
            Custody.KEYLESS,
            1,
            False,
        )
        assert set(troubles) <= {"concurrent.change", "proposal.state"}
        assert labels(world, MEMBER) == {VersionLabel.RETIRED}
        check_replay(world)


@pytest.fixture
def aws(quick_world: World) -> Iterator[AwsCloud]:
    with asking_aws(quick_world) as cloud:
        yield cloud


@pytest.fixture
def held(quick_world: World, aws: AwsCloud) -> World:
    hold_member(quick_world)
    return quick_world


def test_whoever_takes_the_account_a_moment_before_the_deletion_stops_it(
    held: World, aws: AwsCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    agree(held)
    olaf, seen = held.human("olaf", Role.OPERATOR), AwsRootSession.look

    def take_it(self: AwsRootSession) -> Any:
        found = seen(self)
        held.lease(olaf, MEMBER, "CRED_ROTATE")
        return found

    monkeypatch.setattr(AwsRootSession, "look", take_it)
    with pytest.raises(Conflict) as refused:
        held.vault.keyless.carry_out(held.people["carla"].actor, MEMBER)
    assert (refused.value.code, aws.root(MEMBER).password) == ("checkout.conflict", True)
    with held.vault.units.read() as unit:
        known = unit.keyless.get(MEMBER)
    assert known is not None
    assert known.state is KeylessState.SEEN


@pytest.mark.parametrize("failure", [ValueError("x"), AttributeError("x")])
def test_an_answer_that_no_parser_reads_is_unavailable(
    held: World, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    honest = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave it out

    def broken(self: Any, operation: str, asked: Any) -> Any:
        if operation == "ListAccessKeys":
            raise failure
        return honest(self, operation, asked)

    monkeypatch.setattr(BaseClient, "_make_api_call", broken)
    with pytest.raises(Unavailable) as stopped:
        held.vault.keyless.look(held.human("carla", Role.CUSTODIAN).actor, MEMBER)
    assert stopped.value.facts["cause"] == "unreadable"
