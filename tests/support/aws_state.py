"""What the tests' AWS holds beside moto: root users, sessions, what is refused next, and what was asked.

moto knows no root user. Here is one for each account, with the facts that AWS tells of it; the stand-in's other
files (`moto_sts`, `moto_root`, `moto_organizations`) read and change them by AWS's rules, and a test changes them as
the person who is signed in as root would.
"""

from __future__ import annotations

import uuid
from collections import defaultdict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from moto.core.exceptions import ServiceException

ROOT_DEVICES_MAX: Final = 8
"""IAM User Guide, "MFA in IAM": eight devices of any type for a root user."""

BY_DEFAULT: Final = (
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "ca-central-1",
    "sa-east-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
)
"""Regions that need no opting in, unless a test says others."""
TASK_POLICIES: Final[dict[str, frozenset[str]]] = {
    "IAMAuditRootUserCredentials": frozenset(
        {
            "iam:ListAccessKeys",
            "iam:ListSigningCertificates",
            "iam:GetLoginProfile",
            "iam:ListMFADevices",
            "iam:GetAccountSummary",
            "iam:GetUser",
            "iam:GetAccessKeyLastUsed",
        }
    ),
    "IAMCreateRootUserPassword": frozenset({"iam:CreateLoginProfile", "iam:GetLoginProfile"}),
    "IAMDeleteRootUserCredentials": frozenset(
        {
            "iam:DeleteAccessKey",
            "iam:DeleteSigningCertificate",
            "iam:DeleteLoginProfile",
            "iam:DeactivateMFADevice",
            "iam:DeleteVirtualMFADevice",
            "iam:ListAccessKeys",
            "iam:ListSigningCertificates",
            "iam:GetLoginProfile",
            "iam:ListMFADevices",
            "iam:GetUser",
            "iam:GetAccessKeyLastUsed",
        }
    ),
    "S3UnlockBucketPolicy": frozenset(
        {"s3:DeleteBucketPolicy", "s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:ListAllMyBuckets"}
    ),
    "SQSUnlockQueuePolicy": frozenset(
        {"sqs:SetQueueAttributes", "sqs:GetQueueAttributes", "sqs:ListQueues", "sqs:GetQueueUrl"}
    ),
}
"""What each of AWS's root-task policies lets through; a test holds them against the documents that moto ships."""


class Refusal(ServiceException):
    """AWS's no; named here and not in moto, so that moto looks its code up in the service that was asked.

    `reason` is the finer word that some of Organizations' errors have.
    """

    reason: str = ""


def refuse(code: str, message: str, reason: str = "") -> Refusal:
    """Make a refusal in AWS's words."""
    refusal = Refusal(code, message)
    refusal.reason = reason
    return refusal


@dataclass(slots=True)
class RootDevice:
    """One MFA device of a root user: its serial number and since when it is on."""

    serial: str
    since: datetime


@dataclass(slots=True)
class RootUser:
    """One account's root user as AWS knows it.

    `recoverable` says that "forgot password" works; `password` that a login profile exists. A member that the
    Organization made while it manages root credentials begins with neither.
    """

    account: str
    made_at: datetime
    password: bool = True
    recoverable: bool = True
    password_used: datetime | None = None
    devices: list[RootDevice] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    certificates: list[str] = field(default_factory=list)
    standalone: bool = False
    """Whether it has what leaving an Organization needs: contact, phone, payment method, support plan."""
    lacks: str = "MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED"
    """AWS's word for what is missing while it is not `standalone`."""

    def add_device(self, name: str, since: datetime) -> RootDevice:
        """Enrol a virtual device, as the console does for who is signed in as root (no API does)."""
        if len(self.devices) >= ROOT_DEVICES_MAX:
            raise refuse("LimitExceeded", f"Cannot exceed quota for MFADevicesPerUser: {ROOT_DEVICES_MAX}")
        device = RootDevice(f"arn:aws:iam::{self.account}:mfa/{name}", since)
        self.devices.append(device)
        return device

    def add_key(self) -> str:
        """Make a root access key, as who is signed in as root can."""
        self.keys.append(f"AKIA{uuid.uuid4().hex[:16].upper()}")
        return self.keys[-1]

    def add_certificate(self) -> str:
        """Upload a signing certificate, as who is signed in as root can."""
        self.certificates.append(uuid.uuid4().hex.upper())
        return self.certificates[-1]

    def forget(self) -> None:
        """Be as a member whose root credentials are gone: no sign-in, no recovery."""
        self.password = self.recoverable = False
        self.devices.clear()
        self.keys.clear()
        self.certificates.clear()


