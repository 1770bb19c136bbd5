"""The daily review: days of the log, what stands out in each, and an auditor's signature under it (PCI DSS 10.4.1).

Decided here: a day is a range of indexes, from the first entry of its date (UTC) to the first of the next one, so
that the days together are the whole log, without a gap. A review is of the whole log, so only who reads all of
it signs. Signed is a day that is over, whose open work is written, by somebody who did nothing else than audit
that day, once, with a sentence and a word on each anomaly, and on what was not looked at where the day has too
much of it. The signature is an entry; there is no table.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn

from vault.domain.event import Event, EventType, Result
from vault.domain.policy import Permission
from vault.errors import Conflict, FieldError, Forbidden, Invalid, not_found
from vault.ports.ranges import Pick, Stretch
from vault.services.anomalies import Anomaly, digest
from vault.services.gate import Gate, refuse
from vault.services.leaves import Leaf
from vault.services.notable import look_at

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, Receipt, Unit, Units

DAYS: Final = 90
DAYS_MAX: Final = 366
RED_AFTER: Final = timedelta(hours=24)
SENTENCE_MIN: Final = 10
SENTENCE_MAX: Final = 500
ANSWER_MAX: Final = 300
ANSWERS_BYTES: Final = 40_000
"""A leaf has 65,535 bytes at most; the answers of one review have to fit, as the leaf writes them."""
UNREAD: Final = "a_incomplete"
"""Under this key is answered, beside the anomalies, what was done about entries that were not looked at."""
_UNDONE: Final = (Result.DENIED, Result.FAILED)
_EVERY: Final = 100_000
_SIGNATURE: Final = Pick(types=(EventType.REVIEW_SIGNED,), not_outcomes=_UNDONE)
"""Attempts that were refused are no signatures, and any number of them hides none."""

AUDITING: Final = frozenset(
    {
        EventType.SIGNED_IN,
        EventType.SIGN_IN_REFUSED,
        EventType.SIGNED_OUT,
        EventType.ENROLMENT_OPENED,
        EventType.PERSON_ENROLLED,
        EventType.TOKEN_ISSUED,
        EventType.TOKEN_REVOKED,
        EventType.AUDIT_VIEWED,
        EventType.AUDIT_EXPORTED,
        EventType.AUDIT_SAMPLED,
        EventType.AUDIT_EXAMINED,
        EventType.REVIEW_SIGNED,
        EventType.INCIDENT_ASSIGNED,
        EventType.INCIDENT_CLOSED,
    }
)
"""What a reviewer may have done on the day and still sign it; a refused attempt is not something done."""


class DayState(StrEnum):
    """Where a day stands."""

    RUNNING = "running"
    EMPTY = "empty"
    TO_DO = "to_do"
    RED = "red"
    SIGNED = "signed"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the log. `signed` is the entry of its signature; `moved` says that its range is another now."""

    day: date
    stretch: Stretch
    state: DayState
    signed: Leaf | None
    moved: bool = False

    @property
    def waits(self) -> bool:
        """Whether somebody has to review it."""
        return self.state in {DayState.TO_DO, DayState.RED}


@dataclass(frozen=True, slots=True)
class Review:
    """One day with what stands out in it; `unread` names the types of which not all notable entries were looked at.

    `stands_in_the_way` says in a sentence why it cannot be signed now by whoever looks, empty where it can.
    """

    day: Day
    found: tuple[Anomaly, ...]
    digest: str
    unread: tuple[str, ...]
    stands_in_the_way: str

    @property
    def complete(self) -> bool:
        """Whether all notable entries were looked at."""
        return not self.unread

    @property
    def asked(self) -> tuple[str, ...]:
        """The keys under which a signature has to say something, in the order they are shown."""
        return (*(() if self.complete else (UNREAD,)), *(each.key for each in self.found))


