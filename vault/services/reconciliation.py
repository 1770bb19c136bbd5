"""Reconciliation: AWS's own records held against the log, in both directions.

Decided here: the order of a pass. First the sources are read, with no transaction open; then the log's new
calls are indexed, so that whatever was logged before a record was seen is known; then records are judged; and
last those calls are looked for that AWS did not record. A call counts as missing only where its absence means
something: KMS answered it, `wait` has passed, and records of that region and account from before it and from
after it were delivered. Nothing is judged twice, whatever is read twice. A pass that read something is an entry.

Never done here: deciding what explains a record (`judging`), or who may see an incident (`incidents`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vault.crypto.context import APP
from vault.domain.actor import system_actor
from vault.domain.cloudtrail import CloudKind, Kept, Ours, Passed, parse
from vault.domain.event import Event, EventType
from vault.domain.incident import IncidentKind
from vault.errors import Conflict, Unavailable
from vault.ports.cloud import Part, PartBroken, Reached, SourceState, Unreadable
from vault.ports.ranges import Pick, Stretch
from vault.services.finding import Finding, open_all
from vault.services.judging import NOT_OURS, Explained, Judge, Unexplained, last_holder, lease_end, undecided
from vault.services.key_calls import CALLING, calls_in
from vault.services.sightings import CheckoutCloud, CloudStatus, Sighting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vault.domain.cloudtrail import CloudRecord, Place
    from vault.ports.clock import Clock
    from vault.ports.cloud import CloudRecords, LoggedCall, SeenEvent
    from vault.ports.store import Unit, Units

BATCH: Final = 200
SHOWN: Final = 200
_ARN: Final = "arn:"
"""How a key's name begins that cannot be mistaken for a region's, whoever wrote it."""
MARGIN: Final = timedelta(seconds=60)
"""A call is made at most so long before the entry that tells of it."""


@dataclass(slots=True)
class Counts:
    """What one pass did."""

    read: int = 0
    new: int = 0
    matched: int = 0
    unmatched: int = 0
    not_ours: int = 0
    late: int = 0
    missing: int = 0
    opened: int = 0
    parts: int = 0
    broken: int = 0
    failing: int = 0
    skipped: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, int | str]:
        """Give the counts as an entry tells them."""
        numbers: dict[str, int | str] = {
            name: getattr(self, name) for name in self.__slots__ if name != "skipped"
        }
        reasons = ", ".join(f"{reason} {count}" for reason, count in sorted(self.skipped.items()))
        return numbers | {"skipped": self.skipped.total(), "reasons": reasons[:500]}


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The use case: one pass, and what it found out."""

    units: Units
    sources: tuple[CloudRecords, ...]
    keys: frozenset[str]
    clock: Clock
    wait: timedelta

    def once(self, tell: Callable[[str], None] = lambda _: None) -> Counts:
        """Read, index, judge, and look for what is missing; give what came of it."""
        counts = Counts()
        with self.units.read() as unit:
            judge = Judge(Ours(APP, unit.vault_id, self.keys))
        for source in self.sources:
            tell(f"reading {source.name}")
            self._read(source, judge.ours, counts, tell)
        tell("comparing with the log")
        while self._index():
            pass
        if self._judge_all(judge, counts):
            for key in self._keys():
                self._look_for(key, counts)
        if counts.read or counts.parts or counts.opened:
            now = self.clock.now()
            event = Event(EventType.CLOUD_RECONCILED, system_actor("reconciliation"), detail=counts.told())
            with self.units.write() as unit:
                unit.log.record(event, now)
                unit.commit()
        return counts

    def of_checkout(self, checkout_id: str) -> CheckoutCloud | None:
        """Give AWS's records of one checkout: its uses of keys, and what root did under it; the caller checks sight."""
        with self.units.read() as unit:
            checkout = unit.checkouts.get(checkout_id)
            if checkout is None:
                return None
            calls = unit.cloud.calls_of_checkout(checkout_id)
            reveals = unit.reveals.of_checkout(checkout_id)
            names = (
                f"checkout:{checkout_id}",
                *(f"entry:{entry}" for entry in dict.fromkeys(call.entry for call in calls)),
                *(f"reveal:{reveal.id}" for reveal in reveals),
            )
            found = unit.cloud.matching(names, SHOWN)
        end = lease_end(checkout)
        records = tuple(Sighting(seen, end is not None and seen.record.happened_at > end) for seen in found)
        return CheckoutCloud(checkout, records, calls)

    def status(self) -> CloudStatus:
        """Say how far each source was read, and what of it could not be."""
        with self.units.read() as unit:
            return CloudStatus(
                tuple(unit.cloud.source(source.name) for source in self.sources),
                unit.cloud.newest(),
                unit.cloud.indexed(),
                unit.ranges.size(),
                unit.cloud.broken(SHOWN),
            )

    def newest(self) -> datetime | None:
        """Give the time of the newest record that any source delivered; None without sources."""
        if not self.sources:
            return None
        with self.units.read() as unit:
            return unit.cloud.newest()

    # --- reading

    def _read(self, source: CloudRecords, ours: Ours, counts: Counts, tell: Callable[[str], None]) -> None:
        now = self.clock.now()
        with self.units.read() as unit:
            state = unit.cloud.source(source.name)
        position = state.position
        try:
            for part in source.parts(position, self._tags, now):
                if isinstance(part, Part):
                    self._read_part(part, ours, counts)
                    if counts.parts % 100 == 0:
                        tell(f"{source.name}: {counts.parts} parts, {counts.read} records")
                    continue
                position = part
                self._put(SourceState(source.name, position, now))
        except Unavailable as error:
            if error.code != "cloud.unavailable":
                raise
            counts.failing += 1
            tell(error.detail)
            self._put(
                SourceState(source.name, position, state.read_at, state.failing_since or now, error.detail)
            )
            return
        self._put(SourceState(source.name, position, now))

    def _read_part(self, part: Part, ours: Ours, counts: Counts) -> None:
        """Keep what concerns us of one part; what comes before a break counts."""
        counts.parts += 1
        kept: list[CloudRecord] = []
        reached: dict[tuple[str, str], list[datetime]] = {}
        events, fault = 0, None
        try:
            for raw in part.records():
                counts.read += 1
                read = parse(raw, ours) if not isinstance(raw, Unreadable) else raw
                if not isinstance(read, Kept | Passed):
                    counts.skipped[read.reason] += 1
                    continue
                _reach(reached, read.place, read.place.region)
                if isinstance(read, Kept):
                    for key in read.record.keys:
                        if key.startswith(_ARN):
                            _reach(reached, read.place, key)
                    kept.append(read.record)
                    events += 1
                if len(kept) >= BATCH:
                    self._keep(kept, reached, counts)
        except PartBroken as broken:
            counts.broken += 1
            fault = broken.reason
        self._keep(kept, reached, counts)
        with self.units.write() as unit:
            unit.cloud.put_file(part.place, part.tag, events, fault, self.clock.now())
            unit.commit()

    def _keep(
        self, kept: list[CloudRecord], reached: dict[tuple[str, str], list[datetime]], counts: Counts
    ) -> None:
        now = self.clock.now()
        with self.units.write() as unit:
            for record in sorted(kept, key=lambda each: each.event_id):
                if unit.cloud.add(record, now):
                    counts.new += 1
                    counts.late += record.late
            for (account, place), (since, until) in sorted(reached.items()):
                # a time that is not yet says nothing about what was delivered
                unit.cloud.reach(Reached(account, place, min(since, now), min(until, now)))
            unit.commit()
        kept.clear()
        reached.clear()

    def _tags(self, places: tuple[str, ...]) -> Mapping[str, str]:
        with self.units.read() as unit:
            return unit.cloud.tags(places)

    def _put(self, state: SourceState) -> None:
        with self.units.write() as unit:
            unit.cloud.put_source(state)
            unit.commit()

    # --- the log's own calls

    def _index(self) -> bool:
        """Index the calls of the next entries; False where there are none."""
        with self.units.write() as unit:
            first, size = unit.cloud.log_position(), unit.ranges.size()
            if first >= size:
                return False
            found = unit.ranges.pick(Stretch(first, size), Pick(types=CALLING), BATCH)
            for entry in found:
                for call in calls_in(entry):
                    unit.cloud.add_call(call)
            unit.cloud.set_log_position(found[-1].index + 1 if len(found) == BATCH else size)
            unit.commit()
        return True

    # --- judging

    def _judge_all(self, judge: Judge, counts: Counts) -> bool:
        """Judge all that can be; False where another worker is at some of it at the same moment."""
        after: tuple[datetime, str] | None = None
        whole = True
        while True:
            with self.units.read() as unit:
                some = unit.cloud.unjudged(after, BATCH)
            if not some:
                return whole
            whole = self._judge_some(judge, some, counts) and whole
            after = (some[-1].record.happened_at, some[-1].record.event_id)

    def _judge_some(self, judge: Judge, some: tuple[SeenEvent, ...], counts: Counts) -> bool:
        """Judge a batch, or where that fails each by itself; what fails then is put aside as an incident."""
        try:
            self._judge(judge, some, counts)
        except Exception as failure:  # noqa: BLE001 - no record, whatever is in it, ends the pass
            if isinstance(failure, Conflict) and failure.code == "concurrent.change":
                return False
            if len(some) > 1:
                alone = [self._judge_some(judge, (seen,), counts) for seen in some]
                return all(alone)
            self._put_aside(some[0], failure, counts)
        return True

    def _put_aside(self, seen: SeenEvent, failure: Exception, counts: Counts) -> None:
        """Open an incident about a record that could not be judged; raises where nothing can be written at all."""
        now = self.clock.now()
        with self.units.write() as unit:
            finding = _finding(unit, seen.record, undecided(seen.record, failure))
            alone = replace(finding, group=("could not be judged", seen.record.event_id))
            opened, unmatched = open_all(unit, [alone], now)
            unit.commit()
        counts.unmatched += unmatched
        counts.opened += opened

    def _judge(self, judge: Judge, some: tuple[SeenEvent, ...], counts: Counts) -> None:
        """Judge a batch: its rows first, incidents after them, the log's head last."""
        now = self.clock.now()
        tally: Counter[str] = Counter()
        with self.units.write() as unit:
            findings: list[Finding] = []
            for seen in some:
                verdict = judge.judge(unit, seen, now)
                if isinstance(verdict, Unexplained):
                    findings.append(_finding(unit, _about(judge.whole(seen.record), judge.ours), verdict))
                elif isinstance(verdict, Explained) and unit.cloud.judge(
                    seen.record.event_id, verdict.matched
                ):
                    tally["not_ours" if verdict.matched == NOT_OURS else "matched"] += 1
            opened, unmatched = open_all(unit, findings, now)
            unit.commit()
        counts.matched += tally["matched"]
        counts.not_ours += tally["not_ours"]
        counts.unmatched += unmatched
        counts.opened += opened

    # --- what AWS did not record

    def _keys(self) -> tuple[str, ...]:
        with self.units.read() as unit:
            return unit.cloud.keys()

    def _look_for(self, key: str, counts: Counts) -> None:
        """Open an incident for each call of a key that records cover and do not have."""
        region, account = key.split(":")[3:5]
        latest = self.clock.now() - self.wait
        with self.units.read() as unit:
            callers = {account, *(each.account_id for each in unit.cloud.reached(key))}
            spans = [each for each in unit.cloud.reached(region) if each.account_id in callers]
        for span in spans:
            while self._missing(key, span.since + MARGIN, min(span.until, latest), counts):
                pass

    def _missing(self, key: str, since: datetime, until: datetime, counts: Counts) -> bool:
        now = self.clock.now()
        with self.units.write() as unit:
            found = unit.cloud.unseen(key, since, until, BATCH)
            findings = [_absence(unit, call) for call in found]
            opened, missing = open_all(unit, findings, now)
            if found:
                unit.commit()
        counts.opened += opened
        counts.missing += missing
        return len(found) == BATCH


