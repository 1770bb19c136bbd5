"""A handover in a browser, from the board to the certificate: an engineer's day and the customer's walk.

With `WALK_PICTURES=DIRECTORY` in the environment each step leaves the picture that docs/engineers-day.md and
docs/customers-walk.md show.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from playwright.sync_api import expect

from tests.browser.stage import NUMBER, Stage, populate, serving
from tests.support.handed import Post
from tests.support.handover_day import ROLE, Day, reaching
from tests.support.handovers import MEMBERS_DAY, PAYER_DAY, Handover
from tests.support.people import House, move_in
from tests.support.world import Human
from vault.bootstrap.inspection import read_defaults
from vault.cli.admin.demo.aws.ground import furnish, let_in, live_in
from vault.cli.admin.demo.aws.server import serving as serving_aws
from vault.cli.admin.demo.aws.state import Cloud
from vault.crypto import totp
from vault.domain.account import Custodian, Custody, Kind, Model
from vault.domain.actor import Role
from vault.domain.plans import handover as plan
from vault.domain.plans.release import ACKNOWLEDGE, RELEASE
from vault.domain.secret import Secret
from vault.services.accounts import AccountFacts
from vault.services.custody import Existing
from vault.services.handing_over import Handing, HandoverWish, Information

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

SHOP: Final = "210987654321"
MORE: Final = {"321098765432": "Northwind web shop, staging"}
MEMBERS: Final = (SHOP, *MORE)
SANDBOX: Final = "567890123456"
MARIA: Final = "Maria Example"
CONTACT: Final = {
    "full_name": "Northwind Traders Ltd", "address": "1 Main Street", "city": "Springfield", "postal_code": "12345",
    "country": "US", "phone": "+15550100",
}  # fmt: skip
PICTURES: Final = os.environ.get("WALK_PICTURES", "")


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Keep the vault in SQLite: what differs between databases is tested elsewhere."""
    return f"sqlite+pysqlite:///{tmp_path / 'vault.db'}"


@dataclass
class Letters(Post):
    """A mail server that also keeps what a letter looks like."""

    drawn: str = ""

    def send(
        self, to: tuple[str, ...], subject: str, body: str, message_id: str, html: str | None = None
    ) -> str:
        """Keep it."""
        self.drawn = html or ""
        return super().send(to, subject, body, message_id, html)


@dataclass
class Told:
    """The stage, the accounts at AWS, and the handover that both walks are about."""

    stage: Stage
    day: Day
    case_id: str = ""
    letters: Letters = field(default_factory=Letters)

    @property
    def at(self) -> str:
        """Give the case's address."""
        return f"{self.stage.base_url}/cases/{self.case_id}"

    def enter(self, role: Role, *, width: int = 1280, height: int = 860, dark: bool = False) -> Page:
        """Sign somebody in, a minute after whatever was before."""
        self.stage.house.world.clock.advance(minutes=1)
        visitor = self.stage.visitor(width=width, height=height, dark=dark)
        return self.stage.sign_in(visitor, self.stage.members[role])


def account_at(cloud: Cloud, house: House, number: str, name: str) -> None:
    """Let AWS have an account with what onboarding applied and what the customer has."""
    account = cloud.add(number, name, f"aws-root+{number}@mail.msp.example", NUMBER)
    furnish(account, read_defaults(house.vault.settings))
    live_in(account, "msp.example")
    let_in(account, ROLE, cloud.vault)
    account.standalone = True
    account.root.devices.append(f"arn:aws:iam::{number}:mfa/root")


def take_in(house: House, stage: Stage, number: str) -> None:
    """Hold an account's root."""
    existing = Existing(
        f"aws-root+{number}@mail.msp.example",
        Secret(f"Correct-Horse-7-{number}"),
        totp.generate_seed().secret,
        attested=True,
    )
    carla = stage.members[Role.CUSTODIAN]
    house.vault.custodies.take_in(house.actor(carla), number, existing, carla.code())


