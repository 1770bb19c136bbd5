"""What a customer has to do once their accounts are theirs, and what ends with our service (H6, H7, H9, H10, C5).

Decided here: the list that the customer's page and the evidence pack show, in the order in which it matters. Facts of
AWS's are as of docs/release.md, which names their sources.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

MFA_GRACE_DAYS: Final = 35
"""AWS: so long after the next sign-in root goes without MFA; then it is asked to enrol a device."""


@dataclass(frozen=True, slots=True)
class Task:
    """One thing to do: a short title, what to do in plain words, the rule that it comes from."""

    title: str
    words: str
    rule: str


TASKS: Final = (
    Task(
        "Set a password that only you know",
        "Sign in to each account as root with its new e-mail address and “Forgot password?”. Do it also where you have "
        "one already and anybody else knows it. Never give it to us, or to anybody who says they are us.",
        "H9",
    ),
    Task(
        "Enrol your own MFA device",
        f"Ours is gone. AWS asks for one within {MFA_GRACE_DAYS} days of your next sign-in as root; do it at once, and "
        "enrol a second one that you keep elsewhere.",
        "H9",
    ),
    Task(
        "Look after the mailbox and the phone",
        "Whoever reads the root mailbox and answers the primary phone gets into the account, even past MFA. Let more "
        "than one of you read the mailbox, and check the phone number in each account.",
        "C5",
    ),
    Task(
        "Check the payment method", "From here on AWS bills you. See that each account has a valid one.", "H6"
    ),
    Task(
        "Check the contacts",
        "See that the contact information and the alternate contacts for billing, operations and security are yours.",
        "H7",
    ),
    Task(
        "Choose a support plan",
        "Our Enterprise Support has ended. Choose the plan that you need; without one you have Basic Support.",
        "H7",
    ),
    Task(
        "Decide about RackspaceDefaultEC2Role",
        "We left this one role, as instances may run under it. Remove it once none does.",
        "H7",
    ),
)
"""What to do now."""

ENDS: Final = (
    Task(
        "Logbook and CloudHealth",
        "You have no access to them any more. Ask us now for what you need of them.",
        "H10",
    ),
    Task(
        "Our last bill",
        "It covers the time until the handover, and comes this month or the next. AWS may bill the rest of the same "
        "month, only for the time from the handover on.",
        "H10",
    ),
)
"""What ends."""
