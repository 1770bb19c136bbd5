"""The plan of a move: accounts of one customer become another's (D1).

What is asked, in the order of a page: whose they shall be and when, the word of both customers, what becomes of an
Organization, the fee where the day is outside a quarter's window, and the move itself by two people.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from vault.domain.account import Kind
from vault.domain.case import CaseKind, Field, Form, Plan, Seen, Step
from vault.domain.days_of_business import Windows
from vault.domain.policy import Permission

REQUEST: Final = "request"
DAY: Final = "day"
CONSENT: Final = "consent"
ACCEPTANCE: Final = "acceptance"
ORGANIZATION: Final = "organization"
FEE: Final = "fee"
MOVE: Final = "move"

WHOLE: Final = "whole"
PARTS: Final = "parts"
"""What becomes of an Organization: it moves whole, or parts of it stay with the old customer."""

_WORD: Final = (
    Field("name", "Who agreed, by name"),
    Field("email", "Their e-mail address", Form.EMAIL),
    Field("given", "On which day", Form.DATE),
    Field("where", "Where that can be seen", help="The ticket's comment, the signed letter."),
)


def read_day(text: str) -> date | None:
    """Read a day as evidence has it; None where there is none."""
    return date.fromisoformat(text) if text else None


def in_organization(seen: Seen) -> bool:
    """Say whether any account of the case is in an Organization."""
    return any(account.kind is not Kind.STANDALONE for account in seen.accounts)


def move_plan(windows: Windows) -> Plan:
    """Give the plan, for the windows in which no fee is due."""

    def outside(seen: Seen) -> bool:
        day = read_day(seen.given(DAY, "day"))
        return day is not None and day not in windows

    manage, agree = Permission.MOVE_MANAGE, Permission.MOVE_AGREE
    asked = Step(
        REQUEST,
        "The customer asked for it",
        "D1",
        manage,
        per_account=False,
        evidence=(
            Field("to", "DDI number of the customer that the accounts move to"),
            Field("requested", "On which day the customer asked", Form.DATE),
            Field("by", "Who asked"),
        ),
        help="The 14 business days are counted from the day on which the customer asked.",
        section="Request",
    )
    planned = Step(
        DAY,
        "Its day",
        "D1",
        manage,
        per_account=False,
        evidence=(Field("day", "The day of the move", Form.DATE),),
        help="A business day, at least 14 business days after the request, in a quarter's window or with a fee.",
        section="Request",
    )
    consent = Step(
        CONSENT,
        "The old customer agrees",
        "D1",
        manage,
        per_account=False,
        needs=(REQUEST,),
        evidence=_WORD,
        section="Agreement",
    )
    acceptance = Step(
        ACCEPTANCE,
        "The new customer agrees",
        "D1",
        manage,
        per_account=False,
        needs=(REQUEST,),
        evidence=_WORD,
        section="Agreement",
    )
    organization = Step(
        ORGANIZATION,
        "What becomes of the Organization",
        "D1",
        manage,
        per_account=False,
        needs=(REQUEST,),
        evidence=(
            Field("goes", "How it moves", Form.CHOICE, choices=(WHOLE, PARTS)),
            Field("words", "If parts stay: why, and who pays the bill", Form.LONG, optional=True),
        ),
        applies=in_organization,
        help="Members move with their payer, because one bill is for all of them; anything else is said here.",
        section="Agreement",
    )
    fee = Step(
        FEE,
        "The fee is approved",
        "D1",
        manage,
        per_account=False,
        second=agree,
        needs=(REQUEST,),
        evidence=(
            Field("amount", "The fee, with its currency"),
            Field("by", "Who approved it"),
            Field("where", "Where that can be seen"),
        ),
        applies=outside,
        help="The day is outside a quarter's window. The approval is for this day: another day takes another one.",
        section="Agreement",
    )
    moved = Step(
        MOVE,
        "Move the accounts",
        "D1",
        manage,
        per_account=False,
        second=agree,
        needs=(REQUEST, DAY, CONSENT, ACCEPTANCE, ORGANIZATION, FEE),
        evidence=(Field("words", "What the second person should know", Form.LONG, optional=True),),
        reversible=False,
        holds=True,
        on_day=True,
        help=(
            "On its day. Access follows at once, open checkouts end, ciphertexts stay as they are. The way back is "
            "another move."
        ),
        section="Move",
    )
    return Plan(CaseKind.MOVE, (asked, planned, consent, acceptance, organization, fee, moved))
