"""What is destroyed with an account's credential, beside its versions: the same in the service and in a restore."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from vault.ports.destruction import Shredder

SHREDDERS: Final[tuple[Shredder, ...]] = ()
"""One for each noun that seals something for an account."""