def _reach(reached: dict[tuple[str, str], list[datetime]], place: Place, what: str) -> None:
    span = reached.setdefault((place.account_id, what), [place.at, place.at])
    span[0], span[1] = min(span[0], place.at), max(span[1], place.at)


def _about(record: CloudRecord, ours: Ours) -> CloudRecord:
    """Leave out which account a use of another's key is about: whoever has a key can write any into its context.

    Nothing that we sealed opens under it. What was refused keeps the account: nobody got anything by it.
    """
    claimed = (
        record.kind is CloudKind.KEY_USE and record.error is None and not any(map(ours.owns, record.keys))
    )
    return replace(record, account_id=None) if claimed else record


def _finding(unit: Unit, record: CloudRecord, verdict: Unexplained) -> Finding:
    """Make what nothing explains a finding; the same act of the same one within an hour is one finding."""
    holder = last_holder(unit, record.account_id, record.happened_at)
    what = record.keys[0] if record.kind is CloudKind.KEY_USE and record.keys else ""
    ended = "refused" if record.error is not None else "done"
    hour = f"{record.happened_at:%Y-%m-%dT%H}"
    same = (record.account_id or record.recipient, record.name, ended, record.who, record.ip, what, hour)
    return Finding(
        kind=verdict.kind,
        group=same,
        event_id=record.event_id,
        account_id=record.account_id,
        checkout_id=None if holder is None else holder.id,
        summary=verdict.summary,
        evidence=record.record,
        happened_at=record.happened_at,
    )


def _absence(unit: Unit, call: LoggedCall) -> Finding:
    holder = last_holder(unit, call.account_id, call.made_at) if call.checkout_id is None else None
    entry = unit.log.entry(call.entry)
    summary = (
        f"Entry {call.entry} tells of {call.operation} (request {call.request_id}, purpose {call.purpose}); AWS's "
        "records from before and after it do not."
    )
    return Finding(
        kind=IncidentKind.MISSING_DECRYPT,
        group=(str(call.entry),),
        call=call,
        account_id=call.account_id,
        checkout_id=call.checkout_id or (None if holder is None else holder.id),
        summary=summary,
        evidence="" if entry is None else entry.leaf.decode(),
        happened_at=call.made_at,
    )
