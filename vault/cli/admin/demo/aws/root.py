"""Root users in the demonstration's IAM: what an account's summary and report tell, and what a task session does.

Rules: IAM User Guide, "Centralize root access for member accounts": a session does what its task policy names, on the
root user alone.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from vault.cli.admin.demo.aws.iam import MADE
from vault.cli.admin.demo.aws.state import RefusalError
from vault.cli.admin.demo.aws.wire import Pairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.admin.demo.aws.state import Caller, Cloud, Root

DELETES: Final = "IAMDeleteRootUserCredentials"
ALLOWS: Final = "IAMCreateRootUserPassword"
READS: Final = frozenset({DELETES, "IAMAuditRootUserCredentials"})
COLUMNS: Final = "user,arn,password_enabled,password_last_used,mfa_active"


def get_account_summary(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Count what root has (IAM GetAccountSummary)."""
    root = cloud.account(caller.account).root
    told = Pairs(
        AccountMFAEnabled=int(bool(root.devices)),
        AccountAccessKeysPresent=int(bool(root.keys)),
        AccountPasswordPresent=int(root.password),
        AccountSigningCertificatesPresent=0,
    )
    return {"SummaryMap": told}


def generate_credential_report(_: Cloud, __: Caller, ___: Mapping[str, Any]) -> dict[str, Any]:
    """Say that it is there: it is made when it is read."""
    return {"State": "COMPLETE"}


def get_credential_report(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Write root's row, of those columns that are read."""
    root = cloud.account(caller.account).root
    arn = f"arn:aws:iam::{caller.account}:root"
    enabled = "not_supported" if root.password else "false"
    row = f"<root_account>,{arn},{enabled},no_information,{'true' if root.devices else 'false'}"
    text = base64.b64encode(f"{COLUMNS}\n{row}\n".encode()).decode()
    return {"Content": text, "ReportFormat": "text/csv", "GeneratedTime": datetime.now(UTC)}


def get_login_profile(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Say whether root has a password, or may get one."""
    root = _of_task(cloud, caller, READS | {ALLOWS})
    if not (root.password or root.recoverable):
        raise _absent("login profile")
    return {"LoginProfile": {"UserName": "root", "CreateDate": MADE}}


def create_login_profile(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Let the mailbox's owner set a password."""
    root = _of_task(cloud, caller, frozenset({ALLOWS}))
    if root.password or root.recoverable:
        raise RefusalError("EntityAlreadyExists", 409)
    root.recoverable = True
    return {"LoginProfile": {"UserName": "root", "CreateDate": MADE}}


def delete_login_profile(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Delete the password, and with it recovery."""
    root = _of_task(cloud, caller, frozenset({DELETES}))
    if not (root.password or root.recoverable):
        raise _absent("login profile")
    root.password = root.recoverable = False
    return {}


def list_mfa_devices(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List root's devices."""
    root = _of_task(cloud, caller, READS)
    listed = [{"UserName": "root", "SerialNumber": each, "EnableDate": MADE} for each in root.devices]
    return {"MFADevices": listed, "IsTruncated": False}


def deactivate_mfa_device(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take a device from root."""
    return _removed(_of_task(cloud, caller, frozenset({DELETES})).devices, str(asked.get("SerialNumber")))


def delete_virtual_mfa_device(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a device that is nobody's."""
    if asked.get("SerialNumber") in _of_task(cloud, caller, frozenset({DELETES})).devices:
        raise RefusalError("DeleteConflict", 409)
    return {}


def list_access_keys(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List root's access keys."""
    root = _of_task(cloud, caller, READS)
    listed = [
        {"UserName": "root", "AccessKeyId": each, "Status": "Active", "CreateDate": MADE}
        for each in root.keys
    ]
    return {"AccessKeyMetadata": listed, "IsTruncated": False}


def delete_access_key(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete one of root's access keys."""
    return _removed(_of_task(cloud, caller, frozenset({DELETES})).keys, str(asked.get("AccessKeyId")))


def list_signing_certificates(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List root's certificates: nobody here has any."""
    _of_task(cloud, caller, READS)
    return {"Certificates": [], "IsTruncated": False}


def _of_task(cloud: Cloud, caller: Caller, tasks: frozenset[str]) -> Root:
    if caller.task not in tasks:
        raise RefusalError("AccessDenied", 403, message=f"{caller.arn} is not authorized")
    return cloud.account(caller.account).root


def _removed(held: list[str], name: str) -> dict[str, Any]:
    if name not in held:
        raise _absent(name)
    held.remove(name)
    return {}


def _absent(what: str) -> RefusalError:
    return RefusalError("NoSuchEntity", 404, message=f"The {what} cannot be found.")
