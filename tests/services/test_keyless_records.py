"""AWS's own records of our sessions are explained by the entries that name them; others' are not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.services.test_keyless import agree, carry_out, look
from tests.support.central_root import MEMBER, PAYER, asking_aws, hold_member
from tests.support.trails import found_at, root
from vault.domain.account import CUSTODY, CustodyEvent
from vault.domain.actor import Reach, Role, system_actor
from vault.domain.case import CaseFile, CaseKind, Place, PlaceState
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.keyless import Task, TaskSession
from vault.domain.told import changes
from vault.errors import Unavailable
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from tests.support.aws_cloud import AwsCloud
    from tests.support.world import World


@pytest.fixture
def aws(quick_world: World) -> Iterator[AwsCloud]:
    with asking_aws(quick_world) as cloud:
        yield cloud


@pytest.fixture
def world(quick_world: World, aws: AwsCloud) -> World:
    hold_member(quick_world)
    quick_world.human("ada", Role.APPROVER)
    return quick_world


def judged(world: World, directory: Any, records: list[Any]) -> tuple[dict[str, str], int]:
    """Deliver records, let the vault judge them; give what each matched by its name, and open incidents."""
    world.clock.advance(hours=1)
    found_at(world.vault, directory, records, world.clock.now())
    with world.vault.units.read() as unit:
        seen = {each["eventID"]: unit.cloud.get(each["eventID"]) for each in records}
        opened = sum(count.count for count in unit.incidents.open_counts())
    return {each["eventName"]: str(found and found.matched) for each, found in _pairs(records, seen)}, opened


def test_our_sessions_are_explained_by_their_entries(world: World, aws: AwsCloud, tmp_path: Any) -> None:
    look(world)
    agree(world)
    carry_out(world)
    matched, opened = judged(world, tmp_path, aws.state.trail)

    assert {each.split(":")[0] for each in matched.values()} == {"entry"}
    assert (set(matched) >= {"AssumeRoot", "DeleteLoginProfile", "DeactivateMFADevice"}, opened) == (
        True,
        0,
    )


def test_one_whose_answer_was_lost_is_explained_once(world: World, aws: AwsCloud, tmp_path: Any) -> None:
    aws.lose_next("AssumeRoot")
    with pytest.raises(Unavailable):
        look(world)
    aws.client("sts", PAYER).assume_root(
        TargetPrincipal=MEMBER,
        TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"},
    )
    ours, theirs = aws.state.trail
    first, _ = judged(world, tmp_path / "a", [ours])
    second, _ = judged(world, tmp_path / "b", [theirs])

    assert (first["AssumeRoot"].split(":")[0], second["AssumeRoot"]) == ("entry", "noted")


def test_a_row_that_claims_a_session_explains_nothing(world: World, aws: AwsCloud, tmp_path: Any) -> None:
    look(world)
    aws.state.trail.clear()
    given = aws.client("sts", PAYER).assume_root(
        TargetPrincipal=MEMBER,
        TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMAuditRootUserCredentials"},
    )
    with world.vault.units.write() as unit:
        told = EntryFilter(types=("keyless.session.opened",))
        entry = unit.log.page(told, Reach(everything=True), Slice(1)).items[0].index
        forged = given["Credentials"]["AccessKeyId"]
        unit.keyless.ask(TaskSession(new_id(), MEMBER, PAYER, Task.AUDIT, world.clock.now(), entry, forged))
        unit.commit()
    matched, _ = judged(world, tmp_path, aws.state.trail)

    assert matched["AssumeRoot"] == "noted"


def test_anothers_session_on_a_member_without_credentials_is_an_incident(
    world: World, aws: AwsCloud, tmp_path: Any
) -> None:
    look(world)
    agree(world)
    carry_out(world)
    aws.state.trail.clear()
    world.clock.advance(hours=1)
    aws.client("sts", PAYER).assume_root(
        TargetPrincipal=MEMBER,
        TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword"},
    )
    matched, opened = judged(world, tmp_path, aws.state.trail)

    assert (matched["AssumeRoot"].split(":")[0], opened) == ("incident", 1)


def test_anothers_session_on_one_that_is_handed_over_without_credentials_is_one_too(
    world: World, aws: AwsCloud, tmp_path: Any
) -> None:
    look(world)
    agree(world)
    carry_out(world)
    in_transfer(world)
    aws.state.trail.clear()
    world.clock.advance(hours=1)
    aws.client("sts", PAYER).assume_root(
        TargetPrincipal=MEMBER,
        TaskPolicyArn={"arn": "arn:aws:iam::aws:policy/root-task/IAMCreateRootUserPassword"},
    )
    stranger = root(MEMBER, world.clock.now())
    matched, opened = judged(world, tmp_path, [*aws.state.trail, stranger])

    assert {each.split(":")[0] for each in matched.values()} == {"incident"}
    assert (set(matched), opened) == ({"AssumeRoot", "ConsoleLogin"}, 2)


def in_transfer(world: World) -> None:
    """Put a member without root credentials into a handover that began, by the back door and told."""
    now, case_id = world.clock.now(), new_id()
    with world.vault.units.write() as unit:
        account = unit.accounts.lock(MEMBER)
        assert account is not None
        moved = replace(account, custody=CUSTODY.transitions[account.custody, CustodyEvent.HANDOVER_STARTED])
        unit.accounts.update(moved)
        case = CaseFile(
            case_id, CaseKind.HANDOVER, account.customer_id, "T-1", "in_progress", "test", now, now
        )
        place = Place(case_id, MEMBER, 0, PlaceState.IN_PROGRESS, now, now, account.custody.value)
        unit.cases.add(case, (place,))
        told = (*changes(account, moved), *changes(None, case), *changes(None, place))
        event = Event(EventType.CASE_CHANGED, system_actor("test"), account_id=MEMBER, changes=told)
        unit.log.record(event, now)
        unit.commit()


def _pairs(records: list[Any], seen: dict[str, Any]) -> list[tuple[Any, Any]]:
    return [(each, seen[each["eventID"]]) for each in records]
