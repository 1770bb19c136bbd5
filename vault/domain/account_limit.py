"""How many new AWS accounts a customer may have: five, unless a limit increase was recorded (A4).

Decided here: which accounts count. One that was made at AWS for the customer is new; one that was transferred to us is
not, and never counts. One that is not with us any more counts no longer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from vault.domain.account import Custody
from vault.domain.event import stamp
from vault.domain.told import Told, told

NEW_ACCOUNTS: Final = 5
"""How many new accounts a customer may have where nothing was recorded."""
MOST: Final = 10_000
GONE: Final = frozenset({Custody.RELEASED, Custody.CLOSED, Custody.DEAD})
"""Custodies under which an account counts no longer."""


@dataclass(frozen=True, slots=True)
class AccountLimit:
    """A limit increase: how many new accounts a customer may have, on which ticket, and who recorded it."""

    customer_id: str
    most: int
    ticket: str
    set_by: str
    set_name: str
    set_at: datetime


@told.register(AccountLimit)
def _(thing: AccountLimit) -> Told:
    return "account_limit", thing.customer_id, {
        "": str(thing.most),
        "ticket": thing.ticket,
        "set": f"{thing.set_by} {stamp(thing.set_at)}",
    }  # fmt: skip
