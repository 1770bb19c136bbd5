"""Which OCSF class and activity each type of event is: one row for every type in the catalogue.

Decided here: the table, for OCSF 1.8.0. Where the schema has no activity for what we record, the activity is
99 (Other) with a name of ours. A type that has no row is written as a base event, so that a copy never fails
because of it; a test fails until the row is added. Classes 3001 and 3005 go away after 1.9.0: a move to 3007
is a change of this table alone.

https://schema.ocsf.io/1.8.0
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from vault.domain.event import EventType as E


class Class(IntEnum):
    """The classes that are used, by `class_uid`."""

    BASE = 0
    EVENT_LOG = 1008
    FINDING = 2004
    ACCOUNT_CHANGE = 3001
    AUTHENTICATION = 3002
    ENTITY = 3004
    USER_ACCESS = 3005
    API = 6003


CLASS_NAMES: Final[Mapping[Class, str]] = {
    Class.BASE: "Base Event",
    Class.EVENT_LOG: "Event Log Activity",
    Class.FINDING: "Detection Finding",
    Class.ACCOUNT_CHANGE: "Account Change",
    Class.AUTHENTICATION: "Authentication",
    Class.ENTITY: "Entity Management",
    Class.USER_ACCESS: "User Access Management",
    Class.API: "API Activity",
}
OTHER: Final = 99


@dataclass(frozen=True, slots=True)
class Row:
    """How one type of event is written; `severity` is that of a success, `failing` that of anything else.

    `disposition` overrides what the outcome says; `entity` is the kind of thing that an entity event is about;
    `for_mfa` is the row to use instead where the secret is the MFA seed.
    """

    kind: Class
    activity: int
    name: str
    severity: int
    failing: int = 3
    disposition: int | None = None
    entity: str = "AWS account"
    for_mfa: Row | None = None

    @property
    def type_uid(self) -> int:
        """The class and the activity as one number."""
        return self.kind * 100 + self.activity


def _log(activity: int, name: str, severity: int, failing: int = 4) -> Row:
    return Row(Class.EVENT_LOG, activity, name, severity, failing)


def _entity(activity: int, name: str, severity: int, entity: str = "AWS account", failing: int = 3) -> Row:
    return Row(Class.ENTITY, activity, name, severity, failing, entity=entity)


def _access(activity: int, name: str, severity: int, disposition: int | None = None, failing: int = 3) -> Row:
    return Row(Class.USER_ACCESS, activity, name, severity, failing, disposition)


_CREDENTIAL: Final = "AWS root credential"
_READ: Final = _entity(2, "Read", 4, _CREDENTIAL, 4)
_CASE: Final = "Case"
_MAIL: Final = "Root mail"
_MAIL_READ: Final = _entity(2, "Read", 4, _MAIL, 4)
_PASSWORD: Final = Row(Class.ACCOUNT_CHANGE, 3, "Password Change", 3)


def _set(severity: int, failing: int) -> Row:
    """Give the row of setting a credential at AWS: a password, or an MFA device."""
    password = replace(_PASSWORD, severity=severity, failing=failing)
    return replace(password, for_mfa=replace(password, activity=10, name="MFA Factor Enable"))


TABLE: Final[Mapping[E, Row]] = {
    E.LOG_OPENED: _log(6, "Start", 2),
    E.LOG_KEY_ROTATED: _entity(3, "Update", 4, "Log signing key"),
    E.LOG_DAY: _log(OTHER, "Summary", 1),
    E.CLOCK_STATUS: _log(OTHER, "Clock Status", 1),
    E.SERVICE_STARTED: _log(6, "Start", 2),
    E.SERVICE_STOPPED: _log(7, "Stop", 4),
    E.POLICY_ADOPTED: _entity(1, "Create", 4, "Policy"),
    E.RECIPIENT_KEPT: _entity(3, "Update", 4, "Recovery recipient"),
    E.CREDENTIAL_RECOVERED: _entity(2, "Read", 5, _CREDENTIAL),
    E.POLICY_LOADED: _entity(3, "Update", 4, "Policy"),
    E.ACCESS_DENIED: Row(Class.API, OTHER, "Denied", 3, 3, disposition=26),
    E.ACCESS_FLOOD: Row(Class.FINDING, 1, "Create", 4, 4),
    E.SIGNED_IN: Row(Class.AUTHENTICATION, 1, "Logon", 1),
    E.SIGN_IN_REFUSED: Row(Class.AUTHENTICATION, 1, "Logon", 3, 3, disposition=26),
    E.SIGNED_OUT: Row(Class.AUTHENTICATION, 2, "Logoff", 1),
    E.STEPPED_UP: Row(Class.AUTHENTICATION, 6, "Preauth", 1),
    E.STEP_UP_REFUSED: Row(Class.AUTHENTICATION, 6, "Preauth", 3, 3, disposition=26),
    E.PERSON_INVITED: Row(Class.ACCOUNT_CHANGE, 1, "Create", 3),
    E.ENROLMENT_OPENED: Row(Class.ACCOUNT_CHANGE, OTHER, "Enrolment Opened", 3),
    E.PERSON_ENROLLED: Row(Class.ACCOUNT_CHANGE, 2, "Enable", 2),
    E.PERSON_DISABLED: Row(Class.ACCOUNT_CHANGE, 5, "Disable", 3),
    E.LEAVER_KNOWS: Row(Class.ACCOUNT_CHANGE, OTHER, "Leaver Knows", 3),
    E.RECOVERY_LINK: Row(Class.ACCOUNT_CHANGE, OTHER, "Recovery Link", 4),
    E.PASSKEY_ADDED: Row(Class.ACCOUNT_CHANGE, 10, "MFA Factor Enable", 3),
    E.PASSKEY_REMOVED: Row(Class.ACCOUNT_CHANGE, 11, "MFA Factor Disable", 4),
    E.PASSKEY_ASKED: Row(Class.AUTHENTICATION, 6, "Preauth", 1, 1),
    E.PASSKEY_CONFIRMED: Row(Class.AUTHENTICATION, 6, "Preauth", 1),
    E.PASSKEY_SUSPECT: Row(Class.FINDING, 1, "Create", 4, 4),
    E.PROPOSAL_MADE: _access(OTHER, "Propose", 3),
    E.PROPOSAL_AGREED: _access(1, "Assign Privileges", 4),
    E.PROPOSAL_ENDED: _access(2, "Revoke Privileges", 4),
    E.ROLE_PROPOSED: _access(OTHER, "Propose", 3),
    E.ROLE_GRANTED: _access(1, "Assign Privileges", 4),
    E.ROLE_REMOVED: _access(2, "Revoke Privileges", 4),
    E.TOKEN_ISSUED: _entity(1, "Create", 3, "API token"),
    E.TOKEN_REVOKED: _entity(4, "Delete", 3, "API token"),
    E.TOKEN_REFUSED: Row(Class.API, OTHER, "Denied", 4, 4, disposition=26),
    E.IDENTITY_LINKED: _entity(1, "Create", 3, "Identity"),
    E.IDENTITY_UNLINKED: _entity(4, "Delete", 3, "Identity"),
    E.CUSTOMER_REGISTERED: _entity(1, "Create", 2, "Customer"),
    E.CUSTOMER_CHANGED: _entity(3, "Update", 2, "Customer"),
    E.ACCOUNT_REGISTERED: _entity(1, "Create", 2),
    E.ACCOUNT_CHANGED: _entity(3, "Update", 2),
    E.ACCOUNT_MOVED: _entity(3, "Update", 3),
    E.CREDENTIAL_TAKEN_IN: _entity(3, "Update", 2, _CREDENTIAL),
    E.CREDENTIAL_REUSED: _entity(3, "Update", 3, _CREDENTIAL),
    E.SECRET_PROMOTED: _entity(3, "Update", 2, _CREDENTIAL),
    E.CUSTODY_HELD: _entity(6, "Enroll", 3),
    E.KEYLESS_ASKED: _access(OTHER, "Request", 3),
    E.KEYLESS_SESSION: _access(1, "Assign Privileges", 4),
    E.KEYLESS_SEEN: _entity(2, "Read", 2, _CREDENTIAL),
    E.KEYLESS_BEGUN: _entity(3, "Update", 4, _CREDENTIAL),
    E.KEYLESS_STOPPED: _entity(3, "Update", 4, _CREDENTIAL, 4),
    E.KEYLESS_REACHED: _entity(4, "Delete", 4, _CREDENTIAL),
    E.ACCOUNT_REOPENED: _entity(3, "Update", 4),
    E.ACCOUNT_DEAD: _entity(4, "Delete", 3),
    E.CREDENTIAL_DESTROYED: _entity(4, "Delete", 4, _CREDENTIAL),
    E.KEYLESS_LEFT: _entity(3, "Update", 4, _CREDENTIAL),
    E.IMPORT_FINISHED: Row(Class.API, 1, "Create", 2),
    E.CHECKOUT_REQUESTED: _access(OTHER, "Request", 2),
    E.CHECKOUT_APPROVED: _access(OTHER, "Approve", 2, 8),
    E.CHECKOUT_REJECTED: _access(OTHER, "Reject", 3, 25),
    E.CHECKOUT_REOPENED: _access(OTHER, "Reopen", 3),
    E.CHECKOUT_GRANTED: _access(1, "Assign Privileges", 3),
    E.CHECKOUT_RETURNED: _access(2, "Revoke Privileges", 2),
    E.CHECKOUT_SHORTENED: _access(OTHER, "Shorten", 2),
    E.CHECKOUT_EXPIRED: _access(2, "Revoke Privileges", 3),
    E.CHECKOUT_LAPSED: _access(OTHER, "Lapse", 2),
    E.CHECKOUT_CANCELLED: _access(OTHER, "Cancel", 2),
    E.CHECKOUT_REVOKED: _access(2, "Revoke Privileges", 4, 24),
    E.CHECKOUT_JOINED: _access(1, "Assign Privileges", 3),
    E.BREAK_GLASS_BEGUN: _access(1, "Assign Privileges", 5),
    E.BREAK_GLASS_REVIEWED: _access(OTHER, "Review", 3),
    E.FREEZE_SET: _access(2, "Revoke Privileges", 5),
    E.FREEZE_LIFTED: _access(1, "Assign Privileges", 4),
    E.VELOCITY_EXCEEDED: _access(OTHER, "Limit", 5),
    E.CASE_OPENED: _entity(1, "Create", 2, _CASE),
    E.CASE_JOINED: _entity(3, "Update", 2, _CASE),
    E.CASE_CHANGED: _entity(3, "Update", 2, _CASE),
    E.CASE_CANCELLED: _entity(3, "Update", 3, _CASE),
    E.STEP_ASKED: _entity(3, "Update", 3, _CASE),
    E.STEP_BEGUN: _entity(3, "Update", 3, _CASE),
    E.STEP_DONE: _entity(3, "Update", 3, _CASE),
    E.STEP_WAIVED: _entity(3, "Update", 4, _CASE),
    E.STEP_FAILED: _entity(3, "Update", 3, _CASE, 4),
    E.LINK_MADE: _entity(1, "Create", 3, _CASE, 3),
    E.LINK_MAILED: _entity(3, "Update", 3, _CASE, 3),
    E.LINK_OPENED: _entity(2, "Read", 3, _CASE, 3),
    E.LINK_LEFT: _entity(3, "Update", 1, _CASE),
    E.LINK_REFUSED: _entity(2, "Read", 3, _CASE, 4),
    E.LINK_ENDED: _entity(3, "Update", 3, _CASE, 4),
    E.HANDOVER_ACKNOWLEDGED: _entity(3, "Update", 3, _CASE, 4),
    E.GRACE_ENDING: _entity(3, "Update", 3, _CASE, 4),
    E.CAMPAIGN_BEGUN: _access(1, "Assign Privileges", 3),
    E.CAMPAIGN_ASSIGNED: _access(OTHER, "Hand On", 2),
    E.CAMPAIGN_ENDED: _access(2, "Revoke Privileges", 2),
    E.UPKEEP_REMINDED: _log(OTHER, "Reminded", 1),
    E.TICKET_UNTOLD: _log(OTHER, "Ticket Untold", 3),
    E.MAIL_RECEIVED: _entity(1, "Create", 1, _MAIL),
    E.MAIL_SEALED: _entity(1, "Create", 3, _MAIL),
    E.MAIL_UNASKED: Row(Class.FINDING, 1, "Create", 4, 4),
    E.MAIL_UNMATCHED: _entity(1, "Create", 2, _MAIL),
    E.MAIL_FLOOD: Row(Class.FINDING, 1, "Create", 3, 3),
    E.MAIL_EMPTIED: _entity(4, "Delete", 2, _MAIL),
    E.MAIL_UNTOLD: _log(OTHER, "Ticket Untold", 3),
    E.MAIL_ASSIGNING: _entity(3, "Update", 3, _MAIL),
    E.MAIL_ASSIGNED: _entity(3, "Update", 3, _MAIL, 4),
    E.MAIL_RECOVERED: _entity(2, "Read", 5, _MAIL),
    E.MAIL_AUTHORIZED: _MAIL_READ,
    E.MAIL_OPENED: _MAIL_READ,
    E.MAIL_FAILED: _MAIL_READ,
    E.MAIL_UNKNOWN: replace(_MAIL_READ, severity=5, failing=5),
    E.MAIL_REFUSED: _MAIL_READ,
    E.REVEAL_AUTHORIZED: _READ,
    E.REVEAL_RELEASED: _READ,
    E.REVEAL_FAILED: _READ,
    E.REVEAL_UNKNOWN: replace(_READ, severity=5, failing=5),
    E.REVEAL_REFUSED: _READ,
    E.CREDENTIAL_LOST: _entity(OTHER, "Lost", 4, _CREDENTIAL),
    E.ROTATION_PLANNED: _entity(3, "Update", 2, _CREDENTIAL),
    E.ROTATION_DISPLAYED: _READ,
    E.ROTATION_ACCEPTED: _set(3, 3),
    E.ROTATION_REFUSED: _set(3, 3),
    E.ROTATION_UNKNOWN: _set(4, 4),
    E.ROTATION_ABANDONED: _entity(4, "Delete", 2, _CREDENTIAL),
    E.ROTATION_VERIFIED: _entity(OTHER, "Verify", 2, _CREDENTIAL),
    E.ROTATION_UNVERIFIED: _entity(OTHER, "Verification Overdue", 3, _CREDENTIAL),
    E.DEVICE_REMOVED: _entity(4, "Delete", 2, _CREDENTIAL),
    E.AUDIT_VIEWED: Row(Class.API, 2, "Read", 2),
    E.AUDIT_EXPORTED: _log(3, "Export", 2, 3),
    E.AUDIT_SAMPLED: Row(Class.API, 2, "Read", 2),
    E.AUDIT_EXAMINED: Row(Class.API, 2, "Read", 2, 6),
    E.REVIEW_SIGNED: _access(OTHER, "Review", 2),
    E.CLOUD_RECONCILED: Row(Class.API, OTHER, "Reconcile", 2, 4),
    E.INCIDENT_OPENED: Row(Class.FINDING, 1, "Create", 6, 6),
    E.INCIDENT_ASSIGNED: Row(Class.FINDING, 2, "Update", 4, 4),
    E.INCIDENT_CLOSED: Row(Class.FINDING, 3, "Close", 2, 2),
    E.INSPECTION_ASKED: Row(Class.API, OTHER, "Inspect", 2),
    E.INSPECTION_DONE: Row(Class.API, OTHER, "Inspect", 2),
    E.FINDING_OPENED: Row(Class.FINDING, 1, "Create", 4, 4),
    E.FINDING_ASSIGNED: Row(Class.FINDING, 2, "Update", 2, 2),
    E.FINDING_ACCEPTED: Row(Class.FINDING, 2, "Update", 3, 3),
    E.FINDING_CLOSED: Row(Class.FINDING, 3, "Close", 2, 2),
    E.OUTLET_LOST: _log(OTHER, "Outlet Lost", 4),
    E.OUTLET_BACK: _log(OTHER, "Outlet Back", 2),
    E.NOTICE_DEAD: _log(OTHER, "Notices Undelivered", 4),
    E.NOTICE_REPLAYED: _log(OTHER, "Notices Replayed", 2),
    E.NOTICE_CHOSEN: _entity(3, "Update", 1, "Notice choices"),
    E.HOST_COMMAND: _log(OTHER, "Host Command", 3),
    E.REWRAP_BEGUN: _log(OTHER, "Re-wrap Begin", 4),
    E.KEYS_REWRAPPED: _entity(3, "Update", 2, _CREDENTIAL),
    E.REWRAP_FINISHED: _log(OTHER, "Re-wrap End", 3, 5),
    E.DRILL_BEGUN: _log(OTHER, "Drill Begin", 3),
    E.DRILL_OPENED: _entity(OTHER, "Verify", 2, _CREDENTIAL),
    E.DRILL_FINISHED: _log(OTHER, "Drill End", 2, 5),
    E.BACKUP_TAKEN: _log(4, "Archive", 3),
    E.VAULT_RESTORED: _log(OTHER, "Restore", 5, 5),
}
"""Every type of the catalogue."""

BASE: Final = Row(Class.BASE, OTHER, "Other", 3)
"""What a type is written as that has no row here: an older program reads a newer log."""
