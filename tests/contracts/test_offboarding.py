"""The acts of giving an account back, over HTTP at the tests' AWS: ours goes by its exact name, nothing else does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.contracts.test_inspection import Ticking
from tests.support.aws_cloud import AwsCloud, aws_cloud
from tests.support.moto_kms import made_up_credentials
from tests.support.repository import ROOT
from vault.adapters.inspection.asking import PAUSES
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.domain.offboarding import KEPT_ROLES, NAMED_MOST, Contact, Deed, Ours, Outcome, Preview, Target
from vault.domain.secret import Secret

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


@pytest.fixture
def stand(monkeypatch: pytest.MonkeyPatch) -> Iterator[Stand]:
    with made_up_credentials(), aws_cloud(lambda: datetime.now(UTC)) as aws:
        aws.organization(PAYER, {MEMBER: ("Shop", "shop@msp.example")}, root_access=True)
        aws.state.regions = REGIONS
        aws.role(PAYER, ROLE, trusts=VAULT, external_id=DEAL)
        aws.role(MEMBER, ROLE, trusts=VAULT, external_id=DEAL, bound=True)
        aws.role(MEMBER, EYE, trusts=VAULT, external_id=DEAL)
        for name, value in aws.user(VAULT).items():
            monkeypatch.setenv(name.upper(), str(value))
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield Stand(aws)


@pytest.fixture
def furnished(stand: Stand) -> Stand:
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


THEIR_TOPICS = {"rackspace-support-orders", "my-rackspace-support"}


class TestRoles:
    """Roles of ours go; the one that instances run under, look-alikes and the one we work through stay."""

    def test_the_preview_says_exactly_what_goes_and_what_stays(self, furnished: Stand) -> None:
        before = len(furnished.aws.state.calls)
        seen = furnished.preview(Deed.ROLES)
        assert set(seen.goes) == {"role Rackspace", "role AWSConfig", "role rackspace-dispatcher"}
        assert set(seen.stays) == {"role RackspaceDefaultEC2Role", "role Rackspace2", f"role {EYE}"}
        assert seen.unseen == ()
        asked = {call.action.partition(":")[2] for call in furnished.aws.state.calls[before:]}
        assert {each for each in asked if not each.startswith(("Get", "List", "Describe"))} == {"AssumeRole"}

    def test_they_go_and_done_again_it_is_the_same(self, furnished: Stand) -> None:
        first, again = furnished.do(Deed.ROLES), furnished.do(Deed.ROLES)
        assert furnished.roles() == {"RackspaceDefaultEC2Role", "Rackspace2", ROLE, EYE}
        assert first.is_whole
        assert len(first.did) == 3
        assert again == Outcome()
        policies = {each["PolicyName"] for each in furnished.client("iam").list_policies()["Policies"]}
        assert policies == {"customer", "rackspace-dispatcher"}

    def test_whatever_the_settings_name_the_instances_role_stays(self, furnished: Stand) -> None:
        ours = replace(OURS, roles=(*OURS.roles, "RackspaceDefaultEC2Role", ROLE))
        assert furnished.acts(ours=ours).carry_out(Deed.ROLES, TARGET).is_whole
        assert {"RackspaceDefaultEC2Role", ROLE} <= furnished.roles()

    def test_one_that_a_machine_may_run_under_is_left_to_a_person(self, furnished: Stand) -> None:
        iam = furnished.client("iam")
        iam.create_instance_profile(InstanceProfileName="web")
        iam.add_role_to_instance_profile(InstanceProfileName="web", RoleName="Rackspace")
        done = furnished.do(Deed.ROLES)
        ((what, why),) = ((each.what, each.why) for each in done.left)
        assert what == "role Rackspace"
        assert "instance profile web" in why
        assert "Rackspace" in furnished.roles()
        assert iam.list_role_policies(RoleName="Rackspace")["PolicyNames"] == ["all"]
        assert any("instance profile web" in each for each in furnished.preview(Deed.ROLES).stays)

    def test_one_that_a_recorder_uses_stays_by_rule(self, furnished: Stand) -> None:
        arn = f"arn:aws:iam::{MEMBER}:role/AWSConfig"
        furnished.client("config", "us-west-2").put_configuration_recorder(
            ConfigurationRecorder={"name": "default", "roleARN": arn}
        )
        done = furnished.do(Deed.ROLES)
        assert done.is_whole
        assert done.kept == ("role AWSConfig, which the recorder of AWS Config in us-west-2 uses",)
        assert "AWSConfig" in furnished.roles()

    def test_where_a_region_does_not_say_a_recorders_role_is_not_touched(self, furnished: Stand) -> None:
        furnished.aws.state.down.add("eu-west-1")
        done = furnished.do(Deed.ROLES)
        assert [each.what for each in done.left] == ["role AWSConfig"]
        assert "eu-west-1" in done.left[0].why
        furnished.aws.state.down.clear()
        assert furnished.do(Deed.ROLES).did == ("role AWSConfig removed",)

    def test_a_lost_answer_is_asked_for_again(self, furnished: Stand) -> None:
        furnished.aws.lose_next("DeleteRole")
        assert furnished.do(Deed.ROLES).is_whole

    def test_what_the_role_may_not_do_is_said_and_the_rest_is_done(self, furnished: Stand) -> None:
        furnished.aws.deny(MEMBER, "iam:DetachRolePolicy")
        done = furnished.do(Deed.ROLES)
        assert {each.what for each in done.left} == {"role Rackspace", "role rackspace-dispatcher"}
        assert all(each.why == "AWS does not let our role do this (AccessDenied)." for each in done.left)
        assert done.did == ("role AWSConfig removed",)


class TestTopics:
    """Topics of ours go in every enabled region, and a customer's of much the same name never."""

    def test_they_go_everywhere(self, furnished: Stand) -> None:
        furnished.aws.state.opted[MEMBER].add("eu-south-1")
        furnished.client("sns", "eu-south-1").create_topic(Name="rackspace-support")
        seen, done = furnished.preview(Deed.TOPICS), furnished.do(Deed.TOPICS)
        expected = {f"topic rackspace-support in {region}" for region in (*REGIONS, "eu-south-1")}
        expected.add("topic rackspace-cloudtrail in us-east-1")
        assert set(seen.goes) == expected
        assert {f"{each} removed" for each in expected} == set(done.did)
        assert set(seen.stays) == {f"topic {name} in {region}" for name in THEIR_TOPICS for region in REGIONS}
        assert done.is_whole
        assert all(furnished.topics(region) == THEIR_TOPICS for region in REGIONS)
        assert furnished.topics("eu-south-1") == set()
        assert furnished.do(Deed.TOPICS) == Outcome()

    def test_half_of_the_regions_down_leaves_the_rest_done(self, furnished: Stand) -> None:
        furnished.aws.state.down |= {"eu-west-1", "us-west-2"}
        done = furnished.do(Deed.TOPICS)
        assert {each.what for each in done.left} == {"topics in eu-west-1", "topics in us-west-2"}
        assert len(done.did) == 2
        assert {each.what for each in furnished.preview(Deed.TOPICS).unseen} == {
            "topics in eu-west-1",
            "topics in us-west-2",
        }
        furnished.aws.state.down.clear()
        again = furnished.do(Deed.TOPICS)
        assert again.is_whole
        assert len(again.did) == 2

    def test_throttling_is_waited_out(self, furnished: Stand) -> None:
        furnished.aws.fail_next("DeleteTopic", "Throttling", 2)
        assert furnished.do(Deed.TOPICS).is_whole
        assert furnished.clock.slept >= PAUSES[0]

    def test_throttling_without_end_is_said(self, furnished: Stand) -> None:
        furnished.aws.fail_next("DeleteTopic", "Throttling", 1000)
        done = furnished.do(Deed.TOPICS)
        assert len(done.left) == 4
        assert done.left[0].why == "AWS put it off until there was no time left (Throttling)."
        assert furnished.clock.at < 4 * 150

    def test_where_aws_does_not_name_the_regions_the_settings_are_asked(self, furnished: Stand) -> None:
        furnished.aws.deny(MEMBER, "account:ListRegions")
        done = furnished.do(Deed.TOPICS)
        assert [each.what for each in done.left] == ["topics in other regions"]
        assert len(done.did) == 3
        assert "rackspace-support" in furnished.topics("us-west-2")

    def test_many_that_stay_are_counted(self, furnished: Stand) -> None:
        sns = furnished.client("sns")
        for number in range(NAMED_MOST):
            sns.create_topic(Name=f"orders-{number:03d}")
        seen = furnished.preview(Deed.TOPICS)
        assert len(seen.stays) == NAMED_MOST + 1
        assert seen.stays[-1] == "6 more of kind topic"


