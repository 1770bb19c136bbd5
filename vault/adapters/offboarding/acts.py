"""Which act is done by what."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.adapters.assumed_role import Role
from vault.adapters.offboarding.contacts import AlternateContacts, PrimaryContact
from vault.adapters.offboarding.dispatcher import Dispatcher
from vault.adapters.offboarding.membership import Closing, Email, Leaving, root_email
from vault.adapters.offboarding.roles import Roles
from vault.adapters.offboarding.topics import Topics
from vault.adapters.offboarding.work import Act, Means
from vault.domain.offboarding import Deed, Ours
from vault.ports.offboarding import Offboarding

if TYPE_CHECKING:
    from vault.domain.offboarding import Outcome, Preview, Target

SESSION: Final = "rootvault-offboarding"


_ACTS: Final[Mapping[Deed, Callable[[Means], Act]]] = {
    Deed.CONTACT: PrimaryContact,
    Deed.ALTERNATE_CONTACTS: AlternateContacts,
    Deed.DISPATCHER: Dispatcher,
    Deed.ROLES: Roles,
    Deed.TOPICS: Topics,
    Deed.EMAIL_START: Email,
    Deed.EMAIL_ACCEPT: lambda means: Email(means, accept=True),
    Deed.LEAVE: Leaving,
    Deed.CLOSE: Closing,
    Deed.LAST_ROLE: lambda means: Roles(means, last=True),
}


@dataclass(frozen=True, slots=True)
class AwsOffboarding(Offboarding):
    """Implements `Offboarding` through the role `role` in each account; `external_id` may hold `{ddi}`."""

    role: str
    external_id: str
    ours: Ours
    endpoint: str = ""
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def preview(self, deed: Deed, target: Target) -> Preview:
        """Say what would go and what would stay; see `Offboarding`."""
        return _ACTS[deed](self._means()).preview(target)

    def carry_out(self, deed: Deed, target: Target) -> Outcome:
        """Do it, as far as it goes now; see `Offboarding`."""
        return _ACTS[deed](self._means()).carry_out(target)

    def root_email(self, target: Target) -> str:
        """Give a member's root e-mail as AWS has it; see `Offboarding`."""
        return root_email(self._means(), target)

    def _means(self) -> Means:
        role = Role(self.role, self.external_id, self.endpoint, SESSION)
        return Means(role, self.ours, self.sleep, self.monotonic)
