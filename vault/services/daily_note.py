"""The daily note: three lines by mail that prove everything before them, to people outside this machine.

Decided here: one letter a UTC day to one list of people, with the newest published checkpoint as it is signed, what
changed since the last letter, and the command that holds a copy of the log against it. A letter that may
have gone out already goes out again under the same Message-ID. It is plain text, and holds no name of a
customer, account or person.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from vault.domain.actor import Reach
from vault.domain.event import EventType
from vault.domain.outlet import ANCHORS, OutletReceipt
from vault.ports.anchors import AnchorFailed
from vault.ports.store import EntryFilter, Slice
from vault.services.outlets import believed
from vault.services.publishing import TURN

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.outlet import Outlet, Published
    from vault.ports.anchors import Mailer
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.outlets import Outlets

_COUNTED = 500


@dataclass(frozen=True, slots=True)
class DailyNote:
    """The worker's use case on letters."""

    units: Units
    outlets: Outlets
    clock: Clock
    origin: str
    vkey: str
    to: tuple[str, ...] = ()
    mailer: Mailer | None = None

    @property
    def name(self) -> str:
        """The outlet's name: each list of people is one of its own."""
        return f"mail/{sha256(' '.join(sorted(self.to)).encode()).hexdigest()[:8]}"

    def once(self) -> Outlet | None:
        """Send today's letter if it was not sent yet; give what came of it, None where nothing is due."""
        mailer, now = self.mailer, self.clock.now()
        if mailer is None or not self.to:
            return None
        with self.units.read() as unit:
            newest, outlet = unit.published.latest(), believed(unit, self.name, now)
            was_sent = outlet.confirmed_at is not None and outlet.confirmed_at.date() >= now.date()
            if newest is None or was_sent or not outlet.is_due(now):
                return None
            body = self._body(unit, newest, outlet)
        if self.outlets.turn(self.name, TURN) is None:
            return None
        subject = f"Audit log {self.origin}: {newest.size} entries on {now:%Y-%m-%d}"
        message_id = (
            f"{now:%Y%m%d}.{newest.size}.{self.name.partition('/')[2]}@{self.origin.partition('/')[0]}"
        )
        try:
            evidence = mailer.send(self.to, subject, body, message_id)
        except AnchorFailed as failure:
            return self.outlets.failed(self.name, failure.words)
        return self._sent(newest, evidence)

    def _sent(self, newest: Published, evidence: str) -> Outlet:
        now = self.clock.now()
        with self.units.write() as unit:
            unit.outlets.add_receipt(OutletReceipt(self.name, newest.size, evidence, now))
            outlet = self.outlets.confirm(unit, self.name, newest.size, now)
            unit.commit()
        return outlet

    def _body(self, unit: Unit, newest: Published, outlet: Outlet) -> str:
        lines = (
            "Keep this letter. It proves every entry of the audit log up to now: a log that was changed,",
            "cut or replaced later does not fit the lines below.",
            "",
            *newest.note.rstrip("\n").split("\n"),
            "",
            *_changes(unit, newest, outlet),
            "",
            "To hold a copy of the log against this letter, save the letter's lines from the log's name to the",
            "last line that begins with a dash as checkpoint.txt, and run:",
            "",
            f"  python -m audit verify COPY --key '{self.vkey}' --since checkpoint.txt",
            "",
        )
        return "\n".join(lines)


def _changes(unit: Unit, newest: Published, outlet: Outlet) -> tuple[str, str, str]:
    """Say in three lines what changed since the last letter."""
    since = outlet.confirmed_at
    when = "the log was opened" if since is None else f"the letter of {since:%Y-%m-%d}"
    places = [each for each in unit.outlets.all() if each.name.startswith(ANCHORS)]
    silent = [each.name for each in places if each.failing_since is not None]
    keeping = f"Places outside that keep this log: {len(places)}; "
    keeping += f"silent: {', '.join(silent)}." if silent else "all confirm."
    released, refused = (
        _count(unit, kind, since) for kind in (EventType.REVEAL_RELEASED, EventType.REVEAL_REFUSED)
    )
    return (
        f"Entries since {when}: {newest.size - outlet.position} (from {outlet.position} to {newest.size}).",
        f"Disclosures since then: {released}, refused: {refused}.",
        keeping if places else "No other place keeps this log.",
    )


def _count(unit: Unit, kind: EventType, since: datetime | None) -> str:
    page = unit.log.page(EntryFilter(type=kind, since=since), Reach(everything=True), Slice(_COUNTED))
    return f"{len(page.items)}" if page.next is None else f"more than {len(page.items)}"