class TestDispatcher:
    """The rule and the policy of the dispatcher."""

    def test_they_go_in_either_order_of_the_acts(self, furnished: Stand) -> None:
        seen, done = furnished.preview(Deed.DISPATCHER), furnished.do(Deed.DISPATCHER)
        assert set(seen.goes) == {"rule rackspace-dispatcher in us-east-1", "policy rackspace-dispatcher"}
        assert seen.stays == ("rule rackspace-dispatcher-2 in us-east-1",)
        assert done.is_whole
        assert len(done.did) == 2
        rules = [each["Name"] for each in furnished.client("events").list_rules()["Rules"]]
        assert rules == ["rackspace-dispatcher-2"]
        assert furnished.do(Deed.DISPATCHER) == Outcome()
        assert furnished.do(Deed.ROLES).is_whole

    @pytest.mark.parametrize("to", ["role", "user", "boundary", "instances"])
    def test_a_policy_that_others_live_by_stays(self, furnished: Stand, to: str) -> None:
        iam, arn = furnished.client("iam"), f"arn:aws:iam::{MEMBER}:policy/rackspace-dispatcher"
        if to == "user":
            iam.create_user(UserName="shop")
            iam.attach_user_policy(UserName="shop", PolicyArn=arn)
        elif to == "boundary":
            iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=TRUST, PermissionsBoundary=arn)
        else:
            name = {"role": "Rackspace2", "instances": "RackspaceDefaultEC2Role"}[to]
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
        done = furnished.do(Deed.DISPATCHER)
        assert [each.what for each in done.left] == ["policy rackspace-dispatcher"]
        attached = iam.list_attached_role_policies(RoleName="rackspace-dispatcher")["AttachedPolicies"]
        assert len(attached) == 1


