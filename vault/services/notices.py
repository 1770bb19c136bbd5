"""What a person is told, and how they want to hear of it; dead letters for those who answer for them.

Decided here: an inbox is its person's alone, and shows of an account only what they see now. What is urgent comes by
mail whatever was chosen. Dead letters are seen by administrators and auditors, and sent again by administrators or
on the host; of both the log tells. Never done here: sending.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vault.domain.actor import Actor, ActorKind, system_actor
from vault.domain.event import Change, Event, EventType
from vault.domain.notice import CHOSEN, Channel, Choice, Notice, NoticeState, Topic, Way
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict, FieldError, Forbidden, Invalid, not_found
from vault.ports.records import Page

if TYPE_CHECKING:
    from vault.ports.clock import Clock
    from vault.ports.notices import Load
    from vault.ports.store import Slice, Unit, Units
    from vault.services.gate import Gate

COUNTED: Final = 100
"""Unread notices are counted no further than this."""
OUT_OF_SIGHT: Final = "About an account that you do not see any more"
HOST: Final = system_actor("host")


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter with its reader's name; without account and line where whoever looks does not see the account."""

    notice: Notice
    reader: str


@dataclass(frozen=True, slots=True)
class Notices:
    """Use cases of readers and of those who answer for the channels; `by_mail` says whether there is mail."""

    units: Units
    gate: Gate
    clock: Clock
    by_mail: bool = False

    def inbox(self, actor: Actor, part: Slice, *, unread: bool = False) -> Page[Notice]:
        """List one's own, newest first."""
        with self.units.read() as unit:
            found = unit.notices.inbox(actor.id, part, unread=unread)
            return replace(found, items=tuple(self._in_sight(unit, actor, each) for each in found.items))

    def unread(self, actor: Actor) -> int:
        """Count one's own unread ones, `COUNTED` at most: one statement, as every page asks."""
        if actor.kind is not ActorKind.PERSON:
            return 0
        with self.units.read() as unit:
            return unit.notices.unread(actor.id, COUNTED)

    def read(self, actor: Actor, notice_id: str | None = None) -> int:
        """Mark one of one's own as read, or all; give how many were not. Another's is as absent as none."""
        now = self.clock.now()
        with self.units.write() as unit:
            if notice_id is not None:
                found = unit.notices.get(notice_id)
                if found is None or found.recipient != actor.id or found.channel is not Channel.INBOX:
                    raise not_found("notice", notice_id[:36])
            count = unit.notices.read(actor.id, now, notice_id)
            unit.commit()
        return count

    def get(self, actor: Actor, notice_id: str) -> Notice:
        """Read one of one's own, by the channel of the inbox."""
        with self.units.read() as unit:
            found = unit.notices.get(notice_id)
            if found is None or found.recipient != actor.id or found.channel is not Channel.INBOX:
                raise not_found("notice", notice_id[:36])
            return self._in_sight(unit, actor, found)

    def choices(self, actor: Actor) -> dict[Topic, Way]:
        """Give how one hears of each topic that one has a choice in."""
        with self.units.read() as unit:
            chosen = unit.notices.choices(actor.id)
        return {topic: chosen.get(topic, Way.MAIL) for topic in CHOSEN}

    def choose(self, actor: Actor, wanted: Mapping[Topic, Way]) -> dict[Topic, Way]:
        """Choose for some topics; nobody has a choice in emergencies, and a machine is told nothing."""
        if Topic.EMERGENCY in wanted:
            words = "Emergencies always come by mail."
            raise Invalid("input.invalid", words, errors=(FieldError("/emergency", words),))
        if actor.kind is not ActorKind.PERSON:
            raise Forbidden("policy.denied", "Notices are for people.")
        now = self.clock.now()
        with self.units.write() as unit:
            before = unit.notices.choices(actor.id)
            told: list[Change] = []
            for topic, way in wanted.items():
                if before.get(topic, Way.MAIL) is not way:
                    was = Choice(actor.id, topic, before[topic]) if topic in before else None
                    choice = Choice(actor.id, topic, way)
                    unit.notices.choose(choice)
                    told += changes(was, choice)
            if told:
                detail = {topic.value: way.value for topic, way in wanted.items()}
                unit.log.record(
                    Event(EventType.NOTICE_CHOSEN, actor, changes=tuple(told), detail=detail), now
                )
                unit.commit()
        return {topic: wanted.get(topic, before.get(topic, Way.MAIL)) for topic in CHOSEN}

    def load(self) -> Mapping[Channel, Load]:
        """Count what waits and what is dead, by channel; for numbers and doctor, nothing about anyone."""
        with self.units.read() as unit:
            return unit.notices.load(self.clock.now())

    def answers_for(self, actor: Actor) -> bool:
        """Say whether somebody may look at dead letters."""
        asked = (Permission.PEOPLE_MANAGE, Permission.LOG_READ)
        return any(not self.gate.policy.reach(actor, each).empty for each in asked)

    def dead(self, actor: Actor, part: Slice) -> Page[DeadLetter]:
        """List dead letters, newest first, for administrators and auditors."""
        if not self.answers_for(actor):
            with self.units.write() as unit:
                self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, self.clock.now())
        with self.units.read() as unit:
            found = unit.notices.dead(part)
            items = tuple(self._dead(unit, actor, each) for each in found.items)
        return Page(items, found.next)

    def replay(self, actor: Actor, notice_id: str | None = None) -> int:
        """Have one dead letter sent again, or all; give how many.

        Raises `Conflict` notice.state for one that is not dead.
        """
        now = self.clock.now()
        with self.units.write() as unit:
            if actor is not HOST:
                self.gate.require(unit, actor, Permission.PEOPLE_MANAGE, now)
            if notice_id is not None:
                found = unit.notices.get(notice_id)
                if found is None:
                    raise not_found("notice", notice_id[:36])
                if found.state is not NoticeState.DEAD:
                    raise Conflict(
                        "notice.state", f"This notice is {found.state}, not dead.", state=found.state
                    )
            count = unit.notices.replay(now, notice_id)
            if count:
                detail = {"count": count} | ({} if notice_id is None else {"notice": notice_id})
                subject = None if notice_id is None else f"notice:{notice_id}"
                unit.log.record(Event(EventType.NOTICE_REPLAYED, actor, detail=detail, subject=subject), now)
                unit.commit()
        return count

    def _in_sight(self, unit: Unit, actor: Actor, notice: Notice) -> Notice:
        """Give a notice as somebody may see it now (S21)."""
        if notice.account_id is None:
            return notice
        account = unit.accounts.get(notice.account_id)
        reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
        seen = reach.everything if account is None else self.gate.sees(actor, account)
        return notice if seen else replace(notice, account_id=None, title=OUT_OF_SIGHT, path="/notices")

    def _dead(self, unit: Unit, actor: Actor, notice: Notice) -> DeadLetter:
        person = unit.people.get(notice.recipient)
        name = notice.recipient if person is None else person.name
        return DeadLetter(self._in_sight(unit, actor, notice), name)
