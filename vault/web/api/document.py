"""The OpenAPI document, as it is committed."""

from __future__ import annotations

from flask import Response

from vault.web.api.openapi import text
from vault.web.api.routes import JSON, operation
from vault.web.guard import PUBLIC


@operation("GET", "/openapi.json", PUBLIC, media=(JSON,))
def read_document() -> Response:
    """Give this document."""
    return Response(text(), content_type=JSON)
