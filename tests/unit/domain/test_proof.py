"""What AWS's records prove of a rotation and what they contradict: a row for each way of proving nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.trails import root
from vault.domain.cloudtrail import Kept, Ours, parse
from vault.domain.credential import PartKind
from vault.domain.observation import Act, Observation, Source, observe
from vault.domain.proof import (
    CODE_LASTS,
    SETTLED,
    SLACK,
    Case,
    Proof,
    Rule,
    Use,
    Window,
    contradictions,
    proven,
)
from vault.domain.rotation import Rotation, RotationState

NUMBER = "111122223333"
SHOWN = datetime(2026, 11, 20, 9, 0, 0, 700_000, tzinfo=UTC)
TOLD = SHOWN + timedelta(minutes=4)
LATER = TOLD + timedelta(days=2)
NOW = LATER + timedelta(days=1)
SERIAL = f"arn:aws:iam::{NUMBER}:mfa/rv-3"


def seen(act: Act, at: datetime, name: str = "event-1", **more: Any) -> Observation:
    """Make what AWS would say, in whole seconds."""
    told: dict[str, Any] = {"account_id": NUMBER, "source": Source.CLOUDTRAIL}
    told |= {"mfa": True} if act is Act.SIGN_IN else {}
    told |= {"device": SERIAL} if act is Act.MFA_ENABLED else {}
    return Observation(**{**told, "act": act, "at": at.replace(microsecond=0), "id": name, **more})


def case(kind: PartKind = PartKind.PASSWORD, **more: Any) -> Case:
    """Make a rotation to version 3, accepted four minutes after it was shown, and its window."""
    rotation = Rotation(
        "r", NUMBER, kind, 3, RotationState.ACCEPTED, "c1", "alice", SHOWN, displayed_by="alice",
        displayed_at=SHOWN, attested_by="alice", attested_at=TOLD, attested_in="c1",
    )  # fmt: skip
    window = Window(NUMBER, kind, 3, SHOWN, TOLD, lease_end=TOLD + timedelta(hours=1))
    return Case(**{"rotation": rotation, "window": window, "next_shown": None, "has_mfa": True, **more})


def use(version: int = 3, checkout: str = "c2", kind: PartKind = PartKind.PASSWORD, **more: Any) -> Use:
    """Make a value given out under a lease of an hour, two days later."""
    told = {"at": LATER + timedelta(minutes=1), "began": LATER, "ended": LATER + timedelta(hours=1)}
    return Use(**{"checkout_id": checkout, "kind": kind, "version": version, **told, **more})


CHANGE = SHOWN + timedelta(minutes=2)
SIGN_IN = LATER + timedelta(minutes=5)


def by(rule: Rule, proof: Proof | None) -> bool:
    """Say whether something is proven by a rule."""
    return proof is not None and proof.rule is rule


@pytest.mark.parametrize(
    ("kind", "act"), [(PartKind.PASSWORD, Act.PASSWORD_UPDATED), (PartKind.MFA, Act.MFA_ENABLED)]
)
@pytest.mark.parametrize("at", [SHOWN, CHANGE, TOLD, TOLD + SLACK])
def test_one_change_between_showing_and_attesting_proves(kind: PartKind, act: Act, at: datetime) -> None:
    found = proven(case(kind), [seen(act, at)], NOW)
    assert by(Rule.CHANGED, found)
    assert found is not None
    assert (found.ids, found.at, found.source) == (("event-1",), at.replace(microsecond=0), Source.CLOUDTRAIL)


def test_a_change_that_was_delivered_twice_counts_once() -> None:
    twice = [seen(Act.PASSWORD_UPDATED, CHANGE), seen(Act.PASSWORD_UPDATED, CHANGE)]
    assert by(Rule.CHANGED, proven(case(), twice, NOW))


NOTHING = {
    "of before the showing": [seen(Act.PASSWORD_UPDATED, SHOWN - timedelta(seconds=1))],
    "late": [seen(Act.PASSWORD_UPDATED, TOLD + SLACK + timedelta(seconds=1))],
    "doubled": [seen(Act.PASSWORD_UPDATED, CHANGE), seen(Act.PASSWORD_UPDATED, CHANGE, "event-2")],
    "of another account": [seen(Act.PASSWORD_UPDATED, CHANGE, account_id="999988887777")],
    "refused": [seen(Act.PASSWORD_UPDATED, CHANGE, failed=True)],
    "not by root itself": [seen(Act.PASSWORD_UPDATED, CHANGE, by_root=False)],
    "of another part": [seen(Act.MFA_ENABLED, CHANGE)],
    "beside a recovery": [
        seen(Act.PASSWORD_UPDATED, CHANGE),
        seen(Act.PASSWORD_RECOVERED, CHANGE + timedelta(seconds=5), "event-2"),
    ],
    "a sign-in alone": [seen(Act.SIGN_IN, CHANGE)],
}


@pytest.mark.parametrize("why", NOTHING)
def test_what_proves_nothing_of_a_change(why: str) -> None:
    assert proven(case(), NOTHING[why], NOW) is None


def test_a_change_proves_only_what_was_attested_and_only_the_last_value_shown_before_it() -> None:
    change = [seen(Act.PASSWORD_UPDATED, TOLD + timedelta(seconds=30))]
    sound = case()
    assert by(Rule.CHANGED, proven(sound, change, NOW))
    assert proven(replace(sound, next_shown=TOLD + timedelta(seconds=20)), change, NOW) is None
    for state in RotationState:
        other = replace(sound, rotation=replace(sound.rotation, state=state))
        assert (proven(other, change, NOW) is not None) is (state is RotationState.ACCEPTED)


def test_nothing_counts_before_all_of_its_time_has_been_delivered() -> None:
    change = [seen(Act.PASSWORD_UPDATED, CHANGE)]
    assert proven(case(), change, TOLD + SLACK) is None
    assert by(Rule.CHANGED, proven(case(), change, TOLD + SETTLED))


def test_a_device_that_was_taken_off_again_proves_nothing() -> None:
    added = seen(Act.MFA_ENABLED, CHANGE, device=SERIAL)
    gone = seen(Act.MFA_DEACTIVATED, CHANGE + timedelta(seconds=9), "event-2", device=SERIAL)
    old = replace(gone, device=f"arn:aws:iam::{NUMBER}:mfa/rv-2")
    assert proven(case(PartKind.MFA), [added, gone], NOW) is None
    assert by(Rule.CHANGED, proven(case(PartKind.MFA), [added, old], NOW))


@pytest.mark.parametrize(
    "device",
    [
        f"arn:aws:iam::{NUMBER}:u2f/root-account/key-ABCDEFGHIJ",
        f"arn:aws:iam::{NUMBER}:mfa/rv-2",
        "arn:aws:iam::999988887777:mfa/rv-3",
        "GAHT12345678",
        None,
    ],
)
def test_a_device_that_cannot_be_the_rotations_proves_nothing(device: str | None) -> None:
    added = seen(Act.MFA_ENABLED, CHANGE, device=device)
    assert proven(case(PartKind.MFA), [added], NOW) is None
    if device is not None:
        code = use(kind=PartKind.MFA)
        signed_in = seen(Act.SIGN_IN, SIGN_IN, device=device)
        assert proven(case(PartKind.MFA, uses=(code,)), [signed_in], NOW) is None
        assert by(Rule.SIGNED_IN, proven(case(uses=(use(),)), [signed_in], NOW))


def test_a_sign_in_by_another_device_than_was_added_proves_nothing() -> None:
    named = case(PartKind.MFA, uses=(use(kind=PartKind.MFA),))
    phone, old = f"arn:aws:iam::{NUMBER}:mfa/phone", f"arn:aws:iam::{NUMBER}:mfa/root-account-mfa-device"
    doubled = [seen(Act.MFA_ENABLED, CHANGE, f"event-{each}", device=f"{phone}{each}") for each in (2, 3)]
    by_new, by_old = (seen(Act.SIGN_IN, SIGN_IN, device=each) for each in (f"{phone}3", old))
    assert by(Rule.SIGNED_IN, proven(named, [*doubled, by_new], NOW))
    assert proven(named, [*doubled, by_old], NOW) is None
    assert by(Rule.SIGNED_IN, proven(named, [by_old], NOW))


def test_a_code_of_the_old_device_that_may_still_sign_in_leaves_nothing_proven_of_the_new() -> None:
    """The old code is given out, the new device attested and one of its codes given out, all within seconds."""
    lease: dict[str, Any] = {"checkout": "c1", "kind": PartKind.MFA, "began": SHOWN, "ended": SIGN_IN}
    old = use(2, at=TOLD - timedelta(seconds=10), **lease)
    new = use(3, at=TOLD + timedelta(seconds=1), **lease)
    both = case(PartKind.MFA, uses=(old, new))
    assert proven(both, [seen(Act.SIGN_IN, TOLD + timedelta(seconds=20))], NOW) is None
    assert by(Rule.SIGNED_IN, proven(both, [seen(Act.SIGN_IN, TOLD + CODE_LASTS)], NOW))


def test_what_was_not_roots_own_proves_nothing_and_may_have_undone_it() -> None:
    change = seen(Act.PASSWORD_UPDATED, CHANGE)
    later = CHANGE + timedelta(seconds=5)
    for act in (Act.PASSWORD_UPDATED, Act.PASSWORD_RECOVERED):
        assert proven(case(), [change, seen(act, later, "event-2", by_root=False)], NOW) is None
    gone = seen(Act.MFA_DEACTIVATED, later, "event-2", device=SERIAL, by_root=False)
    assert proven(case(PartKind.MFA), [seen(Act.MFA_ENABLED, CHANGE), gone], NOW) is None


def test_a_sign_in_under_a_later_lease_proves_the_value_that_was_given_out() -> None:
    found = proven(case(uses=(use(),)), [seen(Act.SIGN_IN, SIGN_IN)], NOW)
    assert by(Rule.SIGNED_IN, found)
    code = use(kind=PartKind.MFA)
    assert by(Rule.SIGNED_IN, proven(case(PartKind.MFA, uses=(code,)), [seen(Act.SIGN_IN, SIGN_IN)], NOW))
    assert proven(case(uses=(use(),)), [seen(Act.SIGN_IN, SIGN_IN)], SIGN_IN.replace(microsecond=0)) is None
    plain = [seen(Act.SIGN_IN, SIGN_IN, mfa=False)]
    assert by(Rule.SIGNED_IN, proven(case(uses=(use(),), has_mfa=False), plain, NOW))


def test_a_code_given_out_after_the_attestation_proves_a_device_in_the_same_lease() -> None:
    lease: dict[str, Any] = {"began": SHOWN - timedelta(minutes=5), "ended": TOLD + timedelta(minutes=50)}
    code = use(checkout="c1", kind=PartKind.MFA, at=TOLD + timedelta(seconds=40), **lease)
    record = [seen(Act.SIGN_IN, TOLD + timedelta(minutes=1))]
    assert by(Rule.SIGNED_IN, proven(case(PartKind.MFA, uses=(code,)), record, NOW))
    early = replace(code, at=TOLD - timedelta(seconds=1))
    assert proven(case(PartKind.MFA, uses=(early,)), record, NOW) is None
    password = replace(code, kind=PartKind.PASSWORD)
    assert proven(case(uses=(password,)), record, NOW) is None


@pytest.mark.parametrize(
    ("uses", "sign_in"),
    [
        ((), {}),
        ((use(2),), {}),
        ((use(), use(2)), {}),
        ((use(checkout="c1"),), {}),
        ((use(kind=PartKind.MFA),), {}),
        ((use(at=SIGN_IN + timedelta(seconds=1)),), {}),
        ((use(ended=SIGN_IN - timedelta(seconds=1)),), {}),
        ((use(),), {"mfa": False}),
        ((use(),), {"mfa": None}),
        ((use(),), {"failed": True}),
        ((use(),), {"by_root": False}),
        ((use(),), {"account_id": "999988887777"}),
        ((use(),), {"at": TOLD}),
    ],
)
def test_what_proves_nothing_of_a_sign_in(uses: tuple[Use, ...], sign_in: dict[str, Any]) -> None:
    record = replace(seen(Act.SIGN_IN, SIGN_IN), **sign_in)
    assert proven(case(uses=uses), [record], NOW) is None


@pytest.mark.parametrize("act", [Act.PASSWORD_UPDATED, Act.PASSWORD_RECOVERED])
def test_a_sign_in_after_another_change_proves_nothing(act: Act) -> None:
    between = seen(act, LATER, "event-2")
    assert proven(case(uses=(use(),)), [between, seen(Act.SIGN_IN, SIGN_IN)], NOW) is None


def test_the_reports_last_use_in_such_a_lease_proves_a_password_and_no_device() -> None:
    used = seen(Act.PASSWORD_USED, SIGN_IN, source=Source.CREDENTIAL_REPORT)
    assert by(Rule.LAST_USED, proven(case(uses=(use(),)), [used], NOW))
    assert proven(case(PartKind.MFA, uses=(use(kind=PartKind.MFA),)), [used], NOW) is None
    assert by(Rule.SIGNED_IN, proven(case(uses=(use(),)), [used, seen(Act.SIGN_IN, SIGN_IN)], NOW))


def test_mfa_that_appeared_between_two_summaries_proves_a_device_and_no_password() -> None:
    def stated(at: datetime, mfa: bool, name: str) -> Observation:
        return seen(Act.MFA_STATED, at, name, mfa=mfa, source=Source.ACCOUNT_SUMMARY)

    none, has = stated(SHOWN - timedelta(days=1), False, "before"), stated(LATER, True, "after")
    found = proven(case(PartKind.MFA), [has, none], NOW)
    assert by(Rule.MFA_APPEARED, found)
    assert found is not None
    assert (found.ids, found.at) == (("before", "after"), has.at)
    assert proven(case(PartKind.PASSWORD), [none, has], NOW) is None
    assert proven(case(PartKind.MFA), [has], NOW) is None
    assert proven(case(PartKind.MFA), [replace(none, mfa=True), has], NOW) is None
    assert proven(case(PartKind.MFA), [none, replace(has, mfa=False)], NOW) is None
    assert proven(case(PartKind.MFA), [none, replace(has, at=CHANGE)], NOW) is None
    late = seen(Act.MFA_ENABLED, TOLD + SLACK + timedelta(seconds=1))
    doubled = [seen(Act.MFA_ENABLED, CHANGE, f"event-{each}") for each in (1, 2)]
    assert proven(case(PartKind.MFA), [none, has, late], NOW) is None
    assert proven(case(PartKind.MFA), [none, has, *doubled], NOW) is None
    assert by(Rule.MFA_APPEARED, proven(case(PartKind.MFA), [none, has, replace(late, at=NOW)], NOW))
    assert proven(case(PartKind.MFA, next_shown=has.at), [none, has], NOW) is None


SINCE = {PartKind.PASSWORD: TOLD, PartKind.MFA: TOLD}


def contradicted(*records: Observation, windows: tuple[Window, ...] | None = None) -> list[str]:
    """Name the parts that records contradict, beside the windows of one rotation of each part."""
    both = tuple(case(kind).window for kind in PartKind)
    return [each.kind.value for each in contradictions(SINCE, records, both if windows is None else windows)]


@pytest.mark.parametrize(
    ("act", "part"),
    [
        (Act.PASSWORD_UPDATED, "password"),
        (Act.PASSWORD_RECOVERED, "password"),
        (Act.EMAIL_UPDATED, "password"),
        (Act.MFA_ENABLED, "mfa"),
        (Act.MFA_DEACTIVATED, "mfa"),
    ],
)
def test_a_change_outside_any_rotation_contradicts_its_part(act: Act, part: str) -> None:
    assert contradicted(seen(act, LATER)) == [part]
    assert contradicted(seen(act, LATER), seen(act, LATER)) == [part]
    assert contradicted(seen(act, LATER, failed=True)) == []
    assert contradicted(seen(act, SHOWN - timedelta(days=1))) == []
    (found,) = contradictions(SINCE, [seen(act, LATER)], ())
    assert (
        found.why == f"AWS recorded {act} at 2026-11-22 09:04:00 UTC (event event-1), outside any rotation."
    )


def test_a_rotations_own_change_contradicts_nothing_but_what_was_said_of_it() -> None:
    change = seen(Act.PASSWORD_UPDATED, TOLD + timedelta(seconds=30))
    assert contradicted(change) == []
    assert contradicted(replace(change, act=Act.EMAIL_UPDATED)) == ["password"]
    window = case().window
    assert contradicted(change, windows=(replace(window, refused=True),)) == ["password"]
    open_ = replace(window, since=LATER, until=None)
    assert contradicted(seen(Act.PASSWORD_UPDATED, SIGN_IN), windows=(open_,)) == []
    assert contradicted(seen(Act.MFA_ENABLED, SIGN_IN), windows=(open_,)) == ["mfa"]


def test_an_old_device_is_removed_last_and_the_new_one_is_not() -> None:
    def removed(at: datetime, device: str | None) -> list[str]:
        return contradicted(seen(Act.MFA_DEACTIVATED, at, device=device))

    in_lease, serial = TOLD + timedelta(minutes=30), f"arn:aws:iam::{NUMBER}:mfa/"
    assert removed(in_lease, None) == []
    assert removed(in_lease, f"{serial}rv-2") == []
    assert removed(in_lease, f"{serial}rv-3") == ["mfa"]
    assert removed(LATER, f"{serial}rv-2") == []
    assert removed(LATER, f"{serial}rv-3") == ["mfa"]
    assert removed(LATER, f"{serial}root-account-mfa-device") == ["mfa"]


def test_parts_that_are_not_held_are_contradicted_by_nothing() -> None:
    assert contradictions({}, [seen(Act.PASSWORD_UPDATED, LATER)], ()) == ()


@pytest.mark.parametrize(
    ("more", "by_root"),
    [
        ({}, True),
        ({"eventType": "AwsServiceEvent"}, False),
        ({"eventSource": "cloudfront.amazonaws.com"}, None),
        ({"userIdentity": {"type": "IAMUser", "accountId": NUMBER}}, False),
        ({"userIdentity": {"type": "Root", "accountId": "999988887777"}}, False),
        ({"userIdentity": {"type": "Root", "accountId": NUMBER, "invokedBy": "x.amazonaws.com"}}, False),
    ],
)
def test_a_record_counts_as_roots_own_in_every_field_or_not_at_all(
    more: dict[str, Any], by_root: bool | None
) -> None:
    read = parse(root(NUMBER, CHANGE, "PasswordUpdated", **more), Ours("app", "vault", frozenset()))
    found = observe(read.record) if isinstance(read, Kept) else None
    assert (found.by_root if found is not None and found.act is Act.PASSWORD_UPDATED else None) is by_root


def test_what_is_taken_from_a_record_is_its_device_and_never_of_a_task_session() -> None:
    record = root(
        NUMBER, CHANGE, "EnableMFADevice", eventSource="iam.amazonaws.com", eventType="AwsApiCall",
        requestParameters={"userName": "AWS ROOT USER", "serialNumber": SERIAL},
    )  # fmt: skip
    read = parse(record, Ours("app", "vault", frozenset()))
    assert isinstance(read, Kept)
    found = observe(read.record)
    assert found is not None
    assert (found.act, found.device, found.by_root, found.failed) == (Act.MFA_ENABLED, SERIAL, True, False)
    another = observe(replace(read.record, recipient="999988887777"))
    assert another is not None
    assert not another.by_root
    signed_in = parse(
        root(NUMBER, CHANGE, additionalEventData={"MFAUsed": "Yes", "MFAIdentifier": SERIAL}),
        Ours("app", "vault", frozenset()),
    )
    assert isinstance(signed_in, Kept)
    by_device = observe(signed_in.record)
    assert by_device is not None
    assert (by_device.act, by_device.device) == (Act.SIGN_IN, SERIAL)
    large = parse(record | {"userAgent": "x" * 20_000}, Ours("app", "vault", frozenset()))
    assert isinstance(large, Kept)
    trimmed = observe(large.record)
    assert trimmed is not None
    assert trimmed.device == SERIAL
    in_session = observe(read.record, in_session=True)
    assert in_session is not None
    assert not in_session.by_root
    bare = replace(
        read.record, record=json.dumps({"eventSource": "iam.amazonaws.com", "requestParameters": None})
    )
    other = observe(bare)
    assert other is not None
    assert (other.by_root, other.device) == (False, None)
