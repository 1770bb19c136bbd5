"""The plan of an onboarding: from the customer's request to accounts that we hold (A1-A3, C3-C5).

There are three ways in: accounts that stand alone and are transferred to us, a payer that is transferred with exactly
its linked accounts, and accounts that were made at AWS for the customer (A4), of which nothing has to be transferred.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Final

from vault.domain.account import Account, Custodian, Custody, Kind
from vault.domain.case import CaseKind, Field, Form, Plan, Seen, Step
from vault.domain.policy import Permission

INFORMATION: Final = "information"
ADDRESS: Final = "address"
INSTRUCTIONS: Final = "instructions"
KEYS: Final = "no_root_keys"
ALONE: Final = "alone"
ORGANIZATION: Final = "organization"
APPROVAL: Final = "approval"
EMAIL: Final = "root_email"
CUSTODIANS: Final = "custodians"
HELD: Final = "held"
MFA: Final = "mfa"
DEFAULTS: Final = "defaults"

STANDALONE: Final = "standalone"
PAYER: Final = "payer"
NEW: Final = "new"
PATHS: Final = (STANDALONE, PAYER, NEW)
"""The ways in; the text of instructions is chosen by them."""
SEEN: Final = "seen"
"""The piece of evidence of who looked where the vault cannot."""


def path_of(accounts: Collection[Account]) -> str | None:
    """Give the way in that these accounts can take together (A2); None where they go no way together."""
    kinds = [account.kind for account in accounts]
    if accounts and all(account.is_new for account in accounts):
        return NEW
    if any(account.is_new for account in accounts):
        return None
    if accounts and set(kinds) == {Kind.STANDALONE}:
        return STANDALONE
    if kinds.count(Kind.PAYER) == 1 and kinds.count(Kind.MEMBER) == len(kinds) - 1:
        return PAYER
    return None


def is_ours(account: Account) -> bool:
    """Say whether an account's root becomes ours, and does not stay with its customer (C2)."""
    return account.custody is not Custody.CUSTOMER_HELD


def ours(seen: Seen) -> bool:
    """Let a step be for accounts whose root becomes ours."""
    return seen.account is not None and is_ours(seen.account)


def transferred(seen: Seen) -> bool:
    """Let a step be for accounts that were not made for the customer by us, and for cases with any."""
    return any(
        not account.is_new for account in ((seen.account,) if seen.account is not None else seen.accounts)
    )


def _alone(seen: Seen) -> bool:
    return transferred(seen) and seen.account is not None and seen.account.kind is Kind.STANDALONE


def _master(seen: Seen) -> bool:
    return transferred(seen) and seen.account is not None and seen.account.kind is Kind.PAYER


def _keys(seen: Seen) -> bool:
    return ours(seen) and transferred(seen)


def _with_mfa(seen: Seen) -> bool:
    return ours(seen) and seen.account is not None and seen.account.custody is not Custody.KEYLESS


def is_held(seen: Seen) -> bool:
    """Read from the account whether custody is ours: both parts confirmed, or no root credentials at all (C4)."""
    return seen.account is not None and seen.account.custody in {Custody.HELD, Custody.KEYLESS}


_BY_HAND: Final = (
    Field(
        SEEN,
        "What was seen, by whom and where",
        Form.LONG,
        by_hand=True,
        help="Such as: the security page of the root user, shown by the customer in a call at 10:05.",
    ),
)
_MANAGE: Final = Permission.ONBOARDING_MANAGE


def _requirement(name: str, title: str, applies: Callable[[Seen], bool]) -> Step:
    """Make a step of what AWS asks of an account before it is taken over: the vault looks, or somebody saw it."""
    return Step(
        name,
        title,
        "A2",
        _MANAGE,
        needs=(INSTRUCTIONS,),
        evidence=_BY_HAND,
        acts=True,
        again=True,
        applies=applies,
        section="Minimum requirements",
    )


