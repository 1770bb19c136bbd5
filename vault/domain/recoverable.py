"""The recovery score: which accounts would be lost if the vault, the mailbox or the phone were.

Decided here: by which ways root can still be reached when one thing is gone. A password is had from the vault, from
the offline recovery (a backup and three shares), or set anew through the mailbox; a code is had from the vault, from
the offline recovery, or passed by through mailbox and phone together (C5; AWS, IAM User Guide, "Recover an MFA
protected identity in IAM", and AWS Sign-In User Guide, "I forgot my root user password"). What is not known to be
ours is not counted as ours; what a customer controls gets us in only with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from vault.domain.account import Account, Custodian
from vault.domain.credential import PartKind


class Loss(StrEnum):
    """What is gone."""

    VAULT = "vault"
    MAILBOX = "mailbox"
    PHONE = "phone"


class Fate(StrEnum):
    """What becomes of an account then; from best to worst."""

    KEPT = "kept"
    WITH_CUSTOMER = "with_customer"
    LOST = "lost"


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to get in with: the parts that the vault can give, and those wrapped for offline recovery."""

    mailbox: Custodian
    phone: Custodian
    sound: frozenset[PartKind] = frozenset()
    wrapped: frozenset[PartKind] = frozenset()


@dataclass(frozen=True, slots=True)
class Recoverable:
    """One account's fate at each loss."""

    account: Account
    means: Means
    fates: Mapping[Loss, Fate]

    @property
    def worst(self) -> Fate:
        """What becomes of it at the loss that it bears least."""
        return max(self.fates.values(), key=list(Fate).index)

    @property
    def is_safe(self) -> bool:
        """Whether we get in by ourselves whatever single thing is lost."""
        return self.worst is Fate.KEPT


@dataclass(frozen=True, slots=True)
class Score:
    """How many accounts share which fate at each loss, of all that are held."""

    held: int
    safe: int
    fates: Mapping[Loss, Mapping[Fate, int]]

    @property
    def percent(self) -> int:
        """`safe` of a hundred held accounts, rounded down; 100 where none is held."""
        return 100 if not self.held else self.safe * 100 // self.held


_OURS: Final = frozenset({Custodian.OURS})
_WITH_THEM: Final = frozenset({Custodian.OURS, Custodian.CUSTOMER})


def fate(means: Means, loss: Loss) -> Fate:
    """Say what becomes of an account when one thing is gone."""
    if _reached(means, loss, _OURS):
        return Fate.KEPT
    return Fate.WITH_CUSTOMER if _reached(means, loss, _WITH_THEM) else Fate.LOST


def fates(means: Means) -> Mapping[Loss, Fate]:
    """Say it of every loss."""
    return {loss: fate(means, loss) for loss in Loss}


def score(accounts: Iterable[Recoverable]) -> Score:
    """Count the fates of held accounts."""
    counts = {loss: dict.fromkeys(Fate, 0) for loss in Loss}
    held = safe = 0
    for each in accounts:
        held += 1
        safe += each.is_safe
        for loss, found in each.fates.items():
            counts[loss][found] += 1
    return Score(held, safe, counts)


def _reached(means: Means, loss: Loss, helping: frozenset[Custodian]) -> bool:
    kept = means.wrapped if loss is Loss.VAULT else means.sound | means.wrapped
    mailbox = loss is not Loss.MAILBOX and means.mailbox in helping
    phone = loss is not Loss.PHONE and means.phone in helping
    return (PartKind.PASSWORD in kept or mailbox) and (PartKind.MFA in kept or (mailbox and phone))
