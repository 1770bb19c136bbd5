"""Repeats: one key, one effect; the answer is drawn again, a disclosure is not (S8)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from tests.support.people import House
from tests.web.conftest import housed, told
from tests.web.visits import auth
from vault.domain.actor import Reach, Role
from vault.ports.store import Slice

CUSTOMER = {"ddi": "900777", "name": "Repeat Ltd"}


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Make a vault on each database."""
    yield from housed(database_url, tmp_path)


def test_a_repeat_is_answered_from_what_is_there(application: Flask, bearers: Mapping[Role, str]) -> None:
    client = application.test_client()
    headers = {**auth(bearers[Role.CUSTODIAN]), "Idempotency-Key": "key-1"}
    first = client.post("/api/v1/customers", json=CUSTOMER, headers=headers)
    again = client.post("/api/v1/customers", json=CUSTOMER, headers=headers)
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json == again.json
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"


def test_one_key_is_one_request(application: Flask, bearers: Mapping[Role, str]) -> None:
    client = application.test_client()
    headers = {**auth(bearers[Role.CUSTODIAN]), "Idempotency-Key": "key-1"}
    client.post("/api/v1/customers", json=CUSTOMER, headers=headers)
    other = client.post("/api/v1/customers", json={**CUSTOMER, "name": "Other"}, headers=headers)
    assert (other.status_code, told(other)["code"]) == (422, "idempotency.mismatch")


def test_a_key_is_its_actors_own(application: Flask, bearers: Mapping[Role, str]) -> None:
    client = application.test_client()
    key = {"Idempotency-Key": "key-1"}
    client.post("/api/v1/customers", json=CUSTOMER, headers={**auth(bearers[Role.CUSTODIAN]), **key})
    other = client.post("/api/v1/customers", json=CUSTOMER, headers={**auth(bearers[Role.AUDITOR]), **key})
    assert other.status_code == 403


def test_a_disclosure_is_never_given_twice(application: Flask, bearers: Mapping[Role, str]) -> None:
    client = application.test_client()
    headers = {**auth(bearers[Role.ADMIN]), "Idempotency-Key": "key-1"}
    sent = {"email": "new@msp.example", "name": "New", "roles": []}
    assert client.post("/api/v1/people", json=sent, headers=headers).status_code == 201
    again = client.post("/api/v1/people", json=sent, headers=headers)
    assert (again.status_code, told(again)["code"]) == (409, "idempotency.disclosed")


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 129, "käse"])
def test_a_key_is_short_and_printable(application: Flask, bearers: Mapping[Role, str], key: str) -> None:
    headers = {**auth(bearers[Role.CUSTODIAN]), "Idempotency-Key": key}
    answer = application.test_client().post("/api/v1/customers", json=CUSTOMER, headers=headers)
    assert (answer.status_code, told(answer)["code"]) == (422, "input.invalid")


def test_a_refused_request_uses_up_no_key(application: Flask, bearers: Mapping[Role, str]) -> None:
    client = application.test_client()
    headers = {**auth(bearers[Role.CUSTODIAN]), "Idempotency-Key": "key-1"}
    assert client.post("/api/v1/customers", json={"ddi": "x"}, headers=headers).status_code == 422
    assert client.post("/api/v1/customers", json=CUSTOMER, headers=headers).status_code == 201


def test_repeats_at_once_have_one_effect(
    house: House, application: Flask, bearers: Mapping[Role, str]
) -> None:
    headers = {**auth(bearers[Role.CUSTODIAN]), "Idempotency-Key": "key-1"}

    def send(_: int) -> int:
        return application.test_client().post("/api/v1/customers", json=CUSTOMER, headers=headers).status_code

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(send, range(12)))
    assert set(statuses) <= {201, 409}
    assert statuses.count(201) >= 1
    with house.vault.units.read() as unit:
        assert len(unit.customers.page(Reach(everything=True), None, Slice()).items) == 1
