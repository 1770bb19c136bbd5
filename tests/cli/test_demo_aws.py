"""The demonstration's AWS speaks AWS's protocols: what works on it works with boto3, and the customer's things stay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from vault.adapters.central_root import AwsCentralRoot
from vault.adapters.inspection.role import RoleInspector
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.bootstrap.inspection import read_defaults
from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.cli.admin.demo.aws.server import serving
from vault.cli.admin.demo.aws.state import REGIONS, Cloud
from vault.domain.inspection import Known, Membership, Place
from vault.domain.keyless import RootFound, Task
from vault.domain.offboarding import Contact, Deed, Ours, Target
from vault.domain.secret import Secret
from vault.errors import Unavailable
from vault.ports.inspection import Target as Looked
from vault.settings import load_settings

PAYER, MEMBER = "999988887777", "111122223333"
WORK, LOOK, BROKER = "RootVaultOffboarding", "RootVaultInspection", "RootVaultBroker"
WANTED = replace(
    read_defaults(
        load_settings(environment={"ROOTVAULT_ENVIRONMENT": "demo", "ROOTVAULT_KEYS_SERVICE": "local"})
    ),
    regions=REGIONS,
)
CONTACT = Contact("Sam Shop", "1 High Street", "Leeds", "LS1 1AA", "GB", "+44 113 496 0000", "Shop & Sons")
TARGET = Target(MEMBER, "900001", "alice", PAYER, "root@shop.example", CONTACT)


@pytest.fixture
def cloud(monkeypatch: pytest.MonkeyPatch) -> Cloud:
    made = Cloud()
    for number, name in ((PAYER, "Shop payer"), (MEMBER, "Shop")):
        account = made.add(number, name, f"{number}@msp.example", PAYER)
        furnish(account, WANTED)
        live_in(account, "msp.example")
        for role in (WORK, LOOK, BROKER):
            let_in(account, role, made.vault, "deal")
    made.accounts[MEMBER].root.devices.append(f"arn:aws:iam::{MEMBER}:mfa/rv")
    for name, value in made.environment().items():
        monkeypatch.setenv(name, value)
    return made


@pytest.fixture
def url(cloud: Cloud) -> Iterator[str]:
    with serving(cloud) as address:
        yield address


def test_a_member_is_given_back_and_what_is_the_customers_stays(cloud: Cloud, url: str) -> None:
    member = cloud.accounts[MEMBER]
    ours = Ours.of(WANTED, eyes=(LOOK, BROKER), addresses=("@msp.example",))
    acts = AwsOffboarding(WORK, "deal", ours, url)
    before = set(member.everything())
    day = (Deed.CONTACT, Deed.ALTERNATE_CONTACTS, Deed.DISPATCHER, Deed.ROLES, Deed.TOPICS, Deed.EMAIL_START)
    promised = {deed: acts.preview(deed, TARGET) for deed in day}
    assert set(member.everything()) == before
    for deed in day:
        assert acts.carry_out(deed, TARGET).is_whole, deed
    ((to, code),) = cloud.mailed
    assert to == "root@shop.example"
    assert not acts.carry_out(Deed.EMAIL_ACCEPT, replace(TARGET, code=Secret("AAAAAA"))).is_whole
    assert acts.carry_out(Deed.EMAIL_ACCEPT, replace(TARGET, code=Secret(code))).is_whole
    assert (member.email, member.contact["CompanyName"]) == ("root@shop.example", "Shop & Sons")

    delete = AwsCentralRoot(BROKER, "deal", "us-east-1", url).open(PAYER, MEMBER, Task.DELETE, "alice")
    assert delete.look() == RootFound(password=True, devices=(f"arn:aws:iam::{MEMBER}:mfa/rv",))
    delete.remove(delete.look())
    AwsCentralRoot(BROKER, "deal", "us-east-1", url).open(PAYER, MEMBER, Task.ALLOW, "alice").allow_recovery()
    assert (member.root.password, member.root.recoverable, member.root.devices) == (False, True, [])

    assert "payment method" in acts.carry_out(Deed.LEAVE, TARGET).left[0].why
    member.standalone = True
    for deed in (Deed.LEAVE, Deed.LAST_ROLE):
        assert acts.carry_out(deed, TARGET).is_whole
    gone = before - set(member.everything())
    named = {each for deed in day for each in promised[deed].goes if each in before}
    assert gone == named | {f"role {each}" for each in (WORK, LOOK, BROKER)}
    assert {"role RackspaceDefaultEC2Role", "role Rackspace-readers", "role web-server"} <= set(
        member.everything()
    )
    assert all(member.topics[region] == {"orders", "rackspace-support-copies"} for region in REGIONS)
    assert [*member.contacts] == ["BILLING"]
    assert len(member.buckets) == 3
    assert member.payer == ""
    assert cloud.accounts[PAYER].payer == PAYER


def test_accounts_are_looked_at(cloud: Cloud, url: str) -> None:
    look = RoleInspector(LOOK, "deal", url).look(Looked(MEMBER, "900001", "alice"), WANTED, datetime.now(UTC))
    assert look.root_mfa == look.root_password == Known(value=True)
    assert look.root_keys == Known(value=False)
    assert look.policy == Known(WANTED.policy)
    assert look.membership == Known(Membership(Place.MEMBER, f"o-{PAYER[:10]}", PAYER))
    assert isinstance(look.report, Known)
    assert set(look.defaults.values()) == {Known(value=True)}
    roster = RoleInspector(LOOK, "deal", url).roster(Looked(PAYER, "900001", "alice"), datetime.now(UTC))
    assert isinstance(roster.listed, Known)
    assert [each.id for each in roster.listed.value] == [MEMBER, PAYER]


def test_a_region_that_is_down_and_a_role_that_trusts_another_are_told(cloud: Cloud, url: str) -> None:
    acts = AwsOffboarding(WORK, "deal", Ours.of(WANTED), url)
    cloud.down.add("us-west-2")
    assert [each.what for each in acts.carry_out(Deed.TOPICS, TARGET).left] == ["topics in us-west-2"]
    other = replace(acts, external_id="another")
    assert "cannot be assumed" in other.preview(Deed.ROLES, TARGET).unseen[0].why


def test_it_lets_in_nobody_else_and_bears_nonsense(cloud: Cloud, url: str) -> None:
    def client(service: str, **keys: str) -> Any:
        make: Any = boto3.session.Session().client
        once = Config(retries={"total_max_attempts": 1})
        return make(service, region_name="us-east-1", endpoint_url=url, config=once, **keys)

    def code(call: Any, **asked: Any) -> str:
        with pytest.raises(ClientError) as refused:
            call(**asked)
        return str(refused.value.response["Error"]["Code"])

    nobody = {"aws_access_key_id": "NOBODYNOBODYNOBODYNO", "aws_secret_access_key": "x"}
    assert code(client("iam", **nobody).list_roles) == "InvalidClientTokenId"
    assert code(client("organizations", **nobody).list_accounts) == "UnrecognizedClientException"
    assert code(client("iam").create_user, UserName="x") == "InvalidAction"
    assert code(client("s3").get_bucket_location, Bucket="nobody") == "AccountNotFoundException"
    given = client("sts").assume_role(
        RoleArn=f"arn:aws:iam::{MEMBER}:role/{WORK}", RoleSessionName="rv", ExternalId="deal"
    )["Credentials"]
    keys = {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }
    assert client("sts", **keys).get_caller_identity()["Account"] == MEMBER
    assert code(client("iam", **keys).list_mfa_devices) == "AccessDenied"
    assert code(client("iam", **keys).delete_role, RoleName="Rackspace") == "DeleteConflict"
    assert code(
        client("sts", **keys).assume_root, TargetPrincipal=MEMBER, TaskPolicyArn={"arn": "x" * 30}
    ) == ("AccessDenied")
    session = cloud.sessions[given["AccessKeyId"]]
    cloud.sessions[given["AccessKeyId"]] = replace(session, until=datetime.now(UTC) - timedelta(seconds=1))
    assert code(client("sts", **keys).get_caller_identity) == "ExpiredToken"


def test_a_task_that_fails_is_unavailable(cloud: Cloud, url: str) -> None:
    cloud.accounts[MEMBER].payer = ""
    with pytest.raises(Unavailable):
        AwsCentralRoot(BROKER, "deal", "us-east-1", url).open(PAYER, MEMBER, Task.AUDIT, "alice")
