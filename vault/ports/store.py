"""What the core keeps: one unit of work, with a store for each noun and the log, in one transaction.

Decided here: the questions that use cases ask. Every store's methods work inside the unit's
transaction; nothing is durable, and nothing may be disclosed, before `Unit.commit`. Constraints that
the rules promise (one open checkout for an account, one unsettled rotation for a part, no root e-mail
twice, one claim of a time step) are the database's: their breach comes back as `Conflict`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Protocol

from vault.ports.accounts import AccountStore, CustomerStore
from vault.ports.campaigns import CampaignStore, ComingStore
from vault.ports.cases import CaseStore
from vault.ports.census import CensusStore
from vault.ports.central_root import KeylessStore
from vault.ports.checkouts import CheckoutStore
from vault.ports.closures import ClosureStore
from vault.ports.cloud import CloudStore, IncidentStore
from vault.ports.copies import CopyStore
from vault.ports.daily import DailyStore
from vault.ports.destruction import DestructionStore
from vault.ports.disclosures import RevealStore, RotationStore
from vault.ports.freezes import FreezeStore
from vault.ports.health import HealthStore
from vault.ports.history import HistoryStore
from vault.ports.identities import IdentityStore, VisitStore
from vault.ports.inspection import FindingStore, InspectionStore
from vault.ports.leavers import LeaverStore
from vault.ports.log import LogStore
from vault.ports.mail import MailStore
from vault.ports.notices import NoticeStore
from vault.ports.onboarding import OnboardingStore
from vault.ports.outlets import OutletStore, PublishedStore
from vault.ports.passkeys import PasskeyStore
from vault.ports.people import GuessStore, PersonStore, SessionStore, TokenStore
from vault.ports.policies import PolicyStore
from vault.ports.proofs import ProofStore
from vault.ports.proposals import ProposalStore
from vault.ports.ranges import RangeStore
from vault.ports.recipients import RecipientStore
from vault.ports.records import (
    AccountFilter,
    CheckoutFilter,
    Entry,
    EntryFilter,
    Held,
    Page,
    Promotion,
    Receipt,
    Repeat,
    Reveal,
    RevealPurpose,
    RevealState,
    Slice,
)
from vault.ports.release import ReleaseStore
from vault.ports.restoring import RestoreStore
from vault.ports.versions import VersionStore
from vault.ports.words import WordStore

__all__ = [
    "AccountFilter",
    "AccountStore",
    "CheckoutFilter",
    "CheckoutStore",
    "CustomerStore",
    "Entry",
    "EntryFilter",
    "FreezeStore",
    "GuessStore",
    "Held",
    "HistoryStore",
    "LogStore",
    "OutletStore",
    "Page",
    "PersonStore",
    "Promotion",
    "PublishedStore",
    "Receipt",
    "Repeat",
    "Reveal",
    "RevealPurpose",
    "RevealState",
    "RevealStore",
    "RotationStore",
    "SessionStore",
    "Slice",
    "TokenStore",
    "Unit",
    "Units",
    "VersionStore",
]


class Unit(Protocol):
    """One transaction over everything that is kept."""

    @property
    def customers(self) -> CustomerStore:
        """Customers."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Accounts and their parts."""
        ...

    @property
    def versions(self) -> VersionStore:
        """Sealed versions."""
        ...

    @property
    def checkouts(self) -> CheckoutStore:
        """Checkouts, approvals, step-ups."""
        ...

    @property
    def cases(self) -> CaseStore:
        """Cases, their accounts and steps."""
        ...

    @property
    def onboarding(self) -> OnboardingStore:
        """Root addresses of all times, and limit increases."""
        ...

    @property
    def history(self) -> HistoryStore:
        """What was before a request."""
        ...

    @property
    def health(self) -> HealthStore:
        """What the health of credentials is computed from."""
        ...

    @property
    def reveals(self) -> RevealStore:
        """Disclosures."""
        ...

    @property
    def rotations(self) -> RotationStore:
        """Rotations."""
        ...

    @property
    def people(self) -> PersonStore:
        """People and their grants."""
        ...

    @property
    def sessions(self) -> SessionStore:
        """Browser sessions."""
        ...

    @property
    def tokens(self) -> TokenStore:
        """API tokens."""
        ...

    @property
    def guesses(self) -> GuessStore:
        """Failures in a row."""
        ...

    @property
    def policies(self) -> PolicyStore:
        """Versions of the policy."""
        ...

    @property
    def recipients(self) -> RecipientStore:
        """Recovery recipients."""
        ...

    @property
    def keyless(self) -> KeylessStore:
        """Members without root credentials."""
        ...

    @property
    def mail(self) -> MailStore:
        """Mail to root addresses."""
        ...

    @property
    def proposals(self) -> ProposalStore:
        """What takes two people."""
        ...

    @property
    def campaigns(self) -> CampaignStore:
        """Campaigns, and whose accounts are whose."""
        ...

    @property
    def coming(self) -> ComingStore:
        """What becomes due when."""
        ...

    @property
    def identities(self) -> IdentityStore:
        """Who is who at an identity provider."""
        ...

    @property
    def visits(self) -> VisitStore:
        """Ways to the provider and back."""
        ...

    @property
    def leavers(self) -> LeaverStore:
        """What people knew when they were shut out."""
        ...

    @property
    def notices(self) -> NoticeStore:
        """What people are told."""
        ...

    @property
    def freezes(self) -> FreezeStore:
        """What is frozen."""
        ...

    @property
    def closures(self) -> ClosureStore:
        """Closed accounts."""
        ...

    @property
    def destructions(self) -> DestructionStore:
        """Destroyed credentials."""
        ...

    @property
    def releases(self) -> ReleaseStore:
        """Ends of handovers, and the links to their customers' pages."""
        ...

    @property
    def passkeys(self) -> PasskeyStore:
        """Passkeys, what they signed, and what waits for a signature."""
        ...

    @property
    def outlets(self) -> OutletStore:
        """Places outside, and how far each has got."""
        ...

    @property
    def published(self) -> PublishedStore:
        """Checkpoints that left the house."""
        ...

    @property
    def log(self) -> LogStore:
        """The audit log."""
        ...

    @property
    def ranges(self) -> RangeStore:
        """The audit log, read forward by ranges of indexes."""
        ...

    @property
    def cloud(self) -> CloudStore:
        """AWS's own records, and the calls that the log tells of."""
        ...

    @property
    def proofs(self) -> ProofStore:
        """AWS's own records beside rotations."""
        ...

    @property
    def incidents(self) -> IncidentStore:
        """What was found that the log does not explain."""
        ...

    @property
    def inspections(self) -> InspectionStore:
        """What was seen of accounts through their roles."""
        ...

    @property
    def findings(self) -> FindingStore:
        """What of accounts is not as it should be."""
        ...

    @property
    def copies(self) -> CopyStore:
        """The log, as it is copied in order."""
        ...

    @property
    def daily(self) -> DailyStore:
        """Counts for the daily summary, and the database's clock."""
        ...

    @property
    def restoring(self) -> RestoreStore:
        """What the ceremony after a restore does to everything at once."""
        ...

    @property
    def census(self) -> CensusStore:
        """Everything that is kept, gone through once."""
        ...

    @property
    def words(self) -> WordStore:
        """The search index over the log."""
        ...

    @property
    def vault_id(self) -> str:
        """The vault's immutable UUID, part of every secret's context."""
        ...

    def check_mark(self) -> None:
        """Hold the log against its mark and its keys, as every append does; where at all, first in a unit.

        Raises `Unavailable` log.rolled_back if it is behind its mark or beside it.
        """
        ...

    def commit(self) -> None:
        """Make everything durable, or raise `Unavailable` and leave nothing."""
        ...


class Units(Protocol):
    """Where use cases get their transactions; leaving without commit rolls back."""

    def write(self) -> AbstractContextManager[Unit]:
        """Begin a transaction that may write."""
        ...

    def read(self) -> AbstractContextManager[Unit]:
        """Begin one that only reads, from one consistent state."""
        ...