class TestContacts:
    """Contact information becomes the customer's; alternate contacts of ours go."""

    def test_contact_information_is_written_once(self, stand: Stand) -> None:
        assert stand.preview(Deed.CONTACT).goes == ("contact information (none so far)",)
        first, again = stand.do(Deed.CONTACT), stand.do(Deed.CONTACT)
        assert first.is_whole
        assert again == first
        assert stand.aws.asked(MEMBER).count("account:PutContactInformation") == 1
        assert stand.aws.state.contacts[MEMBER]["CompanyName"] == "Shop Ltd"
        assert "Sam" not in repr(first) + repr(TARGET)

    def test_what_aws_would_not_take_is_said_before(self, stand: Stand) -> None:
        done = stand.do(Deed.CONTACT, contact=replace(CONTACT, phone="0113", country="uk", city="x" * 51))
        assert "phone" in done.left[0].why
        assert stand.aws.asked(MEMBER) == []
        assert stand.do(Deed.CONTACT, contact=None).left[0].what == "contact information"

    def test_only_contacts_under_our_addresses_go(self, stand: Stand) -> None:
        account = stand.client("account")
        for kind, address in (
            ("SECURITY", "Security@MSP.example"),
            ("BILLING", "billing@shop.example"),
            ("OPERATIONS", "ops@notmsp.example"),
        ):
            account.put_alternate_contact(
                AlternateContactType=kind, EmailAddress=address, Name="S", PhoneNumber="1", Title="T"
            )
        seen, done = stand.preview(Deed.ALTERNATE_CONTACTS), stand.do(Deed.ALTERNATE_CONTACTS)
        assert seen.goes == ("alternate contact for security, Security@MSP.example",)
        assert len(seen.stays) == 2
        assert done.did == ("alternate contact for security removed",)
        assert stand.do(Deed.ALTERNATE_CONTACTS) == Outcome()
        assert (
            account.get_alternate_contact(AlternateContactType="BILLING")["AlternateContact"]["EmailAddress"]
            == "billing@shop.example"
        )


