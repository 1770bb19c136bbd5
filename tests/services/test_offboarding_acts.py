"""The day's acts of a case, over HTTP at the tests' AWS: what each is told, and the ways in that are never closed."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.central_root import MEMBER, PAYER, VAULT, asking_aws
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.bootstrap.cases import CaseParts, acts_of
from vault.domain.account import Custody, Kind
from vault.domain.actor import Reach, Role
from vault.domain.case import CaseFile, CaseKind, Done, Place, PlaceState, Scene, StepState
from vault.domain.offboarding import Ours
from vault.domain.plans import handover as steps
from vault.domain.plans.release import RESET
from vault.errors import Conflict, Unavailable
from vault.ports.store import EntryFilter, Slice
from vault.services.case_kinds import Act, Carried, Preview, Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.support.aws_cloud import AwsCloud
    from tests.support.world import World

EMAIL = "root@shop.example"
OURS = Ours(
    roles=("Rackspace",), topics=("rackspace-support",), addresses=("@msp.example",), regions=("us-east-1",)
)
CONTACT = {
    "full_name": "Sam Shop",
    "company": "Shop Ltd",
    "address": "1 High Street",
    "city": "Leeds",
    "postal_code": "LS1 1AA",
    "country": "GB",
    "phone": "+44 113 496 0000",
}


@dataclass
class Day:
    """A member's day: its acts, AWS, and the case as it stands."""

    world: World
    aws: AwsCloud
    acts: dict[tuple[CaseKind, str], Act]
    scene: Scene

    def work(self, code: str = "", number: str = MEMBER) -> Work:
        return Work(self.world.people["olaf"].actor, self.scene, number, {"code": code} if code else {})

    def preview(self, step: str) -> Preview:
        return self.acts[CaseKind.HANDOVER, step].preview(self.work())

    def do(self, step: str, code: str = "", number: str = MEMBER) -> Carried:
        return self.acts[CaseKind.HANDOVER, step].carry_out(self.work(code, number))

    def mailed(self) -> str:
        """Change the e-mail, as the customer reads the code out; give the code."""
        assert self.do(steps.EMAIL_START).whole
        code = self.aws.state.mailed[-1][1]
        assert self.do(steps.EMAIL_ACCEPT, code).whole
        return code

    def entries(self) -> list[dict[str, Any]]:
        with self.world.vault.units.read() as unit:
            found = unit.log.page(EntryFilter(), Reach(everything=True), Slice(200)).items
        return [dict(each.content) for each in reversed(found)]


@pytest.fixture
def aws(quick_world: World) -> Iterator[AwsCloud]:
    with asking_aws(quick_world) as cloud:
        cloud.state.regions = ("us-east-1",)
        for number in (PAYER, MEMBER):
            cloud.role(number, "Work", trusts=VAULT, external_id="deal")
        yield cloud


@pytest.fixture
def day(quick_world: World, aws: AwsCloud) -> Day:
    world = quick_world
    world.human("olaf", Role.OPERATOR)
    member = world.account(MEMBER, Kind.MEMBER)
    with world.vault.units.read() as unit:
        payer, customer = unit.accounts.get(PAYER), unit.customers.get(member.customer_id)
    assert payer is not None
    assert customer is not None
    now, who = world.clock.now(), world.people["olaf"].actor.id
    case = CaseFile("case", CaseKind.HANDOVER, customer.id, "T-1", "in_progress", who, now, now)
    places = tuple(
        Place("case", each.id, index, PlaceState.IN_PROGRESS, now, was=Custody.HELD.value)
        for index, each in enumerate((member, payer))
    )
    done = {
        (number, step): Done("case", number, step, StepState.DONE, now, who, evidence)
        for number, step, evidence in (
            (MEMBER, steps.NEW_EMAIL, {"email": EMAIL}),
            ("", steps.CONTACT, CONTACT),
        )
    }
    scene = Scene(case, customer, places, {each.id: each for each in (member, payer)}, done)
    vault = world.vault
    parts = CaseParts(
        vault.units,
        vault.keyless.gate,
        vault.cases.work.ground.factors,
        vault.clock,
        vault.calendars,
        AwsOffboarding("Work", "deal", OURS, aws.url),
        vault.keyless.central,
    )
    return Day(world, aws, acts_of(parts), scene)


def of_handover(acts: Mapping[tuple[CaseKind, str], Act]) -> set[str]:
    return {name for kind, name in acts if kind is CaseKind.HANDOVER}


def test_every_step_that_the_vault_can_do_has_an_act(day: Day) -> None:
    wanted = {step.name for step in steps.PLAN.steps if step.acts}
    assert of_handover(day.acts) == wanted
    blind = CaseParts(
        day.world.vault.units,
        day.world.vault.keyless.gate,
        day.world.vault.cases.work.ground.factors,
        day.world.vault.clock,
        day.world.vault.calendars,
    )
    assert of_handover(acts_of(blind)) == {RESET}
    handed = acts_of(replace(blind, offboarding=AwsOffboarding("Work", "deal", OURS, day.aws.url)))
    assert wanted - of_handover(handed) == {steps.ROOT_DELETED, steps.RECOVERY}


