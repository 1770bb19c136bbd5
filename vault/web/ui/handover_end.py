"""The end of a handover for our people: released, acknowledged, the customer's links and their code, the evidence.

Decided here: that a link's code is shown once, in the answer to the POST that made it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response

from vault.domain.plans.handover import SIGNATORY
from vault.domain.policy import Permission
from vault.domain.release import LinkEnd
from vault.errors import FieldError, Invalid, VaultError
from vault.services.pack_writing import to_html, to_json, to_zip
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui import disclose
from vault.web.ui.forms import OtpForm
from vault.web.ui.site import INVALID, blueprint, page, refused

if TYPE_CHECKING:
    from werkzeug.wrappers import Response as AnyResponse

ENDINGS: Final = {
    LinkEnd.REPLACED: "replaced by a newer one",
    LinkEnd.EXPIRED: "ended without having been opened",
    LinkEnd.GUESSED: "ended by wrong codes",
    LinkEnd.RESTORED: "ended when a backup was restored",
    LinkEnd.UNSENT: "not taken by the mail server",
}
_MEDIA: Final = {
    "html": "text/html; charset=utf-8",
    "json": "application/json",
    "zip": "application/zip",
    "txt": "text/plain; charset=utf-8",
}


@blueprint.get("/cases/<uuid:case_id>/end")
@needs(Permission.CASE_READ)
def handover_end(case_id: object) -> Response:
    """Show where the end of a handover stands."""
    return _again(str(case_id), OtpForm(formdata=None), 200)


@blueprint.post("/cases/<uuid:case_id>/end/link")
@needs(Permission.HANDOVER_PREPARE)
def handover_link(case_id: object) -> AnyResponse:
    """Mail the signatory a link and show its code, once."""
    form = OtpForm()
    if not form.validate():
        return _again(str(case_id), form, INVALID)
    try:
        made = the_vault().releases.links.make(actor(), str(case_id), form.otp.data.strip())
    except VaultError as error:
        return refused(error, form, lambda status: _again(str(case_id), form, status))
    return page(
        "ui/handover_link.html", case_id=str(case_id), link=made.link, code=disclose.of_text(made.code)
    )


@blueprint.get("/cases/<uuid:case_id>/end/pack.<kind>")
@needs(Permission.CASE_READ)
def handover_pack(case_id: object, kind: str) -> Response:
    """Give the evidence pack as a file: ``html``, ``json``, ``zip``, or the text for the APN case (``txt``)."""
    if kind not in _MEDIA:
        place = FieldError("/kind", f"The evidence is there as {', '.join(_MEDIA)}.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    found = the_vault().releases.packs.get(actor(), str(case_id))
    if kind == "txt":
        content = found.apn_case.encode()
    elif kind == "html":
        content = to_html(found).encode()
    else:
        content = to_json(found) if kind == "json" else to_zip(found)
    name = f'attachment; filename="handover-{found.case_id}.{kind}"'
    return Response(content, content_type=_MEDIA[kind], headers={"Content-Disposition": name})


def _again(case_id: str, form: OtpForm, status: int) -> Response:
    vault, who = the_vault(), actor()
    end = vault.releases.acknowledging.end(who, case_id)
    may = vault.policy.reach(who, Permission.HANDOVER_PREPARE).covers(end.scene.customer.id)
    return page(
        "ui/handover_end.html",
        status,
        case=end.scene.case,
        customer=end.scene.customer,
        handed=end.handed,
        instead=end.instead,
        signatory=end.scene.given("", SIGNATORY, "name"),
        links=end.links,
        destroyed=end.destroyed,
        endings=ENDINGS,
        may=may and end.handed is not None,
        by_mail=vault.releases.links.mailer is not None,
        form=form,
    )