@contextmanager
def told(database_url: str, directory: Path, browser: Browser) -> Iterator[Told]:
    """Serve a vault that reaches a small AWS, with a payer and two members of Northwind's."""
    cloud = Cloud(vault="999999999999")
    with pytest.MonkeyPatch.context() as patch, serving_aws(cloud) as aws:
        for name, value in cloud.environment().items():
            patch.setenv(name, value)

        def furnished(house: House) -> None:
            house.world.vault = house.vault
            house.vault = move_in(reaching(house.world, aws)).vault
            house.world.vault = house.vault

        with serving(database_url, directory, furnished) as (house, base_url):
            members, admins, seed = populate(house)
            stage = Stage(house, base_url, browser, members, admins, seed)
            carla = house.actor(members[Role.CUSTODIAN])
            north = house.vault.accounts.get(carla, NUMBER).account.customer_id
            for number, name in MORE.items():
                facts = AccountFacts(
                    name, f"aws-root+{number}@mail.msp.example", Custodian.OURS, Custodian.OURS
                )
                house.vault.accounts.register(carla, number, north, Model.SPAM, Kind.MEMBER, facts)
            for number in (*MORE, SANDBOX):
                take_in(house, stage, number)
            for number in (NUMBER, *MEMBERS):
                account_at(cloud, house, number, MORE.get(number, "Northwind"))
            settle(stage)
            told = Told(stage, Day(house.world, cloud, signatory=MARIA))
            object.__setattr__(house.vault.releases.links, "mailer", told.letters)
            yield told
            assert [trouble for visitor in stage.visitors for trouble in visitor.close()] == []


def settle(stage: Stage) -> None:
    """Let the people of the stage be those of the day, with codes that no page was given."""
    house = stage.house
    house.world.clock.advance(minutes=2)
    roles = {"olga": Role.OPERATOR, "ada": Role.APPROVER, "chris": Role.CSM, "carla": Role.CUSTODIAN}
    for name, role in roles.items():
        member = stage.members[role]
        house.world.people[name] = Human(house.actor(member), member.seed, house.world.clock, member.used)
    house.world.clock.advance(minutes=1)


def opened(told: Told) -> None:
    """Open the handover, and one of another customer that nothing is known of yet."""
    house, chris = told.stage.house, told.day.people.chris
    get = house.vault.accounts.get
    asked = tuple(
        Handing(number, f"aws-{number}@northwind.example", "Mia of IT", "Pat, +1 555 0100")
        for number in (NUMBER, *MEMBERS)
    )
    signatory = {"name": MARIA, "email": "maria@northwind.example", "channel": "+1 555 0100"}
    known = Information(asked, signatory, "2026-12-31", plan.LEAVES, CONTACT)
    blue = get(chris.actor, SANDBOX).account.customer_id
    handovers = house.vault.cases.handovers
    handovers.open(chris.actor, HandoverWish(blue, "T-2044", Information((Handing(SANDBOX),))))
    house.world.clock.advance(hours=3)
    north = get(chris.actor, NUMBER).account.customer_id
    told.case_id = handovers.open(chris.actor, HandoverWish(north, "T-1001", known)).id
    house.world.clock.advance(hours=2)


def picture(page: Page, name: str, *, full: bool = False, most: int = 0) -> None:
    """Leave a picture where the walks are to be shown; at most so many pixels high."""
    if not PICTURES:
        return
    page.mouse.move(0, 0)
    Path(PICTURES).mkdir(parents=True, exist_ok=True)
    size = page.viewport_size
    assert size is not None
    clip = {"x": 0, "y": 0, "width": size["width"], "height": most} if most else None
    page.screenshot(path=Path(PICTURES) / f"{name}.png", full_page=full or most > 0, clip=clip)  # type: ignore[arg-type]  # as Playwright names it


def test_a_handover_is_carried_from_the_board_to_the_certificate(
    database_url: str, tmp_path: Path, browser: Browser
) -> None:
    with told(database_url, tmp_path, browser) as made:
        opened(made)
        _before_the_day(made)
        _on_the_day(made)
        _to_the_end(made)
        _what_the_customer_gets(made)
        vault, chris = made.stage.house.vault, made.day.people.chris.actor
        assert vault.cases.work.get(chris, made.case_id).scene.case.state == "closed"


