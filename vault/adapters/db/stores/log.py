"""The log as use cases see it: `audit`'s own log over the unit's connection, with the mark held beside it.

Decided here: how an event becomes an entry's draft, when an Idempotency-Key is claimed, and that nothing is
appended to, or believed of, a log that is behind the mark kept outside the database. The mark is looked at
after the head's lock was taken: no other writer can move it then, so a mark ahead of the head is always a
database that was put back, never a race. Were it looked at only before a disclosure, a rolled back log could
grow past its mark by harmless entries and be believed again.

Never done here: canonical bytes, hashes, signatures (`audit` does those), or a commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import select

from audit.entry import Draft, JsonValue
from audit.errors import AuditError, LogRefused, ProofRefused, RolledBack, TileRefused
from audit.merkle import LARGEST_SIZE
from audit.note import split
from audit.storage import Head, Tail
from audit.storage.sql import SqlStorage
from vault.adapters.db import tables
from vault.adapters.db.errors import CONFLICTS, rolled_back
from vault.adapters.db.paging import decode_cursor, encode_cursor, limited, page
from vault.adapters.db.statements import Statements
from vault.adapters.db.stores.latest import Memory, latest_promotion
from vault.adapters.db.stores.onboarding import TELLS, note
from vault.adapters.db.stores.search import Search
from vault.adapters.db.stores.trail import entry_of
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import new_id
from vault.errors import Conflict
from vault.ports.records import Entry, EntryFilter, Page, Promotion, Receipt, Repeat, Slice

if TYPE_CHECKING:
    from audit.log import Log
    from audit.log import Receipt as Appended
    from audit.mark import MarkFile
    from vault.domain.actor import Actor, Reach
    from vault.domain.credential import PartKind, Version

Json: TypeAlias = "dict[str, JsonValue]"

_POLICY_ALWAYS: Final = frozenset({EventType.POLICY_LOADED, EventType.ACCESS_DENIED})
_claimed = tables.idempotency.c


@dataclass(frozen=True, slots=True)
class Facts:
    """What every entry tells beside its event: which program, on which host, under which policy."""

    app: Mapping[str, str]
    policy_hash: Callable[[], str]


class Marked(SqlStorage):
    """The log's storage in this unit; remembers the head it saw, and holds it against the mark at each lock."""

    def __init__(self, db: Statements, log: Log, mark: MarkFile | None) -> None:
        super().__init__(db.connection)
        self.connection = db.connection
        self.appended: str | None = None
        self._log = log
        self._mark = mark
        self._seen: Head | None = None
        self._locked = False
        self._noted: str | None = None

    def lock(self, account: str | None) -> tuple[Head, Tail | None]:
        """Lock the head; the first time in a unit, hold it against the mark."""
        self._seen, tail = super().lock(account)
        if not self._locked:
            self.check_keys()
            self.read_mark()
            self.check_mark()
            self._locked = True
        return self._seen, tail

    def check_keys(self) -> None:
        """Raise `LogRefused` if another key signs the head by now, so that an append would be refused."""
        _check_keys(self.head(), self._log)

    def add(self, leaf: bytes, nodes: bytes, head: Head) -> None:
        """Insert the entry and move the head."""
        super().add(leaf, nodes, head)
        self._seen, self.appended = head, head.note

    def saw(self, head: Head) -> None:
        """Take a head that was read with something else, so that what was read is judged by it."""
        self._seen = head

    def head_and_leaf(self, seq: int) -> tuple[Head, bytes | None]:
        """Return the head and one leaf, as of one moment."""
        self._seen, leaf = super().head_and_leaf(seq)
        return self._seen, leaf

    def head(self) -> Head:
        """Return the head that this unit saw last, so that several looks agree."""
        if self._seen is None:
            self._seen = super().head()
        return self._seen

    def read_mark(self) -> None:
        """Read the mark, for `check_mark`: before the head is read, or after it was locked, never between.

        Between an unlocked look at the head and a later one at the mark, others may commit and move the mark:
        a log that only grew would look rolled back.
        """
        self._noted = None if self._mark is None else self._mark.read()

    def check_mark(self) -> None:
        """Raise `RolledBack` if the head is behind the mark that was read, or beside it.

        The same note on both sides needs no more looking: whoever uses the head proves its signature.
        """
        if self._mark is None:
            return
        head, note = self.head(), self._noted
        if note is None:
            if head.size > 1:  # the very first entry may be committed and not yet marked
                raise RolledBack(
                    "mark.missing",
                    f"The log has {head.size} entries and its mark is missing: restore the mark, or confirm the log",
                )
        elif note != head.note:
            self._mark.check_note(note, self, *self._log.verifiers)


