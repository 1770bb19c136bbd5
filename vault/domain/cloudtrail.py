"""CloudTrail's records as far as they concern us: uses of our keys, and whatever a root user did.

Decided here: which records are kept, and what is taken from each. A record comes from outside and much of it
(user agents, names of sessions, parameters) was typed by whoever made the call. So nothing that a caller can
choose makes a record be passed by: only what AWS writes itself (ids, times, names of regions) has to be well
formed. What is not is skipped with a reason, and the reader counts it. Never done here: deciding whether a
record is explained (`vault.services.reconciliation`), or raising.

Shapes: AWS, "CloudTrail record contents" and "AWS Management Console sign-in events". `MFAUsed` is written
`Yes` or `YES`; root acts are those of CIS ("Root, not invoked by a service, not an AwsServiceEvent").
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final, TypeAlias

from vault.domain.trail_text import RECOVERIES, Object, object_in, pairs_in, plain, written

_EVENT_ID: Final = re.compile(r"[A-Za-z0-9-]{1,64}", re.ASCII)
_NAME: Final = re.compile(r"[A-Za-z0-9_:.-]{1,128}", re.ASCII)
_REGION: Final = re.compile(r"[a-z0-9-]{1,32}", re.ASCII)
_ACCOUNT: Final = re.compile(r"[0-9]{12}", re.ASCII)
_ROOT_ARN: Final = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):root", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
_REQUEST_ID: Final = re.compile(r"[!-~]{1,128}", re.ASCII)
_ACCESS_KEY: Final = re.compile(r"[A-Z0-9]{4,128}", re.ASCII)
_KEY: Final = re.compile(r"[!-~]{1,256}", re.ASCII)
_PLACE: Final[Mapping[str, re.Pattern[str]]] = {
    "account": _ACCOUNT,
    "kind": re.compile(r"[a-z][a-z0-9_-]{0,31}", re.ASCII),
    "version": re.compile(r"[1-9][0-9]{0,8}", re.ASCII),
}
_YEARS: Final = range(2000, 9000)

KEY_USES: Final = frozenset(
    {
        "Decrypt",
        "Encrypt",
        "GenerateDataKey",
        "GenerateDataKeyPair",
        "GenerateDataKeyPairWithoutPlaintext",
        "GenerateDataKeyWithoutPlaintext",
        "ReEncrypt",
    }
)
"""What KMS does with a symmetric key of ours; looking at a key is not a use of it."""


class CloudKind(StrEnum):
    """What a kept record is about."""

    KEY_USE = "key_use"
    """KMS used one of our keys, or was asked to in our context."""
    SIGN_IN = "sign_in"
    """Root signed in to the console, or tried to."""
    RECOVERY = "recovery"
    """Root's password or e-mail was recovered or changed."""
    ROOT_USE = "root_use"
    """Root did something."""
    ASSUME_ROOT = "assume_root"
    """Someone took a task session of a member's root (`sts:AssumeRoot`)."""


@dataclass(frozen=True, slots=True)
class Ours:
    """What makes a use of KMS ours: the pair `app`, this vault's id, our keys' ARNs."""

    app: str
    vault: str
    keys: frozenset[str]

    def names(self, key: str) -> bool:
        """Say whether a key is one of ours, by ARN or by its bare id."""
        return key in self.keys or any(arn.endswith(f"/{key}") for arn in self.keys)

    def owns(self, key: str) -> bool:
        """Say whether a key is one of ours, or of an account that has one: where one of ours may have been before."""
        near = {arn.split(":")[4] for arn in self.keys if arn.count(":") >= 5}  # noqa: PLR2004 - the parts of an ARN
        return self.names(key) or (key.count(":") >= 5 and key.split(":")[4] in near)  # noqa: PLR2004 - as above


@dataclass(frozen=True, slots=True)
class CloudRecord:
    """One kept record.

    `account_id` is the account it concerns (None where it names none), `recipient` the one whose trail it is
    of. `mfa` is None where the record does not say. `error` is why AWS refused, None where it did not.
    `access_key` joins a task session with what was done in it. `record` is the JSON that `parse` reads again.
    `context` is that of a place of this vault; empty where the caller's names none in our spelling.
    """

    event_id: str
    shared_id: str | None
    kind: CloudKind
    happened_at: datetime
    account_id: str | None
    recipient: str
    region: str
    name: str
    who: str
    ip: str
    error: str | None
    mfa: bool | None
    request_id: str | None
    access_key: str | None
    record: str
    late: bool
    keys: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when a record was made: what shows how far a source has delivered."""

    account_id: str
    region: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Passed:
    """A sound record that is not about us."""

    place: Place


@dataclass(frozen=True, slots=True)
class Kept:
    """A record that is about us."""

    place: Place
    record: CloudRecord


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that is no record as AWS writes them; `reason` names what of it is wrong (id, time, size)."""

    reason: str


Parsed: TypeAlias = Kept | Passed | Skipped


