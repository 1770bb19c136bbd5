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
    app = Flask("vault.web", static_folder=None, static_url_path="/static", template_folder=None)
    auth.set_up(app, vault)
    app.before_request(_arrive)
    security.set_up(app)  # the limiter puts its own check here, between the two
    app.before_request(_admit)
    errors.set_up(app)
    idempotency.set_up(app)
    health.set_up(app)
    app.after_request(_leave)
    for blueprint in _all() if blueprints is None else blueprints:
        app.register_blueprint(blueprint)
    guard.assert_all_guarded(app)
    return app


def _arrive() -> None:
    security.begin()
    visitor = auth.visitor()
    if visitor.actor is not None:
        g.actor_id = visitor.actor.id


def _admit() -> Response | None:
    visitor = auth.visitor()
    if visitor.refused:
        auth.count_refusal()
    guard.enforce(visitor)
    security.check_site()
    security.check_form()
    return idempotency.begin(visitor)


def _leave(response: Response) -> Response:
    health.count(response)
    return security.finish(response)


def _all() -> tuple[Blueprint, ...]:
    # here and not above: views import this package's modules while they are themselves imported
    from vault.web.api import blueprint as api  # noqa: PLC0415 - the rooms import this module
    from vault.web.ui import blueprint as ui  # noqa: PLC0415 - the rooms import this module

    return (api, ui)
