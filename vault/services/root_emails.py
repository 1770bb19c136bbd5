"""Root addresses: which are free, keeping one for an account, and who bore which when (C4, L3).

Decided here: an address that another account ever bore, or that is kept for another, is refused, also where that
account is closed or released; its own former one an account may take again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.crypto.chance import draw
from vault.domain.event import Change
from vault.domain.ids import fold_email
from vault.domain.policy import Permission
from vault.domain.replay import EMAIL
from vault.domain.root_email import CHANCE, CHANCE_LENGTH
from vault.errors import Conflict

if TYPE_CHECKING:
    from vault.domain.actor import Actor
    from vault.domain.root_email import AddressPattern, RootAddress
    from vault.ports.onboarding import AddressFilter
    from vault.ports.store import Page, Slice, Unit, Units
    from vault.services.gate import Gate


def taken(unit: Unit, address: str, account_id: str) -> Conflict | None:
    """Say why an account cannot bear an address; None where it can."""
    owner = unit.onboarding.owner(address)
    if owner is None or owner == account_id:
        return None
    words = f"{address} was another account's root e-mail, or is kept for one; AWS never takes it again (L3)."
    return Conflict("custody.email_used", words, rule="L3", account=account_id)


def reserve(unit: Unit, address: str, account_id: str) -> tuple[Change, ...]:
    """Keep an address for an account, for ever; give what the caller's entry tells of it.

    Raises `Conflict` custody.email_used where another has it, or had it.
    """
    if not unit.onboarding.reserve(address, account_id):
        return ()
    return (Change(EMAIL, fold_email(address), "", account_id),)


def made_address(pattern: AddressPattern, account_id: str) -> str:
    """Make an address of ours for an account; another one each time."""
    return pattern.fill(account_id, draw(CHANCE, CHANCE_LENGTH))


@dataclass(frozen=True, slots=True)
class RootEmails:
    """The use case of reading the registry of root addresses."""

    units: Units
    gate: Gate

    def page(self, actor: Actor, wanted: AddressFilter, part: Slice) -> Page[RootAddress]:
        """List who bore which address from when to when, of accounts in sight, by address."""
        with self.units.read() as unit:
            reach = self.gate.policy.reach(actor, Permission.ACCOUNT_READ)
            return unit.onboarding.addresses(reach, wanted, part)
