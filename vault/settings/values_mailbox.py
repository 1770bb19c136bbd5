"""The settings of the root mailbox, as values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mailbox:
    """Mail to root addresses: where it is taken in, whose word on senders counts, how much is kept (C7)."""

    listen: str = ""
    domains: tuple[str, ...] = ()
    authserv_id: str = ""
    hops: int = 1
    ordinary_from: tuple[str, ...] = ()
    message_bytes: int = 10_485_760
    recipients: int = 20
    connections: int = 20
    timeout_seconds: int = 60
    kept: int = 5_000
    kept_of_address: int = 500
    per_hour: int = 600
    keep_days: int = 30
    queue: str = ""
    bucket: str = ""
    endpoint: str = ""
