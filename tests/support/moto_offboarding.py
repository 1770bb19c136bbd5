"""What giving an account back asks of AWS, where moto is silent or too kind.

Of the account service: the contact information, and the regions that are enabled. Of IAM: a policy that is attached is
not deleted; who it is attached to is asked of one that there is, and as a boundary apart. Of a role: `AwsState.bound`
names those whose sessions may do what their policies let them, and nothing once there are none or the role is gone;
`AwsState.lag` counts what IAM still lets through after that, as an IAM that is eventually consistent does. Of regions:
`AwsState.down` names those that do not answer.
Rules: the API references of Account Management and IAM as botocore ships them; IAM User Guide, "Changes that I make are
not always immediately visible".
"""

from __future__ import annotations

import re
from typing import Any, Final

from moto.account import responses as account_responses
from moto.core.responses import ActionResult, EmptyResult
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse

from tests.support.aws_state import AwsState, Session, refuse

_PHONE: Final = re.compile(r"[+][\s0-9()-]+", re.ASCII)
_LONGEST: Final = {"FullName": 50, "AddressLine1": 60, "City": 50, "PostalCode": 20, "PhoneNumber": 20}


def check_region(state: AwsState, region: str) -> None:
    """Refuse what a region that is down is asked."""
    if region in state.down:
        raise refuse("ServiceUnavailable", "Service Unavailable")


def check_bound(state: AwsState, session: Session, action: str) -> None:
    """Refuse a session of a role whose permissions are gone."""
    name = session.arn.split("/")[1] if ":assumed-role/" in session.arn else ""
    if (session.account, name) not in state.bound:
        return
    roles = iam_backends[session.account]["aws"].roles.values()
    role = next((each for each in roles if each.name == name), None)
    if role is not None and (role.policies or role.managed_policies):
        return
    if state.lag > 0:
        state.lag -= 1
        return
    raise refuse("AccessDenied", f"User: {session.arn} is not authorized to perform: {action}")


def offboarding(state: AwsState) -> list[tuple[object, str, object]]:
    """Give what has to stand in moto's account service and IAM."""
    response = account_responses.AccountResponse

    def named(self: Any) -> str:
        return str(self._get_account_id())

    def put_contact_information(self: Any) -> ActionResult:
        given = dict(self._get_param("ContactInformation"))
        whole = all(0 < len(str(given.get(name, ""))) <= most for name, most in _LONGEST.items())
        if not whole or not _PHONE.fullmatch(given["PhoneNumber"]) or len(given.get("CountryCode", "")) != 2:
            raise refuse("ValidationException", "The input fails to satisfy the constraints.")
        state.contacts[named(self)] = given
        return EmptyResult()

    def get_contact_information(self: Any) -> ActionResult:
        found = state.contacts.get(named(self))
        if found is None:
            raise refuse("ResourceNotFoundException", "No contact information was found.")
        return ActionResult({"ContactInformation": found})

    def list_regions(self: Any) -> ActionResult:
        """List in pages of 50 at most, with what AWS says of each."""
        told = [{"RegionName": each, "RegionOptStatus": "ENABLED_BY_DEFAULT"} for each in state.regions]
        opted = state.opted[named(self)]
        told += [{"RegionName": each, "RegionOptStatus": "ENABLED"} for each in sorted(opted)]
        told.append({"RegionName": "af-south-1", "RegionOptStatus": "DISABLED"})
        wanted = self._get_param("RegionOptStatusContains")
        size, first = int(self._get_param("MaxResults") or 20), int(self._get_param("NextToken") or 0)
        if not 1 <= size <= 50:
            raise refuse("ValidationException", "MaxResults is from 1 to 50.")
        fitting = [each for each in told if not wanted or each["RegionOptStatus"] in wanted]
        answer: dict[str, Any] = {"Regions": fitting[first : first + size]}
        if first + size < len(fitting):
            answer["NextToken"] = str(first + size)
        return ActionResult(answer)

    return [
        (response, "put_contact_information", put_contact_information),
        (response, "get_contact_information", get_contact_information),
        (response, "list_regions", list_regions),
        *_policies(),
    ]


def _policies() -> list[tuple[object, str, object]]:
    listed, deleted = IamResponse.list_entities_for_policy, IamResponse.delete_policy

    def list_entities_for_policy(self: Any) -> ActionResult:
        arn = self._get_param("PolicyArn")
        self.backend.get_policy(arn)
        if self._get_param("PolicyUsageFilter") == "PermissionsBoundary":
            roles = [each for each in self.backend.roles.values() if each.permissions_boundary_arn == arn]
            return ActionResult(
                {"PolicyUsers": [], "PolicyRoles": roles, "PolicyGroups": [], "IsTruncated": False}
            )
        answer: ActionResult = listed(self)
        return answer

    def delete_policy(self: Any) -> ActionResult:
        policy = self.backend.get_policy(self._get_param("PolicyArn"))
        if policy.attachment_count:
            raise refuse("DeleteConflict", "Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise refuse("DeleteConflict", "This policy has more than one version.")
        answer: ActionResult = deleted(self)
        return answer

    return [
        (IamResponse, "list_entities_for_policy", list_entities_for_policy),
        (IamResponse, "delete_policy", delete_policy),
    ]
