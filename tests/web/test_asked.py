"""What a passkey signs of a request: everything that it asks for, in one way only, and the same in the browser."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, request
from werkzeug.datastructures import MultiDict

from vault.web.api.schemas.base import Body, SecretText
from vault.web.asked import asked, remember
from vault.web.ui.show import members

if TYPE_CHECKING:
    from vault.domain.actor import Asked

PLAIN = {"decision": "approve", "comment": "seen\nit", "otp": "1", "csrf_token": "a"}


class Sent(Body):
    """A body with a secret and a factor."""

    otp: SecretText
    password: SecretText
    comment: str = ""


def of_form(fields: Any, path: str = "/checkouts/1/decide", **more: Any) -> Asked:
    with Flask("probe").test_request_context(path, method="POST", data=fields, **more):
        found = asked()
    assert found is not None
    return found


def of_json(body: dict[str, Any], path: str = "/api/v1/x") -> Asked:
    with Flask("probe").test_request_context(path, method="POST", json=body):
        remember(Sent.model_validate(request.get_json()))
        found = asked()
    assert found is not None
    return found


def test_the_factor_the_forms_token_and_the_kind_of_line_end_are_not_in_it() -> None:
    again = {**PLAIN, "comment": "seen\r\nit", "otp": "2", "csrf_token": "b"}
    assert of_form(PLAIN).digest == of_form(again).digest == of_form({**PLAIN, "comment": "seen\rit"}).digest


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (PLAIN, "/checkouts/2/decide"),
        (PLAIN, "/checkouts/1/decide?as=other"),
        ({**PLAIN, "decision": "deny"}, "/checkouts/1/decide"),
        ({**PLAIN, "more": ""}, "/checkouts/1/decide"),
        ({"decision": "approvecomment", "otp": ""}, "/checkouts/1/decide"),
        (MultiDict([*PLAIN.items(), ("decision", "deny")]), "/checkouts/1/decide"),
        ({"decision": "approve", "comment": "seen\nit7:comment", "otp": ""}, "/checkouts/1/decide"),
    ],
)
def test_every_other_difference_is(fields: Any, path: str) -> None:
    assert of_form(fields, path).digest != of_form(PLAIN).digest


def test_it_is_what_the_script_computes() -> None:
    """Written down once by hand, so that neither side changes alone."""
    texts = ["rootvault request v1", "POST", "/checkouts/1/decide?a=b", "name", "ä\n🔑"]
    whole = b"".join(f"{len(text.encode())}:".encode() + text.encode() for text in texts)
    given = of_form({"name": "ä\r\n🔑", "otp": ""}, "/checkouts/1/decide?a=b")
    assert given.digest == hashlib.sha256(whole).digest()


def test_a_programs_fields_are_shown_to_its_person_without_the_secrets() -> None:
    body = {"otp": "123456", "password": "Correct-Horse-7-Battery", "comment": "seen"}
    found = of_json(body)
    assert found.content == '{"comment": "seen", "password": "(not shown)"}'
    assert "Horse" not in repr(found)
    turned = dict(reversed(list({**body, "otp": "another"}.items())))
    assert of_json(turned).digest == found.digest
    for other in ({**body, "comment": ""}, {**body, "password": "another"}):
        assert of_json(other).digest != found.digest
    assert of_json(body, "/api/v1/y").digest != found.digest


def test_requests_without_a_factor_are_not_hashed() -> None:
    with Flask("probe").test_request_context("/x", method="POST", data={"name": "a"}):
        assert asked() is None


def test_what_is_too_long_to_show_is_cut_and_says_so_and_never_shown_as_nothing() -> None:
    long = "first words " + "\u202e" * 9_000
    found = of_json({"otp": "1", "password": "a secret of mine", "comment": long})
    assert found.content is not None
    shown = dict(members(found.content))
    assert shown["password"] == "(not shown)"
    assert "this is their beginning only) first words" in shown["comment"]
    assert hashlib.sha256(long.encode()).hexdigest() in shown["comment"]
    assert len(found.content) < 8_192
