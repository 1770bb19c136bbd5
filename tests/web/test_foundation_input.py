"""Reading requests: what is not one clean JSON object is a 4xx with its place, never a 5xx, never repeated."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from tests.web.conftest import told
from tests.web.visits import auth
from vault.domain.actor import Role
from vault.errors import Invalid
from vault.web.requests import MAX_DEPTH, MAX_INTEGER, parse_object

JSON = "application/json"
NASTY = {
    "nothing but brackets": b"[" * 60_000,
    "deep objects": b'{"a":' * 33 + b"1" + b"}" * 33,
    "an array": b"[]",
    "a text": b'"text"',
    "null": b"null",
    "NaN": b'{"a": NaN}',
    "Infinity": b'{"a": -Infinity}',
    "an endless number": b'{"a": 1e999}',
    "a huge integer": b'{"a": ' + b"9" * 50_000 + b"}",
    "an integer past a double": b'{"a": 9007199254740992}',
    "a lone surrogate": b'{"a": "\\ud800"}',
    "a lone surrogate in a name": b'{"\\udfff": 1}',
    "NUL": b'{"a": "\\u0000"}',
    "an escape character": b'{"a": "\\u001b[31m"}',
    "a name twice": b'{"a": 1, "a": 2}',
    "a name twice, deeper": b'{"a": {"b": 1, "b": 1}}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"a": 1}',
    "broken UTF-8": b'{"a": "\xff"}',
    "two objects": b"{}{}",
    "a trailing comma": b'{"a": 1,}',
    "a comment": b'{"a": 1} // no',
    "half an object": b'{"a": "',
    "a raw line end in a text": b'{"a": "\n"}',
}


@pytest.mark.parametrize("name", NASTY)
def test_nasty_json_is_refused_by_name(probe: Flask, bearers: Mapping[Role, str], name: str) -> None:
    answer = probe.test_client().post(
        "/api/v1/echo", data=NASTY[name], content_type=JSON, headers=auth(bearers[Role.AUDITOR])
    )
    assert (answer.status_code, answer.content_type) == (422, "application/problem+json")
    assert told(answer)["code"] == "input.not_json"


@pytest.mark.parametrize(
    "media",
    ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin-1", "", "nonsense"],
)
def test_only_json_is_read(probe: Flask, bearers: Mapping[Role, str], media: str) -> None:
    answer = probe.test_client().post(
        "/api/v1/echo", data=b'{"a": 1}', content_type=media, headers=auth(bearers[Role.AUDITOR])
    )
    assert (answer.status_code, told(answer)["code"]) == (415, "media.unsupported")


def test_too_much_is_not_read(probe: Flask, bearers: Mapping[Role, str]) -> None:
    data = json.dumps({"a": "x" * 70_000})
    answer = probe.test_client().post(
        "/api/v1/echo", data=data, content_type=JSON, headers=auth(bearers[Role.AUDITOR])
    )
    assert (answer.status_code, told(answer)["code"]) == (413, "input.too_large")


def test_wrong_fields_are_named_by_pointer_and_not_repeated(
    probe: Flask, bearers: Mapping[Role, str]
) -> None:
    sent = {"name": 5, "count": "hunter2", "extra/one": 1}
    answer = probe.test_client().post("/api/v1/wanted", json=sent, headers=auth(bearers[Role.AUDITOR]))
    assert (answer.status_code, told(answer)["code"]) == (422, "input.invalid")
    assert [each["pointer"] for each in told(answer)["errors"]] == ["/name", "/count", "/extra~1one"]
    assert "hunter2" not in answer.text
    nothing = probe.test_client().post("/api/v1/wanted", headers=auth(bearers[Role.AUDITOR]))
    assert [each["pointer"] for each in told(nothing)["errors"]] == ["/name"]


@pytest.mark.parametrize("path", ["/page?a=%00", "/page?%1b=1", "/%00", "/%ff/x", "/page%0d%0aX:1"])
def test_addresses_with_what_cannot_be_kept_are_refused(
    probe: Flask, bearers: Mapping[Role, str], path: str
) -> None:
    answer = probe.test_client().get(path, headers={**auth(bearers[Role.AUDITOR]), "Accept": JSON})
    assert answer.status_code in {404, 422}


def test_form_fields_with_what_cannot_be_kept_are_refused(probe: Flask) -> None:
    client = probe.test_client()
    token = client.get("/form").text
    for nasty in ("a\x00b", "a\x1b[0m"):
        form = {"email": nasty, "password": "x", "otp": "1", "csrf_token": token}
        assert client.post("/sign-in", data=form).status_code == 422


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-MAX_INTEGER, MAX_INTEGER)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs", "Cc"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('abc[{"\\}]', max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.text('ab\\"[{', max_size=5), values, max_size=4))
def test_whatever_is_proper_is_read_as_it_is(value: dict[str, object]) -> None:
    assert parse_object(json.dumps(value).encode()) == value


@given(st.binary(max_size=60))
def test_noise_is_refused_and_never_a_crash(data: bytes) -> None:
    assert _read(data) in {"read", "input.not_json"}


def _read(data: bytes) -> str:
    try:
        parse_object(data)
    except Invalid as error:
        return error.code
    return "read"


def test_brackets_in_a_text_are_not_deep() -> None:
    assert parse_object(b'{"a": "' + b"[{" * 100 + b'"}') == {"a": "[{" * 100}
    deep = b'{"a":' + b"[" * (MAX_DEPTH - 1) + b"]" * (MAX_DEPTH - 1) + b"}"
    assert list(parse_object(deep)) == ["a"]
