"""Places outside as people see them: who keeps the log, how far each is, and what was published.

Decided here: who may look (who may read the log), and what word a place gets. A checkpoint is a public value:
reading one is no reading of the log, and no entry. Never asked here: the places themselves.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.domain.outlet import Outlet
from vault.domain.policy import Permission
from vault.errors import not_found
from vault.services.highwater import checkpoint_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.outlet import OutletReceipt, Published
    from vault.ports.clock import Clock
    from vault.ports.store import Page, Slice, Units
    from vault.services.anchored import Anchored
    from vault.services.gate import Gate


class PlaceKind(StrEnum):
    """What a place outside is; the value is how its outlet's name begins."""

    WITNESS = "witness"
    BUCKET = "bucket"
    FILE = "file"
    COPY = "copy"
    SIGNER = "signer"
    MAIL = "mail"
    FEED = "feed"


class PlaceState(StrEnum):
    """How a place fares."""

    CONFIRMED = "confirmed"
    WAITING = "waiting"
    FAILING = "failing"
    LOST = "lost"


PROVES: Final = {
    PlaceKind.WITNESS: "That this log was never cut, changed or shown differently, at a time by another clock.",
    PlaceKind.BUCKET: "That this log was never cut or changed; nobody can remove what is there before its time.",
    PlaceKind.FILE: "That this log was never cut or changed, as far as the file's disk is out of reach.",
    PlaceKind.COPY: "Every entry is there as well, should this machine be lost.",
    PlaceKind.SIGNER: "That AWS KMS signed it too: the key on this machine alone cannot.",
    PlaceKind.MAIL: "Everything before the last letter, to whoever kept it.",
    PlaceKind.FEED: "Others get each entry as it is written.",
}
"""What each kind of place proves to somebody who trusts nobody here."""


@dataclass(frozen=True, slots=True)
class Place:
    """One place outside; `lag` entries are not known to be there, `counts` says whether disclosures wait for it.

    `vkey` is a witness's public key as it is in the settings, for who checks its cosignatures; None for others.
    """

    kind: PlaceKind
    outlet: Outlet
    lag: int
    counts: bool
    vkey: str | None = None

    @property
    def state(self) -> PlaceState:
        """The word for how it fares."""
        if self.outlet.lost:
            return PlaceState.LOST
        if self.outlet.failing_since is not None:
            return PlaceState.FAILING
        return PlaceState.WAITING if self.outlet.confirmed_at is None else PlaceState.CONFIRMED


@dataclass(frozen=True, slots=True)
class Standing:
    """How the log stands outside, at one moment.

    `unconfirmed_since` is the time of the oldest entry that no place confirmed, None where there is none or nobody
    is asked; disclosures are stopped since `stopped_since`.
    """

    size: int
    places: tuple[Place, ...]
    unconfirmed_since: datetime | None
    stopped_since: datetime | None


@dataclass(frozen=True, slots=True)
class Places:
    """Use cases of whoever looks; `names` are the outlets of the present settings, `vkeys` those of witnesses."""

    units: Units
    gate: Gate
    clock: Clock
    anchored: Anchored
    names: tuple[str, ...] = ()
    vkeys: Mapping[str, str] = field(default_factory=dict)

    def look(self, actor: Actor) -> Standing:
        """Say how the log stands outside, to who may read it."""
        self._require(actor)
        return self.standing()

    def standing(self) -> Standing:
        """Say how the log stands outside: numbers only, for health and metrics as well."""
        now = self.clock.now()
        with self.units.read() as unit:
            size = checkpoint_of(unit.log.checkpoint()).size
            known = {outlet.name: outlet.believed(size, now) for outlet in unit.outlets.all()}
            since = self.anchored.since(unit, now)
            stopped = self.anchored.stopped_since(unit, now)
        places = (self._place(known.get(name) or Outlet(name), size) for name in self.names)
        return Standing(size, tuple(places), since, stopped)

    def stopped_since(self) -> datetime | None:
        """Say since when disclosures are stopped, None while they are not: for every page."""
        if not self.anchored.is_asked:
            return None
        with self.units.read() as unit:
            return self.anchored.stopped_since(unit, self.clock.now())

    def newest(self, actor: Actor, at_most: int) -> tuple[tuple[Published, ...], tuple[OutletReceipt, ...]]:
        """Give the checkpoints of today (UTC), largest first, and who confirmed the largest."""
        self._require(actor)
        with self.units.read() as unit:
            latest = unit.published.latest()
            midnight = self.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
            if latest is None:
                return (), ()
            today = [each for each in unit.published.since(midnight) if each.size <= latest.size][:at_most]
            found = tuple(today) or (latest,)
            return found, unit.outlets.receipts(found[0].size)

    def page(self, actor: Actor, part: Slice) -> Page[Published]:
        """List published checkpoints, largest first."""
        self._require(actor)
        with self.units.read() as unit:
            return unit.published.page(part)

    def checkpoint(self, actor: Actor, size: int) -> Published:
        """Find a published checkpoint by size."""
        self._require(actor)
        with self.units.read() as unit:
            found = unit.published.get(size)
        if found is None:
            raise not_found("published checkpoint", str(size))
        return found

    def _place(self, outlet: Outlet, size: int) -> Place:
        begins = outlet.name.partition("/")[0]
        kind = PlaceKind(begins) if begins in set(PlaceKind) else PlaceKind.FEED
        counts, vkey = outlet.name in self.anchored.names, self.vkeys.get(outlet.name)
        return Place(kind, outlet, max(0, size - outlet.position), counts, vkey)

    def _require(self, actor: Actor) -> None:
        now = self.clock.now()
        if self.gate.policy.reach(actor, Permission.LOG_READ).empty:
            with self.units.write() as unit:
                self.gate.require(unit, actor, Permission.LOG_READ, now)
