"""What is ours in an account goes by its exact name, over HTTP at the tests' AWS, and nothing else does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.support.given_back import (
    EYE,
    MEMBER,
    OURS,
    REGIONS,
    ROLE,
    TARGET,
    TRUST,
    Stand,
    furnish,
    giving_back,
)
from vault.adapters.inspection.asking import PAUSES
from vault.domain.offboarding import NAMED_MOST, Deed, Outcome


@pytest.fixture
def stand() -> Iterator[Stand]:
    with giving_back() as made:
        yield made


@pytest.fixture
def furnished(stand: Stand) -> Stand:
    return furnish(stand)


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
