"""Addresses of root users: how ours are made, and who bore which from when to when (C4, C5, L3).

Decided here: what a pattern of addresses is, and how one is filled. AWS never takes the root e-mail of one account for
another, not even after it was closed (L3); so an address that was ever borne, or is kept for an account, is that
account's for ever. Never decided here: chance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.ids import is_email

CHANCE: Final = "abcdefghijkmnpqrstuvwxyz23456789"
"""What the random part is drawn from: nothing that is taken for something else when it is read aloud."""
CHANCE_LENGTH: Final = 10
"""50 bits: nobody guesses the address that an account will have, and so few thousands never meet."""
LOCAL_MAX: Final = 64
"""Longest part before the @ (RFC 5321 section 4.5.3.1.1)."""
_PLACE: Final = re.compile(r"\{([^{}]*)\}")
_PLACES: Final = frozenset({"account", "random"})


class BadPattern(ValueError):
    """A pattern of addresses that cannot be meant; the words say why."""


@dataclass(frozen=True, slots=True)
class AddressPattern:
    """How root addresses of ours are made, such as ``aws+{account}-{random}@roots.example.com``.

    `{account}` stands for the account's number, `{random}` for letters and digits drawn anew each time; the latter has
    to be there, before the @.
    """

    text: str

    def __post_init__(self) -> None:
        """Refuse what makes no address, or one that can be guessed."""
        places = _PLACE.findall(self.text)
        if not set(places) <= _PLACES:
            raise BadPattern("holds something in braces that is neither {account} nor {random}")
        if "random" not in places or "{random}" not in self.text.partition("@")[0]:
            raise BadPattern("needs {random} before the @, so that nobody guesses an account's address")
        made = self.fill("0" * 12, "x" * CHANCE_LENGTH)
        if not is_email(made) or len(made.partition("@")[0]) > LOCAL_MAX:
            raise BadPattern("makes no e-mail address; write aws+{account}-{random}@roots.example.com")

    def fill(self, account_id: str, chance: str) -> str:
        """Give the address of an account, with what was drawn for it."""
        return self.text.replace("{account}", account_id).replace("{random}", chance)


class EmailUse(StrEnum):
    """How an address and an account belong together."""

    RESERVED = "reserved"
    """Kept for the account, which does not bear it at AWS yet."""
    BORNE = "borne"
    """The root e-mail of the account, while it lasts."""
    EARLIER = "earlier"
    """Borne before times were kept: when, the log alone tells."""


@dataclass(frozen=True, slots=True)
class RootAddress:
    """One stretch of time in which an address was an account's, as the log tells it.

    `since` and `until` are None where they are not known, or while it lasts; `said_by` and `ended_by` are ids of who
    said so, empty where nobody is known. `number` counts the stretches of one address, from 1.
    """

    folded: str
    number: int
    account_id: str
    address: str
    use: EmailUse
    since: datetime | None
    said_by: str = ""
    said_name: str = ""
    until: datetime | None = None
    ended_by: str = ""

    @property
    def lasts(self) -> bool:
        """Say whether it is so now."""
        return self.until is None and self.use is not EmailUse.EARLIER
