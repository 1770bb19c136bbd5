"""Killed before or after any call that changes something at AWS, the acts done again end in the same state."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from botocore.client import BaseClient

from tests.support.thorough import THOROUGH
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.bootstrap.inspection import read_defaults
from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.cli.admin.demo.aws.server import serving
from vault.cli.admin.demo.aws.state import Account, Cloud
from vault.domain.offboarding import Deed, Ours, Target
from vault.settings import load_settings

NUMBER, WORK, LOOK = "111122223333", "RootVaultOffboarding", "RootVaultInspection"
DAY = (Deed.ALTERNATE_CONTACTS, Deed.DISPATCHER, Deed.ROLES, Deed.TOPICS, Deed.LAST_ROLE)
DOES = ("Put", "Delete", "Remove", "Detach", "Update")
STEPS = 28
"""More calls than there are: the last ones kill nothing."""


class Killed(BaseException):
    """The process ends here."""


def account_with_ours() -> tuple[Cloud, Account, AwsOffboarding]:
    environment = {"ROOTVAULT_ENVIRONMENT": "demo", "ROOTVAULT_KEYS_SERVICE": "local"}
    wanted = replace(read_defaults(load_settings(environment=environment)), topics=("rackspace-support",))
    cloud = Cloud()
    account = cloud.add(NUMBER, "Shop", "shop@msp.example")
    furnish(account, wanted)
    live_in(account, "msp.example")
    for role in (WORK, LOOK):
        let_in(account, role, cloud.vault)
    ours = Ours.of(wanted, eyes=(LOOK,), addresses=("@msp.example",))
    return cloud, account, AwsOffboarding(WORK, "", ours, sleep=lambda _: None)


def work(acts: AwsOffboarding, done: list[Deed]) -> None:
    """Go on with the day where it stands, as a case does."""
    target = Target(NUMBER, "900001", "alice")
    for deed in DAY:
        if deed not in done:
            assert acts.carry_out(deed, target).is_whole, deed
            done.append(deed)


def killed_at(step: int) -> tuple[list[str], int]:
    """Kill at a changing call, before or after it by turns, and go on; give what is left, and the number of calls."""
    cloud, account, acts = account_with_ours()
    honest = BaseClient._make_api_call  # type: ignore[attr-defined]  # the stubs leave it out
    made: list[str] = []
    done: list[Deed] = []

    def call(self: Any, name: str, asked: Any) -> Any:
        if not name.startswith(DOES):
            return honest(self, name, asked)
        made.append(name)
        if len(made) == step + 1 and step % 2:
            raise Killed
        answer = honest(self, name, asked)
        if len(made) == step + 1:
            raise Killed
        return answer

    with serving(cloud) as url, mock.patch.dict(os.environ, cloud.environment()):
        acts = replace(acts, endpoint=url)
        with mock.patch.object(BaseClient, "_make_api_call", call), contextlib.suppress(Killed):
            work(acts, done)
        work(acts, done)
    left = account.everything()
    return [*left, *sorted(account.contacts), str(sorted(r.trusts for r in account.roles.values()))], len(
        made
    )


@pytest.fixture(scope="module")
def expected() -> list[str]:
    left, calls = killed_at(-1)
    assert 15 < calls < STEPS
    return left


@pytest.mark.parametrize("step", range(STEPS) if THOROUGH else (3, 8, 14, 19, 20))
def test_done_again_it_ends_the_same(step: int, expected: list[str]) -> None:
    left, _ = killed_at(step)
    shut = f"role {WORK}"
    # killed once it was shut, the role cannot be taken on to finish itself: it stands, and nobody gets in
    assert [each for each in left if each != shut and not each.startswith("[")] == [
        each for each in expected if not each.startswith("[")
    ]
    assert "123456789012" not in left[-1]
