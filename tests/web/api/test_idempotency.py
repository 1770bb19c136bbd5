"""Repeated requests: what was made is given again, what was disclosed is not, another body is refused (S8)."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.support.repository import ROOT
from tests.web.api.samples import SAMPLES
from tests.web.api.test_main_path import NUMBER, asked, held, leased
from vault.domain.actor import Role

if TYPE_CHECKING:
    from tests.web.api.service import Answer, Service

CUSTOMER = {"ddi": "900077", "name": "Repeated Ltd"}


def same(first: Answer, again: Answer) -> None:
    """Hold a repeat against the first answer."""
    assert (again.status, again.json["id"]) == (first.status, first.json["id"])
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert set(again.json) == set(first.json)


def test_a_repeated_create_gives_the_same_thing(service: Service) -> None:
    carla = service.caller("carla", Role.CUSTODIAN)
    first = carla.post("/customers", CUSTOMER, key="k-1")
    before = service.size()
    same(first, carla.post("/customers", CUSTOMER, key="k-1"))
    assert service.size() == before


def test_another_body_under_the_same_key_is_refused(service: Service) -> None:
    carla = service.caller("carla", Role.CUSTODIAN)
    carla.post("/customers", CUSTOMER, key="k-1")
    for body, path in (({**CUSTOMER, "name": "Other"}, "/customers"), (CUSTOMER, "/accounts")):
        answer = carla.post(path, body, key="k-1")
        assert (answer.status, answer.code) == (422, "idempotency.mismatch")


def test_keys_are_each_callers_own(service: Service) -> None:
    carla, cora = (service.caller(name, Role.CUSTODIAN) for name in ("carla", "cora"))
    first = carla.post("/customers", CUSTOMER, key="k-1")
    other = cora.post("/customers", {**CUSTOMER, "ddi": "900078"}, key="k-1")
    assert (first.status, other.status) == (201, 201)
    assert first.json["id"] != other.json["id"]


def test_a_repeated_story_is_answered_in_the_same_shapes(service: Service) -> None:
    held(service)
    checkout = asked(service, "CRED_ROTATE")
    olga, path = service.callers["olga"], f"/checkouts/{checkout['id']}"
    otp = {"otp": service.otp("olga")}
    same(olga.post(f"{path}/step-up", otp, key="s"), olga.post(f"{path}/step-up", otp, key="s"))
    plan = {"part": "password"}
    planned = olga.post(f"{path}/rotations", plan, key="p")
    same(planned, olga.post(f"{path}/rotations", plan, key="p"))
    dropped = f"/rotations/{planned.json['id']}/abandon"
    same(olga.post(dropped, key="a"), olga.post(dropped, key="a"))
    ended, again = olga.post(f"{path}/check-in", key="c"), olga.post(f"{path}/check-in", key="c")
    same(ended, again)
    assert again.json["receipt"]["index"] == ended.json["receipt"]["index"]
    assert again.json["receipt"]["leaf_hash"] == ended.json["receipt"]["leaf_hash"]


def test_a_disclosure_is_never_repeated(service: Service) -> None:
    held(service)
    checkout = leased(service)
    olga = service.callers["olga"]
    for path in (f"/checkouts/{checkout}/password", f"/checkouts/{checkout}/code"):
        first = olga.post(path, key=f"d-{path[-4:]}")
        assert first.status == 200
        before = service.size()
        again = olga.post(path, key=f"d-{path[-4:]}")
        assert (again.status, again.code) == (409, "idempotency.disclosed")
        assert service.size() == before
    counts = olga.did(f"/checkouts/{checkout}", method="GET")["counts"]
    assert counts == {"passwords": 1, "codes": 1}


def test_an_invitation_and_an_intake_under_a_key(service: Service) -> None:
    admin = service.caller("ada", Role.ADMIN)
    person = {"email": "nina@msp.example", "name": "Nina", "roles": [{"role": "csm"}]}
    first = admin.post("/people", person, key="i")
    assert first.status == 201
    again = admin.post("/people", person, key="i")
    assert (again.status, again.code) == (409, "idempotency.disclosed")

    carla = service.caller("carla", Role.CUSTODIAN)
    carla.did("/customers", {"ddi": "900001", "name": "Example"}, status=201)
    account = dict(SAMPLES["register_account"].body) | {"account_id": NUMBER}
    made = carla.call("POST", "/accounts", account, key="a")
    repeated = carla.call("POST", "/accounts", account, key="a")
    assert (made.status, repeated.status, repeated.json["account_id"]) == (201, 201, NUMBER)
    intake = dict(SAMPLES["take_into_custody"].body) | {"otp": service.otp("carla")}
    taken = [carla.call("PUT", f"/accounts/{NUMBER}/credential", intake, key="t") for _ in range(2)]
    assert [answer.status for answer in taken] == [200, 200]
    assert taken[0].json == taken[1].json
    assert taken[0].json["state"] == "held"


def test_repeats_at_the_same_moment_make_one_thing(service: Service) -> None:
    carla = service.caller("carla", Role.CUSTODIAN)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: carla.post("/customers", CUSTOMER, key="k-1"), range(16)))
    made = {answer.json["id"] for answer in answers if answer.status == 201}
    assert len(made) == 1
    assert {answer.status for answer in answers} <= {201, 409}
    again = carla.post("/customers", CUSTOMER, key="k-1")
    assert (again.status, again.json["id"]) == (201, made.pop())
    assert len(carla.did("/customers", method="GET")["items"]) == 1


def test_a_key_that_is_none_is_refused(quick: Service) -> None:
    carla = quick.caller("carla", Role.CUSTODIAN)
    for key in ("x" * 129, "with blank", "\u00e9"):
        answer = carla.call("POST", "/customers", CUSTOMER, headers={"Idempotency-Key": key})
        assert (answer.status, answer.code) == (422, "input.invalid")


def test_everything_that_a_request_changes_can_be_drawn_for_its_repeat(quick: Service) -> None:
    sources = [path.read_text() for path in sorted((ROOT / "vault/services").glob("*.py"))]
    nouns = {noun for source in sources for noun in re.findall(r'subject=f?"([a-z]+)[:"]', source)}
    drawn = set(quick.app.extensions["rootvault.renderers"])
    assert len(nouns) > 10
    assert nouns - drawn == {"disclosure"}
