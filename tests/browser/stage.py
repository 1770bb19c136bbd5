"""A vault served on loopback, its people with devices, and browsers that watch for what must not happen.

The server runs in this process on a clock that is set by hand, so that a walk of an hour takes seconds. Every
page that a visitor opens is listened to: a console error, a refusal of the Content-Security-Policy or a
failed request makes the test fail when the visitor leaves.
"""

from __future__ import annotations

import logging
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from werkzeug.serving import BaseWSGIServer, make_server

from tests.support.people import House, Member, move_in
from tests.support.quick_apps import make_apps_quickly
from tests.support.world import make_world
from vault.crypto import totp
from vault.domain.account import Custodian, Kind, Model
from vault.domain.actor import Role
from vault.domain.secret import Secret
from vault.services.accounts import AccountFacts
from vault.services.custody import Existing
from vault.services.customers import CustomerFacts
from vault.services.people import Wish
from vault.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

PASSWORD = "Bl0ck|O1l-Correct<Horse>7&Battery_5S"
NUMBER = "123456789012"
NAMES = {
    Role.OPERATOR: "Olga Persson",
    Role.APPROVER: "Amir Haddad",
    Role.AUDITOR: "Uma Diaz",
    Role.CUSTODIAN: "Carla Neri",
    Role.CSM: "Sam Okafor",
}
LAUNCH = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


make_apps_quickly()


@dataclass(eq=False)
class Visitor:
    """One browser of one person, and what went wrong in it; no slots: Playwright marks its listeners' owner."""

    context: BrowserContext
    base_url: str
    troubles: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()
    """Parts of console messages that a test provokes."""

    def open(self, path: str = "/") -> Page:
        """Open a page."""
        page = self.context.new_page()
        self.watch(page)
        page.goto(self.base_url + path)
        return page

    def watch(self, page: Page) -> None:
        """Listen to a page."""
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("requestfailed", self._failed)

    def close(self) -> list[str]:
        """Close the browser and give what went wrong."""
        self.context.close()
        return self.troubles

    def _failed(self, request: Request) -> None:
        # leaving a page breaks off what it was still loading
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"failed: {request.url} {request.failure}")

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not any(part in message.text for part in self.expected):
            self.troubles.append(f"{message.type}: {message.text} {message.location.get('url', '')}")


@dataclass(slots=True, eq=False)
class Stage:
    """A served vault, its people, and one account in custody whose password and seed the test knows."""

    house: House
    base_url: str
    browser: Browser
    members: dict[Role, Member]
    admins: tuple[Member, Member]
    seed: totp.Seed
    visitors: list[Visitor] = field(default_factory=list)

    def visitor(
        self, *, javascript: bool = True, width: int = 1280, height: int = 900, dark: bool = False
    ) -> Visitor:
        """Open a fresh browser."""
        context = self.browser.new_context(
            java_script_enabled=javascript,
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"] if javascript else [],
            base_url=self.base_url,
        )
        context.set_default_timeout(10_000)
        visitor = Visitor(context, self.base_url)
        self.visitors.append(visitor)
        return visitor

    def sign_in(self, visitor: Visitor, member: Member) -> Page:
        """Sign in as a person does."""
        page = visitor.open("/sign-in")
        page.get_by_label("E-mail").fill(member.email)
        page.get_by_label("Password").fill(member.password)
        page.get_by_label("Code").fill(member.code())
        page.get_by_role("button", name="Sign in", exact=True).click()
        page.wait_for_url(self.base_url + "/")
        return page

    def aws_code(self) -> str:
        """Give the code that AWS expects at this moment of the vault's clock."""
        return totp.code_at(self.seed, totp.step_of(self.house.world.clock.now())).expose()


@contextmanager
def serving(
    database_url: str, directory: Path, furnish: Callable[[House], None] = lambda _: None
) -> Iterator[tuple[House, str]]:
    """Serve a new vault for as long as the block runs; `furnish` may change it before anybody comes."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = make_server("127.0.0.1", 0, _not_yet, threaded=True)
    base_url = f"http://127.0.0.1:{server.server_port}"
    house = move_in(make_world(database_url, directory, public_url=base_url))
    settings = house.vault.settings
    local = replace(settings.server, public_url=base_url, trusted_hosts=())
    house.vault = replace(house.vault, settings=replace(settings, server=local))
    furnish(house)
    server.app = create_app(house.vault)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield house, base_url
    finally:
        _stop(server, thread)
        house.vault.close()


def populate(house: House) -> tuple[dict[Role, Member], tuple[Member, Member], totp.Seed]:
    """Appoint one person for each role, register customers and accounts, and take one into custody."""
    admins = house.admins()
    members = {role: appoint(house, admins, role, name) for role, name in NAMES.items()}
    actor = house.actor(members[Role.CUSTODIAN])
    north = house.vault.customers.register(actor, "912345", CustomerFacts(name="Northwind Traders Ltd"))
    blue = house.vault.customers.register(
        actor, "900217", CustomerFacts(name="Blue Harbour Foods", aws_india=True)
    )
    for number, customer, name, model, kind in (
        (NUMBER, north, "Northwind payer", Model.SPAM, Kind.PAYER),
        ("210987654321", north, "Northwind web shop, production", Model.SPAM, Kind.MEMBER),
        ("345678901234", blue, "Blue Harbour payer", Model.ECAM, Kind.PAYER),
        ("456789012345", blue, "Blue Harbour analytics", Model.ECAM, Kind.MEMBER),
        ("567890123456", blue, "Blue Harbour sandbox", Model.SPAM, Kind.STANDALONE),
    ):
        email = f"aws-root+{number}@mail.msp.example"
        facts = AccountFacts(
            name, email, Custodian.OURS, Custodian.OURS if customer is north else Custodian.CUSTOMER
        )
        house.vault.accounts.register(actor, number, customer.id, model, kind, facts)
    seed = totp.generate_seed()
    for number in (NUMBER, "210987654321", "345678901234"):
        secret = seed if number == NUMBER else totp.generate_seed()
        existing = Existing(
            f"aws-root+{number}@mail.msp.example", Secret(PASSWORD), secret.secret, attested=True
        )
        house.vault.custodies.take_in(actor, number, existing, members[Role.CUSTODIAN].code())
    return members, admins, seed


def appoint(house: House, admins: tuple[Member, Member], role: Role, name: str) -> Member:
    """Invite a person, let them enrol, and have a second administrator agree to their role."""
    proposer, confirmer = (house.actor(admin) for admin in admins)
    email = f"{name.partition(' ')[0].lower()}@msp.example"
    invited = house.vault.people.invite(proposer, email, name, (Wish(role),))
    member = house.enrol(invited)
    house.vault.people.confirm_grant(confirmer, invited.grants[0].id, admins[1].code())
    return member


def _not_yet(environ: object, start_response: object) -> Iterable[bytes]:
    raise AssertionError("a request came before the application was there")


def _stop(server: BaseWSGIServer, thread: threading.Thread) -> None:
    server.shutdown()
    thread.join()
    server.server_close()
