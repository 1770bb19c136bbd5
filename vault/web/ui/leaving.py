"""Pages of leavers and recoveries: what is left to rotate, and how somebody comes in again.

Decided here: a recovery's link is shown once, in the answer to the POST that took it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from flask import redirect, request, url_for

from vault.domain.leaver import LeaverStep, next_step
from vault.domain.policy import Permission
from vault.errors import VaultError
from vault.ports.store import Slice
from vault.services.knowledge_told import HOW
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN, needs
from vault.web.ui import disclose
from vault.web.ui.forms import OtpForm, RecoverForm
from vault.web.ui.people import person_again
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from flask import Response
    from werkzeug.wrappers import Response as AnyResponse

PAGE: Final = 50
WORDS: Final = {
    LeaverStep.ROTATE: ("To rotate", "warn", "turn", "Check the account out and set a new value."),
    LeaverStep.SETTLE: (
        "To settle",
        "bad",
        "question",
        "It was displayed and may be set at AWS: settle its rotation.",
    ),
    LeaverStep.VERIFY: (
        "To verify",
        "accent",
        "eye",
        "A later value was accepted; somebody has to prove it.",
    ),
    LeaverStep.DONE: ("Done", "ok", "check", "A later value was proven: it opens nothing any more."),
}


@blueprint.get("/people/<person_id>/leaver")
@needs(SIGNED_IN)
def leaver_page(person_id: str) -> Response:
    """Show what a person knew when they were shut out, and what became of it."""
    vault, shows_all = the_vault(), request.args.get("state") == "any"
    part = Slice(PAGE, request.args.get("cursor"))
    found = vault.leavers.progress(actor(), person_id, part, is_open=not shows_all)
    after = None
    if found.items.next is not None:
        query = urlencode({"state": "any" if shows_all else "open", "cursor": found.items.next})
        after = f"{url_for('ui.leaver_page', person_id=person_id)}?{query}"
    return page(
        "ui/leaver.html",
        found=found,
        shows_all=shows_all,
        how={way.value: words for way, words in HOW.items()},
        steps=WORDS,
        step_of=next_step,
        next_url=after,
    )


@blueprint.post("/people/<person_id>/recovery")
@needs(Permission.PEOPLE_MANAGE)
def recovery_propose(person_id: str) -> AnyResponse:
    """Propose that a person enrols again."""
    form = RecoverForm()
    if not form.validate():
        return person_again(person_id, form, INVALID)
    try:
        the_vault().recovery.propose(actor(), person_id, form.why.data, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    return redirect(url_for("ui.person_page", person_id=person_id), 303)


@blueprint.post("/people/<person_id>/recovery/link")
@needs(Permission.PEOPLE_MANAGE)
def recovery_link(person_id: str) -> AnyResponse:
    """Show the link of a recovery, once."""
    form = OtpForm()
    if not form.validate():
        return person_again(person_id, form, INVALID)
    vault = the_vault()
    try:
        given = vault.recovery.link(actor(), person_id, form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: person_again(person_id, form, status))
    token = disclose.of_text(given.link)
    link = vault.settings.server.public_url.rstrip("/") + url_for("ui.enrol", token=token)
    return page("ui/invited.html", person=given.person, link=link)
