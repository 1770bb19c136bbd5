"""The OpenAPI document: valid, committed as it is, and of exactly the routes that there are."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.repository import ROOT
from vault.errors import CODES
from vault.web.api import OPERATIONS, openapi
from vault.web.api.routes import PREFIX

if TYPE_CHECKING:
    from tests.web.api.service import Service

COMMITTED = ROOT / "docs" / "openapi.json"


def test_the_document_is_valid_openapi() -> None:
    assert [str(error) for error in OpenAPIV31SpecValidator(openapi.document()).iter_errors()] == []


def test_bounds_have_the_names_that_json_schema_gives_them() -> None:
    parameters = openapi.document()["paths"]["/cases"]["get"]["parameters"]
    limit = next(each["schema"] for each in parameters if each["name"] == "limit")
    assert limit == {"default": 50, "minimum": 1, "maximum": 200, "type": "integer", "title": "limit"}
    assert '"ge":' not in openapi.text()


def test_the_committed_document_is_the_one_the_code_makes() -> None:
    again = "write it again: python -m vault.web.api > docs/openapi.json"
    assert COMMITTED.read_text(encoding="utf-8") == openapi.text(), again


def test_every_route_is_in_the_document_and_nothing_else(quick: Service) -> None:
    routes = {
        (method, rule.endpoint.removeprefix("api."))
        for rule in quick.app.url_map.iter_rules()
        if rule.rule.startswith(f"{PREFIX}/")
        for method in rule.methods or ()
    }
    documented = {
        (method.upper(), operation["operationId"])
        for path in openapi.document()["paths"].values()
        for method, operation in path.items()
    }
    assert routes == documented


def test_the_document_is_served_to_anyone_as_it_is_committed(quick: Service) -> None:
    answer = quick.nobody().get("/openapi.json")
    assert (answer.status, answer.data.decode()) == (200, COMMITTED.read_text(encoding="utf-8"))


def test_every_operation_says_what_it_needs_and_every_code_is_declared() -> None:
    for path in openapi.document()["paths"].values():
        for operation in path.values():
            assert operation["summary"], operation["operationId"]
            assert operation["x-permission"], operation["operationId"]
            for answer in operation["responses"].values():
                assert set(answer.get("x-codes", ())) <= CODES.keys(), operation["operationId"]


def test_no_answer_holds_a_secret_but_those_that_disclose() -> None:
    disclosing = {
        each.name for each in OPERATIONS if any("SecretText" in str(a.model_fields) for a in each.answers)
    }
    hidden = {
        each.name
        for each in OPERATIONS
        for answer in each.answers
        if {"password", "code", "codes", "token", "enrolment_token"} & answer.model_fields.keys()
    }
    assert disclosing <= hidden
    assert hidden == {
        "reveal_password",
        "reveal_code",
        "display_rotation",
        "issue_token",
        "sign_in",
        "invite_person",
        "renew_enrolment",
        "take_recovery_link",
        "send_customer_link",
    }


def test_secrets_have_no_repr_in_any_body() -> None:
    for each in OPERATIONS:
        for name, field in (each.body.model_fields if each.body else {}).items():
            secret = name in {"password", "otp", "seed", "totp_seed", "access_key_id", "secret_access_key"}
            assert ("Secret" in str(field.annotation)) == secret, f"{each.name} {name}"


def test_the_document_is_sorted_json_with_one_line_end() -> None:
    text = COMMITTED.read_text(encoding="utf-8")
    assert json.dumps(json.loads(text), indent=2, sort_keys=True, ensure_ascii=False) + "\n" == text
