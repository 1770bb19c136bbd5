"""The words, signs and tones of every state: what a badge says, so that no page says it differently.

Decided here: never colour alone (WCAG 2.2, 1.4.1): each state has a word and a sign. A state that has no
words here is a KeyError, which a test finds before a person does.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from vault.domain.account import Custodian, Custody, Kind
from vault.domain.actor import Role
from vault.domain.board import Stage
from vault.domain.campaign import Parts
from vault.domain.campaign import Stage as CampaignStage
from vault.domain.checkout import CheckoutState
from vault.domain.credential import Due, PartKind, PartState, VersionLabel, VersionOrigin
from vault.domain.health import Health
from vault.domain.incident import IncidentKind
from vault.domain.keyless import KeylessState
from vault.domain.notice import Channel, Topic, Way
from vault.domain.person import PersonState
from vault.domain.policy import Permission
from vault.domain.proposal import ProposalKind, ProposalState
from vault.domain.reason import Situation
from vault.domain.recoverable import Fate, Loss
from vault.domain.rotation import Evidence, RotationState
from vault.services.explaining import Passage
from vault.services.places import PlaceState
from vault.services.reviews import DayState
from vault.web.ui.words_events import EVENT, event, meaning
from vault.web.ui.words_walk import ACT, WALK

__all__ = ["ACT", "EVENT", "WALK", "Word", "event", "meaning"]


@dataclass(frozen=True, slots=True)
class Word:
    """How a state is shown: its name, its tone (a colour), its sign, and what it means."""

    name: str
    tone: str
    icon: str
    meaning: str


CUSTODY: Final[Mapping[Custody, Word]] = {
    Custody.ONBOARDING: Word("Onboarding", "accent", "arrow", "Being taken over; nothing is held yet."),
    Custody.HELD: Word("Held", "ok", "lock", "We answer for this root."),
    Custody.IN_TRANSFER: Word("In transfer", "warn", "arrow", "Its handover is in progress."),
    Custody.RELEASED: Word("Released", "info", "out", "The customer holds it now."),
    Custody.CLOSING: Word("Closing", "warn", "clock", "The account is being closed."),
    Custody.CLOSED: Word("Closed", "info", "stop", "Closed; it can be reopened for 90 days."),
    Custody.DEAD: Word("Gone", "info", "stop", "Closed for good."),
    Custody.CUSTOMER_HELD: Word("Customer holds it", "info", "person", "Never ours: an ECAM member (C2)."),
    Custody.KEYLESS: Word("No root credentials", "info", "check", "Removed centrally; nothing to hold."),
}

SITUATION: Final[Mapping[Situation, Word]] = {
    Situation.ONBOARDING: CUSTODY[Custody.ONBOARDING],
    Situation.HELD: CUSTODY[Custody.HELD],
    Situation.DUE: Word("Rotate first", "warn", "turn", "Somebody may know it; it has to change."),
    Situation.UNKNOWN: Word("Outcome unknown", "bad", "question", "Nobody knows which value is set at AWS."),
    Situation.IN_TRANSFER: CUSTODY[Custody.IN_TRANSFER],
    Situation.CLOSING: CUSTODY[Custody.CLOSING],
    Situation.REVIEW: Word("Review first", "bad", "alert", "A broken glass waits for its review."),
    Situation.NONE: Word("Nothing to open", "info", "stop", "We hold nothing of this account."),
}

CHECKOUT: Final[Mapping[CheckoutState, Word]] = {
    CheckoutState.REQUESTED: Word("Requested", "info", "clock", "Just asked for."),
    CheckoutState.PENDING_APPROVAL: Word("Waiting for approval", "warn", "clock", "Others decide first."),
    CheckoutState.APPROVED: Word("Approved", "accent", "check", "Begins with a second factor."),
    CheckoutState.ACTIVE: Word("Checked out", "accent", "key", "The lease is running."),
    CheckoutState.CHECKED_IN: Word("Checked in", "ok", "check", "Ended by its holder."),
    CheckoutState.EXPIRED: Word("Expired", "info", "clock", "The lease ended by time."),
    CheckoutState.REVOKED: Word("Revoked", "bad", "stop", "Ended by somebody else."),
    CheckoutState.CANCELLED: Word("Cancelled", "info", "stop", "Withdrawn before it began."),
    CheckoutState.DENIED: Word("Denied", "bad", "stop", "An approver said no."),
    CheckoutState.LAPSED: Word("Lapsed", "info", "clock", "Not decided, or not used, in time."),
}

PART_KIND: Final[Mapping[PartKind, str]] = {PartKind.PASSWORD: "Password", PartKind.MFA: "MFA device"}

PART: Final[Mapping[PartState, Word]] = {
    PartState.ABSENT: Word("Absent", "info", "stop", "Nothing is held."),
    PartState.HELD: Word("Held", "ok", "lock", "Sealed in the vault."),
    PartState.IN_USE: Word("In use", "accent", "key", "A lease is running."),
    PartState.ROTATING: Word("Being rotated", "accent", "turn", "A new value was shown."),
    PartState.UNKNOWN: Word("Outcome unknown", "bad", "question", "Old and new value are kept."),
    PartState.RECONCILING: Word("Being tried", "warn", "question", "Someone finds out which value works."),
    PartState.LOST: Word("Lost", "bad", "alert", "No value works; reset it through the mailbox."),
    PartState.DESTROYED: Word("Destroyed", "info", "stop", "Nothing opens it any more."),
}

ROTATION: Final[Mapping[RotationState, Word]] = {
    RotationState.PLANNED: Word("Sealed, not shown", "accent", "lock", "Nobody has seen the new value."),
    RotationState.DISPLAYED: Word("Shown", "accent", "eye", "Set it at AWS, then say what AWS did."),
    RotationState.ACCEPTED: Word("Accepted", "ok", "check", "It is the current value; not verified yet."),
    RotationState.VERIFIED: Word("Verified", "ok", "shield", "Proven; older values are retired."),
    RotationState.ABANDONED: Word("Abandoned", "info", "stop", "Dropped before anyone saw it."),
    RotationState.REFUSED: Word("Refused by AWS", "warn", "stop", "The value before stays."),
    RotationState.UNKNOWN: Word("Outcome unknown", "bad", "question", "Find out which value works."),
}

EVIDENCE: Final[Mapping[Evidence, str]] = {
    Evidence.AWS_RECORD: "by AWS's own records",
    Evidence.LATER_USE: "by a later use",
    Evidence.SECOND_PERSON: "by a second person",
}

VERSION: Final[Mapping[VersionLabel, Word]] = {
    VersionLabel.STAGED: Word("Staged", "accent", "clock", "Prepared; not known to be set at AWS."),
    VersionLabel.CURRENT: Word("Current", "ok", "check", "What AWS has, as far as we know."),
    VersionLabel.PREVIOUS: Word("Previous", "info", "turn", "Kept until the current one is verified."),
    VersionLabel.RETIRED: Word("Retired", "info", "stop", "Proven to be dead."),
    VersionLabel.FAILED: Word("Not taken", "info", "stop", "AWS never took it."),
    VersionLabel.DESTROYED: Word("Destroyed", "info", "stop", "Nothing opens it any more."),
}

ORIGIN: Final[Mapping[VersionOrigin, str]] = {
    VersionOrigin.GENERATED: "made by the vault",
    VersionOrigin.ENTERED: "entered from AWS",
    VersionOrigin.TAKEN_IN: "existed before us",
}

DUE: Final[Mapping[Due, str]] = {
    Due.DISCLOSED: "A person has seen this password, so it has to change before anything else opens it.",
    Due.INTAKE: "It existed before us, so others may know it.",
    Due.WEAK: "It does not meet the rules for passwords.",
    Due.AGE: "It is older than the policy allows.",
    Due.LEAVER: "Someone who was shut out may know it, so it has to change before anything else opens it.",
    Due.UNCHECKED: "It came out of a backup, and nobody has seen since then that AWS still takes it.",
    Due.INCIDENT: "An incident about this account is open, so it has to change before anything else opens it.",
    Due.REUSED: "Another account had the same value when it was taken in.",
}

HEALTH: Final[Mapping[Health, Word]] = {
    Health.HEALTHY: Word("Healthy", "ok", "check", "Nothing is to be done."),
    Health.DUE: Word("Due", "warn", "turn", "It has to be changed."),
    Health.UNCHECKED: Word("Unchecked", "warn", "question", "Nobody has looked for too long."),
    Health.OVERDUE: Word("Overdue", "bad", "clock", "It has been due for longer than the grace."),
    Health.UNKNOWN: Word("Unknown", "bad", "question", "Nobody knows which value works."),
    Health.OUT_OF_SYNC: Word("Out of sync", "bad", "alert", "AWS tells otherwise than the vault."),
    Health.LOST: Word("Lost", "bad", "stop", "No value works."),
    Health.ABSENT: Word("Not held", "info", "stop", "Nothing of it is ours to look after."),
}
STAGE: Final[Mapping[Stage, Word]] = {
    Stage.OVERDUE: HEALTH[Health.OVERDUE],
    Stage.DUE: Word("Due", "warn", "turn", "Something has to be done about it."),
    Stage.IN_PROGRESS: Word("In progress", "accent", "key", "Somebody is at it."),
    Stage.UNVERIFIED: Word("Unverified", "warn", "question", "AWS took it, and nobody has proved it."),
}
LOSS: Final[Mapping[Loss, tuple[str, str]]] = {
    Loss.VAULT: (
        "The vault",
        "Passwords and codes are gone; mailboxes, phones and the offline recovery are left.",
    ),
    Loss.MAILBOX: ("A mailbox", "Nobody reads the root mailbox any more: no password is set anew."),
    Loss.PHONE: ("A phone", "Nobody answers the primary phone any more: no lost device is passed by."),
}
FATE: Final[Mapping[Fate, Word]] = {
    Fate.KEPT: Word("Kept", "ok", "check", "We still get in by ourselves."),
    Fate.WITH_CUSTOMER: Word(
        "With the customer", "warn", "person", "We get in only with the customer's help."
    ),
    Fate.LOST: Word("Lost", "bad", "stop", "Nothing that we know of gets us in."),
}

PERSON: Final[Mapping[PersonState, Word]] = {
    PersonState.INVITED: Word("Invited", "warn", "clock", "The link was not used yet."),
    PersonState.ACTIVE: Word("Active", "ok", "check", "Can sign in."),
    PersonState.DISABLED: Word("Disabled", "info", "stop", "Shut out."),
}

INCIDENT: Final[Mapping[IncidentKind, Word]] = {
    IncidentKind.UNLOGGED_DECRYPT: Word(
        "Key used around the log", "bad", "alert", "AWS recorded a use of our key that no entry tells of."
    ),
    IncidentKind.MISSING_DECRYPT: Word(
        "Key use not at AWS", "warn", "question", "An entry tells of a use of a key that AWS did not record."
    ),
    IncidentKind.ROOT_SIGN_IN: Word(
        "Root sign-in",
        "bad",
        "person",
        "Root signed in, tried to, or was recovered, and no checkout covers it.",
    ),
    IncidentKind.ROOT_USE: Word("Root use", "bad", "key", "Root did something that no checkout covers."),
    IncidentKind.LOG_DAMAGED: Word(
        "Log damaged", "bad", "alert", "An examination of the log found something."
    ),
}

INCIDENT_STATE: Final[Mapping[str, Word]] = {
    "open": Word("Nobody has it", "bad", "alert", "Someone has to take it."),
    "owned": Word("Looked into", "accent", "eye", "Its owner finds out what explains it."),
    "closed": Word("Closed", "ok", "check", "Explained, with a sentence."),
}

FACTOR: Final[Mapping[str, str]] = {"totp": "by code", "passkey": "by passkey", "none": "by token"}
"""By which second factor a session was opened."""

PROPOSAL: Final[Mapping[ProposalState, Word]] = {
    ProposalState.WAITING: Word("Waits for a second person", "warn", "clock", "It gives nothing yet."),
    ProposalState.HELD: Word("On hold", "accent", "clock", "Agreed to; it counts when the hold is over."),
    ProposalState.IN_FORCE: Word("In force", "ok", "check", "Two people agreed."),
    ProposalState.ENDED: Word("Ended", "info", "stop", "Withdrawn, refused or taken away."),
}

PROPOSAL_KIND: Final[Mapping[ProposalKind, Word]] = {
    ProposalKind.POLICY: Word("Policy", "info", "shield", "Another version of the policy."),
    ProposalKind.RECOVERY: Word("Recovery", "info", "person", "A fresh enrolment for a person."),
    ProposalKind.BREAK_GLASS: Word("Break-glass", "info", "alert", "That a person may break the glass."),
    ProposalKind.TOKEN: Word("Machine token", "info", "token", "A machine that can change custody."),
    ProposalKind.BUDGET: Word("Budget", "info", "accounts", "More accounts an hour for a person."),
    ProposalKind.CAMPAIGN: Word("Campaign", "info", "turn", "Many accounts to rotate, at a faster pace."),
    ProposalKind.KEYLESS: Word(
        "Root credentials", "danger", "key", "A member's are removed at AWS, or their recovery allowed."
    ),
    ProposalKind.SPLIT_OFF: Word("Split custody off", "info", "person", "Password and codes to one person."),
    ProposalKind.RECIPIENT: Word(
        "Recovery recipient", "info", "shield", "Who can open every credential offline, with three shares."
    ),
    ProposalKind.REWRAP: Word("Re-wrap", "info", "key", "Other keys for every data key."),
    ProposalKind.DRILL: Word("Drill", "info", "check", "Every credential opened once, unseen."),
    ProposalKind.LIFT: Word("Lift a freeze", "info", "lock", "The end of a freeze."),
}

PARTS: Final[Mapping[Parts, str]] = {
    Parts.BOTH: "Password and MFA device",
    Parts.PASSWORD: "Password",
    Parts.MFA: "MFA device",
}

CAMPAIGN_STAGE: Final[Mapping[CampaignStage, Word]] = {
    CampaignStage.LEFT: Word("To do", "warn", "clock", "Nothing was rotated since the campaign began."),
    CampaignStage.STARTED: Word("Half done", "accent", "turn", "One of two parts was rotated."),
    CampaignStage.ROTATED: Word("Rotated", "accent", "check", "Rotated; not all of it is proven yet."),
    CampaignStage.VERIFIED: Word("Proven", "ok", "shield", "Rotated, and proven."),
}

OUTCOME: Final[Mapping[str, Word]] = {
    "success": Word("Done", "ok", "check", "It happened."),
    "denied": Word("Denied", "warn", "stop", "It was not allowed."),
    "failed": Word("Failed", "bad", "alert", "It was tried and went wrong."),
    "unknown": Word("Unknown", "bad", "question", "Treated as if it had happened."),
}

DAY: Final[Mapping[DayState, Word]] = {
    DayState.RUNNING: Word("Today", "accent", "clock", "This day is not over."),
    DayState.EMPTY: Word("No entries", "info", "stop", "Nothing was written on this day."),
    DayState.TO_DO: Word("To review", "warn", "eye", "It is over, and nobody has signed it yet."),
    DayState.RED: Word("Overdue", "bad", "alert", "Over for more than 24 hours, and nobody has signed it."),
    DayState.SIGNED: Word("Signed", "ok", "check", "An auditor looked at it and signed."),
}

PLACE: Final[Mapping[PlaceState, Word]] = {
    PlaceState.CONFIRMED: Word("Confirmed", "ok", "check", "It has what was last handed over."),
    PlaceState.WAITING: Word("Not yet", "info", "clock", "Nothing was handed over yet."),
    PlaceState.FAILING: Word("Failing", "warn", "turn", "The last try failed; the next comes by itself."),
    PlaceState.LOST: Word("Lost", "bad", "alert", "It has failed for so long that the log tells of it."),
}

NOTICE_TOPIC: Final[Mapping[Topic, tuple[str, str]]] = {
    Topic.REQUESTS: (
        "Requests and approvals",
        "What waits for your word, and what became of your own requests.",
    ),
    Topic.PEOPLE: (
        "People and powers",
        "Who was shut out, whose powers were taken away. Powers added are urgent.",
    ),
    Topic.OWN: ("Your own account", "Sign-ins from new devices, tokens, refused codes."),
    Topic.LOG: ("The log and incidents", "What the log does not explain, and places outside that are lost."),
    Topic.WORK: (
        "Work",
        "Accounts of campaigns and findings that you were given, findings that weigh most, a reminder a day.",
    ),
    Topic.EMERGENCY: ("Emergencies", "Broken glass, freezes, too many accounts in an hour."),
}
NOTICE_WAY: Final[Mapping[Way, str]] = {
    Way.MAIL: "By mail, at once",
    Way.DIGEST: "By mail, one letter a day",
    Way.INBOX: "In the inbox only",
}
NOTICE_CHANNEL: Final[Mapping[Channel, str]] = {
    Channel.INBOX: "Inbox",
    Channel.MAIL: "Mail",
    Channel.WEBHOOK: "Team's room",
}

ROLE: Final[Mapping[Role, str]] = {
    Role.OPERATOR: "Operator",
    Role.APPROVER: "Approver",
    Role.AUDITOR: "Auditor",
    Role.ADMIN: "Administrator",
    Role.CUSTODIAN: "Custodian",
    Role.CSM: "Customer success",
}

PERMISSION: Final[Mapping[Permission, str]] = {
    Permission.ACCOUNT_READ: "See customers, accounts and their state",
    Permission.CASE_READ: "See cases: onboardings, handovers, closures, moves",
    Permission.CASE_AGREE: "Say the second word on a step of a case, or on waiving one",
    Permission.ONBOARDING_MANAGE: "Take accounts over",
    Permission.HANDOVER_OPEN: "Open a handover, and cancel one",
    Permission.HANDOVER_PREPARE: "Prepare a handover: information, gates, days",
    Permission.HANDOVER_CARRY_OUT: "Carry a handover out, at AWS too",
    Permission.CLOSURE_MANAGE: "Close accounts",
    Permission.MOVE_MANAGE: "Move accounts to another customer",
    Permission.MOVE_AGREE: "Say the second word on a move, and approve its fee",
    Permission.ACCOUNT_REGISTER: "Register customers and accounts",
    Permission.CREDENTIAL_INTAKE: "Take credentials into custody",
    Permission.CHECKOUT_USE: "Ask for root and use it",
    Permission.CHECKOUT_APPROVE: "Approve or deny a request",
    Permission.CHECKOUT_REVOKE: "End another person's checkout",
    Permission.CHECKOUT_REVIEW: "Review a broken glass",
    Permission.FREEZE_SET: "Freeze disclosures",
    Permission.FREEZE_LIFT: "Be one of two who lift a freeze",
    Permission.BUDGET_RAISE: "Be one of two who raise a budget",
    Permission.ROTATION_VERIFY: "Prove a colleague's rotation",
    Permission.FINDING_HANDLE: "Take and close findings about an account",
    Permission.KEYLESS_DECIDE: "Have a member's root credentials removed",
    Permission.KEYS_MANAGE: "Change keys, drill, name the recovery recipient",
    Permission.TRAIL_READ: "Read the trail of accounts in scope",
    Permission.LOG_READ: "Read the whole log",
    Permission.LOG_EXPORT: "Take a copy of the log",
    Permission.LOG_REVIEW: "Sign the review of a day",
    Permission.INCIDENT_HANDLE: "Take and close incidents",
    Permission.PEOPLE_MANAGE: "Invite people, give and take roles",
    Permission.POLICY_MANAGE: "Be one of two who change the policy",
    Permission.TOKEN_OWN: "Make API tokens for oneself",
}

PASSAGE: Final[Mapping[Passage, str]] = {
    Passage.SIGHT: "Sight",
    Passage.ROLE: "Role and scope",
    Passage.CUSTODY: "Custody",
    Passage.FREEZE: "Freeze",
    Passage.FREE: "Free",
    Passage.REASON: "Reason",
    Passage.KIND: "Kind of account",
    Passage.SITUATION: "Situation",
    Passage.HOURS: "Hours",
    Passage.DURATION: "Duration",
    Passage.APPROVERS: "Approvers",
    Passage.VELOCITY: "Accounts an hour",
    Passage.TICKET: "Ticket",
    Passage.FACTOR: "Second factor",
}

ROLE_MEANING: Final[Mapping[Role, str]] = {
    Role.OPERATOR: "checks root out, uses and rotates it",
    Role.APPROVER: "confirms what others ask for",
    Role.AUDITOR: "reads the whole log, never a secret",
    Role.ADMIN: "manages people, cannot reveal",
    Role.CUSTODIAN: "registers accounts and takes values in",
    Role.CSM: "prepares handovers",
}

KIND: Final[Mapping[Kind, str]] = {
    Kind.PAYER: "Payer",
    Kind.MEMBER: "Member",
    Kind.STANDALONE: "Standalone",
}

CUSTODIAN: Final[Mapping[Custodian, Word]] = {
    Custodian.OURS: Word("Ours", "ok", "check", "We control it."),
    Custodian.CUSTOMER: Word("The customer's", "warn", "person", "A way in that we do not control (C5)."),
    Custodian.UNKNOWN: Word("Not recorded", "warn", "question", "Find out: it is a way in (C5)."),
}

KEYLESS: Final[Mapping[KeylessState, Word]] = {
    KeylessState.SEEN: Word("Looked at", "info", "search", "AWS told what its root has."),
    KeylessState.REMOVING: Word(
        "Removal begun", "warn", "turn", "Two people agreed; go on until AWS says it is done."
    ),
    KeylessState.GONE: Word(
        "No root credentials", "ok", "check", "Nobody signs in as root, and nobody recovers it."
    ),
    KeylessState.ALLOWING: Word(
        "Recovery begun", "warn", "turn", "Two people agreed; go on until AWS confirmed it."
    ),
}
UNSEEN: Final = Word("Not looked at", "info", "question", "Nobody asked AWS what its root has.")


def outcome(name: str) -> Word:
    """Give an outcome's words, also for one that this program does not know."""
    return OUTCOME.get(name, Word(name, "info", "question", ""))
