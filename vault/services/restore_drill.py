"""The drill of a restore: a backup that was restored beside the vault is opened, and none of it is shown (S6, S7).

Decided here: what is told of it, and where. The restored vault is thrown away, so everything is told in the log of the
vault that goes on: that it begins, by whose agreement and of which file; each value that was opened, with every call
of a key service; and how it ended. What a value lacks is a fault as in a drill of the live vault; nothing is kept
beside the versions of the live one, because it was not they that were opened.
Never decided here: how a backup is restored (`vault.bootstrap.restore_drill`).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from vault.domain.event import Event, EventType, Result
from vault.services.agreed import used_up
from vault.services.drill import (
    ACTOR,
    PURPOSE,
    DrillReport,
    Looked,
    Opener,
    begun,
    finished,
    with_promotion,
)
from vault.services.key_work import DrillScope
from vault.services.recipient_book import FixedRecipient, RecipientBook
from vault.services.sealed_values import counted, in_pages
from vault.services.sealing import logged
from vault.services.wrapping import Wrapping, pieces, side_by_side

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from vault.domain.proposal import Proposal
    from vault.errors import Fact
    from vault.ports.store import Promotion, Unit, Units
    from vault.services.drill import Drill
    from vault.services.sealed_values import SealedValue

PLACE = tuple[str, str, int, str]
"""Account, part, number and hash of a version."""
_SHOWN: Final = 300


@dataclass(slots=True)
class Restoration:
    """What a restore drill found beside what opened: how the restored rows stand to their log, and what they lack.

    `behind` counts current versions of the live vault that the backup does not have: what a restore would lose.
    """

    differences: int = 0
    behind: int = 0
    fault: str = ""
    report: DrillReport = field(default_factory=lambda: DrillReport(""))

    @property
    def is_good(self) -> bool:
        """Whether the backup could be gone on with as it is."""
        return self.report.finished and not (self.report.failed or self.differences or self.fault)


@dataclass(frozen=True, slots=True)
class RestoreDrill:
    """The use case; `drill` is that of the live vault, whose keys, agreement and log it goes by."""

    drill: Drill

    def begin(self, proposal_id: str, facts: Mapping[str, Fact]) -> Proposal:
        """Tell that it begins, of which backup; raises what `Drill.require` raises, which is recorded."""
        proposal = self.drill.require(proposal_id, DrillScope.RESTORE)
        with self.drill.units.write() as unit:
            event = begun(proposal, 0, 0)
            unit.log.record(replace(event, detail={**event.detail, **facts}), self.drill.clock.now())
            unit.commit()
        return proposal

    def open_all(self, restored: Units, found: Restoration, progress: Callable[[int, int], None]) -> None:
        """Open all that is sealed in the restored vault; it ends early where a key service is out."""
        clock = self.drill.clock
        recipient = RecipientBook(restored, clock).recipient
        opener = Opener(Wrapping(self.drill.keys, FixedRecipient(recipient)))
        with restored.read() as unit:
            total = sum(counted(unit))
        current: set[PLACE] = set()
        report = found.report
        report.finished = True
        with ThreadPoolExecutor(self.drill.at_once, thread_name_prefix="drill") as pool:
            for page in in_pages(restored, with_promotion):
                current |= set(_current(page))
                for piece in pieces(page):
                    looked = side_by_side(pool, lambda each: opener.look(*each), piece)
                    self._tell(looked, report.proposal)
                    for each in looked:
                        report.add(each)
                    progress(report.values, total)
                    if all(each.is_outage for each in looked):
                        report.finished = False
                        return
        found.behind = sum(place not in current for place in self._live())

    def finish(self, proposal: Proposal, found: Restoration, facts: Mapping[str, Fact]) -> None:
        """Tell how it ended; where it came to everything, the agreement is used up."""
        event = finished(proposal, found.report)
        detail: dict[str, Fact] = {
            **event.detail,
            **facts,
            "differences": found.differences,
            "behind": found.behind,
        }
        if found.fault:
            detail["code"] = found.fault[:_SHOWN]
        outcome = Result.SUCCESS if found.is_good else Result.FAILED
        with self.drill.units.write() as unit:
            now = self.drill.clock.now()
            unit.log.record(replace(event, detail=detail, result=outcome), now)
            if found.report.finished:
                used_up(unit, ACTOR, proposal, now)
            unit.commit()

    def _live(self) -> Iterator[PLACE]:
        """Go through the current versions of the live vault."""
        for page in in_pages(self.drill.units, with_promotion):
            yield from _current(page)

    def _tell(self, looked: Sequence[Looked], proposal_id: str) -> None:
        """Tell of each value in the live log; of one that the live vault has not, without naming it as a secret."""
        now = self.drill.clock.now()
        with self.drill.units.write() as unit:
            for each in looked:
                value, version = each.value, each.value.version
                here = version and unit.versions.get(version.account_id, version.kind, version.number)
                known = here is not None and here.sha256 == value.sha256
                part = {} if version is None else {"part": version.kind.value, "version": version.number}
                detail: dict[str, Fact] = {
                    "proposal": proposal_id,
                    "restored": True,
                    **part,
                    "keys": len(each.opened),
                    "offline": each.offline,
                    **value.facts,
                }
                if each.faults:
                    detail["code"] = each.faults[0].code
                    detail["faults"] = "; ".join(f"{fault.code} {fault.key}".strip() for fault in each.faults)
                event = Event(
                    EventType.DRILL_OPENED,
                    ACTOR,
                    Result.FAILED if each.faults else Result.SUCCESS,
                    account_id=_account_here(unit, value.account_id),
                    secret=value.secret if known else None,
                    kms=logged(PURPOSE, each.calls),
                    detail=detail,
                )
                unit.log.record(event, now)
            unit.commit()


def _current(page: Sequence[tuple[SealedValue, Promotion | None]]) -> Iterator[PLACE]:
    """Give the places of the versions that their log calls current."""
    for value, promotion in page:
        version = value.version
        if version is not None and promotion is not None:
            yield version.account_id, version.kind.value, version.number, version.sha256


def _account_here(unit: Unit, account_id: str | None) -> str | None:
    return account_id if account_id is not None and unit.accounts.get(account_id) is not None else None
