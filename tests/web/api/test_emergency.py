"""Emergencies by REST: broken glass to its review, a freeze that two lift, a budget, the second person."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from tests.web.api.test_main_path import held
from vault.domain.actor import Role
from vault.domain.event import stamp

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

NUMBER = "111122223333"
WORDS = "production is down and nobody else answers the phone"
WHY = "it was looked at by both of us"


@pytest.fixture
def people(quick: Service) -> dict[str, Caller]:
    """Take one account into custody; give those who act."""
    held(quick)
    roles = {
        "olga": Role.OPERATOR,
        "gus": Role.OPERATOR,
        "ada": Role.APPROVER,
        "amy": Role.ADMIN,
        "ann": Role.ADMIN,
    }
    return {name: quick.caller(name, role) for name, role in roles.items()}


def person(quick: Service, name: str) -> str:
    """Give somebody's id."""
    return quick.world.people[name].actor.id


def lease(quick: Service, people: dict[str, Caller], name: str = "olga") -> str:
    """Begin a lease."""
    stated = {
        "account_id": NUMBER,
        "reason": "CRED_ROTATE",
        "ticket": "T-1",
        "justification": "a task for this",
    }
    made = people[name].did("/checkouts", stated, status=201)["id"]
    people[name].did(f"/checkouts/{made}/step-up", {"otp": quick.otp(name)})
    return str(made)


def enable(quick: Service, people: dict[str, Caller]) -> None:
    """Let two administrators enable gus."""
    body = {"scope": "all", "why": "on duty at night", "otp": quick.otp("amy")}
    made = people["amy"].did(f"/people/{person(quick, 'gus')}/break-glass", body, status=201)
    people["ann"].did(f"/proposals/{made['id']}/confirm", {"otp": quick.otp("ann")})
    quick.world.clock.advance(hours=25)


def test_glass_from_breaking_to_its_review(quick: Service, people: dict[str, Caller]) -> None:
    stated = {
        "account_id": NUMBER,
        "reason": "BILL_ROOT",
        "ticket": "INC-7",
        "justification": WORDS,
        "break_glass": True,
    }
    assert people["gus"].post("/checkouts", stated).code == "policy.denied"
    enable(quick, people)
    before = lease(quick, people)
    made = people["gus"].did("/checkouts", stated, status=201)
    assert (made["state"], made["glass"]["revoked"]) == ("approved", before)
    assert people["olga"].post(f"/checkouts/{before}/password", {}).code == "checkout.state"
    path = f"/checkouts/{made['id']}"
    people["gus"].did(f"{path}/step-up", {"otp": quick.otp("gus")})
    people["gus"].did(f"{path}/password", {})
    people["gus"].did(f"{path}/check-in", {})
    account = people["olga"].did(f"/accounts/{NUMBER}", method="GET")
    assert (account["situation"], account["missing"]) == ("review", ["rotation", "review"])
    assert account["unreviewed"] == [made["id"]]
    again = people["olga"].post("/checkouts", {**stated, "break_glass": False})
    assert (again.status, again.code) == (423, "review.due")
    quick.world.clock.advance(hours=2)
    (waits,) = people["ada"].did("/break-glass", method="GET")["items"]
    assert (waits["id"], waits["waiting_seconds"]) == (made["id"], 7200)
    said = {"verdict": "not_justified", "sentence": "the phone was answered at once"}
    refused = people["gus"].post(f"{path}/review", {**said, "otp": quick.otp("gus")})
    assert (refused.status, refused.code) == (403, "policy.denied")
    done = people["ada"].did(f"{path}/review", {**said, "otp": quick.otp("ada")})
    assert (done["glass"]["verdict"], done["glass"]["sentence"]) == ("not_justified", said["sentence"])
    assert people["olga"].did(f"/accounts/{NUMBER}", method="GET")["missing"] == ["rotation"]


