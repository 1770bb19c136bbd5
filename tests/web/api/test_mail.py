"""Mail to root addresses by REST, on pages and in the terminal: listed without contents, opened under a live lease."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from tests.support.mailbox import CODE, RESET, came, code, invoice, message, reset, with_mailbox
from vault.cli import mail as commands
from vault.domain.actor import Role

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service
    from vault.domain.mail import Mail


@pytest.fixture
def house(quick: Service) -> Service:
    """Serve a vault with a mailbox, one account held, and its people."""
    quick.world.held()
    for name, role in (("olga", Role.OPERATOR), ("carla", Role.CUSTODIAN), ("sam", Role.CSM)):
        quick.caller(name, role)
    object.__setattr__(quick.world.vault, "mailbox", with_mailbox(quick.world).vault.mailbox)
    return quick


def lease_of(house: Service, name: str = "olga") -> str:
    """Begin a lease by REST."""
    caller = house.callers[name]
    stated = {
        "account_id": "111122223333",
        "reason": "BILL_ROOT",
        "ticket": "T-1001",
        "justification": "a task for this test",
    }
    made = caller.did("/checkouts", stated, status=201)
    caller.did(f"/checkouts/{made['id']}/step-up", {"otp": house.world.people[name].otp()})
    return str(made["id"])


def opened(caller: Caller, checkout: str, mail: Mail) -> Any:
    """Open one."""
    return caller.did(f"/checkouts/{checkout}/mail/{mail.id}")


def test_it_is_listed_without_contents_and_opened_under_a_lease(house: Service) -> None:
    mail = came(house.world, reset())
    olga, sam = house.callers["olga"], house.callers["sam"]
    (listed,) = sam.get("/accounts/111122223333/mail").json["items"]
    assert (listed["id"], listed["title"], listed["state"], listed["subject"]) == (
        mail.id,
        "Password reset",
        "sealed",
        None,
    )
    assert (listed["from"], listed["verdict"], listed["forged"]) == ("no-reply@signin.aws", "pass", False)
    assert "Zx81" not in str(sam.get(f"/mail/{mail.id}").json)
    path = f"/checkouts/00000000-0000-4000-8000-000000000000/mail/{mail.id}"
    assert olga.post(path).status == 404
    checkout = lease_of(house)
    shown = opened(olga, checkout, mail)
    assert shown["links"] == [RESET]
    assert (shown["subject"], shown["from"]) == (
        "Amazon Web Services Password Assistance",
        "no-reply@signin.aws",
    )
    assert RESET in shown["text"]
    assert shown["receipt"]["leaf_hash"]
    (opening,) = sam.get(f"/mail/{mail.id}").json["openings"]
    assert (opening["state"], opening["checkout_id"]) == ("released", checkout)


def test_who_has_no_lease_opens_nothing(house: Service) -> None:
    mail = came(house.world, code())
    checkout = lease_of(house)
    path = f"/checkouts/{checkout}/mail/{mail.id}"
    assert house.callers["carla"].post(path).code == "policy.denied"
    olaf = house.caller("olaf", Role.OPERATOR)
    assert olaf.post(path).code == "policy.denied"
    house.callers["olga"].did(f"/checkouts/{checkout}/check-in")
    assert house.callers["olga"].post(path).code == "checkout.state"


def test_custodians_see_what_came_for_nobody(house: Service) -> None:
    came(house.world, invoice(), "nobody@msp.example")
    carla, olga = house.callers["carla"], house.callers["olga"]
    (found,) = carla.get("/mail?kind=unmatched").json["items"]
    assert (found["recipient"], found["subject"], found["account_id"]) == ("nobody@msp.example", None, None)
    assert olga.get("/mail?kind=unmatched").code == "policy.denied"
    assert olga.get("/mail").json["items"] == []
    path, sent = f"/mail/{found['id']}/assignment", {"account_id": "111122223333", "why": "its old address"}
    assert olga.post(path, {**sent, "otp": "000000"}).code == "policy.denied"
    assert carla.post(path, {**sent, "account_id": "1", "otp": "000000"}).code == "input.invalid"
    for why in ("short", "x" * 501):
        wrong = carla.post(path, {**sent, "why": why, "otp": "000000"}).json["errors"]
        assert [(each["pointer"], each["detail"][:9]) for each in wrong] == [
            ("/why", "Give at l" if why == "short" else "Give at m")
        ]
    whole = {**sent, "why": "x" * 300, "otp": house.world.people["carla"].otp()}
    given = carla.post(path, whole, key="give-once").json
    assert carla.post(path, whole, key="give-once").json == given
    assert (given["account_id"], given["kind"], given["state"], given["subject"]) == (
        "111122223333", "ordinary", "passed_on", "Amazon Web Services Invoice Available",
    )  # fmt: skip
    assert given["assigned_by"]
    assert carla.post(path, {**sent, "account_id": "444455556666", "otp": "000000"}).code == "not_found"
    assert carla.get("/mail?kind=unmatched").json["items"] == []
    assert olga.get("/mail").json["items"][0]["id"] == found["id"]


def test_a_forged_mail_has_no_links(house: Service) -> None:
    forged = message(
        "Password reset",
        "Reset: https://evil.example/reset",
        "AWS <no-reply@evil.example>",
        said="dmarc=pass header.from=evil.example",
    )
    mail = came(house.world, forged)
    shown = opened(house.callers["olga"], lease_of(house), mail)
    assert (shown["forged"], shown["links"]) == (True, [])
    assert "evil.example" in shown["text"]
    assert CODE not in str(shown)


def test_the_same_in_the_terminal(house: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    mail, harmless = came(house.world, reset()), came(house.world, invoice())
    checkout = lease_of(house)

    class Api:
        """A terminal's connection that asks the served vault in this process."""

        def get(self, path: str, **query: Any) -> Any:
            asked = "&".join(f"{name}={value}" for name, value in query.items() if value is not None)
            return house.callers["olga"].get(f"{path}?{asked}" if asked else path).json

        def post(self, path: str, body: Any) -> Any:
            return house.callers["olga"].post(path, body).json

    monkeypatch.setattr(commands, "connect", Api)
    monkeypatch.setattr(commands, "own", lambda _, name: name)

    def run(*words: str) -> str:
        done = CliRunner().invoke(commands.mail, list(words), catch_exceptions=False)
        assert done.exit_code == 0, done.output
        return done.output

    def read(*words: str) -> Any:
        printed = run(*words, "--json")
        return json.loads(printed[printed.index("{\n") :])

    listed = run()
    assert "Password reset" in listed
    assert "proven" in listed
    assert harmless.id not in run("list", "--kind", "security")
    assert read("list", "--account", "111122223333")["items"][0]["from"]
    assert "Zx81" not in run("show", mail.id)
    assert RESET in run("open", checkout, mail.id)
    assert read("open", checkout, mail.id)["links"] == [RESET]
    assert mail.received_at.strftime("%Y-%m-%d") in run("show", mail.id)
    assert read("show", harmless.id)["subject"] == "Amazon Web Services Invoice Available"
    forged = came(house.world, message("x", "y", "AWS <a@evil.example>", said="dmarc=pass"))
    assert "Forged" in run("open", checkout, forged.id)
    stray = came(house.world, code(message_id="<old@signin.aws>"), "old@msp.example")
    carla = house.world.people["carla"]

    def by_carla(_: Api, path: str, body: Any, *, wait: bool) -> Any:
        assert not wait
        return house.callers["carla"].did(path, {**body, "otp": carla.otp()})

    monkeypatch.setattr(commands, "post_with_factor", by_carla)
    assert "111122223333" in run("assign", stray.id, "111122223333", "--why", "its old address")
    assert stray.id in run("list", "--account", "111122223333")
    both = CliRunner().invoke(commands.mail, ["list", "--account", "1", "--kind", "ordinary"])
    assert both.exit_code == 2
