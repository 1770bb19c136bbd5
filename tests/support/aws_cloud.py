"""AWS for tests: moto's server on 127.0.0.1 with the parts that it lacks, and the test's hand on all of it.

    with aws_cloud(now=clock.now) as aws:
        aws.organization("999988887777", {"111122223333": ("Shop", "shop@msp.example")})
        aws.role("111122223333", "RootVaultInspector", trusts="123456789012", external_id="our-deal")
        aws.root("111122223333").add_key()
        boto3 client(endpoint_url=aws.url, **aws.user("123456789012")) …

What differs from AWS is listed in docs/aws-stand-in.md, and a test looks that this file's rules are AWS's own.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypedDict
from unittest import mock

import boto3
from botocore.config import Config
from moto.core.base_backend import BackendDict
from moto.iam.models import iam_backends
from moto.organizations.models import organizations_backends

from tests.support.aws_models import share_models
from tests.support.aws_state import AwsState, RootUser
from tests.support.moto_gate import gate
from tests.support.moto_kms import moto_server
from tests.support.moto_offboarding import offboarding
from tests.support.moto_organizations import CREDENTIALS, SESSIONS, organizations
from tests.support.moto_root import root_user
from tests.support.moto_sts import sts

share_models()


class Credentials(TypedDict, total=False):
    """boto3's names for credentials."""

    aws_access_key_id: str
    aws_secret_access_key: str
    aws_session_token: str


@dataclass(frozen=True, slots=True)
class AwsCloud:
    """The test's hand on AWS: its address, its accounts, and what it refuses next."""

    url: str
    state: AwsState

    def root(self, account: str) -> RootUser:
        """Give an account's root user, to look at or to change as whoever is signed in as root would."""
        return self.state.root(account)

    def user(self, account: str) -> Credentials:
        """Give lasting credentials of an IAM user in this account; nothing is denied to it but what `deny` says."""
        backend = iam_backends[account]["aws"]
        if "test" not in backend.users:
            backend.create_user("us-east-1", user_name="test", path="/", tags=[])
        key = next(iter(backend.list_access_keys("test")), None) or backend.create_access_key("test")
        return {"aws_access_key_id": key.access_key_id, "aws_secret_access_key": key.secret_access_key}

    def role(
        self,
        account: str,
        name: str,
        *,
        trusts: str,
        external_id: str | None = None,
        seconds: int = 3600,
        bound: bool = False,
    ) -> str:
        """Make a role that another account may take on, with its source identity; give its ARN.

        One that is `bound` may do everything by a policy in it, and nothing without any.
        """
        statement: dict[str, Any] = {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{trusts}:root"},
            "Action": ["sts:AssumeRole", "sts:SetSourceIdentity"],
        }
        if external_id is not None:
            statement["Condition"] = {"StringEquals": {"sts:ExternalId": external_id}}
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        made = iam_backends[account]["aws"].create_role(
            role_name=name,
            assume_role_policy_document=document,
            path="/",
            permissions_boundary=None,
            description="",
            tags=[],
            max_session_duration=str(seconds),
        )
        if bound:
            everything = (
                '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
            )
            iam_backends[account]["aws"].put_role_policy(name, "work", everything)
            self.state.bound.add((account, name))
        return str(made.arn)

    def organization(
        self,
        management: str,
        members: Mapping[str, tuple[str, str]] | None = None,
        *,
        email: str = "payer@msp.example",
        root_access: bool = False,
        feature_set: str = "ALL",
    ) -> None:
        """Make an Organization with these members (number: name and e-mail); with centralized root access if asked."""
        backend: Any = organizations_backends[management]["aws"]
        backend.create_organization("us-east-1", FeatureSet=feature_set)
        backend.accounts[0].email = backend.org.master_account_email = email
        if root_access:
            for service in ("iam.amazonaws.com", "account.amazonaws.com"):
                backend.enable_aws_service_access(ServicePrincipal=service)
            self.state.features[management] |= {CREDENTIALS, SESSIONS}
        for number, (name, address) in (members or {}).items():
            self.member(management, number, name, address)

    def member(self, management: str, number: str, name: str, email: str, *, invited: bool = True) -> None:
        """Let an account be a member: invited with the root user it has, or made there by the Organization.

        One that is made while the Organization manages root credentials has none (IAM User Guide, "Centralize
        root access").
        """
        backend = organizations_backends[management]["aws"]
        made = backend.create_account(AccountName=name, Email=email)["CreateAccountStatus"]["AccountId"]
        account = backend.get_account_by_id(made)
        account.id = number
        account.joined_method = "INVITED" if invited else "CREATED"
        account.create_time = self.state.moment()
        organizations_backends.master_accounts[number] = organizations_backends.master_accounts.pop(made)
        if not invited and CREDENTIALS in self.state.features[management]:
            self.root(number).forget()

    def account(self, number: str) -> Any:
        """Give a member as its Organization has it: `name`, `email`, `state` may be set."""
        management = organizations_backends.master_accounts[number][0]
        return organizations_backends[management]["aws"].get_account_by_id(number)

    def deny(self, account: str, action: str) -> None:
        """Deny an action (``iam:GetAccountSummary``, ``iam:*``) to everybody in this account."""
        self.state.denied.append((account, action))

    def allow(self, account: str, action: str) -> None:
        """Take a denial back."""
        self.state.denied.remove((account, action))

    def fail_next(self, operation: str, code: str, times: int = 1) -> None:
        """Refuse the next requests of this operation with this code (``Throttling``, …)."""
        self.state.faults[operation].extend([code] * times)

    def lose_next(self, operation: str, times: int = 1) -> None:
        """Do what is asked next, and lose the answer."""
        self.state.lost[operation] += times

    def asked(self, account: str | None = None) -> list[str]:
        """Give the actions that were asked for, in their order."""
        return [call.action for call in self.state.calls if account in {None, call.account}]

    def client(self, service: str, account: str, *, region: str = "eu-central-1", **options: Any) -> Any:
        """Give a client of this account's IAM user that does not try again; `options` are boto3's."""
        once = Config(retries={"total_max_attempts": 1})
        arguments: dict[str, Any] = {**self.user(account), **options}
        made: Any = boto3.session.Session().client  # its overloads want the service literally
        return made(service, region_name=region, endpoint_url=self.url, config=once, **arguments)


@contextlib.contextmanager
def aws_cloud(now: Callable[[], datetime] | None = None) -> Iterator[AwsCloud]:
    """Serve AWS on 127.0.0.1 at a free port, empty, and take it away again."""
    state = AwsState(now or (lambda: datetime.now(UTC)))
    with contextlib.ExitStack() as stack:
        mended = (*gate(state), *sts(state), *root_user(state), *organizations(state), *offboarding(state))
        for target, name, new in mended:
            stack.enter_context(mock.patch.object(target, name, new, create=True))
        _forget()
        stack.callback(_forget)
        server = moto_server()
        stack.callback(lambda: server._server.server_close() if server._server is not None else None)
        stack.callback(server.stop)
        host, port = server.get_host_and_port()
        yield AwsCloud(f"http://{host}:{port}", state)


def _forget() -> None:
    BackendDict.reset()
    organizations_backends.master_accounts.clear()