def _before_the_day(made: Told) -> None:
    page = made.enter(Role.OPERATOR)
    page.goto(f"{made.stage.base_url}/cases/handovers")
    expect(page.get_by_role("row").filter(has_text="Northwind")).to_contain_text("You")
    picture(page, "1-board")
    page.goto(made.at)
    expect(page.get_by_role("heading", name="Waits for you")).to_be_visible()
    picture(page, "2-case", most=1100)

    page = made.enter(Role.CSM)
    page.goto(f"{made.at}/steps/day?account={NUMBER}")
    page.get_by_label("Day and time").first.fill("2026-12-08T09:00")
    made.stage.visitors[-1].expected = ("409", "422")
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_role("alert").first).to_contain_text("16th")
    picture(page, "3-refused")
    expect(page.get_by_role("button", name="Take 31 December, 14:00 UTC instead")).to_be_visible()
    page.get_by_label("Day and time").first.fill("2026-12-16T09:00")
    page.get_by_role("button", name="Write it down").click()
    expect(page.get_by_role("heading", name="What was given")).to_be_visible()
    case = made.stage.house.vault.cases.work.get(made.day.people.chris.actor, made.case_id).scene.case
    for number in MEMBERS:
        made.day.people.plan(case, number, MEMBERS_DAY)
        made.day.people.say(made.day.people.olga, case, plan.BILLING, number)
    page.goto(f"{made.stage.base_url}/cases/calendar?month=2026-12")
    expect(page.get_by_text("2 of").first).to_be_visible()
    picture(page, "4-calendar")


def _on_the_day(made: Told) -> None:
    day, house = made.day, made.stage.house
    day.people.until(MEMBERS_DAY)
    _settle(made)
    work, olga = house.vault.cases.work, day.people.olga
    work.attest(day.people.chris.actor, made.case_id, plan.BALANCE, "", {"note": "paid, ticket T-1001"})
    for number in MEMBERS:
        work.attest(olga.actor, made.case_id, plan.BEGIN, number)

    page = made.enter(Role.OPERATOR)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vault.web.ui.case_batch.SECONDS", 0.0)  # one account in each request
        page.goto(f"{made.at}/steps/{plan.CONTACTS}/all")
        page.get_by_role("button", name="Do it for 2 accounts").click()
        page.get_by_role("button", name="Pause").click()
        expect(page.get_by_role("button", name="Go on by itself")).to_be_visible()
        picture(page, "5-batch")
        page.get_by_role("button", name="Go on by itself").click()
        page.get_by_text("All that were ready were gone through.").wait_for()
    expect(page.get_by_role("heading", name="2 of 3 accounts done")).to_be_visible()
    assert {day.cloud.accounts[each].contact["PhoneNumber"] for each in MEMBERS} == {"+15550100"}

    made.stage.house.world.clock.advance(minutes=1)
    page.goto(f"{made.at}/steps/{plan.GO}?account={SHOP}")
    page.get_by_label("Code").first.fill(made.stage.members[Role.OPERATOR].code())
    page.get_by_role("button", name="Say the first word").click()
    expect(page.get_by_role("heading", name="The second word")).to_be_visible()
    phone = made.enter(Role.APPROVER, width=360, height=800, dark=True)
    phone.goto(f"{made.at}/steps/{plan.GO}?account={SHOP}")
    expect(phone.get_by_text("There is no way back from here")).to_be_visible()
    phone.get_by_text("There is no way back from here").evaluate("it => it.scrollIntoView({block: 'center'})")
    picture(phone, "6-word")
    made.stage.house.world.clock.advance(minutes=1)
    phone.get_by_label("Code").first.fill(made.stage.members[Role.APPROVER].code())
    phone.get_by_role("button", name="Agree", exact=True).click()
    expect(phone.get_by_role("heading", name="What was given")).to_be_visible()

    _settle(made)
    day.carry(made.case_id, SHOP, short_of=plan.ROLES)
    page.goto(f"{made.at}/steps/{plan.ROLES}?account={SHOP}")
    page.get_by_role("button", name="Show what it would do").click()
    expect(page.get_by_role("heading", name="Stays")).to_be_visible()
    expect(page.locator("main")).to_contain_text("RackspaceDefaultEC2Role")
    picture(page, "7-dry-run", most=1000)
    page.get_by_role("button", name="Do it now").click()
    expect(page.get_by_text("Done by the vault at AWS")).to_be_visible()
    assert {"RackspaceDefaultEC2Role", "web-server"} <= set(day.cloud.accounts[SHOP].roles)

    _settle(made)
    day.carry(made.case_id, SHOP, short_of=RELEASE)
    made.stage.house.world.clock.advance(minutes=1)
    page.goto(f"{made.at}/steps/{RELEASE}?account={SHOP}")
    page.get_by_label("Code").first.fill(made.stage.members[Role.OPERATOR].code())
    page.get_by_role("button", name="Say the first word").click()
    expect(page.get_by_role("heading", name="The second word")).to_be_visible()


