"""The certificate of a destruction as a page that prints, and as a text to take along.

Decided here: nothing; a certificate that the log does not prove is refused by the service.
"""

from __future__ import annotations

from flask import Response, request

from vault.domain.destruction import OFFLINE, digest
from vault.domain.policy import Permission
from vault.services.certificate_text import GROUNDS, SAID, until, write_text
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.site import blueprint, page


@blueprint.get("/accounts/<account_id>/destruction")
@needs(Permission.ACCOUNT_READ)
def certificate_page(account_id: str) -> Response:
    """Show the certificate; with ``?format=text``, give it as a file."""
    vault = the_vault()
    found = vault.certificates.get(actor(), account_id)
    if request.args.get("format") == "text":
        name = f'attachment; filename="destruction-{found.account.id}.txt"'
        text = write_text(found, vault.origin, vault.vkey)
        return Response(text, content_type="text/plain; charset=utf-8", headers={"Content-Disposition": name})
    return page(
        "ui/certificate.html",
        found=found,
        done=found.destroyed,
        grounds=GROUNDS,
        said=SAID,
        until=until(found),
        offline=OFFLINE,
        digest=digest,
        origin=vault.origin,
        vkey=vault.vkey,
    )
