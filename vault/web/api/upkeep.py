"""Upkeep: the health of credentials, the board of what is to be done, and the recovery score."""

from __future__ import annotations

from vault.domain.policy import Permission
from vault.ports.store import Slice
from vault.services.healths import HealthFilter
from vault.web.api.names import customer_id_of
from vault.web.api.routes import operation
from vault.web.api.schemas.upkeep import (
    BoardQuery,
    BoardResource,
    HealthPageResource,
    HealthQuery,
    RecoveryQuery,
    RecoveryScoreResource,
)
from vault.web.auth import actor, the_vault


@operation("GET", "/health", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def list_health(sent: HealthQuery) -> HealthPageResource:
    """List the health of the credentials in sight by account number, with counts.

    Health is computed at this moment: healthy, due, unchecked, overdue, unknown, out_of_sync, lost; absent where
    nothing is held. Each state comes with its facts and the step to take.
    """
    wanted = HealthFilter(_customer(sent.customer_id), sent.kind, sent.health)
    return HealthPageResource.of(the_vault().healths.page(actor(), wanted, Slice(sent.limit, sent.cursor)))


@operation("GET", "/board", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def read_board(sent: BoardQuery) -> BoardResource:
    """List what is to be done about credentials in sight, the riskiest first.

    The order is made anew at each reading: what changed between two pages stands where it belongs now.
    """
    wanted = HealthFilter(_customer(sent.customer_id), sent.kind, sent.health)
    part = Slice(sent.limit, sent.cursor)
    return BoardResource.of(the_vault().board.page(actor(), wanted, sent.stage, part))


@operation("GET", "/recovery-score", Permission.ACCOUNT_READ, problems={422: ("cursor.invalid",)})
def read_recovery_score(sent: RecoveryQuery) -> RecoveryScoreResource:
    """Say what would become of the held accounts in sight if the vault, a mailbox or a phone were lost."""
    wanted = HealthFilter(_customer(sent.customer_id), sent.kind)
    part = Slice(sent.limit, sent.cursor)
    return RecoveryScoreResource.of(
        the_vault().recoverables.page(actor(), wanted, sent.loss, sent.fate, part)
    )


def _customer(name: str | None) -> str | None:
    return None if name is None else customer_id_of(name, Permission.ACCOUNT_READ)