class TestEmail:
    """A member's root e-mail takes two steps and a code that only the customer has."""

    def test_the_code_from_the_new_mailbox_changes_it(self, stand: Stand) -> None:
        assert stand.preview(Deed.EMAIL_START).goes == ("nothing: AWS mails a code to root@shop.example",)
        assert stand.do(Deed.EMAIL_START).did == ("AWS mailed a code to root@shop.example",)
        ((to, code),) = stand.aws.state.mailed
        assert to == "root@shop.example"
        assert stand.preview(Deed.EMAIL_ACCEPT).goes == ("root e-mail shop@msp.example",)
        done = stand.do(Deed.EMAIL_ACCEPT, code=Secret(code))
        assert done.is_whole
        assert code not in repr(done)
        assert stand.aws.account(MEMBER).email == "root@shop.example"
        for deed in (Deed.EMAIL_START, Deed.EMAIL_ACCEPT):
            assert stand.do(deed).did == ("root e-mail is root@shop.example",)
        assert len(stand.aws.state.mailed) == 1
        assert stand.acts().root_email(TARGET) == "root@shop.example"

    @pytest.mark.parametrize(("code", "asked"), [("000000", True), ("12 456", False), ("", False)])
    def test_another_code_changes_nothing(self, stand: Stand, code: str, asked: bool) -> None:
        stand.do(Deed.EMAIL_START)
        ((to, real),) = stand.aws.state.mailed
        stand.aws.state.pending_mail[MEMBER] = (to, "424242" if real == code else real)
        done = stand.do(Deed.EMAIL_ACCEPT, code=Secret(code))
        assert [each.what for each in done.left] == ["root e-mail"]
        assert not code or code not in repr(done)
        assert ("account:AcceptPrimaryEmailUpdate" in stand.aws.asked()) is asked
        assert stand.aws.account(MEMBER).email == "shop@msp.example"

    def test_an_address_in_use_is_refused_in_plain_words(self, stand: Stand) -> None:
        done = stand.do(Deed.EMAIL_START, email="payer@msp.example")
        assert done.left[0].why.startswith("The address is, or was, another account's.")

    def test_a_lost_answer_of_the_change_is_no_second_code(self, stand: Stand) -> None:
        stand.do(Deed.EMAIL_START)
        stand.aws.lose_next("AcceptPrimaryEmailUpdate")
        assert stand.do(Deed.EMAIL_ACCEPT, code=Secret(stand.aws.state.mailed[0][1])).is_whole

    def test_a_payers_is_changed_in_the_console(self, stand: Stand) -> None:
        done = stand.do(Deed.EMAIL_START, account_id=PAYER, payer_id="")
        assert "console" in done.left[0].why
        assert stand.acts().root_email(replace(TARGET, payer_id="")) == ""


class TestLeaving:
    """A member leaves when AWS lets it; what is missing is said with whose turn it is."""

    @pytest.mark.parametrize(
        ("lacks", "words"),
        [
            ("MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED", "no payment method"),
            ("ACCOUNT_CANNOT_LEAVE_WITHOUT_PHONE_VERIFICATION", "phone number"),
            ("SOMETHING_NEW", "(SOMETHING_NEW)"),
        ],
    )
    def test_what_is_missing_is_said(self, stand: Stand, lacks: str, words: str) -> None:
        stand.aws.root(MEMBER).lacks = lacks
        done = stand.do(Deed.LEAVE)
        assert [each.what for each in done.left] == ["membership"]
        assert words in done.left[0].why
        stand.aws.root(MEMBER).standalone = True
        assert stand.do(Deed.LEAVE).is_whole
        assert stand.do(Deed.LEAVE).did == ("the account is in no Organization",)

    def test_an_account_that_is_too_new_waits(self, stand: Stand) -> None:
        stand.aws.root(MEMBER).standalone = True
        stand.aws.account(MEMBER).joined_method = "CREATED"
        assert "four days" in stand.do(Deed.LEAVE).left[0].why
        stand.aws.account(MEMBER).create_time -= timedelta(days=5)
        stand.aws.lose_next("RemoveAccountFromOrganization")
        assert stand.do(Deed.LEAVE).is_whole

    def test_the_member_leaves_by_itself_where_the_payer_may_not(self, stand: Stand) -> None:
        stand.aws.root(MEMBER).standalone = True
        stand.aws.deny(PAYER, "organizations:RemoveAccountFromOrganization")
        assert "Organization" in stand.preview(Deed.LEAVE).goes[0]
        assert stand.do(Deed.LEAVE).is_whole
        assert "organizations:LeaveOrganization" in stand.aws.asked(MEMBER)

    def test_a_payer_and_one_of_another_payer_do_not_leave(self, stand: Stand) -> None:
        assert "payer" in stand.do(Deed.LEAVE, account_id=PAYER, payer_id="").left[0].why
        assert "Look first" in stand.do(Deed.LEAVE, payer_id="222233334444").left[0].why
        assert stand.aws.account(MEMBER).id == MEMBER


class TestClosing:
    """A member's account is closed by its payer, once."""

    def test_it_is_closed_once(self, stand: Stand) -> None:
        assert stand.preview(Deed.CLOSE).goes[0].startswith(f"account {MEMBER}")
        first, again = stand.do(Deed.CLOSE), stand.do(Deed.CLOSE)
        assert first.did == again.did == (f"account {MEMBER} closed; AWS has it as PENDING_CLOSURE",)
        assert stand.aws.asked(PAYER).count("organizations:CloseAccount") == 1
        assert stand.preview(Deed.CLOSE).goes == ()
        assert not stand.do(Deed.CLOSE, account_id=PAYER, payer_id="").is_whole


