"""Rows and values: each domain value is one row, column by field.

Decided here: that a table has a column for each field, of the same name; a `Scope` alone takes two. What
else a table has (folded text for search) is computed where the row is written. Rows are read by
position, so that a join gives several values of one row.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from vault.adapters.db import (
    campaigns,
    cases,
    closures,
    destructions,
    freezes,
    identities,
    inspections,
    leavers,
    notices,
    onboarding,
    outside,
    passkeys,
    policies,
    proposals,
    recipients,
    release,
    reused,
    tables,
    tenures,
)
from vault.adapters.db import (
    keyless as keyless_tables,
)
from vault.adapters.db import (
    mail as mail_tables,
)
from vault.domain.account import Account, Customer, Tenure
from vault.domain.account_limit import AccountLimit
from vault.domain.actor import Scope
from vault.domain.campaign import Assignment, Campaign, Reminder
from vault.domain.case import CaseFile, Done, Place
from vault.domain.checkout import Approval, Checkout
from vault.domain.closure import Closure
from vault.domain.credential import Part, Version
from vault.domain.destruction import Destroyed
from vault.domain.due import Reused
from vault.domain.freeze import Freeze
from vault.domain.hygiene import Finding
from vault.domain.identity import Identity, Visit
from vault.domain.incident import Incident
from vault.domain.keyless import Keyless, TaskSession
from vault.domain.leaver import LeaverKnows
from vault.domain.mail import Mail, MailNote, MailTicket
from vault.domain.notice import Choice, Notice
from vault.domain.outlet import Outlet, OutletReceipt, Published
from vault.domain.passkey import Assertion, Confirmation, Passkey
from vault.domain.person import Grant, Guesses, Person, Session, Token
from vault.domain.policy_version import PolicyVersion
from vault.domain.proposal import Proposal
from vault.domain.recipient import Recipient
from vault.domain.release import CustomerLink, Handed
from vault.domain.root_email import RootAddress
from vault.domain.rotation import Rotation
from vault.ports.mail import Opening
from vault.ports.records import Reveal

if TYPE_CHECKING:
    from sqlalchemy import Column, Table

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Shape(Generic[T]):
    """How one kind of value stands in its table; `scope` is the position of its `Scope`, if any."""

    make: Callable[..., T]
    table: Table
    names: tuple[str, ...]
    columns: tuple[Column[Any], ...]
    scope: int | None

    def row(self, value: T) -> dict[str, Any]:
        """Give a value's columns by name."""
        row = {name: getattr(value, name) for name in self.names}
        scope = row.pop("scope", None)
        if isinstance(scope, Scope):
            row |= {"scope_kind": scope.kind, "scope_target": scope.target}
        return row

    def value(self, row: Sequence[Any], start: int = 0) -> T:
        """Make the value whose columns begin at `start` of a row."""
        parts = list(row[start : start + len(self.columns)])
        if self.scope is not None:
            parts[self.scope : self.scope + 2] = [Scope(parts[self.scope], parts[self.scope + 1])]
        return self.make(*parts)


def _shape(make: type[T], table: Table) -> Shape[T]:
    names = tuple(field.name for field in fields(make))  # type: ignore[arg-type]  # a dataclass, each of them
    scope = names.index("scope") if "scope" in names else None
    in_table = [
        column
        for name in names
        for column in (("scope_kind", "scope_target") if name == "scope" else (name,))
    ]
    return Shape(make, table, names, tuple(table.c[name] for name in in_table), scope)


customer = _shape(Customer, tables.customer)
account = _shape(Account, tables.account)
root_address = _shape(RootAddress, onboarding.root_email_use)
account_limit = _shape(AccountLimit, onboarding.account_limit)
tenure = _shape(Tenure, tenures.account_tenure)
part = _shape(Part, tables.part)
version = _shape(Version, tables.version)
campaign = _shape(Campaign, campaigns.campaign)
assignment = _shape(Assignment, campaigns.campaign_account)
reminder = _shape(Reminder, campaigns.reminder)
case_file = _shape(CaseFile, cases.case_file)
case_account = _shape(Place, cases.case_account)
case_step = _shape(Done, cases.case_step)
checkout = _shape(Checkout, tables.checkout)
approval = _shape(Approval, tables.approval)
reveal = _shape(Reveal, tables.reveal)
rotation = _shape(Rotation, tables.rotation)
person = _shape(Person, tables.person)
grant = _shape(Grant, tables.role_grant)
session = _shape(Session, tables.browser_session)
token = _shape(Token, tables.api_token)
guess = _shape(Guesses, tables.guess)
freeze = _shape(Freeze, freezes.frozen)
closure = _shape(Closure, closures.closure)
destruction = _shape(Destroyed, destructions.destruction)
handed = _shape(Handed, release.handed)
customer_link = _shape(CustomerLink, release.customer_link)
identity = _shape(Identity, identities.identity)
visit = _shape(Visit, identities.visit)
incident = _shape(Incident, outside.incident)
finding = _shape(Finding, inspections.finding)
keyless = _shape(Keyless, keyless_tables.keyless)
task_session = _shape(TaskSession, keyless_tables.task_session)
mail = _shape(Mail, mail_tables.mail)
mail_note = _shape(MailNote, mail_tables.mail_note)
mail_opening = _shape(Opening, mail_tables.mail_opening)
mail_ticket = _shape(MailTicket, mail_tables.mail_ticket)
leaver_knows = _shape(LeaverKnows, leavers.leaver_knows)
reused_value = _shape(Reused, reused.reused_value)
policy_version = _shape(PolicyVersion, policies.policy_version)
proposal = _shape(Proposal, proposals.proposal)
recovery_recipient = _shape(Recipient, recipients.recovery_recipient)
passkey = _shape(Passkey, passkeys.passkey)
assertion = _shape(Assertion, passkeys.assertion)
confirmation = _shape(Confirmation, passkeys.confirmation)
notice = _shape(Notice, notices.notice)
notice_choice = _shape(Choice, notices.notice_choice)
outlet = _shape(Outlet, outside.outlet)
outlet_receipt = _shape(OutletReceipt, outside.outlet_receipt)
published = _shape(Published, outside.published)
