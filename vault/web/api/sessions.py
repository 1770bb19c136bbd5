"""Sessions: where you are signed in, and the end of one or of all others."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.web.api.routes import operation
from vault.web.api.schemas.leaving import EndedSessions, SessionList, SessionResource
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN


@operation("GET", "/me/sessions", SIGNED_IN)
def list_sessions() -> SessionList:
    """List the browsers in which you are signed in, newest first."""
    return SessionList(items=[SessionResource.of(each) for each in the_vault().sessions.own(actor())])


@operation("DELETE", "/me/sessions", SIGNED_IN)
def end_other_sessions() -> EndedSessions:
    """End all of your sessions but the one that asks; by a token, all of them."""
    me = actor()
    return EndedSessions(ended=the_vault().sessions.end_others(me, me.id))


@operation("DELETE", "/me/sessions/<session_id>", SIGNED_IN)
def end_session(session_id: str) -> EndedSessions:
    """End one of your sessions; whoever copied its cookie is out as well."""
    me = actor()
    the_vault().sessions.end(me, me.id, session_id)
    return EndedSessions(ended=1)


@operation("GET", "/people/<person_id>/sessions", Permission.PEOPLE_MANAGE)
def list_their_sessions(person_id: str) -> SessionList:
    """List the browsers in which somebody is signed in."""
    found = the_vault().sessions.of(actor(), person_id)
    return SessionList(items=[SessionResource.of(each) for each in found])


@operation("DELETE", "/people/<person_id>/sessions", Permission.PEOPLE_MANAGE)
def end_their_sessions(person_id: str) -> EndedSessions:
    """End all of somebody's sessions."""
    return EndedSessions(ended=the_vault().sessions.end_others(actor(), person_id))


@operation("DELETE", "/people/<person_id>/sessions/<session_id>", Permission.PEOPLE_MANAGE)
def end_their_session(person_id: str, session_id: str) -> EndedSessions:
    """End one of somebody's sessions."""
    the_vault().sessions.end(actor(), person_id, session_id)
    return EndedSessions(ended=1)
