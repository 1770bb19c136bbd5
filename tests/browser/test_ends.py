"""The ends of an account in real browsers: destroyed with its certificate, closed with its countdown, reopened."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER
from tests.browser.test_keyless import look
from tests.services.test_closures import Bench
from tests.services.test_destruction import ORDER
from tests.support.released import release
from tests.support.world import Human
from vault.domain.actor import Role, system_actor
from vault.services.destruction import Destruction

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.stage import Stage

pytestmark = pytest.mark.browser
CLOSED = "777788889999"


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Pages do not look different on another database."""
    return f"sqlite+pysqlite:///{tmp_path / 'test.db'}"


def human(stage: Stage, role: Role) -> Human:
    """Give a person of the stage as the world's helpers take one."""
    member = stage.members[role]
    return Human(stage.house.actor(member), member.seed, stage.house.world.clock, member.used)


def test_a_certificate_is_read_and_prints(stage: Stage) -> None:
    world = stage.house.world
    release(world, NUMBER)
    with world.vault.units.write() as unit:
        Destruction().destroy(unit, system_actor("test"), NUMBER, ORDER, world.clock.now())
        unit.commit()
    page = stage.sign_in(stage.visitor(), stage.members[Role.CSM])
    page.goto(f"{stage.base_url}/accounts/{NUMBER}")
    look(page, "account-destroyed")
    page.get_by_role("link", name="Certificate of destruction").click()
    page.get_by_role("heading", name="Certificate of destruction").wait_for()
    look(page, "certificate")
    page.emulate_media(media="print")
    assert page.get_by_role("link", name="Take it along as text").is_hidden()


@pytest.mark.parametrize("javascript", [True, False], ids=["", "without javascript"])
def test_a_closed_account_counts_down_and_is_reopened(stage: Stage, *, javascript: bool) -> None:
    world = stage.house.world
    carla = human(stage, Role.CUSTODIAN)
    world.people |= {"carla": carla, "arno": human(stage, Role.APPROVER)}
    bench = Bench(world, carla, world.people["arno"], human(stage, Role.OPERATOR))
    world.human("bea", Role.APPROVER)
    world.held(CLOSED)
    case = bench.open(CLOSED)
    bench.begun(case, CLOSED)
    bench.lease(CLOSED)
    bench.closed(case, CLOSED)
    world.clock.advance(days=1)
    member = stage.members[Role.CUSTODIAN]
    member.used = carla.used
    page = stage.sign_in(stage.visitor(javascript=javascript), member)
    page.goto(f"{stage.base_url}/accounts/{CLOSED}")
    page.get_by_text("89 days left to reopen it").wait_for()
    if javascript:
        look(page, "account-closed")
        assert page.get_by_text("so it has to change").count() == 0  # nobody rotates what AWS closed
        page.get_by_role("link", name="The closure").click()
        page.get_by_text("89 days left").wait_for()
        look(page, "case-of-closed")
        page.go_back()
    page.get_by_role("link", name="AWS reopened it").click()
    if javascript:
        look(page, "reopen")
    page.get_by_label("The day on which AWS reopened it").fill(f"{world.clock.now():%Y-%m-%d}")
    page.get_by_label("By which case with AWS Support").fill("case 4711 with AWS Support")
    page.get_by_label("Code from your device").fill(member.code())
    page.get_by_role("button", name="Write it down").click()
    page.wait_for_url(f"{stage.base_url}/accounts/{CLOSED}")
    assert page.get_by_text("days left to reopen it").count() == 0
