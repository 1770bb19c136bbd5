"""Who may call what: each role and machine scope against each operation, from the application's own routes.

A closed cell answers 403 and leaves an entry; an open one gets past the gate (and finds nothing there, or
its body wrong). Names of other customers' things answer as names of nothing do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.web.api.samples import ABSENT, SAMPLES, operation_named, path_of
from tests.web.api.service import the_url
from tests.web.api.test_main_path import SEED, held
from vault.domain.actor import Role, Scope, ScopeKind
from vault.web.api import OPERATIONS
from vault.web.api.routes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.web.api.service import Caller, Service

ROLES: Final = dict(
    zip(
        "OAUDCS",
        (Role.OPERATOR, Role.APPROVER, Role.AUDITOR, Role.ADMIN, Role.CUSTODIAN, Role.CSM),
        strict=True,
    )
)
SCOPES: Final = dict(
    zip(
        "rgtech",
        ("account.read", "account.register", "trail.read", "log.export", "case.read", "handover.open"),
        strict=True,
    )
)

# operation: the roles that get past the gate, and the machine scopes that do
OPEN: Final[Mapping[str, tuple[str, str]]] = {
    "read_me": ("OAUDCS", "rgtech"),
    "list_notices": ("OAUDCS", "rgtech"),
    "read_notices": ("OAUDCS", "rgtech"),
    "read_notice": ("OAUDCS", "rgtech"),
    "read_notice_choices": ("OAUDCS", "rgtech"),
    "choose_notices": ("OAUDCS", "rgtech"),
    "list_dead_letters": ("OAUDCS", "rgtech"),
    "replay_dead_letters": ("D", ""),
    "replay_dead_letter": ("D", ""),
    "list_customers": ("OAUDCS", "r"),
    "register_customer": ("C", "g"),
    "read_customer": ("OAUDCS", "r"),
    "change_customer": ("C", "g"),
    "list_accounts": ("OAUDCS", "r"),
    "register_account": ("C", "g"),
    "read_account": ("OAUDCS", "r"),
    "change_account": ("C", "g"),
    "read_credential": ("OAUDCS", "r"),
    "list_health": ("OAUDCS", "r"),
    "read_board": ("OAUDCS", "r"),
    "read_recovery_score": ("OAUDCS", "r"),
    "list_handovers": ("OAUDCS", "c"),
    "open_handover": ("S", "h"),
    "read_handover": ("OAUDCS", "c"),
    "tell_handover": ("S", ""),
    "read_handover_gates": ("OAUDCS", "c"),
    "read_handover_days": ("OAUDCS", "c"),
    "cancel_handover": ("S", ""),
    "schedule_handover": ("S", ""),
    "say_handover_step": ("OAUDCS", "c"),
    "say_handover_words": ("OAUDCS", "c"),
    "say_account_step": ("OAUDCS", "c"),
    "release_account": ("OAUDCS", "c"),
    "read_handover_end": ("OAUDCS", "c"),
    "send_customer_link": ("S", ""),
    "acknowledge_handover": ("S", ""),
    "read_evidence_pack": ("OAUDCS", "c"),
    "list_cases": ("OAUDCS", "c"),
    "read_case": ("OAUDCS", "c"),
    "list_case_steps": ("OAUDCS", "c"),
    "list_step_words": ("OAUDCS", "c"),
    "say_step_words": ("OAUDCS", "c"),
    "say_step": ("OAUDCS", "c"),
    "cancel_case": ("OAUDCS", "c"),
    "read_case_calendar": ("OAUDCS", "c"),
    "list_onboardings": ("OAUDCS", "c"),
    "open_onboarding": ("C", ""),
    "read_onboarding": ("OAUDCS", "c"),
    "read_instructions": ("OAUDCS", "c"),
    "make_addresses": ("C", ""),
    "list_root_emails": ("OAUDCS", "r"),
    "read_account_limit": ("OAUDCS", "r"),
    "record_account_limit": ("C", ""),
    "list_campaigns": ("OAUDCS", "r"),
    "propose_campaign": ("AD", ""),
    "list_candidates": ("AD", ""),
    "list_campaign_people": ("AD", ""),
    "read_campaign": ("OAUDCS", "r"),
    "list_campaign_accounts": ("OAUDCS", "r"),
    "take_accounts": ("O", ""),
    "give_accounts_back": ("O", ""),
    "assign_accounts": ("AD", ""),
    "read_calendar": ("OAUDCS", "r"),
    "take_into_custody": ("C", ""),
    "list_reasons": ("OAUDCS", "rgtech"),
    "list_checkouts": ("OAUDCS", "r"),
    "request_checkout": ("O", ""),
    "read_checkout": ("OAUDCS", "r"),
    "read_evidence": ("OAUDCS", "t"),
    "open_closure": ("C", ""),
    "read_closure": ("OAUDCS", "c"),
    "reopen_account": ("C", ""),
    "read_certificate": ("OAUDCS", "r"),
    "who_could_know": ("OAUDCS", "t"),
    "what_a_person_knows": ("OAUDCS", "rgtech"),
    "decide_checkout": ("A", ""),
    "step_up": ("O", ""),
    "read_confirmation": ("OAUDCS", "rgtech"),
    "reveal_password": ("O", ""),
    "reveal_code": ("O", ""),
    "check_in": ("O", ""),
    "cancel_checkout": ("O", ""),
    "none_works": ("O", ""),
    "revoke_checkout": ("AD", ""),
    "plan_rotation": ("O", ""),
    "list_rotations": ("OAUDCS", "r"),
    "read_rotation": ("OAUDCS", "r"),
    "display_rotation": ("O", ""),
    "attest_rotation": ("O", ""),
    "verify_rotation": ("OA", ""),
    "abandon_rotation": ("O", ""),
    "read_walk": ("OAUDCS", "r"),
    "list_devices": ("OAUDCS", "r"),
    "remove_device": ("O", ""),
    "list_entries": ("OAUDCS", "t"),
    "read_entry": ("OAUDCS", "t"),
    "prove_entry": ("OAUDCS", "t"),
    "read_checkpoint": ("OAUDCS", "rgtech"),
    "prove_consistency": ("OAUDCS", "rgtech"),
    "list_outlets": ("U", ""),
    "list_checkpoints": ("U", ""),
    "read_published": ("U", ""),
    "read_tile": ("OAUDCS", "rgtech"),
    "read_bundle": ("U", "e"),
    "export_log": ("U", "e"),
    "draw_sample": ("U", "e"),
    "list_reviews": ("U", ""),
    "read_review": ("U", ""),
    "sign_review": ("U", ""),
    "read_activity": ("U", ""),
    "list_findings": ("OAUDCS", "r"),
    "read_finding": ("OAUDCS", "r"),
    "take_finding": ("OAC", ""),
    "close_finding": ("OAC", ""),
    "accept_finding": ("OAC", ""),
    "read_drift": ("OAUDCS", "r"),
    "read_inspection": ("OAUDCS", "r"),
    "ask_for_inspection": ("OAC", ""),
    "list_incidents": ("AUD", ""),
    "read_incident": ("AUD", ""),
    "take_incident": ("AUD", ""),
    "close_incident": ("AUD", ""),
    "read_cloud_status": ("AUD", ""),
    "ask_for_move": ("CS", ""),
    "list_moves": ("OAUDCS", "c"),
    "list_mail": ("OAUDCS", "r"),
    "list_account_mail": ("OAUDCS", "r"),
    "read_mail": ("OAUDCS", "r"),
    "assign_mail": ("C", "g"),
    "open_mail": ("O", ""),
    "list_keyless": ("OAUDCS", "r"),
    "read_keyless": ("OAUDCS", "r"),
    "look_at_keyless": ("AC", ""),
    "register_keyless": ("AC", ""),
    "propose_keyless": ("AC", ""),
    "carry_out_keyless": ("AC", ""),
    "read_checkout_cloud": ("OAUDCS", "t"),
    "list_people": ("UD", ""),
    "invite_person": ("D", ""),
    "read_person": ("OAUDCS", "rgtech"),
    "renew_enrolment": ("D", ""),
    "propose_role": ("D", ""),
    "confirm_role": ("D", ""),
    "remove_role": ("D", ""),
    "disable_person": ("D", ""),
    "read_leaver": ("OAUDCS", "rgtech"),
    "propose_recovery": ("D", ""),
    "take_recovery_link": ("D", ""),
    "list_sessions": ("OAUDCS", "rgtech"),
    "end_other_sessions": ("OAUDCS", "rgtech"),
    "end_session": ("OAUDCS", "rgtech"),
    "list_their_sessions": ("D", ""),
    "end_their_sessions": ("D", ""),
    "end_their_session": ("D", ""),
    "list_freezes": ("OAUDCS", "rgtech"),
    "read_freeze": ("OAUDCS", "rgtech"),
    "freeze": ("OAUDCS", ""),
    "lift_freeze": ("AD", ""),
    "list_unreviewed": ("OAUDCS", "r"),
    "review_checkout": ("A", ""),
    "join_checkout": ("O", ""),
    "enable_break_glass": ("D", ""),
    "raise_budget": ("AD", ""),
    "split_account": ("C", "g"),
    "split_customer": ("C", "g"),
    "end_split_of_account": ("C", "g"),
    "end_split_of_customer": ("C", "g"),
    "read_policy_in_force": ("OAUDCS", "rgtech"),
    "explain": ("OAUDCS", "rgtech"),
    "list_policy_versions": ("OAUDCS", "rgtech"),
    "read_policy_version": ("OAUDCS", "rgtech"),
    "compare_policy": ("D", ""),
    "propose_policy": ("D", ""),
    "propose_rewrap": ("D", ""),
    "propose_drill": ("D", ""),
    "read_recipient": ("OAUDCS", "rgtech"),
    "propose_recipient": ("D", ""),
    "list_proposals": ("OAUDCS", "rgtech"),
    "read_proposal": ("OAUDCS", "rgtech"),
    "confirm_proposal": ("OAUDCS", "rgtech"),
    "end_proposal": ("OAUDCS", "rgtech"),
    "list_identities": ("OAUDCS", "rgtech"),
    "unlink_identity": ("OAUDCS", "rgtech"),
    "list_tokens": ("OAUDCS", ""),
    "issue_token": ("OAUDCS", ""),
    "read_token": ("OAUDCS", ""),
    "revoke_token": ("OAUDCS", ""),
}
ANYONE: Final = {"sign_in", "read_document"}
# what the service decides behind an open gate, for who has nothing there
LATER: Final = {
    ("choose_notices", 403),
    ("list_dead_letters", 403),
    ("revoke_token", 403),
    ("issue_token", 403),
    ("unlink_identity", 403),
    ("list_policy_versions", 403),
    ("read_recipient", 403),
    ("read_policy_version", 403),
}


def test_the_table_is_of_all_operations() -> None:
    names = {each.name for each in OPERATIONS}
    assert OPEN.keys() | ANYONE == names == SAMPLES.keys()
    assert not OPEN.keys() & ANYONE


def test_every_cell_of_the_matrix(quick: Service) -> None:
    held(quick)
    callers: dict[str, Caller] = {letter: quick.caller(f"p{role}", role) for letter, role in ROLES.items()}
    machines = {letter: quick.bearer(None, scope) for letter, scope in SCOPES.items()}
    for name, (roles, scopes) in OPEN.items():
        operation = operation_named(name)
        body = {"not": "known"} if operation.body is not None else None
        for letter, caller in (callers | machines).items():
            before = quick.size()
            answer = caller.call(operation.method, path_of(operation), body)
            if letter in roles + scopes:
                assert answer.status not in {401, 403} or (name, answer.status) in LATER, (name, letter)
                continue
            assert (answer.status, answer.code) == (403, "policy.denied"), (name, letter, answer.data)
            assert quick.size() == before + 1, (name, letter)
            assert quick.last()[0]["outcome"] == "denied"


@pytest.mark.parametrize("name", OPEN)
def test_nobody_gets_past_any_gate(quick: Service, name: str) -> None:
    operation = operation_named(name)
    body = dict(SAMPLES[name].body) if operation.body is not None else None
    for token in (None, "nonsense", "rv_p" + "0" * 49):
        answer = quick.nobody().call(operation.method, path_of(operation), body, token=token)
        expected = {(401, "auth.required"), (403, "origin.refused")}
        assert (answer.status, answer.code) in expected, name


def test_no_method_but_the_documented_ones(quick: Service) -> None:
    caller = quick.caller("pcsm", Role.CSM)
    documented: dict[str, set[str]] = {}
    for each in OPERATIONS:
        documented.setdefault(path_of(each).partition("?")[0], set()).add(each.method)
    before = quick.size()
    for path, methods in documented.items():
        for method in {"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - methods:
            client = quick.app.test_client(use_cookies=False)
            answer = client.open(
                PREFIX + path,
                base_url=the_url(quick.app),
                method=method,
                headers={"Authorization": f"Bearer {caller.token}"},
            )
            assert answer.status_code == 405, (method, path)
            assert set(answer.headers["Allow"].split(", ")) == methods
    assert quick.size() == before


@pytest.mark.parametrize("path", ["/", "/nothing", "/me/"])
def test_what_is_not_there_yet_is_not_there(quick: Service, path: str) -> None:
    answer = quick.caller("pcsm", Role.CSM).post(path, {})
    assert (answer.status, answer.code) == (404, "not_found")


def test_names_of_others_answer_as_names_of_nothing(service: Service) -> None:
    held(service)
    names = world_of_names(service)
    other = Scope(ScopeKind.CUSTOMER, ABSENT["customer_id"])
    strangers = {role: service.caller(f"s{role}", role, other) for role in Role}
    for operation in OPERATIONS:
        own = {"account_id", "checkout_id", "customer_id", "rotation_id"} & set(operation.parameters)
        role = SAMPLES[operation.name].role
        if not own or role is None:
            continue
        body: dict[str, Any] | None = (
            dict(SAMPLES[operation.name].body) if operation.body is not None else None
        )
        answers = [
            strangers[role].call(operation.method, path_of(operation, **given), body) for given in (names, {})
        ]
        seen = [hidden(answer.data.decode(), names) for answer in answers]
        assert [answer.status for answer in answers] == [404, 404], (operation.name, seen)
        assert seen[0] == seen[1], operation.name


def test_lists_and_bodies_do_not_tell_of_others(service: Service) -> None:
    held(service)
    names = world_of_names(service)
    other = Scope(ScopeKind.CUSTOMER, ABSENT["customer_id"])
    oscar, carol = (service.caller(f"s{role}", role, other) for role in (Role.OPERATOR, Role.CUSTODIAN))
    for path in ("/customers", "/accounts", "/checkouts", "/audit/entries", "/accounts?customer_id=900001"):
        page = oscar.did(path, method="GET")
        assert (page.pop("items"), set(page.values())) == ([], {None}), path
    asking = dict(SAMPLES["request_checkout"].body)
    asked = [
        oscar.post("/checkouts", {**asking, "account_id": each}) for each in ("111122223333", "999999999999")
    ]
    assert [answer.status for answer in asked] == [404, 404]
    new = dict(SAMPLES["register_account"].body)
    given = (names["customer_id"], "900001", ABSENT["customer_id"][:-1] + "9", "900009")
    there, by_ddi, absent, absent_ddi = (
        carol.post("/accounts", {**new, "customer_id": each}) for each in given
    )
    assert {answer.status for answer in (there, by_ddi, absent, absent_ddi)} == {404}
    assert there.json["detail"].replace(given[0], "N") == absent.json["detail"].replace(given[2], "N")
    assert by_ddi.json["detail"].replace("900001", "N") == absent_ddi.json["detail"].replace("900009", "N")


def world_of_names(service: Service) -> dict[str, str]:
    """Make a checkout and a rotation that somebody else may not know of."""
    olga = service.caller("olga", Role.OPERATOR)
    body = dict(SAMPLES["request_checkout"].body) | {"reason": "CRED_ROTATE"}
    checkout = olga.did("/checkouts", body, status=201)
    olga.did(f"/checkouts/{checkout['id']}/step-up", {"otp": service.otp("olga")})
    seed = {"part": "mfa", "seed": SEED}
    rotation = olga.did(f"/checkouts/{checkout['id']}/rotations", seed, status=201)
    account = olga.did("/accounts/111122223333", method="GET")
    return {
        "account_id": "111122223333",
        "checkout_id": checkout["id"],
        "customer_id": account["customer_id"],
        "rotation_id": rotation["id"],
    }


def hidden(text: str, names: Mapping[str, str]) -> str:
    """Take the names, and what differs in every answer, out of an answer."""
    for name in names:
        text = text.replace(names[name], "N").replace(ABSENT[name], "N")
    return text.partition('"instance"')[0]
