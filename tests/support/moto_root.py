"""IAM's side of a root user for tests: moto has none.

`GetAccountSummary` and the credential report tell of `AwsState.root(account)`; in a privileged root session the
operations that its task policy names act on the root user where no user is named, and are refused for anybody else.
The report is made at most every four hours (IAM User Guide, "Getting credential reports"), so it may be old where
the summary is fresh.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import IAMBackend
from moto.iam.responses import IamResponse

from tests.support.aws_state import AwsState, RootUser, refuse

REPORT_KEPT: Final = timedelta(hours=4)


def root_user(state: AwsState) -> list[tuple[object, str, object]]:
    """Give what has to stand in moto's IAM."""
    return [*_summaries(state), *_tasks(state), (IAMBackend, "list_virtual_mfa_devices", _virtual(state))]


def _summaries(state: AwsState) -> list[tuple[object, str, object]]:
    def get_account_summary(self: Any) -> ActionResult:
        root = state.root(self.current_account)
        told = self.backend.get_account_summary().summary_map | {
            "AccountMFAEnabled": int(bool(root.devices)),
            "AccountAccessKeysPresent": int(bool(root.keys)),
            "AccountPasswordPresent": int(root.password),
            "AccountSigningCertificatesPresent": int(bool(root.certificates)),
        }
        return ActionResult({"SummaryMap": told})

    def generate_credential_report(self: Any) -> ActionResult:
        made = state.reports.get(self.current_account)
        if made is not None and state.now() - made[0] < REPORT_KEPT:
            return ActionResult({"State": "COMPLETE"})
        self.backend.generate_report()
        header, *users = self.backend.get_credential_report().splitlines()
        report = "\n".join([header, _row(state.root(self.current_account)), *users])
        state.reports[self.current_account] = (state.now(), report)
        return ActionResult({"State": "STARTED", "Description": "No report exists. Starting a new report"})

    def get_credential_report(self: Any) -> ActionResult:
        made = state.reports.get(self.current_account)
        if made is None:
            raise refuse("ReportNotPresent", "No report was made yet.")
        if state.now() - made[0] >= REPORT_KEPT:
            raise refuse("ReportExpired", "The report is too old.")
        return ActionResult({"Content": made[1], "ReportFormat": "text/csv", "GeneratedTime": made[0]})

    return [
        (IamResponse, "get_account_summary", get_account_summary),
        (IamResponse, "generate_credential_report", generate_credential_report),
        (IamResponse, "get_credential_report", get_credential_report),
    ]


def _row(root: RootUser) -> str:
    """Write the report's line of the root user, 22 columns as IAM's User Guide lists them."""

    def when(moment: datetime | None, otherwise: str) -> str:
        return otherwise if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S+00:00")

    keys = [
        column
        for number in range(2)
        for column in (("true" if len(root.keys) > number else "false"), "N/A", "N/A", "N/A", "N/A")
    ]
    certificates = [
        column
        for number in range(2)
        for column in (("true" if len(root.certificates) > number else "false"), "N/A")
    ]
    return ",".join(
        [
            "<root_account>",
            f"arn:aws:iam::{root.account}:root",
            when(root.made_at, "N/A"),
            "not_supported" if root.password else "false",
            when(root.password_used, "no_information"),
            "not_supported",
            "not_supported",
            "true" if root.devices else "false",
            *keys,
            *certificates,
        ]
    )


def _tasks(state: AwsState) -> list[tuple[object, str, object]]:
    def of_root(name: str, do: Callable[[Any, RootUser], ActionResult]) -> tuple[object, str, object]:
        plain = getattr(IamResponse, name)

        def operation(self: Any) -> ActionResult:
            session = state.task_session(self.access_key)
            if session is None:
                answer: ActionResult = plain(self)
                return answer
            if self._get_param("UserName"):
                raise refuse("AccessDenied", f"User: {session.arn} is not authorized: not the root user")
            result = do(self, state.root(session.account))
            if not name.startswith(("get", "list")):
                state.note(_record(self, name, session.account))
            return result

        return IamResponse, name, operation

    return [of_root(do.__name__.removeprefix("_"), do) for do in _TASKS]


def _profile(root: RootUser) -> ActionResult:
    return ActionResult({"LoginProfile": {"UserName": "root", "CreateDate": root.made_at}})


def _get_login_profile(_: Any, root: RootUser) -> ActionResult:
    if not root.password:
        raise refuse("NoSuchEntity", f"Login Profile for User {root.account} cannot be found.")
    return _profile(root)


def _create_login_profile(self: Any, root: RootUser) -> ActionResult:
    if self._get_param("Password") is not None:
        raise refuse("ValidationError", "Password must be omitted in an AssumeRoot session.")
    if root.password:
        raise refuse("EntityAlreadyExists", "Login Profile for root already exists.")
    root.password = root.recoverable = True
    return _profile(root)


def _delete_login_profile(_: Any, root: RootUser) -> ActionResult:
    if not root.password:
        raise refuse("NoSuchEntity", f"Login Profile for User {root.account} cannot be found.")
    root.password = root.recoverable = False
    return EmptyResult()


