"""Notices that wait are sent: by mail to people, by webhook to a team's room.

Decided here: what is due is claimed for a time in one short transaction, sent with none open, and what came of it
is written in another. Whoever is killed in between has sent something and does not know: when the claim runs out it
is sent again, under the same id. A notice is for its reader as they are now: one who was shut out, or does not see
the account any more, is not told. After sixteen tries, or where it was refused for good, it is a dead letter; the
log tells of each batch of those once.

Never done here: who is told of what.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Final

from vault.domain.actor import system_actor
from vault.domain.event import Event, EventType, Result
from vault.domain.notice import Channel, Notice, NoticeState
from vault.ports.anchors import AnchorFailed, LetterRefused
from vault.services.audiences import Audiences
from vault.services.letters import letter_of, line_of

if TYPE_CHECKING:
    from vault.errors import Fact
    from vault.ports.anchors import Mailer
    from vault.ports.clock import Clock
    from vault.ports.notices import Room
    from vault.ports.store import Units
    from vault.services.gate import Gate

_BATCH: Final = 50
_BATCHES: Final = 20
_SECONDS: Final = 60.0
_TURN: Final = timedelta(seconds=150)
"""Longer than a batch takes, one last unanswered message included: nobody else sends it meanwhile."""
_SWEPT: Final = 500


class _Failed(Exception):
    """A message did not arrive; `for_good` says that trying again is of no use."""

    def __init__(self, words: str, *, for_good: bool = False) -> None:
        super().__init__(words)
        self.words = words
        self.for_good = for_good


@dataclass(frozen=True, slots=True)
class Sending:
    """The worker's use case on what waits; None for a channel that the settings do not name."""

    units: Units
    gate: Gate
    clock: Clock
    public_url: str
    origin: str
    keep: timedelta
    monotonic: Callable[[], float]
    """Seconds that only go forward: how long a batch may take."""
    mailer: Mailer | None = None
    room: Room | None = None

    def mail(self) -> int:
        """Send the letters that are due, some batches at most; give how many notices they took along."""
        return self._all(Channel.MAIL, self._letter) if self.mailer is not None else 0

    def tell(self) -> int:
        """Send the messages that are due to the room; give how many it took."""
        return self._all(Channel.WEBHOOK, self._message) if self.room is not None else 0

    def sweep(self) -> int:
        """Remove what came to its end longer ago than notices are kept; give how many."""
        before = self.clock.now() - self.keep
        with self.units.read() as unit:
            if not unit.notices.is_old(before):
                return 0
        with self.units.write() as unit:
            count = unit.notices.sweep(before, _SWEPT)
            unit.commit()
        return count

    def _all(self, channel: Channel, send: Callable[[Sequence[Notice], str], None]) -> int:
        count = 0
        for _ in range(_BATCHES):
            claimed = self._claim(channel)
            if not claimed:
                break
            came = self._batch(channel, claimed, send)
            count += came
            if came < len(claimed):
                break  # what failed waits; what was given back is the next call's
        return count

    def _claim(self, channel: Channel) -> tuple[Notice, ...]:
        now = self.clock.now()
        with self.units.read() as unit:
            if not unit.notices.is_due(channel, now):
                return ()
        with self.units.write() as unit:
            claimed = unit.notices.claim(channel, now, now + _TURN, _BATCH)
            unit.commit()
        return claimed

    def _batch(
        self, channel: Channel, claimed: Sequence[Notice], send: Callable[[Sequence[Notice], str], None]
    ) -> int:
        addresses = self._addresses(channel, claimed)
        until = self.monotonic() + _SECONDS
        left: list[tuple[Notice, Notice]] = []
        count = 0
        for group in _together(claimed):
            now = self.clock.now()
            meant = [each for each in group if each.id in addresses]
            self._settle([(each, each.dropped(now)) for each in group if each.id not in addresses])
            if not meant:
                continue
            if self.monotonic() > until:
                left += [(each, each.given_back(now)) for each in meant]
                continue
            try:
                send(meant, addresses[meant[0].id])
            except _Failed as failure:
                now = self.clock.now()
                left += [(each, each.failed(failure.words, now, for_good=failure.for_good)) for each in meant]
            else:
                now = self.clock.now()
                self._settle([(each, each.sent(now)) for each in meant])
                count += len(meant)
        self._settle(left)
        return count

    def _addresses(self, channel: Channel, claimed: Sequence[Notice]) -> dict[str, str]:
        """Give the address for each notice that is still for its reader."""
        if channel is Channel.WEBHOOK:
            return {each.id: each.recipient for each in claimed}
        now = self.clock.now()
        found: dict[str, str] = {}
        with self.units.read() as unit:
            audiences = Audiences(unit, self.gate, now, {})
            for each in claimed:
                reader = audiences.reader(each.recipient)
                if reader is not None and audiences.may_hear(reader, each.event, each.account_id):
                    found[each.id] = reader.person.email
        return found

    def _settle(self, changed: Sequence[tuple[Notice, Notice]]) -> None:
        """Write what came of tries; dead letters of one batch are one entry."""
        if not changed:
            return
        now = self.clock.now()
        with self.units.write() as unit:
            written = [new for was, new in changed if unit.notices.settle(was, new)]
            dead = [each for each in written if each.state is NoticeState.DEAD]
            if dead:
                detail: dict[str, Fact] = {
                    "channel": dead[0].channel.value,
                    "count": len(dead),
                    "notice": dead[0].id,
                    "error": dead[0].error,
                }
                event = Event(EventType.NOTICE_DEAD, system_actor("worker"), Result.FAILED, detail=detail)
                unit.log.record(event, now)
            unit.commit()

    def _letter(self, notices: Sequence[Notice], address: str) -> None:
        if self.mailer is None:
            raise _Failed("the settings name no mail server")
        letter = letter_of(notices, self.public_url, self.origin)
        try:
            self.mailer.send((address,), letter.subject, letter.text, letter.message_id, letter.html)
        except LetterRefused as failure:
            raise _Failed(failure.words, for_good=True) from None
        except AnchorFailed as failure:
            raise _Failed(failure.words) from None

    def _message(self, notices: Sequence[Notice], address: str) -> None:
        del address
        if self.room is None:
            raise _Failed("the settings name no webhook")
        (notice,) = notices
        data = {
            "topic": notice.topic.value,
            "urgent": notice.urgent,
            "title": line_of(notice),
            "count": notice.count,
            "entry": notice.entry,
            "url": self.public_url.rstrip("/") + notice.path,
        }
        came = self.room.tell(notice.id, notice.event, data, notice.at)
        if came.error is not None:
            raise _Failed(came.error, for_good=came.gone)


def _together(claimed: Sequence[Notice]) -> Iterator[list[Notice]]:
    """Put a person's digest into one letter; each other notice is one of its own."""
    for each in claimed:
        if not each.digest:
            yield [each]
    late = sorted(
        (each for each in claimed if each.digest), key=lambda each: (each.recipient, each.at, each.id)
    )
    for _, group in groupby(late, key=lambda each: each.recipient):
        yield list(group)