class TestTheWayIn:
    """The role that we work through goes last, and without it everything says so."""

    def test_it_shuts_itself_and_goes_where_aws_still_lets_it(self, stand: Stand) -> None:
        stand.aws.state.lag = 20
        seen = stand.preview(Deed.LAST_ROLE)
        assert set(seen.goes) == {f"role {EYE}", f"role {ROLE}"}
        done = stand.do(Deed.LAST_ROLE)
        assert done.is_whole
        assert done.kept == ()
        assert stand.roles() == set()

    def test_where_aws_does_not_it_is_shut_and_empty(self, stand: Stand) -> None:
        done = stand.do(Deed.LAST_ROLE)
        assert done.is_whole
        assert done.kept[0].startswith(f"role {ROLE}, shut")
        assert stand.roles() == {ROLE}
        assert stand.client("iam").list_role_policies(RoleName=ROLE)["PolicyNames"] == []
        again = stand.do(Deed.LAST_ROLE)
        assert again.is_whole
        assert "does not let us take it on" in again.did[0]
        assert "cannot be assumed" in stand.preview(Deed.TOPICS).unseen[0].why

    def test_it_does_not_go_while_another_is_left(self, stand: Stand) -> None:
        stand.aws.fail_next("DeleteRole", "InternalFailure")
        done = stand.do(Deed.LAST_ROLE)
        assert {each.what for each in done.left} == {f"role {EYE}", f"role {ROLE}"}
        assert stand.roles() == {EYE, ROLE}
        assert stand.do(Deed.LAST_ROLE).is_whole

    def test_a_role_that_cannot_be_assumed_is_said(self, stand: Stand) -> None:
        nobody = replace(TARGET, ddi="somebody-else")
        for deed in set(Deed) - {Deed.LAST_ROLE}:
            for left in (
                stand.acts().preview(deed, nobody).unseen,
                stand.acts().carry_out(deed, nobody).left,
            ):
                ((what, why),) = ((each.what, each.why) for each in left)
                assert what == "all of it"
                assert f"{ROLE} of account" in why
                assert why.endswith("cannot be assumed (AccessDenied).")

    def test_aws_out_of_reach_is_not_a_role_that_is_gone(self, stand: Stand) -> None:
        stand.aws.fail_next("AssumeRole", "ServiceUnavailable")
        done = stand.do(Deed.LAST_ROLE)
        assert not done.is_whole
        assert "did not answer" in done.left[0].why

    def test_who_asked_is_in_awss_records(self, stand: Stand) -> None:
        stand.do(Deed.ALTERNATE_CONTACTS)
        assert {each.source_identity for each in stand.aws.state.sessions.values()} == {"alice"}


def test_the_roles_policy_allows_what_is_asked_and_nothing_else(furnished: Stand) -> None:
    """What the acts ask of AWS is what `config/deploy/offboarding-role-policy.json` lets the role do."""
    document = json.loads((ROOT / "config/deploy/offboarding-role-policy.json").read_text("utf-8"))
    allowed = {
        action
        for statement in document["Statement"]
        for action in statement["Action"]
        if statement["Effect"] == "Allow"
    }
    denied = [each for each in document["Statement"] if each["Effect"] == "Deny"]
    assert [each["Resource"].rpartition("/")[2] for each in denied] == sorted(KEPT_ROLES)
    before = len(furnished.aws.state.calls)
    furnished.client("account").put_alternate_contact(
        AlternateContactType="SECURITY", EmailAddress="s@msp.example", Name="S", PhoneNumber="1", Title="T"
    )
    furnished.aws.root(MEMBER).standalone = True
    furnished.aws.state.lag = 20
    furnished.do(Deed.EMAIL_START)
    code = Secret(furnished.aws.state.mailed[0][1])
    furnished.do(Deed.CLOSE)
    furnished.aws.account(MEMBER).state = "ACTIVE"
    furnished.aws.fail_next("RemoveAccountFromOrganization", "InternalFailure")
    for deed in (*(each for each in Deed if each not in {Deed.LEAVE, Deed.LAST_ROLE}), Deed.LEAVE):
        furnished.preview(deed)
        furnished.do(deed, code=code)
    furnished.do(Deed.LAST_ROLE)
    by_role = {call.action for call in furnished.aws.state.calls[before:] if call.key_id.startswith("ASIA")}
    assert allowed == by_role
