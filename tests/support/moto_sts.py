"""STS for tests: `AssumeRole` by the role's own trust policy, and `AssumeRoot`, which moto does not have.

`AssumeRole`: the role has to exist, its trust policy has to name the caller's account, the external id has to match
where the policy asks for one, a source identity needs `sts:SetSourceIdentity` and stays what it was, a session of a
session lasts an hour at most. `AssumeRoot` (STS API reference; IAM User Guide, "Centralize root access"): by the
management account or IAM's delegated administrator of an Organization with all features, trusted access for IAM and
the feature enabled; for a member that is active; with one of the five task policies; 900 seconds at most; not by a
root user; not at the global endpoint.
"""

from __future__ import annotations

import json
import re
import secrets
from datetime import timedelta
from typing import Any, Final

from moto.core.responses import ActionResult
from moto.iam.models import iam_backends
from moto.sts import responses

from tests.support import moto_organizations as orgs
from tests.support.aws_state import TASK_POLICIES, AwsState, Session, refuse

ROOT_SECONDS_MAX: Final = 900
CHAINED_SECONDS_MAX: Final = 3600
_TASK: Final = re.compile(r"arn:aws:iam::aws:policy/root-task/(\w+)", re.ASCII)
_TARGET: Final = re.compile(r"(?:arn:aws:iam::)?([0-9]{12})(?::root)?", re.ASCII)
_ROLE: Final = re.compile(r"arn:aws:iam::([0-9]{12}):role/(?:.*/)?([\w+=,.@-]+)", re.ASCII)
_SOURCE: Final = re.compile(r"[\w+=,.@-]{2,64}", re.ASCII)


