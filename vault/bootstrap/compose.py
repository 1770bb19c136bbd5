"""The composition: every port gets its adapter, every use case its ports, once, here.

Decided here: which adapter stands behind which port, and that nothing is handed out before the start
checks passed. Never decided here: a rule.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from audit.note import Verifier
from vault.adapters.kernel_clock import KernelClock
from vault.adapters.passwords import Argon2
from vault.bootstrap.calendar import open_calendar
from vault.bootstrap.cases import CaseParts, acts_of, case_rooms, kinds_of
from vault.bootstrap.effects import effects_of
from vault.bootstrap.inspection import NOTHING
from vault.bootstrap.mailbox import bounds_of
from vault.bootstrap.onboarding import welcoming
from vault.bootstrap.outlets import names_of, notes_of, publishing_of, witnesses_of
from vault.bootstrap.outside import Outside
from vault.bootstrap.releases import release_rooms
from vault.bootstrap.vault import Vault
from vault.crypto.passkey import Party
from vault.domain.health import Limits
from vault.services.account_limits import AccountLimits
from vault.services.accounts import Accounts
from vault.services.activity import Activities
from vault.services.agreed import Agreed
from vault.services.anchored import Anchored
from vault.services.approvals import Approvals
from vault.services.asking import Asking
from vault.services.assertions import Assertions
from vault.services.attestations import Attestations
from vault.services.board import Board
from vault.services.campaigning import Campaigning, CampaignsOver
from vault.services.campaigns import Campaigns
from vault.services.certificates import Certificates
from vault.services.checkouts import Checkouts
from vault.services.clocks import Clocks, Timely
from vault.services.closures import ClosuresOver
from vault.services.coming import Coming
from vault.services.custody import Custodies
from vault.services.customers import Customers
from vault.services.daily_note import DailyNote
from vault.services.days import Days
from vault.services.deciding import Deciding
from vault.services.destruction import Destruction, Following
from vault.services.devices import Devices
from vault.services.enrolment import Enrolment
from vault.services.evidence import Evidences
from vault.services.evidence_cloud import RecordsOfAws
from vault.services.explaining import Explaining
from vault.services.exports import Exports
from vault.services.factors import Factors
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
from vault.services.limits import SessionLimits
from vault.services.losing import Losing
from vault.services.machines import Machines
from vault.services.mail_assigning import MailAssigning
from vault.services.mail_opening import Mails
from vault.services.mail_telling import MailTelling
from vault.services.mailbox import Mailbox
from vault.services.notices import Notices
from vault.services.offsite import Offsite
from vault.services.outlets import Outlets
from vault.services.passkeys import Passkeys
from vault.services.people import People
from vault.services.places import Places
from vault.services.policies import Policies, PolicyEffect
from vault.services.policy_book import FixedPolicy
from vault.services.proposals import Proposals
from vault.services.proving import Proving
from vault.services.queue import Queue
from vault.services.recipient_book import RecipientBook
from vault.services.recipients import Recipients
from vault.services.reconciliation import Reconciliation
from vault.services.recoverables import Recoverables
from vault.services.recovery import Recovery
from vault.services.reminders import Reminders
from vault.services.reveals import Reveals
from vault.services.reviews import Reviews
from vault.services.root_emails import RootEmails
from vault.services.root_records import InspectionRecords, TrailRecords
from vault.services.rotations import Rotations
from vault.services.samples import Samples
from vault.services.sealing import Sealer
from vault.services.sending import Sending
from vault.services.sessions import Sessions
from vault.services.signin import SignIn
from vault.services.split import SplitCustody
from vault.services.sweep import Sweep
from vault.services.telling import Telling
from vault.services.tickets import Tickets
from vault.services.timelines import Timelines
from vault.services.tokens import Tokens
from vault.services.trail import Trail
from vault.services.velocity import Budgets
from vault.services.views import Views
from vault.services.walking import Walks
from vault.services.watching import Watching

if TYPE_CHECKING:
    from vault.crypto.local import ServerKey
    from vault.domain.hygiene import Wanted
    from vault.domain.policy import Policy
    from vault.ports.calendar import Calendars
    from vault.ports.central_root import CentralRoot
    from vault.ports.clock import Clock
    from vault.ports.cloud import CloudRecords
    from vault.ports.destruction import DestroyedList
    from vault.ports.feeds import Feed
    from vault.ports.identities import IdentityProvider
    from vault.ports.inspection import Inspector
    from vault.ports.keys import KeyService
    from vault.ports.notices import Room
    from vault.ports.offboarding import Offboarding
    from vault.ports.passwords import Passwords
    from vault.ports.store import Units
    from vault.ports.tickets import TicketSystem
    from vault.services.policy_book import Book
    from vault.settings import Settings


def _keep_open() -> None:
    """Do nothing: whoever made the units does it."""


__all__ = ["Ground", "Vault", "compose"]


@dataclass(frozen=True, slots=True)
class Ground:
    """What a vault is put together from."""

    settings: Settings
    policy: Policy
    clock: Clock
    units: Units
    keys: KeyService
    server_key: ServerKey
    origin: str
    vkey: str
    passwords: Passwords = field(default_factory=Argon2)
    close: Callable[[], None] = _keep_open
    """Lets go of the database."""
    timely: Timely = field(default_factory=Timely)
    """The gate of clocks: of the machine's own, never of one that is set by hand."""
    named: tuple[str, ...] = ()
    """The names of the keys, as wraps have them."""
    outside: Outside | None = None
    """Places outside; None for a vault that has none."""
    tickets: TicketSystem | None = None
    """Where tickets are looked up, and told what came of the work."""
    feeds: tuple[Feed, ...] = ()
    """Receivers of every entry."""
    provider: IdentityProvider | None = None
    """The identity provider that may stand for passwords."""
    room: Room | None = None
    """A team's room that is told of notices."""
    central_root: CentralRoot | None = None
    """Centralized root access of the payers."""
    offboarding: Offboarding | None = None
    """What takes away what is ours of accounts that are given back."""
    cloud: tuple[CloudRecords, ...] = ()
    """Sources of AWS's own records."""
    inspection: tuple[Inspector | None, Wanted] = (None, NOTHING)
    """What looks at accounts, None where nothing does, and what it looks for."""
    calendars: Calendars | None = None
    """The days of business; None for those that the settings describe."""
    destroyed: DestroyedList | None = None
    """The list of destructions outside the database."""
    tidy: Callable[[], None] = _keep_open
    """Lets no old page of the database hold what was destroyed."""
    book: Book | None = None
    """Where the version in force is found; None for a vault that goes by `policy` for ever."""


