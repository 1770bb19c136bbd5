"""Floods from one place: who changes addresses inside one network is still one sender (S15)."""

from __future__ import annotations

from dataclasses import replace

from flask import Flask

from tests.support.people import House
from vault.web.app import create_app

TRIES = 40


def statuses(application: Flask, addresses: list[str]) -> list[int]:
    client = application.test_client()
    found: list[int] = []
    for address in addresses:
        body = {"email": f"{len(found)}@msp.example", "password": "wrong", "otp": "000000", "name": "x"}
        answer = client.post("/api/v1/sign-in", json=body, headers={"X-Forwarded-For": address})
        found.append(answer.status_code)
    return found


def behind_a_proxy(house: House) -> Flask:
    server = replace(house.vault.settings.server, trusted_proxies=("127.0.0.1",))
    return create_app(replace(house.vault, settings=replace(house.vault.settings, server=server)))


def test_a_network_of_ipv6_is_one_sender(house: House) -> None:
    application = behind_a_proxy(house)
    found = statuses(application, [f"2001:db8:1:2::{number:x}" for number in range(1, TRIES)])
    assert found.index(429) == 30
    assert set(found[30:]) == {429}
    assert statuses(application, ["2001:db8:1:3::1"]) == [401]


def test_addresses_of_ipv4_are_senders_of_their_own(house: House) -> None:
    application = behind_a_proxy(house)
    assert set(statuses(application, [f"192.0.2.{number}" for number in range(1, TRIES)])) == {401}
