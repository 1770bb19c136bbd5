"""Approvals by REST: the queue with its risks, progress that says who is missing, words on what was looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tests.web.api.test_main_path import asked, held
from vault.domain.actor import Role

if TYPE_CHECKING:
    from tests.web.api.service import Caller, Service

REASON = "IAM_RESTORE"
AWAITING = "/checkouts?awaiting=me"


def said(request: dict[str, Any], otp: str, **more: Any) -> dict[str, Any]:
    return {"decision": "approve", "content_hash": request["content_hash"], "otp": otp, **more}


def shut_out(service: Service, name: str) -> None:
    """Take a person's roles away, as an administrator does."""
    human = service.world.people[name]
    with service.world.vault.units.write() as unit:
        for grant in unit.people.grants(human.actor.id):
            unit.people.update_grant(replace(grant, removed_at=service.world.clock.now()))
        unit.commit()


def people(service: Service) -> tuple[Caller, Caller]:
    held(service)
    return service.caller("ada", Role.APPROVER), service.caller("bert", Role.APPROVER)


def test_the_queue_tells_what_stands_out_and_what_was_before(quick: Service) -> None:
    ada, _ = people(quick)
    request = asked(quick, REASON)
    [waiting] = ada.get(AWAITING).json["items"]
    assert waiting["id"] == request["id"]
    assert [each["risk"] for each in waiting["risks"]] == ["first_time", "new_ticket"]
    assert waiting["history"] == {"of_account": [], "of_requester": []}
    assert [each["name"] for each in waiting["progress"]["may_decide"]] == ["ada", "bert"]
    assert ada.get(f"/checkouts/{request['id']}").json["risks"] == waiting["risks"]
    olga = quick.callers["olga"]
    mine = olga.get(f"/checkouts/{request['id']}").json
    assert (mine["risks"], mine["history"]) == (None, None)
    assert mine["next"] == "Still needed: 1 approver. ada and bert may decide."
    assert olga.get(AWAITING).json == {"items": [], "next": None}
    assert ada.get(f"{AWAITING}&state=approved").status == 422
    assert ada.get("/checkouts?awaiting=bert").status == 422
    assert ada.get(f"{AWAITING}&cursor=made-up").code == "cursor.invalid"


def test_a_lost_word_is_told_and_another_takes_its_place(quick: Service) -> None:
    ada, bert = people(quick)
    request = asked(quick, REASON)
    path = f"/checkouts/{request['id']}"
    assert ada.did(f"{path}/approvals", said(request, quick.otp("ada")))["state"] == "approved"
    assert ada.get(AWAITING).json["items"] == []
    shut_out(quick, "ada")
    olga = quick.callers["olga"]
    stands = olga.get(path).json
    assert stands["state"] == "pending_approval"
    assert [each["name"] for each in stands["progress"]["void"]] == ["ada"]
    assert [each["id"] for each in olga.get("/checkouts?state=pending_approval").json["items"]] == [
        request["id"]
    ]
    assert olga.get("/checkouts?state=approved").json["items"] == []
    assert olga.post(f"{path}/step-up", {"otp": quick.otp("olga")}).code == "approval.changed"
    assert bert.did(f"{path}/approvals", said(request, quick.otp("bert")))["state"] == "approved"
    assert olga.did(f"{path}/step-up", {"otp": quick.otp("olga")})["state"] == "active"


def test_nobody_left_is_locked_at_asking_and_while_it_waits(quick: Service) -> None:
    people(quick)
    request = asked(quick, REASON)
    for name in ("ada", "bert"):
        shut_out(quick, name)
    olga = quick.callers["olga"]
    progress = olga.get(f"/checkouts/{request['id']}").json["progress"]
    assert (progress["locked"], progress["may_decide"]) == (True, [])
    assert "nobody is left who may decide" in progress["detail"]
    olga.did(f"/checkouts/{request['id']}/cancel")
    body = {key: request[key] for key in ("account_id", "reason", "ticket", "justification")}
    refused = olga.post("/checkouts", body)
    assert (refused.status, refused.code) == (423, "approval.locked")


def test_a_word_on_something_else_and_a_wider_one_are_refused(quick: Service) -> None:
    ada, _ = people(quick)
    request = asked(quick, REASON)
    path = f"/checkouts/{request['id']}/approvals"
    other = said(request, quick.otp("ada"), content_hash="0" * 64)
    assert ada.post(path, other).code == "approval.changed"
    wider = said(request, quick.otp("ada"), duration_seconds=request["requested_seconds"] + 1)
    assert ada.post(path, wider).status == 422
    shorter = ada.did(path, said(request, quick.otp("ada"), duration_seconds=600))
    assert shorter["duration_seconds"] == 600
    assert ada.post(path, said(request, quick.otp("ada"))).code == "approval.duplicate"
