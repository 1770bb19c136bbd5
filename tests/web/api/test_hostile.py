"""Hostile requests: whatever is sent, the answer is a problem, nothing changes, and nothing is repeated."""

from __future__ import annotations

import base64
import contextlib
import json
from typing import TYPE_CHECKING, Any, Final, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.support.thorough import THOROUGH, times
from tests.support.world import make_world
from tests.web.api.samples import SAMPLES, operation_named, path_of
from tests.web.api.service import service_of, the_url
from tests.web.api.test_main_path import held
from vault.domain.actor import Role
from vault.web.api import OPERATIONS
from vault.web.api.routes import PREFIX

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.web.api.service import Answer, Caller, Service
    from vault.adapters.db import SqlUnits

DONE: Final = text("""SELECT count(*) FROM audit_entry WHERE leaf LIKE '%"outcome":"success"%'""")
WITH_BODY: Final = [each.name for each in OPERATIONS if each.body is not None]
RAW: Final = [
    b"{",
    b"[]",
    b"null",
    b"7",
    b'"text"',
    b"NaN",
    b'{"a": NaN}',
    b'{"a": Infinity}',
    b'{"a": 1e999}',
    b'{"a": ' + b"9" * 5000 + b"}",
    b'{"a": 1, "a": 2}',
    b'{"a": "\\ud800"}',
    b'{"a": "\\u0000"}',
    b'{"a": "\x01"}',
    b'{"\\udfff": 1}',
    b"\xff\xfe{\x00}\x00",
    b"\xef\xbb\xbf{}",
    b'{"a": "\xff"}',
    b"[" * 60_000,
    b'{"a":' * 10_000 + b"1" + b"}" * 10_000,
    b"{} {}",
    b"{}\x00",
    b'{"__proto__": {}}',
    b"a=1&b=2",
    b"x" * 70_000,
]
FORGED: Final = [
    base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    for text in (
        "[99999999999999999999999]",
        "[9223372036854775808]",
        "[null]",
        "[[]]",
        "[1.5]",
        "[NaN]",
        '["\\ud800"]',
        '["\\ud800","a"]',
        '["\\u0000","a"]',
        '["2026-01-01","a"]',
        "[" * 300,
    )
]
WRONG: Final[list[Any]] = [
    [],
    {},
    True,
    -1,
    2**53 - 1,
    0.5,
    "",
    "x" * 20_000,
    "a\u202eb",
    "line\r\nbreak",
    "' OR 1=1 --",
    "<script>",
    "\u0663\u0663\u0663",
    ["a"],
    {"a": 1},
]


