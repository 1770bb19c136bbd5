"""What AWS tells of an account's root, wherever it was read: the port behind which every source of proof stands.

Decided here: a source answers from what was fetched before and is kept (records that reconciliation read, inspections
through the role), so that nothing that proves a rotation crosses a network in a transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from vault.domain.observation import Observation
from vault.ports.store import Unit


class RootRecords(Protocol):
    """One source of observations."""

    def of(self, unit: Unit, since: Mapping[str, datetime]) -> Mapping[str, tuple[Observation, ...]]:
        """Give, by account, what was observed of its root from its time on, oldest first.

        A source that tells of states and not of acts gives also the last state before that time. Accounts of which
        nothing was observed may be left out. The number of statements does not grow with the accounts, but by 500.
        """
        ...
