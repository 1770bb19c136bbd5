"""What AWS's own records prove about a rotation, and what they say against what the vault holds.

Decided here: the rules, and nothing else; who brings the records is `vault.ports.evidence`, who acts on them
`vault.services.proving`. The vault never signs in as root: it only reads what AWS wrote down about those who did.
A record counts by the time at which AWS says that it happened, never by when it came. AWS tells whole seconds.

What a record can prove is bounded: AWS writes that *a* password was set, never which one. So a change proves a rotation
only where it is the only one between showing the value and hearing that AWS took it, and a sign-in only under a lease
in which no other version of the part was given out. What is late, doubled, of another account, from before the value
was shown, refused, or made by a service proves nothing.

Sources: AWS, "AWS Management Console sign-in events"; IAM, "GetAccountSummary" and "Generate credential reports"
(of several uses of a password within five minutes the report names the first); CIS for who counts as root.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from vault.domain.cloudtrail import CloudRecord, plain
from vault.domain.credential import PartKind

SLACK: Final = timedelta(seconds=60)
"""How long after an attestation AWS may say that the change happened: clocks differ."""
DEVICE_PREFIX: Final = "rv-"
"""How the name begins that the vault suggests for the device of an MFA version: ``rv-<version>``."""


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
    sign-in or a summary says of MFA; `device` the serial number that an act on a device named.
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


@dataclass(frozen=True, slots=True)
class Window:
    """When a change of a part at AWS may be that of a rotation: from the first showing to the attestation.

    `until` is None while nobody has said what became of it. `refused` says that AWS was said not to have taken it.
    `lease_end` is when the lease ended under which it was attested: an old device goes last.
    """

    account_id: str
    kind: PartKind
    version: int
    since: datetime
    until: datetime | None
    refused: bool = False
    lease_end: datetime | None = None

    def covers(self, at: datetime) -> bool:
        """Say whether a moment lies in it."""
        return floor(self.since) <= at and (self.until is None or at <= self.until + SLACK)

    def explains(self, seen: Observation) -> bool:
        """Say whether a change is this rotation's own; of one that AWS was said to have refused none is."""
        if self.refused:
            return False
        if seen.act is not Act.MFA_DEACTIVATED:
            return self.covers(seen.at)
        until = self.lease_end if self.until is None else max(self.until, self.lease_end or self.until)
        in_time = floor(self.since) <= seen.at and (until is None or seen.at <= until + SLACK)
        return in_time and version_of(seen.device) != self.version


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Something that changed at AWS and that no rotation of the vault did: what is held may not work any more."""

    account_id: str
    kind: PartKind
    observation: Observation

    @property
    def why(self) -> str:
        """Say it in words: what AWS recorded and when."""
        seen = self.observation
        return f"AWS recorded {seen.act} at {seen.at:%Y-%m-%d %H:%M:%S} UTC (event {seen.id}), outside any rotation."


def contradictions(
    since: Mapping[PartKind, datetime], observations: Iterable[Observation], windows: Sequence[Window]
) -> tuple[Contradiction, ...]:
    """Say what of an account's records contradicts what is held of it, oldest first.

    `since` gives when each part's current version became so; of parts without one nothing is said. `windows` are those
    of the account's rotations. An old device that is removed is no contradiction: to remove one that is named for an
    older version, or before the lease of the rotation is over, is a rotation's last step.
    """
    found: dict[tuple[str, PartKind], Contradiction] = {}
    for seen in sorted(observations, key=lambda each: (each.at, each.id)):
        kind = PartKind.MFA if seen.act in {Act.MFA_ENABLED, Act.MFA_DEACTIVATED} else PartKind.PASSWORD
        if seen.act not in ROOT_CHANGES or seen.failed or kind not in since or seen.at < floor(since[kind]):
            continue
        own = [window for window in windows if window.kind is kind]
        if seen.act is not Act.EMAIL_UPDATED and any(window.explains(seen) for window in own):
            continue
        if seen.act is Act.MFA_DEACTIVATED and _is_old(seen.device, own):
            continue
        found.setdefault((seen.id, kind), Contradiction(seen.account_id, kind, seen))
    return tuple(found.values())


def observe(record: CloudRecord) -> Observation | None:
    """Take from a kept record what it says of how root got in; None where it says nothing of that."""
    if record.name not in OBSERVED or record.account_id is None:
        return None
    act = Act(record.name)
    raw = json.loads(record.record)
    identity = _object(raw, "userIdentity")
    by_root = (
        (raw.get("eventSource"), raw.get("eventType")) == _SERVICES[act]
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
        device=plain(_object(raw, "requestParameters").get("serialNumber")) or None,
    )


def _object(raw: Mapping[str, object], name: str) -> Mapping[str, object]:
    value = raw.get(name)
    return value if isinstance(value, Mapping) else {}


def floor(at: datetime) -> datetime:
    """Give a time as AWS tells it, in whole seconds."""
    return at.replace(microsecond=0)


def _is_old(device: str | None, windows: Sequence[Window]) -> bool:
    """Say whether a device is named for a version before the newest that was taken."""
    number = version_of(device)
    taken = [window.version for window in windows if not window.refused and window.until is not None]
    return number is not None and number < max(taken, default=0)


def version_of(device: str | None) -> int | None:
    """Read the version out of a device's serial number, where it is named as the vault suggests."""
    name = (device or "").rsplit("/", 1)[-1]
    digits = name.removeprefix(DEVICE_PREFIX)
    named = name.startswith(DEVICE_PREFIX) and digits.isascii() and digits.isdigit() and len(digits) < 10  # noqa: PLR2004 - as `version` in a context
    return int(digits) if named else None
