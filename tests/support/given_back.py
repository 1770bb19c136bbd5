"""A member at the tests' AWS that is given back: what is ours there, what is the customer's, and who works on it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from tests.support.aws_cloud import AwsCloud, aws_cloud
from tests.support.moto_kms import made_up_credentials
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.domain.offboarding import Contact, Deed, Ours, Outcome, Preview, Target

PAYER, MEMBER, VAULT = "999988887777", "111122223333", "123456789012"
ROLE, EYE, DEAL = "RootVaultOffboarding", "RootVaultInspection", "deal-900001"
REGIONS = ("eu-west-1", "us-east-1", "us-west-2")
OURS = Ours(
    roles=("Rackspace", "AWSConfig", "rackspace-dispatcher"),
    policies=("rackspace-dispatcher",),
    rules=("rackspace-dispatcher",),
    topics=("rackspace-support", "rackspace-cloudtrail"),
    eyes=(EYE,),
    addresses=("@msp.example",),
    regions=REGIONS[:2],
)
CONTACT = Contact("Sam Shop", "1 High Street", "Leeds", "LS1 1AA", "GB", "+44 113 496 0000", "Shop Ltd")
TARGET = Target(MEMBER, "900001", "alice", PAYER, "root@shop.example", CONTACT)
TRUST = '{"Version":"2012-10-17","Statement":[]}'
CONFIG = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow",'
    '"Principal":{"Service":"config.amazonaws.com"},"Action":"sts:AssumeRole"}]}'
)
DOCUMENT = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ec2:*","Resource":"*"}]}'


@dataclass(slots=True)
class Ticking:
    """A clock that goes on when somebody sleeps."""

    at: float = 0.0
    slept: float = 0.0

    def sleep(self, seconds: float) -> None:
        """Let the time pass."""
        self.at += seconds
        self.slept += seconds

    def monotonic(self) -> float:
        """Give the time."""
        return self.at


@dataclass(slots=True)
class Stand:
    """A payer, its member with what we and the customer have there, and the clock of the one who works."""

    aws: AwsCloud
    clock: Ticking = field(default_factory=Ticking)

    def acts(self, **other: Any) -> AwsOffboarding:
        asked: dict[str, Any] = {
            "endpoint": self.aws.url,
            "sleep": self.clock.sleep,
            "monotonic": self.clock.monotonic,
        } | other
        return AwsOffboarding(ROLE, "deal-{ddi}", asked.pop("ours", OURS), **asked)

    def preview(self, deed: Deed, **other: Any) -> Preview:
        return self.acts().preview(deed, replace(TARGET, **other))

    def do(self, deed: Deed, **other: Any) -> Outcome:
        return self.acts().carry_out(deed, replace(TARGET, **other))

    def client(self, service: str, region: str = "us-east-1", account: str = MEMBER) -> Any:
        return self.aws.client(service, account, region=region)

    def roles(self) -> set[str]:
        return {each["RoleName"] for each in self.client("iam").list_roles()["Roles"]}

    def topics(self, region: str) -> set[str]:
        told = self.client("sns", region).list_topics()["Topics"]
        return {each["TopicArn"].rpartition(":")[2] for each in told}


@contextlib.contextmanager
def giving_back() -> Iterator[Stand]:
    """Serve AWS with a payer and a member, and the roles through which they are given back."""
    with made_up_credentials(), aws_cloud(lambda: datetime.now(UTC)) as aws:
        aws.organization(PAYER, {MEMBER: ("Shop", "shop@msp.example")}, root_access=True)
        aws.state.regions = REGIONS
        aws.role(PAYER, ROLE, trusts=VAULT, external_id=DEAL)
        aws.role(MEMBER, ROLE, trusts=VAULT, external_id=DEAL, bound=True)
        aws.role(MEMBER, EYE, trusts=VAULT, external_id=DEAL)
        keys = {name.upper(): str(value) for name, value in aws.user(VAULT).items()}
        with mock.patch.dict(os.environ, keys):
            os.environ.pop("AWS_SESSION_TOKEN", None)
            yield Stand(aws)


def furnish(stand: Stand) -> Stand:
    """Put in what onboarding applied, and beside it what the customer has under much the same names."""
    iam = stand.client("iam")
    arn = iam.create_policy(PolicyName="rackspace-dispatcher", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=DOCUMENT)
    for name in ("Rackspace", "rackspace-dispatcher", "RackspaceDefaultEC2Role", "Rackspace2"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)
    iam.create_role(RoleName="AWSConfig", AssumeRolePolicyDocument=CONFIG)
    iam.attach_role_policy(RoleName="rackspace-dispatcher", PolicyArn=arn)
    iam.put_role_policy(RoleName="Rackspace", PolicyName="all", PolicyDocument=DOCUMENT)
    mine = iam.create_policy(PolicyName="customer", PolicyDocument=DOCUMENT)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="Rackspace", PolicyArn=mine)
    events = stand.client("events")
    for name in ("rackspace-dispatcher", "rackspace-dispatcher-2"):
        events.put_rule(Name=name, EventPattern='{"source":["aws.health"]}')
        target = {"Id": "1", "Arn": f"arn:aws:sqs:us-east-1:{MEMBER}:q"}
        events.put_targets(Rule=name, Targets=[target])
    for region in REGIONS:
        sns = stand.client("sns", region)
        for name in ("rackspace-support", "rackspace-support-orders", "my-rackspace-support"):
            sns.create_topic(Name=name)
    stand.client("sns").create_topic(Name="rackspace-cloudtrail")
    return stand
