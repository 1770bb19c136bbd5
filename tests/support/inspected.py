"""Accounts as an inspector of paper sees them: what a test writes down, and who looked at whom."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from vault.domain.hygiene import Wanted
from vault.domain.ids import new_id
from vault.domain.inspection import (
    Contact,
    Fact,
    Inspection,
    Known,
    Listed,
    Membership,
    PasswordPolicy,
    Place,
    Reason,
    ReportRow,
    Roster,
    Unknown,
)

if TYPE_CHECKING:
    from datetime import datetime

    from vault.bootstrap import Vault
    from vault.domain.account import Account
    from vault.ports.inspection import Target

STRONG = PasswordPolicy(12, upper=True, lower=True, number=True, symbol=True, remembers=24)
WANTED = Wanted(
    STRONG,
    frozenset({Contact.SECURITY}),
    roles=("Rackspace",),
    topics=("rackspace-support",),
    regions=("us-east-1", "eu-west-1"),
    digest="d" * 64,
)
DENIED = Unknown(Reason.DENIED, "AccessDenied")


@dataclass(slots=True)
class PaperInspector:
    """Sees what a test wrote: by account what is otherwise than it should be, by payer its list."""

    other: dict[str, dict[str, Any]] = field(default_factory=dict)
    lists: dict[str, Fact[tuple[Listed, ...]]] = field(default_factory=dict)
    looked: list[Target] = field(default_factory=list)

    def look(self, target: Target, wanted: Wanted, at: datetime) -> Inspection:
        """See an account that is as it should be, but for what was written."""
        self.looked.append(target)
        facts: dict[str, Any] = {
            "root_keys": Known(value=False),
            "root_mfa": Known(value=True),
            "root_password": Known(value=True),
            "root_certificates": Known(value=False),
            "policy": Known(STRONG),
            "membership": Known(Membership(Place.ALONE)),
            "contacts": Known(frozenset({Contact.SECURITY})),
            "report": Known(ReportRow(at, password_enabled=True, password_last_used=None, mfa_active=True)),
            "defaults": {name: Known(value=True) for name in wanted.names()},
            "request_ids": (f"request-{len(self.looked)}",),
        }
        return Inspection(
            id=new_id(), account_id=target.account_id, at=at, **facts | self.other.get(target.account_id, {})
        )

    def roster(self, target: Target, at: datetime) -> Roster:
        """Give the list of a payer."""
        return Roster(target.account_id, at, self.lists.get(target.account_id, DENIED))


def inspected(vault: Vault) -> PaperInspector:
    """Give a vault an inspector of paper, also one that is served already."""
    paper = PaperInspector()
    object.__setattr__(vault.inspecting, "inspector", paper)
    object.__setattr__(vault.inspecting, "wanted", WANTED)
    return paper


def listed(*accounts: Account, state: str = "ACTIVE") -> Known[tuple[Listed, ...]]:
    """Write a list as an Organization has it."""
    return Known(tuple(Listed(each.id, each.name, each.root_email, state) for each in accounts))