def sts(state: AwsState) -> list[tuple[object, str, object]]:
    """Give what has to stand in moto's STS."""

    def assume_role(self: Any) -> ActionResult:
        role_arn, asked = str(self._get_param("RoleArn")), self._get_param("SourceIdentity")
        before = state.sessions.get(self.access_key)
        found = _ROLE.fullmatch(role_arn)
        role = _role(found[1], found[2]) if found else None
        caller = before.arn if before is not None else f"arn:aws:iam::{self.current_account}:user/test"
        carried = before.source_identity if before is not None else None
        denied = refuse(
            "AccessDenied",
            f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
        )
        if role is None or not _trusts(
            role.assume_role_policy_document, self.current_account, self._get_param("ExternalId"), asked
        ):
            raise denied
        if asked is not None and (_SOURCE.fullmatch(asked) is None or carried not in {None, asked}):
            raise denied
        seconds = int(self._get_param("DurationSeconds") or CHAINED_SECONDS_MAX)
        if before is not None and seconds > CHAINED_SECONDS_MAX:
            raise refuse(
                "ValidationError",
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining",
            )
        if not ROOT_SECONDS_MAX <= seconds <= int(role.max_session_duration or CHAINED_SECONDS_MAX):
            raise refuse(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        made = self.backend.assume_role(
            region_name=self.region,
            role_session_name=self._get_param("RoleSessionName"),
            role_arn=role_arn,
            policy=self._get_param("Policy"),
            duration=seconds,
            external_id=self._get_param("ExternalId"),
        )
        session = Session(
            key_id=made.access_key_id,
            token=made.session_token,
            account=role.account_id,
            until=state.now() + timedelta(seconds=seconds),
            arn=made.arn,
            source_identity=asked or carried,
        )
        state.sessions[session.key_id] = session
        answer: dict[str, object] = {
            "Credentials": _credentials(session, made.secret_access_key),
            "AssumedRoleUser": {"AssumedRoleId": made.user_id, "Arn": made.arn},
        }
        return ActionResult(_with_source(answer, session))

    def assume_root(self: Any) -> ActionResult:
        if "://sts.amazonaws.com" in self.uri:
            raise refuse("AccessDenied", "AssumeRoot is not supported at the global endpoint")
        seconds = int(ROOT_SECONDS_MAX if (raw := self._get_param("DurationSeconds")) is None else raw)
        if not 0 <= seconds <= ROOT_SECONDS_MAX:
            raise refuse(
                "ValidationError",
                f"1 validation error detected: Value '{seconds}' at 'durationSeconds' failed to satisfy "
                f"constraint: Member must have value less than or equal to {ROOT_SECONDS_MAX}",
            )
        policy = str((self._get_param("TaskPolicyArn") or {}).get("arn"))
        task = _TASK.fullmatch(policy)
        target = _TARGET.fullmatch(str(self._get_param("TargetPrincipal")))
        before = state.sessions.get(self.access_key)
        by_root = self.access_key in state.root(self.current_account).keys or (
            before is not None and before.task is not None
        )
        member = target[1] if target else ""
        refused = refuse(
            "AccessDenied",
            f"{before.arn if before else self.current_account} is not authorized to perform: "
            f"sts:AssumeRoot on resource: {member}",
        )
        if task is None or task[1] not in TASK_POLICIES or by_root or target is None:
            raise refused
        if not orgs.may_assume_root(state, self.current_account, member, task[1]):
            raise refused
        key = iam_backends[member]["aws"].create_temp_access_key()
        session = Session(
            key_id=key.access_key_id,
            token=secrets.token_urlsafe(48),
            account=member,
            until=state.now() + timedelta(seconds=seconds),
            arn=f"arn:aws:iam::{member}:root",
            task=task[1],
            source_identity=before.source_identity if before else None,
        )
        state.sessions[session.key_id] = session
        state.note(_record(self, before, session, member, policy))
        return ActionResult(
            _with_source({"Credentials": _credentials(session, key.secret_access_key)}, session)
        )

    def get_caller_identity(self: Any) -> ActionResult:
        session = state.sessions.get(self.access_key)
        if session is None:
            user, arn, account = self.backend.get_caller_identity(self.access_key, self.region)
            return ActionResult({"UserId": user, "Account": account, "Arn": arn})
        return ActionResult({"UserId": session.account, "Account": session.account, "Arn": session.arn})

    response = responses.TokenResponse
    return [
        (response, "assume_role", assume_role),
        (response, "assume_root", assume_root),
        (response, "get_caller_identity", get_caller_identity),
    ]


def _role(account: str, name: str) -> Any | None:
    return next((role for role in iam_backends[account]["aws"].roles.values() if role.name == name), None)


def _trusts(document: str, caller: str, external_id: str | None, source_identity: str | None) -> bool:
    """Decide a role's trust policy: principal, external id, and whether a source identity may be set."""
    allowed: set[str] = set()
    for statement in json.loads(document)["Statement"]:
        principals = statement.get("Principal", {}).get("AWS", [])
        named = [principals] if isinstance(principals, str) else principals
        wanted = statement.get("Condition", {}).get("StringEquals", {}).get("sts:ExternalId")
        if statement["Effect"] != "Allow" or not any(f":{caller}:" in f":{each}:" for each in _parts(named)):
            continue
        if wanted is not None and external_id not in ([wanted] if isinstance(wanted, str) else wanted):
            continue
        actions = statement["Action"]
        allowed |= {actions} if isinstance(actions, str) else set(actions)
    return "sts:AssumeRole" in allowed and (source_identity is None or "sts:SetSourceIdentity" in allowed)


def _parts(named: list[str]) -> list[str]:
    return [each.split(":")[4] if each.startswith("arn:") else each for each in named]


def _credentials(session: Session, secret: str) -> dict[str, object]:
    return {
        "AccessKeyId": session.key_id,
        "SecretAccessKey": secret,
        "SessionToken": session.token,
        "Expiration": session.until,
    }


def _with_source(answer: dict[str, object], session: Session) -> dict[str, object]:
    return answer if session.source_identity is None else answer | {"SourceIdentity": session.source_identity}


def _record(self: Any, before: Session | None, session: Session, member: str, policy: str) -> dict[str, Any]:
    """CloudTrail User Guide, "Track privileged tasks": in the trail of who asked, with the key that was given."""
    caller: dict[str, Any] = {
        "type": "AssumedRole" if before else "IAMUser",
        "arn": before.arn if before else f"arn:aws:iam::{self.current_account}:user/test",
        "accountId": self.current_account,
        "accessKeyId": self.access_key,
    }
    if session.source_identity:
        caller["sessionContext"] = {"sourceIdentity": session.source_identity}
    return {
        "userIdentity": caller,
        "eventSource": "sts.amazonaws.com",
        "eventName": "AssumeRoot",
        "awsRegion": self.region,
        "sourceIPAddress": "192.0.2.1",
        "requestParameters": {"targetPrincipal": member, "taskPolicyArn": {"arn": policy}},
        "responseElements": {
            "credentials": {
                "accessKeyId": session.key_id,
                "expiration": session.until.strftime("%b %-d, %Y, %-I:%M:%S %p"),
            }
        },
        "readOnly": False,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": self.current_account,
        "eventCategory": "Management",
    }