def _settle(made: Told) -> None:
    settle(made.stage)
    made.day.people = Handover(made.stage.house.world)


def _to_the_end(made: Told) -> None:
    _settle(made)
    for number in MEMBERS:
        made.day.carry(made.case_id, "", number, short_of=ACKNOWLEDGE)
    made.day.people.until(PAYER_DAY)
    _settle(made)
    made.day.carry(made.case_id, "", NUMBER, short_of=ACKNOWLEDGE)
    page = made.enter(Role.OPERATOR)
    page.goto(made.at)
    expect(page.locator(".stage--now")).to_have_text("Released, now")
    picture(page, "8-released", most=1000)
    with made.stage.house.vault.units.read() as unit:
        found = [unit.accounts.get(number) for number in (NUMBER, *MEMBERS)]
    assert [each and each.custody for each in found] == [Custody.RELEASED] * 3


def _what_the_customer_gets(made: Told) -> None:
    ours = made.enter(Role.CSM)
    ours.goto(made.at)
    ours.get_by_role("link", name="End and evidence").click()
    made.stage.house.world.clock.advance(minutes=1)
    ours.get_by_label("Code").fill(made.stage.members[Role.CSM].code())
    ours.get_by_role("button", name="Mail a link and show its code").click()
    code = ours.locator("[data-value]").inner_text()

    reader = made.stage.visitor(width=360, height=560).context.new_page()
    reader.set_content(made.letters.drawn.replace(made.stage.base_url, "https://vault.msp.example"))
    picture(reader, "9-letter", full=True)
    visitor = made.stage.visitor(width=360, height=760)
    page = visitor.open(f"/handover/{made.letters.token}")
    picture(page, "10-code")
    page.get_by_label("Code").press_sequentially(code.lower())
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Your AWS accounts are yours").wait_for()
    page.set_viewport_size({"width": 1280, "height": 900})
    picture(page, "11-page", most=1400)
    page.set_viewport_size({"width": 360, "height": 720})
    page.emulate_media(color_scheme="dark")
    page.get_by_label("Your name").fill(MARIA)
    page.get_by_label("I hold the root of every account").check()
    page.get_by_role("heading", name="Please confirm").evaluate("it => it.scrollIntoView()")
    picture(page, "12-confirm")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("You confirmed it").wait_for()
    made.stage.house.vault.releases.handed_over.once()
    page.reload()
    page.get_by_text("What we kept of your root credentials is destroyed.").wait_for()
    with page.expect_download() as taken:
        page.get_by_role("link", name="To read and print").click()
    pack = Path(taken.value.path()).read_text("utf-8")
    assert "Handover of 3 AWS accounts" in pack

    ours.goto(f"{made.at}")
    ours.get_by_role("link", name="End and evidence").click()
    ours.get_by_role("link", name="Certificate of account").first.click()
    expect(ours.get_by_role("heading", name="Certificate of destruction")).to_be_visible()
    picture(ours, "13-certificate", most=1100)
    reader.set_viewport_size({"width": 1280, "height": 900})
    reader.set_content(pack)
    picture(reader, "14-pack", most=1100)
