"""AWS's own record of what root did, as CloudTrail delivers it: one small file for each act.

The story's console writes here what it lets people do, and nothing of it comes from the vault: so that the vault's
log can be held against somebody else's. Shapes: AWS, "CloudTrail record contents", "AWS Management Console sign-in
events" and "CloudTrail log file name format".
"""

from __future__ import annotations

import gzip
import json
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from uuid import uuid4

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

REGION: Final = "us-east-1"
"""Where the console signs root in, whatever region it shows."""
OFFICE: Final = "203.0.113.10"
CUSTOMER: Final = "198.51.100.20"
SIGNIN: Final = "signin.amazonaws.com"
IAM: Final = "iam.amazonaws.com"


@dataclass(frozen=True, slots=True)
class CloudTrail:
    """A folder of CloudTrail files."""

    folder: Path

    def signed_in(self, account_id: str, at: datetime, *, ip: str = OFFICE, mfa: bool = True) -> None:
        """Record that root signed in at the console."""
        more = {"MFAUsed": "YES" if mfa else "No", "MobileVersion": "No"}
        answer = {"ConsoleLogin": "Success"}
        event = {"additionalEventData": more, "responseElements": answer, "eventType": "AwsConsoleSignIn"}
        self._write(account_id, at, SIGNIN, "ConsoleLogin", ip, event)

    def password_updated(self, account_id: str, at: datetime) -> None:
        """Record that root's password was changed."""
        answer = {"PasswordUpdated": "Success"}
        event = {"responseElements": answer, "eventType": "AwsConsoleSignIn"}
        self._write(account_id, at, SIGNIN, "PasswordUpdated", OFFICE, event)

    def password_recovered(self, account_id: str, at: datetime) -> None:
        """Record that whoever has the root mailbox set a new password by it."""
        answer = {"PasswordRecoveryCompleted": "Success"}
        event = {"responseElements": answer, "eventType": "AwsConsoleSignIn"}
        self._write(account_id, at, SIGNIN, "PasswordRecoveryCompleted", CUSTOMER, event)

    def email_updated(self, account_id: str, at: datetime) -> None:
        """Record that root's e-mail address was changed."""
        event = {"responseElements": {"EmailUpdated": "Success"}, "eventType": "AwsConsoleSignIn"}
        self._write(account_id, at, SIGNIN, "EmailUpdated", OFFICE, event)

    def device_enabled(self, account_id: str, at: datetime) -> None:
        """Record that root enrolled an MFA device."""
        asked = {"userName": "AWS ROOT USER", "serialNumber": f"arn:aws:iam::{account_id}:mfa/root"}
        event = {"requestParameters": asked, "eventType": "AwsApiCall", "requestID": str(uuid4())}
        self._write(account_id, at, IAM, "EnableMFADevice", OFFICE, event)

    def _write(
        self, account_id: str, at: datetime, source: str, name: str, ip: str, event: dict[str, Any]
    ) -> None:
        record = {
            "eventVersion": "1.11",
            "userIdentity": {
                "type": "Root",
                "principalId": account_id,
                "arn": f"arn:aws:iam::{account_id}:root",
                "accountId": account_id,
                "accessKeyId": "",
            },
            "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
            "eventSource": source,
            "eventName": name,
            "awsRegion": REGION,
            "sourceIPAddress": ip,
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
            "eventID": str(uuid4()),
            "readOnly": False,
            "managementEvent": True,
            "recipientAccountId": account_id,
            "eventCategory": "Management",
        }
        folder = self.folder / f"AWSLogs/{account_id}/CloudTrail/{REGION}/{at:%Y/%m/%d}"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{account_id}_CloudTrail_{REGION}_{at:%Y%m%dT%H%MZ}_{secrets.token_hex(8)}.json.gz"
        file.write_bytes(gzip.compress(json.dumps({"Records": [record | event]}).encode()))
