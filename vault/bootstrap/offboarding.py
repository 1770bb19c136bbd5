"""What gives accounts back at AWS, made of settings and of the file of defaults. Nothing is asked of AWS yet.

Decided here: what is ours is what was applied when accounts were taken over, and the roles that the settings name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vault.adapters.aws import checked_endpoint
from vault.adapters.offboarding.acts import AwsOffboarding
from vault.bootstrap.inspection import read_defaults
from vault.domain.offboarding import KEPT_ROLES, Ours
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.settings import Settings

_ROLE: Final = re.compile(r"[A-Za-z0-9+=,.@_/-]{1,512}", re.ASCII)
_ADDRESS: Final = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_{|}~-]{0,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+", re.ASCII
)


def open_offboarding(settings: Settings) -> AwsOffboarding | None:
    """Give what works in accounts, None without a role; raise `Refused` settings.invalid for what cannot be meant."""
    chosen = settings.offboarding
    if not chosen.role:
        return None
    if _ROLE.fullmatch(chosen.role) is None or chosen.role.startswith("arn:"):
        raise _wrong("offboarding.role", "is the name of a role, the same in each account")
    if chosen.role.rpartition("/")[2] in KEPT_ROLES:
        raise _wrong("offboarding.role", "names a role that stays with the customer (H7)")
    for address in chosen.addresses:
        if _ADDRESS.fullmatch(address) is None:
            raise _wrong(
                "offboarding.addresses", f"has {address[:64]!r}; write an e-mail address, or @ and a domain"
            )
    checked_endpoint(chosen.endpoint)
    eyes = tuple(role for role in (settings.inspection.role, settings.keyless.role) if role)
    ours = Ours.of(read_defaults(settings), eyes=eyes, addresses=chosen.addresses)
    return AwsOffboarding(chosen.role, chosen.external_id, ours, chosen.endpoint)


def _wrong(setting: str, words: str) -> Refused:
    return Refused("settings.invalid", f"{setting}: {words}.", setting=setting)
