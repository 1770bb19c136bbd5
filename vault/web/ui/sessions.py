"""Pages of sessions: where one is signed in, and the end of one, of all others, or of everything."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import redirect, session, url_for

from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.forms import Form
from vault.web.ui.site import blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

TOKENS = 20


@blueprint.get("/sessions")
@needs(SIGNED_IN)
def session_list() -> Response:
    """Show where one is signed in, and one's own tokens."""
    return _own(Form(), 200)


@blueprint.post("/sessions/<session_id>/end")
@needs(SIGNED_IN)
def session_end_one(session_id: str) -> AnyResponse:
    """End one of one's own sessions."""
    me, form = actor(), Form()
    try:
        the_vault().sessions.end(me, me.id, session_id)
    except VaultError as error:
        return refused(error, form, lambda status: _own(form, status))
    if session_id == me.origin.session:
        session.clear()
        return redirect(url_for("ui.sign_in"), 303)
    return redirect(url_for("ui.session_list"), 303)


@blueprint.post("/sessions/others")
@needs(SIGNED_IN)
def session_end_others() -> AnyResponse:
    """End all of one's own sessions but this one."""
    me = actor()
    the_vault().sessions.end_others(me, me.id)
    return redirect(url_for("ui.session_list"), 303)


@blueprint.post("/sessions/end")
@needs(SIGNED_IN)
def session_end() -> AnyResponse:
    """End all of one's own sessions, this one included."""
    the_vault().signin.end_all(actor())
    session.clear()
    return redirect(url_for("ui.sign_in"), 303)


@blueprint.get("/people/<person_id>/sessions")
@needs(Permission.PEOPLE_MANAGE)
def person_sessions(person_id: str) -> Response:
    """Show where somebody is signed in."""
    return _theirs(person_id, Form(), 200)


@blueprint.post("/people/<person_id>/sessions/<session_id>/end")
@needs(Permission.PEOPLE_MANAGE)
def person_session_end(person_id: str, session_id: str) -> AnyResponse:
    """End one of somebody's sessions."""
    form = Form()
    try:
        the_vault().sessions.end(actor(), person_id, session_id)
    except VaultError as error:
        return refused(error, form, lambda status: _theirs(person_id, form, status))
    return redirect(url_for("ui.person_sessions", person_id=person_id), 303)


@blueprint.post("/people/<person_id>/sessions/end")
@needs(Permission.PEOPLE_MANAGE)
def person_sessions_end(person_id: str) -> AnyResponse:
    """End all of somebody's sessions."""
    form = Form()
    try:
        the_vault().sessions.end_others(actor(), person_id)
    except VaultError as error:
        return refused(error, form, lambda status: _theirs(person_id, form, status))
    return redirect(url_for("ui.person_sessions", person_id=person_id), 303)


def _own(form: Form, status: int) -> Response:
    vault, me = the_vault(), actor()
    tokens = vault.tokens.page(me, Slice(TOKENS)).items
    now = vault.clock.now()
    return page(
        "ui/sessions.html",
        status,
        seats=vault.sessions.own(me),
        tokens=[each for each in tokens if each.alive(now)],
        recovery=vault.recovery.standing(me.id),
        form=form,
    )


def _theirs(person_id: str, form: Form, status: int) -> Response:
    vault, me = the_vault(), actor()
    seats = vault.sessions.of(me, person_id)
    person = vault.people.get(me, person_id).person
    return page("ui/person_sessions.html", status, seats=seats, person=person, form=form)
