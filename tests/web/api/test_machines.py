"""What a machine's token does not open, walked through every route, and from where a token counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.people import House, Member
from tests.web.api.samples import ABSENT, SAMPLES
from vault.domain.actor import Scope
from vault.domain.event import EventType
from vault.domain.policy import NEVER_FOR_MACHINES
from vault.services.machines import Wanted
from vault.web.api import OPERATIONS
from vault.web.security import client_address, is_proxy

if TYPE_CHECKING:
    from flask import Flask

from dataclasses import replace
from ipaddress import ip_network

from tests.support.people import came
from tests.support.tokens import put_token
from vault.web.app import create_app

MAY_CHANGE: Final = frozenset(
    {
        "register_customer", "change_customer", "register_account", "change_account",  # its scope says so
        "open_handover",  # its scope says so; it confirms nothing, and cancels nothing
        "export_log", "draw_sample",  # a copy of what it may read
        "explain",  # asks, and changes nothing
        "choose_notices", "read_notices",  # nothing of anybody's: it has no inbox
        "end_other_sessions",  # it has none
    }
)  # fmt: skip
"""Operations that change something, or would, and that a machine with all scopes gets past the gate of."""
MAY_COPY: Final = frozenset({"ui.trail_copy", "ui.sample_draw", "ui.handed_leave"})
"""Pages that answer a form with a copy of what it may read, or say that a visit which it has none of is over."""
NEVER: Final = frozenset(
    {
        EventType.CHECKOUT_REQUESTED, EventType.CHECKOUT_APPROVED, EventType.CHECKOUT_GRANTED,
        EventType.REVEAL_AUTHORIZED, EventType.REVEAL_RELEASED, EventType.TOKEN_ISSUED,
        EventType.ROLE_PROPOSED, EventType.ROLE_GRANTED, EventType.PROPOSAL_MADE, EventType.PROPOSAL_AGREED,
        EventType.PERSON_INVITED, EventType.IDENTITY_LINKED, EventType.CREDENTIAL_TAKEN_IN,
    }
)  # fmt: skip


@pytest.fixture
def machine(house: House, admins: tuple[Member, Member]) -> str:
    """Give a token with every scope that the policy can give."""
    house.world.held()
    scopes = house.vault.gate.policy.machine_scopes - NEVER_FOR_MACHINES
    return put_token(house.vault, "robot", frozenset(scopes)).expose()


def test_a_machine_gets_nowhere_that_discloses_approves_administers_or_mints(
    application: Flask, house: House, machine: str
) -> None:
    before = sum(len(house.events(each)) for each in NEVER)
    names = {each.name: each for each in OPERATIONS}
    walked = set()
    client = application.test_client(use_cookies=False)
    for rule in application.url_map.iter_rules():
        path = re.sub(r"<(?:path:)?([a-z_]+)>", lambda found: ABSENT.get(found[1], "x"), rule.rule)
        name = rule.endpoint.removeprefix("api.")
        for method in sorted((rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}):
            body = dict(SAMPLES[name].body) if name in SAMPLES else None
            sent = body if rule.endpoint.startswith("api.") else None
            answer = client.open(
                path, method=method, headers={"Authorization": f"Bearer {machine}"}, json=sent
            )
            walked.add(rule.endpoint)
            if name in names and name not in MAY_CHANGE | {"sign_in"}:
                assert answer.status_code in {401, 403, 404, 409, 422}, (rule.endpoint, answer.status_code)
                assert not answer.get_json()["code"].startswith("input."), (rule.endpoint, answer.text)
            elif name not in names and rule.endpoint not in MAY_COPY:
                assert answer.status_code not in {200, 201, 204}, (rule.endpoint, answer.status_code)
    assert len(walked) > 80
    assert sum(len(house.events(each)) for each in NEVER) == before


def test_a_stolen_token_from_elsewhere_is_refused_and_named_in_the_log(
    house: House, admins: tuple[Member, Member], proxied: Flask
) -> None:
    ada = house.actor(admins[0])
    wanted = Wanted("sync", frozenset({"account.read"}), Scope(), ("192.0.2.0/24",))
    issued = house.vault.machines.issue(ada, wanted, admins[0].code())
    for peer, forwarded, status in CAME:
        answer = proxied.test_client(use_cookies=False).get(
            "/api/v1/accounts",
            headers=[("Authorization", f"Bearer {issued.text.expose()}")]
            + [("X-Forwarded-For", each) for each in forwarded],
            environ_base={"REMOTE_ADDR": peer},
        )
        assert answer.status_code == status, (peer, forwarded)
    details = [entry["detail"] for entry in house.events("token.refused")]
    assert issued.token.id in str(details)
    assert issued.text.expose() not in str(details)


# the peer, X-Forwarded-For, and what a token for 192.0.2.0/24 gets; 10.0.0.1 and 10.0.0.2 are our proxies
CAME: Final[tuple[tuple[str, list[str], int], ...]] = (
    ("192.0.2.7", [], 200),
    ("198.51.100.9", [], 401),
    ("198.51.100.9", ["192.0.2.7"], 401),
    ("198.51.100.9", ["192.0.2.7, 10.0.0.1"], 401),
    ("10.0.0.1", ["192.0.2.7"], 200),
    ("10.0.0.1", ["198.51.100.9"], 401),
    ("10.0.0.1", ["192.0.2.7, 198.51.100.9"], 401),
    ("10.0.0.1", ["192.0.2.7", "198.51.100.9"], 401),
    ("10.0.0.1", ["198.51.100.9, 192.0.2.7, 10.0.0.2"], 200),
    ("10.0.0.1", ["192.0.2.7, 198.51.100.9, 10.0.0.2"], 401),
    ("10.0.0.1", ["192.0.2.7, garbage"], 401),
    ("10.0.0.1", ["garbage, 10.0.0.2"], 401),
    ("10.0.0.1", [""], 401),
    ("10.0.0.1", [], 401),
    ("10.0.0.1", ["::ffff:192.0.2.7"], 200),
    ("::ffff:192.0.2.7", [], 200),
    ("::ffff:10.0.0.1", ["192.0.2.7"], 200),
    ("10.0.0.1", ["192.0.2.7:4711"], 401),
    ("10.0.0.1", ["192.0.2.7%eth0"], 401),
    ("", ["192.0.2.7"], 401),
)


@pytest.fixture
def proxied(house: House) -> Flask:
    """Serve behind two proxies."""
    settings = house.vault.settings
    server = replace(settings.server, trusted_proxies=("10.0.0.1", "10.0.0.2"))
    return create_app(replace(house.vault, settings=replace(settings, server=server)))


def test_a_proxy_that_does_not_say_for_whom_vouches_for_nobody() -> None:
    """A token for the proxies' own network is not let in by garbage that one of them passed on."""
    proxies = (ip_network("10.0.0.0/8"),)
    for forwarded in (["garbage, 10.0.0.2"], ["10.0.0.2"], ["garbage"]):
        assert is_proxy(client_address("10.0.0.1", forwarded, proxies), proxies)
    assert not is_proxy(client_address("10.0.0.1", ["192.0.2.7"], proxies), proxies)


