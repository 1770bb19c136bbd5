"""What each kind of proposal means once two people agreed: the table that every other part looks it up in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.services.campaigning import Campaigning
from vault.services.freezes import Lifting
from vault.services.glass import Enabling
from vault.services.key_work import Drilling, Rewrapped
from vault.services.keyless_agreed import KeylessEffect
from vault.services.machines import TokenEffect
from vault.services.recipients import RecipientEffect
from vault.services.recovery import RecoveryEffect
from vault.services.split import Unsplitting
from vault.services.velocity import Raising

if TYPE_CHECKING:
    from datetime import timedelta

    from vault.services.policies import PolicyEffect
    from vault.services.proposals import Effect


def effects_of(hold: timedelta, policy: PolicyEffect) -> dict[ProposalKind, Effect]:
    """Give the effect of every kind; what adds power rests for `hold` after the second word."""
    return {
        ProposalKind.RECOVERY: RecoveryEffect(rests=hold),
        ProposalKind.TOKEN: TokenEffect(Permission.PEOPLE_MANAGE, hold),
        ProposalKind.POLICY: policy,
        ProposalKind.BREAK_GLASS: Enabling(rests=hold),
        ProposalKind.BUDGET: Raising(),
        ProposalKind.RECIPIENT: RecipientEffect(rests=hold),
        ProposalKind.REWRAP: Rewrapped(rests=hold),
        ProposalKind.DRILL: Drilling(),
        ProposalKind.CAMPAIGN: Campaigning(),
        ProposalKind.KEYLESS: KeylessEffect(rests=hold),
        ProposalKind.LIFT: Lifting(),
        ProposalKind.SPLIT_OFF: Unsplitting(),
    }
