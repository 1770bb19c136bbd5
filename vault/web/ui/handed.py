"""The customer's page of a handover: public, opened once by a link and a code, for somebody who never saw us (H9, S30).

Decided here: that whoever holds a link alone sees a form for a code, the same for every link there ever was, known or
not; that what a visit shows is kept nowhere in the browser but the visit itself, in its signed cookie, and is left with
one press. Nothing here takes a credential. Never decided here: what opens the page (`customer_links`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response, redirect, session, url_for

from vault.domain.case import StepState
from vault.domain.customer_tasks import ENDS, MFA_GRACE_DAYS, TASKS
from vault.domain.plans.handover import (
    BALANCE,
    BEGIN,
    DAY,
    EMAIL_START,
    GO,
    INSTRUCTIONS,
    PLAN,
    SIGNATORY,
)
from vault.domain.secret import Secret
from vault.errors import FieldError, Invalid, Unauthenticated, VaultError
from vault.services.links import link_hash
from vault.services.pack_writing import to_html, to_zip
from vault.web.auth import origin, the_vault
from vault.web.guard import PUBLIC, needs
from vault.web.ui import disclose
from vault.web.ui.forms import Form
from vault.web.ui.forms_handed import AcknowledgeForm, PageCodeForm
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from werkzeug.wrappers import Response as AnyResponse

    from vault.domain.case import Done, Scene, Step
    from vault.services.acknowledging import End

VISITS: Final = "handovers"
MOST_VISITS: Final = 3
"""So many customers' pages are open in one browser at once; an older one is closed."""
_NAME: Final = 16
_INWARD: Final = frozenset({BALANCE, BEGIN, DAY, EMAIL_START, GO, INSTRUCTIONS})
"""Steps that are about our own work: they are in the evidence pack, and would only be in the way here."""


@blueprint.get("/handover/<token>")
@needs(PUBLIC)
def handed_page(token: str) -> Response:
    """Show the page where this browser opened it, and else ask for the code."""
    return _again(token, None, 200)


@blueprint.post("/handover/<token>")
@needs(PUBLIC)
def handed_open(token: str) -> AnyResponse:
    """Open the page with the code; the link is used up."""
    form = PageCodeForm()
    if not form.validate():
        return _code_page(token, form, INVALID)
    try:
        visit = the_vault().releases.links.enter(Secret(token), form.code.data, origin())
    except VaultError as error:
        return refused(error, form, lambda status: _code_page(token, form, status))
    _remember(token, visit)
    return redirect(url_for("ui.handed_page", token=token), 303)


@blueprint.post("/handover/<token>/acknowledge")
@needs(PUBLIC)
def handed_acknowledge(token: str) -> AnyResponse:
    """Take the signatory's word; said again it is the same."""
    form = AcknowledgeForm()
    if not form.validate():
        return _again(token, form, INVALID)
    try:
        the_vault().releases.acknowledging.acknowledge(
            Secret(token), _visit(token), form.signed.data, origin(), form.instead.data or ""
        )
    except VaultError as error:
        if isinstance(error, Unauthenticated):
            return _again(token, None, 401)
        return refused(error, form, lambda status: _again(token, form, status))
    return redirect(url_for("ui.handed_page", token=token), 303)


@blueprint.post("/handover/<token>/leave")
@needs(PUBLIC)
def handed_leave(token: str) -> AnyResponse:
    """Close the page in this browser."""
    the_vault().releases.acknowledging.leave(Secret(token), _visit(token), origin())
    _forget(token)
    return page("ui/handed_left.html")


@blueprint.get("/handover/<token>/pack.<kind>")
@needs(PUBLIC)
def handed_pack(token: str, kind: str) -> AnyResponse:
    """Give the evidence pack to whoever has the page open: ``html`` or ``zip``."""
    if kind not in {"html", "zip"}:
        place = FieldError("/kind", "The evidence is there as html and as zip.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    found = the_vault().releases.packs.visited(Secret(token), _visit(token))
    if found is None:
        return redirect(url_for("ui.handed_page", token=token), 303)
    content = to_html(found).encode() if kind == "html" else to_zip(found)
    media = "text/html; charset=utf-8" if kind == "html" else "application/zip"
    name = f'attachment; filename="handover-{found.case_id}.{kind}"'
    return Response(content, content_type=media, headers={"Content-Disposition": name})


def _again(token: str, form: AcknowledgeForm | None, status: int) -> Response:
    end = the_vault().releases.acknowledging.page(Secret(token), _visit(token))
    if end is None or end.handed is None:
        return _code_page(token, PageCodeForm(formdata=None), status)
    return page(
        "ui/handed.html",
        status,
        link=token,
        end=end,
        case=end.scene.case,
        handed=end.handed,
        signatory=end.scene.given("", SIGNATORY, "name"),
        accounts=list(_accounts(end)),
        whole=list(_done(end.scene, "")),
        tasks=TASKS,
        ends=ENDS,
        mfa_days=MFA_GRACE_DAYS,
        gone={each.account_id: each for each in end.destroyed},
        form=AcknowledgeForm(formdata=None) if form is None else form,
        leave=Form(formdata=None),
    )


def _code_page(token: str, form: PageCodeForm, status: int) -> Response:
    return page("ui/handed_code.html", status, link=token, form=form)


def _accounts(end: End) -> Iterator[tuple[object, list[tuple[Step, Done]]]]:
    for number in end.scene.live:
        yield end.scene.accounts[number], list(_done(end.scene, number))


def _done(scene: Scene, account_id: str) -> Iterator[tuple[Step, Done]]:
    """Give what was done of one account, or of the whole, in the order in which it was."""
    found = [
        (step, done)
        for step in PLAN.steps
        if not step.informs
        and step.name not in _INWARD
        and (done := scene.of(account_id, step.name)) is not None
        and done.state is StepState.DONE
    ]
    yield from sorted(found, key=lambda each: each[1].at)


def _name(token: str) -> str:
    return link_hash(Secret(token))[:_NAME]


def _visit(token: str) -> Secret[str] | None:
    kept = session.get(VISITS)
    found = kept.get(_name(token)) if isinstance(kept, dict) else None
    return Secret(found) if isinstance(found, str) else None


def _remember(token: str, visit: Secret[str]) -> None:
    kept = session.get(VISITS)
    others = (
        {}
        if not isinstance(kept, dict)
        else {name: each for name, each in kept.items() if name != _name(token)}
    )
    newest = list(others.items())[-(MOST_VISITS - 1) :]
    session[VISITS] = dict(newest) | {_name(token): disclose.of_text(visit)}


def _forget(token: str) -> None:
    kept = session.get(VISITS)
    if isinstance(kept, dict):
        session[VISITS] = {name: each for name, each in kept.items() if name != _name(token)}
