"""Certificates of destruction."""

from __future__ import annotations

from flask import Response

from vault.domain.policy import Permission
from vault.services.certificate_text import write_text
from vault.web.api.routes import JSON, TEXT, operation
from vault.web.api.schemas.destruction import CertificateQuery, CertificateResource
from vault.web.auth import actor, the_vault


@operation(
    "GET",
    "/accounts/<account_id>/destruction",
    Permission.ACCOUNT_READ,
    media=(JSON, TEXT),
    problems={409: ("destruction.state",), 503: ("log.unavailable", "log.rolled_back")},
)
def read_certificate(account_id: str, sent: CertificateQuery) -> CertificateResource | Response:
    """Certify what was destroyed of an account, with the log's receipt, and who can open a backup until when."""
    vault = the_vault()
    found = vault.certificates.get(actor(), account_id)
    if sent.format == "json":
        return CertificateResource.of(found)
    return Response(write_text(found, vault.origin, vault.vkey), content_type=TEXT)