PLAN: Final = Plan(
    CaseKind.ONBOARDING,
    (
        Step(
            INFORMATION,
            "Whose accounts, and who signs for them",
            "A1",
            _MANAGE,
            per_account=False,
            informs=True,
            evidence=(
                Field("company", "Legal name of the company"),
                Field("company_address", "Legal address of the company", Form.LONG),
                Field("signatory", "Name of the authorised signatory"),
                Field("signatory_email", "E-mail address of the signatory", Form.EMAIL),
                Field(
                    "path",
                    "The way in",
                    Form.CHOICE,
                    choices=PATHS,
                    help="Accounts that stand alone; a payer with its linked accounts; or made for the customer.",
                ),
            ),
            section="Request",
        ),
        Step(
            ADDRESS,
            "The root address that it will have",
            "C4",
            _MANAGE,
            informs=True,
            evidence=(Field("address", "A unique address of ours, never used before", Form.EMAIL),),
            applies=ours,
            help="From here on it is this account's for ever, whether or not it is ever used (L3).",
            section="Request",
        ),
        Step(
            INSTRUCTIONS,
            "The customer has the instructions",
            "A3",
            _MANAGE,
            per_account=False,
            needs=(INFORMATION, ADDRESS),
            evidence=(Field("sent", "When the customer got them, and where that can be seen", by_hand=True),),
            acts=True,
            again=True,
            applies=transferred,
            help="The vault writes them on the ticket where the settings name a ticket system that takes notes.",
            section="Request",
        ),
        _requirement(KEYS, "Root has no access keys", _keys),
        _requirement(ALONE, "It is in no Organization and under no payer", _alone),
        _requirement(ORGANIZATION, "It manages exactly the accounts of this case", _master),
        Step(
            APPROVAL,
            "AWS reviewed and approved the transition",
            "A3",
            _MANAGE,
            per_account=False,
            needs=(INFORMATION, INSTRUCTIONS, KEYS, ALONE, ORGANIZATION),
            evidence=(
                Field("approved", "The day of AWS's approval", Form.DATE),
                Field("reference", "AWS's number for it, and where it can be read"),
                Field("terms", "Custom terms that AWS set, or that there are none", Form.LONG),
            ),
            applies=transferred,
            section="AWS",
        ),
        Step(
            EMAIL,
            "Root has our address at AWS",
            "C4",
            _MANAGE,
            needs=(APPROVAL, ADDRESS),
            evidence=(Field(SEEN, "Who changed it, and how you know that mail arrives", Form.LONG),),
            applies=ours,
            help="From here on the vault has this as the account's root e-mail.",
            section="Custody",
        ),
        Step(
            CUSTODIANS,
            "Who controls mailbox and phone is known",
            "C5",
            _MANAGE,
            needs=(EMAIL,),
            evidence=(
                Field("mailbox", "Who controls the root mailbox"),
                Field(
                    "phone",
                    "Whose the primary phone is",
                    Form.CHOICE,
                    choices=(Custodian.OURS.value, Custodian.CUSTOMER.value),
                    help="Whoever has mailbox and phone is past the MFA.",
                ),
                Field("phone_holder", "Who controls the phone"),
            ),
            applies=ours,
            section="Custody",
        ),
        Step(
            HELD,
            "Password and MFA are ours and confirmed",
            "C4",
            Permission.CHECKOUT_USE,
            needs=(APPROVAL, EMAIL),
            applies=ours,
            known=is_held,
            help="An operator asks for the root under ONBOARD_TAKEOVER and rotates both parts.",
            section="Custody",
        ),
        Step(
            MFA,
            "AWS says that root has MFA",
            "C3",
            _MANAGE,
            needs=(HELD,),
            evidence=_BY_HAND,
            acts=True,
            applies=_with_mfa,
            section="Defaults",
        ),
        Step(
            DEFAULTS,
            "Defaults are applied, or what deviates is noted",
            "A5",
            _MANAGE,
            needs=(HELD, CUSTODIANS, MFA),
            evidence=(
                *_BY_HAND,
                Field(
                    "deviations",
                    "What this account does not get, and why; nothing where all is there",
                    Form.LONG,
                    optional=True,
                    by_hand=True,
                ),
            ),
            acts=True,
            applies=ours,
            help="The account's part of the case ends here, and with the last account's the case.",
            section="Defaults",
        ),
    ),
)
