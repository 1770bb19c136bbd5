"""Looking at an account through its role, over HTTP against the tests' AWS: what is seen, and what a refusal hides."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from moto.s3.exceptions import S3AccessDeniedError
from moto.s3.responses import S3Response

from tests.support.aws_cloud import AwsCloud, aws_cloud
from tests.support.bad_endpoints import gone
from tests.support.moto_kms import made_up_credentials
from tests.support.repository import ROOT
from tests.support.world import START
from vault.adapters.inspection.asking import PAUSES
from vault.adapters.inspection.role import LOOK_SECONDS, REPORT_TRIES, RoleInspector, read_report
from vault.domain.hygiene import Wanted
from vault.domain.inspection import (
    Contact,
    Inspection,
    Known,
    Membership,
    PasswordPolicy,
    Place,
    Reason,
    Unknown,
)
from vault.domain.inspection_text import FACTS, digest
from vault.ports.inspection import Target

PAYER, MEMBER, LONE, VAULT = "999988887777", "111122223333", "444455556666", "123456789012"
ROLE, DEAL = "RootVaultInspection", "deal-900001"
STRONG = PasswordPolicy(14, upper=True, lower=True, number=True, symbol=True, remembers=24)
UUID = "0a1b2c3d-0000-4000-8000-0123456789ab"
WANTED = Wanted(
    STRONG,
    frozenset({Contact.SECURITY}),
    roles=("Rackspace", "AWSConfig"),
    policies=("dispatcher",),
    rules=("dispatcher",),
    buckets=("{uuid}-logs",),
    topics=("support",),
    regions=("us-east-1", "eu-west-1"),
)


@dataclass(slots=True)
class Ticking:
    """A clock that goes on when somebody sleeps."""

    at: float = 0.0
    slept: float = 0.0

    def sleep(self, seconds: float) -> None:
        self.at += seconds
        self.slept += seconds

    def monotonic(self) -> float:
        return self.at


@dataclass(slots=True)
class Stand:
    """The tests' AWS with one payer, its member and an account alone, each as it should be."""

    aws: AwsCloud
    clock: Ticking

    def inspector(self, **other: Any) -> RoleInspector:
        asked: dict[str, Any] = {
            "endpoint": self.aws.url,
            "sleep": self.clock.sleep,
            "monotonic": self.clock.monotonic,
        } | other
        return RoleInspector(ROLE, "deal-{ddi}", **asked)

    def look(self, number: str = MEMBER, **other: Any) -> Inspection:
        return self.inspector(**other).look(Target(number, "900001", "alice@msp.example"), WANTED, START)


@pytest.fixture(scope="module")
def whole() -> Iterator[AwsCloud]:
    """Make accounts once; tests change them back."""
    with made_up_credentials(), aws_cloud(lambda: datetime.now(UTC)) as aws:
        aws.organization(PAYER, {MEMBER: ("Shop", "shop@msp.example")})
        for number in (PAYER, MEMBER, LONE):
            aws.role(number, ROLE, trusts=VAULT, external_id=DEAL)
            _furnish(aws, number)
        yield aws


