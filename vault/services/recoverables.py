"""The recovery score of the accounts in sight: what would be lost with the vault, a mailbox or a phone.

Decided here: where the facts come from. A part counts as had from the vault while nothing says that it does not work;
as wrapped while the rows say so, which is no proof: that is the restore drill's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.domain.credential import PartKind
from vault.domain.health import RANK, Health
from vault.domain.recoverable import Fate, Loss, Means, Recoverable, Score, fates, score
from vault.services.healths import number_of

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.domain.health import CredentialHealth
    from vault.ports.clock import Clock
    from vault.ports.recovery import RecoveryRecipient
    from vault.ports.store import Slice, Units
    from vault.services.healths import HealthFilter, Healths

UNSOUND: Final = RANK[Health.UNKNOWN]
"""From this state on the vault's value is not counted on."""


@dataclass(frozen=True, slots=True)
class RecoveryPage:
    """The score of all held accounts in sight, and a page of those with the fate that was asked for, by number."""

    score: Score
    recipient: bool
    items: tuple[Recoverable, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Recoverables:
    """The use case of the recovery score."""

    units: Units
    clock: Clock
    healths: Healths
    recovery: RecoveryRecipient

    def page(
        self, actor: Actor, wanted: HealthFilter, loss: Loss | None, fate: Fate | None, part: Slice
    ) -> RecoveryPage:
        """Score the accounts in sight; raise `Invalid` cursor.invalid.

        Without `loss` an account is listed by its worst fate. `recipient` says whether an offline recovery recipient
        is in force.
        """
        after = number_of(part.cursor)
        now = self.clock.now()
        recipient = self.recovery.recipient
        with self.units.read() as unit:
            gathered = self.healths.gather(unit, self.healths.whose(actor, wanted), now)
            wrapped = unit.recipients.wrapped(recipient) if recipient else frozenset()
        every = frozenset(PartKind)
        found = []
        for each in gathered:
            if each.health.health is Health.ABSENT:
                continue
            account = each.account
            means = Means(
                account.mailbox,
                account.phone,
                _sound(each.health),
                every if account.id in wrapped else frozenset(),
            )
            found.append(Recoverable(account, means, fates(means)))
        fitting = [each for each in found if fate is None or _fate(each, loss) is fate]
        rest = [each for each in fitting if each.account.id > after]
        shown = tuple(rest[: part.limit])
        following = shown[-1].account.id if len(rest) > len(shown) else None
        return RecoveryPage(score(found), bool(recipient), shown, following)


def _sound(health: CredentialHealth) -> frozenset[PartKind]:
    return frozenset(each.kind for each in health.parts if RANK[each.health] < UNSOUND)


def _fate(found: Recoverable, loss: Loss | None) -> Fate:
    return found.worst if loss is None else found.fates[loss]
