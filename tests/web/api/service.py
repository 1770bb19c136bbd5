"""The API as a client meets it: a real vault behind Flask's test client, each answer held against the document.

Every answer that a test gets was checked before: its status is one that the operation documents, its body
fits the documented schema, a problem's code is one that is documented there. So the whole suite is a
test of ``docs/openapi.json`` as well.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from openapi_schema_validator import OAS31Validator
from werkzeug.exceptions import HTTPException

from vault.domain.actor import Role, Scope
from vault.domain.ids import new_id
from vault.domain.person import Token
from vault.services.tokens import new_text
from vault.web.api import blueprint, openapi
from vault.web.api.routes import PREFIX
from vault.web.app import create_app

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import timedelta

    from flask import Flask
    from werkzeug.test import TestResponse

    from tests.support.world import Human, World

PROBLEM = "application/problem+json"


@cache
def document() -> dict[str, Any]:
    """Give the document of the code under test."""
    return openapi.document()


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    data: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.data)

    @property
    def code(self) -> str:
        """The code of a problem."""
        assert self.headers["Content-Type"] == PROBLEM, self.data
        return str(self.json["code"])


@dataclass
class Caller:
    """Someone with a token."""

    app: Flask
    token: str | None

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        key: str | None = None,
        data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        """Send one request under the prefix, and hold the answer against the document."""
        sent = dict(headers or {})
        bearer = token or self.token
        if bearer is not None:
            sent["Authorization"] = f"Bearer {bearer}"
        if key is not None:
            sent["Idempotency-Key"] = key
        if body is not None:
            data = json.dumps(body).encode()
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        # a client without a cookie jar: nothing but the token says who asks
        client = self.app.test_client(use_cookies=False)
        base = the_url(self.app)
        response = client.open(PREFIX + path, base_url=base, method=method, data=data, headers=sent)
        fits(self.app, method, path.partition("?")[0], response)
        return Answer(response.status_code, dict(response.headers), response.data)

    def get(self, path: str) -> Answer:
        """Read."""
        return self.call("GET", path)

    def post(self, path: str, body: object = None, *, key: str | None = None) -> Answer:
        """Do."""
        return self.call("POST", path, body, key=key)

    def did(self, path: str, body: object = None, *, status: int = 200, method: str = "POST") -> Any:
        """Do, and give the body of the success that it has to be."""
        answer = self.call(method, path, body)
        assert answer.status == status, answer.data
        return answer.json


@dataclass
class Service:
    """A world with its application."""

    world: World
    app: Flask
    callers: dict[str, Caller] = field(default_factory=dict)

    def caller(self, name: str, role: Role, scope: Scope | None = None) -> Caller:
        """Give a person's caller, making both where they are not there yet."""
        if name not in self.callers:
            human = self.world.human(name, role, scope)
            self.callers[name] = self.bearer(human.actor.id)
        return self.callers[name]

    def bearer(self, person_id: str | None, *scopes: str, reach: Scope | None = None) -> Caller:
        """Make a token of a person, or of a machine, and its caller."""
        text = new_text(person=person_id is not None)
        vault, now = self.world.vault, self.world.clock.now()
        lasts: timedelta = vault.tokens.longest
        token = Token(
            id=new_id(),
            token_hash=vault.tokens._hash(text),
            name="a test's",
            person_id=person_id,
            permissions=frozenset(scopes),
            scope=reach or Scope(),
            created_by="test",
            created_at=now,
            expires_at=now + lasts,
            effective_at=now,
        )
        with vault.units.write() as unit:
            unit.tokens.add(token)
            unit.commit()
        return Caller(self.app, text.expose())

    def nobody(self) -> Caller:
        """Give a caller without a token."""
        return Caller(self.app, None)

    def otp(self, name: str) -> str:
        """Give a person's next code."""
        human: Human = self.world.people[name]
        return human.otp()

    def size(self) -> int:
        """Count the log's entries."""
        with self.world.vault.units.read() as unit:
            return int(unit.log.checkpoint().split("\n")[1])

    def last(self, count: int = 1) -> list[dict[str, Any]]:
        """Give the newest entries' content, newest first."""
        with self.world.vault.units.read() as unit:
            size = int(unit.log.checkpoint().split("\n")[1])
            found = [unit.log.entry(size - 1 - back) for back in range(count)]
        return [json.loads(entry.leaf) for entry in found if entry is not None]


def the_url(app: Flask) -> str:
    """Give the address that the application expects to be asked at."""
    return str(app.extensions["rootvault"].settings.server.public_url)


def service_of(world: World) -> Service:
    """Serve a world's vault."""
    app = create_app(world.vault, [blueprint])
    # how often somebody may ask has tests of its own
    for limiter in app.extensions["limiter"]:
        limiter.enabled = False
    return Service(world, app)


def fits(app: Flask, method: str, path: str, response: TestResponse) -> None:
    """Hold an answer against the document."""
    assert response.headers["Cache-Control"] == "no-store" or "immutable" in response.headers["Cache-Control"]
    adapter = app.url_map.bind("127.0.0.1")
    try:
        rule, _ = adapter.match(PREFIX + path, method=method, return_rule=True)
    except HTTPException:
        # no operation of ours: a problem all the same
        assert response.content_type == PROBLEM, response.data
        return
    name = str(rule.endpoint).removeprefix("api.")
    made = next(
        each for item in document()["paths"].values() for each in item.values() if each["operationId"] == name
    )
    place = made["responses"].get(str(response.status_code))
    assert place is not None, f"{name} answers {response.status_code}, not documented: {response.data!r}"
    if response.status_code >= 400:
        assert response.content_type == PROBLEM, response.data
        code = json.loads(response.data)["code"]
        assert code in place["x-codes"], f"{name} answers {response.status_code} {code}, not documented"
    media = response.content_type.partition(";")[0]
    assert media in place["content"], f"{name} answers {media}, not documented"
    schema = place["content"][media].get("schema")
    if schema is not None:
        whole = {**schema, "components": document()["components"]}
        OAS31Validator(whole).validate(json.loads(response.data))
