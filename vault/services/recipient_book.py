"""The recovery recipient in force, as who seals asks for it: looked for in the database, believed by the log (S6).

Decided here: when a recipient is believed. Each time something is sealed, one small statement says which one the rows
have in force. Where that is another than is believed, the log decides: the entries that agreed to recipients or ended
them are read, those that count are proven to be in the signed tree, and what they name is wrapped for. Rows, settings
and files that say otherwise change nothing, so that who administers the host or the database cannot name their own.
A process never goes back to an older one.

Never decided here: what two people may agree to (`recipients`). Nothing here can open a wrap.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vault.crypto.recovery import is_recipient, wrap_for
from vault.domain.event import EventType
from vault.domain.recipient import ToldRecipient
from vault.errors import Unavailable
from vault.ports.recovery import RecoveryRecipient
from vault.services.in_force import Kind, has_come, in_force, is_ended

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from vault.domain.secret import Secret
    from vault.ports.clock import Clock
    from vault.ports.keys import Wrap
    from vault.ports.store import Unit, Units

_RECIPIENTS: Final = Kind(
    "recovery_recipient", (EventType.RECIPIENT_KEPT, EventType.PROPOSAL_AGREED, EventType.PROPOSAL_ENDED)
)


@dataclass(frozen=True, slots=True)
class FixedRecipient(RecoveryRecipient):
    """Implements `RecoveryRecipient` by one that never changes; an empty one wraps for nobody."""

    named: str = ""

    @property
    def recipient(self) -> str:
        """The recipient."""
        return self.named

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> tuple[Wrap, ...]:
        """Wrap a data key for it."""
        return (wrap_for(self.named, key, context),) if self.named else ()


@dataclass(slots=True, eq=False)
class RecipientBook(RecoveryRecipient):
    """Implements `RecoveryRecipient` by what two people agreed to in the log. Ask it outside of transactions."""

    units: Units
    clock: Clock
    fault: str = ""
    """Why what the database says is not believed; empty while all is well."""
    _held: ToldRecipient = field(default=ToldRecipient(0, ""))
    _asked: bool = False

    @property
    def recipient(self) -> str:
        """The recipient in force now; raises `Unavailable` log.rolled_back or database.unavailable."""
        return self.current().recipient

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> tuple[Wrap, ...]:
        """Wrap a data key for the recipient in force now."""
        found = self.current().recipient
        return (wrap_for(found, key, context),) if found else ()

    def current(self) -> ToldRecipient:
        """Look which one is in force; number 0 while the log tells of none."""
        now, held = self.clock.now(), self._held
        with self.units.read() as unit:
            found = unit.recipients.latest(now) or (0, "")
            if self._asked and not self.fault and found == (held.number, held.recipient):
                return held
            unit.check_mark()
            told = told_recipient(unit, now)
        if told.number >= held.number:
            self._held, self._asked = told, True
        said = (self._held.number, self._held.recipient)
        self.fault = (
            "" if found == said else f"The rows have recipient {found[0]} in force, the log {said[0]}."
        )
        return self._held


def told_recipient(unit: Unit, now: datetime) -> ToldRecipient:
    """Give the recipient that the log has in force, each entry read for it proven; number 0 where it tells of none.

    Call it in a unit whose mark was checked first.
    """
    told = in_force(unit, _RECIPIENTS, now)
    return ToldRecipient(0, "") if told is None else _sound(told.number, told.facts)


def kept_by(leaves: Iterable[tuple[int, bytes]], now: datetime) -> ToldRecipient:
    """Give the recipient that the leaves of a log have in force, which was examined from end to end before."""
    found: dict[int, dict[str, str]] = {}
    for _, leaf in leaves:
        if _RECIPIENTS.entity.encode() in leaf:  # most leaves are not even parsed
            for number, facts in _RECIPIENTS.numbered_by(json.loads(leaf)):
                found.setdefault(number, {}).update(facts)
    for number, facts in sorted(found.items(), reverse=True):
        if not is_ended(facts) and has_come(facts, now):
            return _sound(number, facts)
    return ToldRecipient(0, "")


def _sound(number: int, facts: Mapping[str, str]) -> ToldRecipient:
    recipient = facts.get("of", "")
    if recipient and not is_recipient(recipient):
        raise Unavailable("log.unavailable", f"Recipient {number} in the log is none; nothing is sealed.")
    return ToldRecipient(number, recipient)