def test_a_zone_is_no_place_for_text() -> None:
    proxies = (ip_network("10.0.0.1"),)
    assert client_address("10.0.0.1", ["fe80::1%<b>\n"], proxies) == "fe80::1"


def test_a_machines_token_waits_by_the_api_as_well(
    application: Flask, house: House, admins: tuple[Member, Member]
) -> None:
    house.world.held()
    signed = house.sign_in(admins[0])
    wanted = Wanted("offboarding", frozenset({"account.register"}), Scope(), why="it registers accounts")
    issued = house.vault.machines.issue(signed.actor(came()), wanted, admins[0].code())
    client = application.test_client(use_cookies=False)
    headers = {"Authorization": f"Bearer {issued.text.expose()}"}
    assert client.get("/api/v1/me", headers=headers).status_code == 401
    mine = house.vault.tokens.issue_own(house.actor(admins[1]), "cli", admins[1].code())
    headers = {"Authorization": f"Bearer {mine.text.expose()}"}
    (shown,) = client.get("/api/v1/tokens?of=machines", headers=headers).get_json()["items"]
    assert (shown["state"], shown["scopes"]) == ("waiting", ["account.register"])
    (waits,) = client.get("/api/v1/proposals", headers=headers).get_json()["items"]
    assert (waits["kind"], waits["subject"]) == ("token", shown["id"])
