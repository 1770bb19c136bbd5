"""The plan of a closure: what comes before an account is closed, two people, and the closing itself (L1-L4).

A closed account's resources go on costing until they end, and what is in it is deleted for good after 90 days: so what
L4 names is said of each account, with evidence, before anybody closes it. Members go before their payer, because the
payer's account is the one that closes them.
"""

from __future__ import annotations

from typing import Final

from vault.domain.account import Kind
from vault.domain.case import MEMBERS, CaseKind, Field, Form, Plan, Seen, Step
from vault.domain.policy import Permission

NOTICE: Final = "notice"
BACKUPS: Final = "backups"
RESOURCES: Final = "resources"
COMMITMENTS: Final = "commitments"
BEGIN: Final = "begin"
CLOSE: Final = "close"

ENDS: Final = "ends"
ON: Final = "on"
NOTE: Final = "note"
"""Pieces of evidence: the last day of the notice, the day on which AWS closed it, and how."""

_MANAGE, _DO, _AGREE = Permission.CLOSURE_MANAGE, Permission.HANDOVER_CARRY_OUT, Permission.CASE_AGREE
_CHECKLIST: Final = "Before closing"
_WHERE: Final = Field("where", "Who confirmed it, and where that can be seen", Form.LONG)


def members(seen: Seen) -> bool:
    """Let a step be for members, which their payer closes."""
    return seen.account is not None and seen.account.kind is Kind.MEMBER


def not_members(seen: Seen) -> bool:
    """Let a step be for payers and accounts that stand alone: their root closes them (AWS)."""
    return not members(seen)


PLAN: Final = Plan(
    CaseKind.CLOSURE,
    (
        Step(
            NOTICE, "The notice period is over", "L4", _MANAGE, informs=True, waivable=True, section=_CHECKLIST,
            evidence=(Field(ENDS, "Its last day", Form.DATE), _WHERE),
            help="The day by the customer's contract. A day that is still to come counts when it is over.",
        ),
        Step(
            BACKUPS, "What shall be kept is kept elsewhere", "L4", _MANAGE, evidence=(_WHERE,), section=_CHECKLIST,
            help="After 90 days the content is deleted for good. The customer says what they took, or that they want "
            "nothing.",
        ),
        Step(
            RESOURCES, "Resources are terminated", "L4", _MANAGE, evidence=(_WHERE,), section=_CHECKLIST,
            help="Closing does not stop what runs from being billed.",
        ),
        Step(
            COMMITMENTS, "Remaining commitments are settled", "L4", _MANAGE, evidence=(_WHERE,), section=_CHECKLIST,
            help="Reserved instances, savings plans, subscriptions of the Marketplace and registered domains go on.",
        ),
        Step(
            BEGIN, "Two people say that it is closed", "L1", _MANAGE, second=_AGREE, section="Closing",
            needs=(NOTICE, BACKUPS, RESOURCES, COMMITMENTS),
            evidence=(Field(NOTE, "Anything to note", Form.LONG, optional=True),),
            help="From here on the account's root opens for the closing alone, and its credentials stay sealed.",
        ),
        Step(
            CLOSE, "The account is closed at AWS", "L1", _DO, needs=(BEGIN, MEMBERS + CLOSE), acts=True,
            reversible=False, section="Closing",
            evidence=(
                Field(ON, "The day on which AWS closed it", Form.DATE, by_hand=True),
                Field(NOTE, "How it was closed, and where that can be seen", Form.LONG, by_hand=True),
            ),
            help="A member by its payer (Organizations, CloseAccount): the vault does it where a role lets it in. "
            "Payers and accounts that stand alone as root in the console, under a checkout for ACCT_CLOSE.",
        ),
    ),
)  # fmt: skip
