"""Which promotion is an account's latest: followed entry by entry to the account's last, never only looked up (S10).

A proof that an entry is in the tree says nothing of entries that came after it. Whoever owns the database could
hide the newest promotion from the search, by its row or by the columns that no hash covers, and the one before it
would be found and proven. So the account's own chain is followed from the promotion that was found to the account's
last entry: each names the hash of the one before, the last is proven to be in the signed tree, and none between
them promotes. One statement reads them, as the search alone would.

Decided here: what is remembered, so that each entry is followed once by a process: the last entry followed and the
promotion that was latest then. Only what others committed is remembered. What a process saw once cannot be hidden
from it again; an owner who hides all of an account's newest entries before a process first looks deceives that
process, and is found by the examination of the whole log.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias

from sqlalchemy import text

from audit.entry import JsonObject, decode
from audit.errors import RolledBack
from audit.merkle import leaf_hash
from vault.domain.event import EventType
from vault.ports.records import Promotion

if TYPE_CHECKING:
    from audit.log import Log
    from vault.adapters.db.stores.log import Marked
    from vault.domain.credential import PartKind

_FROM_THE_LATEST: Final = text(
    "SELECT seq, leaf FROM audit_entry WHERE account_id = :account AND seq >= (SELECT seq FROM audit_entry"
    " WHERE account_id = :account AND secret_kind = :kind AND event_type = :promoted ORDER BY seq DESC LIMIT 1)"
    " ORDER BY seq"
)
_FROM: Final = text(
    "SELECT seq, leaf FROM audit_entry WHERE account_id = :account AND seq >= :seq ORDER BY seq"
)


@dataclass(frozen=True, slots=True)
class Followed:
    """How far an account was followed: its last entry then, and the promotion that was latest."""

    seq: int
    count: int
    leaf_hash: str
    promotion: Promotion | None
    """None once the credential was destroyed."""


Memory: TypeAlias = MutableMapping[tuple[str, str], Followed]


def latest_promotion(
    storage: Marked, log: Log, memory: Memory, account_id: str, kind: PartKind
) -> Promotion | None:
    """Give the latest promotion of a part, None where there never was one, or its credential was destroyed after it.

    Raises `RolledBack` if an entry that has to be there is missing or another, and what
    `audit.log.Log.check_current` raises. Three statements.
    """
    known = memory.get((account_id, kind))
    values = {"account": account_id, "kind": kind.value, "promoted": EventType.SECRET_PROMOTED.value}
    statement = _FROM_THE_LATEST if known is None else _FROM
    rows = storage.connection.execute(
        statement, values if known is None else {"account": account_id, "seq": known.seq}
    )
    found = None
    for seq, leaf in rows:
        found = _next(account_id, kind, seq, bytes(leaf), found, known)
    if found is None:
        if known is not None:
            _refuse(known.seq, account_id)
        return None
    if leaf_hash(log.check_current(storage, found.seq)).hex() != found.leaf_hash:
        _refuse(found.seq, account_id)
    if storage.appended is None:
        memory[account_id, kind] = found
    return found.promotion


def _next(
    account_id: str, kind: PartKind, seq: int, leaf: bytes, before: Followed | None, known: Followed | None
) -> Followed:
    """Go one entry on; the first one is that which was known, or the promotion that was found."""
    here, members = leaf_hash(leaf).hex(), decode(leaf)
    account = members.get("account")
    if not isinstance(account, dict) or account.get("id") != account_id:
        _refuse(seq, account_id)
    count = account.get("seq")
    if not isinstance(count, int):
        _refuse(seq, account_id)
    promoted = _promoted(seq, members, kind)
    if before is None and known is not None:
        if (seq, here) != (known.seq, known.leaf_hash):
            _refuse(known.seq, account_id)
        return known
    if before is None:
        if promoted is None:
            _refuse(seq, account_id)
        return Followed(seq, count, here, promoted)
    if (count, account.get("prev")) != (before.count + 1, before.leaf_hash):
        _refuse(seq, account_id)
    if members.get("type") == EventType.CREDENTIAL_DESTROYED:
        return Followed(seq, count, here, None)
    return Followed(seq, count, here, promoted or before.promotion)


def _promoted(seq: int, members: JsonObject, kind: PartKind) -> Promotion | None:
    """Read a promotion of `kind`, None for any other entry."""
    secret = members.get("secret")
    if (
        members.get("type") != EventType.SECRET_PROMOTED
        or not isinstance(secret, dict)
        or secret.get("kind") != kind
    ):
        return None
    version, sha256 = secret.get("version"), secret.get("ciphertext_sha256")
    if not isinstance(version, int) or not isinstance(sha256, str):
        return None
    return Promotion(seq, version, sha256)


def _refuse(seq: int, account_id: str) -> NoReturn:
    words = (
        f"LOG REWRITTEN: the entries of account {account_id} do not follow one another around entry {seq}: one is"
        " hidden, missing or another than it was. Which version is current cannot be told"
    )
    raise RolledBack("log.projection", words)