@dataclass(frozen=True, slots=True)
class Signing:
    """What a reviewer signs: the digest they looked at, a sentence, and a word under each key that is asked for."""

    digest: str
    sentence: str
    answers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Use cases of the daily review."""

    units: Units
    gate: Gate
    clock: Clock
    _bounds: dict[date, int] = field(default_factory=dict, repr=False, compare=False)

    def days(self, actor: Actor, count: int = DAYS) -> tuple[Day, ...]:
        """List the last days of the log, the newest first; for who may review."""
        now = self.clock.now()
        self._require(actor, now)
        return self.last_days(count)

    def last_days(self, count: int = DAYS) -> tuple[Day, ...]:
        """List the last days, the newest first, for programs on the host: no name and no entry is told."""
        now = self.clock.now()
        with self.units.read() as unit:
            first = unit.log.entry(0)
            if first is None:
                return ()
            oldest = max(Leaf.of(first).at.date(), now.date() - timedelta(days=min(count, DAYS_MAX) - 1))
            signed = _signatures(unit, 2 * min(count, DAYS_MAX))
            bounds = [
                self._index(unit, oldest + timedelta(days=n), now)
                for n in range((now.date() - oldest).days + 2)
            ]
        ranges = [Stretch(low, max(low, high)) for low, high in pairwise(bounds)]
        days = (oldest + timedelta(days=n) for n in range(len(ranges)))
        return tuple(
            _day(day, stretch, signed.get(day), now) for day, stretch in zip(days, ranges, strict=True)
        )[::-1]

    def waiting(self) -> tuple[Day, ...]:
        """List the days that are over for more than 24 hours and not signed, the oldest first."""
        return tuple(day for day in reversed(self.last_days()) if day.state is DayState.RED)

    def review(self, actor: Actor, day: date) -> Review:
        """Look at one day; that it was looked at is an entry."""
        now = self.clock.now()
        self._require(actor, now)
        found = self._look(actor, day, now)
        event = Event(EventType.AUDIT_VIEWED, actor, detail={"what": "review", "day": day.isoformat()})
        with self.units.write() as unit:
            unit.log.record(event, now)
            unit.commit()
        return found

    def sign(self, actor: Actor, day: date, signing: Signing) -> tuple[Day, Receipt]:
        """Sign a day's review.

        Raises `Invalid`, `Forbidden` for who may not, `Conflict` review.state while the day is running or has open
        work, was signed, is not what was looked at, or the signer did other things that day.
        """
        now = self.clock.now()
        self._require(actor, now)
        review = self._look(actor, day, now)
        self._check_words(review, signing)
        detail: dict[str, str | int | bool | None] = {
            "day": day.isoformat(),
            "first": review.day.stretch.first,
            "size": review.day.stretch.until,
            "entries": review.day.stretch.count,
            "anomalies": len(review.found),
            "digest": review.digest,
            "complete": review.complete,
            "sentence": signing.sentence.strip(),
            **{key: signing.answers[key].strip() for key in review.asked},
        }
        if review.unread:
            detail["unread"] = " ".join(review.unread)
        event = Event(EventType.REVIEW_SIGNED, actor, detail=detail, subject=f"review:{day.isoformat()}")
        with self.units.write() as unit:
            if review.stands_in_the_way:
                self._refuse(unit, event, review.stands_in_the_way, now)
            if signing.digest != review.digest:
                self._refuse(
                    unit, event, "This is not the day you looked at; load the page again and look.", now
                )
            receipt = unit.log.record(event, now)
            # the head is locked from here on: nobody else can sign between this look and the commit
            if any(leaf.index != receipt.index for leaf in _signatures_of(unit, day)):
                raise Conflict("concurrent.change", "Somebody else signed this day at the same moment.")
            unit.commit()
        signed = Leaf.of(self._entry(receipt.index))
        return Day(day, review.day.stretch, DayState.SIGNED, signed), receipt

    def get(self, actor: Actor, day: date) -> Day:
        """Give where one day stands."""
        now = self.clock.now()
        self._require(actor, now)
        with self.units.read() as unit:
            return self._one(unit, day, now)

    def _look(self, actor: Actor, day: date, now: datetime) -> Review:
        with self.units.read() as unit:
            one = self._one(unit, day, now)
            found, unread = look_at(unit, one.stretch)
            way = self._in_the_way(unit, actor, one)
        return Review(one, found, digest(found, unread), unread, way)

    def _one(self, unit: Unit, day: date, now: datetime) -> Day:
        first = unit.log.entry(0)
        if first is None or not Leaf.of(first).at.date() <= day <= now.date():
            raise not_found("day", day.isoformat())
        low, high = (self._index(unit, each, now) for each in (day, day + timedelta(days=1)))
        signed = _signatures_of(unit, day)
        return _day(day, Stretch(low, max(low, high)), signed[0] if signed else None, now)

    def _in_the_way(self, unit: Unit, actor: Actor, day: Day) -> str:
        """Say why the day cannot be signed now by this actor; empty where it can."""
        end = _midnight(day.day + timedelta(days=1))
        if day.state is DayState.SIGNED and day.signed is not None:
            return f"This day was signed by {day.signed.who.name} in entry {day.signed.index}."
        if day.state is DayState.RUNNING:
            return "This day is not over (UTC). Sign it tomorrow."
        if day.state is DayState.EMPTY:
            return "This day has no entries: there is nothing to sign."
        settled = not unit.reveals.unfinished(end, 1) and not unit.checkouts.overdue(end, 1)
        if not settled or not _is_summed_up(unit, day):
            return "The worker has not written down yet what time has ended on that day. Wait, or run it."
        others = Pick(actor_id=actor.id, not_types=tuple(sorted(AUDITING)), not_outcomes=_UNDONE)
        if work := unit.ranges.pick(day.stretch, others, 1):
            return f"You did other work that day (entry {work[0].index}): another auditor has to review it."
        return ""

    def _check_words(self, review: Review, signing: Signing) -> None:
        errors: list[FieldError] = []
        if not SENTENCE_MIN <= len(signing.sentence.strip()) <= SENTENCE_MAX:
            words = f"Say in {SENTENCE_MIN} to {SENTENCE_MAX} characters what you looked at."
            errors.append(FieldError("/sentence", words))
        for key in review.asked:
            if not 1 <= len(signing.answers.get(key, "").strip()) <= ANSWER_MAX:
                words = f"Say what was done about it, in 1 to {ANSWER_MAX} characters."
                errors.append(FieldError(f"/answers/{key}", words))
        said = json.dumps(dict(signing.answers), ensure_ascii=False)
        if len(said.encode("utf-8", "replace")) > ANSWERS_BYTES:
            errors.append(FieldError("/answers", f"All answers together have {ANSWERS_BYTES} bytes at most."))
        if errors:
            raise Invalid("input.invalid", "Some of the review is missing; see errors.", errors=tuple(errors))

    def _index(self, unit: Unit, day: date, now: datetime) -> int:
        """Give the index at which a day begins; kept where the day before it is over for long."""
        if day not in self._bounds:
            found = unit.ranges.index_at(_midnight(day))
            if now - _midnight(day) < RED_AFTER:
                return found
            self._bounds[day] = found
        return self._bounds[day]

    def _require(self, actor: Actor, now: datetime) -> None:
        """Return for who may review the whole log; a part of it cannot be signed for."""
        reach = self.gate.policy.reach(actor, Permission.LOG_REVIEW)
        if reach.everything:
            return
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.LOG_REVIEW, now)
            words = "A review is of the whole log, and your scope is a part of it. Ask an auditor of all accounts."
            event = Event(EventType.ACCESS_DENIED, actor, detail={"permission": Permission.LOG_REVIEW})
            refuse(unit, event, Forbidden("policy.denied", words, rule=Permission.LOG_REVIEW), now)

    def _refuse(self, unit: Unit, event: Event, words: str, now: datetime) -> NoReturn:
        denied = Event(event.type, event.actor, Result.DENIED, detail={"day": event.detail["day"]})
        refuse(unit, denied, Conflict("review.state", words), now)

    def _entry(self, index: int) -> Entry:
        with self.units.read() as unit:
            found = unit.log.entry(index)
        if found is None:
            raise not_found("entry", str(index))
        return found


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def _day(day: date, stretch: Stretch, signed: Leaf | None, now: datetime) -> Day:
    end = _midnight(day + timedelta(days=1))
    if signed is not None:
        was = (signed.detail.get("first"), signed.detail.get("size"))
        return Day(day, stretch, DayState.SIGNED, signed, moved=was != (stretch.first, stretch.until))
    if now < end:
        state = DayState.RUNNING
    elif not stretch.count:
        state = DayState.EMPTY
    else:
        state = DayState.RED if now - end > RED_AFTER else DayState.TO_DO
    return Day(day, stretch, state, None)


def _signatures(unit: Unit, limit: int) -> dict[date, Leaf]:
    """Give the first signature of each day, among the newest ones: late ones may be of days before those shown."""
    signed = (Leaf.of(each) for each in unit.ranges.last(_SIGNATURE, limit))
    return {date.fromisoformat(leaf.told("day")): leaf for leaf in signed}


def _signatures_of(unit: Unit, day: date) -> tuple[Leaf, ...]:
    """Give the signatures of one day, oldest first: none was made before the day was over."""
    stretch = Stretch(unit.ranges.index_at(_midnight(day)), unit.ranges.size())
    signed = (Leaf.of(each) for each in unit.ranges.pick(stretch, _SIGNATURE, _EVERY))
    return tuple(leaf for leaf in signed if leaf.told("day") == day.isoformat())


def _is_summed_up(unit: Unit, day: Day) -> bool:
    """Say whether the log has its own summary of the day: what the worker writes of it comes before that."""
    wanted = Pick(types=(EventType.LOG_DAY,))
    later = unit.ranges.pick(Stretch(day.stretch.until, unit.ranges.size()), wanted, DAYS_MAX)
    return any(Leaf.of(entry).told("day") == day.day.isoformat() for entry in later)
