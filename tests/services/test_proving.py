"""Rotations that AWS's own records prove, through files of CloudTrail and its event history; and those they do not."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.console import AwsConsole
from tests.support.desk import NUMBER, Desk
from tests.support.events import entries, newest
from tests.support.moto_cloudtrail import event_history
from tests.support.moto_kms import loopback_kms, made_up_credentials
from tests.support.trails import found_at, root
from vault.adapters.cloudtrail.lookup import Lookup
from vault.domain.actor import Reach, Role, system_actor
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.event import Event, EventType
from vault.domain.ids import new_id
from vault.domain.inspection import Known, Reason, ReportRow, Unknown, unseen
from vault.domain.rotation import Evidence, Outcome, Rotation, RotationState
from vault.domain.told import changes
from vault.ports.proofs import UnverifiedFilter
from vault.ports.store import Slice
from vault.services.contradicting import contradicted

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.support.world import World

EVERYTHING = Reach(everything=True)
OTHER = "777788889999"


@pytest.fixture
def quick_desk(quick_world: World, tmp_path: Path) -> Desk:
    """Lend a desk on SQLite alone, with an account in custody."""
    return Desk(quick_world, AwsConsole(tmp_path / "aws.json")).held()


def rotated(desk: Desk, kind: PartKind = PartKind.PASSWORD) -> tuple[Rotation, datetime]:
    """Rotate a part in two minutes and check in; give the rotation and when AWS took the value."""
    lease = desk.lease(desk.alice)
    rotation = desk.plan(desk.alice, lease, kind)
    desk.vault.rotations.display(desk.alice.actor, rotation.id)
    desk.world.clock.advance(seconds=60)
    at = desk.world.clock.now()
    desk.world.clock.advance(seconds=60)
    accepted = desk.attest(desk.alice, rotation, Outcome.ACCEPTED)
    desk.check_in(desk.alice, lease)
    return accepted, at


def enabled(at: datetime, name: str = "EnableMFADevice", version: int = 2, **more: Any) -> dict[str, Any]:
    """Make the record of a device that root added or took off."""
    serial = f"arn:aws:iam::{NUMBER}:mfa/rv-{version}"
    asked = {"userName": "AWS ROOT USER", "serialNumber": serial}
    own = {"eventSource": "iam.amazonaws.com", "eventType": "AwsApiCall", "requestParameters": asked}
    return root(NUMBER, at, name, **{**own, **more})


def delivered(desk: Desk, folder: Path, *records: object) -> int:
    """Let CloudTrail deliver a file, wait until all has settled, and let the worker look; give what it verified."""
    found_at(desk.vault, folder, records, desk.world.clock.now())
    desk.world.clock.advance(minutes=20)
    return desk.vault.proving.once().verified


def test_a_password_updated_in_time_verifies_and_retires_what_was_before(
    quick_desk: Desk, tmp_path: Path
) -> None:
    rotation, at = rotated(quick_desk)
    record = root(NUMBER, at, "PasswordUpdated")
    assert delivered(quick_desk, tmp_path / "trail", record) == 1
    after = quick_desk.vault.views.rotation(quick_desk.alice.actor, rotation.id).rotation
    assert (after.state, after.evidence) == (RotationState.VERIFIED, Evidence.AWS_RECORD)
    assert after.verified_by == "system:evidence"
    assert quick_desk.labels() == [VersionLabel.RETIRED, VersionLabel.CURRENT]
    (told,) = newest(quick_desk.world, "rotation.verified")
    assert told["actor"]["kind"] == "system"
    detail = told["detail"]
    assert (detail["evidence"], detail["source"], detail["rule"]) == ("aws_record", "cloudtrail", "changed")
    assert detail["observed"] == record["eventID"]
    assert record["eventID"] in detail["note"]
    assert f"PasswordUpdated at {at:%Y-%m-%d %H:%M:%S} UTC" in (after.evidence_note or "")
    assert quick_desk.vault.proving.once() == replace(quick_desk.vault.proving.once(), verified=0)


def test_a_record_makes_nobody_a_knower(quick_desk: Desk, tmp_path: Path) -> None:
    _, at = rotated(quick_desk)
    delivered(quick_desk, tmp_path / "trail", root(NUMBER, at, "PasswordUpdated"))
    auditor = quick_desk.world.human("uma", Role.AUDITOR).actor
    found = quick_desk.vault.knowledge.of_account(auditor, NUMBER, None, PartKind.PASSWORD, 2)
    assert [(each.how.value, each.who_name) for each in found.knowers] == [("shown_to_set", "alice")]


def test_an_enabled_device_verifies_and_the_old_one_may_go_in_the_same_lease(
    quick_desk: Desk, tmp_path: Path
) -> None:
    rotation, at = rotated(quick_desk, PartKind.MFA)
    old = enabled(at + timedelta(seconds=80), "DeactivateMFADevice", version=1)
    assert delivered(quick_desk, tmp_path / "trail", enabled(at), old) == 1
    assert quick_desk.state(rotation) is RotationState.VERIFIED
    with quick_desk.vault.units.read() as unit:
        assert contradicted(unit, EVERYTHING) == {}


def test_what_proves_nothing_leaves_it_waiting(quick_desk: Desk, tmp_path: Path) -> None:
    rotation, at = rotated(quick_desk)
    late, early = at + timedelta(minutes=3), at - timedelta(minutes=2)
    forged = root(NUMBER, at, "PasswordUpdated")
    forged["userIdentity"] = root(OTHER, at)["userIdentity"]
    records = (
        root(OTHER, at, "PasswordUpdated"),
        forged,
        root(NUMBER, early, "PasswordUpdated"),
        root(NUMBER, late, "PasswordUpdated"),
        root(NUMBER, at, "PasswordUpdated", responseElements={"PasswordUpdated": "Failure"}),
        root(NUMBER, at, "PasswordUpdated", eventType="AwsServiceEvent"),
    )
    assert delivered(quick_desk, tmp_path / "trail", *records) == 0
    assert quick_desk.state(rotation) is RotationState.ACCEPTED
    assert quick_desk.labels() == [VersionLabel.PREVIOUS, VersionLabel.CURRENT]


def test_two_changes_in_time_prove_nothing_and_one_told_twice_does(quick_desk: Desk, tmp_path: Path) -> None:
    _, at = rotated(quick_desk)
    change = root(NUMBER, at, "PasswordUpdated")
    second = root(NUMBER, at + timedelta(seconds=9), "PasswordUpdated")
    assert delivered(quick_desk, tmp_path / "trail", change, second) == 0
    _, again = rotated(quick_desk)
    twice = root(NUMBER, again, "PasswordUpdated")
    assert delivered(quick_desk, tmp_path / "trail", twice, twice) == 1
    assert quick_desk.vault.proving.count().count == 0


def test_a_record_that_comes_late_counts_by_when_it_happened(quick_desk: Desk, tmp_path: Path) -> None:
    rotation, at = rotated(quick_desk)
    quick_desk.world.clock.advance(days=40)
    late = root(NUMBER, at, "PasswordUpdated", addendum={"reason": "DELIVERY_DELAY"})
    assert delivered(quick_desk, tmp_path / "trail", late) == 1
    assert quick_desk.state(rotation) is RotationState.VERIFIED


def test_nothing_is_verified_before_a_second_change_could_have_come(quick_desk: Desk, tmp_path: Path) -> None:
    _, at = rotated(quick_desk)
    found_at(quick_desk.vault, tmp_path / "trail", [root(NUMBER, at, "PasswordUpdated")], at)
    assert quick_desk.vault.proving.once().verified == 0
    quick_desk.world.clock.advance(minutes=17)
    assert quick_desk.vault.proving.once().verified == 1


@pytest.mark.parametrize(
    ("older_too", "mfa", "verified"), [(False, "YES", 1), (True, "YES", 0), (False, "No", 0)]
)
def test_a_sign_in_under_a_later_lease_verifies_the_value_that_alone_was_given_out(
    quick_desk: Desk, tmp_path: Path, older_too: bool, mfa: str, verified: int
) -> None:
    rotation, _ = rotated(quick_desk)
    lease = quick_desk.lease(quick_desk.bob)
    quick_desk.reveal(quick_desk.bob, lease)
    if older_too:
        quick_desk.reveal(quick_desk.bob, lease, VersionLabel.PREVIOUS)
    quick_desk.world.clock.advance(seconds=40)
    record = root(NUMBER, quick_desk.world.clock.now(), additionalEventData={"MFAUsed": mfa})
    assert delivered(quick_desk, tmp_path / "trail", record) == verified
    assert (quick_desk.state(rotation) is RotationState.VERIFIED) is bool(verified)


def test_a_proof_of_a_later_value_is_one_of_those_before_it(quick_desk: Desk, tmp_path: Path) -> None:
    first, _ = rotated(quick_desk)
    second, at = rotated(quick_desk)
    assert delivered(quick_desk, tmp_path / "trail", root(NUMBER, at, "PasswordUpdated")) == 1
    assert {quick_desk.state(each) for each in (first, second)} == {RotationState.VERIFIED}
    assert quick_desk.labels() == [VersionLabel.RETIRED, VersionLabel.RETIRED, VersionLabel.CURRENT]


def test_event_history_proves_as_files_do(quick_desk: Desk) -> None:
    rotation, at = rotated(quick_desk)
    desk = quick_desk
    with made_up_credentials(), loopback_kms() as url, event_history(desk.world.clock.now) as history:
        history.put(root(NUMBER, at, "PasswordUpdated"))
        source = Lookup("us-east-1", endpoint=url, sleep=lambda _: None)
        desk.world.clock.advance(minutes=20)
        counts = replace(desk.vault.reconciliation, sources=(source,)).once()
    assert counts.new == 1
    assert desk.vault.proving.once().verified == 1
    assert desk.state(rotation) is RotationState.VERIFIED


def test_many_workers_verify_once(desk: Desk, tmp_path: Path) -> None:
    desk.held()
    _, at = rotated(desk)
    found_at(desk.vault, tmp_path / "trail", [root(NUMBER, at, "PasswordUpdated")], at)
    desk.world.clock.advance(days=8)
    with ThreadPoolExecutor(4) as pool:
        passes = [each.result(60) for each in [pool.submit(desk.vault.proving.once) for _ in range(4)]]
    assert sum(each.verified for each in passes) == 1
    assert len(newest(desk.world, "rotation.verified")) == 1
    assert newest(desk.world, "rotation.unverified") == []
    strange = root(NUMBER, desk.world.clock.now(), "PasswordUpdated")
    found_at(desk.vault, tmp_path / "trail", [strange], desk.world.clock.now())
    with desk.vault.units.read() as unit:
        assert set(contradicted(unit, EVERYTHING)) == {(NUMBER, PartKind.PASSWORD)}


def test_what_waits_too_long_is_told_of_once_by_any_number_of_workers(desk: Desk) -> None:
    desk.held()
    rotation, _ = rotated(desk)
    desk.world.clock.advance(days=6)
    assert desk.vault.proving.once().overdue == 0
    assert not desk.vault.proving.page(desk.alice.actor, UnverifiedFilter(), Slice()).items[0].is_overdue
    desk.world.clock.advance(days=2)
    with ThreadPoolExecutor(4) as pool:
        passes = [each.result(60) for each in [pool.submit(desk.vault.proving.once) for _ in range(4)]]
    assert sum(each.overdue for each in passes) == 1
    (told,) = newest(desk.world, "rotation.unverified")
    assert told["detail"]["rotation"] == rotation.id
    assert (told["account"]["id"], told["outcome"]) == (NUMBER, "unknown")
    count = desk.vault.proving.count()
    assert (count.count, count.overdue, count.oldest) == (1, 1, rotation.attested_at)
    desk.vault.attestations.verify(desk.bob.actor, rotation.id, "signed in with it")
    assert desk.vault.proving.count().count == 0
    assert desk.vault.proving.page(desk.alice.actor, UnverifiedFilter(), Slice()).items == ()


def test_whom_it_concerns_gets_a_notice_of_it(quick_desk: Desk) -> None:
    rotated(quick_desk)
    uma = quick_desk.world.human("uma", Role.AUDITOR)
    quick_desk.world.clock.advance(days=8)
    quick_desk.vault.proving.once()
    quick_desk.vault.telling.once()
    for who in (quick_desk.alice.actor, uma.actor):
        titles = [each.title for each in quick_desk.vault.notices.inbox(who, Slice()).items]
        words = f"A new value of {NUMBER} waits too long for somebody or something to prove it"
        assert words in titles


def test_the_list_is_of_ones_own_scope_and_narrows(quick_desk: Desk) -> None:
    rotation, _ = rotated(quick_desk)
    device, _ = rotated(quick_desk, PartKind.MFA)
    vault, alice = quick_desk.vault, quick_desk.alice.actor

    def listed(**wanted: Any) -> list[str]:
        page = vault.proving.page(alice, UnverifiedFilter(**wanted), Slice(1))
        found = [each.rotation.id for each in page.items]
        while page.next is not None:
            page = vault.proving.page(alice, UnverifiedFilter(**wanted), Slice(1, page.next))
            found += [each.rotation.id for each in page.items]
        return found

    assert listed() == [rotation.id, device.id]
    assert listed(kind=PartKind.MFA) == [device.id]
    assert listed(account_id=OTHER) == []
    assert listed(customer_id="nobody") == []
    assert listed(before=device.attested_at) == [rotation.id]
    nobody = replace(alice, powers=())
    assert vault.proving.page(nobody, UnverifiedFilter(), Slice()).items == ()


def test_a_change_that_nobody_here_made_puts_a_part_out_of_sync_until_it_is_rotated(
    quick_desk: Desk, tmp_path: Path
) -> None:
    _, at = rotated(quick_desk)
    delivered(quick_desk, tmp_path / "trail", root(NUMBER, at, "PasswordUpdated"))
    strange = quick_desk.world.clock.now()
    records = (
        root(NUMBER, strange, "PasswordRecoveryCompleted"),
        enabled(strange, "DeactivateMFADevice", version=1),
        root(OTHER, strange, "PasswordUpdated"),
    )
    delivered(quick_desk, tmp_path / "trail", *records)
    with quick_desk.vault.units.read() as unit:
        for accounts in (EVERYTHING, (NUMBER, OTHER)):
            found = contradicted(unit, accounts)
            assert set(found) == {(NUMBER, PartKind.PASSWORD), (NUMBER, PartKind.MFA)}
        assert contradicted(unit, Reach()) == contradicted(unit, ()) == {}
    quick_desk.world.clock.advance(minutes=5)
    rotated(quick_desk)
    with quick_desk.vault.units.read() as unit:
        assert set(contradicted(unit, EVERYTHING)) == {(NUMBER, PartKind.MFA)}


def test_a_rotation_that_was_said_to_be_refused_is_contradicted_by_a_change(
    quick_desk: Desk, tmp_path: Path
) -> None:
    lease = quick_desk.lease(quick_desk.alice)
    rotation = quick_desk.plan(quick_desk.alice, lease)
    quick_desk.show(quick_desk.alice, rotation)
    quick_desk.world.clock.advance(seconds=60)
    at = quick_desk.world.clock.now()
    found_at(quick_desk.vault, tmp_path / "trail", [root(NUMBER, at, "PasswordUpdated")], at)
    with quick_desk.vault.units.read() as unit:
        assert contradicted(unit, EVERYTHING) == {}
    quick_desk.attest(quick_desk.alice, rotation, Outcome.REFUSED)
    with quick_desk.vault.units.read() as unit:
        assert set(contradicted(unit, EVERYTHING)) == {(NUMBER, PartKind.PASSWORD)}


# --- seen through the role


def seen(desk: Desk, mfa: bool | None = None, used: datetime | None = None) -> None:
    """Keep an inspection that saw this of root, and nothing else."""
    now = desk.world.clock.now()
    blank = unseen(new_id(), NUMBER, now, Unknown(Reason.DENIED, "AccessDenied"))
    report = blank.report if used is None else Known(ReportRow(now, True, used, None))
    summary = blank.root_mfa if mfa is None else Known(mfa)
    with desk.vault.units.write() as unit:
        found = replace(blank, root_mfa=summary, report=report)
        unit.inspections.add(found)
        who, told = system_actor("inspection"), changes(None, found)
        unit.log.record(Event(EventType.INSPECTION_DONE, who, account_id=NUMBER, changes=told), now)
        unit.commit()


@pytest.mark.parametrize(
    ("before", "after", "verified"), [(False, True, 1), (True, True, 0), (False, None, 0), (None, True, 0)]
)
def test_mfa_that_appeared_proves_a_device_where_there_was_none(
    quick_desk: Desk, before: bool | None, after: bool | None, verified: int
) -> None:
    seen(quick_desk, before)
    quick_desk.world.clock.advance(hours=1)
    password, _ = rotated(quick_desk)
    device, _ = rotated(quick_desk, PartKind.MFA)
    quick_desk.world.clock.advance(hours=1)
    seen(quick_desk, after)
    assert quick_desk.vault.proving.once().verified == 0
    quick_desk.world.clock.advance(minutes=20)
    assert quick_desk.vault.proving.once().verified == verified
    assert quick_desk.state(password) is RotationState.ACCEPTED
    assert (quick_desk.state(device) is RotationState.VERIFIED) is bool(verified)
    if verified:
        (told,) = newest(quick_desk.world, "rotation.verified")
        assert (told["detail"]["source"], told["detail"]["rule"]) == ("account_summary", "mfa_appeared")
        assert len(told["detail"]["observed"].split(",")) == 2


def test_what_was_seen_again_after_the_rotation_was_not_seen_before_it_alone(quick_desk: Desk) -> None:
    seen(quick_desk, mfa=False)
    device, _ = rotated(quick_desk, PartKind.MFA)
    quick_desk.world.clock.advance(hours=1)
    with quick_desk.vault.units.write() as unit:
        (same,) = unit.inspections.of(NUMBER, None, 5)
        unit.inspections.again(same, quick_desk.world.clock.now())
        unit.commit()
    quick_desk.world.clock.advance(hours=1)
    seen(quick_desk, mfa=True)
    quick_desk.world.clock.advance(minutes=20)
    assert quick_desk.vault.proving.once().verified == 0
    assert quick_desk.state(device) is RotationState.ACCEPTED


def test_the_reports_last_use_under_a_later_lease_is_told_as_the_weaker_proof(quick_desk: Desk) -> None:
    rotation, _ = rotated(quick_desk)
    lease = quick_desk.lease(quick_desk.bob)
    quick_desk.reveal(quick_desk.bob, lease)
    quick_desk.world.clock.advance(minutes=2)
    used = quick_desk.world.clock.now()
    quick_desk.check_in(quick_desk.bob, lease)
    quick_desk.world.clock.advance(hours=4)
    seen(quick_desk, used=used)
    assert quick_desk.vault.proving.once().verified == 1
    note = quick_desk.vault.views.rotation(quick_desk.alice.actor, rotation.id).rotation.evidence_note or ""
    assert note.startswith(f"IAM credential report: password_last_used at {used:%Y-%m-%d %H:%M:%S} UTC")
    assert "weaker" in note


def test_the_log_tells_what_was_believed(quick_desk: Desk, tmp_path: Path) -> None:
    rotation, at = rotated(quick_desk)
    delivered(quick_desk, tmp_path / "trail", root(NUMBER, at, "PasswordUpdated"))
    (entry,) = entries(quick_desk.world, type="rotation.verified")
    told = {each["entity"]: each["to"] for each in entry["changes"] if each["id"] == rotation.id}
    assert told == {
        "rotation": "verified",
        "rotation.evidence": "aws_record",
        "rotation.verified_by": "system:evidence",
    }


def test_a_record_of_the_second_in_which_it_was_shown_counts(quick_desk: Desk, tmp_path: Path) -> None:
    """AWS tells whole seconds: what happened right after the showing is told as of before it."""
    quick_desk.world.clock.advance(milliseconds=700)
    rotation, _ = rotated(quick_desk)
    assert rotation.displayed_at is not None
    shown = rotation.displayed_at.replace(microsecond=0)
    assert shown < rotation.displayed_at
    assert delivered(quick_desk, tmp_path / "trail", root(NUMBER, shown, "PasswordUpdated")) == 1
