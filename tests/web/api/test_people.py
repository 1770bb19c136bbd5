"""People, roles and tokens by REST: two administrators add power, a program signs in, a token mints no token."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from itsdangerous import URLSafeTimedSerializer

from tests.support.people import House, Member, move_in
from tests.support.world import World, make_world
from tests.web.api.service import Caller, Service, service_of, the_url
from vault.domain.actor import Role
from vault.domain.secret import Secret
from vault.web.api.routes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """Make a vault whose people come in as people do."""
    made = move_in(make_world(database_url, tmp_path))
    yield made
    made.world.vault.close()


@pytest.fixture
def served(house: House) -> Service:
    """Serve it."""
    return service_of(World(house.vault, house.world.clock))


def signed_in(service: Service, member: Member) -> Caller:
    """Sign in as a program does, and give the caller of the token."""
    body = {"email": member.email, "password": member.password, "otp": member.code(), "name": "a laptop"}
    issued = service.nobody().did("/sign-in", body, status=201)
    assert issued["person_id"] == member.id
    return Caller(service.app, issued["token"])


def browsing(service: Service, house: House, member: Member, path: str, body: dict[str, Any]) -> Any:
    """Send one request as the browser session of a member, with its form token and a fresh code."""
    signed = house.sign_in(member)
    client, base = service.app.test_client(), the_url(service.app)
    with client.session_transaction(base_url=base) as session:
        session["t"] = signed.token.expose()
        session["csrf_token"] = "0" * 40
    assert service.app.secret_key is not None
    form = URLSafeTimedSerializer(service.app.secret_key, salt="wtf-csrf-token").dumps("0" * 40)
    headers = {"X-CSRFToken": str(form), "Content-Type": "application/json"}
    return client.post(
        PREFIX + path, base_url=base, data=json.dumps({**body, "otp": member.code()}), headers=headers
    )


def test_a_person_comes_in_and_gets_power_by_two(served: Service, house: House) -> None:
    first, second = house.admins()
    ada, bob = signed_in(served, first), signed_in(served, second)
    invited = ada.did(
        "/people",
        {"email": "nina@msp.example", "name": "Nina", "roles": [{"role": "operator"}]},
        status=201,
    )
    assert (invited["state"], len(invited["grants"])) == ("invited", 1)
    grant = invited["grants"][0]
    confirm = f"/people/{invited['id']}/roles/{grant['id']}/confirm"
    own = ada.post(confirm, {"otp": first.code()})
    assert (own.status, own.code) == (403, "policy.second_person")
    early = bob.post(confirm, {"otp": second.code()})
    assert (early.status, early.code) == (409, "person.state")
    renewed = ada.did(f"/people/{invited['id']}/enrolment")
    assert renewed["enrolment_token"] != invited["enrolment_token"]
    link = Secret(renewed["enrolment_token"])
    assert house.take(link).id == invited["id"]
    wrong = bob.post(confirm.replace(invited["id"], first.id), {"otp": second.code()})
    assert (wrong.status, wrong.code) == (404, "not_found")
    agreed = bob.did(confirm, {"otp": second.code()})
    assert agreed["confirmed_by"] == second.id
    assert ada.did(f"/people/{invited['id']}", method="GET")["grants"] == [agreed]
    assert [each["email"] for each in ada.did("/people", method="GET")["items"]] == [
        "ada@msp.example",
        "bob@msp.example",
        "nina@msp.example",
    ]
    clash = ada.post(f"/people/{invited['id']}/roles", {"role": "admin", "scope": "all"})
    assert (clash.status, clash.code) == (409, "person.state")
    removed = ada.did(f"/people/{invited['id']}/roles/{grant['id']}", method="DELETE")
    assert removed["removed_at"] is not None
    assert ada.post(f"/people/{invited['id']}/enrolment").code == "person.state"
    assert ada.did(f"/people/{invited['id']}/disable")["state"] == "disabled"
    again = ada.post("/people", {"email": "NINA@msp.example", "name": "Nina"})
    assert (again.status, again.code) == (409, "person.exists")


def test_a_program_signs_in_and_one_answer_fits_all_failures(served: Service, house: House) -> None:
    first, _ = house.admins()
    ada = signed_in(served, first)
    me = ada.did("/me", method="GET")
    assert (me["email"], me["roles"], me["kind"]) == (first.email, ["admin"], "person")
    good = {"email": first.email, "password": first.password, "otp": first.wrong_code()}
    failures = (
        good,
        {**good, "password": "not the password at all"},
        {**good, "email": "nobody@msp.example"},
    )
    refused = [served.nobody().post("/sign-in", body) for body in failures]
    assert {(answer.status, answer.code) for answer in refused} == {(401, "auth.refused")}
    assert len({answer.json["detail"] for answer in refused}) == 1


def test_tokens_are_made_in_a_browser_shown_once_and_end_at_once(served: Service, house: House) -> None:
    first, _ = house.admins()
    ada = signed_in(served, first)
    minted = ada.post("/tokens", {"name": "another", "otp": first.code()})
    assert (minted.status, minted.code) == (403, "policy.denied")
    machine = {"name": "offboarding", "scopes": ["account.read"], "scope": "all", "expires_in_seconds": 3600}
    made = browsing(served, house, first, "/tokens", machine)
    assert made.status_code == 201, made.data
    issued = made.json
    worker = Caller(served.app, issued["token"])
    assert worker.did("/me", method="GET")["permissions"] == ["account.read"]
    shown = ada.did(f"/tokens/{issued['id']}", method="GET")
    assert "token" not in shown
    assert (shown["scopes"], shown["scope"], shown["person_id"]) == (["account.read"], "all", None)
    everyone = ada.did("/tokens?everyone=true", method="GET")["items"]
    assert issued["id"] in {each["id"] for each in everyone}
    assert issued["id"] not in {each["id"] for each in ada.did("/tokens", method="GET")["items"]}
    assert issued["token"].encode() not in ada.get("/tokens?everyone=true").data
    assert ada.did(f"/tokens/{issued['id']}", method="DELETE")["revoked_at"] is not None
    ended = worker.get("/me")
    assert (ended.status, ended.code) == (401, "auth.required")
    too_much = browsing(served, house, first, "/tokens", {**machine, "scopes": ["checkout.use"]})
    assert (too_much.status_code, too_much.json["errors"][0]["pointer"]) == (422, "/scopes")


def test_a_disabled_person_is_out_with_their_tokens(served: Service, house: House) -> None:
    admins = house.admins()
    olga = house.appoint(admins, "olga@msp.example", Role.OPERATOR)
    caller = signed_in(served, olga)
    assert caller.get("/accounts").status == 200
    signed_in(served, admins[0]).did(f"/people/{olga.id}/disable")
    ended = caller.get("/accounts")
    assert (ended.status, ended.code) == (401, "auth.required")
