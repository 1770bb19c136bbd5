"""Members without root credentials, over HTTP against the tests' AWS: the way there and back, and who is stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.central_root import MEMBER, PAYER, VAULT, asking_aws, hold_member
from tests.support.replay import check_replay
from vault.adapters.central_root import AwsRootSession
from vault.crypto import totp
from vault.domain.account import Custody, Kind
from vault.domain.actor import Reach, Role
from vault.domain.credential import PartKind, PartState, VersionLabel
from vault.domain.keyless import Act, KeylessState
from vault.domain.secret import Secret
from vault.errors import Conflict, Forbidden, NotFound, Unavailable
from vault.ports.central_root import KeylessFilter
from vault.ports.store import EntryFilter, Slice
from vault.services.custody import Existing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.aws_cloud import AwsCloud
    from tests.support.world import World
    from vault.domain.proposal import Proposal
    from vault.services.keyless import KeylessMembers

WHY = "nobody signs in as root of this member any more"


@pytest.fixture
def aws(quick_world: World) -> Iterator[AwsCloud]:
    with asking_aws(quick_world) as cloud:
        yield cloud


@pytest.fixture
def world(quick_world: World, aws: AwsCloud) -> World:
    """Lend a world whose vault asks that AWS, with a payer, a held member and three people."""
    hold_member(quick_world)
    quick_world.human("ada", Role.APPROVER)
    quick_world.human("olaf", Role.OPERATOR)
    return quick_world


def members(world: World) -> KeylessMembers:
    return world.vault.keyless


def agree(world: World, act: Act = Act.REMOVE) -> Proposal:
    carla, ada = world.people["carla"], world.people["ada"]
    proposal = members(world).propose(carla.actor, MEMBER, act, WHY, carla.otp())
    return world.vault.proposals.confirm(ada.actor, proposal.id, ada.otp())


def look(world: World) -> Any:
    return members(world).look(world.people["carla"].actor, MEMBER)


def carry_out(world: World, who: str = "carla") -> Any:
    return members(world).carry_out(world.people[who].actor, MEMBER)


def entries(world: World, *types: str) -> list[dict[str, Any]]:
    with world.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(types=types), Reach(everything=True), Slice(200))
    return [dict(each.content) for each in reversed(page.items)]


def labels(world: World) -> set[VersionLabel]:
    with world.vault.units.read() as unit:
        return {each.label for kind in PartKind for each in unit.versions.of(MEMBER, kind)}


def test_a_member_loses_its_root_credentials_and_the_vault_its_values(world: World, aws: AwsCloud) -> None:
    key = aws.root(MEMBER).add_key()
    seen = look(world)
    assert seen.known.root.counts == {"password": 1, "mfa_devices": 1, "access_keys": 1, "certificates": 0}
    assert seen.is_better
    proposal = agree(world)
    assert key in proposal.content
    done = carry_out(world)

    root = aws.root(MEMBER)
    assert (root.password, root.recoverable, root.devices, root.keys) == (False, False, [], [])
    assert (done.account.custody, done.known.state) == (Custody.KEYLESS, KeylessState.GONE)
    assert labels(world) == {VersionLabel.RETIRED}
    with world.vault.units.read() as unit:
        assert {part.state for part in unit.accounts.parts(MEMBER)} == {PartState.ABSENT}
        ended = unit.proposals.get(proposal.id)
    assert ended is not None
    assert ended.ended_at is not None
    check_replay(world)


def test_each_session_is_told_of_before_it_is_used_by_the_id_of_its_key(world: World, aws: AwsCloud) -> None:
    look(world)
    agree(world)
    carry_out(world)

    told = entries(world, "keyless.session.opened")
    given = [
        each["responseElements"]["credentials"]["accessKeyId"]
        for each in aws.state.trail
        if each["eventName"] == "AssumeRoot"
    ]
    assert [each["detail"]["access_key"] for each in told] == given
    assert [each["detail"]["task"] for each in told] == ["audit", "delete", "audit"]
    assert len(entries(world, "keyless.session.asked")) == len(told)
    sources = {call["userIdentity"]["sessionContext"]["sourceIdentity"] for call in aws.state.trail[:1]}
    assert sources == {world.people["carla"].actor.id}
    with world.vault.units.read() as unit:
        leaves = b"".join(leaf for _, leaf in unit.census.leaves())
    assert not [each for each in aws.state.sessions.values() if each.token.encode() in leaves]


def test_the_password_goes_before_the_devices(world: World, aws: AwsCloud) -> None:
    aws.root(MEMBER).add_key()
    aws.root(MEMBER).add_certificate()
    look(world)
    agree(world)
    carry_out(world)

    done = [each.split(":")[1] for each in aws.asked(MEMBER) if each.startswith("iam:De")]
    assert done == [
        "DeleteAccessKey",
        "DeleteSigningCertificate",
        "DeleteLoginProfile",
        "DeactivateMFADevice",
        "DeleteVirtualMFADevice",
    ]


@pytest.mark.parametrize(
    ("operation", "lost"),
    [
        ("AssumeRole", False),
        ("AssumeRoot", True),
        ("GetLoginProfile", False),
        ("DeleteLoginProfile", False),
        ("DeleteLoginProfile", True),
        ("DeactivateMFADevice", True),
        ("DeleteVirtualMFADevice", False),
        ("GetAccountSummary", True),
    ],
)
def test_stopped_anywhere_it_is_done_again_and_ends_the_same(
    world: World, aws: AwsCloud, operation: str, *, lost: bool
) -> None:
    look(world)
    agree(world)
    aws.lose_next(operation) if lost else aws.fail_next(operation, "ServiceFailure")
    with pytest.raises(Unavailable) as stopped:
        carry_out(world)
    assert stopped.value.code == "keyless.unavailable"
    assert VersionLabel.CURRENT in labels(world)
    assert entries(world, "keyless.stopped")

    world.clock.advance(minutes=20)
    done = carry_out(world, "ada")

    assert done.account.custody is Custody.KEYLESS
    assert not aws.root(MEMBER).password
    check_replay(world)


def test_what_came_after_the_look_is_not_deleted_on_these_words(world: World, aws: AwsCloud) -> None:
    look(world)
    agree(world)
    key = aws.root(MEMBER).add_key()
    with pytest.raises(Conflict) as refused:
        carry_out(world)

    assert (refused.value.code, aws.root(MEMBER).password) == ("keyless.changed", True)
    assert aws.root(MEMBER).keys == [key]
    assert not [each for each in aws.asked(MEMBER) if "Delete" in each or "Deactivate" in each]


def test_a_later_look_makes_what_was_proposed_stale(world: World, aws: AwsCloud) -> None:
    look(world)
    carla, ada = world.people["carla"], world.people["ada"]
    proposal = members(world).propose(carla.actor, MEMBER, Act.REMOVE, WHY, carla.otp())
    aws.root(MEMBER).add_key()
    look(world)
    with pytest.raises(Conflict) as refused:
        world.vault.proposals.confirm(ada.actor, proposal.id, ada.otp())

    assert refused.value.code == "keyless.changed"


def test_what_aws_still_lists_afterwards_is_not_gone(
    world: World, aws: AwsCloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    look(world)
    agree(world)
    with monkeypatch.context() as patch:
        patch.setattr(AwsRootSession, "remove", lambda *_: None)
        with pytest.raises(Unavailable):
            carry_out(world)
    assert VersionLabel.CURRENT in labels(world)

    assert carry_out(world).account.custody is Custody.KEYLESS


def test_one_person_is_not_enough(world: World, aws: AwsCloud) -> None:
    look(world)
    carla = world.people["carla"]
    proposal = members(world).propose(carla.actor, MEMBER, Act.REMOVE, WHY, carla.otp())
    with pytest.raises(Forbidden):
        world.vault.proposals.confirm(carla.actor, proposal.id, carla.otp())
    with pytest.raises(Conflict) as refused:
        carry_out(world)

    assert (refused.value.code, aws.root(MEMBER).password) == ("proposal.state", True)


def test_rows_that_say_so_are_not_enough(world: World, aws: AwsCloud) -> None:
    look(world)
    carla, now = world.people["carla"], world.clock.now()
    proposal = members(world).propose(carla.actor, MEMBER, Act.REMOVE, WHY, carla.otp())
    forged = replace(proposal, confirmed_by=world.people["ada"].actor.id, confirmed_at=now, effective_at=now)
    with world.vault.units.write() as unit:
        unit.proposals.update(forged)
        unit.commit()
    with pytest.raises(Unavailable) as refused:
        carry_out(world)

    assert (refused.value.code, aws.root(MEMBER).password) == ("proposal.unproven", True)
    with world.vault.units.write() as unit:
        unit.proposals.update(proposal)
        unit.commit()


def test_who_may_not_decide_is_refused_and_nothing_is_asked(world: World, aws: AwsCloud) -> None:
    with pytest.raises(Forbidden):
        members(world).look(world.people["olaf"].actor, MEMBER)
    assert "sts:AssumeRoot" not in aws.asked()


def test_while_somebody_has_the_account_nothing_begins(world: World, aws: AwsCloud) -> None:
    look(world)
    agree(world)
    olaf = world.people["olaf"]
    lease = world.lease(olaf, MEMBER, "CRED_ROTATE")
    with pytest.raises(Conflict) as refused:
        carry_out(world)
    assert (refused.value.code, aws.root(MEMBER).password) == ("checkout.conflict", True)
    world.vault.checkouts.check_in(olaf.actor, lease.id)

    assert carry_out(world).account.custody is Custody.KEYLESS


def test_giving_up_in_the_middle_leaves_the_account_held(world: World, aws: AwsCloud) -> None:
    look(world)
    proposal = agree(world)
    aws.fail_next("DeleteLoginProfile", "ServiceFailure")
    with pytest.raises(Unavailable):
        carry_out(world)
    world.vault.proposals.end(world.people["ada"].actor, proposal.id, "we keep this one after all")

    found = members(world).get(world.people["carla"].actor, MEMBER)
    assert (found.known and found.known.state, found.account.custody) == (KeylessState.SEEN, Custody.HELD)
    with pytest.raises(Conflict):
        carry_out(world)


def test_recovery_is_allowed_by_two_after_the_hold_and_custody_begins_anew(
    world: World, aws: AwsCloud
) -> None:
    look(world)
    agree(world)
    carry_out(world)
    agree(world, Act.ALLOW)
    with pytest.raises(Conflict):
        carry_out(world)
    assert not aws.root(MEMBER).recoverable
    world.clock.advance(days=2)
    aws.lose_next("CreateLoginProfile")
    with pytest.raises(Unavailable):
        carry_out(world)
    done = carry_out(world)

    assert aws.root(MEMBER).recoverable
    assert (done.account.custody, done.account.held_since) == (Custody.ONBOARDING, None)
    assert done.known.state is KeylessState.SEEN
    carla = world.people["carla"]
    again = Existing(
        "shop@msp.example", Secret("New-Horse-8-Battery!"), totp.generate_seed().secret, attested=True
    )
    assert world.vault.custodies.take_in(carla.actor, MEMBER, again, carla.otp()).custody is Custody.HELD
    assert labels(world) == {VersionLabel.RETIRED, VersionLabel.CURRENT}
    check_replay(world)


class TestNeverHadAny:
    """A member that the Organization made has no root credentials."""

    NEW = "777788889999"

    @pytest.fixture
    def new(self, world: World, aws: AwsCloud) -> str:
        aws.member(PAYER, self.NEW, "New", "new@msp.example", invited=False)
        world.account(self.NEW, Kind.MEMBER)
        return self.NEW

    def test_it_is_registered_on_awss_word(self, world: World, aws: AwsCloud, new: str) -> None:
        done = members(world).register(world.people["carla"].actor, new)

        assert (done.account.custody, done.known and done.known.root.is_bare) == (Custody.KEYLESS, True)
        (told,) = entries(world, "keyless.reached")
        assert told["detail"]["never_had_any"] is True
        assert not [each for each in aws.asked(new) if "Delete" in each]

    def test_one_that_has_some_is_not(self, world: World, aws: AwsCloud, new: str) -> None:
        aws.root(new).password = True
        with pytest.raises(Conflict) as refused:
            members(world).register(world.people["carla"].actor, new)
        assert refused.value.code == "keyless.state"

    def test_one_that_somebody_is_taking_over_is_not(self, world: World, aws: AwsCloud, new: str) -> None:
        olaf = world.people["olaf"]
        lease = world.lease(olaf, new, "ONBOARD_TAKEOVER")
        with pytest.raises(Conflict) as refused:
            members(world).register(world.people["ada"].actor, new)
        assert refused.value.code == "checkout.conflict"
        world.vault.checkouts.check_in(olaf.actor, lease.id)

        done = members(world).register(world.people["ada"].actor, new)
        assert done.account.custody is Custody.KEYLESS

    def test_one_that_we_hold_is_not(self, world: World, aws: AwsCloud) -> None:
        aws.root(MEMBER).forget()
        with pytest.raises(Conflict):
            members(world).register(world.people["carla"].actor, MEMBER)
        assert VersionLabel.CURRENT in labels(world)


@pytest.mark.parametrize("kind", [Kind.PAYER, Kind.STANDALONE])
def test_only_members_can_be_without(world: World, kind: Kind) -> None:
    number = "222233334444"
    world.account(number, kind)
    with pytest.raises(Conflict) as refused:
        members(world).look(world.people["carla"].actor, number)
    assert refused.value.code == "keyless.state"


def test_a_payer_that_is_not_in_sight_is_not_asked(world: World, aws: AwsCloud) -> None:
    with pytest.raises(Conflict):
        members(world).look(world.people["carla"].actor, MEMBER, VAULT)
    with pytest.raises(NotFound):
        members(world).look(world.people["carla"].actor, "000000000000")
    assert "sts:AssumeRole" not in aws.asked()


def test_summary_and_lists_have_to_agree(world: World, aws: AwsCloud) -> None:
    aws.deny(MEMBER, "iam:GetAccountSummary")
    with pytest.raises(Unavailable):
        look(world)
    with world.vault.units.read() as unit:
        assert unit.keyless.get(MEMBER) is None


def test_the_list_shows_members_with_what_is_known(world: World, aws: AwsCloud) -> None:
    look(world)
    page, payers = members(world).page(world.people["carla"].actor, KeylessFilter(is_gone=False), Slice(10))

    assert [(view.account.id, view.is_better) for view in page.items] == [(MEMBER, True)]
    assert [each.id for each in payers] == [PAYER]
    assert json.loads(page.items[0].known.found)["password"] is True if page.items[0].known else False
