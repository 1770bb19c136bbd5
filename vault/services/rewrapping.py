"""Re-wrapping: every data key under other keys, beside the old ones first, and without them when all is proven (S6).

Decided here: the order. A pass over all that is sealed, versions and mail, gives each what it lacks, and opens it under
every wanted key alone; what was proven in this run, and is stored byte for byte so, is passed by. A wrap for the
recovery recipient opens nowhere here, so each run makes it anew, once a value: what was planted in its place is gone.
Passes go on until one finds nothing to do, so that what is sealed meanwhile by a process with other settings is taken
along. Only then, where two people agreed to it, the old wraps are removed, from values proven in this run alone.
Nothing is kept of a run but what it did: killed at any moment, it is run again and ends the same. No body is touched.

Every call is in the log, in the entry of its value; who is killed leaves at most those of one piece without. Nothing
crosses a network inside a transaction. Never decided here: which keys (`key_work`, the settings).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.crypto.envelope import decode_wraps, encode_wraps
from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.errors import Conflict, Refused, Tampered, VaultError
from vault.services.agreed import used_up
from vault.services.key_work import Rewrap
from vault.services.recipient_book import FixedRecipient
from vault.services.sealed_values import SealedValue, counted, in_pages, put_wraps
from vault.services.sealing import logged
from vault.services.wrapping import (
    AT_ONCE,
    Calls,
    Wrapping,
    is_outage,
    name_of,
    pieces,
    side_by_side,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vault.domain.proposal import Proposal
    from vault.errors import Fact, KeyCall
    from vault.ports.clock import Clock
    from vault.ports.keys import NamedKeys
    from vault.ports.recovery import RecoveryRecipient
    from vault.ports.store import Unit, Units
    from vault.services.agreed import Agreed

ACTOR: Final = system_actor("rewrap")
PURPOSE: Final = "rewrap"
PASSES: Final = 50
FAULTS_TOLD: Final = 1_000


class Step(StrEnum):
    """What was done with one value."""

    MADE = "made"
    """Wraps were added, or made anew; all were opened."""
    PROVEN = "proven"
    """It had every wrap; all were opened, and the recovery recipient's was made anew."""
    REMOVED = "removed"
    """Old wraps were removed."""


@dataclass(frozen=True, slots=True)
class _Done:
    """What came of one value; `wraps` are to be stored, None where nothing changes."""

    value: SealedValue
    step: Step
    calls: tuple[KeyCall, ...] = ()
    wraps: bytes | None = None
    mended: tuple[str, ...] = ()
    error: VaultError | None = None


@dataclass(slots=True)
class RewrapReport:
    """What a run did; `complete` says that every value is proven under every wanted key.

    `versions` and `mails` are how many there are of each; what follows counts both.
    """

    proposal: str
    keys: tuple[str, ...]
    recipient: str
    versions: int = 0
    mails: int = 0
    made: int = 0
    proven: int = 0
    removed: int = 0
    mended: int = 0
    old_left: int = 0
    passes: int = 0
    failed: int = 0
    complete: bool = False
    faults: list[tuple[str, str]] = field(default_factory=list)
    """Name and code of each value that failed, of the first thousand."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of key services by operation."""

    @property
    def values(self) -> int:
        """How many sealed values there are."""
        return self.versions + self.mails


