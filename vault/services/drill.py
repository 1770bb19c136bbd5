"""The drill: every credential is opened, each version under each of its keys, and none is shown (S6, S10).

Decided here: what "opens" means. For every key that the settings name, the version's own wrap under that key gives a
data key which opens the body in its place; the body is the one that the log names where the version is current; a seed
can be read as one. A wrap for the recovery recipient is there, and can be opened by nothing that runs here. What a
version lacks is a fault, and so is a wrap under a key that the settings do not name: nobody here can prove it.

A plaintext lives for the moment in which it is looked at. What came of each version is kept beside it, and in the log,
with every call of a key service. Nothing crosses a network inside a transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from vault.crypto import recovery, totp
from vault.crypto.envelope import decode_wraps
from vault.crypto.sameness import Sameness
from vault.domain.actor import system_actor
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.due import FoundBy
from vault.domain.event import Event, EventType, Result, SecretRef
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, VaultError
from vault.services.agreed import used_up
from vault.services.key_work import DrillScope
from vault.services.recipient_book import FixedRecipient
from vault.services.reuse import mark_reused
from vault.services.sealing import logged
from vault.services.wrapping import (
    AT_ONCE,
    Calls,
    Wrapping,
    is_outage,
    name_of,
    pieces,
    place_of,
    side_by_side,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from vault.domain.credential import Version
    from vault.domain.due import Place
    from vault.domain.proposal import Proposal
    from vault.errors import Fact, KeyCall
    from vault.ports.clock import Clock
    from vault.ports.keys import NamedKeys
    from vault.ports.recovery import RecoveryRecipient
    from vault.ports.store import Promotion, Unit, Units
    from vault.services.agreed import Agreed

ACTOR: Final = system_actor("drill")
PURPOSE: Final = "drill"
PAGE: Final = 256
FAULTS_TOLD: Final = 1_000
MISSING: Final = "drill.wrap_missing"
NOT_CURRENT: Final = "envelope.not_current"
TAMPERED: Final = "envelope.tampered"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a version: a stable code, and which key it is about (empty: with all of it)."""

    code: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of opening one version: under which keys it did, how many wraps are for offline use, what is wrong."""

    version: Version
    opened: tuple[str, ...] = ()
    offline: int = 0
    faults: tuple[Fault, ...] = ()
    calls: tuple[KeyCall, ...] = ()
    is_outage: bool = False
    """That a key service could not do its part: nothing is said about the version by that."""
    twins: tuple[Place, ...] = ()
    """Current versions that are now known to share a value with another account (adr/0019)."""

    def after(self, now: datetime) -> Version:
        """Give the version with what this drill says of it."""
        if not self.faults:
            return replace(self.version, drilled_at=now, drill_fault="")
        return self.version if self.is_outage else replace(self.version, drill_fault=self.faults[0].code)


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens versions key by key; nothing is kept and nothing leaves. `same` compares the values of one run."""

    wrapping: Wrapping
    same: Sameness = field(default_factory=Sameness)

    def look(self, vault_id: str, version: Version, promotion: Promotion | None) -> Looked:
        """Open a version under each key that its wraps name; `promotion` is what the log calls current of its part."""
        calls, offline, is_out = Calls(), 0, False
        faults: list[Fault] = []
        opened: list[str] = []
        twins: tuple[Place, ...] = ()
        try:
            wraps = decode_wraps(version.wraps)
        except VaultError as error:
            return Looked(version, faults=(Fault(error.code),))
        openers = self.wrapping.openers
        for wrap in wraps:
            key = openers.get(name_of(wrap))
            if key is not None:
                try:
                    value = self.wrapping.open_under(key, place_of(vault_id, version), version, calls)
                    if version.kind is PartKind.MFA:
                        totp.parse_seed(value)
                except VaultError as error:
                    faults.append(Fault(error.code, wrap.key_id))
                    is_out = is_out or is_outage(error)
                else:
                    opened.append(wrap.key_id)
                    if version.label is VersionLabel.CURRENT:
                        place = (version.account_id, version.kind, version.number)
                        twins = (*twins, *self.same.meet(place, value))
            elif wrap.service == recovery.SERVICE:
                offline += 1
            else:
                faults.append(Fault("keys.unknown", wrap.key_id))
        missing = self.wrapping.wanted - {name_of(wrap) for wrap in wraps}
        faults += [Fault(MISSING, key_id) for _, key_id in sorted(missing)]
        faults += _beside_the_log(version, promotion)
        return Looked(version, tuple(opened), offline, tuple(faults), tuple(calls.made), is_out, twins)


