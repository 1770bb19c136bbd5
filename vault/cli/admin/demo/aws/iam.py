"""IAM of the demonstration: roles, policies and the password policy of an account."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from vault.cli.admin.demo.aws.state import RefusalError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.cli.admin.demo.aws.state import Account, Caller, Cloud, Role

MADE: Final = datetime(2024, 3, 1, 9, tzinfo=UTC)


def list_roles(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """List all of them, in one page."""
    account = cloud.account(caller.account)
    return {"Roles": [_told(account, role) for role in account.roles.values()], "IsTruncated": False}


def get_role(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of one."""
    account = cloud.account(caller.account)
    return {"Role": _told(account, _role(account, asked))}


def list_attached_role_policies(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """List a role's managed policies."""
    role = _role(cloud.account(caller.account), asked)
    listed = [{"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in role.managed]
    return {"AttachedPolicies": listed, "IsTruncated": False}


def list_role_policies(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """List a role's own policies."""
    return {"PolicyNames": _role(cloud.account(caller.account), asked).inline, "IsTruncated": False}


def list_instance_profiles_for_role(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """List the instance profiles that a role is in."""
    account = cloud.account(caller.account)
    role = _role(account, asked)
    listed = [
        {
            "Path": "/",
            "InstanceProfileName": name,
            "InstanceProfileId": f"AIPA{name}",
            "Arn": f"arn:aws:iam::{account.number}:instance-profile/{name}",
            "CreateDate": MADE,
            "Roles": [],
        }
        for name in role.profiles
    ]
    return {"InstanceProfiles": listed, "IsTruncated": False}


def detach_role_policy(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Take a managed policy from a role."""
    role = _role(cloud.account(caller.account), asked)
    if asked.get("PolicyArn") not in role.managed:
        raise _absent("policy")
    role.managed.remove(str(asked["PolicyArn"]))
    return {}


def delete_role_policy(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete one of a role's own policies."""
    role = _role(cloud.account(caller.account), asked)
    if asked.get("PolicyName") not in role.inline:
        raise _absent("policy")
    role.inline.remove(str(asked["PolicyName"]))
    return {}


def delete_role(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a role that has no policies and is in no instance profile (IAM DeleteRole)."""
    account = cloud.account(caller.account)
    role = _role(account, asked)
    if role.managed or role.inline or role.profiles:
        raise RefusalError("DeleteConflict", 409)
    del account.roles[role.name]
    return {}


def update_assume_role_policy(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Set who may take a role on; here: nobody any more, unless the document allows anybody."""
    role = _role(cloud.account(caller.account), asked)
    try:
        statements = json.loads(str(asked.get("PolicyDocument")))["Statement"]
        allows = [each for each in statements if each["Effect"] == "Allow"]
    except (ValueError, KeyError, TypeError):
        raise RefusalError("MalformedPolicyDocument") from None
    if allows:
        raise RefusalError("MalformedPolicyDocument", message="This AWS only shuts roles.")
    role.trusts = role.external_id = role.service = ""
    return {}


def get_policy(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of a policy of the account's own."""
    account = cloud.account(caller.account)
    name = _policy(account, asked)
    used = sum(_arn(account, name) in role.managed for role in account.roles.values())
    told = {"PolicyName": name, "Arn": _arn(account, name), "AttachmentCount": used, "DefaultVersionId": "v1"}
    return {"Policy": told | {"CreateDate": MADE, "UpdateDate": MADE, "PermissionsBoundaryUsageCount": 0}}


def list_entities_for_policy(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """List the roles that a policy is attached to; nobody here has a boundary."""
    account = cloud.account(caller.account)
    arn = _arn(account, _policy(account, asked))
    bounds = asked.get("PolicyUsageFilter") == "PermissionsBoundary"
    roles = [] if bounds else [each for each in account.roles.values() if arn in each.managed]
    listed = [{"RoleName": role.name, "RoleId": f"AROA{role.name}"} for role in roles]
    return {"PolicyRoles": listed, "PolicyUsers": [], "PolicyGroups": [], "IsTruncated": False}


def list_policy_versions(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """List a policy's versions, the last of them in use."""
    account = cloud.account(caller.account)
    versions = account.policies[_policy(account, asked)]
    listed = [
        {"VersionId": each, "IsDefaultVersion": each == versions[-1], "CreateDate": MADE} for each in versions
    ]
    return {"Versions": listed, "IsTruncated": False}


def delete_policy_version(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a version that is not in use."""
    account = cloud.account(caller.account)
    versions = account.policies[_policy(account, asked)]
    if asked.get("VersionId") not in versions:
        raise _absent("version")
    if asked["VersionId"] == versions[-1]:
        raise RefusalError("DeleteConflict", 409)
    versions.remove(str(asked["VersionId"]))
    return {}


def delete_policy(cloud: Cloud, caller: Caller, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Delete a policy that nobody has, and that has one version (IAM DeletePolicy)."""
    account = cloud.account(caller.account)
    name = _policy(account, asked)
    held = any(_arn(account, name) in role.managed for role in account.roles.values())
    if held or len(account.policies[name]) > 1:
        raise RefusalError("DeleteConflict", 409)
    del account.policies[name]
    return {}


def get_account_password_policy(cloud: Cloud, caller: Caller, _: Mapping[str, Any]) -> dict[str, Any]:
    """Tell of the password policy for IAM users."""
    policy = cloud.account(caller.account).password_policy
    if not policy:
        raise _absent("password policy")
    return {"PasswordPolicy": policy}


def _told(account: Account, role: Role) -> dict[str, Any]:
    principal = (
        {"Service": role.service} if role.service else {"AWS": f"arn:aws:iam::{role.trusts or '*'}:root"}
    )
    effect = "Allow" if role.service or role.trusts else "Deny"
    statement = {"Effect": effect, "Principal": principal, "Action": "sts:AssumeRole"}
    return {
        "Path": "/",
        "RoleName": role.name,
        "RoleId": f"AROA{role.name}",
        "Arn": f"arn:aws:iam::{account.number}:role/{role.name}",
        "CreateDate": MADE,
        "AssumeRolePolicyDocument": quote(json.dumps({"Version": "2012-10-17", "Statement": [statement]})),
    }


def _role(account: Account, asked: Mapping[str, Any]) -> Role:
    found = account.roles.get(str(asked.get("RoleName", "")))
    if found is None:
        raise _absent("role")
    return found


def _policy(account: Account, asked: Mapping[str, Any]) -> str:
    arn = str(asked.get("PolicyArn", ""))
    name = arn.rpartition("/")[2]
    if name not in account.policies or arn != _arn(account, name):
        raise _absent("policy")
    return name


def _arn(account: Account, name: str) -> str:
    return f"arn:aws:iam::{account.number}:policy/{name}"


def _absent(what: str) -> RefusalError:
    return RefusalError("NoSuchEntity", 404, message=f"The {what} cannot be found.")
