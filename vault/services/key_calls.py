"""The calls of a key service that the log's entries tell of (S26), as they are looked for in AWS's records.

Decided here: which types of entries tell of calls. A test holds every entry of a whole story against the list,
because a call of a type that is not in it would look like one that nobody logged.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from vault.domain.event import EventType
from vault.ports.cloud import LoggedCall

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.ports.store import Entry

CALLING: Final = (
    EventType.REVEAL_RELEASED,
    EventType.REVEAL_FAILED,
    EventType.ROTATION_PLANNED,
    EventType.CREDENTIAL_TAKEN_IN,
    EventType.KEYS_REWRAPPED,
    EventType.DRILL_OPENED,
    EventType.MAIL_SEALED,
    EventType.MAIL_UNASKED,
    EventType.MAIL_UNMATCHED,
    EventType.MAIL_OPENED,
    EventType.MAIL_FAILED,
    EventType.MAIL_ASSIGNED,
)
"""The types of entries that tell of calls of a key service."""
_AWS: Final = "arn:"


def calls_in(entry: Entry) -> Iterator[LoggedCall]:
    """Give the calls of AWS's key service that an entry tells of."""
    content = entry.content
    told, account, checkout = content.get("kms"), content.get("account"), content.get("checkout")
    number = account.get("id") if isinstance(account, dict) else None
    for place, words in enumerate(told if isinstance(told, list) else []):
        if not isinstance(words, dict) or not str(words.get("key", "")).startswith(_AWS):
            continue
        yield LoggedCall(
            entry=entry.index,
            place=place,
            request_id=str(words.get("request_id", "")),
            key=str(words["key"]),
            operation=str(words.get("operation", "")),
            purpose=str(words.get("purpose", "")),
            outcome=str(words.get("outcome", "")),
            account_id=number if isinstance(number, str) else None,
            checkout_id=checkout if isinstance(checkout, str) else None,
            made_at=time_of(entry),
        )


def time_of(entry: Entry) -> datetime:
    """Give the time that an entry tells."""
    return datetime.fromisoformat(str(entry.content["time"]))
