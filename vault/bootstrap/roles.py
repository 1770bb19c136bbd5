"""The roles by which the vault works at AWS, made of settings, to be tried by whoever looks after the host.

Decided here: what trying is: the role is taken on in an account, for the shortest session there is, and nothing is done
with it. Nothing is asked of AWS until `try_in` is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vault.adapters.assumed_role import Role
from vault.adapters.inspection.asking import Asker
from vault.bootstrap.central_root import open_central_root
from vault.bootstrap.inspection import open_inspection
from vault.bootstrap.offboarding import open_offboarding
from vault.domain.inspection import Unknown

if TYPE_CHECKING:
    from vault.settings import Settings
    from vault.settings.values import Inspection, Keyless, Offboarding

SECONDS: Final = 20.0
SOURCE: Final = "doctor"
"""Whose name AWS's records have as the source identity."""


@dataclass(frozen=True, slots=True)
class TriedRole:
    """One role of the settings: the section that names it, and whether it is one in payers alone."""

    section: str
    role: Role
    only_payers: bool = False

    def try_in(self, account_id: str, ddi: str) -> str:
        """Take it on in an account of a customer; give why not in a word, AWS's own where there is one, or nothing."""
        found = self.role.assume(account_id, ddi, SOURCE, Asker(SECONDS))
        return (found.code or found.reason.value) if isinstance(found, Unknown) else ""


def roles_of(settings: Settings) -> tuple[TriedRole, ...]:
    """Give the roles that the settings name; raise `Refused` settings.invalid for what cannot be meant."""
    found = []
    if open_inspection(settings)[0] is not None:
        found.append(TriedRole("inspection", _role(settings.inspection, "rootvault-inspection")))
    if open_offboarding(settings) is not None:
        found.append(TriedRole("offboarding", _role(settings.offboarding, "rootvault-offboarding")))
    if open_central_root(settings) is not None:
        found.append(TriedRole("keyless", _role(settings.keyless, "rootvault-doctor"), only_payers=True))
    return tuple(found)


def _role(chosen: Inspection | Offboarding | Keyless, session: str) -> Role:
    return Role(chosen.role, chosen.external_id, chosen.endpoint, session)
