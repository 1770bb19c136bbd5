"""What one is told, as pages: the inbox, how one wants to hear of what, and letters that could not be delivered.

Decided here: nothing but words and places. A look at a page marks nothing as read; a button does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import redirect, request, url_for

from vault.domain.notice import CHOSEN, Topic, Way
from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.services.letters import line_of
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui.forms import ChoicesForm, Form
from vault.web.ui.site import INVALID, blueprint, next_page, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE: Final = 50


@blueprint.get("/notices")
@needs(SIGNED_IN)
def notice_list() -> Response:
    """Show the inbox."""
    return _inbox(Form(formdata=None), 200)


@blueprint.post("/notices/read")
@needs(SIGNED_IN)
def notice_read_all() -> AnyResponse:
    """Mark all as read."""
    the_vault().notices.read(actor())
    return redirect(url_for("ui.notice_list"), 303)


@blueprint.post("/notices/<notice_id>/read")
@needs(SIGNED_IN)
def notice_read(notice_id: str) -> AnyResponse:
    """Mark one as read."""
    the_vault().notices.read(actor(), notice_id)
    return redirect(url_for("ui.notice_list"), 303)


@blueprint.get("/notices/settings")
@needs(SIGNED_IN)
def notice_choices() -> Response:
    """Show how one hears of what."""
    chosen = the_vault().notices.choices(actor())
    return _choices(
        ChoicesForm(formdata=None, **{topic.value: way.value for topic, way in chosen.items()}), 200
    )


@blueprint.post("/notices/settings")
@needs(SIGNED_IN)
def notice_choose() -> AnyResponse:
    """Choose."""
    form = ChoicesForm()
    if not form.validate():
        return _choices(form, INVALID)
    wanted = {topic: Way(form[topic.value].data) for topic in CHOSEN}
    try:
        the_vault().notices.choose(actor(), wanted)
    except VaultError as error:
        return refused(error, form, lambda status: _choices(form, status))
    return redirect(url_for("ui.notice_choices", saved=1), 303)


@blueprint.get("/notices/dead")
@needs(SIGNED_IN)
def notice_dead() -> Response:
    """Show letters that could not be delivered."""
    return _dead(Form(formdata=None), 200)


@blueprint.post("/notices/dead/replay")
@needs(Permission.PEOPLE_MANAGE)
def notice_replay() -> AnyResponse:
    """Have all sent again, or the one that is named."""
    form = Form()
    named = request.form.get("notice", "") or None
    try:
        the_vault().notices.replay(actor(), named)
    except VaultError as error:
        return refused(error, form, lambda status: _dead(form, status))
    return redirect(url_for("ui.notice_dead"), 303)


def _inbox(form: Form, status: int) -> Response:
    vault, me = the_vault(), actor()
    unread = request.args.get("state") == "unread"
    found = vault.notices.inbox(me, Slice(PAGE, request.args.get("cursor")), unread=unread)
    given = {"state": "unread"} if unread else {}
    return page(
        "ui/notices.html",
        status,
        notices=[(each, line_of(each)) for each in found.items],
        only_unread=unread,
        form=form,
        next_url=next_page("ui.notice_list", found.next, given),
        answers_for=vault.notices.answers_for(me),
    )


def _choices(form: Form, status: int) -> Response:
    vault = the_vault()
    return page(
        "ui/notice_choices.html",
        status,
        form=form,
        topics=[topic.value for topic in CHOSEN],
        emergency=Topic.EMERGENCY.value,
        by_mail=vault.notices.by_mail,
        saved="saved" in request.args and status != INVALID,
        answers_for=vault.notices.answers_for(actor()),
    )


def _dead(form: Form, status: int) -> Response:
    vault = the_vault()
    found = vault.notices.dead(actor(), Slice(PAGE, request.args.get("cursor")))
    return page(
        "ui/notices_dead.html",
        status,
        letters=[(each, line_of(each.notice)) for each in found.items],
        load=vault.notices.load(),
        form=form,
        next_url=next_page("ui.notice_dead", found.next),
        answers_for=True,
    )