@dataclass(slots=True)
class DrillReport:
    """What a drill found; `finished` says that it came to every version."""

    proposal: str
    versions: int = 0
    accounts: int = 0
    opened: int = 0
    failed: int = 0
    offline: int = 0
    finished: bool = False
    last: str = ""
    """The account that was looked at last: versions come account by account."""
    keys: Counter[str] = field(default_factory=Counter)
    """How many versions opened under each key."""
    codes: Counter[str] = field(default_factory=Counter)
    """What was wrong, by code."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of key services by operation."""
    faults: list[tuple[str, str, int, tuple[Fault, ...]]] = field(default_factory=list)
    """Account, part, number and what is wrong, of the first thousand."""

    def add(self, looked: Looked) -> None:
        """Count a version in."""
        version = looked.version
        self.versions += 1
        self.accounts += version.account_id != self.last
        self.last = version.account_id
        self.opened += not looked.faults
        self.failed += bool(looked.faults)
        self.offline += looked.offline
        self.keys.update(looked.opened)
        self.codes.update(fault.code for fault in looked.faults)
        self.calls.update(call.operation for call in looked.calls)
        if looked.faults and len(self.faults) < FAULTS_TOLD:
            self.faults.append((version.account_id, version.kind.value, version.number, looked.faults))


@dataclass(frozen=True, slots=True)
class Drill:
    """The use case; `progress` is told how many versions of how many were opened."""

    units: Units
    agreed: Agreed
    keys: NamedKeys
    recipient: RecoveryRecipient
    clock: Clock
    at_once: int = AT_ONCE

    def require(self, proposal_id: str, scope: DrillScope) -> Proposal:
        """Give the proposal if a drill of this scope may begin now; else record the refusal and raise."""
        proposal = self.agreed.require(ACTOR, proposal_id, ProposalKind.DRILL, Permission.KEYS_MANAGE)
        if proposal.subject != scope:
            words = f"Two people agreed to a drill of another kind ({proposal.subject}); propose this one."
            raise Conflict("proposal.state", words)
        return proposal

    def opener(self) -> Opener:
        """Make what opens versions, for the recovery recipient that is in force now."""
        return Opener(Wrapping(self.keys, FixedRecipient(self.recipient.recipient)))

    def run(
        self, proposal_id: str, progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> DrillReport:
        """Open every version of this vault; where a key service is out, the drill ends there and is not finished."""
        proposal = self.require(proposal_id, DrillScope.LIVE)
        opener, report = self.opener(), DrillReport(proposal.id)
        with self.units.write() as unit:
            total, vault_id = unit.versions.count(), unit.vault_id
            unit.log.record(begun(proposal, total), self.clock.now())
            unit.commit()
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="drill") as pool:
            report.finished = self._open_all(
                pool, opener, vault_id, report, lambda done: progress(done, total)
            )
        with self.units.write() as unit:
            now = self.clock.now()
            unit.log.record(finished(proposal, report), now)
            if report.finished:
                used_up(unit, ACTOR, proposal, now)
            unit.commit()
        return report

    def _open_all(
        self,
        pool: ThreadPoolExecutor,
        opener: Opener,
        vault_id: str,
        report: DrillReport,
        progress: Callable[[int], None],
    ) -> bool:
        """Open everything, piece by piece; False where all of a piece failed for want of a key service."""
        for page in self._pages():
            for piece in pieces(page):
                looked = side_by_side(pool, lambda each: opener.look(vault_id, *each), piece)
                self._keep(looked, report.proposal)
                for each in looked:
                    report.add(each)
                progress(report.versions)
                if all(each.is_outage for each in looked):
                    return False
        return True

    def _pages(self) -> Iterator[tuple[tuple[Version, Promotion | None], ...]]:
        """Go through all versions that open at all, each current one with what the log calls current."""
        after: Version | None = None
        while True:
            with self.units.read() as unit:
                page = unit.versions.piece(after, PAGE)
                found = tuple((each, promotion_of(unit, each)) for each in page if can_open(each))
            if found:
                yield found
            if not page:
                return
            after = page[-1]

    def _keep(self, looked: Sequence[Looked], proposal_id: str) -> None:
        """Keep and tell what came of each version, in one transaction."""
        now = self.clock.now()
        with self.units.write() as unit:
            # all rows first, the log's head last: the order in which everybody takes locks
            told = []
            for each in looked:
                after = each.after(now)
                kept = after == each.version or unit.versions.drilled(
                    each.version, after.drilled_at, after.drill_fault
                )
                told.append(changes(each.version, after) if kept else ())
            twins = [place for each in looked for place in each.twins]
            reused = mark_reused(unit, ACTOR, twins, FoundBy.DRILL, now)
            for each, changed in zip(looked, told, strict=True):
                unit.log.record(replace(_opened(each, proposal_id), changes=changed), now)
            for event in reused:
                unit.log.record(event, now)
            unit.commit()


