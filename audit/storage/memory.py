"""A log in memory: for tests, demonstrations and reading; it forgets with the process."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from audit.errors import LogRefused
from audit.merkle import HASH_SIZE, Coordinate
from audit.storage import EMPTY, Filter, Head, Storage, Stored, Tail


class MemoryStorage(Storage):
    """Keeps leaves, nodes and head in lists; one process, one thread at a time."""

    def __init__(self) -> None:
        self._leaves: list[bytes] = []
        self._nodes: list[bytes] = []
        self._members: list[dict[str, object]] = []
        self._tails: dict[str, Tail] = {}
        self._head = EMPTY

    def lock(self, account: str | None) -> tuple[Head, Tail | None]:
        """Return the head and the account's last entry."""
        return self._head, None if account is None else self._tails.get(account)

    def add(self, leaf: bytes, nodes: bytes, head: Head) -> None:
        """Store an entry and the new head."""
        if head.size != len(self._leaves) + 1:
            raise LogRefused("log.order", f"entry {head.size - 1} cannot follow {len(self._leaves)} entries")
        members = json.loads(leaf)
        self._leaves.append(leaf)
        self._nodes.append(nodes)
        self._members.append(members)
        self._head = head
        if "account" in members:
            account = members["account"]
            self._tails[account["id"]] = Tail(account["seq"], nodes[:HASH_SIZE])

    def head(self) -> Head:
        """Return the head."""
        return self._head

    def head_and_leaf(self, seq: int) -> tuple[Head, bytes | None]:
        """Return the head and one leaf."""
        return self._head, self._leaves[seq] if 0 <= seq < len(self._leaves) else None

    def nodes(self, coordinates: Sequence[Coordinate]) -> list[bytes]:
        """Return stored hashes."""
        found = []
        for coordinate in coordinates:
            seq, at = coordinate.completed_by, HASH_SIZE * coordinate.level
            if seq >= len(self._nodes):
                raise LogRefused("log.missing", f"entry {seq} is not stored")
            found.append(self._nodes[seq][at : at + HASH_SIZE])
        return found

    def leaves(self, start: int, stop: int) -> Iterator[Stored]:
        """Return stored entries in order."""
        for seq in range(start, min(stop, len(self._leaves))):
            yield Stored(seq, self._leaves[seq])

    def mistaken(self, start: int, stop: int) -> list[int]:
        """Return the indexes of entries whose parsed members are not their leaf's."""
        return [
            stored.seq
            for stored in self.leaves(start, stop)
            if json.loads(stored.leaf) != self._members[stored.seq]
        ]

    def latest(self, account_id: str, secret_kind: str, types: Sequence[str]) -> Stored | None:
        """Return the newest entry about a secret."""
        for seq in range(len(self._leaves) - 1, -1, -1):
            members = self._members[seq]
            if (
                _at(members, "account", "id") == account_id
                and _at(members, "secret", "kind") == secret_kind
                and members["type"] in types
            ):
                return Stored(seq, self._leaves[seq])
        return None

    def page(self, chosen: Filter, before_seq: int | None, limit: int) -> list[Stored]:
        """Return the newest entries of a filter."""
        end = len(self._leaves) if before_seq is None else min(before_seq, len(self._leaves))
        found = (
            Stored(seq, self._leaves[seq])
            for seq in range(end - 1, -1, -1)
            if _is_chosen(self._members[seq], chosen)
        )
        return [stored for stored, _ in zip(found, range(limit), strict=False)]


def _at(members: dict[str, object], name: str, inner: str) -> object:
    value = members.get(name)
    return value.get(inner) if isinstance(value, dict) else None


def _is_chosen(members: dict[str, object], chosen: Filter) -> bool:
    wanted = (
        (chosen.account_id, _at(members, "account", "id")),
        (chosen.actor_id, _at(members, "actor", "id")),
        (chosen.event_type, members["type"]),
        (chosen.outcome, members["outcome"]),
        (chosen.checkout_id, members.get("checkout")),
    )
    time = str(members["time"])
    return (
        all(want is None or want == found for want, found in wanted)
        and (chosen.since is None or time >= chosen.since)
        and (chosen.until is None or time < chosen.until)
    )