def _check_keys(head: Head, log: Log) -> None:
    """Refuse a head whose newest line, which is the last, is by a key that we were not given.

    Else a process that still runs with the old key alone would go on signing by it, and end the overlap unseen.
    """
    if head.note.count("\n— ") <= 1:
        return
    newest = [each for each in split(head.note)[1] if each.name == log.origin][-1:]
    if any(each.key_id not in {verifier.key_id for verifier in log.verifiers} for each in newest):
        words = (
            f"another key signs this log by now (key id {newest[0].key_id.hex()}): set log.key_file to it and"
            " log.previous_key_file to the one before, then start again"
        )
        raise LogRefused("log.keys", words)


@dataclass(frozen=True, slots=True)
class LogEntries:
    """Implements `LogStore`."""

    db: Statements
    log: Log
    facts: Facts
    storage: Marked
    followed: Memory = field(default_factory=dict)
    claimed: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def record(self, event: Event, now: datetime) -> Receipt:
        """Append an entry; with an Idempotency-Key, a success claims the key in the same transaction."""
        with self.db.guarded():
            appended = self.log.append(self.storage, draft_of(event, now, self.facts))
        if any(change.entity in TELLS for change in event.changes):
            note(self.db, event, now)
        if event.actor.origin.idempotency is not None and event.result is Result.SUCCESS:
            self._claim(event, appended, now)
        return _receipt(appended)

    def promotion(self, account_id: str, kind: PartKind) -> Promotion | None:
        """Give the latest promotion of a part, proven against the signed head and the mark (S10)."""
        return self.current(account_id, kind)[1]

    def current(self, account_id: str, kind: PartKind) -> tuple[Version | None, Promotion | None]:
        """Give the version labelled current, and the latest promotion, proven against the signed head and the mark.

        Two statements, and a third while the mark is behind the head. The entries' own words count, not
        the columns they were found by.
        """
        with self.db.guarded():
            try:
                self.storage.read_mark()
                version, found = latest_promotion(self.storage, self.log, self.followed, account_id, kind)
                if found is not None:
                    self.storage.check_mark()
            except AuditError as error:
                raise rolled_back(error) from None
        return version, found

    def page(self, wanted: EntryFilter, reach: Reach, part: Slice) -> Page[Entry]:
        """List entries newest first, however far it has to look; with a limited `reach`, those of its accounts."""
        return self._page(wanted, reach, part, whole=True)

    def search(self, wanted: EntryFilter, reach: Reach, part: Slice) -> Page[Entry]:
        """As `page`, within a budget: where that ends it, the page tells how far it looked, and goes on there."""
        return self._page(wanted, reach, part, whole=False)

    def _page(self, wanted: EntryFilter, reach: Reach, part: Slice, *, whole: bool) -> Page[Entry]:
        after = decode_cursor(part.cursor, int)
        below = None if after is None else int(after[0])
        found: list[Entry] = []
        while True:
            more, reached = Search(self.db, wanted, reach, limited(part.limit) - len(found)).below(below)
            found += more
            if reached is None:
                return page(found, part.limit, lambda entry: (entry.index,))
            if not whole:
                return Page(tuple(found), encode_cursor((reached,)), reached)
            below = reached

    def entry(self, index: int) -> Entry | None:
        """Find one by index."""
        if not 0 <= index < LARGEST_SIZE:
            return None
        with self.db.guarded():
            leaf = self.storage.entry(index)
        return None if leaf is None else entry_of(index, leaf)

    def proven(self, index: int) -> Entry | None:
        """Find one by index, proven to be in the tree that our signature on the head covers."""
        if not 0 <= index < LARGEST_SIZE:
            return None
        with self.db.guarded():
            try:
                leaf = self.log.check_current(self.storage, index)
            except AuditError as error:
                raise rolled_back(error) from None
        return entry_of(index, leaf)

    def checkpoint(self) -> str:
        """Give the latest signed note."""
        with self.db.guarded():
            return self.log.checkpoint(self.storage)

    def tile(self, path: str) -> bytes | None:
        """Give a tile or an entry bundle by its path (C2SP tlog-tiles), None where there is none."""
        with self.db.guarded():
            try:
                return self.log.tile(self.storage, path)
            except TileRefused:
                return None

    def proof(self, index: int) -> str | None:
        """Give an entry's receipt as c2sp.org/tlog-proof text."""
        with self.db.guarded():
            try:
                return self.log.tlog_proof(self.storage, index)
            except ProofRefused:
                return None

    def consistency(self, old: int, new: int) -> tuple[bytes, ...] | None:
        """Give the proof that the tree of `old` entries is a prefix of that of `new`."""
        with self.db.guarded():
            try:
                return tuple(self.log.prove_consistency(self.storage, old, new))
            except ProofRefused:
                return None

    def receipt(self, index: int) -> Receipt | None:
        """Give an entry's receipt anew, under the present checkpoint."""
        found = self.entry(index)
        return None if found is None else Receipt(index, found.leaf_hash, self.checkpoint())

    def repeated(self, actor_id: str, key: str) -> Repeat | None:
        """Find what an Idempotency-Key was used for."""
        row = self.db.one(
            select(_claimed.body_mac, _claimed.subject, _claimed.entry_index).where(
                _claimed.actor_id == actor_id, _claimed.key == key
            )
        )
        return None if row is None else Repeat(row[0], row[1], row[2])

    def _claim(self, event: Event, appended: Appended, now: datetime) -> None:
        """Claim the request's key once: a request may record several entries, even in several units.

        The first entry with a subject says what a repeat is answered with. A key that another request
        claimed meanwhile ends this one (`Conflict` concurrent.change).
        """
        actor, given = event.actor, event.actor.origin.idempotency
        if given is None:
            return
        place = (actor.id, given.key)
        if place in self.claimed and (self.claimed[place] is not None or event.subject is None):
            return
        row = {
            "actor_id": actor.id,
            "key": given.key,
            "body_mac": given.body_mac,
            "subject": event.subject,
            "entry_index": appended.index,
            "request_id": actor.origin.request_id,
            "created_at": now,
        }
        mine = self.db.insert(tables.idempotency).values(row)
        mine = mine.on_conflict_do_update(
            index_elements=["actor_id", "key"],
            set_={"subject": event.subject, "entry_index": appended.index},
            where=(_claimed.request_id == actor.origin.request_id) & _claimed.subject.is_(None),
        )
        if self.db.all(mine.returning(_claimed.subject)):
            self.claimed[place] = event.subject
            return
        owner = self.db.one(
            select(_claimed.request_id, _claimed.subject).where(
                _claimed.actor_id == actor.id, _claimed.key == given.key
            )
        )
        if owner is None or owner.request_id != actor.origin.request_id:
            self.db.end()
            code, detail = CONFLICTS["idempotency_pkey"]
            raise Conflict(code, detail)
        self.claimed[place] = owner.subject


