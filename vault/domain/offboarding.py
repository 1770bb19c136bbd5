"""What is done at AWS on the day an account is given back: the acts, what is ours, and what came of them (H7).

Decided here: that only what bears exactly one of our names goes, and everything else stays; that the role which
instances may run under always stays (H7); AWS's reasons against leaving an Organization, in plain words. Never decided
here: when an act may be done, who agrees to it (`vault.services.casework`), and how AWS is asked
(`vault.adapters.offboarding`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vault.domain.secret import Secret
from vault.domain.trail_text import plain

if TYPE_CHECKING:
    from vault.domain.hygiene import Wanted

KEPT_ROLES: Final = frozenset({"RackspaceDefaultEC2Role"})
"""Roles of ours by name that stay, whatever the settings name: instances may run under them (H7)."""
NAMED_MOST: Final = 100
"""How many of those that stay are named for each kind of thing; of the rest, how many there are."""
CODE: Final = re.compile(r"[A-Za-z0-9]{6}", re.ASCII)
"""The code that AWS mails to a new root address (Account Management, AcceptPrimaryEmailUpdate)."""
_PHONE: Final = re.compile(r"[+][\s0-9()-]{1,19}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)


class Deed(StrEnum):
    """The acts; the names are for ever."""

    CONTACT = "contact"
    """The account's contact information becomes the customer's."""
    ALTERNATE_CONTACTS = "alternate_contacts"
    """Alternate contacts under addresses of ours go."""
    DISPATCHER = "dispatcher"
    """The rule of EventBridge, then the IAM policy of the same name."""
    ROLES = "roles"
    """Our roles, but for the one that we work through."""
    TOPICS = "topics"
    """Our topics of SNS in every enabled region."""
    EMAIL_START = "email_start"
    """AWS is asked to change a member's root e-mail, and mails a code to the new mailbox."""
    EMAIL_ACCEPT = "email_accept"
    """The change is made with that code."""
    LEAVE = "leave"
    """The member leaves its Organization."""
    CLOSE = "close"
    """The member's account is closed (L1)."""
    LAST_ROLE = "last_role"
    """Whatever else we look at the account through, and at last the role that we work through."""


@dataclass(frozen=True, slots=True)
class Contact:
    """The customer's contact information, as AWS's account service takes it; `state`, `company` may be empty."""

    full_name: str
    address: str
    city: str
    postal_code: str
    country: str
    phone: str
    company: str = ""
    state: str = ""
    more_address: str = ""

    def faults(self) -> tuple[str, ...]:
        """Name what AWS would not take, one sentence each (Account Management, ContactInformation)."""
        longest = {
            "full_name": (self.full_name, 1, 50),
            "address": (self.address, 1, 60),
            "more_address": (self.more_address, 0, 60),
            "city": (self.city, 1, 50),
            "postal_code": (self.postal_code, 1, 20),
            "company": (self.company, 0, 50),
            "state": (self.state, 0, 50),
        }
        said = [
            f"{name} has {least} to {most} characters"
            for name, (value, least, most) in longest.items()
            if not least <= len(value) <= most
        ]
        if _COUNTRY.fullmatch(self.country) is None:
            said.append("country is two capitals (ISO 3166)")
        if _PHONE.fullmatch(self.phone) is None:
            said.append("phone begins with + and has digits, blanks, brackets and hyphens, 20 at most")
        return tuple(said)


def contact_of(given: Mapping[str, str]) -> Contact:
    """Read a contact from its pieces by name; what is missing is empty, and a fault."""
    return Contact(**{each.name: given.get(each.name, "") for each in fields(Contact)})


@dataclass(frozen=True, slots=True)
class Target:
    """An account that is given back: its customer's DDI, its payer if it is a member, and in whose name it is done.

    `source` is who asked, as AWS's own records will name them (SourceIdentity). `email` is the root address that the
    customer wants, `code` what AWS mailed there: it is used once and kept nowhere.
    """

    account_id: str
    ddi: str
    source: str
    payer_id: str = ""
    email: str = ""
    contact: Contact | None = field(default=None, repr=False)
    code: Secret[str] | None = None


