"""Work on keys by REST: a re-wrap and a drill are proposed by one administrator and agreed to by another."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.web.api.test_main_path import held
from vault.domain.actor import Role

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

ARN = "arn:aws:kms:eu-central-1:111122223333:key/00000000-0000-4000-8000-00000000000{}"
WHY = "the yearly change of every key"


@pytest.fixture
def two(quick: Service) -> tuple[Caller, Caller]:
    """Hold an account, so that power waits out a hold; give two administrators."""
    held(quick)
    return quick.caller("amy", Role.ADMIN), quick.caller("ann", Role.ADMIN)


def test_a_rewrap_waits_out_the_hold_and_a_drill_counts_at_once(
    quick: Service, two: tuple[Caller, Caller]
) -> None:
    amy, ann = two
    keys = [ARN.format(2), ARN.format(1)]
    states = []
    for path, body in (("rewrap", {"keys": keys, "remove_old": True}), ("drill", {})):
        made = amy.did(f"/keys/{path}", {**body, "why": WHY, "otp": quick.otp("amy")}, status=201)
        own = amy.post(f"/proposals/{made['id']}/confirm", {"otp": quick.otp("amy")})
        assert (own.status, own.code) == (403, "policy.second_person")
        word = {"otp": quick.otp("ann"), "content_hash": made["content_hash"]}
        states.append(ann.did(f"/proposals/{made['id']}/confirm", word))
    rewrap, drill = states
    assert (rewrap["kind"], rewrap["state"]) == ("rewrap", "held")
    assert json.loads(rewrap["content"]) == {"from": [], "keys": sorted(keys), "remove_old": True}
    assert (drill["kind"], drill["subject"], drill["state"]) == ("drill", "live", "in_force")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("rewrap", {"keys": []}),
        ("rewrap", {"keys": [ARN.format(1), ARN.format(1)]}),
        ("rewrap", {"keys": ["an alias of it"]}),
        ("rewrap", {"keys": [ARN.format(number) for number in range(8)]}),
        ("rewrap", {"keys": [ARN.format(1)], "why": "short"}),
        ("drill", {"scope": "everything"}),
    ],
)
def test_what_cannot_be_meant_is_refused(
    quick: Service, two: tuple[Caller, Caller], path: str, body: dict[str, Any]
) -> None:
    answer = two[0].post(f"/keys/{path}", {"why": WHY, "otp": quick.otp("amy"), **body})
    assert (answer.status, answer.code) == (422, "input.invalid")


def test_one_rewrap_waits_at_a_time(quick: Service, two: tuple[Caller, Caller]) -> None:
    for name, status in (("amy", 201), ("ann", 409)):
        body = {"keys": [ARN.format(1)], "why": WHY, "otp": quick.otp(name)}
        assert quick.callers[name].post("/keys/rewrap", body).status == status