@dataclass(frozen=True, slots=True)
class Rewrapping:
    """The use case; `progress` is told what is done, how many values of how many."""

    units: Units
    agreed: Agreed
    keys: NamedKeys
    recipient: RecoveryRecipient
    clock: Clock
    at_once: int = AT_ONCE

    def run(
        self,
        proposal_id: str,
        *,
        remove_old: bool = False,
        progress: Callable[[str, int, int], None] = lambda _what, _done, _total: None,
    ) -> RewrapReport:
        """Re-wrap everything; raises what the agreement lacks, and an outage once what was done is kept."""
        proposal = self.agreed.require(ACTOR, proposal_id, ProposalKind.REWRAP, Permission.KEYS_MANAGE)
        wanted = Rewrap.parse(proposal.content)
        self._check(wanted, remove_old=remove_old)
        wrapping = Wrapping(self.keys, FixedRecipient(self.recipient.recipient))
        report = RewrapReport(
            proposal.id, tuple(key.key_id for key in self.keys.sealing), wrapping.recipient.recipient
        )
        self._begin(proposal, report, remove_old)
        run = _Run(self.units, self.clock, wrapping, report, progress, self.recipient)
        error: VaultError | None = None
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="rewrap") as pool:
            try:
                run.go(pool, remove_old=remove_old)
            except VaultError as failure:
                error = failure
        if error is not None and error.code.startswith(("log.", "database.")):
            raise error
        self._finish(proposal, wanted, report, error)
        if error is not None:
            raise error
        return report

    def _check(self, wanted: Rewrap, *, remove_old: bool) -> None:
        named = {key.key_id for key in self.keys.sealing}
        if named != set(wanted.keys):
            words = (
                f"The settings name {', '.join(sorted(named))}; agreed to was {', '.join(sorted(wanted.keys))}. "
                "Name those in keys.kms_keys, and those before in keys.retiring, or propose what the settings name."
            )
            raise Refused("keys.settings", words)
        if remove_old and not wanted.remove_old:
            words = (
                "That old wraps are removed was not agreed to. Propose it, or run it without --remove-old."
            )
            raise Refused("keys.settings", words)

    def _begin(self, proposal: Proposal, report: RewrapReport, remove_old: bool) -> None:  # noqa: FBT001 - told as it is
        with self.units.write() as unit:
            if not unit.versions.may_rewrap():
                words = (
                    "This database role may not change wraps: it is the service's. Run the command as the role that "
                    "the tables belong to, as `rootvault db upgrade` is run (ROOTVAULT_DATABASE_URL)."
                )
                raise Refused("operation.failed", words)
            report.versions, report.mails = counted(unit)
            detail: dict[str, Fact] = {
                "proposal": proposal.id,
                "proposed_by": proposal.proposed_by,
                "confirmed_by": proposal.confirmed_by,
                "why": proposal.why,
                "keys": ", ".join(report.keys),
                "recipient": report.recipient or None,
                "remove_old": remove_old,
                "versions": report.versions,
                "mails": report.mails,
            }
            event = Event(EventType.REWRAP_BEGUN, ACTOR, detail=detail, subject=f"proposal:{proposal.id}")
            unit.log.record(event, self.clock.now())
            unit.commit()

    def _finish(
        self, proposal: Proposal, wanted: Rewrap, report: RewrapReport, error: VaultError | None
    ) -> None:
        """Tell of the end; the proposal is used up where all of what it says is done."""
        now = self.clock.now()
        detail: dict[str, Fact] = {
            "proposal": proposal.id,
            "complete": report.complete,
            "code": None if error is None else error.code,
            "failed": report.failed,
            "old_left": report.old_left,
            "calls": sum(report.calls.values()),
        }
        told = ("versions", "mails", "made", "proven", "removed", "mended")
        detail |= {name: getattr(report, name) for name in told}
        result = Result.SUCCESS if report.complete else Result.FAILED
        with self.units.write() as unit:
            unit.log.record(Event(EventType.REWRAP_FINISHED, ACTOR, result, detail=detail), now)
            if report.complete and not (wanted.remove_old and report.old_left):
                used_up(unit, ACTOR, proposal, now)
            unit.commit()


