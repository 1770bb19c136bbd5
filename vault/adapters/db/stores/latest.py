"""Which promotion is an account's latest: followed entry by entry to the account's last, never only looked up (S10).

A proof that an entry is in the tree says nothing of entries that came after it. Whoever owns the database could
hide the newest promotion from the search, by its row or by the columns that no hash covers, and the one before it
would be found and proven. So the account's own chain is followed from the promotion that was found to the account's
last entry: each names the hash of the one before, the last is proven to be in the signed tree, and none between
them promotes. One statement reads them, the head that they are proven under, and the version that is labelled current.

Decided here: what is remembered, so that each entry is followed once by a process: the last entry followed and the
promotion that was latest then. Only what others committed is remembered. What a process saw once cannot be hidden
from it again; an owner who hides all of an account's newest entries before a process first looks deceives that
process, and is found by the examination of the whole log.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NoReturn, TypeAlias

from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, bindparam, column, literal, select
from sqlalchemy import table as named

from audit.entry import JsonObject, decode
from audit.errors import RolledBack
from audit.merkle import leaf_hash
from audit.storage import Head
from vault.adapters.db import mapping, tables
from vault.domain.credential import VersionLabel
from vault.domain.event import EventType
from vault.ports.records import Promotion

if TYPE_CHECKING:
    from audit.log import Log
    from vault.adapters.db.stores.log import Marked
    from vault.domain.credential import PartKind, Version

_head: Final = named("audit_head", column("origin"), column("size"), column("frontier"), column("note"))
_entry: Final = named("audit_entry", *map(column, ("seq", "leaf", "account_id", "secret_kind", "event_type")))
_earlier: Final = _entry.alias("earlier")
_version: Final = tables.version.c
_HEAD_COLUMNS: Final = len(_head.c)
_VERSION_AT: Final = _HEAD_COLUMNS + 2
_ACCOUNT: Final = bindparam("account", type_=Text)
_KIND: Final = bindparam("kind", type_=Text)


def _following(first: ColumnElement[int]) -> Select[Any]:
    """Read the head, the account's entries from `first` on, and the version labelled current."""
    its_own = and_(_entry.c.account_id == _ACCOUNT, _entry.c.seq >= first)
    its_version = and_(
        _version.account_id == bindparam("account"),
        _version.kind == bindparam("kind"),
        _version.label == VersionLabel.CURRENT,
    )
    rows = _head.outerjoin(_entry, its_own).outerjoin(tables.version, its_version)
    wanted = (*_head.c, _entry.c.seq, _entry.c.leaf, *mapping.version.columns)
    return select(*wanted).select_from(rows).order_by(_entry.c.seq)


FROM: Final = _following(bindparam("seq", type_=BigInteger))
FROM_THE_LATEST: Final = _following(
    select(_earlier.c.seq)
    .where(
        _earlier.c.account_id == _ACCOUNT,
        _earlier.c.secret_kind == _KIND,
        _earlier.c.event_type == literal(EventType.SECRET_PROMOTED.value, Text),
    )
    .order_by(_earlier.c.seq.desc())
    .limit(1)
    .scalar_subquery()
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
) -> tuple[Version | None, Promotion | None]:
    """Give the version labelled current, and the latest promotion of the part.

    None where there is no such version, where nothing ever was promoted, or its credential was destroyed after it.
    Raises `RolledBack` if an entry that has to be there is missing or another, and what
    `audit.log.Log.check_under` raises. Two statements.
    """
    known = memory.get((account_id, kind))
    values: dict[str, str | int] = {"account": account_id, "kind": kind}
    if known is None:
        rows = storage.connection.execute(FROM_THE_LATEST, values).all()
    else:
        rows = storage.connection.execute(FROM, values | {"seq": known.seq}).all()
    head = Head(*rows[0][:_HEAD_COLUMNS])
    storage.saw(head)
    version = mapping.version.value(rows[0], _VERSION_AT) if rows[0][_VERSION_AT] is not None else None
    found = None
    for row in rows:
        seq, leaf = row[_HEAD_COLUMNS:_VERSION_AT]
        if seq is not None:
            found = _next(account_id, kind, seq, bytes(leaf), found, known)
    if found is None:
        if known is not None:
            _refuse(known.seq, account_id)
        return version, None
    log.check_under(storage, head, found.seq, bytes.fromhex(found.leaf_hash))
    if storage.appended is None:
        memory[account_id, kind] = found
    return version, found.promotion


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