def compose(ground: Ground) -> Vault:
    """Give every use case its ports."""
    units, clock = ground.units, ground.clock
    settings = ground.settings
    session = SessionLimits(
        idle=timedelta(seconds=settings.session.idle_seconds),
        longest=timedelta(seconds=settings.session.longest_seconds),
    )
    gate = Gate(ground.book or FixedPolicy(ground.policy))
    assertions = Assertions(ground.server_key, Party.of(settings.server.public_url))
    factors = Factors(ground.server_key, assertions)
    insists_on = settings.oidc.issuer if settings.oidc.required else ""
    signin = SignIn(units, factors, ground.passwords, clock, session, insists_on)
    tokens = Tokens(units, gate, factors, clock, timedelta(days=settings.people.token_days))
    recipient_book = RecipientBook(units, clock)
    sealer = Sealer(ground.keys, recipient_book)
    deciding = Deciding(gate)
    checkouts = Checkouts(units, gate, factors, deciding, clock)
    outside = ground.outside or Outside((Verifier.parse(ground.vkey),))
    outlets = Outlets(units, clock, timedelta(seconds=settings.feeds.lost_seconds))
    anchored = Anchored(
        tuple(anchor.name for anchor in outside.anchors),
        timedelta(seconds=settings.log.unanchored_seconds),
    )
    daily_note = DailyNote(
        units, outlets, clock, ground.origin, ground.vkey, settings.anchors.mail_to, outside.mailer
    )
    tickets = Tickets(gate, ground.tickets)
    feeds = (*ground.feeds, *notes_of(ground))
    reveals = Reveals(units, checkouts, sealer, clock, tickets, anchored, ground.timely)
    mails = Mails(units, gate, reveals, clock, timedelta(days=settings.mailbox.keep_days))
    rotations = Rotations(units, checkouts, reveals, sealer, clock)
    custodies = Custodies(units, gate, factors, sealer, clock)
    trail = Trail(units, gate, clock)
    waits = Limits(timedelta(days=settings.upkeep.grace_days), timedelta(days=settings.upkeep.check_days))
    healths = Healths(units, gate, clock, waits)
    reviews = Reviews(units, gate, clock)
    reconciliation = Reconciliation(
        units,
        ground.cloud,
        frozenset((*settings.keys.kms_keys, *settings.keys.retiring)),
        clock,
        timedelta(seconds=settings.cloud.wait_seconds),
    )
    hold = timedelta(seconds=settings.people.hold_seconds)
    link_lasts = timedelta(seconds=settings.people.enrolment_seconds)
    policy_effect = PolicyEffect(gate=gate, rests=hold)
    effects = effects_of(hold, policy_effect)
    proposals = Proposals(units, gate, factors, clock, effects)
    destruction = Destruction(timedelta(days=settings.backup.keep_days), ground.destroyed)
    calendars = ground.calendars or open_calendar(settings)
    parts = CaseParts(units, gate, factors, clock, calendars, ground.offboarding, ground.central_root)
    every = timedelta(seconds=settings.inspection.interval_seconds)
    inspecting = Inspecting(units, gate, clock, *ground.inspection, every)
    accounts = Accounts(units, gate, clock)
    welcome = welcoming(settings, accounts, inspecting, ground.tickets)
    grace = timedelta(days=settings.handover.grace_days)
    parts = replace(parts, welcoming=welcome, grace=grace)
    cases = case_rooms(parts, kinds_of(parts), acts_of(parts))
    releases = release_rooms(ground, cases.work.ground, destruction, outside.mailer)
    return Vault(
        settings=settings,
        cases=cases,
        releases=releases,
        onboardings=welcome.desk(parts, cases.opening, cases.work),
        root_emails=RootEmails(units, gate),
        account_limits=AccountLimits(units, gate, clock),
        clock=clock,
        units=units,
        calendars=calendars,
        keys=ground.keys,
        server_key=ground.server_key,
        origin=ground.origin,
        vkey=ground.vkey,
        close=ground.close,
        gate=gate,
        customers=Customers(units, gate, clock),
        accounts=accounts,
        healths=healths,
        board=Board(units, clock, healths),
        campaigns=Campaigns(units, gate, proposals, healths, clock),
        campaigns_over=CampaignsOver(units, clock, Campaigning()),
        coming=Coming(units, gate, reviews, clock, timedelta(days=settings.upkeep.unverified_days)),
        reminders=Reminders(units, gate, healths, clock),
        recoverables=Recoverables(units, clock, healths, recipient_book),
        custodies=custodies,
        asking=Asking(units, gate, deciding, tickets, clock),
        checkouts=checkouts,
        approvals=Approvals(units, gate, factors, deciding, clock),
        reveals=reveals,
        rotations=rotations,
        losing=Losing(units, checkouts, clock),
        attestations=Attestations(units, rotations, clock),
        devices=Devices(units, checkouts, clock),
        proving=Proving(
            units,
            gate,
            (TrailRecords(), InspectionRecords()),
            clock,
            timedelta(days=settings.upkeep.unverified_days),
        ),
        walks=Walks(units, gate, clock),
        views=Views(units, gate, deciding, clock),
        queue=Queue(units, gate, deciding, clock),
        trail=trail,
        indexing=Indexing(units),
        timelines=Timelines(units, gate, clock, trail),
        samples=Samples(units, gate, clock),
        exports=Exports(units, gate, clock),
        evidences=Evidences(units, gate, clock, ground.vkey, RecordsOfAws(reconciliation)),
        keyless=KeylessMembers(
            units, gate, proposals, Agreed(units, gate, clock), clock, ground.central_root
        ),
        knowledge=Knowledge(units, gate, clock),
        destruction=destruction,
        closures_over=ClosuresOver(units, clock),
        destructions=Following(units, clock, destruction, ground.tidy),
        certificates=Certificates(units, gate, clock),
        reviews=reviews,
        activities=Activities(units, gate, clock, reviews),
        watching=Watching(units, gate, clock, reviews, tuple(anchor.name for anchor in outside.anchors)),
        sweep=Sweep(units, deciding, reveals, clock),
        imports=Imports(units, custodies, clock),
        people=People(
            units,
            gate,
            factors,
            clock,
            hold=hold,
            link_lasts=link_lasts,
        ),
        proposals=proposals,
        freezes=Freezes(units, gate, proposals, clock),
        glass=BreakGlass(units, gate, factors, proposals, clock),
        budgets=Budgets(units, gate, proposals, clock),
        split=SplitCustody(units, gate, proposals, clock),
        key_work=KeyWork(proposals, ground.named),
        recipients=Recipients(units, gate, proposals, recipient_book, clock),
        recovery=Recovery(units, gate, factors, clock, proposals, link_lasts),
        leavers=Leavers(units, gate, clock),
        sessions=Sessions(units, gate, clock, session),
        passkeys=Passkeys(units, factors, signin, clock),
        enrolment=Enrolment(units, factors, ground.passwords, clock),
        signin=signin,
        federation=Federation(units, gate, factors, clock, ground.provider, settings.role_groups),
        tokens=tokens,
        machines=Machines(tokens, proposals),
        outlets=outlets,
        feeds=Feeds(units, outlets, clock, feeds),
        telling=Telling(
            units,
            outlets,
            gate,
            clock,
            {kind: effect.permission for kind, effect in proposals.effects.items()},
            by_mail=outside.mailer is not None,
            by_room=ground.room is not None,
        ),
        sending=Sending(
            units,
            gate,
            clock,
            settings.server.public_url,
            ground.origin,
            timedelta(days=settings.notices.keep_days),
            time.monotonic,
            outside.mailer,
            ground.room,
        ),
        mailbox=Mailbox(units, sealer, ground.server_key, clock, bounds_of(settings)),
        mails=mails,
        mail_assigning=MailAssigning(units, gate, factors, sealer, clock),
        mail_telling=MailTelling(units, clock, settings.server.public_url, ground.tickets),
        notices=Notices(units, gate, clock, by_mail=outside.mailer is not None),
        publishing=publishing_of(ground, outside, outlets),
        places=Places(
            units, gate, clock, anchored, names_of(ground, outside, daily_note), witnesses_of(ground.settings)
        ),
        offsite=Offsite(units, outlets, clock, outside.copies),
        daily_note=daily_note,
        anchored=anchored,
        days=Days(units, clock),
        clocks=Clocks(units, clock, KernelClock()),
        reconciliation=reconciliation,
        incidents=Incidents(units, gate, clock),
        inspecting=inspecting,
        findings=Findings(units, gate, clock),
        explaining=Explaining(units, gate, deciding, clock),
        policies=Policies(units, gate, proposals, policy_effect, clock, settings.policy_file.read_bytes),
    )
