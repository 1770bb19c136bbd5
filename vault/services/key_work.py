"""What two people agree on about keys: other keys for every data key, and a drill that opens every credential (S6).

Decided here: what such a proposal says. A re-wrap names the keys that every data key shall be wrapped under, beside
those that the settings name now, and whether wraps under any other key are removed in the end; it adds power to whoever
has those keys, so it waits out a hold. A drill shows nothing, and counts at once. Both are for the whole vault.
Never done here: the work, which a command on the host does (`rewrapping`, `drill`) once the settings name the keys.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from typing_extensions import override

from vault.crypto.envelope import WRAPS_MAX
from vault.domain.actor import Scope, ScopeKind
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind
from vault.errors import FieldError, Invalid
from vault.services.effects import Plain
from vault.services.proposals import Draft, in_json

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.proposal import Proposal
    from vault.errors import VaultError
    from vault.ports.store import Unit
    from vault.services.proposals import Proposals

KEYS: Final = "keys"
"""The subject of every re-wrap, so that one waits at a time."""
MOST: Final = WRAPS_MAX - 1
"""So many keys at most, beside the recovery recipient."""
_KEY_ID: Final = re.compile(r"[!-~]{1,2048}", re.ASCII)


class DrillScope(StrEnum):
    """What a drill opens."""

    LIVE = "live"
    """Every credential of this vault, where it is."""
    RESTORE = "restore"
    """Every credential of a backup, restored beside this vault."""


@dataclass(frozen=True, slots=True)
class Rewrap:
    """What exactly is agreed to: the keys before, the keys wanted, and whether all other wraps go."""

    before: tuple[str, ...]
    keys: tuple[str, ...]
    remove_old: bool

    def text(self) -> str:
        """Write it as a proposal's content."""
        return in_json(
            {"from": sorted(self.before), "keys": sorted(self.keys), "remove_old": self.remove_old}
        )

    @classmethod
    def parse(cls, content: str) -> Rewrap:
        """Read a proposal's content."""
        read = json.loads(content)
        return cls(tuple(read["from"]), tuple(read["keys"]), bool(read["remove_old"]))


@dataclass(frozen=True)
class Rewrapped(Plain):
    """What it means that a re-wrap is agreed to; `rests` is the hold. A command looks it up."""

    allowed: Permission = Permission.KEYS_MANAGE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be."""
        return _whole(proposal)

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name nobody beside who proposed it."""
        return frozenset()


@dataclass(frozen=True)
class Drilling(Plain):
    """What it means that a drill is agreed to: nothing at once. A command looks it up."""

    allowed: Permission = Permission.KEYS_MANAGE

    @override
    def check(self, unit: Unit, actor: Actor, proposal: Proposal, now: datetime) -> VaultError | None:
        """Say why it cannot be."""
        return _whole(proposal)

    @override
    def concerned(self, unit: Unit, proposal: Proposal) -> frozenset[str]:
        """Name nobody beside who proposed it."""
        return frozenset()


@dataclass(frozen=True, slots=True)
class KeyWork:
    """The use cases of proposing; agreeing and ending are those of proposals."""

    proposals: Proposals
    named: tuple[str, ...]
    """The keys that the settings name, retiring ones with them."""

    def propose_rewrap(
        self, actor: Actor, keys: tuple[str, ...], why: str, otp: str, *, remove_old: bool
    ) -> Proposal:
        """Propose that every data key is wrapped under exactly these keys; raises `Invalid` for no such list."""
        if not 1 <= len(keys) <= MOST or len(set(keys)) != len(keys) or not all(map(_KEY_ID.fullmatch, keys)):
            words = f"Give 1 to {MOST} different keys, each as wraps name it: the ARN of a KMS key."
            raise Invalid("input.invalid", words, errors=(FieldError("/keys", words),))
        content = Rewrap(self.named, keys, remove_old).text()
        return self.proposals.propose(actor, Draft(ProposalKind.REWRAP, KEYS, content, why, Scope()), otp)

    def propose_drill(self, actor: Actor, scope: DrillScope, why: str, otp: str) -> Proposal:
        """Propose that every credential is opened once, of this vault or of a backup; nothing is shown."""
        draft = Draft(ProposalKind.DRILL, scope, in_json({"scope": scope}), why, Scope())
        return self.proposals.propose(actor, draft, otp)


def _whole(proposal: Proposal) -> VaultError | None:
    if proposal.scope.kind is not ScopeKind.ALL:
        return Invalid("input.invalid", "This is for everything; nobody proposes it for a part.")
    return None