@dataclass(frozen=True, slots=True)
class Session:
    """Temporary credentials that STS gave: whose they are, until when, and what they may do.

    `task` is the name of the root-task policy, None for a role's session.
    """

    key_id: str
    token: str
    account: str
    until: datetime
    arn: str
    task: str | None = None
    source_identity: str | None = None


@dataclass(slots=True)
class Call:
    """One request that arrived: whose account, what, and by which access key."""

    account: str
    action: str
    key_id: str


@dataclass(slots=True)
class AwsState:
    """Everything that the stand-in remembers beside moto's backends."""

    now: Callable[[], datetime]
    roots: dict[str, RootUser] = field(default_factory=dict)
    sessions: dict[str, Session] = field(default_factory=dict)
    features: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    reports: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    denied: list[tuple[str, str]] = field(default_factory=list)
    faults: dict[str, deque[str]] = field(default_factory=lambda: defaultdict(deque))
    lost: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    calls: list[Call] = field(default_factory=list)
    trail: list[dict[str, Any]] = field(default_factory=list)
    mailed: list[tuple[str, str]] = field(default_factory=list)
    pending_mail: dict[str, tuple[str, str]] = field(default_factory=dict)
    status_too: bool = False
    contacts: dict[str, dict[str, str]] = field(default_factory=dict)
    regions: tuple[str, ...] = BY_DEFAULT
    opted: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    down: set[str] = field(default_factory=set)
    bound: set[tuple[str, str]] = field(default_factory=set)
    lag: int = 0

    def moment(self) -> datetime:
        """Give the time as moto keeps it: UTC without saying so."""
        return self.now().astimezone(UTC).replace(tzinfo=None)

    def root(self, account: str) -> RootUser:
        """Give an account's root user; one that was not spoken of has a password and nothing else."""
        if account not in self.roots:
            self.roots[account] = RootUser(account, self.now())
        return self.roots[account]

    def task_session(self, key_id: str) -> Session | None:
        """Give the privileged root session that this access key is of."""
        session = self.sessions.get(key_id)
        return session if session is not None and session.task is not None else None

    def check_may(self, account: str, action: str, key_id: str, token: str | None) -> None:
        """Refuse what AWS refuses before an operation is looked at: who asks, since when, and for what."""
        session = self.sessions.get(key_id)
        if session is None and key_id.startswith("ASIA"):
            raise refuse("InvalidClientTokenId", "The security token included in the request is invalid.")
        if session is not None and token != session.token:
            raise refuse("InvalidClientTokenId", "The security token included in the request is invalid.")
        if session is not None and self.now() >= session.until:
            raise refuse("ExpiredToken", "The security token included in the request is expired")
        who = session.arn if session is not None else f"arn:aws:iam::{account}:user/test"
        allowed = session is None or session.task is None or action in TASK_POLICIES[session.task]
        if not allowed or any(
            account == named and fnmatchcase(action, pattern) for named, pattern in self.denied
        ):
            raise refuse("AccessDenied", f"User: {who} is not authorized to perform: {action}")

    def note(self, record: dict[str, Any]) -> None:
        """Keep a record as CloudTrail would deliver it."""
        moment = self.now().replace(microsecond=0).isoformat().replace("+00:00", "Z")
        self.trail.append(
            {"eventVersion": "1.10", "eventTime": moment, "eventID": str(uuid.uuid4())} | record
        )


def with_state(state: AwsState, do: Callable[[AwsState, Any], Any]) -> Callable[[Any], Any]:
    """Make an operation of moto's out of a function that also needs what the stand-in remembers."""

    def operation(self: Any) -> Any:
        return do(state, self)

    return operation
