"""The ticket system: another program that knows what work is planned, for which account, by whom and when."""

from __future__ import annotations

from typing import Protocol

from vault.domain.ticket import Ticket
from vault.ports.feeds import Delivery


class TicketSystem(Protocol):
    """One ticket system. It never answers for longer than about ten seconds."""

    def find(self, number: str) -> Ticket | None:
        """Look a ticket up; None where there is none.

        Raises `Unavailable` ticket.unavailable where it does not answer, or not in a way that can be read.
        """
        ...

    @property
    def takes_notes(self) -> bool:
        """Whether notes can be written on tickets."""
        ...

    @property
    def makes_tickets(self) -> bool:
        """Whether tickets can be made."""
        ...

    def create(self, subject: str, words: str, key: str) -> tuple[str, Delivery]:
        """Make a ticket and give its number; never raises. `key` is the same when it is tried again.

        The number is empty where it was made and the answer does not say which it is.
        """
        ...

    def note(self, number: str, words: str, key: str) -> Delivery:
        """Write a note on a ticket; never raises. `key` is the same when it is tried again."""
        ...
