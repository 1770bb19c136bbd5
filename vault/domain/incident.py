"""Incidents: what was found that the log does not explain, until someone explained it.

Decided here: what kinds there are and which weighs most, which are about the log itself, and that an incident
has an owner before it is closed, and a sentence when it is, by someone whose own checkout it is not about. Never
decided here: what counts as unexplained (`vault.services.reconciliation`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

CLOSING_MIN: Final = 10
CLOSING_MAX: Final = 500


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


SEVERITY: Final[Mapping[IncidentKind, int]] = {
    IncidentKind.LOG_DAMAGED: 1,
    IncidentKind.UNLOGGED_DECRYPT: 1,
    IncidentKind.ROOT_SIGN_IN: 2,
    IncidentKind.ROOT_USE: 2,
    IncidentKind.MISSING_DECRYPT: 3,
}
"""How much each kind weighs; 1 comes first."""


OF_THE_LOG: Final = frozenset({IncidentKind.UNLOGGED_DECRYPT, IncidentKind.LOG_DAMAGED})
"""Kinds that say that the log was passed by or is damaged: closed by who may review it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """One finding. `subject` names what it is about, once and for ever, so that it is opened once.

    `happened_at` is when what was found happened, `opened_at` when it was found. `checkout_id` is the checkout
    whose holder had the account last by then: that person does not close it.
    """

    id: str
    kind: IncidentKind
    subject: str
    account_id: str | None
    checkout_id: str | None
    summary: str
    evidence: str
    happened_at: datetime
    opened_at: datetime
    owner_id: str | None = None
    owned_at: datetime | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    closing: str | None = None

    @property
    def is_open(self) -> bool:
        """Whether nobody has explained it yet."""
        return self.closed_at is None

    @property
    def severity(self) -> int:
        """How much it weighs; 1 comes first."""
        return SEVERITY[self.kind]

    @property
    def state(self) -> str:
        """Where it stands, as the log names it: open, owned or closed."""
        if not self.is_open:
            return "closed"
        return "open" if self.owner_id is None else "owned"