@dataclass(slots=True)
class _Run:
    """One run: its passes, and what they found."""

    units: Units
    clock: Clock
    wrapping: Wrapping
    report: RewrapReport
    progress: Callable[[str, int, int], None]
    recipient: RecoveryRecipient
    """Whom processes seal for by now; `wrapping` has the one of when the run began."""
    wanted: frozenset[tuple[str, str]] = field(init=False)
    proven: set[bytes] = field(default_factory=set)
    """Digests of what was opened under every wanted key in this run: 16 bytes a value."""
    offline: set[bytes] = field(default_factory=set)
    """Values whose wrap for the recipient was made in this run: once each, or two runs at once would never end."""
    failed: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.wanted = self.wrapping.wanted

    def go(self, pool: ThreadPoolExecutor, *, remove_old: bool) -> None:
        """Prove until a pass finds nothing to do; then, if wanted, remove, and prove what came meanwhile."""
        for _ in range(PASSES):
            self.report.passes += 1
            self.report.complete = False
            did = self._pass(pool)
            if did:
                continue
            self._require_same_recipient()
            self.report.complete = not self.report.failed
            if not (remove_old and self.report.complete and self.report.old_left):
                return
            self._remove()
        words = (
            "Values without the wanted wraps keep coming: a process still seals under other keys. Restart it."
        )
        raise Refused("keys.settings", words)

    def _require_same_recipient(self) -> None:
        """Raise `Conflict` where another recipient came into force: its wraps would count as old ones here."""
        if self.recipient.recipient != self.wrapping.recipient.recipient:
            words = (
                "Another recovery recipient came into force meanwhile. Run it again; what was done is kept."
            )
            raise Conflict("concurrent.change", words)

    def _pass(self, pool: ThreadPoolExecutor) -> int:
        """Work on every value that is not proven in this run; give how many there were."""
        did = seen = mails = old_left = 0
        what = "re-wrapping" if self.report.passes == 1 else f"proving, pass {self.report.passes}"
        for page in self._pages():
            todo = []
            for value in page:
                mails += value.version is None
                old_left += self._has_old(value)
                if _digest(value, value.wraps) not in self.proven and value.name not in self.failed:
                    todo.append(value)
            seen += len(page) - len(todo)
            for piece in pieces(todo):
                self._keep(side_by_side(pool, self._renew, piece))
                did += len(piece)
                seen += len(piece)
                self.progress(what, seen, max(self.report.values, seen))
            self.progress(what, seen, max(self.report.values, seen))
        self.report.versions, self.report.mails = seen - mails, mails
        self.report.old_left = old_left
        return did

    def _renew(self, value: SealedValue) -> _Done:
        calls = Calls()
        try:
            is_first = _digest(value, b"") not in self.offline
            renewed = self.wrapping.renewed(value, calls, offline_too=is_first)
        except VaultError as error:
            return _Done(value, Step.PROVEN, tuple(calls.made), error=error)
        wraps = encode_wraps(renewed.wraps)
        if wraps == value.wraps:
            return _Done(value, Step.PROVEN, tuple(calls.made))
        step = Step.MADE if renewed.is_changed else Step.PROVEN
        return _Done(value, step, tuple(calls.made), wraps, renewed.mended)

    def _remove(self) -> None:
        """Remove old wraps from every value that was proven in this run, as it is stored."""
        seen = 0
        for page in self._pages():
            done = []
            for value in page:
                proven = _digest(value, value.wraps) in self.proven
                if proven and self._has_old(value):
                    kept = tuple(wrap for wrap in decode_wraps(value.wraps) if name_of(wrap) in self.wanted)
                    done.append(_Done(value, Step.REMOVED, wraps=encode_wraps(kept)))
            for piece in pieces(done):
                self._keep(piece)
            seen += len(page)
            self.progress("removing old wraps", seen, max(self.report.values, seen))

    def _has_old(self, value: SealedValue) -> bool:
        try:
            return any(name_of(wrap) not in self.wanted for wrap in decode_wraps(value.wraps))
        except Tampered:  # what they are cannot be told; `_renew` says so
            return True

    def _pages(self) -> Iterator[tuple[SealedValue, ...]]:
        return in_pages(self.units, lambda _unit, value: value)

    def _keep(self, piece: Sequence[_Done]) -> None:
        """Store what was made, where nobody was faster, and tell of every value and call, in one transaction."""
        now = self.clock.now()
        with self.units.write() as unit:
            # all rows first, the log's head last: the order in which everybody takes locks
            stored = [_stored(unit, done) for done in piece]
            for done, is_stored in zip(piece, stored, strict=True):
                unit.log.record(self._event(done, is_stored=is_stored), now)
            unit.commit()
        for done, is_stored in zip(piece, stored, strict=True):
            self._count(done, is_stored=is_stored)
        outages = [done.error for done in piece if is_outage(done.error)]
        if outages and len(outages) == len(piece) and outages[0] is not None:
            raise outages[0]

    def _count(self, done: _Done, *, is_stored: bool) -> None:
        report = self.report
        report.calls.update(call.operation for call in done.calls)
        if done.error is not None:
            self.failed.add(done.value.name)
            report.failed += 1
            if report.failed <= FAULTS_TOLD:
                report.faults.append((done.value.name, done.error.code))
            return
        if not is_stored:  # the next pass looks again
            return
        self.proven.add(_digest(done.value, done.value.wraps if done.wraps is None else done.wraps))
        self.offline.add(_digest(done.value, b""))
        report.made += done.step is Step.MADE
        report.proven += done.step is Step.PROVEN
        report.removed += done.step is Step.REMOVED
        report.mended += bool(done.mended)

    def _event(self, done: _Done, *, is_stored: bool) -> Event:
        detail: dict[str, Fact] = {"proposal": self.report.proposal, "step": done.step, **done.value.facts}
        if not is_stored:
            detail["overtaken"] = True
        if done.mended:
            detail["mended"] = ", ".join(done.mended)
        if done.step is Step.REMOVED:
            old = (wrap.key_id for wrap in decode_wraps(done.value.wraps) if name_of(wrap) not in self.wanted)
            detail["removed"] = ", ".join(old)
        if done.error is not None:
            detail["code"] = done.error.code
        return Event(
            EventType.KEYS_REWRAPPED,
            ACTOR,
            Result.SUCCESS if done.error is None else Result.FAILED,
            account_id=done.value.account_id,
            secret=done.value.secret,
            kms=logged(PURPOSE, done.calls),
            detail=detail,
        )


def _stored(unit: Unit, done: _Done) -> bool:
    return done.wraps is None or put_wraps(unit, done.value, done.wraps)


def _digest(value: SealedValue, wraps: bytes) -> bytes:
    """Name exactly these wraps in this place, in 16 bytes: what a run remembers of a value."""
    place = f"{value.name}/{value.sha256}/".encode()
    return hashlib.sha256(place + wraps).digest()[:16]
