"""The evidence of one checkout as a page that prints, and as a file to take along.

Decided here: the page is a reading of entries and says so; what proves it goes along in the file.
"""

from __future__ import annotations

import tempfile
from typing import IO, TYPE_CHECKING

from flask import Response, request

from vault.domain.policy import Permission
from vault.web.auth import actor, the_vault
from vault.web.guard import needs
from vault.web.ui.site import blueprint, page

if TYPE_CHECKING:
    from collections.abc import Iterator

CHUNK = 1 << 16


@blueprint.get("/checkouts/<checkout_id>/evidence")
@needs(Permission.TRAIL_READ)
def evidence_page(checkout_id: str) -> Response:
    """Show all that the log tells of one checkout; with ``?format=tar``, give it with every leaf and proof."""
    vault, who = the_vault(), actor()
    if request.args.get("format") == "tar":
        return _file(checkout_id)
    evidence = vault.evidences.of_checkout(who, checkout_id)
    return page("ui/evidence.html", evidence=evidence, vkey=vault.vkey, origin=vault.origin)


def _file(checkout_id: str) -> Response:
    file = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the answer was sent
    try:
        the_vault().evidences.file(actor(), checkout_id, file)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    name = f'attachment; filename="evidence-{checkout_id}.tar"'
    return Response(_chunks(file), content_type="application/x-tar", headers={"Content-Disposition": name})


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
