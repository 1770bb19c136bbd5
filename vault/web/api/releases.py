"""The end of a handover: the customer's link, the acknowledgement, the evidence pack."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from flask import Response

from vault.domain.plans.release import ACKNOWLEDGE, CONFIRMED_ON, INSTEAD, SIGNED, WHERE
from vault.domain.policy import Permission
from vault.services.pack_writing import to_html, to_json, to_zip
from vault.web.api.cases import flat, pointing
from vault.web.api.routes import JSON, TEXT, Problems, operation
from vault.web.api.schemas.releases import (
    Acknowledgement,
    EndResource,
    LinkMade,
    LinkWish,
    PackQuery,
    PackResource,
)
from vault.web.auth import actor, the_vault

if TYPE_CHECKING:
    from vault.domain.evidence_pack import Pack

HTML: Final = "text/html; charset=utf-8"
ZIP: Final = "application/zip"
_LINK: Final[Problems] = {
    401: ("auth.refused",),
    409: ("case.state", "handover.no_mail", "otp.used"),
    423: ("frozen",),
    429: ("auth.delayed",),
    503: ("handover.unsent",),
}


@operation("GET", "/handovers/<case_id>/end", Permission.CASE_READ)
def read_handover_end(case_id: str) -> EndResource:
    """Read where the end of a handover stands: released, acknowledged, its links, and what was destroyed."""
    return read_end(case_id)


@operation("POST", "/handovers/<case_id>/link", Permission.HANDOVER_PREPARE, problems=_LINK)
def send_customer_link(case_id: str, sent: LinkWish) -> LinkMade:
    """Mail the signatory a link to their page, and get its code once; the link before is dead.

    Tell the code by phone or in the ticket, after you know whom you talk to; never by mail.
    """
    return LinkMade.of(the_vault().releases.links.make(actor(), case_id, sent.otp.expose()))


@operation(
    "POST",
    "/handovers/<case_id>/acknowledge",
    Permission.HANDOVER_PREPARE,
    problems={
        401: ("auth.refused",),
        409: ("case.state", "otp.used"),
        422: ("case.evidence",),
        423: ("frozen",),
        429: ("auth.delayed",),
    },
)
def acknowledge_handover(case_id: str, sent: Acknowledgement) -> EndResource:
    """Enter the signatory's letter that they hold every account; what we kept is destroyed then.

    Under another name it takes a reason and a second person, who agrees to the step `acknowledge`.
    """
    given = {SIGNED: sent.signed, CONFIRMED_ON: sent.on, WHERE: sent.where}
    given |= {} if sent.instead is None else {INSTEAD: sent.instead}
    otp = "" if sent.otp is None else sent.otp.expose()
    with pointing(lambda pointer: {f"/evidence/{CONFIRMED_ON}": "/on"}.get(pointer, flat(pointer))):
        the_vault().cases.work.attest(actor(), case_id, ACKNOWLEDGE, "", given, otp)
    return read_end(case_id)


@operation(
    "GET",
    "/handovers/<case_id>/evidence-pack",
    Permission.CASE_READ,
    media=(JSON, HTML, ZIP, TEXT),
    problems={503: ("log.unavailable", "log.rolled_back")},
)
def read_evidence_pack(case_id: str, sent: PackQuery) -> PackResource | Response:
    """Read who did what and when, on which evidence, with a proof of each entry that verifies without us."""
    return as_file(the_vault().releases.packs.get(actor(), case_id), sent.format)


def read_end(case_id: str) -> EndResource:
    """Show the end of a handover as whoever asks sees it."""
    return EndResource.of(the_vault().releases.acknowledging.end(actor(), case_id))


def as_file(pack: Pack, form: str) -> Response:
    """Write a pack in one of its forms."""
    if form == "json":
        return Response(to_json(pack), content_type=JSON)
    if form == "apn":
        return Response(pack.apn_case, content_type=TEXT)
    content = to_html(pack).encode() if form == "html" else to_zip(pack)
    name = f'attachment; filename="handover-{pack.case_id}.{form}"'
    media = HTML if form == "html" else ZIP
    return Response(content, content_type=media, headers={"Content-Disposition": name})
