"""What the entries of a log say, held against their places and against each other; and what can be told of all.

Decided here: each entry is canonical, complete, of this log, in its place, and the next of its account. Kept in
memory: one line an account. Never done here: the tree, and what older checkpoints say, which are `audit.verify`
and `audit.older`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final, TypeAlias

from audit.batch import read_leaves
from audit.entry import JsonObject, JsonValue, check_members, decode
from audit.errors import EntryRefused
from audit.log import OPENED
from audit.report import AccountFacts, Facts, Findings, Rotation

KEY_ROTATED: Final = "log.key.rotated"
MOST_ROTATIONS: Final = 1_000
_NAME_LONGEST: Final = 64
_VKEY_LONGEST: Final = 500
_Place: TypeAlias = tuple[int, str | None]
_NONE_YET: Final[_Place] = (0, None)


class Contents:
    """Reads entries one after the other, a tile at a time; from the log's first, or from some entry on (`first`)."""

    def __init__(self, origin: str, findings: Findings, account: str | None = None, first: int = 0) -> None:
        self._origin = origin
        self._findings = findings
        self._account = account
        self._asked = None if account is None else _short(account)
        self._account_entries = 0
        self._is_unbroken = True
        self._tails: dict[str, _Place] = {}  # what is due: number, hash of the one before
        self._heads: dict[
            str, tuple[int, _Place]
        ] = {}  # the first of each account, where what was due is not known
        self._start = None if first else _NONE_YET
        self._began: str | None = None
        self._ended: str | None = None
        self._rotations: list[Rotation] = []

    def read(self, leaves: Mapping[int, bytes], hashes: Sequence[bytes]) -> None:
        """Read some entries, by index and in order, given their leaf hashes."""
        indexes, every = list(leaves), list(leaves.values())
        if indexes[-1] - indexes[0] == len(indexes) - 1:
            read = read_leaves(every, self._origin, indexes[0])
            if read is not None and self._is_opened_once(indexes[0], read):
                self._take(indexes, read, hashes)
                return
        for index, leaf, leaf_hash in zip(indexes, every, hashes, strict=True):
            members = self._read_one(index, leaf)
            if members is not None:
                self._take([index], [members], [leaf_hash])

    def join(self, later: Contents) -> None:
        """Put what was read elsewhere behind what was read here; the first of each account is held to what is due."""
        for name, (index, place) in later._heads.items():
            due = self._tails.get(name, _NONE_YET)
            if place != due:
                self._other(index, name, place, due)
        self._tails |= later._tails
        self._account_entries += later._account_entries
        self._is_unbroken &= later._is_unbroken
        self._rotations = [*self._rotations, *later._rotations][:MOST_ROTATIONS]
        self._began = min(filter(None, (self._began, later._began)), default=None)
        self._ended = max(filter(None, (self._ended, later._ended)), default=None)

    def facts(self) -> Facts:
        """Return what can be told of the whole, as far as it was read."""
        asked = None
        if self._account is not None:
            asked = AccountFacts(self._account, self._account_entries, self._is_unbroken)
        return Facts(self._began, self._ended, len(self._tails), tuple(self._rotations), asked)

    def _is_opened_once(self, first: int, read: Sequence[JsonObject]) -> bool:
        types = [members["type"] for members in read]
        return types.count(OPENED) == (first == 0) and (first != 0 or types[0] == OPENED)

    def _read_one(self, index: int, leaf: bytes) -> JsonObject | None:
        """Examine one entry by itself and say what is wrong; return its members unless they cannot be read."""
        try:
            members = decode(leaf)
            check_members(members)
        except EntryRefused as error:
            self._findings.add(error.code, index, f"entry {index}: {error.words}")
            return None
        if members["seq"] != index:
            words = f"the entry at {index} says that it is another: entries were exchanged or removed"
            self._findings.add("entry.place", index, words)
        if members["log"] != self._origin:
            self._findings.add("entry.log", index, f"entry {index} belongs to another log")
        if (members["type"] == OPENED) != (index == 0):
            self._findings.add(
                "entry.opened", index, f"{OPENED} is the first entry of a log, and only the first"
            )
        return members

    def _take(self, indexes: Sequence[int], read: Sequence[JsonObject], hashes: Sequence[bytes]) -> None:
        """Take entries that are right by themselves: hold each against the one before of its account."""
        tails = self._tails
        for index, members, leaf_hash in zip(indexes, read, hashes, strict=True):
            account: Any = members.get("account")  # its form was checked
            if account is None:
                continue
            name, seq, prev = account["id"], account["seq"], account.get("prev")
            if len(name) > _NAME_LONGEST:
                name = _short(name)
            if name == self._asked:
                self._account_entries += 1
            due = tails.get(name, self._start)
            if (seq, prev) != due:
                self._other(index, name, (seq, prev), due)
            tails[name] = seq + 1, leaf_hash.hex()
        times = [str(members["time"]) for members in read]
        self._began = min(*times, self._began or times[0])
        self._ended = max(*times, self._ended or times[0])
        if KEY_ROTATED in [members["type"] for members in read]:
            for index, members in zip(indexes, read, strict=True):
                self._rotated(index, members)

    def _other(self, index: int, name: str, place: _Place, due: _Place | None) -> None:
        """Say how an entry does not follow the one before it in its account, if that is known."""
        if due is None:
            self._heads[name] = index, place
            return
        if name == self._asked:
            self._is_unbroken = False
        if place[0] != due[0]:
            words = f"entry {index} is number {place[0]} of its account, but number {due[0]} is due"
            self._findings.add("account.gap", index, words)
            return
        words = f"the entry before entry {index} in its account is not the one that it followed"
        self._findings.add("account.prev", index, words)

    def _rotated(self, index: int, members: Mapping[str, JsonValue]) -> None:
        """Note that the log's key was changed."""
        detail = members.get("detail")
        vkey = detail.get("vkey") if isinstance(detail, Mapping) else None
        if members["type"] == KEY_ROTATED and len(self._rotations) < MOST_ROTATIONS:
            self._rotations.append(Rotation(index, vkey[:_VKEY_LONGEST] if isinstance(vkey, str) else ""))


def _short(name: str) -> str:
    """Return a name, or for a long one, which only a hostile log has, its hash: memory is kept for each."""
    return name if len(name) <= _NAME_LONGEST else sha256(name.encode()).hexdigest()
