"""Port: the offline recovery recipient, to which every data key is wrapped once more (SECURITY S6).

Decided here: the words between who makes wraps and where the recipient in force is known. A wrap for it is made
without any key service and can be opened by nothing that runs here: its other half is split and lies offline.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.secret import Secret
    from vault.ports.keys import Wrap


class RecoveryRecipient(Protocol):
    """Whom every data key is wrapped for, beside the key services."""

    @property
    def recipient(self) -> str:
        """The recipient that this request, or this turn of a job, goes by (``age1…``); empty where none is in force."""
        ...

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> tuple[Wrap, ...]:
        """Wrap a data key for the recipient, bound to its place: one wrap, or none where none is in force.

        `context` is `vault.crypto.context.Context.pairs()`. Nothing is asked over a network, so there is no key call
        to tell of.
        """
        ...