@pytest.fixture(scope="module", params=["sqlite", "postgresql"] if THOROUGH else ["postgresql"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Serve one vault for all of these tests, on each kind of database: nothing here changes it."""
    directory = tmp_path_factory.mktemp("hostile")
    with contextlib.ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite+pysqlite:///{directory / 'vault.db'}"
        else:
            url = stack.enter_context(request.getfixturevalue("postgres_server").database())
        world = make_world(url, directory)
        stack.callback(world.vault.close)
        service = service_of(world)
        held(service)
        yield service


def caller_of(service: Service, name: str) -> Caller:
    """Give whoever may call an operation."""
    role = SAMPLES[name].role
    return service.nobody() if role is None else service.caller(f"p{role}", role)


def successes(service: Service) -> int:
    """Count what was done."""
    with cast("SqlUnits", service.world.vault.units).engine.connect() as connection:
        return int(connection.execute(DONE).scalar_one())


def refused(answer: Answer, sent: str) -> None:
    """Hold an answer to a hostile request against what every one of them is."""
    assert 400 <= answer.status < 500, answer.data
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert len(answer.data) < 10_000
    assert sent not in answer.data.decode()


@pytest.mark.parametrize("name", WITH_BODY)
def test_bytes_that_are_no_object_of_ours(stage: Service, name: str) -> None:
    operation, caller = operation_named(name), caller_of(stage, name)
    before = successes(stage)
    for data in RAW:
        answer = caller.call(operation.method, path_of(operation), data=data)
        refused(answer, "never-sent")
        assert answer.status in {413, 422}, (data[:20], answer.data)
    for media in (
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "a",
        "application/json; charset=utf-16",
    ):
        answer = caller.call(
            operation.method, path_of(operation), data=b"{}", headers={"Content-Type": media}
        )
        # without a token another site's page could send it: refused before it is read
        assert answer.status == (415 if caller.token or media.startswith("application/json") else 403)
    assert successes(stage) == before


@pytest.mark.parametrize("name", [name for name in WITH_BODY if SAMPLES[name].body])
def test_members_of_the_wrong_kind(stage: Service, name: str) -> None:
    operation, caller = operation_named(name), caller_of(stage, name)
    before = successes(stage)
    sample = dict(SAMPLES[name].body)
    bodies: list[dict[str, Any]] = [{**sample, "surprise": 1}]
    for member in sample:
        bodies += [{**sample, member: wrong} for wrong in WRONG]
    for body in bodies:
        answer = caller.call(operation.method, path_of(operation), body)
        if 200 <= answer.status < 300:
            # some of it is good: a text is a text
            changed = next(key for key in body if body[key] != sample.get(key))
            assert isinstance(body[changed], str | int | list), (body, answer.data)
            before = successes(stage)
            continue
        refused(answer, "never-sent")
    assert successes(stage) == before


@pytest.mark.parametrize("name", [name for name in WITH_BODY if SAMPLES[name].body])
def test_what_is_missing_is_named_by_its_place(stage: Service, name: str) -> None:
    operation, caller = operation_named(name), caller_of(stage, name)
    assert operation.body is not None
    needed = {key for key, each in operation.body.model_fields.items() if each.is_required()}
    if not needed:
        return
    answer = caller.call(operation.method, path_of(operation), {})
    assert (answer.status, answer.code) == (422, "input.invalid")
    assert {each["pointer"] for each in answer.json["errors"]} == {f"/{key}" for key in needed}


def test_a_secret_that_was_sent_is_not_repeated(stage: Service) -> None:
    sent = "Sent-And-Never-Repeated-77"
    for name, member in (
        ("take_into_custody", "password"),
        ("take_into_custody", "totp_seed"),
        ("take_into_custody", "otp"),
        ("step_up", "otp"),
        ("plan_rotation", "seed"),
        ("sign_in", "password"),
        ("confirm_role", "otp"),
    ):
        operation, caller = operation_named(name), caller_of(stage, name)
        for value in (sent, [sent], {"a": sent}, sent * 200):
            body = {**SAMPLES[name].body, member: value}
            refused(caller.call(operation.method, path_of(operation, account_id="111122223333"), body), sent)
        refused(caller.call(operation.method, path_of(operation), {**SAMPLES[name].body, "x": sent}), sent)


def test_root_keys_are_refused_by_name(stage: Service) -> None:
    carla = stage.callers["carla"]
    intake = {
        **SAMPLES["take_into_custody"].body,
        "access_key_id": "AKIAIOSFODNN7EXAMPLE",
        "secret_access_key": "wJalr",
    }
    answer = carla.call("PUT", "/accounts/111122223333/credential", intake)
    assert (answer.status, answer.code, answer.json["rule"]) == (422, "custody.root_keys", "C3")
    assert "AKIAIOSFODNN7EXAMPLE" not in answer.data.decode()


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=-1",
        "limit=1.0",
        "limit=\u0663",
        "limit=1_0",
        "limit=%2B1",
        "limit= 1",
        "limit=",
        "limit=99999999999999999999",
        "limit=1&limit=2",
        "surprise=1",
        "cursor=%00",
        "cursor=nonsense",
        "cursor=" + "A" * 600,
        "cursor=eyJhIjoxfQ",
        *(f"cursor={cursor}" for cursor in FORGED),
        "q=" + "x" * 300,
        "q=a%0ab",
        "q=%E2%80%AE",
    ],
)
@pytest.mark.parametrize(
    "path", ["/customers", "/accounts", "/checkouts", "/audit/entries", "/people", "/tokens"]
)
def test_hostile_queries(stage: Service, path: str, query: str) -> None:
    answer = stage.caller("pauditor", Role.AUDITOR).get(f"{path}?{query}")
    assert (answer.status, answer.code) in {(422, "input.invalid"), (422, "cursor.invalid")}, answer.data


@pytest.mark.parametrize(
    "query",
    [
        "since=yesterday",
        "since=2026-13-01T00:00:00Z",
        "until=2026-01-01",
        "since=2026-01-01T00:00:00",
        "outcome=maybe",
        "account_id=1",
        "until=9999-12-31T23:59:59-23:59",
        "since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z",
    ],
)
def test_hostile_filters_of_the_log(stage: Service, query: str) -> None:
    answer = stage.caller("pauditor", Role.AUDITOR).get(f"/audit/entries?{query}")
    assert (answer.status, answer.code) == (422, "input.invalid")


@pytest.mark.parametrize(
    "name",
    ["x" * 5000, "%00", "%ff", "%F0%9F%98%80", "..%2f..", "'", "%E2%80%AE", "0" * 12 + "%0a", "null", "-1"],
)
def test_hostile_names_in_paths(stage: Service, name: str) -> None:
    for operation in OPERATIONS:
        role = SAMPLES[operation.name].role
        if not operation.parameters or role is None:
            continue
        body = dict(SAMPLES[operation.name].body) if operation.body is not None else None
        path = path_of(operation, **dict.fromkeys(operation.parameters, name))
        answer = stage.caller(f"p{role}", role).call(operation.method, path, body)
        refused(answer, "never-sent")
        # 409: that somebody has no recovery under way is told to administrators, whoever it is
        told = {403, 404, 405, 414, 422} | ({409} if operation.name == "take_recovery_link" else set())
        assert answer.status in told, (operation.name, answer.data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(data=st.data())
@settings(max_examples=times(50, 1_000), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_json_at_all_gives_a_server_error(stage: Service, data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(WITH_BODY))
    operation, caller = operation_named(name), caller_of(stage, name)
    members = st.sampled_from([*(operation.body.model_fields if operation.body else ()), "x"])
    body = {**SAMPLES[name].body, **data.draw(st.dictionaries(members, json_values, max_size=3))}
    sent = json.dumps(body).encode()
    answer = caller.call(operation.method, path_of(operation), data=sent)
    assert answer.status < 500, answer.data


def test_what_the_api_answers_is_never_a_page(stage: Service) -> None:
    client = stage.app.test_client()
    answer = client.get(f"{PREFIX}/nothing", base_url=the_url(stage.app), headers={"Accept": "text/html"})
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
