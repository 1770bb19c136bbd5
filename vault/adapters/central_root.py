"""Centralized root access by boto3: the payer's role, then `sts:AssumeRoot` on one member for one task.

Decided here: two steps. First the role that each payer has for us, with its external id and the person's id as source
identity, which AWS carries on into the second. Then `AssumeRoot` with AWS's own task policy, 900 seconds at most, at
a regional endpoint (STS API reference: the global one does not know it). Credentials of either live in this object
alone: they are in no repr, no error and no log. Each client tries once and is bounded in time.

`NoSuchEntity` at a deletion and `EntityAlreadyExists` at allowing recovery mean that it was done before.
Never decided here: whether it may be done, and what of it is told.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from vault.adapters.aws import checked_endpoint, client_config, code_of, fresh_session
from vault.domain.keyless import SESSION_SECONDS, RootFound, Task
from vault.errors import Unavailable
from vault.ports.central_root import CentralRoot, RootSession

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_sts import STSClient

POLICIES: Final = {
    Task.AUDIT: "IAMAuditRootUserCredentials",
    Task.DELETE: "IAMDeleteRootUserCredentials",
    Task.ALLOW: "IAMCreateRootUserPassword",
}
POLICY_ARN: Final = "arn:aws:iam::aws:policy/root-task/"
_GONE: Final = frozenset({"NoSuchEntity", "NoSuchEntityException"})
_THERE: Final = frozenset({"EntityAlreadyExists", "EntityAlreadyExistsException"})
_DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException"})
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AwsCentralRoot(CentralRoot):
    """Implements `CentralRoot`; `role` is the name of the role in each payer."""

    role: str
    external_id: str
    region: str
    endpoint: str = ""

    def open(self, payer_id: str, member_id: str, task: Task, source: str) -> RootSession:
        """Open a session."""
        where = f"account {member_id} through payer {payer_id}"
        # what a client takes differs by service, so that the stubs' overloads do not take it as a mapping
        make: Any = fresh_session().client
        common: dict[str, Any] = {
            "region_name": self.region,
            "endpoint_url": checked_endpoint(self.endpoint),
            "config": client_config(),
        }
        mine: STSClient = make("sts", **common)
        role = {
            "RoleArn": f"arn:aws:iam::{payer_id}:role/{self.role}",
            "RoleSessionName": f"rootvault-{member_id}",
            "DurationSeconds": SESSION_SECONDS,
            "SourceIdentity": source,
        } | ({"ExternalId": self.external_id} if self.external_id else {})
        payer = _asked(lambda: mine.assume_role(**role), f"the role {self.role} of payer {payer_id}")  # type: ignore[arg-type]  # a mapping of its arguments
        theirs: STSClient = make("sts", **common, **_keys(payer))
        given: Any = _asked(
            lambda: theirs.assume_root(
                TargetPrincipal=member_id,
                TaskPolicyArn={"arn": POLICY_ARN + POLICIES[task]},
                DurationSeconds=SESSION_SECONDS,
            ),
            where,
        )
        try:
            access_key = str(given["Credentials"]["AccessKeyId"])
            request_id = str(given["ResponseMetadata"]["RequestId"])
            iam: IAMClient = make("iam", **common, **_keys(given))
        except (KeyError, TypeError):
            raise _unavailable(f"The answer about {where} lacks credentials.", "unreadable") from None
        return AwsRootSession(access_key, request_id, task, where, iam)


@dataclass(frozen=True, slots=True)
class AwsRootSession:
    """Implements `RootSession`."""

    access_key: str
    request_id: str
    task: Task
    where: str
    iam: IAMClient = field(repr=False)

    def look(self) -> RootFound:
        """List what the root has; an audit also asks the account's summary, and the two have to agree."""
        found = RootFound(
            password=self._has_password(),
            devices=self._all("list_mfa_devices", "MFADevices", "SerialNumber"),
            keys=self._all("list_access_keys", "AccessKeyMetadata", "AccessKeyId"),
            certificates=self._all("list_signing_certificates", "Certificates", "CertificateId"),
        )
        if self.task is Task.AUDIT:
            self._check_summary(found)
        return found

    def remove(self, found: RootFound) -> None:
        """Delete these: keys, certificates, the password, and devices last, so that no password stands without them."""
        for key in found.keys:
            self._gone(partial(self.iam.delete_access_key, AccessKeyId=key))
        for number in found.certificates:
            self._gone(partial(self.iam.delete_signing_certificate, CertificateId=number))
        if found.password:
            self._gone(self.iam.delete_login_profile)
        for serial in found.devices:
            self._gone(partial(self.iam.deactivate_mfa_device, SerialNumber=serial))
            if ":mfa/" in serial:
                self._gone(partial(self.iam.delete_virtual_mfa_device, SerialNumber=serial))

    def allow_recovery(self) -> None:
        """Let the mailbox's owner set a password again: a login profile without one."""
        _asked(self.iam.create_login_profile, self.where, but=_THERE)

    def _has_password(self) -> bool:
        return _asked(self.iam.get_login_profile, self.where, but=_GONE) is not None

    def _all(self, operation: str, key: str, name: str) -> tuple[str, ...]:
        """List by pages, all of them, by one member."""
        pages = self.iam.get_paginator(operation)  # type: ignore[call-overload]  # three names, each of a paginator
        listed = _asked(
            lambda: tuple(str(each[name]) for page in pages.paginate() for each in page[key]), self.where
        )
        return listed or ()

    def _gone(self, delete: Callable[[], object]) -> None:
        _asked(delete, self.where, but=_GONE)

    def _check_summary(self, found: RootFound) -> None:
        told: Any = _asked(self.iam.get_account_summary, self.where)
        summary = told.get("SummaryMap", {})
        said = {
            "AccountMFAEnabled": bool(found.devices),
            "AccountAccessKeysPresent": bool(found.keys),
            "AccountSigningCertificatesPresent": bool(found.certificates),
        } | ({"AccountPasswordPresent": found.password} if "AccountPasswordPresent" in summary else {})
        differing = sorted(name for name, value in said.items() if bool(summary.get(name)) != value)
        if differing or not summary:
            detail = f"AWS's summary and its lists differ about {self.where}: {', '.join(differing) or 'no summary'}."
            raise _unavailable(f"{detail} Look again in a minute.", "differing")


def _keys(answer: Any) -> dict[str, str]:
    """Give credentials as boto3 takes them."""
    given = answer["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


def _asked(ask: Callable[[], T], where: str, *, but: frozenset[str] = frozenset()) -> T | None:
    """Ask AWS; None where it answers with one of `but`."""
    try:
        return ask()
    except (ClientError, BotoCoreError) as failure:
        code = code_of(failure)
        if code in but:
            return None
        words = "AWS refuses it" if code in _DENIED else "AWS does not do it"
        raise _unavailable(f"{words} for {where} ({code}). Nothing is lost; do it again.", code) from None
    except (AttributeError, KeyError, TypeError, ValueError):
        # botocore's parsers, over an answer that is not AWS's
        raise _unavailable(f"AWS's answer about {where} cannot be read.", "unreadable") from None


def _unavailable(detail: str, cause: str) -> Unavailable:
    return Unavailable("keyless.unavailable", detail, cause=cause)
