"""Publishing: checkpoints leave the house and are confirmed by places outside.

Decided here: when a checkpoint is published, when a place outside gets it, and when that place is looked at for
what it keeps. Publishing is never part of an append: a checkpoint is taken after the commit that signed it, and no
place outside that is slow or gone can stop an entry. What a place keeps is looked at each minute, whether or not
anything is due to it: our own rows, which say what is due, may be somebody else's doing. The network is asked with
no transaction open; what came of it is written afterwards, and doing it twice does no harm.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError
from audit.signatures import merge
from vault.domain.outlet import SLACK, Outlet, OutletReceipt, Published
from vault.ports.anchors import AnchorFailed
from vault.services.highwater import checkpoint_of
from vault.services.outlets import believed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from vault.ports.anchors import Anchor, Confirmation, Cosigner
    from vault.ports.clock import Clock
    from vault.ports.store import Units
    from vault.services.highwater import HighWater
    from vault.services.outlets import Outlets

TURN: Final = timedelta(minutes=1)
"""How long a turn lasts if whoever took it is gone; each adapter takes less."""

LOOK_AGAIN: Final = timedelta(minutes=1)
"""Between two looks at what a place outside keeps."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a checkpoint is published: while there is something new, and confirmed again while there is not."""

    every: timedelta
    heartbeat: timedelta


@dataclass(frozen=True, slots=True)
class LogSource:
    """Implements `Source`: each call is a short look at the log."""

    units: Units

    def size(self) -> int:
        """Give the number of entries now."""
        with self.units.read() as unit:
            return checkpoint_of(unit.log.checkpoint()).size

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        """Prove that the tree of `old` entries is a prefix of that of `new`."""
        with self.units.read() as unit:
            found = unit.log.consistency(old, new)
        if found is None:
            raise AnchorFailed(f"this log has no proof from {old} to {new} entries")
        return found


@dataclass(frozen=True, slots=True)
class Publishing:
    """The worker's use cases on checkpoints and the places that keep them."""

    units: Units
    outlets: Outlets
    high_water: HighWater
    clock: Clock
    pace: Pace
    anchors: tuple[Anchor, ...] = ()
    cosigner: Cosigner | None = None
    looked: dict[str, datetime] = field(default_factory=dict, compare=False, repr=False)
    asked: dict[str, datetime] = field(default_factory=dict, compare=False, repr=False)

    @property
    def names(self) -> tuple[str, ...]:
        """The outlets whose confirmation counts."""
        return tuple(anchor.name for anchor in self.anchors)

    def once(self) -> None:
        """Publish and deliver whatever is due, one place after the other: for who does not run them side by side."""
        self.publish()
        for anchor in self.anchors:
            self.deliver(anchor)

    def publish(self) -> Published | None:
        """Publish the log's head if it grew and it is time; give what was published."""
        now = self.clock.now()
        with self.units.read() as unit:
            note, last = unit.log.checkpoint(), unit.published.latest()
        if last is not None:
            self.high_water.check("the list of published checkpoints", [last.note])
            if checkpoint_of(note).size <= last.size or -SLACK <= now - last.published_at < self.pace.every:
                return None
        made = Published(checkpoint_of(note).size, self._cosigned(note), now)
        with self.units.write() as unit:
            if not unit.published.add(made) and not unit.published.mend(made):
                return None
            unit.commit()
        return made

    def deliver(self, anchor: Anchor) -> Outlet | None:
        """Hand the newest published checkpoint to a place outside if it is time; give what came of it.

        Raises `Unavailable` log.rolled_back if that place keeps a checkpoint that our log does not continue.
        """
        if self._wanted(anchor.name) is None or (outlet := self.outlets.turn(anchor.name, TURN)) is None:
            return self._only_look(anchor)
        with self.units.read() as unit:
            newest = (
                unit.published.latest()
            )  # looked at again in our own turn: never less than another worker's
        if newest is None:
            return None
        try:
            self._look_again(anchor, newest.size)
            answer = anchor.confirm(newest.note, outlet.position, LogSource(self.units))
            note = _with_lines(newest.note, answer)
        except AnchorFailed as failure:
            came = self.outlets.failed(anchor.name, failure.words)
            self.high_water.check(anchor.name, failure.notes)
            return came
        return self._confirmed(anchor.name, replace(newest, note=note), answer)

    def look(self, anchor: Anchor) -> None:
        """Hold our log against what a place outside keeps. Raises `AnchorFailed`, or as `deliver` does."""
        with self.units.read() as unit:
            size = checkpoint_of(unit.log.checkpoint()).size
        self.high_water.check(anchor.name, anchor.latest(size))

    def _only_look(self, anchor: Anchor) -> Outlet | None:
        """Look at what a place keeps if it is time, though nothing is handed over; give what came of a failure."""
        now, asked = self.clock.now(), self.asked.get(anchor.name)
        if asked is not None and timedelta(0) <= now - asked < LOOK_AGAIN:
            return None
        with self.units.read() as unit:
            size = checkpoint_of(unit.log.checkpoint()).size
        try:
            self._look_again(anchor, size)
        except AnchorFailed as failure:
            came = self.outlets.failed(anchor.name, failure.words)
            self.high_water.check(anchor.name, failure.notes)
            return came
        return None

    def _wanted(self, name: str) -> Published | None:
        """Give what an outlet is to confirm now; None where nothing is due."""
        now = self.clock.now()
        with self.units.read() as unit:
            newest, outlet = unit.published.latest(), believed(unit, name, now)
        if newest is None or not outlet.is_due(now):
            return None
        waited = outlet.confirmed_at is None or now - outlet.confirmed_at >= self.pace.heartbeat
        failing = outlet.failing_since is not None
        return newest if newest.size > outlet.position or waited or failing else None

    def _look_again(self, anchor: Anchor, near: int) -> None:
        now, last = self.clock.now(), self.looked.get(anchor.name)
        if last is not None and timedelta(0) <= now - last < LOOK_AGAIN:
            return
        self.asked[anchor.name] = now
        self.high_water.check(anchor.name, anchor.latest(near))
        self.looked[anchor.name] = now

    def _confirmed(self, name: str, checkpoint: Published, answer: Confirmation) -> Outlet:
        now = self.clock.now()
        with self.units.write() as unit:
            if answer.lines and (kept := unit.published.claim(checkpoint.size)) is not None:
                unit.published.set_note(checkpoint.size, merge(kept.note, *answer.lines))
            unit.outlets.add_receipt(OutletReceipt(name, checkpoint.size, answer.evidence, now))
            outlet = self.outlets.confirm(unit, name, checkpoint.size, now)
            unit.commit()
        return outlet

    def _cosigned(self, note: str) -> str:
        """Add the second signature if there is a second signer, and it answers; published is in any case."""
        signer = self.cosigner
        if signer is None or self.outlets.turn(signer.name, TURN) is None:
            return note
        try:
            answer = signer.sign(note.rpartition("\n\n")[0] + "\n")
            cosigned = _with_lines(note, answer)
        except AnchorFailed as failure:
            self.outlets.failed(signer.name, failure.words)
            return note
        self.outlets.confirmed(signer.name, checkpoint_of(note).size)
        return cosigned


def _with_lines(note: str, answer: Confirmation) -> str:
    try:
        return merge(note, *answer.lines)
    except AuditError as error:
        raise AnchorFailed(f"a signature that cannot stand under a note: {error.words}") from None
