"""The plan of a handover: an account and its root become the customer's (H1-H9, C5).

Decided here: what has to be done, by whom, and in which order. On the day the order has two reasons: until the last
moment we can go on or turn back, and at no moment the customer stands without a way in.

    turn back    what can be undone comes first: contacts, payment, support. Then two people say that it goes on.
    the mailbox  comes next, because it is what fails most easily: it waits for a code that the customer reads out,
                 and AWS refuses an address that was ever used. Until it changed nothing was given away; with it
                 the account is the customer's, and from there on everything is carried to its end.
    the root     of a member is deleted and its recovery allowed while the payer still can: not after it left. A
                 payer's or standalone's root changes e-mail and takes off our MFA device in one lease, as our password
                 works for as long as the customer has set none.
    the reset    the customer is in by a password of their own before we take away anything that we could help with.
    the rest     the Organization is left, topics, rule and roles go, and last the role through which all is done.

The payer's point of no return comes when its members are released: through it their e-mail changes and their roots
are deleted. Its billing access and payment method come at the end (H6); it is never handed over before the 16th (H5).
"""

from __future__ import annotations

from typing import Final

from vault.domain.account import Kind
from vault.domain.case import HANDOVER, MEMBERS, CaseKind, Field, Form, Plan, Seen, Step, members, payers
from vault.domain.plans.release import RELEASE, RESET, acknowledge_step, release_step, reset_step
from vault.domain.policy import Permission

SIGNATORY: Final = "signatory"
CONTRACT: Final = "contract"
ORGANIZATION: Final = "organization"
CONTACT: Final = "contact"
NEW_EMAIL: Final = "new_email"
SUCCESSORS: Final = "successors"
UNDER: Final = "under"
CTA_AWS: Final = "cta_aws"
CTA_INDIA: Final = "cta_india"
BILLING: Final = "billing_access"
DAY: Final = "day"
BALANCE: Final = "balance"
BEGIN: Final = "begin"
CONTACTS: Final = "contacts"
ALTERNATES: Final = "alternate_contacts"
PAYMENT: Final = "payment_method"
SUPPORT: Final = "support_plan"
GO: Final = "go"
EMAIL_START: Final = "email_start"
EMAIL_ACCEPT: Final = "email_accept"
ROOT_DELETED: Final = "root_deleted"
RECOVERY: Final = "recovery_allowed"
BILLING_LAST: Final = "billing_access_payer"
ROOT_EMAIL: Final = "root_email"
ROOT_MFA: Final = "root_mfa"
INSTRUCTIONS: Final = "instructions"
CUSTOMER_IN: Final = "customer_in"
PAYMENT_LAST: Final = "payment_method_payer"
LEAVE: Final = "leave"
TOPICS: Final = "topics"
DISPATCHER: Final = "dispatcher"
ROLES: Final = "roles"
LAST_ROLE: Final = "last_role"
APN: Final = "apn_case"

KEEPS: Final = "keep"
LEAVES: Final = "leave"
"""What becomes of an Organization: it stays whole and goes over with its payer, or each member leaves it (H7)."""
AT: Final = "at"
WHY: Final = "why"
"""Of a day: the moment, and the sentence with which two people put it against H2."""
PAYER: Final = "payer"
ELSEWHERE: Final = "elsewhere"
"""Of a member: its payer's number. Of a payer's begin: members outside of the case that, say two people, are another's.
"""
GATES: Final = (
    SIGNATORY, CONTRACT, NEW_EMAIL, SUCCESSORS, UNDER, CTA_AWS, CTA_INDIA, BILLING, DAY, BALANCE, BILLING_LAST,
)  # fmt: skip
"""What has to be there before an account is given away, as the gates of a handover are asked for."""
FOR_ROOT: Final = frozenset({ROOT_EMAIL, ROOT_MFA})
"""What a person does as root in the console: under a lease for the handover."""
OF_PAYERS: Final = frozenset({DAY, BEGIN, GO, ROOT_EMAIL})
"""What H5 is asked at again, by the day on which it is done."""

