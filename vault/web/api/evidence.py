"""The evidence of one checkout: read, or taken along as one file."""

from __future__ import annotations

import tempfile
from typing import Final

from flask import Response

from vault.domain.policy import Permission
from vault.web.api.routes import JSON, operation
from vault.web.api.schemas.evidence import EvidenceQuery, EvidenceResource
from vault.web.auth import actor, the_vault

TAR: Final = "application/x-tar"
_IN_MEMORY: Final = 1 << 20


@operation("GET", "/checkouts/<checkout_id>/evidence", Permission.TRAIL_READ, media=(JSON, TAR))
def read_evidence(checkout_id: str, sent: EvidenceQuery) -> EvidenceResource | Response:
    """Give all that the log tells of one checkout, each line with the index of its entry.

    It is read from the log's leaves; `disagreements` says where the tables differ. As `tar` it holds each leaf and
    each proof as well, checks offline, and that it was taken is an entry of the account.
    """
    if sent.format == "json":
        return EvidenceResource.of(the_vault().evidences.of_checkout(actor(), checkout_id))
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        the_vault().evidences.file(actor(), checkout_id, file)
        file.seek(0)
        response = Response(file.read(), content_type=TAR)
    response.headers["Content-Disposition"] = f'attachment; filename="evidence-{checkout_id}.tar"'
    return response
