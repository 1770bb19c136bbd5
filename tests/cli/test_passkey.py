"""A terminal and a passkey: the address is printed, the command waits, and goes on when it was confirmed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from tests.browser.stage import NUMBER, populate, serving
from tests.support.passkeys import authenticator, pressed, sending
from vault.cli import factor
from vault.cli.client import Api
from vault.cli.exits import Failure
from vault.domain.actor import Role
from vault.domain.passkey import CONFIRMATION_LASTS
from vault.services.asking import Ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.authenticator import Authenticator
    from tests.support.people import House
    from vault.domain.actor import Actor


OTHER = "210987654321"


class Desk:
    """Somebody with a passkey in the browser, and a terminal with a token."""

    def __init__(self, house: House, base_url: str) -> None:
        members, _, _ = populate(house)
        member = members[Role.OPERATOR]
        self.house, self.vault = house, house.vault
        self.browser: Actor = house.actor(member)
        token = self.vault.tokens.issue_own(self.browser, "laptop", member.code())
        self.api = Api(base_url, token.text.expose())
        self.key: Authenticator = authenticator(self.vault, member.id)
        adding = sending(self.browser, "add")
        ticket = self.vault.passkeys.to_enrol(adding).ticket
        self.vault.passkeys.add(adding, "laptop", ticket, self.key.make(ticket), member.code())
        asked = Ask(NUMBER, "CRED_ROTATE", "T-1001", "a task for this test")
        self.checkout = self.vault.asking.ask(self.browser, asked).id
        self.path = f"/checkouts/{self.checkout}/step-up"

    def waiting(self) -> str:
        """Give what waits for the passkey."""
        event = self.house.events("passkey.asked")[0]
        return str(event["detail"]["confirmation"])  # type: ignore[index] # a leaf's detail is an object

    def confirm(self, _: float = 0) -> None:
        """Press the passkey on the page, while the terminal sleeps."""
        acting = sending(self.browser, f"confirm {self.waiting()}")
        self.vault.passkeys.confirm(acting, self.waiting(), pressed(self.vault, self.key, acting))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with serving(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path) as (house, base_url):
        yield Desk(house, base_url)


def test_a_command_prints_the_address_waits_and_goes_on(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(time, "sleep", desk.confirm)
    begun = factor.post_with_factor(desk.api, desk.path, {}, wait=False)
    assert begun["state"] == "active"
    told = capsys.readouterr()
    assert f"/confirmations/{desk.waiting()}" in told.err
    assert "localhost" in told.err
    assert desk.api.token not in told.err + told.out


def test_a_command_ends_where_nobody_confirms(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    wait = CONFIRMATION_LASTS.total_seconds()
    monkeypatch.setattr(time, "sleep", lambda _: desk.house.world.clock.advance(seconds=wait))
    with pytest.raises(Failure) as caught:
        factor.post_with_factor(desk.api, desk.path, {}, wait=False)
    assert (caught.value.code, caught.value.exit_status) == ("auth.passkey_required", 3)
    checkout = desk.vault.views.checkout(replace(desk.browser), desk.checkout).checkout
    assert checkout.state == "approved"


def test_what_is_sent_again_has_to_be_the_same(desk: Desk) -> None:
    with pytest.raises(Failure) as caught:
        desk.api.post(desk.path, {"otp": "123456"})
    number = caught.value.problem["confirmation"]
    desk.confirm()
    asked = Ask(OTHER, "CRED_ROTATE", "T-1002", "another task for this test")
    other = desk.vault.asking.ask(desk.browser, asked).id
    with pytest.raises(Failure, match="not for exactly this request"):
        desk.api.post(f"/checkouts/{other}/step-up", {"otp": number})
    assert desk.api.post(desk.path, {"otp": number})["state"] == "active"
