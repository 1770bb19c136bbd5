"""STS of the demonstration: a role by its trust, and for one task a member's root by its payer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vault.cli.admin.demo.aws.state import ROOT_TASKS, RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.admin.demo.aws.state import Caller, Cloud

SHORTEST: Final = 900
LONGEST: Final = 3600
"""Seconds of a role's session, as a role has it unless somebody says otherwise."""
_ARN_PARTS: Final = 6


def assume_role(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give a session of a role to whom it trusts (STS AssumeRole)."""
    arn = str(asked.get("RoleArn", ""))
    parts = arn.split(":")
    account = cloud.accounts.get(parts[4]) if len(parts) == _ARN_PARTS else None
    name = arn.rpartition("/")[2]
    role = account.roles.get(name) if account is not None else None
    seconds = int(asked.get("DurationSeconds", LONGEST))
    if role is None or account is None or not role.trusts or role.trusts != caller.account:
        raise _denied(caller, "sts:AssumeRole", arn)
    if role.external_id and asked.get("ExternalId") != role.external_id:
        raise _denied(caller, "sts:AssumeRole", arn)
    if not SHORTEST <= seconds <= LONGEST:
        raise RefusalError("ValidationError", message="DurationSeconds")
    source = str(asked.get("SourceIdentity", caller.source))
    given = f"arn:aws:sts::{account.number}:assumed-role/{name}/{asked.get('RoleSessionName', '')}"
    return {
        "Credentials": cloud.open(account.number, given, seconds, source),
        "AssumedRoleUser": {"AssumedRoleId": f"AROA:{name}", "Arn": given},
        "SourceIdentity": source or None,
    }


def assume_root(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Give a session of a member's root for one task (STS AssumeRoot)."""
    number, policy = str(asked.get("TargetPrincipal", "")), str(asked.get("TaskPolicyArn.arn", ""))
    member = cloud.accounts.get(number)
    if member is None or member.payer != caller.account or number == caller.account or caller.task:
        raise _denied(caller, "sts:AssumeRoot", number)
    if not policy.startswith(ROOT_TASKS) or int(asked.get("DurationSeconds", SHORTEST)) > SHORTEST:
        raise _denied(caller, "sts:AssumeRoot", number)
    task = policy.removeprefix(ROOT_TASKS)
    arn = f"arn:aws:iam::{number}:root"
    return {
        "Credentials": cloud.open(number, arn, SHORTEST, caller.source, task),
        "SourceIdentity": caller.source or None,
    }


def get_caller_identity(_: Cloud, caller: Caller, __: Mapping[str, Any]) -> dict[str, Any]:
    """Say who asks."""
    return {"UserId": caller.account, "Account": caller.account, "Arn": caller.arn}


def _denied(caller: Caller, action: str, what: str) -> RefusalError:
    return RefusalError(
        "AccessDenied", 403, message=f"{caller.arn} is not authorized to perform: {action} on {what}"
    )