def draft_of(event: Event, now: datetime, facts: Facts) -> Draft:
    """Make an event into an entry's draft; nothing is added that the event does not say."""
    return Draft(
        id=new_id(),
        time=now,
        type=event.type,
        outcome=event.result,
        actor=_actor(event.actor),
        account=event.account_id,
        checkout=event.checkout_id,
        reason=None
        if event.stated is None
        else {"code": event.stated.code, "text": event.stated.text, "ticket": event.stated.ticket},
        approval=None if event.approval is None else dict(event.approval),
        secret=_secret(event),
        policy=_policy(event, facts),
        req=event.actor.origin.request_id,
        app=dict(facts.app),
        detail=dict(event.detail),
        changes=[
            {"entity": change.entity, "id": change.id, "from": change.was, "to": change.now}
            for change in event.changes
        ],
        kms=[dict(call) for call in event.kms],
    )


def _actor(actor: Actor) -> Json:
    told: Json = {
        "id": actor.id,
        "kind": actor.kind,
        "name": actor.name,
        "role": ",".join(actor.roles) or actor.kind,
        "mfa": actor.origin.mfa,
    }
    where = {"ip": actor.origin.ip, "session": actor.origin.session}
    return told | {name: value for name, value in where.items() if value}


def _secret(event: Event) -> Json | None:
    secret = event.secret
    if secret is None:
        return None
    return {
        "id": f"{secret.account_id}/{secret.kind}",
        "kind": secret.kind,
        "version": secret.version,
        "ciphertext_sha256": secret.sha256,
    }


def _policy(event: Event, facts: Facts) -> Json | None:
    if event.rule is None and event.type not in _POLICY_ALWAYS:
        return None
    told: Json = {
        "id": facts.policy_hash(),
        "decision": "deny" if event.result is Result.DENIED else "permit",
    }
    return told if event.rule is None else told | {"rule": event.rule}


def _receipt(appended: Appended) -> Receipt:
    return Receipt(appended.index, appended.leaf_hash.hex(), appended.checkpoint)