_OPEN, _PREPARE = Permission.HANDOVER_OPEN, Permission.HANDOVER_PREPARE
_DO, _AGREE = Permission.HANDOVER_CARRY_OUT, Permission.CASE_AGREE
_INFORMATION, _GATES, _BEFORE = "Information", "Gates", "On the day: what can be undone"
_GIVEN, _OURS, _END = "On the day: it becomes the customer's", "On the day: what is ours goes", "Release"
_NOTE: Final = (Field("note", "What was done, and where that can be seen", Form.LONG),)


def public_sector(seen: Seen) -> bool:
    """Let a step be for customers of the public sector (H3)."""
    return seen.customer.public_sector


def aws_india(seen: Seen) -> bool:
    """Let a step be for customers under AWS India (H3)."""
    return seen.customer.aws_india


def not_payers(seen: Seen) -> bool:
    """Let a step be for members and for accounts that stand alone."""
    return not payers(seen)


def not_members(seen: Seen) -> bool:
    """Let a step be for payers and for accounts that stand alone: nobody but root changes their root (AWS)."""
    return not members(seen)


def whole(seen: Seen) -> bool:
    """Let a step be for a case that has a payer and members of its Organization."""
    return Kind.PAYER in seen.kinds and Kind.MEMBER in seen.kinds


def of_several(seen: Seen) -> bool:
    """Let a step be for members of a case that has several payers."""
    return members(seen) and seen.payers > 1


def leaving(seen: Seen) -> bool:
    """Let a step be for members whose Organization is not kept."""
    kept = whole(seen) and seen.given(ORGANIZATION, "goes") == KEEPS
    return members(seen) and not kept


def _signed(by: str) -> tuple[Field, ...]:
    return (
        Field("reference", f"Where the Consent to Assignment is that {by} made"),
        Field("signed_customer", "Signed by the customer on", Form.DATE),
        Field("signed_us", "Signed by us on", Form.DATE),
    )


