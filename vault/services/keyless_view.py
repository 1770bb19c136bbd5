"""A member and what is known of its root, as it is shown."""

from __future__ import annotations

from dataclasses import dataclass

from vault.domain.account import Account, Custody
from vault.domain.keyless import Keyless, why_not
from vault.domain.proposal import Proposal


@dataclass(frozen=True, slots=True)
class KeylessView:
    """A member and what is known of its root; `proposal` is what waits for a word, or counts and is not done."""

    account: Account
    known: Keyless | None
    proposal: Proposal | None = None

    @property
    def is_better(self) -> bool:
        """Whether removal would be better than what is now: its root can go, and has not."""
        return not self.why_not and self.account.custody is not Custody.KEYLESS

    @property
    def why_not(self) -> str:
        """Why this account cannot be without; empty where it can."""
        return why_not(self.account)

    @property
    def in_words(self) -> str:
        """What AWS listed last, in a few words; empty where nobody looked."""
        return "" if self.known is None else self.known.root.in_words
