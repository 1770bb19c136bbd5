"""Organizations and the account service for tests, where moto is silent or too kind.

Of Organizations: `ListAccounts` by the management account or a delegated administrator only, in pages of 20 at most,
with `State` (AWS has retired `Status`; `AwsState.status_too` brings it back); `LeaveOrganization` and
`RemoveAccountFromOrganization` with what has to be there before; `CloseAccount`, which takes its time and never
closes the management account. Of IAM: the centralized root access features. Of the account service: the primary
e-mail of a member, with the code that only its new mailbox gets.
Rules: the API references of Organizations, IAM and Account Management as botocore ships them.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from typing import Any, Final

from moto.account import responses as account_responses
from moto.account import urls as account_urls
from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse
from moto.organizations import models, responses
from moto.organizations.models import organizations_backends

from tests.support.aws_state import AwsState, refuse, with_state

PAGE_MAX: Final = 20
WAIT_BEFORE_LEAVING: Final = timedelta(days=4)
CREDENTIALS: Final = "RootCredentialsManagement"
SESSIONS: Final = "RootSessions"
PATHS: Final = (
    "startPrimaryEmailUpdate",
    "acceptPrimaryEmailUpdate",
    "getPrimaryEmail",
    "putContactInformation",
    "getContactInformation",
    "listRegions",
)
"""Of the account service, beyond moto's own; `tests.support.moto_offboarding` answers the last three."""
_IAM: Final = "iam.amazonaws.com"
_ACCOUNT: Final = "account.amazonaws.com"


def backend_of(account: str) -> Any | None:
    """Give the backend of the Organization that an account is in, as management account or as member."""
    own = organizations_backends[account]["aws"]
    if own.org is not None:
        return own
    master = organizations_backends.master_accounts.get(account)
    return None if master is None else organizations_backends[master[0]]["aws"]


def _delegated(backend: Any, account: str, service: str | None = None) -> bool:
    return any(
        each.account.id == account and (service is None or service in each.services)
        for each in backend.admins
    )


def _trusted(backend: Any, service: str) -> bool:
    return any(each["ServicePrincipal"] == service for each in backend.services)


def may_assume_root(state: AwsState, caller: str, member: str, task: str) -> bool:
    """Decide `AssumeRoot` on the Organization's side: who asks, about whom, with which feature."""
    backend = backend_of(caller)
    if backend is None or backend.org.feature_set != "ALL" or not _trusted(backend, _IAM):
        return False
    master = backend.org.master_account_id
    feature = CREDENTIALS if task.startswith("IAM") else SESSIONS
    if feature not in state.features[master] or not (caller == master or _delegated(backend, caller, _IAM)):
        return False
    found = next((each for each in backend.accounts if each.id == member), None)
    return found is not None and member != master and found.state == "ACTIVE"


def organizations(state: AwsState) -> list[tuple[object, str, object]]:
    """Give what has to stand in moto's Organizations, IAM and account service."""
    response, iam = responses.OrganizationsResponse, IamResponse

    def switched(feature: str, *, on: bool) -> Any:
        def switch(self: Any) -> ActionResult:
            backend = _root_access(self.current_account, managing=on)
            chosen = state.features[backend.org.master_account_id]
            (chosen.add if on else chosen.discard)(feature)
            return ActionResult({"OrganizationId": backend.org.id, "EnabledFeatures": sorted(chosen)})

        return switch

    def list_organizations_features(self: Any) -> ActionResult:
        backend = _root_access(self.current_account)
        chosen = state.features[backend.org.master_account_id]
        return ActionResult({"OrganizationId": backend.org.id, "EnabledFeatures": sorted(chosen)})

    services = models.FakeServiceAccess.TRUSTED_SERVICES
    delegable = models.FakeDelegatedAdministrator.SUPPORTED_SERVICES
    return [
        (models.FakeServiceAccess, "TRUSTED_SERVICES", [*services, _IAM]),
        (models.FakeDelegatedAdministrator, "SUPPORTED_SERVICES", [*delegable, _IAM, _ACCOUNT]),
        (response, "list_accounts", with_state(state, _list_accounts)),
        (response, "describe_account", with_state(state, _describe_account)),
        (response, "close_account", with_state(state, _close_account)),
        (response, "leave_organization", with_state(state, _leave_organization)),
        (response, "remove_account_from_organization", with_state(state, _remove_account_from_organization)),
        (iam, "enable_organizations_root_credentials_management", switched(CREDENTIALS, on=True)),
        (iam, "disable_organizations_root_credentials_management", switched(CREDENTIALS, on=False)),
        (iam, "enable_organizations_root_sessions", switched(SESSIONS, on=True)),
        (iam, "disable_organizations_root_sessions", switched(SESSIONS, on=False)),
        (iam, "list_organizations_features", list_organizations_features),
        *_account_service(state),
    ]