_STEPS: Final = (
    Step(
        SIGNATORY, "Authorised signatory", "H1", _PREPARE, per_account=False, informs=True,
        evidence=(
            Field("name", "Name of who may sign for the customer"),
            Field("email", "Their e-mail address", Form.EMAIL),
            Field(
                "channel", "Another way to reach them", optional=True,
                help="A phone number, say: the code for the customer's page goes this way, the link by mail.",
            ),
        ),
        section=_INFORMATION,
    ),
    Step(
        CONTRACT, "When the contract ends", "H1", _PREPARE, per_account=False, informs=True,
        evidence=(Field("end", "Last day of the contract, by the notice of termination", Form.DATE),),
        section=_INFORMATION,
    ),
    Step(
        ORGANIZATION, "What becomes of the Organization", "H7", _PREPARE, per_account=False, informs=True,
        evidence=(Field("goes", "The members", Form.CHOICE, choices=(LEAVES, KEEPS)),),
        applies=whole, section=_INFORMATION,
        help="Kept whole it goes over with its payer; else each member leaves it.",
    ),
    Step(
        CONTACT, "The customer's contact information", "H7", _PREPARE, per_account=False, informs=True,
        evidence=(
            Field("full_name", "Full name"),
            Field("company", "Company", optional=True),
            Field("address", "Street and number"),
            Field("more_address", "Further line of the address", optional=True),
            Field("city", "City"),
            Field("state", "State or region", optional=True),
            Field("postal_code", "Postal code"),
            Field("country", "Country, by its two letters", help="ISO 3166, such as US."),
            Field("phone", "Phone number", help="With its country: +1 555 0100. It is a way in to the root (C5)."),
        ),
        section=_INFORMATION, help="As AWS keeps it of each account; it is entered on the day.",
    ),
    Step(
        NEW_EMAIL, "New root e-mail", "H1", _PREPARE, informs=True,
        evidence=(Field("email", "The customer's address for this root", Form.EMAIL),),
        section=_INFORMATION, help="One for each account, never used for any AWS account before (L3), none of ours.",
    ),
    Step(
        SUCCESSORS, "Who controls mailbox and phone afterwards", "C5", _PREPARE, informs=True,
        evidence=(
            Field("mailbox", "Who reads the new root mailbox"),
            Field("phone", "Who answers the account's new phone number"),
        ),
        section=_INFORMATION, help="Together they pass MFA by: both change hands before release.",
    ),
    Step(
        UNDER, "Under which payer", "H7", _PREPARE, informs=True, applies=of_several,
        evidence=(Field(PAYER, "Number of the payer in whose Organization it is"),),
        section=_INFORMATION, help="The case has several payers: each of them goes after its own members.",
    ),
    Step(
        CTA_AWS, "Consent to Assignment by AWS", "H3", _PREPARE, per_account=False, evidence=_signed("AWS"),
        applies=public_sector, section=_GATES, help="Public Sector: AWS makes it, both sides sign.",
    ),
    Step(
        CTA_INDIA, "Consent to Assignment by the customer success manager", "H3", _PREPARE, per_account=False,
        evidence=_signed("the customer success manager"), applies=aws_india, section=_GATES,
        help="AWS India: the customer success manager makes it, both sides sign.",
    ),
    Step(
        BILLING, "Billing permissions amended", "H6", _DO, evidence=_NOTE, waivable=True, applies=not_payers,
        section=_GATES, help="Before the day, so that the customer can enter a payment method.",
    ),
    Step(
        DAY, "The day", "H2", _PREPARE, second=_AGREE, second_with=WHY, needs=(SIGNATORY, CONTRACT, NEW_EMAIL),
        evidence=(
            Field(AT, "Day and time", help="2027-03-16T15:00Z, or 2027-03-16T09:00 by the clocks of the calendar."),
            Field(WHY, "Why, against H2", Form.LONG, optional=True, help="Then two people have to say so. Never H5."),
        ),
        section=_GATES,
    ),
    Step(
        BALANCE, "The customer is current on all balances", "H4", _PREPARE, per_account=False,
        needs=(DAY,), daily=True, on_day=True, evidence=_NOTE, section=_GATES,
        help="Confirmed on each day anew, before anything that cannot be undone.",
    ),
    Step(
        BEGIN, "Begin", "H7", _DO, on_day=True, section=_BEFORE,
        needs=(SIGNATORY, CONTRACT, NEW_EMAIL, SUCCESSORS, UNDER, CTA_AWS, CTA_INDIA, BILLING, DAY, BALANCE),
        second=_AGREE, second_with=ELSEWHERE,
        evidence=(
            Field("note", "Anything to note", Form.LONG, optional=True),
            Field(
                ELSEWHERE, "Members that are another payer's", Form.LONG, optional=True,
                help="Of a payer whose customer has several: numbers of members outside of this handover.",
            ),
        ),
        help="The account is in transfer from here on: its root opens for the handover alone.",
    ),
    Step(
        CONTACTS, "Contact information is the customer's", "H7", _DO, needs=(BEGIN, CONTACT), acts=True,
        section=_BEFORE, help="With it the primary phone changes hands (C5).",
    ),
    Step(
        ALTERNATES, "Our alternate contacts are removed", "H7", _DO, needs=(BEGIN,), acts=True, looked=True,
        waivable=True, section=_BEFORE,
    ),
    Step(
        PAYMENT, "Payment method is the customer's", "H7", _DO, needs=(BEGIN,), evidence=_NOTE, applies=not_payers,
        section=_BEFORE, help="AWS lets no account leave its Organization without one.",
    ),
    Step(
        SUPPORT, "Enterprise Support downgraded", "H7", _DO, needs=(BEGIN, MEMBERS + RELEASE), waivable=True,
        evidence=_NOTE, section=_BEFORE, help="A payer's when its members are released: until then AWS may be needed.",
    ),
    Step(
        GO, "Point of no return", "H7", _DO, second=_AGREE, needs=(BEGIN, CONTACTS, BALANCE, MEMBERS + RELEASE),
        daily=True, section=_BEFORE,
        evidence=(Field("note", "Anything to note", Form.LONG, optional=True),),
        help="Two people say that it goes on, on this day. What follows cannot be undone.",
    ),
    Step(
        EMAIL_START, "AWS mails a code to the new root address", "H7", _DO, needs=(GO,), acts=True, again=True,
        applies=members, section=_GIVEN, help="The customer reads the code out to us.",
    ),
    Step(
        EMAIL_ACCEPT, "Root e-mail is the customer's", "H7", _DO, needs=(GO, EMAIL_START, BALANCE), acts=True,
        reversible=False, evidence=(Field("code", "The code", Form.CODE),), applies=members, section=_GIVEN,
    ),
    Step(
        ROOT_DELETED, "Our root credentials are deleted", "H7", _DO, needs=(EMAIL_ACCEPT,), acts=True,
        reversible=False, applies=members, section=_GIVEN,
        help="Password and MFA, by a session on the member's root that its payer asks for.",
    ),
    Step(
        RECOVERY, "Recovery by the new mailbox is allowed", "H7", _DO, needs=(ROOT_DELETED,), acts=True,
        applies=members, section=_GIVEN, help="Without it nobody gets in once the account has left.",
    ),
    Step(
        BILLING_LAST, "Billing permissions amended", "H6", _DO, needs=(BEGIN, MEMBERS + RELEASE), evidence=_NOTE,
        applies=payers, section=_GIVEN, help="A payer's at the end, under the same lease as its e-mail.",
    ),
    Step(
        ROOT_EMAIL, "Root e-mail is the customer's", "H7", _DO, needs=(GO, BALANCE, BILLING_LAST), reversible=False,
        evidence=_NOTE, applies=not_members, section=_GIVEN,
        help="As root in the console, under a checkout for HANDOVER; the customer reads out AWS's code.",
    ),
    Step(
        ROOT_MFA, "Our MFA device is removed", "H7", _DO, needs=(ROOT_EMAIL,), reversible=False, evidence=_NOTE,
        applies=not_members, section=_GIVEN,
        help="In the same lease. The customer is told to set a password only when this is done.",
    ),
    Step(
        INSTRUCTIONS, "The customer knows how to get in", "H7", _DO, needs=(RECOVERY, ROOT_MFA), evidence=_NOTE,
        section=_GIVEN, help="Reset the password by the new mailbox, enrol an MFA device of their own.",
    ),
    reset_step(INSTRUCTIONS, section=_GIVEN),
    Step(
        CUSTOMER_IN, "The customer is in", "H7", _DO, needs=(INSTRUCTIONS,), evidence=_NOTE, waivable=True,
        applies=leaving, section=_GIVEN,
        help="They signed in as root by a password of their own. While the account is in its Organization we can help.",
    ),
    Step(
        PAYMENT_LAST, "Payment method is the customer's", "H6", _DO, needs=(RESET,), evidence=_NOTE,
        applies=payers, section=_OURS, help="A payer's at the end.",
    ),
    Step(
        LEAVE, "The Organization is left", "H7", _DO, needs=(RESET, CUSTOMER_IN, PAYMENT, ORGANIZATION), acts=True,
        reversible=False, applies=leaving, section=_OURS,
        help="After the customer is in: until then the payer can help.",
    ),
    Step(
        TOPICS, "SNS topics are removed", "H7", _DO, needs=(RESET, LEAVE), acts=True, looked=True,
        reversible=False, waivable=True, section=_OURS,
    ),
    Step(
        DISPATCHER, "The dispatcher's rule and policy are removed", "H7", _DO, needs=(RESET, LEAVE), acts=True,
        looked=True, reversible=False, waivable=True, section=_OURS,
    ),
    Step(
        ROLES, "Our roles are removed", "H7", _DO, needs=(RESET, LEAVE), acts=True, looked=True, reversible=False,
        section=_OURS, help="RackspaceDefaultEC2Role stays: instances may run under it.",
    ),
    Step(
        LAST_ROLE, "The role that we worked through is removed", "H7", _DO,
        needs=(TOPICS, DISPATCHER, ROLES, ALTERNATES, CONTACTS), acts=True, looked=True, reversible=False,
        section=_OURS,
    ),
    release_step(LAST_ROLE, SUPPORT, PAYMENT, PAYMENT_LAST, section=_END),
    Step(
        APN, "AWS is told by an APN case", "H7", _DO, per_account=False, needs=(RESET,), section=_END,
        evidence=(Field("case", "Number of the APN case"),), help="The text is in the evidence pack.",
    ),
    acknowledge_step(_END),
)  # fmt: skip

PLAN: Final = Plan(CaseKind.HANDOVER, _STEPS, HANDOVER, under=(UNDER, PAYER))
