"""The trail: the people's view of the log, over all accounts or for one (U4), and its proofs.

Decided here: who reads what. The whole log is for auditors; everyone else reads the entries of accounts
in their scope, and of accounts that moved out of it those of the time before (D1); a machine its own. What an auditor
reads of the log is an entry itself: one for each page of a list, with its filter, and one for each entry that is
opened. Proofs, hashes and checkpoints tell nothing of anybody and leave none.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.actor import ActorKind, Reach
from vault.domain.event import Event, EventType, stamp
from vault.domain.outlet import ANCHORS
from vault.domain.policy import Permission
from vault.errors import Invalid, not_found
from vault.ports.ranges import Pick, Stretch
from vault.services.asked import check_filter
from vault.services.exports import require_whole
from vault.services.viewed import is_auditor, record_view

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.domain.actor import Actor
    from vault.domain.outlet import Outlet, Published
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, EntryFilter, Page, Receipt, Slice, Unit, Units
    from vault.services.gate import Gate


@dataclass(frozen=True, slots=True)
class Placed:
    """One entry and its place: `size` is the log's, `published` the first checkpoint with it that left the house.

    `confirmed` are the places outside that have confirmed a checkpoint with the entry in it; the neighbours are
    indexes, those of the log only for who reads all of it.
    """

    entry: Entry
    proof: str
    size: int
    published: Published | None
    confirmed: tuple[Outlet, ...]
    account_before: int | None
    account_after: int | None
    before: int | None
    after: int | None


@dataclass(frozen=True, slots=True)
class Trail:
    """Use cases on the log."""

    units: Units
    gate: Gate
    clock: Clock

    def page(
        self, actor: Actor, wanted: EntryFilter, part: Slice, *, to_the_end: bool = False
    ) -> Page[Entry]:
        """List entries newest first: all for who may read the whole log, else those in scope.

        A search ends with its budget; with `to_the_end` it looks until the page is full or the log is through, so
        that a page without entries says that there are none.
        """
        check_filter(wanted)
        reach = self._reach(actor)
        if wanted.account_id is not None:
            self._require_account(actor, wanted.account_id, reach)
        if not self._reads_whole(actor):
            wanted = replace(wanted, of_accounts=True)
        if actor.kind is ActorKind.MACHINE:
            wanted = replace(wanted, actor_id=actor.id)
        with self.units.read() as unit:
            look = unit.log.page if to_the_end else unit.log.search
            found = look(wanted, reach, part)
        if reach.everything or is_auditor(self.gate.policy, actor):
            # after the reading, so that no search finds itself, and before anything is given out
            after = {} if part.cursor is None else {"after": part.cursor[:64]}
            self._viewed(actor, wanted.told() | after)
        return found

    def entry(self, actor: Actor, index: int) -> Entry:
        """Read one entry; one that is not in scope is as absent as one that does not exist (S21)."""
        found = self._find(actor, index)
        if is_auditor(self.gate.policy, actor):
            self._viewed(actor, {"entry": index})
        return found

    def placed(self, actor: Actor, index: int) -> Placed:
        """Read one entry with all that tells of its place: proof, neighbours, and who outside has confirmed it."""
        found = self.entry(actor, index)
        with self.units.read() as unit:
            proof = unit.log.proof(index)
            size = unit.ranges.size()
            published = unit.published.covering(index)
            known = unit.outlets.all()
            before, after = _of_the_same_account(unit, found, size)
        if proof is None:
            raise not_found("entry", str(index))
        whole = self._reads_whole(actor)
        return Placed(
            entry=found,
            proof=proof,
            size=size,
            published=published,
            confirmed=tuple(
                each for each in known if each.name.startswith(ANCHORS) and each.position > index
            ),
            account_before=before,
            account_after=after,
            before=index - 1 if whole and index > 0 else None,
            after=index + 1 if whole and index + 1 < size else None,
        )

    def receipt(self, actor: Actor, index: int) -> Receipt:
        """Give an entry's receipt anew, under the present checkpoint."""
        self._find(actor, index)
        with self.units.read() as unit:
            found = unit.log.receipt(index)
        if found is None:
            raise not_found("entry", str(index))
        return found

    def proof(self, actor: Actor, index: int) -> str:
        """Give an entry's proof as c2sp.org/tlog-proof text."""
        self._find(actor, index)
        with self.units.read() as unit:
            found = unit.log.proof(index)
        if found is None:
            raise not_found("entry", str(index))
        return found

    def checkpoint(self) -> str:
        """Give the latest checkpoint: a public value, for whoever wants to keep it."""
        with self.units.read() as unit:
            return unit.log.checkpoint()

    def consistency(self, old: int, new: int | None) -> tuple[int, int, tuple[bytes, ...]]:
        """Prove that the tree of `old` entries is a prefix of that of `new` (None: the present one)."""
        with self.units.read() as unit:
            size = int(unit.log.checkpoint().split("\n")[1])
            until = size if new is None else new
            hashes = unit.log.consistency(old, until) if 1 <= old <= until <= size else None
        if hashes is None:
            raise Invalid("input.invalid", f"Give sizes with 1 <= old <= new <= {size}.")
        return old, until, hashes

    def tile(self, path: str) -> bytes:
        """Give a tile of hashes by its path (C2SP tlog-tiles): hashes only, for any signed-in reader."""
        with self.units.read() as unit:
            found = unit.log.tile(path)
        if found is None:
            raise not_found("tile", path[:64])
        return found

    def entries_tile(self, actor: Actor, path: str) -> bytes:
        """Give a bundle of whole entries: for who may export all of the log; the view is recorded."""
        now = self.clock.now()
        event = Event(EventType.AUDIT_EXPORTED, actor, detail={"what": path[:64]})
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.LOG_EXPORT, now)
            require_whole(self.gate, unit, actor, event, now)
            found = unit.log.tile(path)
            if found is None:
                raise not_found("tile", path[:64])
            unit.log.record(event, now)
            unit.commit()
        return found

    def _find(self, actor: Actor, index: int) -> Entry:
        reach = self._reach(actor)
        with self.units.read() as unit:
            found = unit.log.entry(index)
        if found is None or not (self._reads_whole(actor) or self._in_scope(found, reach, actor)):
            raise not_found("entry", str(index))
        return found

    def _require_account(self, actor: Actor, number: str, reach: Reach) -> None:
        """Return for an account that can be asked about; others are not there, in scope or not (S21)."""
        whole = self._reads_whole(actor)
        with self.units.read() as unit:
            account = unit.accounts.get(number)
            if account is None:
                is_there = whole and bool(unit.ranges.last(Pick(account_id=number), 1))
            else:
                once = () if whole else unit.accounts.tenures(number)
                owners = (account.customer_id, *(each.customer_id for each in once))
                is_there = whole or any(reach.covers(owner, account.id) for owner in owners)
        if not is_there:
            raise not_found("account", number)

    def _reads_whole(self, actor: Actor) -> bool:
        """Say whether the actor reads all of the log; all accounts in scope are not yet that."""
        return self.gate.policy.reach(actor, Permission.LOG_READ).everything

    def _reach(self, actor: Actor) -> Reach:
        if self._reads_whole(actor):
            return Reach(everything=True)
        return self.gate.policy.reach(actor, Permission.TRAIL_READ)

    def _in_scope(self, entry: Entry, reach: Reach, actor: Actor) -> bool:
        account = entry.content.get("account")
        number = account.get("id") if isinstance(account, dict) else None
        if not isinstance(number, str):
            return False
        if actor.kind is ActorKind.MACHINE:
            who = entry.content.get("actor")
            return isinstance(who, dict) and who.get("id") == actor.id
        with self.units.read() as unit:
            found = unit.accounts.get(number)
            if found is None or reach.covers(found.customer_id, found.id):
                return found is not None
            theirs = tuple(each for each in unit.accounts.tenures(number) if reach.covers(each.customer_id))
        told = str(entry.content.get("time"))
        return any(stamp(each.since) <= told <= stamp(each.until) for each in theirs)

    def _viewed(self, actor: Actor, detail: Mapping[str, str | int]) -> None:
        record_view(self.units, actor, detail, self.clock.now())


def _of_the_same_account(unit: Unit, entry: Entry, size: int) -> tuple[int | None, int | None]:
    """Give the entries before and after in the chain of the entry's account."""
    account = entry.content.get("account")
    number = account.get("id") if isinstance(account, dict) else None
    if not isinstance(number, str):
        return None, None
    mine = Pick(account_id=number)
    before = unit.ranges.last(mine, 1, below=entry.index)
    after = unit.ranges.pick(Stretch(entry.index + 1, size), mine, 1)
    return before[0].index if before else None, after[0].index if after else None
