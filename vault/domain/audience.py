"""Who is told of what: one row for every type of entry that somebody is told of, and the list of the quiet ones.

Decided here: the audience of each type, the line that they read, and whether it may be switched off. A line names
people and account numbers and nothing that was typed as a reason, ticket, comment or sentence: whoever may read
those does so on the page. Every type of event is here or in `QUIET`; a test says which is missing.
Never decided here: who holds which power, and what they may see (`vault.services.telling`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from vault.domain.event import EventType, Result
from vault.domain.notice import Topic


class Audience(StrEnum):
    """Who; but for `CONCERNED`, never the one who did it."""

    CONCERNED = "concerned"
    """The person whom it is about, also where they did it themselves."""
    REQUESTER = "requester"
    """Who asked for the checkout."""
    APPROVERS = "approvers"
    """Who may approve for the account; of a checkout only where it needs approvals."""
    ADMINISTRATORS = "administrators"
    """Who manages people, within their scope."""
    AUDITORS = "auditors"
    """Who reads the log, within their scope."""
    HANDLERS = "handlers"
    """Who handles incidents, within their scope."""
    REVIEWERS = "reviewers"
    """Who reviews broken glass, within their scope."""
    KEEPERS = "keepers"
    """Who handles findings, within their scope."""
    SECONDS = "seconds"
    """Who may give the second word on a proposal, within its scope."""
    NEXT = "next"
    """Whose turn it is in a case: who holds the permission that the entry names, for its account or customer."""


C, R, P = Audience.CONCERNED, Audience.REQUESTER, Audience.APPROVERS
D, U, H = Audience.ADMINISTRATORS, Audience.AUDITORS, Audience.HANDLERS
S, V = Audience.SECONDS, Audience.REVIEWERS
K: Final = Audience.KEEPERS
N: Final = Audience.NEXT
_HAPPENED: Final = frozenset({Result.SUCCESS, Result.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Route:
    """How one type of entry is told.

    `line` may hold `{who}` (the actor), `{whom}` (the person it is about), `{account}` and `{what}` (the detail's
    kind). `urgent` notices go by mail whatever a person chose; `by_mail` False means the inbox alone. With
    `by_another` nobody is told of what they did themselves. `outcomes` are those that are told; `where` are members
    of the detail that have to be so.
    """

    line: str
    topic: Topic
    to: frozenset[Audience]
    urgent: bool = False
    by_mail: bool = True
    by_another: bool = False
    outcomes: frozenset[Result] = field(default=_HAPPENED)
    where: Mapping[str, object] = field(default_factory=dict)


def _to(
    line: str,
    topic: Topic,
    *to: Audience,
    urgent: bool = False,
    by_mail: bool = True,
    by_another: bool = False,
    outcomes: frozenset[Result] = _HAPPENED,
    where: Mapping[str, object] | None = None,
) -> Route:
    return Route(line, topic, frozenset(to), urgent, by_mail, by_another, outcomes, where or {})


_REQ, _PEOPLE, _OWN, _LOG = Topic.REQUESTS, Topic.PEOPLE, Topic.OWN, Topic.LOG
_NOW, _WORK = Topic.EMERGENCY, Topic.WORK
_ANY: Final = frozenset(Result)

ROUTES: Final[Mapping[EventType, Route]] = {
    EventType.CHECKOUT_REQUESTED: _to("{who} asks for root of {account}: your approval is needed", _REQ, P),
    EventType.CHECKOUT_APPROVED: _to("{who} approved the request for {account}", _REQ, R, P),
    EventType.CHECKOUT_REJECTED: _to("{who} denied the request for {account}", _REQ, R, P),
    EventType.CHECKOUT_CANCELLED: _to("{who} withdrew the request for {account}", _REQ, P),
    EventType.CHECKOUT_SHORTENED: _to("The lease of {account} ends earlier than it did", _REQ, R),
    EventType.CHECKOUT_EXPIRED: _to("The lease of {account} ended by time", _REQ, R, P),
    EventType.CHECKOUT_LAPSED: _to("The request for {account} lapsed", _REQ, R, P),
    EventType.CHECKOUT_REVOKED: _to("{who} revoked the checkout of {account}", _REQ, R, P),
    EventType.REVEAL_UNKNOWN: _to("A disclosure of {account} has no known outcome", _LOG, U, R),
    EventType.MAIL_SEALED: _to("Security mail came for {account}, which you hold", _REQ, R),
    EventType.MAIL_UNASKED: _to(
        "Somebody asks AWS for a way into {account}, and nobody here holds it", _NOW, H, U, urgent=True
    ),
    EventType.MAIL_FLOOD: _to("More mail comes to root addresses than is kept", _LOG, U, D, outcomes=_ANY),
    EventType.MAIL_UNTOLD: _to("A ticket could not be told of mail to {account}", _LOG, U, D, outcomes=_ANY),
    EventType.MAIL_ASSIGNED: _to("{who} gave mail that came for no account to {account}", _LOG, U, R),
    EventType.MAIL_RECOVERED: _to(
        "Sealed mail of {account} was opened offline with shares", _LOG, U, D, urgent=True
    ),
    EventType.MAIL_UNKNOWN: _to("An opening of mail to {account} has no known outcome", _LOG, U, R),
    EventType.CREDENTIAL_LOST: _to("AWS takes no value that we hold of {account}", _LOG, U, R, P),
    EventType.ROTATION_UNKNOWN: _to("Whether AWS took a new value of {account} is not known", _LOG, U, R),
    EventType.ROTATION_UNVERIFIED: _to(
        "A new value of {account} waits too long for somebody or something to prove it", _LOG, R, P, U
    ),
    EventType.CHECKOUT_REOPENED: _to("The request for {account} waits for another approval", _REQ, R, P),
    EventType.CHECKOUT_JOINED: _to("{who} took the codes of the lease of {account}", _REQ, R),
    EventType.BREAK_GLASS_BEGUN: _to("{who} broke the glass for {account}", _NOW, C, D, U, V, urgent=True),
    EventType.BREAK_GLASS_REVIEWED: _to(
        "{who} reviewed the broken glass of {account}", _NOW, R, D, U, urgent=True
    ),
    EventType.FREEZE_SET: _to("{who} froze disclosures", _NOW, C, D, U, P, urgent=True),
    EventType.FREEZE_LIFTED: _to("{who} lifted a freeze", _NOW, C, D, U, P, urgent=True),
    EventType.VELOCITY_EXCEEDED: _to(
        "{whom} opened more accounts in an hour than they may", _NOW, C, D, U, P, urgent=True, outcomes=_ANY
    ),
    EventType.CAMPAIGN_ASSIGNED: _to(
        "{who} gave you accounts of a campaign", _WORK, C, by_another=True, where={"from": 1}
    ),
    EventType.CASE_OPENED: _to("{who} opened a case ({what})", _WORK, N),
    EventType.CASE_CANCELLED: _to("{who} cancelled a case ({what})", _WORK, N),
    EventType.STEP_ASKED: _to(
        "{who} said the first word on a step of a case ({what}): yours is needed", _WORK, N, urgent=True
    ),
    EventType.STEP_FAILED: _to("A step of a case ({what}) has to be done again", _WORK, N, outcomes=_ANY),
    EventType.HANDOVER_ACKNOWLEDGED: _to("The customer acknowledged a handover", _WORK, N),
    EventType.LINK_ENDED: _to("A customer's link ended without having been opened", _WORK, N, outcomes=_ANY),
    EventType.LINK_MAILED: _to(
        "A customer's link could not be mailed", _WORK, C, outcomes=frozenset({Result.FAILED})
    ),
    EventType.GRACE_ENDING: _to(
        "Nobody acknowledged a handover: what we keep of it is destroyed soon", _WORK, N, U, urgent=True
    ),
    EventType.ACCOUNT_MOVED: _to("{account} moved to another customer", _WORK, P, D),
    EventType.UPKEEP_REMINDED: _to("Work waits for you: look at what is yours to do", _WORK, C),
    EventType.PERSON_ENROLLED: _to("{whom} enrolled", _PEOPLE, D),
    EventType.PERSON_DISABLED: _to("{who} shut {whom} out", _PEOPLE, C, D, U),
    EventType.LEAVER_KNOWS: _to("What {whom} may know is due for rotation", _PEOPLE, D, U),
    EventType.RECOVERY_LINK: _to("{who} took the recovery link of {whom}", _PEOPLE, C, D, U, urgent=True),
    EventType.ROLE_PROPOSED: _to(
        "{who} proposed a role for {whom}: a second administrator is needed", _PEOPLE, C, D, U, urgent=True
    ),
    EventType.ROLE_GRANTED: _to("{who} agreed to a role for {whom}", _PEOPLE, C, D, U, urgent=True),
    EventType.ROLE_REMOVED: _to("{who} took a role of {whom} away", _PEOPLE, C, D, U),
    EventType.PROPOSAL_MADE: _to(
        "{who} proposed what takes two people ({what}): a second word is needed",
        _PEOPLE,
        C,
        S,
        D,
        U,
        urgent=True,
    ),
    EventType.PROPOSAL_AGREED: _to("{who} agreed to a proposal ({what})", _PEOPLE, C, S, D, U, urgent=True),
    EventType.PROPOSAL_ENDED: _to("{who} ended a proposal ({what})", _PEOPLE, C, S, D, U),
    EventType.TOKEN_ISSUED: _to("{who} made a token", _OWN, C, D, U),
    EventType.TOKEN_REVOKED: _to("{who} ended a token", _OWN, C),
    EventType.SIGNED_IN: _to(
        "Your account was signed in to from a device that was not known",
        _OWN,
        C,
        where={"known_device": False},
    ),
    EventType.SIGNED_OUT: _to("{who} ended a session of {whom}", _PEOPLE, C, by_another=True),
    EventType.PASSKEY_ADDED: _to("A passkey was added for {who}", _OWN, C, U, urgent=True),
    EventType.PASSKEY_REMOVED: _to("A passkey of {whom} counts no more", _OWN, C, U, urgent=True),
    EventType.PASSKEY_SUSPECT: _to(
        "A passkey of {whom} may have been copied", _OWN, C, D, U, urgent=True, outcomes=_ANY
    ),
    EventType.IDENTITY_LINKED: _to(
        "An identity at the provider was linked to {whom}", _OWN, C, U, urgent=True
    ),
    EventType.IDENTITY_UNLINKED: _to("An identity at the provider no longer stands for {whom}", _OWN, C, U),
    EventType.TOKEN_REFUSED: _to(
        "A token came from an address that it is not for", _OWN, C, D, U, outcomes=_ANY
    ),
    # or who sits in another's place could silence the others first
    EventType.NOTICE_CHOSEN: _to("How you are told of what happens was changed", _OWN, C, urgent=True),
    EventType.STEP_UP_REFUSED: _to("A second factor for your account was refused", _OWN, C, outcomes=_ANY),
    EventType.ACCESS_FLOOD: _to("Failures of one network beyond a rate", _LOG, U, outcomes=_ANY),
    EventType.LOG_KEY_ROTATED: _to("The key that signs the log was changed", _LOG, U, D),
    EventType.AUDIT_EXAMINED: _to(
        "An examination of the log found differences", _LOG, U, D, outcomes=frozenset({Result.FAILED})
    ),
    EventType.AUDIT_EXPORTED: _to("{who} took a copy of the log", _LOG, U, by_mail=False),
    EventType.INCIDENT_OPENED: _to("An incident was opened", _LOG, H, outcomes=_ANY),
    EventType.INCIDENT_ASSIGNED: _to("{who} took an incident, or handed it on", _LOG, C),
    EventType.FINDING_OPENED: _to(
        "An account's root is not as it should be: {account}", _WORK, K, where={"weight": 1}
    ),
    EventType.FINDING_ASSIGNED: _to("{who} handed you a finding of {account}", _WORK, C, by_another=True),
    EventType.KEYLESS_STOPPED: _to(
        "The removal of root credentials of {account} did not come to its end", _LOG, U, outcomes=_ANY
    ),
    EventType.KEYLESS_REACHED: _to("{account} has no root credentials any more", _LOG, U, D),
    EventType.ACCOUNT_REOPENED: _to("{who} says that AWS reopened {account}", _LOG, U, K),
    EventType.ACCOUNT_DEAD: _to("{account} is dead: nobody can reopen it any more", _WORK, K, by_mail=False),
    EventType.CREDENTIAL_DESTROYED: _to("What was kept of {account} is destroyed", _LOG, U, D, by_mail=False),
    EventType.KEYLESS_LEFT: _to("The root of {account} can be recovered again", _LOG, U, D, urgent=True),
    EventType.TICKET_UNTOLD: _to(
        "A ticket could not be told of a checkout that ended", _LOG, U, D, outcomes=_ANY
    ),
    EventType.REWRAP_BEGUN: _to(
        "Every data key is being wrapped under other keys", _LOG, U, D, urgent=True, outcomes=_ANY
    ),
    EventType.REWRAP_FINISHED: _to("A re-wrap came to its end", _LOG, U, D, outcomes=_ANY),
    EventType.DRILL_BEGUN: _to("A drill opens every credential, and shows none", _LOG, U, D),
    EventType.DRILL_FINISHED: _to("A drill came to its end", _LOG, U, D, outcomes=_ANY),
    EventType.OUTLET_LOST: _to("A place outside that keeps the log is lost", _LOG, U, D, outcomes=_ANY),
    EventType.OUTLET_BACK: _to("A place outside that keeps the log is back", _LOG, U, D),
    EventType.CREDENTIAL_RECOVERED: _to(
        "The credential of {account} was opened offline with shares", _LOG, U, D, urgent=True
    ),
    EventType.VAULT_RESTORED: _to(
        "A backup was restored: every credential counts as unchecked", _LOG, U, D, urgent=True
    ),
    # never by mail: a dead letter about dead letters would be the next dead letter
    EventType.NOTICE_DEAD: _to("Notices could not be delivered", _LOG, U, D, by_mail=False, outcomes=_ANY),
}
"""Who is told, and in which words."""

QUIET: Final[frozenset[EventType]] = frozenset(
    {
        EventType.LOG_OPENED,
        EventType.LOG_DAY,
        EventType.CLOCK_STATUS,
        EventType.SERVICE_STARTED,
        EventType.SERVICE_STOPPED,
        EventType.POLICY_ADOPTED,
        EventType.RECIPIENT_KEPT,
        EventType.POLICY_LOADED,
        EventType.ACCESS_DENIED,
        EventType.SIGN_IN_REFUSED,
        EventType.STEPPED_UP,
        EventType.PASSKEY_ASKED,
        EventType.PASSKEY_CONFIRMED,
        EventType.PERSON_INVITED,
        EventType.ENROLMENT_OPENED,
        EventType.CUSTOMER_REGISTERED,
        EventType.CUSTOMER_CHANGED,
        EventType.ACCOUNT_REGISTERED,
        EventType.ACCOUNT_CHANGED,
        EventType.CREDENTIAL_TAKEN_IN,
        EventType.CREDENTIAL_REUSED,
        EventType.SECRET_PROMOTED,
        EventType.CUSTODY_HELD,
        EventType.KEYLESS_ASKED,
        EventType.KEYLESS_SESSION,
        EventType.KEYLESS_SEEN,
        EventType.KEYLESS_BEGUN,
        EventType.IMPORT_FINISHED,
        EventType.LINK_MADE,
        EventType.LINK_OPENED,
        EventType.LINK_LEFT,
        EventType.LINK_REFUSED,
        EventType.CAMPAIGN_BEGUN,
        EventType.CAMPAIGN_ENDED,
        EventType.CASE_JOINED,
        EventType.CASE_CHANGED,
        EventType.STEP_BEGUN,
        EventType.STEP_DONE,
        EventType.STEP_WAIVED,
        EventType.CHECKOUT_GRANTED,
        EventType.CHECKOUT_RETURNED,
        EventType.MAIL_RECEIVED,
        EventType.MAIL_UNMATCHED,
        EventType.MAIL_EMPTIED,
        EventType.MAIL_ASSIGNING,
        EventType.MAIL_AUTHORIZED,
        EventType.MAIL_OPENED,
        EventType.MAIL_FAILED,
        EventType.MAIL_REFUSED,
        EventType.REVEAL_AUTHORIZED,
        EventType.REVEAL_RELEASED,
        EventType.REVEAL_FAILED,
        EventType.REVEAL_REFUSED,
        EventType.ROTATION_PLANNED,
        EventType.ROTATION_DISPLAYED,
        EventType.ROTATION_ACCEPTED,
        EventType.ROTATION_REFUSED,
        EventType.ROTATION_ABANDONED,
        EventType.ROTATION_VERIFIED,
        EventType.DEVICE_REMOVED,
        EventType.AUDIT_VIEWED,
        EventType.AUDIT_SAMPLED,
        EventType.REVIEW_SIGNED,
        EventType.CLOUD_RECONCILED,
        EventType.INCIDENT_CLOSED,
        EventType.INSPECTION_ASKED,
        EventType.INSPECTION_DONE,
        EventType.FINDING_ACCEPTED,
        EventType.FINDING_CLOSED,
        EventType.HOST_COMMAND,
        EventType.KEYS_REWRAPPED,
        EventType.DRILL_OPENED,
        EventType.BACKUP_TAKEN,
        EventType.NOTICE_REPLAYED,
    }
)
"""Types that nobody is told of: they are in the log, and reviewed there."""

UNKNOWN: Final = Route(
    "Something happened that this vault has no words for", _LOG, frozenset({U}), by_mail=False
)
"""How a type is told that is in neither; whoever adds one says who is told."""


def route_of(event: str) -> Route | None:
    """Give how a type of entry is told; None for a quiet one."""
    if event in QUIET:
        return None
    return ROUTES.get(EventType(event), UNKNOWN) if event in set(EventType) else UNKNOWN