def test_one_freezes_and_two_lift(quick: Service, people: dict[str, Caller]) -> None:
    made = lease(quick, people)
    frozen = people["ada"].did("/freeze", {"scope": f"account:{NUMBER}", "why": "a stolen laptop"})
    again = people["olga"].did("/freeze", {"scope": f"account:{NUMBER}"})
    assert again["id"] == frozen["id"]
    for step in ("password", "code"):
        answer = people["olga"].post(f"/checkouts/{made}/{step}", {})
        assert (answer.status, answer.code) == (423, "frozen")
        assert (answer.json["frozen_by"], answer.json["scope"]) == ("ada", f"account:{NUMBER}")
    assert people["olga"].post(f"/checkouts/{made}/step-up", {"otp": quick.otp("olga")}).code == "frozen"
    word = {"freeze": frozen["id"], "why": WHY}
    first = people["ada"].did("/freeze/lift", {**word, "otp": quick.otp("ada")})
    assert (first["freeze"]["lifted_at"], first["proposal"]["state"]) == (None, "waiting")
    alone = people["ada"].post("/freeze/lift", {**word, "otp": quick.otp("ada")})
    assert (alone.status, alone.code) == (403, "policy.second_person")
    assert people["olga"].post("/freeze/lift", {**word, "otp": quick.otp("olga")}).status == 403
    both = people["amy"].did("/freeze/lift", {**word, "otp": quick.otp("amy")})
    assert both["freeze"]["lifted_by"] == person(quick, "amy")
    assert people["ada"].did("/freezes", method="GET")["items"] == []
    (shown,) = people["ada"].did("/freezes?state=any", method="GET")["items"]
    assert shown == people["ada"].did(f"/freezes/{frozen['id']}", method="GET")
    people["olga"].did(f"/checkouts/{made}/step-up", {"otp": quick.otp("olga")})
    people["olga"].did(f"/checkouts/{made}/password", {})


def test_a_repeated_freeze_answers_alike(quick: Service, people: dict[str, Caller]) -> None:
    first = people["ada"].post("/freeze", {"scope": "vault"}, key="freeze-1")
    again = people["ada"].post("/freeze", {"scope": "vault"}, key="freeze-1")
    assert first.json == again.json
    assert again.headers["Idempotency-Replayed"] == "true"


def test_a_frozen_persons_token_does_nothing_that_counts(quick: Service, people: dict[str, Caller]) -> None:
    stated = {
        "account_id": NUMBER,
        "reason": "IAM_RESTORE",
        "ticket": "T-1",
        "justification": "a task for this",
    }
    asked = people["olga"].did("/checkouts", stated, status=201)["id"]
    people["amy"].did("/freeze", {"scope": f"person:{person(quick, 'ada')}"})
    frozen = people["olga"].did("/freeze", {"scope": "vault"})
    said = {"decision": "approve", "otp": quick.otp("ada")}
    assert people["ada"].post(f"/checkouts/{asked}/approvals", said).code == "frozen"
    word = {"freeze": frozen["id"], "why": WHY, "otp": quick.otp("ada")}
    assert people["ada"].post("/freeze/lift", word).code == "frozen"
    assert people["ada"].get("/me").status == 200


def test_a_budget_is_proposed_and_agreed_to(quick: Service, people: dict[str, Caller]) -> None:
    until = stamp(quick.world.clock.now() + timedelta(hours=8))
    body = {"accounts_per_hour": 50, "until": until, "why": "the yearly rotation of all"}
    path = f"/people/{person(quick, 'olga')}/budget"
    made = people["ada"].did(path, {**body, "otp": quick.otp("ada")}, status=201)
    people["amy"].did(f"/proposals/{made['id']}/confirm", {"otp": quick.otp("amy")})
    over = {**body, "accounts_per_hour": 10, "otp": quick.otp("ada")}
    answer = people["ada"].post(path, over)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/accounts_per_hour")


def test_the_second_person_has_the_codes(quick: Service, people: dict[str, Caller]) -> None:
    carla = quick.callers["carla"]
    assert carla.did(f"/accounts/{NUMBER}/split-custody", {})["split_custody"] is True
    made = lease(quick, people)
    joined = people["gus"].did(f"/checkouts/{made}/join", {"otp": quick.otp("gus")})
    assert joined["second"] == {"id": person(quick, "gus"), "name": "gus"}
    people["gus"].did(f"/checkouts/{made}/code", {})
    people["olga"].did(f"/checkouts/{made}/password", {})
    for name, step in (("olga", "code"), ("gus", "password")):
        answer = people[name].post(f"/checkouts/{made}/{step}", {})
        assert (answer.status, answer.code) == (403, "custody.split")
    off = carla.did(
        f"/accounts/{NUMBER}/split-custody/end", {"why": WHY, "otp": quick.otp("carla")}, status=201
    )
    assert off["kind"] == "split_off"
    assert people["olga"].did(f"/accounts/{NUMBER}", method="GET")["split_custody"] is True
