"""The catalogue of what the log can say: every type of event, and what it means in a sentence.

Decided here: the names, which are never reused for something else. What an event holds is `vault.domain.event`.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class EventType(StrEnum):
    """The name of what happened; names are never reused for something else."""

    LOG_OPENED = "log.opened"
    LOG_KEY_ROTATED = "log.key.rotated"
    LOG_DAY = "log.day"
    CLOCK_STATUS = "clock.status"
    SERVICE_STARTED = "service.started"
    SERVICE_STOPPED = "service.stopped"
    POLICY_ADOPTED = "policy.adopted"
    POLICY_LOADED = "policy.loaded"
    ACCESS_DENIED = "access.denied"
    ACCESS_FLOOD = "access.flood"

    SIGNED_IN = "session.opened"
    SIGN_IN_REFUSED = "session.refused"
    SIGNED_OUT = "session.closed"
    STEPPED_UP = "stepup.passed"
    STEP_UP_REFUSED = "stepup.refused"
    PERSON_INVITED = "person.invited"
    ENROLMENT_OPENED = "person.enrolment.opened"
    PERSON_ENROLLED = "person.enrolled"
    PERSON_DISABLED = "person.disabled"
    LEAVER_KNOWS = "person.leaver.knows"
    RECOVERY_LINK = "person.recovery.link"
    PASSKEY_ADDED = "passkey.added"
    PASSKEY_REMOVED = "passkey.removed"
    PASSKEY_ASKED = "passkey.asked"
    PASSKEY_CONFIRMED = "passkey.confirmed"
    PASSKEY_SUSPECT = "passkey.suspect"
    ROLE_PROPOSED = "role.proposed"
    ROLE_GRANTED = "role.granted"
    ROLE_REMOVED = "role.removed"
    PROPOSAL_MADE = "proposal.made"
    PROPOSAL_AGREED = "proposal.agreed"
    PROPOSAL_ENDED = "proposal.ended"
    TOKEN_ISSUED = "token.issued"  # noqa: S105 - the name of an event
    TOKEN_REVOKED = "token.revoked"  # noqa: S105 - the name of an event
    TOKEN_REFUSED = "token.refused"  # noqa: S105 - the name of an event
    IDENTITY_LINKED = "identity.linked"
    IDENTITY_UNLINKED = "identity.unlinked"

    CUSTOMER_REGISTERED = "customer.registered"
    CUSTOMER_CHANGED = "customer.changed"
    ACCOUNT_REGISTERED = "account.registered"
    ACCOUNT_CHANGED = "account.changed"
    ACCOUNT_MOVED = "account.moved"
    CREDENTIAL_TAKEN_IN = "credential.taken_in"
    CREDENTIAL_REUSED = "credential.reused"
    SECRET_PROMOTED = "secret.promoted"  # noqa: S105 - the name of an event
    CUSTODY_HELD = "custody.held"
    KEYLESS_ASKED = "keyless.session.asked"
    KEYLESS_SESSION = "keyless.session.opened"
    KEYLESS_SEEN = "keyless.seen"
    KEYLESS_BEGUN = "keyless.begun"
    KEYLESS_STOPPED = "keyless.stopped"
    KEYLESS_REACHED = "keyless.reached"
    KEYLESS_LEFT = "keyless.left"
    CREDENTIAL_DESTROYED = "credential.destroyed"
    ACCOUNT_REOPENED = "account.reopened"
    ACCOUNT_DEAD = "account.dead"
    IMPORT_FINISHED = "import.finished"

    CHECKOUT_REQUESTED = "checkout.requested"
    CHECKOUT_APPROVED = "checkout.approved"
    CHECKOUT_REJECTED = "checkout.rejected"
    CHECKOUT_REOPENED = "checkout.reopened"
    CHECKOUT_GRANTED = "checkout.granted"
    CHECKOUT_RETURNED = "checkout.returned"
    CHECKOUT_SHORTENED = "checkout.shortened"
    CHECKOUT_EXPIRED = "checkout.expired"
    CHECKOUT_LAPSED = "checkout.lapsed"
    CHECKOUT_CANCELLED = "checkout.cancelled"
    CHECKOUT_REVOKED = "checkout.revoked"

    CHECKOUT_JOINED = "checkout.joined"
    BREAK_GLASS_BEGUN = "breakglass.begun"
    BREAK_GLASS_REVIEWED = "breakglass.reviewed"
    FREEZE_SET = "freeze.set"
    FREEZE_LIFTED = "freeze.lifted"
    VELOCITY_EXCEEDED = "velocity.exceeded"

    CAMPAIGN_BEGUN = "campaign.begun"
    CAMPAIGN_ASSIGNED = "campaign.assigned"
    CAMPAIGN_ENDED = "campaign.ended"
    UPKEEP_REMINDED = "upkeep.reminded"

    CASE_OPENED = "case.opened"
    CASE_JOINED = "case.accounts"
    CASE_CHANGED = "case.changed"
    CASE_CANCELLED = "case.cancelled"
    STEP_ASKED = "case.step.asked"
    STEP_BEGUN = "case.step.begun"
    STEP_DONE = "case.step.done"
    STEP_WAIVED = "case.step.waived"
    STEP_FAILED = "case.step.failed"
    LINK_MADE = "handover.link.made"
    LINK_MAILED = "handover.link.mailed"
    LINK_OPENED = "handover.link.opened"
    LINK_LEFT = "handover.link.left"
    LINK_REFUSED = "handover.link.refused"
    LINK_ENDED = "handover.link.ended"
    HANDOVER_ACKNOWLEDGED = "handover.acknowledged"
    GRACE_ENDING = "handover.grace.ending"

    TICKET_UNTOLD = "ticket.untold"

    MAIL_RECEIVED = "mail.received"
    MAIL_SEALED = "mail.sealed"
    MAIL_UNASKED = "mail.unasked"
    MAIL_UNMATCHED = "mail.unmatched"
    MAIL_FLOOD = "mail.flood"
    MAIL_EMPTIED = "mail.emptied"
    MAIL_UNTOLD = "mail.untold"
    MAIL_ASSIGNING = "mail.assign.authorized"
    MAIL_ASSIGNED = "mail.assigned"
    MAIL_RECOVERED = "mail.recovered"
    MAIL_AUTHORIZED = "mail.open.authorized"
    MAIL_OPENED = "mail.open.released"
    MAIL_FAILED = "mail.open.failed"
    MAIL_UNKNOWN = "mail.open.unknown"
    MAIL_REFUSED = "mail.open.refused"

    REVEAL_AUTHORIZED = "secret.reveal.authorized"
    REVEAL_RELEASED = "secret.reveal.released"
    REVEAL_FAILED = "secret.reveal.failed"
    REVEAL_UNKNOWN = "secret.reveal.unknown"
    REVEAL_REFUSED = "secret.reveal.refused"

    CREDENTIAL_LOST = "credential.lost"
    ROTATION_PLANNED = "rotation.planned"
    ROTATION_DISPLAYED = "rotation.displayed"
    ROTATION_ACCEPTED = "rotation.accepted"
    ROTATION_REFUSED = "rotation.refused"
    ROTATION_UNKNOWN = "rotation.unknown"
    ROTATION_ABANDONED = "rotation.abandoned"
    ROTATION_VERIFIED = "rotation.verified"
    ROTATION_UNVERIFIED = "rotation.unverified"
    DEVICE_REMOVED = "device.removed"

    AUDIT_VIEWED = "audit.viewed"
    AUDIT_EXPORTED = "audit.exported"
    AUDIT_SAMPLED = "audit.sampled"
    AUDIT_EXAMINED = "audit.examined"
    REVIEW_SIGNED = "review.signed"
    CLOUD_RECONCILED = "cloud.reconciled"
    INCIDENT_OPENED = "incident.opened"
    INCIDENT_ASSIGNED = "incident.assigned"
    INCIDENT_CLOSED = "incident.closed"
    INSPECTION_ASKED = "inspection.asked"
    INSPECTION_DONE = "inspection.done"
    FINDING_OPENED = "finding.opened"
    FINDING_ASSIGNED = "finding.assigned"
    FINDING_ACCEPTED = "finding.accepted"
    FINDING_CLOSED = "finding.closed"
    OUTLET_LOST = "outlet.lost"
    OUTLET_BACK = "outlet.back"
    NOTICE_DEAD = "notice.dead"
    NOTICE_REPLAYED = "notice.replayed"
    NOTICE_CHOSEN = "notice.chosen"
    RECIPIENT_KEPT = "recipient.kept"
    CREDENTIAL_RECOVERED = "credential.recovered"
    HOST_COMMAND = "host.command"
    REWRAP_BEGUN = "keys.rewrap.begun"
    KEYS_REWRAPPED = "keys.rewrapped"
    REWRAP_FINISHED = "keys.rewrap.finished"
    DRILL_BEGUN = "drill.begun"
    DRILL_OPENED = "drill.opened"
    DRILL_FINISHED = "drill.finished"
    BACKUP_TAKEN = "backup.taken"
    VAULT_RESTORED = "vault.restored"


CATALOGUE: Final[Mapping[EventType, str]] = {
    EventType.LOG_OPENED: "The first entry of a log: its origin and its public key.",
    EventType.LOG_KEY_ROTATED: "From here on another key signs; both do until `detail.overlap_until`.",
    EventType.LOG_DAY: "A day ended: how many entries it had, and how many each account has by now.",
    EventType.CLOCK_STATUS: "How far this clock, the database's and the witnesses' are apart.",
    EventType.SERVICE_STARTED: "The service began to answer, with which version, database and keys.",
    EventType.SERVICE_STOPPED: "The service was stopped in order.",
    EventType.POLICY_ADOPTED: "The host's policy file became the first version, or a restore kept the one in force.",
    EventType.POLICY_LOADED: "The service went on under another version of the policy; `policy.id` is its hash.",
    EventType.ACCESS_DENIED: "A known actor asked for something that is not theirs to do.",
    EventType.ACCESS_FLOOD: "Failures of one network beyond a rate, counted into one entry (S26).",
    EventType.SIGNED_IN: "A person signed in.",
    EventType.SIGN_IN_REFUSED: "Signing in failed; the name that was typed is not kept.",
    EventType.SIGNED_OUT: "Sessions were ended, by their person or by an administrator (`detail.person`).",
    EventType.STEPPED_UP: "A fresh second factor was given for one checkout.",
    EventType.STEP_UP_REFUSED: "A second factor was wrong, used before, or came too often.",
    EventType.PERSON_INVITED: "An administrator made a person, with an enrolment link.",
    EventType.ENROLMENT_OPENED: "An enrolment link was opened and its seed shown; who looks twice is asked why.",
    EventType.PERSON_ENROLLED: "A person set a password and a second factor by their link.",
    EventType.PERSON_DISABLED: "A person was shut out; sessions and tokens ended with it.",
    EventType.LEAVER_KNOWS: "What a person who was shut out may know: from here on it is due for rotation.",
    EventType.RECOVERY_LINK: "One of the two who agreed to a recovery took its link; only its end is named.",
    EventType.PASSKEY_ADDED: "A person enrolled a passkey; from the first one on, codes prove nothing of theirs.",
    EventType.PASSKEY_REMOVED: "A passkey counts no more; `detail.left` says how many are left, 0 leads back to codes.",
    EventType.PASSKEY_ASKED: "A program asked for what its person has to confirm by passkey in the browser.",
    EventType.PASSKEY_CONFIRMED: "A person confirmed by passkey what a program of theirs asked for.",
    EventType.PASSKEY_SUSPECT: "A passkey's counter went back: a copy of it may exist. What it signed was refused.",
    EventType.ROLE_PROPOSED: "An administrator proposed power for a person.",
    EventType.ROLE_GRANTED: "A second administrator agreed: the power is in force.",
    EventType.ROLE_REMOVED: "A power was taken away, at once.",
    EventType.PROPOSAL_MADE: "Somebody proposed what takes two people; `detail.kind` says what.",
    EventType.PROPOSAL_AGREED: "A second person agreed; `detail.effective_at` says from when it counts.",
    EventType.PROPOSAL_ENDED: "A proposal was withdrawn or refused, or what had been agreed to was taken away.",
    EventType.TOKEN_ISSUED: "An API token was made; only its id is named.",
    EventType.TOKEN_REVOKED: "An API token was ended.",
    EventType.TOKEN_REFUSED: "An API token came from an address that it is not for; `detail.network` says which.",
    EventType.IDENTITY_LINKED: "A person linked their identity at the provider; it replaces their password there.",
    EventType.IDENTITY_UNLINKED: "An identity at the provider does not stand for a person any more.",
    EventType.CUSTOMER_REGISTERED: "A customer (DDI) was registered.",
    EventType.CUSTOMER_CHANGED: "A customer's name, flags or session limits were changed.",
    EventType.ACCOUNT_REGISTERED: "An AWS account was registered.",
    EventType.ACCOUNT_CHANGED: "An account's name, root e-mail or custodians were changed.",
    EventType.ACCOUNT_MOVED: "An account became another customer's (D1), `detail.was` and `detail.now` are DDIs.",
    EventType.CREDENTIAL_TAKEN_IN: "Values that existed before were sealed as they are (C4).",
    EventType.CREDENTIAL_REUSED: "An import or a drill saw that another account had the same value at that time.",
    EventType.SECRET_PROMOTED: "A version became the current one of its part; later openings are checked against it.",
    EventType.CUSTODY_HELD: "Password and MFA are both confirmed: the account is held.",
    EventType.KEYLESS_ASKED: "A privileged session on a member's root is about to be asked of AWS, for one task.",
    EventType.KEYLESS_SESSION: "AWS gave the session: the id of its access key, under which AWS records what it does.",
    EventType.KEYLESS_SEEN: "What AWS lists of a member's root credentials: how many of each.",
    EventType.KEYLESS_BEGUN: "What two people agreed to for a member's root begins at AWS.",
    EventType.KEYLESS_STOPPED: "It did not come to its end; it can be done again, and nothing is done twice.",
    EventType.KEYLESS_REACHED: "AWS says that nothing is left of a member's root credentials; what we held is retired.",
    EventType.KEYLESS_LEFT: "Recovery of a member's root is allowed again; its custody begins anew.",
    EventType.CREDENTIAL_DESTROYED: "Every value kept of an account, and every key that wrapped one, is gone (H9).",
    EventType.ACCOUNT_REOPENED: "AWS reopened a closed account within its 90 days (L2); custody is what it was.",
    EventType.ACCOUNT_DEAD: "The 90 days of a closed account are over: its content is gone; nobody reopens it (L2).",
    EventType.IMPORT_FINISHED: "A run of the import ended; counts of rows taken and refused.",
    EventType.CHECKOUT_REQUESTED: "A person asked for an account's root, with reason, ticket and sentence.",
    EventType.CHECKOUT_APPROVED: "An approver agreed; `detail.complete` says whether that was enough.",
    EventType.CHECKOUT_REJECTED: "An approver denied; that ends the request.",
    EventType.CHECKOUT_REOPENED: "A word on an approved request does not count any more: it waits for another.",
    EventType.CHECKOUT_GRANTED: "The first step-up began the lease.",
    EventType.CHECKOUT_RETURNED: "The holder checked in.",
    EventType.CHECKOUT_SHORTENED: "The customer's limit was tightened while the lease ran: it ends earlier (U3).",
    EventType.CHECKOUT_EXPIRED: "The lease ended by time.",
    EventType.CHECKOUT_LAPSED: "A request was not decided, or an approval not used, in time.",
    EventType.CHECKOUT_CANCELLED: "The requester withdrew before the lease began.",
    EventType.CHECKOUT_REVOKED: "Someone else ended it, with a reason.",
    EventType.CHECKOUT_JOINED: "A second person took the codes of a lease under split custody.",
    EventType.BREAK_GLASS_BEGUN: "Someone asked for root without approvals, in an emergency; `detail` says from whom.",
    EventType.BREAK_GLASS_REVIEWED: "Someone not involved reviewed a broken glass; `detail.verdict` says how.",
    EventType.FREEZE_SET: "Disclosures were stopped: of the vault, a customer, an account or a person.",
    EventType.FREEZE_LIFTED: "A second person agreed to lift a freeze.",
    EventType.VELOCITY_EXCEEDED: "A person opened more distinct accounts in an hour than they may.",
    EventType.CAMPAIGN_BEGUN: "A campaign that two people agreed to began; the entries after it name its accounts.",
    EventType.CAMPAIGN_ASSIGNED: "Accounts of a campaign were given to a person, or to nobody; some at a time.",
    EventType.CAMPAIGN_ENDED: "A campaign ended, by time or because somebody ended it; its pace counts no more.",
    EventType.UPKEEP_REMINDED: "A person was reminded of work that waits for them: counts alone, once a day at most.",
    EventType.CASE_OPENED: "A case began: onboarding, handover, closure or move, as `detail.kind` says.",
    EventType.CASE_JOINED: "The accounts of a case that began; some at a time.",
    EventType.CASE_CHANGED: "A case or an account in it came to another state or day, by what `detail.what` says.",
    EventType.CASE_CANCELLED: "A case was cancelled, or an account was taken out of it.",
    EventType.STEP_ASKED: "The first of two people said that a step is done, or may be waived.",
    EventType.STEP_BEGUN: "The vault begins a step of a case at AWS.",
    EventType.STEP_DONE: "A step of a case is done: by whom, on which evidence, or what the vault did at AWS.",
    EventType.STEP_WAIVED: "Two people let a step go, with a sentence.",
    EventType.STEP_FAILED: "AWS did not do all of a step: what is done, what is left; it can be done again.",
    EventType.LINK_MADE: "A link to the customer's page of a handover was made; link and code are named nowhere.",
    EventType.LINK_MAILED: "The link went to the signatory by mail, or no server took it.",
    EventType.LINK_OPENED: "The customer's page was opened, once, with the link and its code.",
    EventType.LINK_LEFT: "The customer closed their page; the link stays used.",
    EventType.LINK_REFUSED: "A link, or a code, for a customer's page did not count.",
    EventType.LINK_ENDED: "A link to a customer's page ended unused: by time, or by too many wrong codes.",
    EventType.HANDOVER_ACKNOWLEDGED: "The signatory says on the customer's page that they hold the root.",
    EventType.GRACE_ENDING: "Nobody acknowledged a handover yet, and what is kept will be destroyed soon; told once.",
    EventType.TICKET_UNTOLD: "The ticket system did not take the note on a checkout that ended, for good.",
    EventType.MAIL_RECEIVED: "Mail that is known to be harmless came to a root address, and goes to a ticket.",
    EventType.MAIL_SEALED: "Mail that may be a way in came to a root address and was sealed (C7).",
    EventType.MAIL_UNASKED: "As `mail.sealed`: somebody asks AWS for a way in, and nobody here holds a lease.",
    EventType.MAIL_UNMATCHED: "Mail came to an address of no account; it is sealed, and nobody opens it.",
    EventType.MAIL_FLOOD: "More mail came than is kept, and was refused for a time; told once an hour.",
    EventType.MAIL_EMPTIED: "The sealed content of a mail was removed, because of its age.",
    EventType.MAIL_UNTOLD: "The ticket system did not take what came of a mail, for good; its words stay here.",
    EventType.MAIL_ASSIGNING: "Mail to no account may be given to one now: written before any key is unwrapped (C7).",
    EventType.MAIL_ASSIGNED: "Mail to no account was given to one, and sealed for it or passed on; failed, it was not.",
    EventType.MAIL_RECOVERED: "A sealed mail was opened offline with shares, by a receipt entered later.",
    EventType.MAIL_AUTHORIZED: "A sealed mail may be opened now: written before any key is unwrapped.",
    EventType.MAIL_OPENED: "The mail was opened and goes out with this entry's receipt.",
    EventType.MAIL_FAILED: "The mail was not opened; why is in `detail`.",
    EventType.MAIL_UNKNOWN: "No outcome of an opening was written in time: the mail counts as read.",
    EventType.MAIL_REFUSED: "An attempt to open a sealed mail that was not allowed.",
    EventType.REVEAL_AUTHORIZED: "A disclosure may happen now: written before any key is unwrapped.",
    EventType.REVEAL_RELEASED: "The value was opened and goes out with this entry's receipt.",
    EventType.REVEAL_FAILED: "The disclosure did not happen; why is in `detail`.",
    EventType.REVEAL_UNKNOWN: "No outcome was written in time: treated as disclosed.",
    EventType.REVEAL_REFUSED: "An attempt to open a secret that was not allowed.",
    EventType.CREDENTIAL_LOST: "Under a lease AWS took no value of ours; all that is still sealed may be tried.",
    EventType.ROTATION_PLANNED: "A new value was sealed and committed; nobody has seen it.",
    EventType.ROTATION_DISPLAYED: "A staged value is about to be shown to the lease's holder.",
    EventType.ROTATION_ACCEPTED: "AWS took the new value; it is current now.",
    EventType.ROTATION_REFUSED: "AWS did not take the new value; the old one stays.",
    EventType.ROTATION_UNKNOWN: "Nobody knows whether AWS took the new value; all stay openable.",
    EventType.ROTATION_ABANDONED: "A plan was dropped before anyone saw the value.",
    EventType.ROTATION_VERIFIED: "The new value was proven; older ones are retired. `detail.evidence` says by what.",
    EventType.ROTATION_UNVERIFIED: "A value that AWS is said to have taken waits too long for its proof; told once.",
    EventType.DEVICE_REMOVED: "A replaced MFA device was taken off at AWS, by the word of the lease's holder.",
    EventType.AUDIT_VIEWED: "Someone read the log, or what is told from it; `detail` says what.",
    EventType.AUDIT_EXPORTED: "Someone took a copy of the log.",
    EventType.AUDIT_SAMPLED: "Someone drew a random sample; its seed and population are named.",
    EventType.AUDIT_EXAMINED: "The whole log, or the state replayed from it, was examined on the host.",
    EventType.REVIEW_SIGNED: "Someone signed the review of one day of the log.",
    EventType.CLOUD_RECONCILED: "Records of AWS were held against the log; counts of what matched and what not.",
    EventType.INCIDENT_OPENED: "Something was found that the log does not explain.",
    EventType.INCIDENT_ASSIGNED: "Someone took an incident as theirs.",
    EventType.INCIDENT_CLOSED: "An incident was explained and closed.",
    EventType.INSPECTION_ASKED: "Someone asked to have an account looked at now instead of when its turn comes.",
    EventType.INSPECTION_DONE: "An account was looked at through its role, and what was seen is not what it was.",
    EventType.FINDING_OPENED: "An account is not as it should be, or is so again; `detail.rule` says what.",
    EventType.FINDING_ASSIGNED: "Someone took a finding as theirs, or was handed it.",
    EventType.FINDING_ACCEPTED: "Someone accepted a finding for a time, with a sentence.",
    EventType.FINDING_CLOSED: "A finding was seen to be mended, or somebody says that it is.",
    EventType.OUTLET_LOST: "A witness, anchor or feed outside has not answered for too long.",
    EventType.OUTLET_BACK: "A witness, anchor or feed outside answers again and has caught up.",
    EventType.NOTICE_DEAD: "Notices could not be delivered and are tried no more; `detail.count` says how many.",
    EventType.NOTICE_REPLAYED: "Someone had dead letters sent again.",
    EventType.NOTICE_CHOSEN: "A person chose how to hear of what; an inbox has everything.",
    EventType.RECIPIENT_KEPT: "A restore took the recovery recipient over from the log that it ended.",
    EventType.CREDENTIAL_RECOVERED: "A credential was opened offline with shares, by a receipt entered later.",
    EventType.HOST_COMMAND: "A command on the host that changes or sends something; `detail.command` names it.",
    EventType.REWRAP_BEGUN: "A re-wrap began: under which keys every data key shall be wrapped, by whose agreement.",
    EventType.KEYS_REWRAPPED: "A version's data key was wrapped anew, proven under each key, or lost its old wraps.",
    EventType.REWRAP_FINISHED: "A re-wrap came to its end; counts of what was done, and whether all is proven.",
    EventType.DRILL_BEGUN: "A drill began: every credential is opened and none is shown; by whose agreement, and why.",
    EventType.DRILL_OPENED: "A drill opened a version under each of its keys, or says what was wrong.",
    EventType.DRILL_FINISHED: "A drill came to its end; counts of what opened and what did not.",
    EventType.BACKUP_TAKEN: "A backup was taken on the host.",
    EventType.VAULT_RESTORED: "A backup was restored; every credential counts as unchecked.",
}
