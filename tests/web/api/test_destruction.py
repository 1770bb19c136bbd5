"""The certificate of destruction by REST, in the terminal and as a page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner

from tests.services.test_destruction import ORDER
from tests.support.released import release
from tests.web.ui.test_views import Browser
from vault.cli import destruction as commands
from vault.domain.actor import Role, system_actor
from vault.services.destruction import Destruction

if TYPE_CHECKING:
    import pytest
    from flask import Flask

    from tests.support.people import House, Member
    from tests.support.world import World
    from tests.web.api.service import Service

NUMBER = "111122223333"
HERE = f"/accounts/{NUMBER}/destruction"


def destroy(world: World) -> None:
    """Release it, and destroy what is kept of it."""
    release(world, NUMBER)
    with world.vault.units.write() as unit:
        Destruction().destroy(unit, system_actor("test"), NUMBER, ORDER, world.clock.now())
        unit.commit()


def test_it_is_read_and_taken_along(quick: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    quick.world.held(NUMBER)
    sam = quick.caller("sam", Role.CSM)
    early = sam.get(HERE)
    assert (early.status, early.code) == (409, "destruction.state")
    destroy(quick.world)
    found = sam.get(HERE).json
    assert [(each["part"], each["version"]) for each in found["versions"]] == [("mfa", 1), ("password", 1)]
    assert found["receipt"]["index"] in found["entries"]
    assert len(found["openable_by"]) == 1
    assert sam.get("/accounts/999999999999/destruction").status == 404
    text = sam.get(f"{HERE}?format=text")
    assert "CERTIFICATE OF DESTRUCTION" in text.data.decode()
    assert found["proof"].rstrip() in text.data.decode()

    class Api:
        """Answers as the service did."""

        def get(self, path: str) -> object:
            assert path == HERE
            return found

        def take(self, path: str, **asked: str) -> bytes:
            assert (path, asked) == (HERE, {"format": "text"})
            return text.data

    monkeypatch.setattr(commands, "connect", Api)
    shown = CliRunner().invoke(commands.destruction, [NUMBER])
    assert (shown.exit_code, "CERTIFICATE OF DESTRUCTION" in shown.output) == (0, True)
    told = CliRunner().invoke(commands.destruction, [NUMBER, "--json"])
    assert (told.exit_code, NUMBER in told.output) == (0, True)


def test_the_page_prints_and_the_account_leads_to_it(
    application: Flask, house: House, admins: tuple[Member, Member]
) -> None:
    # first the power: once an account is held, a new one waits for a day
    browser = Browser(application, house.appoint(admins, "sam@msp.example", Role.CSM))
    house.world.held(NUMBER)
    assert "Certificate of destruction" not in browser.get(f"/accounts/{NUMBER}").text
    destroy(house.world)
    account = browser.get(f"/accounts/{NUMBER}").text
    assert HERE in account
    page = browser.get(HERE)
    assert page.status_code == 200
    assert "Nothing here opens it any more" in page.text
    file = browser.get(f"{HERE}?format=text")
    assert file.headers["Content-Disposition"] == f'attachment; filename="destruction-{NUMBER}.txt"'
