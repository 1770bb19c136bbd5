"""Centralized root access, made of settings. Nothing is asked of AWS yet."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vault.adapters.aws import checked_endpoint
from vault.adapters.central_root import AwsCentralRoot
from vault.adapters.cloudtrail.lookup import REGION
from vault.errors import Refused

if TYPE_CHECKING:
    from vault.settings import Settings

_ROLE: Final = re.compile(r"[A-Za-z0-9+=,.@_/-]{1,512}", re.ASCII)


def open_central_root(settings: Settings) -> AwsCentralRoot | None:
    """Give what asks payers, None without a role; raise `Refused` settings.invalid for what cannot be meant."""
    chosen = settings.keyless
    if not chosen.role:
        return None
    if _ROLE.fullmatch(chosen.role) is None or chosen.role.startswith("arn:"):
        raise _wrong("keyless.role", "is the name of a role, the same in each payer")
    if REGION.fullmatch(chosen.region) is None:
        raise _wrong("keyless.region", "is a region such as eu-central-1: AssumeRoot is not known elsewhere")
    checked_endpoint(chosen.endpoint)
    return AwsCentralRoot(chosen.role, chosen.external_id, chosen.region, chosen.endpoint)


def _wrong(setting: str, words: str) -> Refused:
    return Refused("settings.invalid", f"{setting}: {words}.", setting=setting)
