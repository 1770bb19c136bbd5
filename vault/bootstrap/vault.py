"""One vault, put together: what it runs on, and every use case by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from vault.bootstrap.cases import CaseRooms
    from vault.bootstrap.releases import ReleaseRooms
    from vault.crypto.local import ServerKey
    from vault.domain.policy import Policy
    from vault.ports.calendar import Calendars
    from vault.ports.clock import Clock
    from vault.ports.keys import KeyService
    from vault.ports.store import Units
    from vault.services.account_limits import AccountLimits
    from vault.services.accounts import Accounts
    from vault.services.activity import Activities
    from vault.services.anchored import Anchored
    from vault.services.approvals import Approvals
    from vault.services.asking import Asking
    from vault.services.attestations import Attestations
    from vault.services.board import Board
    from vault.services.campaigning import CampaignsOver
    from vault.services.campaigns import Campaigns
    from vault.services.certificates import Certificates
    from vault.services.checkouts import Checkouts
    from vault.services.clocks import Clocks
    from vault.services.closures import ClosuresOver
    from vault.services.coming import Coming
    from vault.services.custody import Custodies
    from vault.services.customers import Customers
    from vault.services.daily_note import DailyNote
    from vault.services.days import Days
    from vault.services.destruction import Destruction, Following
    from vault.services.devices import Devices
    from vault.services.enrolment import Enrolment
    from vault.services.evidence import Evidences
    from vault.services.explaining import Explaining
    from vault.services.exports import Exports
    from vault.services.federation import Federation
    from vault.services.feeds import Feeds
    from vault.services.findings import Findings
    from vault.services.freezes import Freezes
    from vault.services.gate import Gate
    from vault.services.glass import BreakGlass
    from vault.services.healths import Healths
    from vault.services.imports import Imports
    from vault.services.incidents import Incidents
    from vault.services.indexing import Indexing
    from vault.services.inspecting import Inspecting
    from vault.services.key_work import KeyWork
    from vault.services.keyless import KeylessMembers
    from vault.services.knowledge import Knowledge
    from vault.services.leavers import Leavers
    from vault.services.losing import Losing
    from vault.services.machines import Machines
    from vault.services.mail_assigning import MailAssigning
    from vault.services.mail_opening import Mails
    from vault.services.mail_telling import MailTelling
    from vault.services.mailbox import Mailbox
    from vault.services.notices import Notices
    from vault.services.offsite import Offsite
    from vault.services.onboarding_desk import Onboardings
    from vault.services.outlets import Outlets
    from vault.services.passkeys import Passkeys
    from vault.services.people import People
    from vault.services.places import Places
    from vault.services.policies import Policies
    from vault.services.policy_book import Book
    from vault.services.proposals import Proposals
    from vault.services.proving import Proving
    from vault.services.publishing import Publishing
    from vault.services.queue import Queue
    from vault.services.recipients import Recipients
    from vault.services.reconciliation import Reconciliation
    from vault.services.recoverables import Recoverables
    from vault.services.recovery import Recovery
    from vault.services.reminders import Reminders
    from vault.services.reveals import Reveals
    from vault.services.reviews import Reviews
    from vault.services.root_emails import RootEmails
    from vault.services.rotations import Rotations
    from vault.services.samples import Samples
    from vault.services.sending import Sending
    from vault.services.sessions import Sessions
    from vault.services.signin import SignIn
    from vault.services.split import SplitCustody
    from vault.services.sweep import Sweep
    from vault.services.telling import Telling
    from vault.services.timelines import Timelines
    from vault.services.tokens import Tokens
    from vault.services.trail import Trail
    from vault.services.velocity import Budgets
    from vault.services.views import Views
    from vault.services.walking import Walks
    from vault.services.watching import Watching
    from vault.settings import Settings


@dataclass(frozen=True, slots=True)
class Vault:
    """One vault, put together: what it runs on, and every use case."""

    settings: Settings
    clock: Clock
    units: Units
    calendars: Calendars
    cases: CaseRooms
    releases: ReleaseRooms
    onboardings: Onboardings
    root_emails: RootEmails
    account_limits: AccountLimits
    keys: KeyService
    server_key: ServerKey
    origin: str
    vkey: str
    close: Callable[[], None]
    gate: Gate
    customers: Customers
    accounts: Accounts
    healths: Healths
    board: Board
    campaigns: Campaigns
    campaigns_over: CampaignsOver
    coming: Coming
    reminders: Reminders
    recoverables: Recoverables
    custodies: Custodies
    asking: Asking
    checkouts: Checkouts
    approvals: Approvals
    reveals: Reveals
    rotations: Rotations
    losing: Losing
    attestations: Attestations
    devices: Devices
    proving: Proving
    walks: Walks
    views: Views
    queue: Queue
    trail: Trail
    indexing: Indexing
    timelines: Timelines
    samples: Samples
    exports: Exports
    evidences: Evidences
    keyless: KeylessMembers
    knowledge: Knowledge
    destruction: Destruction
    destructions: Following
    closures_over: ClosuresOver
    certificates: Certificates
    reviews: Reviews
    activities: Activities
    watching: Watching
    sweep: Sweep
    imports: Imports
    people: People
    proposals: Proposals
    freezes: Freezes
    glass: BreakGlass
    budgets: Budgets
    split: SplitCustody
    key_work: KeyWork
    recipients: Recipients
    recovery: Recovery
    leavers: Leavers
    sessions: Sessions
    passkeys: Passkeys
    enrolment: Enrolment
    signin: SignIn
    federation: Federation
    tokens: Tokens
    machines: Machines
    outlets: Outlets
    feeds: Feeds
    telling: Telling
    sending: Sending
    notices: Notices
    mailbox: Mailbox
    mails: Mails
    mail_assigning: MailAssigning
    mail_telling: MailTelling
    publishing: Publishing
    offsite: Offsite
    daily_note: DailyNote
    anchored: Anchored
    days: Days
    clocks: Clocks
    places: Places
    reconciliation: Reconciliation
    incidents: Incidents
    inspecting: Inspecting
    findings: Findings
    policies: Policies
    explaining: Explaining

    @property
    def policy(self) -> Policy:
        """The version of the policy that this request goes by."""
        return self.gate.policy

    @property
    def book(self) -> Book:
        """Where the version in force is found."""
        return self.gate.book
