"""The trail: the people's view of the log, over all accounts or for one (U4), and its proofs.

Decided here: who reads what. The whole log is for auditors; everyone else reads the entries of accounts
in their scope, a machine its own. Reading the whole log is an entry itself, once for each list read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vault.domain.actor import ActorKind, Reach
from vault.domain.event import Event, EventType
from vault.domain.policy import Permission
from vault.errors import Invalid, not_found
from vault.services.exports import require_whole

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, EntryFilter, Page, Receipt, Slice, Units
    from vault.services.gate import Gate


@dataclass(frozen=True, slots=True)
class Trail:
    """Use cases on the log."""

    units: Units
    gate: Gate
    clock: Clock

    def page(self, actor: Actor, wanted: EntryFilter, part: Slice) -> Page[Entry]:
        """List entries newest first: all for who may read the whole log, else those in scope."""
        if wanted.since is not None and wanted.until is not None and wanted.since >= wanted.until:
            raise Invalid("input.invalid", "since has to be before until.")
        reach = self._reach(actor)
        if not self._reads_whole(actor):
            wanted = replace(wanted, of_accounts=True)
        if actor.kind is ActorKind.MACHINE:
            wanted = replace(wanted, actor_id=actor.id)
        if reach.everything and part.cursor is None:
            self._viewed(actor, wanted)
        with self.units.read() as unit:
            return unit.log.page(wanted, reach, part)

    def entry(self, actor: Actor, index: int) -> Entry:
        """Read one entry; one that is not in scope is as absent as one that does not exist (S21)."""
        reach = self._reach(actor)
        with self.units.read() as unit:
            found = unit.log.entry(index)
            if found is not None and (self._reads_whole(actor) or self._in_scope(found, reach, actor)):
                return found
        raise not_found("entry", str(index))

    def receipt(self, actor: Actor, index: int) -> Receipt:
        """Give an entry's receipt anew, under the present checkpoint."""
        self.entry(actor, index)
        with self.units.read() as unit:
            found = unit.log.receipt(index)
        if found is None:
            raise not_found("entry", str(index))
        return found

    def proof(self, actor: Actor, index: int) -> str:
        """Give an entry's proof as c2sp.org/tlog-proof text."""
        self.entry(actor, index)
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
        return found is not None and reach.covers(found.customer_id, found.id)

    def _viewed(self, actor: Actor, wanted: EntryFilter) -> None:
        now = self.clock.now()
        filters = {
            name: str(value)
            for name in ("account_id", "actor_id", "checkout_id", "type", "outcome", "since", "until", "text")
            if (value := getattr(wanted, name)) is not None
        }
        with self.units.write() as unit:
            unit.log.record(Event(EventType.AUDIT_VIEWED, actor, detail=filters), now)
            unit.commit()