def _list_mfa_devices(_: Any, root: RootUser) -> ActionResult:
    devices = [
        {"UserName": "root", "SerialNumber": each.serial, "EnableDate": each.since} for each in root.devices
    ]
    return ActionResult({"MFADevices": devices, "IsTruncated": False})


def _deactivate_mfa_device(self: Any, root: RootUser) -> ActionResult:
    serial = self._get_param("SerialNumber")
    kept = [each for each in root.devices if each.serial != serial]
    if len(kept) == len(root.devices):
        raise refuse("NoSuchEntity", f"MFA Device {serial} cannot be found.")
    root.devices[:] = kept
    return EmptyResult()


def _delete_virtual_mfa_device(self: Any, root: RootUser) -> ActionResult:
    if any(each.serial == self._get_param("SerialNumber") for each in root.devices):
        raise refuse("DeleteConflict", "Must deactivate MFA device first.")
    return EmptyResult()


def _list_access_keys(_: Any, root: RootUser) -> ActionResult:
    keys = [
        {"UserName": "root", "AccessKeyId": each, "Status": "Active", "CreateDate": root.made_at}
        for each in root.keys
    ]
    return ActionResult({"AccessKeyMetadata": keys, "IsTruncated": False})


def _delete_access_key(self: Any, root: RootUser) -> ActionResult:
    return _removed(root.keys, self._get_param("AccessKeyId"), "Access Key")


def _get_access_key_last_used(self: Any, root: RootUser) -> ActionResult:
    if self._get_param("AccessKeyId") not in root.keys:
        raise refuse("NoSuchEntity", "The Access Key cannot be found.")
    never = {"ServiceName": "N/A", "Region": "N/A"}
    return ActionResult({"UserName": "root", "AccessKeyLastUsed": never})


def _list_signing_certificates(_: Any, root: RootUser) -> ActionResult:
    told = [
        {
            "UserName": "root",
            "CertificateId": each,
            "CertificateBody": "-",
            "Status": "Active",
            "UploadDate": root.made_at,
        }
        for each in root.certificates
    ]
    return ActionResult({"Certificates": told, "IsTruncated": False})


def _delete_signing_certificate(self: Any, root: RootUser) -> ActionResult:
    return _removed(root.certificates, self._get_param("CertificateId"), "Certificate")


def _get_user(_: Any, root: RootUser) -> ActionResult:
    told = {
        "Path": "/",
        "UserName": "root",
        "UserId": root.account,
        "Arn": f"arn:aws:iam::{root.account}:root",
        "CreateDate": root.made_at,
    }
    return ActionResult(
        {"User": told | ({"PasswordLastUsed": root.password_used} if root.password_used else {})}
    )


def _removed(held: list[str], name: str, what: str) -> ActionResult:
    if name not in held:
        raise refuse("NoSuchEntity", f"The {what} with id {name} cannot be found.")
    held.remove(name)
    return EmptyResult()


_TASKS: Final[tuple[Callable[[Any, RootUser], ActionResult], ...]] = (
    _get_login_profile,
    _create_login_profile,
    _delete_login_profile,
    _list_mfa_devices,
    _deactivate_mfa_device,
    _delete_virtual_mfa_device,
    _list_access_keys,
    _delete_access_key,
    _get_access_key_last_used,
    _list_signing_certificates,
    _delete_signing_certificate,
    _get_user,
)


def _virtual(state: AwsState) -> object:
    """Let a root's device be among the virtual ones, as AWS lists it: its user's ARN ends in ``:root``."""
    plain = IAMBackend.list_virtual_mfa_devices

    def list_virtual_mfa_devices(
        self: Any, assignment_status: str, marker: str | None, max_items: int
    ) -> tuple[list[Any], str | None]:
        devices, following = plain(self, assignment_status, marker, max_items)
        of_root = [
            {
                "SerialNumber": each.serial,
                "EnableDate": each.since,
                "User": {
                    "UserId": self.account_id,
                    "Arn": f"arn:aws:iam::{self.account_id}:root",
                    "CreateDate": state.root(self.account_id).made_at,
                },
            }
            for each in (state.root(self.account_id).devices if marker is None else [])
            if assignment_status != "Unassigned"
        ]
        return [*of_root, *devices], following

    return list_virtual_mfa_devices


def _record(self: Any, name: str, account: str) -> dict[str, Any]:
    """CloudTrail User Guide, "Track privileged tasks": in the member's trail, by Root, with the session's key."""
    return {
        "userIdentity": {
            "type": "Root",
            "principalId": account,
            "arn": f"arn:aws:iam::{account}:root",
            "accountId": account,
            "accessKeyId": self.access_key,
            "sessionContext": {"attributes": {"mfaAuthenticated": "false"}},
        },
        "eventSource": "iam.amazonaws.com",
        "eventName": str(self._get_action()),
        "awsRegion": "us-east-1",
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": None,
        "responseElements": None,
        "readOnly": name.startswith(("get", "list")),
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": account,
        "eventCategory": "Management",
    }
