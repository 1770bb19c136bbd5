"""Freezes: how one person stops every disclosure, of the whole vault, a customer, an account or a person (S24).

Decided here: what a freeze covers. Never decided here: who may set one, and that two lift it (`services/freezes`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vault.domain.actor import Scope, ScopeKind


class FreezeKind(StrEnum):
    """What a freeze stops."""

    VAULT = "vault"
    CUSTOMER = "customer"
    ACCOUNT = "account"
    PERSON = "person"


@dataclass(frozen=True, slots=True)
class Covered:
    """A part of the vault that can be frozen; `target` is a customer's, account's or person's id, empty for all."""

    kind: FreezeKind
    target: str = ""

    def __str__(self) -> str:
        return self.kind if self.kind is FreezeKind.VAULT else f"{self.kind}:{self.target}"

    @property
    def scope(self) -> Scope:
        """The reach that who sets or lifts it needs; a person acts everywhere, so that one is everything."""
        if self.kind in {FreezeKind.VAULT, FreezeKind.PERSON}:
            return Scope()
        return Scope(ScopeKind(self.kind), self.target)

    def concerns(self, customer_id: str, account_id: str, person_id: str) -> bool:
        """Say whether a person's disclosure of an account of a customer falls under it."""
        found = {
            FreezeKind.VAULT: "",
            FreezeKind.CUSTOMER: customer_id,
            FreezeKind.ACCOUNT: account_id,
            FreezeKind.PERSON: person_id,
        }
        return found[self.kind] == self.target


@dataclass(frozen=True, slots=True)
class Freeze:
    """One freeze, from the press to the second word that lifts it. Times are aware and in UTC.

    `set_by` is a person's id, or that of the part of the program that set it by itself.
    """

    id: str
    kind: FreezeKind
    target: str
    why: str
    set_by: str
    set_by_name: str
    set_at: datetime
    lifted_at: datetime | None = None
    lifted_by: str | None = None

    @property
    def covered(self) -> Covered:
        """What it stops."""
        return Covered(self.kind, self.target)


def read_covered(text: str) -> Covered | None:
    """Read `vault`, or `customer:…`, `account:…`, `person:…` with an id; None for anything else."""
    kind, _, target = text.partition(":")
    if kind not in set(FreezeKind) or (kind == FreezeKind.VAULT) != (not target):
        return None
    return Covered(FreezeKind(kind), target)
