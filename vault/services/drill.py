"""The drill: all that is sealed is opened, each value under each of its keys, and none is shown (S6, S10).

Decided here: what "opens" means. For every key that the settings name, the value's own wrap under that key gives a
data key which opens the body in its place; the body is the one that the log names where the version is current; a seed
can be read as one. A wrap for the recovery recipient is there, and can be opened by nothing that runs here. What a
value lacks is a fault, and so is a wrap under a key that the settings do not name: nobody here can prove it.

A plaintext lives for the moment in which it is looked at. What came of each version is kept beside it, of mail in the
log alone; the log has every call of a key service. Nothing crosses a network inside a transaction.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from vault.crypto import recovery, totp
from vault.crypto.envelope import decode_wraps
from vault.crypto.sameness import Sameness
from vault.domain.actor import system_actor
from vault.domain.credential import PartKind, VersionLabel
from vault.domain.due import FoundBy
from vault.domain.event import Event, EventType, Result
from vault.domain.mail import Mail
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.domain.told import changes
from vault.errors import Conflict, VaultError
from vault.services.agreed import used_up
from vault.services.key_work import DrillScope
from vault.services.recipient_book import FixedRecipient
from vault.services.reuse import mark_reused
from vault.services.sealed_values import MAIL, SealedValue, counted, in_pages
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
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vault.domain.credential import Version
    from vault.domain.due import Place
    from vault.domain.event import Change
    from vault.domain.proposal import Proposal
    from vault.errors import Fact, KeyCall
    from vault.ports.clock import Clock
    from vault.ports.keys import NamedKeys
    from vault.ports.recovery import RecoveryRecipient
    from vault.ports.store import Promotion, Unit, Units
    from vault.services.agreed import Agreed

ACTOR: Final = system_actor("drill")
PURPOSE: Final = "drill"
FAULTS_TOLD: Final = 1_000
MISSING: Final = "drill.wrap_missing"
NOT_CURRENT: Final = "envelope.not_current"
TAMPERED: Final = "envelope.tampered"


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value: a stable code, and which key it is about (empty: with all of it)."""

    code: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Looked:
    """What came of opening one value: under which keys it did, how many wraps are for offline use, what is wrong."""

    value: SealedValue
    opened: tuple[str, ...] = ()
    offline: int = 0
    faults: tuple[Fault, ...] = ()
    calls: tuple[KeyCall, ...] = ()
    is_outage: bool = False
    """That a key service could not do its part: nothing is said about the value by that."""
    twins: tuple[Place, ...] = ()
    """Current versions that are now known to share a value with another account (adr/0019)."""

    def after(self, version: Version, now: datetime) -> Version:
        """Give the version that was opened with what this drill says of it."""
        if not self.faults:
            return replace(version, drilled_at=now, drill_fault="")
        return version if self.is_outage else replace(version, drill_fault=self.faults[0].code)


class Faulty(NamedTuple):
    """What is wrong with one value; `account_id` is empty for mail to nobody, `number` 0 and `mail` its id for mail."""

    account_id: str
    part: str
    number: int
    faults: tuple[Fault, ...]
    mail: str = ""


@dataclass(frozen=True, slots=True)
class Opener:
    """Opens values key by key; nothing is kept and nothing leaves. `same` compares the values of one run."""

    wrapping: Wrapping
    same: Sameness = field(default_factory=Sameness)

    def look(self, sealed: SealedValue, promotion: Promotion | None) -> Looked:
        """Open a value under each key that its wraps name; `promotion` is what the log calls current of its part."""
        calls, offline, is_out = Calls(), 0, False
        faults: list[Fault] = []
        opened: list[str] = []
        twins: tuple[Place, ...] = ()
        version = sealed.version
        try:
            wraps = decode_wraps(sealed.wraps)
        except VaultError as error:
            return Looked(sealed, faults=(Fault(error.code),))
        openers = self.wrapping.openers
        for wrap in wraps:
            key = openers.get(name_of(wrap))
            if key is not None:
                try:
                    value = self.wrapping.open_under(key, sealed, calls)
                    if version is not None and version.kind is PartKind.MFA:
                        totp.parse_seed(value)
                except VaultError as error:
                    faults.append(Fault(error.code, wrap.key_id))
                    is_out = is_out or is_outage(error)
                else:
                    opened.append(wrap.key_id)
                    if version is not None and version.label is VersionLabel.CURRENT:
                        place = (version.account_id, version.kind, version.number)
                        twins = (*twins, *self.same.meet(place, value))
            elif wrap.service == recovery.SERVICE:
                offline += 1
            else:
                faults.append(Fault("keys.unknown", wrap.key_id))
        missing = self.wrapping.wanted - {name_of(wrap) for wrap in wraps}
        faults += [Fault(MISSING, key_id) for _, key_id in sorted(missing)]
        faults += _beside_the_log(sealed, promotion)
        return Looked(sealed, tuple(opened), offline, tuple(faults), tuple(calls.made), is_out, twins)


