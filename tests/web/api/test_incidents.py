"""Incidents by REST: who sees them, takes them and closes them; and the numbers of them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from tests.support.trails import found_at, root
from tests.web.api.service import the_url
from vault.domain.actor import Reach, Role, Scope, ScopeKind
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from pathlib import Path

    from tests.web.api.service import Caller, Service

NUMBER = "111122223333"
OTHER = "444455556666"
SENTENCE = {"sentence": "The customer signed in by themselves."}


def alarmed(service: Service, folder: Path) -> tuple[str, str]:
    """Hold two accounts, and let root sign in to both; give the incidents."""
    world = service.world
    world.held(NUMBER)
    world.held(OTHER)
    at = world.clock.now()
    hostile = '\u202e<script>alert(1)</script>\u0007"'
    records = [root(number, at, sourceIPAddress=hostile, userAgent=hostile) for number in (NUMBER, OTHER)]
    world.clock.advance(hours=1)
    found_at(world.vault, folder, records, at)
    items = service.caller("uma", Role.AUDITOR).did("/incidents", method="GET")["items"]
    by_account = {item["account_id"]: item["id"] for item in items}
    return by_account[NUMBER], by_account[OTHER]


def test_an_incident_is_taken_handed_on_and_closed(service: Service, tmp_path: Path) -> None:
    mine, _ = alarmed(service, tmp_path / "trail")
    auditor, approver = service.caller("uma", Role.AUDITOR), service.caller("amir", Role.APPROVER)
    assert auditor.post(f"/incidents/{mine}/close", SENTENCE).code == "incident.state"
    taken = auditor.did(f"/incidents/{mine}/take", {})
    assert (taken["state"], taken["owner"]["name"]) == ("owned", "uma")
    assert auditor.did(f"/incidents/{mine}/take", {})["owner"]["name"] == "uma"
    assert approver.post(f"/incidents/{mine}/take", {}).code == "incident.state"
    assert approver.post(f"/incidents/{mine}/take", {"to": "me"}).code == "incident.state"
    assert approver.post(f"/incidents/{mine}/close", SENTENCE).code == "incident.state"
    assert not approver.did(f"/incidents/{mine}", method="GET")["may_close"]
    amir = service.world.human("amir", Role.APPROVER).actor.id
    assert auditor.did(f"/incidents/{mine}/take", {"to": amir})["owner"]["name"] == "amir"
    assert auditor.post(f"/incidents/{mine}/close", SENTENCE).code == "incident.state"
    assert approver.did(f"/incidents/{mine}", method="GET")["may_close"]
    olga = service.world.human("olga", Role.OPERATOR).actor.id
    assert approver.post(f"/incidents/{mine}/take", {"to": olga}).status == 422
    assert approver.post(f"/incidents/{mine}/close", {"sentence": "too short"}).status == 422
    closed = approver.did(f"/incidents/{mine}/close", SENTENCE)
    assert (closed["state"], closed["closing"]) == ("closed", SENTENCE["sentence"])
    assert approver.post(f"/incidents/{mine}/close", SENTENCE).code == "incident.state"
    shown = auditor.did(f"/incidents/{mine}", method="GET")
    assert (shown["record_count"], len(shown["records"])) == (1, 1)
    assert "\u202e" not in shown["summary"]
    assert "\u202e" not in shown["records"][0]["ip"]
    assert shown["evidence"].isascii()
    assert [item["id"] for item in auditor.did("/incidents?state=closed", method="GET")["items"]] == [mine]


def test_a_repeated_request_is_done_once(service: Service, tmp_path: Path) -> None:
    mine, _ = alarmed(service, tmp_path / "trail")
    auditor = service.caller("uma", Role.AUDITOR)
    first = auditor.post(f"/incidents/{mine}/take", {}, key="k-1")
    before = service.size()
    again = auditor.post(f"/incidents/{mine}/take", {}, key="k-1")
    assert (again.status, again.headers["Idempotency-Replayed"]) == (200, "true")
    assert again.json["id"] == first.json["id"]
    assert service.size() == before


def test_incidents_of_others_accounts_are_not_there(service: Service, tmp_path: Path) -> None:
    mine, other = alarmed(service, tmp_path / "trail")
    scoped: Caller = service.caller("anna", Role.APPROVER, Scope(ScopeKind.ACCOUNT, NUMBER))
    assert [item["id"] for item in scoped.did("/incidents", method="GET")["items"]] == [mine]
    absent = "00000000-0000-4000-8000-000000000006"

    def told(path: str, body: Any = None, method: str = "POST") -> tuple[int, str]:
        answer = scoped.call(method, path, body)
        return answer.status, str(answer.json["detail"])

    for path, body, method in (("", None, "GET"), ("/take", {}, "POST"), ("/close", SENTENCE, "POST")):
        there, nowhere = (told(f"/incidents/{name}{path}", body, method) for name in (other, absent))
        assert there[0] == nowhere[0] == 404
        assert there[1].replace(other, absent) == nowhere[1]
    with service.world.vault.units.read() as unit:
        denied = unit.log.page(EntryFilter(type="access.denied"), Reach(everything=True), Slice(9)).items
    asked = [each.content["detail"]["asked_for"] for each in denied]  # type: ignore[index]  # leaves are JSON
    assert sorted(asked) == sorted([f"incident {other}", f"incident {absent}"] * 2)


def test_an_incident_about_no_account_is_for_who_sees_everything(service: Service, tmp_path: Path) -> None:
    service.world.held(NUMBER)
    scoped = service.caller("anna", Role.APPROVER, Scope(ScopeKind.ACCOUNT, NUMBER))
    at, vault = service.world.clock.now(), service.world.vault
    with vault.units.read() as unit:
        context = {"app": "root-vault", "vault": unit.vault_id}
    foreign = root("777788889999", at, "Decrypt") | {
        "eventSource": "kms.amazonaws.com",
        "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::777788889999:user/eve"},
        "requestParameters": {"keyId": "alias/x", "encryptionContext": context},
        "requestID": "r-1",
    }
    service.world.clock.advance(hours=1)
    found_at(vault, tmp_path / "trail", [foreign], at)
    (item,) = service.caller("uma", Role.AUDITOR).did("/incidents", method="GET")["items"]
    assert (item["kind"], item["account_id"]) == ("unlogged_decrypt", None)
    assert scoped.did("/incidents", method="GET")["items"] == []
    assert scoped.get(f"/incidents/{item['id']}").status == 404
    path, admin = f"/incidents/{item['id']}", service.caller("ada", Role.ADMIN)
    admin.did(f"{path}/take", {})
    assert not admin.did(path, method="GET")["may_close"]
    assert admin.post(f"{path}/close", SENTENCE).code == "policy.second_person"
    auditor = service.caller("uma", Role.AUDITOR)
    assert auditor.post(f"{path}/close", SENTENCE).code == "incident.state"
    auditor.did(f"{path}/take", {"to": "me"})
    before = service.size()
    assert auditor.did(path, method="GET")["may_close"]
    assert service.size() == before + 1
    assert auditor.did(f"{path}/close", SENTENCE)["state"] == "closed"


def test_the_list_goes_on_page_by_page_in_its_order(service: Service, tmp_path: Path) -> None:
    world = service.world
    world.held(NUMBER)
    start = world.clock.now()
    names = ("DeleteBucketPolicy", "CreateUser", "PutBucketPolicy")
    for number in range(9):
        at = start + timedelta(hours=number)
        world.clock.at = at + timedelta(hours=1)
        found_at(world.vault, tmp_path / f"t{number}", [root(NUMBER, at, names[number % 3])], at)
    auditor = service.caller("uma", Role.AUDITOR)
    for item in auditor.did("/incidents?limit=3", method="GET")["items"]:
        auditor.did(f"/incidents/{item['id']}/take", {})
        auditor.did(f"/incidents/{item['id']}/close", SENTENCE)
        world.clock.advance(minutes=1)
    whole = auditor.did("/incidents", method="GET")["items"]
    page = auditor.did("/incidents?limit=2", method="GET")
    paged = list(page["items"])
    while page["next"] is not None:
        page = auditor.did(f"/incidents?limit=2&cursor={page['next']}", method="GET")
        paged += page["items"]
    assert paged == whole
    assert [item["state"] for item in whole] == ["open"] * 6 + ["closed"] * 3
    opened = [item["opened_at"] for item in whole]
    assert (opened[:6], opened[6:]) == (sorted(opened[:6]), sorted(opened[6:], reverse=True))
    assert auditor.get("/incidents?cursor=nonsense").code == "cursor.invalid"


def test_numbers_tell_what_is_open_and_how_old(service: Service, tmp_path: Path) -> None:
    alarmed(service, tmp_path / "trail")
    client = service.app.test_client(use_cookies=False)
    told = client.get("/metrics", base_url=the_url(service.app)).text
    assert 'rootvault_incidents_open{kind="root_sign_in"} 2.0' in told
    assert 'rootvault_incidents_open{kind="unlogged_decrypt"} 0.0' in told


def test_the_status_of_sources_and_what_aws_recorded_of_a_checkout(service: Service, tmp_path: Path) -> None:
    world = service.world
    world.held(NUMBER)
    olga = world.human("olga", Role.OPERATOR)
    lease = world.lease(olga, NUMBER)
    record = root(NUMBER, world.clock.now())
    world.clock.advance(hours=2)
    found_at(world.vault, tmp_path / "trail", [record], world.clock.now())
    status = service.caller("uma", Role.AUDITOR).did("/cloud/status", method="GET")
    assert (status["sources"], status["newest"] is not None, status["broken"]) == ([], True, [])
    told = service.caller("olga", Role.OPERATOR).did(f"/checkouts/{lease.id}/cloud", method="GET")
    assert [(each["name"], each["after"]) for each in told["records"]] == [("ConsoleLogin", False)]
    stranger = service.caller("sara", Role.OPERATOR, Scope(ScopeKind.ACCOUNT, OTHER))
    assert stranger.get(f"/checkouts/{lease.id}/cloud").status == 404
