"""Days at the edges of the calendar, in the trail's filter: an answer, and never a fault of ours (S28)."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.support.people import House, Member


@pytest.fixture
def browser(house: House, application: Flask, admins: tuple[Member, Member]) -> FlaskClient:
    client = application.test_client()
    signed = house.sign_in(admins[0])
    with client.session_transaction() as kept:
        kept["t"] = signed.token.expose()
    return client


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("until=9999-12-31", 422),
        ("since=9999-12-31", 200),
        ("since=0001-01-01&until=0001-01-01", 200),
        ("since=0000-01-01", 422),
        ("until=2026-02-30", 422),
    ],
)
def test_a_day_at_the_edge_is_answered(browser: FlaskClient, query: str, status: int) -> None:
    answer = browser.get(f"/trail?{query}", headers={"Accept": "text/html"})
    assert answer.status_code == status