def parse(raw: object, ours: Ours) -> Parsed:
    """Read one record; whatever it is, nothing is raised."""
    if not isinstance(raw, Mapping):
        return Skipped("not an object")
    event_id, name = _matched(raw, "eventID", _EVENT_ID), _matched(raw, "eventName", _NAME)
    source, region = _matched(raw, "eventSource", _NAME), _matched(raw, "awsRegion", _REGION)
    if event_id is None:
        return Skipped("id")
    if name is None or source is None or region is None:
        return Skipped("name")
    at = _time(raw.get("eventTime"))
    if at is None:
        return Skipped("time")
    identity = object_in(raw, "userIdentity")
    recipient = _matched(raw, "recipientAccountId", _ACCOUNT) or _matched(identity, "accountId", _ACCOUNT)
    if recipient is None:
        return Skipped("account")
    place = Place(recipient, region, at)
    found = _about_us(raw, source, name, identity, recipient, ours)
    if found is None:
        return Passed(place)
    text = written(raw)
    if text is None:
        return Skipped("size")
    record = CloudRecord(
        event_id=event_id,
        shared_id=_matched(raw, "sharedEventID", _EVENT_ID),
        kind=found.kind,
        happened_at=at,
        account_id=found.account_id,
        recipient=recipient,
        region=region,
        name=name,
        who=_who(identity),
        ip=plain(raw.get("sourceIPAddress"), 64),
        error=_error(raw, found.kind),
        mfa=_mfa(raw, found.kind),
        request_id=_matched(raw, "requestID", _REQUEST_ID),
        access_key=found.access_key,
        record=text,
        late=isinstance(object_in(raw, "addendum").get("reason"), str),
        keys=found.keys,
        context=found.context,
    )
    return Kept(place, record)


@dataclass(frozen=True, slots=True)
class _Found:
    kind: CloudKind
    account_id: str | None
    access_key: str | None = None
    keys: tuple[str, ...] = ()
    context: Mapping[str, str] = field(default_factory=dict)


def _about_us(
    raw: Object, source: str, name: str, identity: Object, recipient: str, ours: Ours
) -> _Found | None:
    if source == "kms.amazonaws.com" and name in KEY_USES:
        found = _key_use(raw, ours)
        if found is not None:
            return found
    if source == "sts.amazonaws.com" and name == "AssumeRoot":
        answered = object_in(object_in(raw, "responseElements"), "credentials")
        target = _target(object_in(raw, "requestParameters").get("targetPrincipal"))
        return _Found(CloudKind.ASSUME_ROOT, target, _matched(answered, "accessKeyId", _ACCESS_KEY))
    if source == "signin.amazonaws.com" and name in RECOVERIES:
        return _Found(CloudKind.RECOVERY, recipient)
    if not _is_root(raw, identity):
        return None
    signing_in = source == "signin.amazonaws.com" and name == "ConsoleLogin"
    kind = CloudKind.SIGN_IN if signing_in else CloudKind.ROOT_USE
    return _Found(kind, recipient, _matched(identity, "accessKeyId", _ACCESS_KEY))


def _key_use(raw: Object, ours: Ours) -> _Found | None:
    asked = object_in(raw, "requestParameters")
    contexts = [
        pairs_in(object_in(asked, name))
        for name in ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext")
    ]
    claimed = [c for c in contexts if c.get("app") == ours.app and c.get("vault") == ours.vault]
    context = next((c for c in claimed if _is_place(c)), {})
    named = [asked.get(name) for name in ("keyId", "sourceKeyId", "destinationKeyId")]
    resources = raw.get("resources")
    if isinstance(resources, list):
        named += [each.get("ARN") for each in resources[:8] if isinstance(each, Mapping)]
    keys = tuple(dict.fromkeys(k for k in named if isinstance(k, str) and _KEY.fullmatch(k)))
    if not claimed and not any(ours.names(key) for key in keys):
        return None
    return _Found(
        CloudKind.KEY_USE,
        context.get("account"),
        keys=tuple(key for key in keys if ours.names(key)) or keys,
        context=context,
    )


def _is_place(context: Mapping[str, str]) -> bool:
    """Say whether a context names a place as we do; whoever makes a call chooses every word of it."""
    return all(pattern.fullmatch(context.get(name, "")) for name, pattern in _PLACE.items())


def _is_root(raw: Object, identity: Object) -> bool:
    return (
        identity.get("type") == "Root"
        and not identity.get("invokedBy")
        and raw.get("eventType") != "AwsServiceEvent"
    )


def _target(principal: object) -> str | None:
    if not isinstance(principal, str):
        return None
    named = _ROOT_ARN.fullmatch(principal)
    number = principal if named is None else named[1]
    return number if _ACCOUNT.fullmatch(number) else None


def _who(identity: Object) -> str:
    for name in ("arn", "invokedBy", "principalId", "type"):
        words = plain(identity.get(name))
        if words:
            return words
    return "not named"


def _error(raw: Object, kind: CloudKind) -> str | None:
    words = plain(raw.get("errorCode")) or plain(raw.get("errorMessage"))
    if kind in {CloudKind.SIGN_IN, CloudKind.RECOVERY}:
        answer = object_in(raw, "responseElements").get(str(raw.get("eventName")))
        return (words or "Failure") if answer == "Failure" or words else None
    return words or None


def _mfa(raw: Object, kind: CloudKind) -> bool | None:
    if kind is CloudKind.SIGN_IN:
        used = object_in(raw, "additionalEventData").get("MFAUsed")
        return used.lower() == "yes" if isinstance(used, str) else None
    if kind is not CloudKind.ROOT_USE:
        return None
    session = object_in(object_in(raw, "userIdentity"), "sessionContext")
    told = object_in(session, "attributes").get("mfaAuthenticated")
    return told.lower() == "true" if isinstance(told, str) else None


def _matched(raw: Object, name: str, pattern: re.Pattern[str]) -> str | None:
    value = raw.get(name)
    return value if isinstance(value, str) and pattern.fullmatch(value) else None


def _time(value: object) -> datetime | None:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        return None
    try:
        at = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if at.year in _YEARS else None
