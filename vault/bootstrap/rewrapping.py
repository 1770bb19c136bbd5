"""Re-wraps and drills of a vault: put together for commands of the host, which alone use them.

Decided here: what they run on. They are no part of `Vault`: nothing that answers requests can begin one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.services.agreed import Agreed
from vault.services.drill import Drill
from vault.services.rewrapping import Rewrapping
from vault.services.wrapping import AT_ONCE

if TYPE_CHECKING:
    from vault.bootstrap.vault import Vault
    from vault.ports.keys import NamedKeys


def rewrapping_of(vault: Vault, keys: NamedKeys, at_once: int = AT_ONCE) -> Rewrapping:
    """Give the use case of re-wrapping under these keys."""
    agreed = Agreed(vault.units, vault.gate, vault.clock)
    return Rewrapping(vault.units, agreed, keys, vault.recipients.book, vault.clock, at_once)


def drill_of(vault: Vault, keys: NamedKeys, at_once: int = AT_ONCE) -> Drill:
    """Give the use case of the drill, under these keys."""
    agreed = Agreed(vault.units, vault.gate, vault.clock)
    return Drill(vault.units, agreed, keys, vault.recipients.book, vault.clock, at_once)
