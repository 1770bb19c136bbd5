"""Crypto-shredding: what is destroyed of an account's credential, and what a certificate says of it (H9).

Decided here: that only what was released is destroyed; how the destroyed versions and the keys that wrapped them are
listed; until when a backup from before could still be opened, and by whom. Never decided here: when it happens.

The list of versions is text, a line each, in the order of part and number: part, number and the hex SHA-256 of the
envelope without its wraps, apart by blanks. The list of wraps has a line for each key: how many there were, the
service's word and the key's name. The log tells the SHA-256 of both.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from vault.domain.account import CUSTODY, Custody
from vault.domain.credential import PartKind, Version, VersionLabel
from vault.domain.event import Change, stamp
from vault.domain.told import Told, told

EMPTIED: Final = b"\x00"
"""What stands in the place of a body and of wraps that were destroyed: one byte that no envelope begins with."""
OFFLINE: Final = "age"
"""The service's word in wraps for the recovery recipient."""
Key = tuple[str, str]
"""Service and name of a key, as wraps have them."""


class Ground(StrEnum):
    """Why a credential is destroyed."""

    ACKNOWLEDGED = "acknowledged"
    """The customer said that they hold the root."""
    GRACE = "grace"
    """The customer said nothing until the grace was over."""
    AGREED = "agreed"
    """Two people agreed to it."""


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The destruction of one account's credential. Times are aware and in UTC.

    `versions` and `wraps` are lists as described above, `mails` counts sealed mail that went with them; after
    `backups_until` no backup from before `at` is kept. `case_id` is empty where it was part of no case.
    """

    account_id: str
    at: datetime
    by: str
    by_name: str
    ground: Ground
    why: str
    case_id: str
    versions: str
    wraps: str
    mails: int
    backups_until: datetime

    @property
    def listed(self) -> tuple[tuple[PartKind, int, str], ...]:
        """Read the versions: part, number, hash."""
        lines = (line.split(" ") for line in self.versions.splitlines())
        return tuple((PartKind(part), int(number), sha256) for part, number, sha256 in lines)

    @property
    def keys(self) -> tuple[tuple[int, str, str], ...]:
        """Read the wraps: how many, service, key."""
        lines = (line.split(" ") for line in self.wraps.splitlines())
        return tuple((int(count), service, key) for count, service, key in lines)

    def openers(self, now: datetime) -> tuple[str, ...]:
        """Say who can still open a backup from before, a sentence each; nobody once the last such backup is gone."""
        if now >= self.backups_until:
            return ()
        services = {service for _, service, _ in self.keys}
        found = []
        if services - {OFFLINE}:
            found.append("Whoever has such a backup and may use one of the keys listed here.")
        if OFFLINE in services:
            found.append("Whoever has such a backup and three shares of the recovery identity.")
        return tuple(found)


def is_whole(version: Version) -> bool:
    """Say whether a row holds what its hash names; nothing at all, with no wrap, where it was destroyed."""
    if version.label is VersionLabel.DESTROYED:
        return version.body == version.wraps == EMPTIED
    return hashlib.sha256(version.body).hexdigest() == version.sha256


def list_versions(versions: Iterable[Version]) -> str:
    """Write the list of versions."""
    ordered = sorted(versions, key=lambda each: (each.kind, each.number))
    return "".join(f"{each.kind} {each.number} {each.sha256}\n" for each in ordered)


def list_wraps(keys: Iterable[Key]) -> str:
    """Write the list of wraps from the key of each."""
    counted = sorted(Counter(keys).items())
    return "".join(f"{count} {service} {key}\n" for (service, key), count in counted)


def digest(text: str) -> str:
    """Give the hex SHA-256 by which the log names a list."""
    return hashlib.sha256(text.encode()).hexdigest()


@told.register(Destroyed)
def _(thing: Destroyed) -> Told:
    return "destruction", thing.account_id, {
        "": f"{thing.ground} {stamp(thing.at)}",
        "by": thing.by,
        "case": thing.case_id,
        "versions": digest(thing.versions),
        "wraps": digest(thing.wraps),
        "mails": str(thing.mails or ""),
        "backups_until": stamp(thing.backups_until),
    }  # fmt: skip


def write(thing: Destroyed) -> dict[str, str]:
    """Give a destruction as texts by name, for what is kept of it outside the database."""
    return {
        "account_id": thing.account_id,
        "at": stamp(thing.at),
        "backups_until": stamp(thing.backups_until),
        "by": thing.by,
        "by_name": thing.by_name,
        "case_id": thing.case_id,
        "ground": thing.ground.value,
        "mails": str(thing.mails),
        "versions": thing.versions,
        "why": thing.why,
        "wraps": thing.wraps,
    }


def read(given: Mapping[str, str]) -> Destroyed:
    """Read what `write` gave; raise `KeyError` or `ValueError` for anything else."""
    return Destroyed(
        account_id=given["account_id"],
        at=datetime.fromisoformat(given["at"]),
        by=given["by"],
        by_name=given["by_name"],
        ground=Ground(given["ground"]),
        why=given["why"],
        case_id=given["case_id"],
        versions=given["versions"],
        wraps=given["wraps"],
        mails=int(given["mails"]),
        backups_until=datetime.fromisoformat(given["backups_until"]),
    )


def way_to_released(custody: Custody) -> tuple[Custody, ...] | None:
    """Give the shortest way by the table of custody to *released*, without its start; None where there is none.

    For an account that a backup holds in a state from before its release: the log knows these steps only.
    """
    ways: list[tuple[Custody, ...]] = [(custody,)]
    seen = {custody}
    for way in ways:
        if way[-1] is Custody.RELEASED:
            return way[1:]
        for after in _after(way[-1]):
            if after not in seen:
                seen.add(after)
                ways.append((*way, after))
    return None


def steps_of(account_id: str, custody: Custody, way: Iterable[Custody]) -> Iterator[Change]:
    """Tell custody's steps along a way."""
    for after in way:
        yield Change("account", account_id, custody.value, after.value)
        custody = after


def _after(custody: Custody) -> list[Custody]:
    return [after for (before, _), after in CUSTODY.transitions.items() if before is custody]
