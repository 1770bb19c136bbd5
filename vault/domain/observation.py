"""What AWS says of how an account's root got in, and of what changed that: one observation each, from any source.

Decided here: what is taken from a record of CloudTrail, when it counts as root's own, and what the serial number of a
device tells. Never decided here: what an observation proves or contradicts (`vault.domain.proof`).

Sources: AWS, "AWS Management Console sign-in events"; CIS for who counts as root; IAM, "IAM identifiers" for serial
numbers of devices.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.cloudtrail import CloudRecord
from vault.domain.trail_text import object_in, plain

DEVICE_PREFIX: Final = "rv-"
"""How the name begins that the vault suggests for the device of an MFA version: ``rv-<version>``."""
_VIRTUAL: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):mfa/[!-~]+", re.ASCII)
"""The serial number of a device that makes codes of a seed; a security key's has another kind, hardware's none."""


class Source(StrEnum):
    """Where an observation was made."""

    CLOUDTRAIL = "cloudtrail"
    ACCOUNT_SUMMARY = "account_summary"
    CREDENTIAL_REPORT = "credential_report"


class Act(StrEnum):
    """What AWS says happened, in its own words; the last two are states that an inspection saw."""

    SIGN_IN = "ConsoleLogin"
    PASSWORD_UPDATED = "PasswordUpdated"  # noqa: S105 - the name of an event, not a value
    PASSWORD_RECOVERED = "PasswordRecoveryCompleted"  # noqa: S105 - the name of an event, not a value
    EMAIL_UPDATED = "EmailUpdated"
    MFA_ENABLED = "EnableMFADevice"
    MFA_DEACTIVATED = "DeactivateMFADevice"
    PASSWORD_USED = "password_last_used"  # noqa: S105 - the name of a column, not a value
    MFA_STATED = "AccountMFAEnabled"


ROOT_CHANGES: Final = frozenset(
    {
        Act.PASSWORD_UPDATED,
        Act.PASSWORD_RECOVERED,
        Act.EMAIL_UPDATED,
        Act.MFA_ENABLED,
        Act.MFA_DEACTIVATED,
    }
)
"""What changes how root gets in."""
OBSERVED: Final = ROOT_CHANGES | {Act.SIGN_IN}
"""What is taken from CloudTrail."""
_SERVICES: Final[Mapping[Act, tuple[str, str]]] = {
    act: ("iam.amazonaws.com", "AwsApiCall")
    if act in {Act.MFA_ENABLED, Act.MFA_DEACTIVATED}
    else ("signin.amazonaws.com", "AwsConsoleSignIn")
    for act in OBSERVED
}
"""Which service records an act of root, and as what type of event."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that AWS says of an account's root.

    `id` names it for ever within its source (CloudTrail's `eventID`, an inspection's id). `by_root` says that root
    itself did it: of this account in every field, not through a service, not in a task session. `mfa` is what a
    sign-in or a summary says of MFA; `device` the serial number that an act on a device, or a sign-in by one, named.
    """

    account_id: str
    source: Source
    act: Act
    at: datetime
    id: str
    by_root: bool = True
    failed: bool = False
    mfa: bool | None = None
    device: str | None = None

    @property
    def counts(self) -> bool:
        """Whether it is something that root did and AWS accepted."""
        return self.by_root and not self.failed


def observe(record: CloudRecord, *, in_session: bool = False) -> Observation | None:
    """Take from a kept record what it says of how root got in; None where it says nothing of that.

    `in_session` says that it happened in a task session (`sts:AssumeRoot`), which is not root itself.
    """
    if record.name not in OBSERVED or record.account_id is None:
        return None
    act = Act(record.name)
    raw = json.loads(record.record)
    service, kind = _SERVICES[act]
    if raw.get("eventSource") != service:
        return None
    asked, told = object_in(raw, "requestParameters"), object_in(raw, "additionalEventData")
    device = told.get("MFAIdentifier") if act is Act.SIGN_IN else asked.get("serialNumber")
    identity = object_in(raw, "userIdentity")
    by_root = (
        not in_session
        and raw.get("eventType") == kind
        and identity.get("type") == "Root"
        and not identity.get("invokedBy")
        and identity.get("accountId") == record.account_id
        and record.recipient == record.account_id
    )
    return Observation(
        account_id=record.account_id,
        source=Source.CLOUDTRAIL,
        act=act,
        at=record.happened_at,
        id=record.event_id,
        by_root=by_root,
        failed=record.error is not None,
        mfa=record.mfa if act is Act.SIGN_IN else None,
        device=plain(device) or None,
    )


def version_of(device: str | None) -> int | None:
    """Read the version out of a device's serial number, where it is named as the vault suggests."""
    name = (device or "").rsplit("/", 1)[-1]
    digits = name.removeprefix(DEVICE_PREFIX)
    named = name.startswith(DEVICE_PREFIX) and digits.isascii() and digits.isdigit() and len(digits) < 10  # noqa: PLR2004 - as `version` in a context
    return int(digits) if named else None


def makes_codes(device: str | None, account_id: str) -> bool:
    """Say whether a serial number is that of an account's device of codes, which alone can hold a seed of ours."""
    found = _VIRTUAL.fullmatch(device or "")
    return found is not None and found[1] == account_id
