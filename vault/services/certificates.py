"""Certificates of destruction: what was destroyed of an account, proven by the log, and what may still open (H9).

Decided here: a certificate is computed from what is kept and from the log's own entry, whose place in the signed tree
is proven first; where the two do not say the same, nothing is certified. Never decided here: what was destroyed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.actor import Reach
from vault.domain.destruction import digest
from vault.domain.event import EventType, stamp
from vault.errors import Conflict, Unavailable
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.account import Account, Customer
    from vault.domain.actor import Actor
    from vault.domain.destruction import Destroyed
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, Receipt, Unit, Units
    from vault.services.gate import Gate

_ENTRIES = 100


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is certified: the destruction, the entry that tells of it, its receipt, and the proof of its place.

    `entries` are the indexes of all entries that tell of it, the last of them `receipt`'s. `openers` says who can still
    open a backup from before, at `at`; nobody once the last such backup is gone.
    """

    at: datetime
    vault_id: str
    account: Account
    customer: Customer | None
    destroyed: Destroyed
    entries: tuple[int, ...]
    receipt: Receipt
    proof: str
    is_again: bool
    """That the entry is of a restore, which applied the destruction again."""

    @property
    def openers(self) -> tuple[str, ...]:
        """Say who can still open a backup from before."""
        return self.destroyed.openers(self.at)


@dataclass(frozen=True, slots=True)
class Certificates:
    """The use case of certificates."""

    units: Units
    gate: Gate
    clock: Clock

    def get(self, actor: Actor, account_id: str) -> Certificate:
        """Certify the destruction of an account's credential in sight.

        Raises `NotFound`, `Conflict` destruction.state where nothing was destroyed, and `Unavailable` log.unavailable
        where the log does not prove what is kept.
        """
        now = self.clock.now()
        with self.units.read() as unit:
            unit.check_mark()
            account = self.gate.account(unit, actor, account_id, now)
            destroyed = unit.destructions.get(account.id)
            if destroyed is None:
                words = f"The credential of account {account.id} was not destroyed; its custody is {account.custody}."
                raise Conflict("destruction.state", words, rule="H9", state=account.custody)
            return self._certified(unit, account, destroyed, now)

    def destroyed(self, actor: Actor, account_id: str) -> Destroyed | None:
        """Find the destruction of an account in sight, unproven; None where there is none."""
        now = self.clock.now()
        with self.units.read() as unit:
            account = self.gate.account(unit, actor, account_id, now)
            return unit.destructions.get(account.id)

    def _certified(self, unit: Unit, account: Account, destroyed: Destroyed, now: datetime) -> Certificate:
        entries = _entries(unit, account.id)
        if not entries:
            raise _unproven(account.id)
        last = entries[-1]
        proven = unit.log.proven(last.index)
        receipt, proof = unit.log.receipt(last.index), unit.log.proof(last.index)
        detail = last.content.get("detail")
        told = detail if isinstance(detail, dict) else {}
        expected = {
            "complete": True,
            "versions_sha256": digest(destroyed.versions),
            "wraps_sha256": digest(destroyed.wraps),
            "backups_until": stamp(destroyed.backups_until),
        }
        if (
            proven is None
            or proven.leaf_hash != last.leaf_hash
            or receipt is None
            or proof is None
            or any(told.get(name) != value for name, value in expected.items())
        ):
            raise _unproven(account.id)
        return Certificate(
            at=now,
            vault_id=unit.vault_id,
            account=account,
            customer=unit.customers.get(account.customer_id),
            destroyed=destroyed,
            entries=tuple(each.index for each in entries),
            receipt=receipt,
            proof=proof,
            is_again=bool(told.get("restored")),
        )


def _entries(unit: Unit, account_id: str) -> tuple[Entry, ...]:
    """Give the entries that tell of the destruction, in order."""
    wanted = EntryFilter(account_id=account_id, type=EventType.CREDENTIAL_DESTROYED, outcome="success")
    found = unit.log.page(wanted, Reach(everything=True), Slice(_ENTRIES)).items
    return tuple(reversed(found))


def _unproven(account_id: str) -> Unavailable:
    words = (
        f"The log does not prove the destruction that is kept of account {account_id}, so nothing is certified."
        " Compare the database with the log: `rootvault doctor --deep --replay`."
    )
    return Unavailable("log.unavailable", words)