@pytest.fixture
def place(whole: AwsCloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    for name, value in whole.user(VAULT).items():
        monkeypatch.setenv(name.upper(), str(value))
    monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
    denied = list(whole.state.denied)
    yield Stand(whole, Ticking())
    whole.state.denied[:] = denied
    whole.state.faults.clear()
    whole.state.lost.clear()


def _furnish(aws: AwsCloud, number: str) -> None:
    iam = aws.client("iam", number)
    trust = '{"Version":"2012-10-17","Statement":[]}'
    for role in WANTED.roles:
        iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'
    iam.create_policy(PolicyName="dispatcher", PolicyDocument=document)
    iam.update_account_password_policy(
        MinimumPasswordLength=14,
        RequireSymbols=True,
        RequireNumbers=True,
        RequireUppercaseCharacters=True,
        RequireLowercaseCharacters=True,
        PasswordReusePrevention=24,
    )
    aws.client("events", number, region="us-east-1").put_rule(
        Name="dispatcher", EventPattern='{"source":["aws.health"]}'
    )
    s3 = aws.client("s3", number, region="us-west-2")
    # bucket names are the world's, so each account has another
    s3.create_bucket(
        Bucket=f"{UUID[:-12]}{number}-logs", CreateBucketConfiguration={"LocationConstraint": "us-west-2"}
    )
    for region in WANTED.regions:
        aws.client("sns", number, region=region).create_topic(Name="support")
    aws.client("account", number, region="us-east-1").put_alternate_contact(
        AlternateContactType="SECURITY", EmailAddress="s@msp.example", Name="S", PhoneNumber="1", Title="T"
    )
    root = aws.root(number)
    root.password = True
    root.add_device("rv-1", START)


FINE: dict[str, Any] = {
    "root_keys": Known(value=False),
    "root_mfa": Known(value=True),
    "root_password": Known(value=True),
    "root_certificates": Known(value=False),
    "policy": Known(STRONG),
    "contacts": Known(frozenset({Contact.SECURITY})),
}


def test_everything_is_seen_of_an_account_that_lets_itself_be_seen(place: Stand) -> None:
    seen = place.look()
    assert {name: getattr(seen, name) for name in FINE} == FINE
    assert isinstance(seen.membership, Known)
    assert (seen.membership.value.place, seen.membership.value.payer_id) == (Place.MEMBER, PAYER)
    assert isinstance(seen.report, Known)
    assert seen.report.value.mfa_active is True
    assert seen.defaults == dict.fromkeys(WANTED.names(), Known(value=True))
    assert len(seen.request_ids) == len(set(seen.request_ids)) > 12
    assert digest(place.look()) == digest(seen)


def test_it_is_told_apart_who_pays_for_whom(place: Stand) -> None:
    assert place.look(LONE).membership == Known(Membership(Place.ALONE))
    payer = place.look(PAYER).membership
    assert isinstance(payer, Known)
    assert (payer.value.place, payer.value.payer_id) == (Place.PAYER, PAYER)


DENIALS: list[tuple[str, tuple[str, ...]]] = [
    ("iam:GetAccountSummary", ("root_keys", "root_mfa", "root_password", "root_certificates")),
    ("iam:GetAccountPasswordPolicy", ("policy",)),
    ("organizations:DescribeOrganization", ("membership",)),
    ("account:GetAlternateContact", ("contacts",)),
    ("iam:GenerateCredentialReport", ("report",)),
    ("iam:GetCredentialReport", ("report",)),
    ("iam:GetRole", ("role:Rackspace", "role:AWSConfig")),
    ("iam:GetPolicy", ("policy:dispatcher",)),
    ("events:DescribeRule", ("rule:dispatcher@us-east-1",)),
    ("s3:ListBuckets", ("bucket:{uuid}-logs@us-west-2",)),
    ("s3:GetBucketLocation", ("bucket:{uuid}-logs@us-west-2",)),
    ("sns:ListTopics", ("topic:support@us-east-1", "topic:support@eu-west-1")),
]


_METHODS = {"ListBuckets": "all_buckets", "GetBucketLocation": "get_bucket_location"}


def _denied(_: object) -> None:
    raise S3AccessDeniedError


def unknown_of(seen: Inspection) -> dict[str, Unknown]:
    """Give all that is not known, by name."""
    facts = {name: getattr(seen, name) for name in FACTS} | dict(seen.defaults)
    return {name: fact for name, fact in facts.items() if isinstance(fact, Unknown)}


@pytest.mark.parametrize(("action", "hidden"), DENIALS, ids=[action for action, _ in DENIALS])
def test_what_access_denied_hides_is_unknown_and_nothing_else_is(
    place: Stand, action: str, hidden: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    service, _, operation = action.partition(":")
    if service == "s3":  # which moto answers by another way than all others
        monkeypatch.setattr(S3Response, _METHODS[operation], _denied)
    place.aws.deny(MEMBER, action)
    unknown = unknown_of(place.look())
    assert set(unknown) == set(hidden)
    assert {each.reason for each in unknown.values()} == {Reason.DENIED}


def test_every_fact_has_a_denial_of_its_own() -> None:
    assert {name for _, hidden in DENIALS for name in hidden} == {*FACTS, *WANTED.names()}
    assert {each.name for each in fields(Inspection)} >= set(FACTS)


def test_what_is_not_there_is_seen_not_to_be_there(place: Stand) -> None:
    wanted = replace(
        WANTED,
        roles=("Nobody",),
        policies=("nothing",),
        rules=("none",),
        buckets=("other-{uuid}",),
        topics=("none",),
    )
    target = Target(LONE, "900001", "alice")
    seen = place.inspector().look(target, wanted, START)
    assert seen.defaults == dict.fromkeys(wanted.names(), Known(value=False))
    elsewhere = replace(WANTED, bucket_region="us-east-1")
    seen = place.inspector().look(target, elsewhere, START)
    assert seen.defaults["bucket:{uuid}-logs@us-east-1"] == Known(value=False)


def test_what_root_has_is_seen_as_it_changes(place: Stand) -> None:
    root = place.aws.root(LONE)
    key = root.add_key()
    before = place.look(LONE)
    assert before.root_keys == Known(value=True)
    root.keys.clear()
    assert key
    devices = list(root.devices)
    root.devices.clear()
    root.password = False
    after = place.look(LONE)
    root.devices.extend(devices)
    root.password = True
    assert (after.root_keys, after.root_mfa) == (Known(value=False), Known(value=False))
    assert after.root_password == Known(value=False)
    aws = place.aws.client("iam", LONE)
    aws.delete_account_password_policy()
    assert place.look(LONE).policy == Known(None)


@pytest.mark.parametrize("number", ["222233334444", MEMBER])
def test_without_the_role_or_its_external_id_nothing_is_known(place: Stand, number: str) -> None:
    inspector = place.inspector()
    ddi = "900001" if number != MEMBER else "900002"
    seen = inspector.look(Target(number, ddi, "alice"), WANTED, START)
    assert set(unknown_of(seen)) == {*FACTS, *WANTED.names()}
    assert {fact.reason for fact in unknown_of(seen).values()} == {Reason.NO_ROLE}
    roster = inspector.roster(Target(number, ddi, "alice"), START)
    assert isinstance(roster.listed, Unknown)


@pytest.mark.parametrize("code", ["InvalidClientTokenId", "ExpiredToken"])
def test_credentials_of_ours_that_do_not_count_are_not_the_accounts_fault(place: Stand, code: str) -> None:
    place.aws.fail_next("AssumeRole", code)
    seen = place.look()
    assert {fact.reason for fact in unknown_of(seen).values()} == {Reason.FAILED}
    assert len(unknown_of(seen)) == len(FACTS) + len(WANTED.names())


def test_who_asked_is_named_to_aws(place: Stand) -> None:
    place.look()
    sessions = list(place.aws.state.sessions.values())
    assert any("alice@msp.example" in repr(session) for session in sessions)


def test_throttling_is_waited_out_as_long_as_there_is_time(place: Stand) -> None:
    place.aws.fail_next("GetAccountSummary", "Throttling", times=3)
    seen = place.look()
    assert seen.root_keys == Known(value=False)
    assert place.clock.slept >= sum(PAUSES[:3])
    place.aws.fail_next("GetAccountSummary", "Throttling", times=len(PAUSES) + 1)
    again = place.look()
    assert again.root_keys == Unknown(Reason.THROTTLED, "Throttling")
    assert again.policy == Known(STRONG)


def test_a_look_ends_when_its_time_is_up(place: Stand) -> None:
    place.clock.at = 0.0
    ticks = iter(range(0, 100_000, 20))
    seen = place.look(monotonic=lambda: float(next(ticks)))
    reasons = {fact.reason for fact in unknown_of(seen).values()}
    assert reasons == {Reason.NOT_ASKED}
    assert LOOK_SECONDS < 100


def test_faults_of_aws_are_unknown(place: Stand) -> None:
    place.aws.fail_next("GetAccountSummary", "ServiceUnavailable")
    place.aws.fail_next("GetAccountPasswordPolicy", "ValidationError")
    place.aws.lose_next("DescribeOrganization")
    seen = place.look()
    assert isinstance(seen.root_keys, Unknown)
    assert seen.root_keys.reason is Reason.NO_ANSWER
    assert seen.policy == Unknown(Reason.FAILED, "ValidationError")
    assert isinstance(seen.membership, Unknown)


def test_a_place_that_does_not_answer_is_unknown_in_bounded_time(place: Stand) -> None:
    began = time.monotonic()
    with gone() as nowhere:
        seen = place.look(endpoint=nowhere)
    assert {fact.reason for fact in unknown_of(seen).values()} == {Reason.NO_ANSWER}
    assert time.monotonic() - began < 5


def test_a_report_that_is_never_ready_is_unknown(place: Stand, monkeypatch: pytest.MonkeyPatch) -> None:
    place.aws.state.reports.clear()
    monkeypatch.setattr("vault.adapters.inspection.role.REPORT_TRIES", 1)
    assert place.look().report == Unknown(Reason.NO_ANSWER, "STARTED")
    assert REPORT_TRIES > 1


HEADER = "user,arn,user_creation_time,password_enabled,password_last_used,mfa_active"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        (
            "<root_account>,a,b,not_supported,2026-11-20T10:00:00+00:00,true",
            (None, "2026-11-20T10:00:00+00:00", True),
        ),
        ("<root_account>,a,b,FALSE,no_information,FALSE", (False, None, False)),
        ("<root_account>,a,b,true,N/A,true", (True, None, True)),
    ],
)
def test_roots_row_of_the_report_is_read(row: str, told: tuple[Any, ...]) -> None:
    answer = {"Content": f"{HEADER}\nalice,a,b,true,N/A,true\n{row}\n".encode(), "GeneratedTime": START}
    found = read_report(answer)
    assert isinstance(found, Known)
    used = found.value.password_last_used
    assert (found.value.password_enabled, used and used.isoformat(), found.value.mfa_active) == told


