"""The web's own stage: a vault with people in it, its application, and a probe whose routes only test.

Fixtures: `house` (a vault on SQLite; where the database matters, a module has its own on both), `application`
(REST and pages), `probe` (the foundation with the routes below and nothing else), `bearers` (a token by role).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, jsonify, request
from flask_wtf.csrf import generate_csrf
from werkzeug.test import TestResponse

from tests.support.people import House, Member, move_in
from tests.support.quick_apps import make_apps_quickly
from tests.support.world import make_world
from vault.domain.actor import Role
from vault.domain.policy import Permission
from vault.domain.secret import Secret
from vault.web.app import create_app
from vault.web.auth import actor, agent, close_session, device, open_session, origin, the_vault
from vault.web.guard import PUBLIC, SIGNED_IN, needs
from vault.web.requests import Wire, body, parse

BOOM = "hunter2-in-an-exception"

make_apps_quickly()


class Wanted(Wire):
    """What the probe takes."""

    name: str
    count: int = 0


def probe_routes() -> Blueprint:
    """Make routes that show what the foundation does."""
    routes = Blueprint("probe", __name__)

    @routes.post("/sign-in")
    @needs(PUBLIC)
    def sign_in() -> Response:
        signed = the_vault().signin.begin(
            request.form["email"],
            Secret(request.form["password"]),
            request.form["otp"],
            origin(),
            agent=agent(),
            device=device(),
        )
        open_session(signed)
        return jsonify(person=signed.person.id)

    @routes.get("/form")
    @needs(PUBLIC)
    def form() -> str:
        return str(generate_csrf())

    @routes.post("/sign-out")
    @needs(SIGNED_IN)
    def sign_out() -> Response:
        close_session()
        return jsonify(out=True)

    @routes.get("/api/v1/who")
    @needs(SIGNED_IN)
    def who() -> Response:
        me = actor()
        return jsonify(id=me.id, browser=me.origin.browser, ip=me.origin.ip, request=me.origin.request_id)

    @routes.post("/api/v1/echo")
    @needs(SIGNED_IN)
    def echo() -> Response:
        return jsonify(body())

    @routes.post("/api/v1/wanted")
    @needs(SIGNED_IN)
    def wanted() -> Response:
        return jsonify(parse(Wanted).model_dump())

    @routes.get("/api/v1/people-only")
    @needs(Permission.PEOPLE_MANAGE)
    def people_only() -> Response:
        return jsonify(ok=True)

    @routes.get("/api/v1/boom")
    @needs(SIGNED_IN)
    def boom() -> Response:
        raise RuntimeError(BOOM)

    @routes.get("/page")
    @needs(SIGNED_IN)
    def page() -> str:
        return "a page"

    return routes


def told(answer: TestResponse) -> dict[str, Any]:
    """Give an answer's JSON object."""
    found = answer.get_json()
    assert isinstance(found, dict)
    return found


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """Make a vault whose people come in as people do."""
    yield from housed(f"sqlite+pysqlite:///{tmp_path / 'vault.db'}", tmp_path)


def housed(url: str, directory: Path) -> Iterator[House]:
    """Lend such a vault on a database."""
    world = make_world(url, directory)
    house = move_in(world)
    server = replace(house.vault.settings.server, public_url="http://127.0.0.1:8400")
    house.vault = replace(house.vault, settings=replace(house.vault.settings, server=server))
    yield house
    world.close()


@pytest.fixture
def admins(house: House) -> tuple[Member, Member]:
    """Make the first two administrators."""
    return house.admins()


@pytest.fixture
def probe(house: House) -> Flask:
    """Make the foundation alone."""
    return create_app(house.vault, [probe_routes()])


@pytest.fixture
def application(house: House) -> Flask:
    """Make the whole application."""
    return create_app(house.vault)


@pytest.fixture
def bearers(house: House, admins: tuple[Member, Member]) -> Mapping[Role, str]:
    """Give a token of one person for each role."""
    found: dict[Role, str] = {}
    for role in Role:
        member = admins[0] if role is Role.ADMIN else house.appoint(admins, f"{role}@msp.example", role)
        issued = house.vault.tokens.issue_own(house.actor(member), role, member.code())
        found[role] = issued.text.expose()
    return found