def _list_accounts(state: AwsState, self: Any) -> str:
    backend = backend_of(self.current_account)
    if backend is None:
        raise refuse("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if self.current_account != backend.org.master_account_id and not _delegated(
        backend, self.current_account
    ):
        raise refuse("AccessDeniedException", "You don't have permissions to access this resource.")
    size, first = self._get_param("MaxResults", PAGE_MAX), int(self._get_param("NextToken") or 0)
    if not 1 <= size <= PAGE_MAX:
        raise refuse("InvalidInputException", "You specified an invalid value: MaxResults")
    accounts = sorted(backend.accounts, key=lambda each: each.id)[first : first + size]
    answer: dict[str, Any] = {"Accounts": [_described(each, state) for each in accounts]}
    if first + size < len(backend.accounts):
        answer["NextToken"] = str(first + size)
    return json.dumps(answer)


def _describe_account(state: AwsState, self: Any) -> str:
    backend = backend_of(self.current_account)
    if backend is None:
        raise refuse("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if self.current_account != backend.org.master_account_id and not _delegated(
        backend, self.current_account
    ):
        raise refuse("AccessDeniedException", "You don't have permissions to access this resource.")
    account = self.organizations_backend.get_account_by_id(self._get_param("AccountId"))
    return json.dumps({"Account": _described(account, state)})


def _close_account(_: AwsState, self: Any) -> str:
    named, backend = self._get_param("AccountId"), self.organizations_backend
    if backend.org is not None and named == backend.org.master_account_id:
        raise refuse(
            "ConstraintViolationException",
            "The management account cannot be closed here.",
            "CANNOT_CLOSE_MANAGEMENT_ACCOUNT",
        )
    account = backend.get_account_by_id(named)
    if account.state != "ACTIVE":
        raise refuse("AccountAlreadyClosedException", "The provided account is already closed.")
    account.status = account.state = "PENDING_CLOSURE"
    return "{}"


def _leave_organization(state: AwsState, self: Any) -> str:
    backend = backend_of(self.current_account)
    if backend is None:
        raise refuse("AWSOrganizationsNotInUseException", "Your account is not a member of an organization.")
    if self.current_account == backend.org.master_account_id:
        raise refuse(
            "MasterCannotLeaveOrganizationException",
            "The management account cannot leave its organization.",
        )
    _part(state, backend, self.current_account)
    return "{}"


def _remove_account_from_organization(state: AwsState, self: Any) -> str:
    backend, named = self.organizations_backend, self._get_param("AccountId")
    if backend.org is None:
        raise refuse("AccessDeniedException", "You don't have permissions to access this resource.")
    if named == backend.org.master_account_id:
        raise refuse(
            "MasterCannotLeaveOrganizationException",
            "The management account cannot leave its organization.",
        )
    backend.get_account_by_id(named)
    _part(state, backend, named)
    return "{}"


