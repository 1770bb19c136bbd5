"""Store of what AWS's records say about rotations: changes of root, windows of rotations, what waits for a proof.

As in `vault.ports.store`, every method works inside the unit's transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from vault.domain.actor import Reach
from vault.domain.proof import Observation, Window


class ProofStore(Protocol):
    """What proves, and what contradicts, over many accounts at once."""

    def root_changes(self, accounts: Reach | tuple[str, ...]) -> Mapping[str, tuple[Observation, ...]]:
        """List by account, oldest first, the changes of how root gets in that AWS accepted since a part held now is.

        One statement. Accounts without any are left out; so is what happened before the older of an account's current
        versions became so.
        """
        ...

    def windows(self, account_ids: tuple[str, ...]) -> Mapping[str, tuple[Window, ...]]:
        """List the windows of the rotations of some accounts whose value was shown, 500 accounts a statement."""
        ...