def test_a_member_is_given_back_in_the_order_of_the_plan(day: Day) -> None:
    iam = day.aws.client("iam", MEMBER, region="us-east-1")
    for name in ("Rackspace", "RackspaceDefaultEC2Role"):
        iam.create_role(RoleName=name, AssumeRolePolicyDocument='{"Version":"2012-10-17","Statement":[]}')
    assert day.do(steps.CONTACTS).whole
    assert day.aws.state.contacts[MEMBER]["CompanyName"] == "Shop Ltd"
    assert day.do(steps.ALTERNATES) == Carried(("nothing of ours is there",))
    code = day.mailed()
    assert day.aws.account(MEMBER).email == EMAIL
    assert day.preview(steps.ROOT_DELETED).goes == ("of the root: 1 password, 1 mfa devices",)
    assert day.do(steps.ROOT_DELETED).whole
    root = day.aws.root(MEMBER)
    assert (root.password, root.recoverable, root.devices) == (False, False, [])
    assert day.do(steps.RECOVERY).whole
    assert root.recoverable
    root.standalone = True
    assert "role Rackspace" in day.preview(steps.ROLES).goes
    assert "role RackspaceDefaultEC2Role" in day.preview(steps.ROLES).stays
    for step in (steps.LEAVE, steps.TOPICS, steps.DISPATCHER, steps.ROLES, steps.LAST_ROLE):
        assert day.do(step).whole, step
    assert [each["RoleName"] for each in iam.list_roles()["Roles"]] == ["RackspaceDefaultEC2Role"]

    told = day.entries()
    sessions = [each["detail"]["task"] for each in told if each["type"] == "keyless.session.opened"]
    assert sessions == ["audit", "delete", "allow"]
    assert code not in json.dumps([each for each in told if each["type"].startswith(("keyless", "case"))])


def test_root_is_not_deleted_while_its_mailbox_is_ours(day: Day) -> None:
    done = day.do(steps.ROOT_DELETED)
    assert "root e-mail" in done.left[0]
    assert EMAIL in day.preview(steps.ROOT_DELETED).words
    assert day.aws.root(MEMBER).password
    assert "iam:DeleteLoginProfile" not in day.aws.asked(MEMBER)


def test_what_root_has_after_recovery_is_the_customers(day: Day) -> None:
    day.mailed()
    day.do(steps.ROOT_DELETED)
    day.world.clock.advance(seconds=1)
    day.do(steps.RECOVERY)
    assert day.do(steps.ROOT_DELETED).whole
    assert day.aws.root(MEMBER).password
    assert day.aws.asked(MEMBER).count("iam:DeleteLoginProfile") == 1
    assert day.do(steps.RECOVERY).whole


def test_a_deletion_whose_answer_was_lost_is_gone_on_with(day: Day) -> None:
    day.mailed()
    day.aws.lose_next("DeleteLoginProfile")
    with pytest.raises(Unavailable):
        day.do(steps.ROOT_DELETED)
    assert day.do(steps.ROOT_DELETED).whole
    assert day.aws.root(MEMBER).devices == []


@pytest.mark.parametrize("was", [Custody.HELD, Custody.KEYLESS])
def test_nobody_leaves_whose_root_nobody_can_recover(day: Day, was: Custody) -> None:
    day.aws.root(MEMBER).standalone = True
    if was is Custody.HELD:
        day.mailed()
        day.do(steps.ROOT_DELETED)
    else:
        places = tuple(replace(each, was=was.value) for each in day.scene.places)
        day.scene = replace(day.scene, places=places)
    with pytest.raises(Conflict) as refused:
        day.do(steps.LEAVE)
    assert refused.value.code == "case.rule"
    assert day.aws.account(MEMBER).id == MEMBER
    day.world.clock.advance(seconds=1)
    day.do(steps.RECOVERY)
    assert day.do(steps.LEAVE).whole


def test_what_is_left_is_said_with_awss_reason(day: Day) -> None:
    done = day.do(steps.LEAVE)
    assert not done.whole
    assert done.left[0].startswith("membership: The account has no payment method")
    day.aws.state.down.add("us-east-1")
    with pytest.raises(Unavailable) as unseen:
        day.preview(steps.TOPICS)
    assert unseen.value.code == "case.unavailable"


def test_the_payer_is_of_the_case_or_the_only_one(day: Day) -> None:
    alone = {MEMBER: day.scene.accounts[MEMBER]}
    day.scene = replace(day.scene, accounts=alone)
    assert day.do(steps.EMAIL_START).whole
    day.world.account("222233334444", Kind.PAYER)
    with pytest.raises(Conflict):
        day.do(steps.EMAIL_START)
    day.world.vault.keyless.look(day.world.human("carla", Role.CUSTODIAN).actor, MEMBER, PAYER)
    assert day.do(steps.EMAIL_START).whole