@dataclass(slots=True)
class DrillReport:
    """What a drill found; `finished` says that it came to every value. All but the first three count both kinds."""

    proposal: str
    versions: int = 0
    mails: int = 0
    accounts: int = 0
    opened: int = 0
    failed: int = 0
    offline: int = 0
    finished: bool = False
    last: str = ""
    """The account that was looked at last: versions come account by account."""
    keys: Counter[str] = field(default_factory=Counter)
    """How many values opened under each key."""
    codes: Counter[str] = field(default_factory=Counter)
    """What was wrong, by code."""
    calls: Counter[str] = field(default_factory=Counter)
    """Calls of key services by operation."""
    faults: list[Faulty] = field(default_factory=list)
    """What is wrong with which, of the first thousand."""

    @property
    def values(self) -> int:
        """How many were looked at."""
        return self.versions + self.mails

    def add(self, looked: Looked) -> None:
        """Count a value in."""
        version = looked.value.version
        if version is None:
            self.mails += 1
        else:
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
            self.faults.append(_faulty(looked))


@dataclass(frozen=True, slots=True)
class Drill:
    """The use case; `progress` is told how many values of how many were opened."""

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
        """Open all that this vault keeps sealed; where a key service is out, it ends there and is not finished."""
        proposal = self.require(proposal_id, DrillScope.LIVE)
        opener, report = self.opener(), DrillReport(proposal.id)
        with self.units.write() as unit:
            versions, mails = counted(unit)
            unit.log.record(begun(proposal, versions, mails), self.clock.now())
            unit.commit()
        with ThreadPoolExecutor(self.at_once, thread_name_prefix="drill") as pool:
            report.finished = self._open_all(
                pool, opener, report, lambda done: progress(done, max(done, versions + mails))
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
        report: DrillReport,
        progress: Callable[[int], None],
    ) -> bool:
        """Open everything, piece by piece; False where all of a piece failed for want of a key service."""
        for page in in_pages(self.units, with_promotion):
            for piece in pieces(page):
                looked = side_by_side(pool, lambda each: opener.look(*each), piece)
                self._keep(looked, report.proposal)
                for each in looked:
                    report.add(each)
                progress(report.values)
                if all(each.is_outage for each in looked):
                    return False
        return True

    def _keep(self, looked: Sequence[Looked], proposal_id: str) -> None:
        """Keep and tell what came of each value, in one transaction."""
        now = self.clock.now()
        with self.units.write() as unit:
            # all rows first, the log's head last: the order in which everybody takes locks
            told = []
            for each in looked:
                version = each.value.version
                told.append(() if version is None else _kept(unit, version, each.after(version, now)))
            twins = [place for each in looked for place in each.twins]
            reused = mark_reused(unit, ACTOR, twins, FoundBy.DRILL, now)
            for each, changed in zip(looked, told, strict=True):
                unit.log.record(replace(_opened(each, proposal_id), changes=changed), now)
            for event in reused:
                unit.log.record(event, now)
            unit.commit()


def _kept(unit: Unit, was: Version, now: Version) -> tuple[Change, ...]:
    """Keep what came of a version beside it, and give what is told of that; nothing where another drill was faster."""
    is_kept = now == was or unit.versions.drilled(was, now.drilled_at, now.drill_fault)
    return changes(was, now) if is_kept else ()


def with_promotion(unit: Unit, value: SealedValue) -> tuple[SealedValue, Promotion | None]:
    """Give a current version with what the log calls current of its part, proven; any other value with None."""
    version = value.version
    if version is None or version.label is not VersionLabel.CURRENT:
        return value, None
    return value, unit.log.promotion(version.account_id, version.kind)


def begun(proposal: Proposal, versions: int, mails: int) -> Event:
    """Tell that a drill begins: by whose agreement, why, how much it will open."""
    detail: dict[str, Fact] = {
        "proposal": proposal.id,
        "scope": proposal.subject,
        "proposed_by": proposal.proposed_by,
        "confirmed_by": proposal.confirmed_by,
        "why": proposal.why,
        "versions": versions,
        "mails": mails,
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
    told = ("versions", "accounts", "mails", "opened", "failed", "offline")
    detail |= {name: getattr(report, name) for name in told}
    is_good = report.finished and not report.failed
    return Event(EventType.DRILL_FINISHED, ACTOR, Result.SUCCESS if is_good else Result.FAILED, detail=detail)


def _opened(looked: Looked, proposal_id: str) -> Event:
    counts = {"keys": len(looked.opened), "offline": looked.offline}
    detail: dict[str, Fact] = {"proposal": proposal_id, **counts, **looked.value.facts}
    if looked.faults:
        detail["code"] = looked.faults[0].code
        detail["faults"] = "; ".join(f"{fault.code} {fault.key}".strip() for fault in looked.faults)
    return Event(
        EventType.DRILL_OPENED,
        ACTOR,
        Result.FAILED if looked.faults else Result.SUCCESS,
        account_id=looked.value.account_id,
        secret=looked.value.secret,
        kms=logged(PURPOSE, looked.calls),
        detail=detail,
    )


def _faulty(looked: Looked) -> Faulty:
    of = looked.value.of
    if isinstance(of, Mail):
        return Faulty(of.account_id or "", MAIL, 0, looked.faults, of.id)
    return Faulty(of.account_id, of.kind.value, of.number, looked.faults)


def _beside_the_log(value: SealedValue, promotion: Promotion | None) -> list[Fault]:
    """Hold a value against its hash, and a current one against what the log calls current."""
    faults = []
    if hashlib.sha256(value.body).hexdigest() != value.sha256:
        faults.append(Fault(TAMPERED))
    version = value.version
    if (
        version is not None
        and version.label is VersionLabel.CURRENT
        and (promotion is None or (promotion.version, promotion.sha256) != (version.number, version.sha256))
    ):
        faults.append(Fault(NOT_CURRENT))
    return faults
