"""Tickets: what another system says of the work a checkout is for, and whether that fits the checkout.

Decided here: what is looked at, and the words of what does not fit. What a ticket does not say does not fit: a
ticket that names no account is for none. Never decided here: which of it the policy asks for, or how it is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.account import Account
from vault.domain.ids import fold_email


class Check(StrEnum):
    """What may be asked of a ticket; that it exists is always asked."""

    OPEN = "open"
    CONCERNS = "concerns"
    """It names this account, or its customer."""
    ASSIGNED = "assigned"
    """It is assigned to whoever asks."""
    WINDOW = "window"
    """It has a window of time, and now lies within."""


class Outage(StrEnum):
    """What happens while the ticket system does not answer."""

    DENY = "deny"
    MARK = "mark"
    """Allowed, and marked as not looked at: on the request, in the log, for the approvers."""


@dataclass(frozen=True, slots=True)
class TicketRules:
    """What the policy asks of tickets; without any check nobody is asked, and the pattern alone counts."""

    checks: frozenset[Check] = frozenset()
    outage: Outage = Outage.DENY
    outage_of: Mapping[str, Outage] = field(default_factory=dict)
    """For a reason by its code, where it differs."""

    def while_away(self, reason: str) -> Outage:
        """Say what happens for a reason while the system does not answer."""
        return self.outage_of.get(reason, self.outage)


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a ticket system says of one ticket. Times are aware; e-mails are folded."""

    number: str
    is_open: bool
    accounts: frozenset[str] = frozenset()
    customers: frozenset[str] = frozenset()
    """DDI numbers."""
    assignees: frozenset[str] = frozenset()
    since: datetime | None = None
    until: datetime | None = None


CHECKED: Final = "checked"
UNCHECKED: Final = "unchecked"
"""Marks of a checkout: its ticket was looked at, or could not be and the policy lets that pass. Empty: not asked."""


def misfit(
    ticket: Ticket | None,
    rules: TicketRules,
    number: str,
    account: Account,
    ddi: str,
    email: str,
    now: datetime,
) -> str | None:
    """Say why a ticket is not for this account, person and moment, with the next step; None where it fits."""
    if ticket is None:
        return f"There is no ticket {number}. Give the number of the ticket this is for."
    if Check.OPEN in rules.checks and not ticket.is_open:
        return f"Ticket {number} is not open. Open it again, or give the one this is for."
    if Check.CONCERNS in rules.checks and account.id not in ticket.accounts and ddi not in ticket.customers:
        return (
            f"Ticket {number} names neither account {account.id} nor its customer. Have it corrected first."
        )
    if Check.ASSIGNED in rules.checks and fold_email(email) not in ticket.assignees:
        return f"Ticket {number} is not assigned to you. Have it assigned to you first."
    if Check.WINDOW in rules.checks:
        if ticket.since is None and ticket.until is None:
            return f"Ticket {number} names no window of time. Have one planned first."
        early = ticket.since is not None and now < ticket.since
        if early or (ticket.until is not None and now >= ticket.until):
            words = f"Now is outside the window of ticket {number} ({_window(ticket)})."
            return f"{words} Come back then, or have it moved."
    return None


def _window(ticket: Ticket) -> str:
    ends = (f"{end:%Y-%m-%dT%H:%M:%SZ}" if end else "open" for end in (ticket.since, ticket.until))
    return " to ".join(ends)
