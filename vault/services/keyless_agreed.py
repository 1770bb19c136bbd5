"""What two people agree to about a member's root: exactly what a look found goes, or its recovery is allowed (S19).

Decided here: the content, which names every device, key and certificate, so that nothing else is deleted on these two
words; that removal counts at once, because it takes power away, and recovery after the hold, because whoever has the
mailbox gains by it; that a proposal which ends while it is under way gives it up.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.domain.account import Custody
from vault.domain.keyless import KEYLESS, Act, KeylessEvent, KeylessState, RootFound, why_not
from vault.domain.policy import Permission
from vault.domain.told import changes
from vault.errors import Conflict
from vault.services.effects import Plain
from vault.services.proposals import in_json

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.event import Change
    from vault.domain.keyless import Keyless
    from vault.domain.proposal import Proposal
    from vault.errors import VaultError
    from vault.ports.store import Unit


_NONE: Final = "none"


def content_of(act: Act, known: Keyless) -> str:
    """Write what exactly is agreed to."""
    facts = {"act": act.value, "account": known.account_id, "payer": known.payer_id}
    return in_json(facts | (_named(known.root) if act is Act.REMOVE else {}))


def act_of(proposal: Proposal) -> Act:
    """Read which of the two it is."""
    return Act(json.loads(proposal.content)["act"])


def agreed_root(proposal: Proposal) -> RootFound:
    """Read what may go."""
    told: dict[str, str] = json.loads(proposal.content)

    def names(what: str) -> tuple[str, ...]:
        return tuple(each for each in told.get(what, _NONE).split(" ") if each != _NONE)

    return RootFound(
        bool(names("password")), names("mfa devices"), names("access keys"), names("certificates")
    )


def _named(root: RootFound) -> dict[str, str]:
    """Name what goes so that a person reads it; no serial number and no id of AWS's has a space in it."""
    lists = {"mfa devices": root.devices, "access keys": root.keys, "certificates": root.certificates}
    said = {what: " ".join(sorted(names)) or _NONE for what, names in lists.items()}
    return {"password": "yes" if root.password else _NONE} | said


@dataclass(frozen=True)
class KeylessEffect(Plain):
    """What a proposal about a member's root means; `rests` is the hold before recovery is allowed."""

    allowed: Permission = field(default=Permission.KEYLESS_DECIDE)

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be: another state, or another finding than what is agreed to."""
        account = unit.accounts.get(proposal.subject)
        known = unit.keyless.get(proposal.subject)
        words = "There is no such account." if account is None else why_not(account)
        if words or account is None or known is None:
            return Conflict("keyless.state", words or "Look at the account first.")
        act = act_of(proposal)
        if content_of(act, known) != proposal.content:
            return Conflict(
                "keyless.changed", "A later look found something else; propose anew by what it found."
            )
        ready = {Act.REMOVE: KeylessState.SEEN, Act.ALLOW: KeylessState.GONE}[act]
        if known.state is not ready or (account.custody is Custody.KEYLESS) != (act is Act.ALLOW):
            words = (
                f"This root is {known.state}, its account {account.custody}; there is nothing to agree to."
            )
            return Conflict("keyless.state", words)
        return None

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name nobody: it is about no person."""
        return frozenset()

    @override
    def hold(self, unit: Unit, proposal: Proposal, now: datetime) -> timedelta:
        """Let removal count at once, recovery after the hold."""
        return self.rests if act_of(proposal) is Act.ALLOW else timedelta(0)

    @override
    def ended(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> tuple[Change, ...]:
        """Give up what is under way; what AWS did by then stays done, and the next look finds it."""
        account = unit.accounts.lock(proposal.subject)
        known = None if account is None else unit.keyless.get(account.id)
        if known is None or known.proposal_id != proposal.id:
            return ()
        state = KEYLESS.transitions[known.state, KeylessEvent.GIVEN_UP]
        given_up = replace(known, state=state, proposal_id=None, changed_at=now)
        unit.keyless.put(given_up)
        return changes(known, given_up)
