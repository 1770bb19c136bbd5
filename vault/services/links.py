"""Enrolment links: 256 random bits, shown once, kept hashed, good for a set time."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vault.crypto import chance

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.secret import Secret


@dataclass(frozen=True, slots=True, eq=False)
class Link:
    """A fresh enrolment link's token, what is kept of it, and until when it is good."""

    token: Secret[str]
    hash: str
    until: datetime


def new_link(now: datetime, lasts: timedelta) -> Link:
    """Make a link's token."""
    token = chance.token_text()
    return Link(token, link_hash(token), now + lasts)


def link_hash(link: Secret[str]) -> str:
    """Give what is kept of a link's token: 256 random bits need no slow hash."""
    return hashlib.sha256(link.expose().encode("utf-8", "replace")).hexdigest()
