"""Incidents: what was found that the log does not explain, until someone explained it.

Decided here: what kinds there are, and that an incident has an owner before it is closed, and a sentence when
it is. Never decided here: what counts as unexplained (`vault.services.reconciliation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class IncidentKind(StrEnum):
    """What was found."""

    UNLOGGED_DECRYPT = "unlogged_decrypt"
    """AWS recorded a use of a key that no entry tells of: somebody went around the log."""
    MISSING_DECRYPT = "missing_decrypt"
    """An entry tells of a use of a key that AWS did not record."""
    ROOT_SIGN_IN = "root_sign_in"
    """Root signed in, or tried to, without a checkout that covers it."""
    ROOT_USE = "root_use"
    """Root did something in an account without a checkout that covers it."""
    LOG_DAMAGED = "log_damaged"
    """An examination of the log, or of the state replayed from it, found something."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One finding. `subject` names what it is about, once and for ever, so that it is opened once."""

    id: str
    kind: IncidentKind
    subject: str
    account_id: str | None
    summary: str
    evidence: str
    opened_at: datetime
    owner_id: str | None = None
    owned_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closing: str | None = None