def can_open(version: Version) -> bool:
    """Say whether a version is there to be opened: what was destroyed is not."""
    return version.label is not VersionLabel.DESTROYED


def promotion_of(unit: Unit, version: Version) -> Promotion | None:
    """Give what the log calls current of a current version's part, proven; None for any other version."""
    if version.label is not VersionLabel.CURRENT:
        return None
    return unit.log.promotion(version.account_id, version.kind)


def begun(proposal: Proposal, versions: int) -> Event:
    """Tell that a drill begins: by whose agreement, why, how much it will open."""
    detail: dict[str, Fact] = {
        "proposal": proposal.id,
        "scope": proposal.subject,
        "proposed_by": proposal.proposed_by,
        "confirmed_by": proposal.confirmed_by,
        "why": proposal.why,
        "versions": versions,
    }
    return Event(EventType.DRILL_BEGUN, ACTOR, detail=detail, subject=f"proposal:{proposal.id}")


def finished(proposal: Proposal, report: DrillReport) -> Event:
    """Tell how a drill ended."""
    detail: dict[str, Fact] = {
        "proposal": proposal.id,
        "scope": proposal.subject,
        "finished": report.finished,
        "codes": ", ".join(f"{code} {count}" for code, count in sorted(report.codes.items())),
        "calls": sum(report.calls.values()),
    }
    counted = ("versions", "accounts", "opened", "failed", "offline")
    detail |= {name: getattr(report, name) for name in counted}
    is_good = report.finished and not report.failed
    return Event(EventType.DRILL_FINISHED, ACTOR, Result.SUCCESS if is_good else Result.FAILED, detail=detail)


def _opened(looked: Looked, proposal_id: str) -> Event:
    detail: dict[str, Fact] = {"proposal": proposal_id, "keys": len(looked.opened), "offline": looked.offline}
    if looked.faults:
        detail["code"] = looked.faults[0].code
        detail["faults"] = "; ".join(f"{fault.code} {fault.key}".strip() for fault in looked.faults)
    return Event(
        EventType.DRILL_OPENED,
        ACTOR,
        Result.FAILED if looked.faults else Result.SUCCESS,
        account_id=looked.version.account_id,
        secret=SecretRef.of(looked.version),
        kms=logged(PURPOSE, looked.calls),
        detail=detail,
    )


def _beside_the_log(version: Version, promotion: Promotion | None) -> list[Fault]:
    """Hold a version against its hash, and a current one against what the log calls current."""
    faults = []
    if hashlib.sha256(version.body).hexdigest() != version.sha256:
        faults.append(Fault(TAMPERED))
    if version.label is VersionLabel.CURRENT and (
        promotion is None or (promotion.version, promotion.sha256) != (version.number, version.sha256)
    ):
        faults.append(Fault(NOT_CURRENT))
    return faults
