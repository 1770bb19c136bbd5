"""Port of the acts at AWS by which an account is given back (H7).

Decided here: each act can be looked at first, changes nothing then, and can be carried out any number of times with
the same end. It asks AWS before and after, because what is there is the truth; never raises for what AWS answers; ends
in bounded time, and tells what it did and what is left and why. It takes away what bears exactly a name of ours and
nothing else. Acts cross the network: never within a transaction.

Never decided here: that whoever would lose the last way into an account (by leaving, by the last role) has another.
"""

from __future__ import annotations

from typing import Protocol

from vault.domain.offboarding import Deed, Outcome, Preview, Target


class Offboarding(Protocol):
    """The day's acts, through a role in the account or in its payer."""

    def preview(self, deed: Deed, target: Target) -> Preview:
        """Say what would go and what would stay; nothing is changed."""
        ...

    def carry_out(self, deed: Deed, target: Target) -> Outcome:
        """Do it, as far as it goes now."""
        ...

    def root_email(self, target: Target) -> str:
        """Give a member's root e-mail as AWS has it, through its payer; empty where AWS does not say."""
        ...
