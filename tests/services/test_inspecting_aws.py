"""From AWS to findings and back: a vault that looks over HTTP at the tests' AWS, whose root users are changed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from tests.support.aws_cloud import AwsCloud, aws_cloud
from tests.support.inspected import inspected
from tests.support.moto_kms import made_up_credentials
from vault.adapters.inspection.role import RoleInspector
from vault.domain.account import Kind
from vault.domain.actor import EVERYTHING
from vault.domain.hygiene import FindingState, Rule
from vault.ports.inspection import FindingFilter
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.world import World

PAYER, MEMBER, STRANGER, VAULT = "999988887777", "111122223333", "777788889999", "123456789012"
ROLE, DEAL = "RootVaultInspection", "deal-900001"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[AwsCloud]:
    """Make a payer with a member, and a role in each."""
    with made_up_credentials(), aws_cloud(lambda: datetime.now(UTC)) as cloud:
        cloud.organization(
            PAYER,
            {MEMBER: (f"account {MEMBER}", f"root+{MEMBER}@msp.example")},
            email=f"root+{PAYER}@msp.example",
        )
        for number in (PAYER, MEMBER):
            cloud.role(number, ROLE, trusts=VAULT, external_id=DEAL)
            cloud.root(number).add_device("rv-1", datetime.now(UTC))
        for name, value in cloud.user(VAULT).items():
            monkeypatch.setenv(name.upper(), str(value))
        monkeypatch.delenv("AWS_SESSION_TOKEN", raising=False)
        yield cloud


def found(world: World) -> set[tuple[str, str]]:
    """Look at everybody a day later; give what weighs and is open, by account and rule."""
    world.clock.advance(days=1)
    while world.vault.inspecting.once().accounts:
        pass
    with world.vault.units.read() as unit:
        page = unit.findings.page(EVERYTHING, FindingFilter(state=FindingState.OPEN), Slice(200))
    return {(each.account_id, str(each.rule)) for each in page.items if each.weight < 3}


def test_what_changes_at_aws_is_found_and_what_is_mended_closes(quick_world: World, aws: AwsCloud) -> None:
    world = quick_world
    inspected(world.vault)
    role = RoleInspector(ROLE, "deal-{ddi}", aws.url, sleep=lambda _: None)
    object.__setattr__(world.vault.inspecting, "inspector", role)
    world.account(PAYER, Kind.PAYER)
    world.account(MEMBER, Kind.MEMBER)
    assert found(world) == set()
    key = aws.root(MEMBER).add_key()
    aws.account(MEMBER).email = "thief@elsewhere.example"
    aws.member(PAYER, STRANGER, "Somebody's", "somebody@elsewhere.example")
    wrong = {(MEMBER, Rule.ROOT_KEYS), (MEMBER, Rule.EMAIL_DIFFERS), (PAYER, Rule.NOT_IN_VAULT)}
    assert found(world) == wrong
    # what is refused takes nothing back, mended or not
    aws.root(MEMBER).keys.remove(key)
    aws.deny(MEMBER, "iam:GetAccountSummary")
    aws.deny(PAYER, "organizations:ListAccounts")
    assert found(world) == wrong
    aws.allow(MEMBER, "iam:GetAccountSummary")
    assert found(world) == wrong - {(MEMBER, Rule.ROOT_KEYS)}
    aws.allow(PAYER, "organizations:ListAccounts")
    aws.account(MEMBER).email = f"root+{MEMBER}@msp.example"
    assert found(world) == {(PAYER, Rule.NOT_IN_VAULT)}
    world.account(STRANGER, Kind.MEMBER)
    assert (STRANGER, Rule.UNSEEN) in found(world)
    assert (PAYER, Rule.NOT_IN_VAULT) not in found(world)
