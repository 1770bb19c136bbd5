"""The tests' AWS keeps AWS's rules about root users, sessions and Organizations (docs/aws-stand-in.md).

Each rule is the STS, IAM, Organizations or Account Management API reference's as botocore ships it, or IAM's User
Guide's; a test of the vault that leans on one of them leans on this. All of it over HTTP, as the vault speaks.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.iam.aws_managed_policies import aws_managed_policies_data

from tests.support.aws_cloud import AwsCloud, aws_cloud
from tests.support.aws_state import TASK_POLICIES, Refusal

PAYER, MEMBER, OTHER, VAULT = "999988887777", "111122223333", "444455556666", "123456789012"
POLICY = "arn:aws:iam::aws:policy/root-task/"
AUDIT, DELETE, ALLOW = (
    "IAMAuditRootUserCredentials",
    "IAMDeleteRootUserCredentials",
    "IAMCreateRootUserPassword",
)


class Hands:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.at = datetime(2026, 11, 21, 12, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@contextlib.contextmanager
def organized(clock: Hands) -> Iterator[AwsCloud]:
    """Lend AWS with an Organization of two members under centralized root access."""
    with aws_cloud(clock.now) as cloud:
        cloud.organization(
            PAYER,
            {MEMBER: ("Shop", "shop@msp.example"), OTHER: ("Till", "till@msp.example")},
            root_access=True,
        )
        yield cloud


@pytest.fixture
def aws(clock: Hands) -> Iterator[AwsCloud]:
    with organized(clock) as cloud:
        yield cloud


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=rf"\({code}\)")


def assume(aws: AwsCloud, task: str, target: str = MEMBER, *, by: str = PAYER, seconds: int = 900) -> Any:
    sts = aws.client("sts", by)
    return sts.assume_root(
        TargetPrincipal=target, TaskPolicyArn={"arn": POLICY + task}, DurationSeconds=seconds
    )


def session(aws: AwsCloud, credentials: Any, service: str = "iam") -> Any:
    return aws.client(
        service,
        VAULT,
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
    )


def _to_the_global_endpoint(request: Any, **_: object) -> None:
    request.headers["Host"] = "sts.amazonaws.com"


def root_iam(aws: AwsCloud, task: str) -> Any:
    return session(aws, assume(aws, task)["Credentials"])


def summary(aws: AwsCloud, account: str = MEMBER) -> tuple[int, ...]:
    told = aws.client("iam", account).get_account_summary()["SummaryMap"]
    return tuple(
        told[f"Account{name}"]
        for name in ("PasswordPresent", "MFAEnabled", "AccessKeysPresent", "SigningCertificatesPresent")
    )


def test_the_task_policies_let_through_what_awss_documents_do() -> None:
    shipped = json.loads(aws_managed_policies_data)
    documents = {
        name: next(
            frozenset(each["NotAction"])
            for each in shipped[name]["Document"]["Statement"]
            if "NotAction" in each
        )
        for name in TASK_POLICIES
    }

    assert documents == TASK_POLICIES
    assert all(shipped[name]["Path"] == "/root-task/" for name in TASK_POLICIES)


def test_the_summary_tells_of_the_root_user(aws: AwsCloud, clock: Hands) -> None:
    assert summary(aws) == (1, 0, 0, 0)
    root = aws.root(MEMBER)
    root.add_device("rv-1", clock.now())
    root.add_key()
    root.add_certificate()
    assert summary(aws) == (1, 1, 1, 1)
    assert summary(aws, OTHER) == (1, 0, 0, 0)


def test_the_report_has_the_root_user_first_and_is_kept_four_hours(aws: AwsCloud, clock: Hands) -> None:
    iam = aws.client("iam", MEMBER)
    with refused("ReportNotPresent"):
        iam.get_credential_report()
    assert [iam.generate_credential_report()["State"] for _ in range(2)] == ["STARTED", "COMPLETE"]
    aws.root(MEMBER).add_device("rv-1", clock.now())
    aws.root(MEMBER).password_used = clock.now()
    clock.at += timedelta(hours=3, minutes=59)
    iam.generate_credential_report()
    old = iam.get_credential_report()
    assert (old["GeneratedTime"], _root_row(old)["mfa_active"]) == (
        clock.at - timedelta(hours=3, minutes=59),
        "false",
    )
    clock.at += timedelta(minutes=1)
    with refused("ReportExpired"):
        iam.get_credential_report()
    iam.generate_credential_report()

    row = _root_row(iam.get_credential_report())
    assert len(row) == 22
    assert (row["arn"], row["mfa_active"]) == (f"arn:aws:iam::{MEMBER}:root", "true")
    assert (row["password_enabled"], row["password_last_used"]) == (
        "not_supported",
        "2026-11-21T12:00:00+00:00",
    )


def _root_row(report: Any) -> dict[str, str]:
    first = next(csv.DictReader(io.StringIO(report["Content"].decode())))
    assert first["user"] == "<root_account>"
    return first


def test_a_roots_device_is_known_by_its_users_arn(aws: AwsCloud, clock: Hands) -> None:
    aws.root(MEMBER).add_device("anything", clock.now())

    listed = aws.client("iam", MEMBER).list_virtual_mfa_devices(AssignmentStatus="Assigned")[
        "VirtualMFADevices"
    ]

    assert [each["User"]["Arn"] for each in listed] == [f"arn:aws:iam::{MEMBER}:root"]
    with refused("LimitExceeded"):
        _enrol_nine(aws, clock)


def _enrol_nine(aws: AwsCloud, clock: Hands) -> None:
    try:
        for number in range(8):
            aws.root(MEMBER).add_device(f"rv-{number}", clock.now())
    except Refusal as refusal:
        raise ClientError({"Error": {"Code": refusal.code}}, "console") from None


class TestAssumeRole:
    """A role is taken on by its own trust policy."""

    def role(self, aws: AwsCloud) -> str:
        return aws.role(PAYER, "Broker", trusts=VAULT, external_id="our-deal")

    def test_it_wants_the_role_the_trust_and_the_external_id(self, aws: AwsCloud) -> None:
        arn = self.role(aws)
        sts = aws.client("sts", VAULT)
        asked = {"RoleArn": arn, "RoleSessionName": "rv", "ExternalId": "our-deal"}
        for wrong in ({"ExternalId": "another"}, {"RoleArn": arn + "s"}, {"SourceIdentity": "a b"}):
            with refused("AccessDenied"):
                sts.assume_role(**asked | wrong)
        with refused("AccessDenied"):
            aws.client("sts", OTHER).assume_role(**asked)
        with refused("ValidationError"):
            sts.assume_role(**asked, DurationSeconds=3601)

        taken = sts.assume_role(**asked, SourceIdentity="alice@msp.example")
        who = session(aws, taken["Credentials"], "sts").get_caller_identity()
        assert (taken["SourceIdentity"], who["Account"]) == ("alice@msp.example", PAYER)

    def test_a_session_shows_its_token_ends_and_keeps_its_source(self, aws: AwsCloud, clock: Hands) -> None:
        taken = aws.client("sts", VAULT).assume_role(
            RoleArn=self.role(aws), RoleSessionName="rv", ExternalId="our-deal", SourceIdentity="alice"
        )["Credentials"]
        with refused("InvalidClientTokenId"):
            session(aws, taken | {"SessionToken": "another"}).get_account_summary()
        second = aws.role(MEMBER, "Second", trusts=PAYER)
        with refused("AccessDenied"):
            session(aws, taken, "sts").assume_role(
                RoleArn=second, RoleSessionName="rv", SourceIdentity="bob-is-another"
            )
        clock.at += timedelta(hours=1)
        with refused("ExpiredToken"):
            session(aws, taken).get_account_summary()
        with refused("ExpiredTokenException"):
            session(aws, taken, "organizations").list_accounts()


class TestAssumeRoot:
    """A privileged root session: who may ask, about whom, for how long, for what."""

    def test_a_session_is_the_members_root_and_no_more_than_its_task(self, aws: AwsCloud) -> None:
        iam = root_iam(aws, AUDIT)

        assert iam.get_user()["User"]["Arn"] == f"arn:aws:iam::{MEMBER}:root"
        assert iam.get_account_summary()["SummaryMap"]["AccountPasswordPresent"] == 1
        for beyond in (iam.delete_login_profile, iam.create_login_profile, iam.list_users):
            with refused("AccessDenied"):
                beyond()
        with refused("AccessDenied"):
            iam.get_login_profile(UserName="somebody")
        with refused("AccessDenied"):
            root_iam(aws, DELETE).get_account_summary()

    def test_it_ends_after_fifteen_minutes_at_most(self, aws: AwsCloud, clock: Hands) -> None:
        with refused("ValidationError"):
            assume(aws, AUDIT, seconds=901)
        given = assume(aws, AUDIT)["Credentials"]
        assert given["Expiration"] == clock.at + timedelta(seconds=900)
        clock.at += timedelta(seconds=900)
        with refused("ExpiredToken"):
            session(aws, given).get_user()

    @pytest.mark.parametrize(
        ("task", "target", "by"),
        [
            (AUDIT, PAYER, PAYER),
            (AUDIT, "777788889999", PAYER),
            (AUDIT, MEMBER, OTHER),
            (AUDIT, MEMBER, VAULT),
            ("AdministratorAccess", MEMBER, PAYER),
        ],
        ids=["management account", "stranger", "by a member", "by a stranger", "another policy"],
    )
    def test_it_is_refused_to(self, aws: AwsCloud, task: str, target: str, by: str) -> None:
        with refused("AccessDenied"):
            assume(aws, task, target, by=by)

    def test_the_global_endpoint_does_not_know_it(self, aws: AwsCloud) -> None:
        sts = aws.client("sts", PAYER)
        # over HTTP on loopback the address is told by the Host header alone
        sts.meta.events.register("before-send.sts", _to_the_global_endpoint)
        with refused("AccessDenied"):
            sts.assume_root(TargetPrincipal=MEMBER, TaskPolicyArn={"arn": POLICY + AUDIT})

    def test_a_root_user_cannot_ask(self, aws: AwsCloud) -> None:
        inside = assume(aws, AUDIT)["Credentials"]
        with refused("AccessDenied"):
            session(aws, inside, "sts").assume_root(
                TargetPrincipal=OTHER, TaskPolicyArn={"arn": POLICY + AUDIT}
            )

    def test_it_wants_the_feature_the_trust_all_features_and_an_active_member(self, aws: AwsCloud) -> None:
        iam, organizations = aws.client("iam", PAYER), aws.client("organizations", PAYER)
        iam.disable_organizations_root_credentials_management()
        with refused("AccessDenied"):
            assume(aws, AUDIT)
        assume(aws, "S3UnlockBucketPolicy")
        iam.enable_organizations_root_credentials_management()
        assume(aws, AUDIT)
        organizations.disable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
        with refused("AccessDenied"):
            assume(aws, AUDIT)
        organizations.enable_aws_service_access(ServicePrincipal="iam.amazonaws.com")
        aws.client("organizations", PAYER).close_account(AccountId=MEMBER)
        with refused("AccessDenied"):
            assume(aws, AUDIT)

    def test_iams_delegated_administrator_may_ask(self, aws: AwsCloud) -> None:
        aws.client("organizations", PAYER).register_delegated_administrator(
            AccountId=OTHER, ServicePrincipal="iam.amazonaws.com"
        )

        assert assume(aws, AUDIT, by=OTHER)["Credentials"]["AccessKeyId"].startswith("ASIA")

    def test_both_trails_have_the_same_key(self, aws: AwsCloud) -> None:
        given = assume(aws, DELETE)["Credentials"]
        session(aws, given).delete_login_profile()

        asked, done = aws.state.trail
        assert (asked["eventName"], asked["recipientAccountId"]) == ("AssumeRoot", PAYER)
        assert asked["responseElements"]["credentials"]["accessKeyId"] == given["AccessKeyId"]
        assert (done["eventName"], done["userIdentity"]["type"]) == ("DeleteLoginProfile", "Root")
        assert done["userIdentity"]["accessKeyId"] == given["AccessKeyId"]


class TestRootCredentials:
    """What goes, and how it may come back."""

    def test_all_of_them_go_and_nothing_goes_twice(self, aws: AwsCloud, clock: Hands) -> None:
        root = aws.root(MEMBER)
        serial, key, certificate = (
            root.add_device("d", clock.at).serial,
            root.add_key(),
            root.add_certificate(),
        )
        iam = root_iam(aws, DELETE)
        with refused("DeleteConflict"):
            iam.delete_virtual_mfa_device(SerialNumber=serial)
        acts = (
            iam.delete_login_profile,
            lambda: iam.deactivate_mfa_device(SerialNumber=serial),
            lambda: iam.delete_access_key(AccessKeyId=key),
            lambda: iam.delete_signing_certificate(CertificateId=certificate),
        )
        for act in acts:
            act()
            with refused("NoSuchEntity"):
                act()

        assert summary(aws) == (0, 0, 0, 0)
        assert not root.recoverable

    def test_recovery_is_allowed_without_a_password_and_once(self, aws: AwsCloud) -> None:
        aws.root(MEMBER).forget()
        iam = root_iam(aws, ALLOW)
        with refused("ValidationError"):
            iam.create_login_profile(Password="Chosen-by-us-1")
        iam.create_login_profile()
        with refused("EntityAlreadyExists"):
            iam.create_login_profile()

        assert aws.root(MEMBER).recoverable

    def test_who_is_made_under_central_management_has_none(self, aws: AwsCloud) -> None:
        aws.member(PAYER, "777788889999", "New", "new@msp.example", invited=False)
        aws.member(PAYER, "888899990000", "Invited", "invited@msp.example")

        assert (summary(aws, "777788889999"), summary(aws, "888899990000")) == ((0, 0, 0, 0), (1, 0, 0, 0))


class TestFaults:
    """The test's own hand on what fails."""

    def test_what_a_test_denies_is_denied_to_everybody(self, aws: AwsCloud) -> None:
        aws.deny(MEMBER, "iam:Get*")
        with refused("AccessDenied"):
            aws.client("iam", MEMBER).get_account_summary()
        with refused("AccessDenied"):
            root_iam(aws, AUDIT).get_account_summary()
        aws.allow(MEMBER, "iam:Get*")
        assert summary(aws) == (1, 0, 0, 0)

    def test_a_lost_answer_was_a_deed(self, aws: AwsCloud) -> None:
        iam = root_iam(aws, DELETE)
        aws.lose_next("DeleteLoginProfile")
        with refused("ServiceUnavailable"):
            iam.delete_login_profile()
        assert summary(aws) == (0, 0, 0, 0)
        aws.fail_next("ListMFADevices", "Throttling")
        with refused("Throttling"):
            iam.list_mfa_devices()
        assert iam.list_mfa_devices()["MFADevices"] == []

    def test_only_loopback_is_served(self, aws: AwsCloud) -> None:
        assert aws.url.startswith("http://127.0.0.1:")
        assert (
            boto3.session.Session().client("sts", region_name="us-east-1", endpoint_url=aws.url) is not None
        )
