"""What AWS's records say against what is held, for many accounts at once.

Reads only, in the caller's unit; at most two statements and one for every 500 accounts of which AWS recorded a change.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.proof import Contradiction, contradictions

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.actor import Reach
    from vault.domain.credential import PartKind
    from vault.ports.store import Unit


def contradicted(
    unit: Unit, accounts: Reach | tuple[str, ...]
) -> Mapping[tuple[str, PartKind], tuple[Contradiction, ...]]:
    """Give, by account and part, what changed at AWS since and that no rotation did; parts in order are left out."""
    changes = unit.proofs.root_changes(accounts)
    some = tuple(changes)
    current = unit.versions.current_of(some) if some else {}
    windows = unit.proofs.windows(some)
    found: dict[tuple[str, PartKind], tuple[Contradiction, ...]] = {}
    since: dict[str, dict[PartKind, datetime]] = {}
    for (account_id, kind), version in current.items():
        since.setdefault(account_id, {})[kind] = version.current_since or version.created_at
    for account_id, seen in changes.items():
        for each in contradictions(since.get(account_id, {}), seen, windows.get(account_id, ())):
            place = (account_id, each.kind)
            found[place] = (*found.get(place, ()), each)
    return found
