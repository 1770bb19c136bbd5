"""Confirmations on the wire."""

from __future__ import annotations

from datetime import datetime

from vault.domain.passkey import ConfirmationState
from vault.web.api.schemas.base import Resource


class ConfirmationResource(Resource):
    """What a program asked for, and whether its person confirmed it by passkey in the browser."""

    id: str
    state: ConfirmationState
    method: str
    path: str
    account_id: str | None
    checkout_id: str | None
    asked_at: datetime
    expires_at: datetime
