"""The web application: the way of a request, in order, on one screen.

Decided here: what stands before every handler and in which order: id and address, who, how often,
whether, from where, whether before. A handler runs after all of them. Never done here: anything that
only one route needs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, g

from vault.web import auth, errors, guard, health, idempotency, security

if TYPE_CHECKING:
    from vault.bootstrap import Vault


def create_app(vault: Vault, blueprints: Sequence[Blueprint] | None = None) -> Flask:
    """Make the application that serves `vault`; without `blueprints`, the REST API and the pages.

    Raises `Refused` where a route declares no need (S18).
    """
    app = Flask("vault.web", static_folder=None, template_folder=None)
    auth.set_up(app, vault)
    security.set_up(app)
    errors.set_up(app)
    idempotency.set_up(app)
    health.set_up(app)
    app.before_request(_before)
    app.after_request(_after)
    for blueprint in _all() if blueprints is None else blueprints:
        app.register_blueprint(blueprint)
    guard.assert_all_guarded(app)
    return app


def _before() -> Response | None:
    security.begin()
    visitor = auth.visitor()
    if visitor.actor is not None:
        g.actor_id = visitor.actor.id
    security.check_rate()
    if visitor.refused:
        auth.count_refusal()
    guard.enforce(visitor)
    security.check_site()
    security.check_form()
    return idempotency.begin(visitor)


def _after(response: Response) -> Response:
    health.count(response)
    return security.finish(response)


def _all() -> tuple[Blueprint, ...]:
    # here and not above: views import this package's modules while they are themselves imported
    from vault.web.api import blueprint as api  # noqa: PLC0415
    from vault.web.ui import blueprint as ui  # noqa: PLC0415

    return (api, ui)
