"""Customers, accounts and custody: whose root it is, and who answers for it now (C1-C5, L1-L3).

Decided here: in which state custody of an account begins, and the steps it may take. Never decided
here: which checkout opens in which state (`reason`, `policy`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from vault.domain.lifecycle import Lifecycle


class Model(StrEnum):
    """Who owns member roots (C2; AWS today says Solution Provider and End Customer model)."""

    SPAM = "SPAM"
    ECAM = "ECAM"


class Kind(StrEnum):
    """The account's place in a consolidated bill."""

    PAYER = "payer"
    MEMBER = "member"
    STANDALONE = "standalone"


class Custodian(StrEnum):
    """Who controls the root mailbox or the primary phone: each is a way in (C5)."""

    OURS = "ours"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


class Custody(StrEnum):
    """Who answers for the root now."""

    ONBOARDING = "onboarding"
    HELD = "held"
    IN_TRANSFER = "in_transfer"
    RELEASED = "released"
    CLOSING = "closing"
    CLOSED = "closed"
    DEAD = "dead"
    CUSTOMER_HELD = "customer_held"
    KEYLESS = "keyless"


class CustodyEvent(StrEnum):
    """What moves custody."""

    CONFIRMED = "confirmed"
    HANDOVER_STARTED = "handover_started"
    HANDOVER_CANCELLED = "handover_cancelled"
    KEYLESS_AGAIN = "keyless_again"
    """What was cancelled, or reopened, was a member without root credentials."""
    RELEASED = "released"
    CLOSURE_STARTED = "closure_started"
    CLOSURE_CANCELLED = "closure_cancelled"
    CLOSED = "closed"
    REOPENED = "reopened"
    EXPIRED = "expired"
    ROOT_REMOVED = "root_removed"
    RECOVERY_ALLOWED = "recovery_allowed"


CUSTODY = Lifecycle(
    "account",
    Custody.ONBOARDING,
    {
        (Custody.ONBOARDING, CustodyEvent.CONFIRMED): Custody.HELD,
        (Custody.HELD, CustodyEvent.HANDOVER_STARTED): Custody.IN_TRANSFER,
        (Custody.KEYLESS, CustodyEvent.HANDOVER_STARTED): Custody.IN_TRANSFER,
        (Custody.IN_TRANSFER, CustodyEvent.HANDOVER_CANCELLED): Custody.HELD,
        (Custody.IN_TRANSFER, CustodyEvent.KEYLESS_AGAIN): Custody.KEYLESS,
        (Custody.IN_TRANSFER, CustodyEvent.RELEASED): Custody.RELEASED,
        (Custody.HELD, CustodyEvent.CLOSURE_STARTED): Custody.CLOSING,
        (Custody.KEYLESS, CustodyEvent.CLOSURE_STARTED): Custody.CLOSING,
        (Custody.CLOSING, CustodyEvent.CLOSURE_CANCELLED): Custody.HELD,
        (Custody.CLOSING, CustodyEvent.KEYLESS_AGAIN): Custody.KEYLESS,
        (Custody.CLOSING, CustodyEvent.CLOSED): Custody.CLOSED,
        (Custody.CLOSED, CustodyEvent.REOPENED): Custody.HELD,
        (Custody.CLOSED, CustodyEvent.KEYLESS_AGAIN): Custody.KEYLESS,
        (Custody.CLOSED, CustodyEvent.EXPIRED): Custody.DEAD,
        # a member that never had root credentials, and one whose were removed centrally
        (Custody.ONBOARDING, CustodyEvent.ROOT_REMOVED): Custody.KEYLESS,
        (Custody.HELD, CustodyEvent.ROOT_REMOVED): Custody.KEYLESS,
        (Custody.KEYLESS, CustodyEvent.RECOVERY_ALLOWED): Custody.ONBOARDING,
    },
)


@dataclass(frozen=True, slots=True)
class Customer:
    """A Rackspace account, named by its DDI; the level of people, permissions and settings (C1).

    `session_idle_seconds` and `session_max_seconds` are the customer's own limits (U3), None where
    it set none; the tightest applicable limit wins. `split_custody` parts password and codes of its accounts (C8).
    """

    id: str
    ddi: str
    name: str
    public_sector: bool
    aws_india: bool
    session_idle_seconds: int | None
    session_max_seconds: int | None
    created_at: datetime
    split_custody: bool = False


@dataclass(frozen=True, slots=True)
class Account:
    """An AWS account with its one root user; `split_custody` gives password and codes to two people (C8).

    `is_new`: it was made at AWS for its customer, and was not transferred to us (A4).
    """

    id: str
    customer_id: str
    name: str
    model: Model
    kind: Kind
    custody: Custody
    root_email: str
    mailbox: Custodian
    phone: Custodian
    created_at: datetime
    held_since: datetime | None = None
    split_custody: bool = False
    is_new: bool = False


@dataclass(frozen=True, slots=True)
class Tenure:
    """That an account was a customer's from `since` until it moved to another, at `until` (D1).

    The customer's people go on reading the entries of that time, and none later. An account's are numbered from 1.
    """

    account_id: str
    number: int
    customer_id: str
    since: datetime
    until: datetime


def first_custody(model: Model, kind: Kind) -> Custody:
    """Give the state custody begins in: an ECAM member's root stays the customer's (C2)."""
    if model is Model.ECAM and kind is Kind.MEMBER:
        return Custody.CUSTOMER_HELD
    return CUSTODY.start
