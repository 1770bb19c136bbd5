"""Versions of the policy: each text that was adopted by the host or agreed to by two people, by number.

Decided here: which version is in force: the newest that began and was not ended. Agreeing to one ends those that
still wait out their hold, so a version never takes effect over a newer one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """One version. `digest` is the hex SHA-256 of `text` in UTF-8; times are aware and in UTC.

    `proposal_id` is None for one that was adopted on the host (`rootvault init`, the upgrade of an older vault, a
    restore). It counts from `effective_at` on; `ended_at` is set where it was withdrawn or overtaken before that.
    """

    number: int
    digest: str
    text: str
    effective_at: datetime
    proposal_id: str | None = None
    ended_at: datetime | None = None

    @property
    def way(self) -> str:
        """How it came to be a version: adopted, or agreed."""
        return "adopted" if self.proposal_id is None else "agreed"

    @property
    def is_whole(self) -> bool:
        """Whether the text is the one that the digest names."""
        return digest_of(self.text) == self.digest

    def counts(self, now: datetime) -> bool:
        """Say whether it has begun, and was not ended before."""
        return self.ended_at is None and self.effective_at <= now


@dataclass(frozen=True, slots=True)
class ToldVersion:
    """What the log tells of a version; `entry` is the index of the entry that tells it."""

    number: int
    digest: str
    effective_at: str
    entry: int


def digest_of(text: str) -> str:
    """Give the digest of a policy's text: what two people agree to, and what checkouts name."""
    return hashlib.sha256(text.encode()).hexdigest()


def in_force(versions: Iterable[PolicyVersion], now: datetime) -> PolicyVersion | None:
    """Give the version in force at `now`, None where none is yet."""
    return max((each for each in versions if each.counts(now)), key=lambda each: each.number, default=None)
