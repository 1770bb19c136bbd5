"""The blueprint, what every template is given, and how a refused form comes back.

Decided here: that Bootstrap's files come from its package on this server; that a refusal is shown beside
the form it is about, with what was typed kept, secrets excepted; that Jinja's missing names are errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import Blueprint, g, make_response, render_template, url_for
from flask_bootstrap import Bootstrap5
from jinja2 import StrictUndefined

from vault.domain.actor import ActorKind
from vault.domain.passkey import SecondFactor
from vault.domain.policy import Permission
from vault.errors import NotFound, Unauthenticated, VaultError
from vault.web.auth import the_vault, visitor
from vault.web.errors import status_of
from vault.web.ui import show, words

if TYPE_CHECKING:
    from flask import Flask, Response
    from flask.sansio.blueprints import BlueprintSetupState

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.domain.freeze import Freeze
    from vault.web.ui.forms import Form

blueprint = Blueprint("ui", __name__, template_folder="templates", static_folder="static")

INVALID: Final = 422

Page = Callable[[int], "Response"]


def seconds(count: int) -> timedelta:
    """Give a length of time to templates."""
    return timedelta(seconds=count)


@blueprint.record_once
def _set_up(state: BlueprintSetupState) -> None:
    app: Flask = state.app  # type: ignore[assignment] # Flask, and not its sansio base, registers blueprints here
    app.config["BOOTSTRAP_SERVE_LOCAL"] = True
    Bootstrap5().init_app(app)
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = True
    app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(show.FILTERS)
    app.jinja_env.globals.update(words=words, seconds=seconds)
    app.context_processor(_given)


def _given() -> dict[str, object]:
    """Give what every page needs: who is looking, what they may do, and the server's time."""
    vault = the_vault()
    me = _somebody()

    def can(permission: str) -> bool:
        return me is not None and not vault.policy.reach(me, Permission(permission)).empty

    return {
        "me": me,
        "can": can,
        "now": vault.clock.now(),
        "policy": vault.policy,
        "by_passkey": _by_passkey,
        "request_id": g.get("request_id", "-"),
        "provider": vault.settings.oidc.name if vault.federation.provider is not None else "",
        "halted_since": lambda: None if me is None else _halted_since(),
        "halt_after": vault.anchored.allowed,
        "frozen_over": _frozen,
        "frozen_for_me": lambda: () if me is None else _frozen(None, me.id),
        "unread_notices": lambda: 0 if me is None else _unread(me),
    }


def _halted_since() -> datetime | None:
    """Say since when nothing is disclosed for want of a place outside; None also while the database is away."""
    try:
        return the_vault().places.stopped_since()
    except VaultError:
        return None


def _frozen(account: Account | None, person_id: str) -> list[Freeze]:
    """Give what stops a person: everywhere, or (beyond that) on one account; asked of the database once a page."""
    if "freezes" not in g:
        try:
            g.freezes = the_vault().freezes.standing()
        except VaultError:
            g.freezes = ()
    everywhere = [each for each in g.freezes if each.covered.concerns("", "", person_id)]
    if account is None:
        return everywhere
    found = [each for each in g.freezes if each.covered.concerns(account.customer_id, account.id, person_id)]
    mine = [] if (me := _somebody()) is None else [each.id for each in _frozen(None, me.id)]
    return [each for each in found if each.id not in mine]


def _by_passkey() -> bool:
    """Say whether the one who looks proves themselves by passkey; asked of the database once a page."""
    if "by_passkey" not in g:
        me = _somebody()
        person = me if me is not None and me.kind is ActorKind.PERSON else None
        g.by_passkey = person and the_vault().passkeys.factor_of(person) is SecondFactor.PASSKEY
    return bool(g.by_passkey)


def _unread(me: Actor) -> int:
    """Count the notices that somebody has not read; none while the database is away."""
    try:
        return the_vault().notices.unread(me)
    except VaultError:
        return 0


def _somebody() -> Actor | None:
    """Give who is looking, or nobody: while the database is away its own error page has to be shown."""
    try:
        return visitor().actor
    except VaultError:
        return None


def next_page(endpoint: str, after: str | None, given: Mapping[str, str] | None = None) -> str | None:
    """Give the address of a list's next page, None at its end."""
    if after is None:
        return None
    return f"{url_for(endpoint)}?{urlencode({**(given or {}), 'cursor': after})}"


def page(template: str, status: int = 200, **context: object) -> Response:
    """Render a page."""
    response = make_response(render_template(template, **context))
    response.status_code = status
    return response


def refused(error: VaultError, form: Form, show_again: Page) -> Response:
    """Show the form again with what was wrong beside it; secrets typed are not sent back.

    Not for "not signed in" and "not there": those have pages of their own.
    """
    if isinstance(error, NotFound) or (isinstance(error, Unauthenticated) and error.code == "auth.required"):
        raise error
    form.take(error)
    response = show_again(status_of(error))
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response
