"""What stores are asked with and answer with: pages and their filters, disclosures, receipts, entries.

Decided here: the shapes alone. What they mean in a use case stands with the stores in `vault.ports.store`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Generic, NamedTuple, TypeVar

from vault.domain.account import Account, Custody, Kind, Model
from vault.domain.checkout import Checkout, CheckoutState
from vault.domain.credential import PartKind
from vault.domain.freeze import Freeze
from vault.domain.told import Told, told

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items in the list's order, and the cursor of the rest (None at the end).

    `reached` is set where a bounded search stopped before its page was full: the index down to which it looked.
    """

    items: tuple[T, ...]
    next: str | None
    reached: int | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """Which page of a list: at most `limit` items after `cursor` (as an earlier page gave it)."""

    limit: int = 50
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class AccountFilter:
    """Which accounts; None does not narrow. `text` is found in number, name and root e-mail."""

    text: str | None = None
    customer_id: str | None = None
    custody: Custody | None = None
    model: Model | None = None
    kind: Kind | None = None


class Held(NamedTuple):
    """A checkout with its account, both held, and what bears on a disclosure under it.

    `is_split` says that password and codes go to two people (C8); `freeze` is the oldest that stops the person;
    `factor_until` is until when their last factor counts, given for exactly this checkout and in this session (S16).
    """

    checkout: Checkout
    account: Account
    is_split: bool
    freeze: Freeze | None
    factor_until: datetime | None


@dataclass(frozen=True, slots=True)
class CheckoutFilter:
    """Which checkouts; None does not narrow."""

    account_id: str | None = None
    requester_id: str | None = None
    states: frozenset[CheckoutState] | None = None


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries of the log, newest first; what is given narrows together, times are half open [since, until).

    `text` is found literally and without case in the values of an entry, not in its keys; `types` and `outcomes`
    name several, any of which fits; `reason` and `ticket` are compared as they were stated.
    """

    account_id: str | None = None
    actor_id: str | None = None
    checkout_id: str | None = None
    type: str | None = None
    outcome: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None
    types: tuple[str, ...] = ()
    outcomes: tuple[str, ...] = ()
    reason: str | None = None
    ticket: str | None = None
    of_accounts: bool = False
    """Only entries about some account: those about people, tokens and the log itself are left out."""
    not_types: tuple[str, ...] = ()
    """Types whose entries are left out, such as the readings of the log itself."""

    @property
    def any_type(self) -> tuple[str, ...]:
        """Give the types of which one has to fit; empty where any does."""
        return self.types if self.type is None else (*self.types, self.type)

    @property
    def any_outcome(self) -> tuple[str, ...]:
        """Give the outcomes of which one has to fit; empty where any does."""
        return self.outcomes if self.outcome is None else (*self.outcomes, self.outcome)

    def told(self) -> dict[str, str]:
        """Give what was asked for as an entry's details tell it."""
        names = ("account_id", "actor_id", "checkout_id", "reason", "ticket", "since", "until", "text")
        told = {name: str(value) for name in names if (value := getattr(self, name)) is not None}
        several = {"type": self.any_type, "outcome": self.any_outcome, "without": self.not_types}
        return told | {name: ",".join(given) for name, given in several.items() if given}


class RevealState(StrEnum):
    """How far a disclosure has come."""

    AUTHORIZED = "authorized"
    RELEASED = "released"
    FAILED = "failed"
    UNKNOWN = "unknown"


class RevealPurpose(StrEnum):
    """What a disclosure is for: using root, or setting a staged value at AWS."""

    USE = "use"
    DISPLAY = "display"


@dataclass(frozen=True, slots=True)
class Reveal:
    """One disclosure of a value or a code, from authorisation to outcome."""

    id: str
    checkout_id: str
    account_id: str
    kind: PartKind
    version: int
    person_id: str
    purpose: RevealPurpose
    state: RevealState
    authorized_at: datetime
    ended_at: datetime | None = None


@told.register(Reveal)
def _(thing: Reveal) -> Told:
    version = f"{thing.account_id}/{thing.kind}/{thing.version}"
    of = f"{version} {thing.checkout_id} {thing.person_id} {thing.purpose}"
    return "reveal", thing.id, {"": thing.state.value, "of": of}


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an entry is in the log: its index, leaf hash (hex) and the signed checkpoint."""

    index: int
    leaf_hash: str
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Promotion:
    """What the log says is current for a part, proven against the signed head (S10)."""

    index: int
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of the log as it stands: its index, leaf hash (hex), exact bytes and their content."""

    index: int
    leaf_hash: str
    leaf: bytes
    content: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Repeat:
    """What an Idempotency-Key was used for before: the request's MAC and the subject of its entry."""

    body_mac: str
    subject: str | None
    index: int