@dataclass(frozen=True, slots=True)
class Ours:
    """What is ours in an account, each by its exact name.

    `roles` and `policies` are IAM's, `rules` EventBridge's in `rule_region`, `topics` SNS's in every enabled region.
    `eyes` are roles through which we look at accounts and ask payers: they go with the last. `addresses` are e-mail
    addresses, or ``@domain`` for all of a domain. `regions` are asked where AWS does not say which are enabled.
    """

    roles: tuple[str, ...] = ()
    policies: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    rule_region: str = "us-east-1"
    topics: tuple[str, ...] = ()
    eyes: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    @classmethod
    def of(cls, wanted: Wanted, *, eyes: tuple[str, ...] = (), addresses: tuple[str, ...] = ()) -> Ours:
        """Take the names of what was applied when accounts were taken over (A5)."""
        return cls(
            tuple(name for name in wanted.roles if name not in KEPT_ROLES),
            wanted.policies,
            wanted.rules,
            wanted.rule_region,
            wanted.topics,
            tuple(name for name in eyes if name not in KEPT_ROLES),
            addresses,
            wanted.regions,
        )

    def has_address(self, address: str) -> bool:
        """Say whether an e-mail address is ours."""
        known = address.strip().lower()
        return any(
            known.endswith(each.lower()) if each.startswith("@") else known == each.lower()
            for each in self.addresses
        )


@dataclass(frozen=True, slots=True)
class Left:
    """Something that is still to do, or could not be seen, and why, in a sentence."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What an act would take away and what it would leave, each by kind, name and place; nothing was changed.

    `unseen` is what AWS did not say: an act that is carried out all the same leaves that as it is, and tells so.
    """

    goes: tuple[str, ...] = ()
    stays: tuple[str, ...] = ()
    unseen: tuple[Left, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an act did, what is left to do and why, and what stays by rule.

    Where nothing is left the act is done, also where there was nothing to do.
    """

    did: tuple[str, ...] = ()
    left: tuple[Left, ...] = ()
    kept: tuple[str, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Say whether nothing is left."""
        return not self.left


def named(names: list[str], kind: str) -> tuple[str, ...]:
    """Name those that stay, in order, so many that a person can read them."""
    few = [f"{kind} {plain(name)}" for name in sorted(names)[:NAMED_MOST]]
    more = len(names) - len(few)
    return (*few, *((f"{more} more of kind {kind}",) if more else ()))


AGAINST_LEAVING: Final[Mapping[str, str]] = {
    "ACCOUNT_CANNOT_LEAVE_ORGANIZATION": "The account is the management account, or AWS does not let it go.",
    "ACCOUNT_CANNOT_LEAVE_WITHOUT_EULA": (
        "The account lacks what a standalone account needs: the AWS Customer Agreement is not accepted. Root "
        "accepts it in the console."
    ),
    "ACCOUNT_CANNOT_LEAVE_WITHOUT_PHONE_VERIFICATION": (
        "The account's phone number is not verified. The customer verifies it in the console."
    ),
    "MEMBER_ACCOUNT_PAYMENT_INSTRUMENT_REQUIRED": (
        "The account has no payment method of its own. The customer enters one first (H6)."
    ),
    "INVALID_PAYMENT_INSTRUMENT": "AWS does not take the account's payment method. The customer enters another (H6).",
    "WAIT_PERIOD_ACTIVE": "The Organization made the account less than four days ago. Try again after the fourth day.",
    "ACCOUNT_CREATION_NOT_COMPLETE": "AWS has not finished making the account. Try again later.",
    "CANNOT_REMOVE_DELEGATED_ADMINISTRATOR_FROM_ORG": (
        "The account is a delegated administrator of its Organization. Let another account be it first."
    ),
}
"""Organizations API reference, ConstraintViolationException: what leaving has to wait for, and who does it."""
AGAINST_CLOSING: Final[Mapping[str, str]] = {
    "CANNOT_CLOSE_MANAGEMENT_ACCOUNT": "A payer is closed as root in the console, after its members.",
    "CLOSE_ACCOUNT_QUOTA_EXCEEDED": "The Organization has closed as many accounts as AWS lets it in 30 days. Wait.",
    "CLOSE_ACCOUNT_REQUESTS_LIMIT_EXCEEDED": "Too many accounts are being closed at once. Try again later.",
}
"""Organizations API reference, CloseAccount."""