@pytest.mark.parametrize(
    "content",
    [
        b"",
        f"{HEADER}\nalice,a,b,true,N/A,true\n".encode(),
        b"user,arn\n<root_account>,a\n",
        f"{HEADER}\n<root_account>,a,b,true,yesterday,true\n".encode(),
        f"{HEADER}\n<root_account>\n".encode(),
        b"\xff\xfe",
        io.BytesIO(b"no bytes"),
    ],
)
def test_a_report_of_another_shape_is_unknown(content: Any) -> None:
    assert read_report({"Content": content, "GeneratedTime": START}) == Unknown(Reason.UNREADABLE)


def test_the_list_is_read_whole_or_not_at_all(place: Stand) -> None:
    for number in range(25):
        place.aws.member(PAYER, f"7000000000{number:02}", f"more {number}", f"more{number}@msp.example")
    roster = place.inspector().roster(Target(PAYER, "900001", "alice"), START)
    assert isinstance(roster.listed, Known)
    by_id = {each.id: each for each in roster.listed.value}
    assert len(by_id) == 27
    assert (by_id[MEMBER].name, by_id[MEMBER].email, by_id[MEMBER].state) == (
        "Shop",
        "shop@msp.example",
        "ACTIVE",
    )
    refused = place.inspector().roster(Target(MEMBER, "900001", "alice"), START)
    assert isinstance(refused.listed, Unknown)
    assert refused.listed.reason is Reason.DENIED
    place.aws.fail_next("ListAccounts", "ServiceException")
    # the first page came, the second did not
    client_error = place.inspector().roster(Target(PAYER, "900001", "alice"), START)
    assert isinstance(client_error.listed, Unknown)


def test_the_roles_policy_allows_what_is_asked_and_nothing_else() -> None:
    document = json.loads((ROOT / "config/deploy/inspection-role-policy.json").read_text("utf-8"))
    allowed: set[str] = set()
    for statement in document["Statement"]:
        assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    asked = {action for action, _ in DENIALS} | {"organizations:ListAccounts"}
    # the operation ListBuckets is allowed by another name (Amazon S3, "Actions, resources and condition keys")
    assert allowed == asked - {"s3:ListBuckets"} | {"s3:ListAllMyBuckets"}
