"""What CloudTrail would have written: of each call to KMS as it happens, and of root by hand.

`recording` listens to every client of this process, the vault's own and a thief's, so that the RequestIds in its
records are those of KMS's answers. Where key and caller are of two accounts it writes two records with one
sharedEventID, as AWS does.
"""

from __future__ import annotations

import contextlib
import gzip
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from unittest import mock
from uuid import uuid4

from botocore.client import BaseClient
from botocore.exceptions import ClientError

from vault.adapters.cloudtrail.folder import Folder

if TYPE_CHECKING:
    from vault.bootstrap.compose import Vault

Record = dict[str, Any]
CALLER: Final = "123456789012"
ROLE: Final = f"arn:aws:sts::{CALLER}:assumed-role/RootVault/i-0abc"
ORGANISATION: Final = "o-abcdefghij"
_USES: Final = {"Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt"}


@dataclass(slots=True)
class Recorder:
    """The records of calls to KMS, in their order; `who` is told as their caller."""

    now: Callable[[], datetime]
    records: list[Record] = field(default_factory=list)
    who: str = ROLE

    def take(self) -> list[Record]:
        """Give the records since the last time."""
        taken, self.records = self.records, []
        return taken


@contextlib.contextmanager
def recording(now: Callable[[], datetime]) -> Iterator[Recorder]:
    """Record every use of KMS in this process."""
    recorder = Recorder(now)
    honest = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave it out

    def call(self: Any, operation_name: str, api_params: Any) -> Any:
        error: ClientError | None = None
        try:
            answer = honest(self, operation_name, api_params)
        except ClientError as failure:
            error, answer = failure, failure.response
        if self.meta.service_model.service_name == "kms" and operation_name in _USES:
            recorder.records += _key_use(
                recorder, operation_name, api_params, answer, error, self.meta.region_name
            )
        if error is not None:
            raise error
        return answer

    with mock.patch.object(BaseClient, "_make_api_call", call):
        yield recorder


def _key_use(
    recorder: Recorder, operation: str, asked: Any, answer: Any, error: ClientError | None, region: str
) -> list[Record]:
    key = str(asked["KeyId"])
    owner = key.split(":")[4]
    record: Record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": recorder.who,
            "accountId": CALLER,
            "accessKeyId": "ASIAVAULT",
        },
        "eventTime": stamp(recorder.now()),
        "eventSource": "kms.amazonaws.com",
        "eventName": operation,
        "awsRegion": region,
        "sourceIPAddress": "192.0.2.10",
        "userAgent": "Boto3/1.44",
        "requestParameters": {"keyId": key, "encryptionContext": dict(asked.get("EncryptionContext", {}))},
        "responseElements": None,
        "requestID": answer["ResponseMetadata"]["RequestId"],
        "eventID": str(uuid4()),
        "readOnly": True,
        "resources": [{"accountId": owner, "type": "AWS::KMS::Key", "ARN": key}],
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": CALLER,
        "eventCategory": "Management",
    }
    if not asked.get("EncryptionContext"):
        del record["requestParameters"]["encryptionContext"]
    if error is not None:
        record |= {"errorCode": error.response["Error"]["Code"], "errorMessage": "refused"}
    if owner == CALLER:
        return [record]
    shared = {"sharedEventID": str(uuid4())}
    return [record | shared, record | shared | {"eventID": str(uuid4()), "recipientAccountId": owner}]


def root(
    account: str, at: datetime, name: str = "ConsoleLogin", *, region: str = "us-east-1", **more: Any
) -> Record:
    """Make a record of something that root did: by default, a sign-in with MFA that succeeded."""
    record: Record = {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "Root",
            "principalId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "accountId": account,
            "accessKeyId": "",
        },
        "eventTime": stamp(at),
        "eventSource": "signin.amazonaws.com",
        "eventName": name,
        "awsRegion": region,
        "sourceIPAddress": "203.0.113.10",
        "userAgent": "Mozilla/5.0",
        "requestParameters": None,
        "responseElements": {name: "Success"},
        "additionalEventData": {"MFAUsed": "YES", "MobileVersion": "No"} if name == "ConsoleLogin" else None,
        "eventID": str(uuid4()),
        "eventType": "AwsConsoleSignIn",
        "managementEvent": True,
        "recipientAccountId": account,
    }
    return record | more


def used(account: str, at: datetime, name: str = "DeleteBucketPolicy", key: str = "", **more: Any) -> Record:
    """Make a record of root's use of an API."""
    record = root(account, at, name, **more)
    identity = record["userIdentity"] | {"accessKeyId": key or "ASIAIOSFODNN7CONSOL"}
    own = {"userIdentity": identity, "eventSource": "s3.amazonaws.com", "eventType": "AwsApiCall"}
    return record | own | {"responseElements": None} | more


def assumed(account: str, at: datetime, key: str, broker: str = "999988887777") -> Record:
    """Make the record of a broker that took a task session of a member's root."""
    record = root(broker, at, "AssumeRoot")
    arn = f"arn:aws:sts::{broker}:assumed-role/Broker/rootvault"
    return record | {
        "userIdentity": {"type": "AssumedRole", "arn": arn, "accountId": broker, "accessKeyId": "ASIABROKER"},
        "eventSource": "sts.amazonaws.com",
        "eventType": "AwsApiCall",
        "requestParameters": {
            "targetPrincipal": account,
            "taskPolicyArn": {"arn": "arn:aws:iam::aws:policy/x"},
        },
        "responseElements": {"credentials": {"accessKeyId": key, "expiration": "Nov 21, 2026, 12:03:43 AM"}},
    }


def stamp(at: datetime) -> str:
    """Write a time as CloudTrail does: whole seconds, cut off."""
    return f"{at:%Y-%m-%dT%H:%M:%SZ}"


def packed(records: Iterable[object]) -> bytes:
    """Write a file as CloudTrail does."""
    return gzip.compress(json.dumps({"Records": list(records)}).encode())


def key_of(
    name: str,
    at: datetime,
    *,
    account: str = CALLER,
    region: str = "eu-central-1",
    org: bool = False,
    kind: str = "CloudTrail",
) -> str:
    """Give the address of a file below a trail's prefix."""
    organisation = f"{ORGANISATION}/" if org else ""
    folder = f"AWSLogs/{organisation}{account}/{kind}/{region}/{at:%Y/%m/%d}"
    return f"{folder}/{account}_{kind}_{region}_{at:%Y%m%dT%H%MZ}_{name}.json.gz"


def deliver(folder: Path, records: Iterable[object], at: datetime, name: str = "a", **where: Any) -> Path:
    """Write records into a folder as a trail's file; give the file."""
    path = folder / key_of(name, at, **where)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(packed(records))
    return path


def found_at(vault: Vault, folder: Path, records: Iterable[object], at: datetime) -> None:
    """Let a vault that has no source of its own read records from a folder, once."""
    deliver(folder, records, at)
    replace(vault.reconciliation, sources=(Folder(folder),)).once()