def _account_service(state: AwsState) -> list[tuple[object, str, object]]:
    response = account_responses.AccountResponse

    def named(self: Any) -> str:
        """Let another account be named by its management account only, and never itself."""
        asked = self._get_param("AccountId")
        if asked is not None:
            _member(self.current_account, asked)
        return str(asked or self.current_account)

    def start_primary_email_update(self: Any) -> ActionResult:
        account, fresh = self._get_param("AccountId"), str(self._get_param("PrimaryEmail"))
        _member(self.current_account, account)
        if any(
            each.email == fresh
            for backends in organizations_backends.values()
            for each in backends["aws"].accounts
        ):
            raise refuse("ConflictException", "The email address is already in use.")
        code = f"{secrets.randbelow(10**6):06d}"
        state.pending_mail[account] = (fresh, code)
        state.mailed.append((fresh, code))
        return ActionResult({"Status": "PENDING"})

    def accept_primary_email_update(self: Any) -> ActionResult:
        account, fresh = self._get_param("AccountId"), self._get_param("PrimaryEmail")
        found = _member(self.current_account, account)
        if account not in state.pending_mail:
            raise refuse("ResourceNotFoundException", "There is no update to accept.")
        if state.pending_mail[account] != (fresh, self._get_param("Otp")):
            raise refuse("AccessDeniedException", "The code is not the one that was sent.")
        del state.pending_mail[account]
        found.email = fresh
        return ActionResult({"Status": "ACCEPTED"})

    def get_primary_email(self: Any) -> ActionResult:
        return ActionResult(
            {"PrimaryEmail": _member(self.current_account, self._get_param("AccountId")).email}
        )

    return [
        (response, "_get_account_id", named),
        (response, "start_primary_email_update", start_primary_email_update),
        (response, "accept_primary_email_update", accept_primary_email_update),
        (response, "get_primary_email", get_primary_email),
        (
            account_urls,
            "url_paths",
            account_urls.url_paths | {f"{{0}}/{path}$": response.dispatch for path in PATHS},
        ),
    ]


def _root_access(caller: str, *, managing: bool = False) -> Any:
    backend = backend_of(caller)
    if backend is None:
        raise refuse("OrganizationNotFoundException", "No organization is associated with your account.")
    if managing and caller != backend.org.master_account_id:
        raise refuse("CallerIsNotManagementAccountException", "This is not the management account.")
    if caller != backend.org.master_account_id and not _delegated(backend, caller, _IAM):
        raise refuse(
            "AccountNotManagementOrDelegatedAdministratorException",
            "This is not the management account or a delegated administrator.",
        )
    if backend.org.feature_set != "ALL":
        raise refuse("OrganizationNotInAllFeaturesModeException", "All features are not enabled.")
    if not _trusted(backend, _IAM):
        raise refuse("ServiceAccessNotEnabledException", "Trusted access is not enabled for IAM.")
    return backend


def _member(caller: str, account: str) -> Any:
    """Give a member of the Organization that the caller manages; account service's rules for `AccountId`."""
    backend = backend_of(caller)
    allowed = (
        backend is not None
        and (caller == backend.org.master_account_id or _delegated(backend, caller, _ACCOUNT))
        and account != backend.org.master_account_id
        and backend.org.feature_set == "ALL"
        and _trusted(backend, _ACCOUNT)
    )
    found = (
        next((each for each in backend.accounts if each.id == account), None)
        if backend is not None and allowed
        else None
    )
    if found is None:
        raise refuse("AccessDeniedException", "You are not authorized to perform this operation.")
    return found


def _part(state: AwsState, backend: Any, account: str) -> None:
    found = backend.get_account_by_id(account)
    if _delegated(backend, account):
        raise refuse(
            "ConstraintViolationException",
            "The account is a delegated administrator.",
            "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG",
        )
    if not state.root(account).standalone:
        raise refuse(
            "ConstraintViolationException",
            "The account lacks what a standalone account needs.",
            state.root(account).lacks,
        )
    if found.joined_method == "CREATED" and state.moment() - found.create_time < WAIT_BEFORE_LEAVING:
        raise refuse(
            "ConstraintViolationException",
            "The account was created less than four days ago.",
            "WAIT_PERIOD_ACTIVE",
        )
    organizations_backends.master_accounts.pop(account, None)
    for policy in found.attached_policies:
        policy.attachments.remove(found)
    backend.accounts.remove(found)


def _described(account: Any, state: AwsState) -> dict[str, Any]:
    told: dict[str, Any] = account.describe()
    return told if state.status_too else {name: value for name, value in told.items() if name != "Status"}
