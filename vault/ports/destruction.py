"""Ports: destructions that are kept, and the list of them outside the database.

Decided here: the questions. The list outside is what a database that was put back does not have: it is written before
the transaction commits, so that it never tells less than happened. Where it tells more, the account is released and
its destruction is owed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vault.domain.destruction import Destroyed


class DestructionStore(Protocol):
    """Destructions, one an account."""

    def add(self, destroyed: Destroyed) -> None:
        """Keep that an account's credential was destroyed; `Conflict` concurrent.change where it was before."""
        ...

    def get(self, account_id: str) -> Destroyed | None:
        """Find the destruction of an account's credential."""
        ...

    def all(self) -> tuple[Destroyed, ...]:
        """List all, by time and account."""
        ...

    def of(self, case_id: str) -> tuple[Destroyed, ...]:
        """List those of a case, by account."""
        ...


class DestroyedList(Protocol):
    """The list of destructions that is kept outside the database."""

    def add(self, destroyed: Iterable[Destroyed]) -> None:
        """Keep these, durably before this returns; `Unavailable` log.unavailable where that cannot be done."""
        ...

    def read(self) -> tuple[Destroyed, ...] | None:
        """Give all, in the order in which they came; None where there is no list.

        Raises `Refused` destruction.list for one that was changed.
        """
        ...
