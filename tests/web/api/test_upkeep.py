"""Health, the board and the recovery score over REST: shapes, filters, pages, and what another customer never sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.web.api.test_main_path import NUMBER, held
from vault.domain.actor import Role

if TYPE_CHECKING:
    from tests.web.api.service import Service

OTHER = "444455556666"


def test_a_credential_says_in_what_state_it_is_and_what_to_do(service: Service) -> None:
    held(service)
    sam = service.caller("sam", Role.CSM)
    health = sam.get(f"/accounts/{NUMBER}/credential").json["health"]
    assert (health["health"], health["next"]) == ("due", "rotate")
    assert health["step"].startswith("Check it out for rotation")
    assert [part["part"] for part in health["parts"]] == ["password", "mfa"]
    assert health["parts"][0]["facts"][0]["why"] == "due_intake"
    listed = sam.get("/health?health=due&customer_id=900001").json
    assert listed["items"][0]["credential"] == health
    assert listed["counts"]["due"] == 1
    assert sam.get("/health?health=healthy").json["items"] == []


def test_the_board_goes_on_behind_the_last_of_a_page(service: Service) -> None:
    held(service)
    service.world.clock.advance(minutes=1)
    held(service, OTHER)
    olga = service.caller("olga", Role.OPERATOR)
    first = olga.get("/board?limit=1").json
    rest = olga.get(f"/board?limit=1&cursor={first['next']}").json
    assert [page["items"][0]["account"]["account_id"] for page in (first, rest)] == [NUMBER, OTHER]
    assert rest["next"] is None
    assert first["counts"] == {"due": 2, "overdue": 0, "in_progress": 0, "unverified": 0}
    assert first["items"][0]["stages"] == ["due"]
    assert first["items"][0]["checkout"] is None
    assert olga.get("/board?kind=payer").json["items"] == []
    assert olga.get("/board?stage=unverified").json["items"] == []


def test_the_score_tells_what_is_lost_with_what(service: Service) -> None:
    held(service)
    carla = service.caller("carla", Role.CUSTODIAN)
    found = carla.get("/recovery-score").json
    # the account was registered without saying whose mailbox and phone are
    assert (found["held"], found["safe"], found["percent"], found["recipient"]) == (1, 0, 0, False)
    assert found["fates"]["vault"] == {"kept": 0, "with_customer": 0, "lost": 1}
    assert found["items"][0]["fates"] == {"vault": "lost", "mailbox": "kept", "phone": "kept"}
    assert carla.get("/recovery-score?loss=phone&fate=lost").json["items"] == []


@pytest.mark.parametrize("path", ["/health", "/board", "/recovery-score"])
def test_what_is_asked_in_another_way_is_refused(service: Service, path: str) -> None:
    sam = service.caller("sam", Role.CSM)
    for query, code in (
        ("cursor=nonsense", "cursor.invalid"),
        ("kind=king", "input.invalid"),
        ("x=1", "input.invalid"),
    ):
        refused = sam.get(f"{path}?{query}")
        assert (refused.status, refused.json["code"]) == (422, code)
