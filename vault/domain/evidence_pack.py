"""The evidence pack of a handover: who did what, when, on which evidence, each with its place in the log (H7, H9, S25).

Decided here: what is in it. Of the customer everything that concerns them; of our people their part alone, with a
letter that tells one from another within the pack ("operator A"), so that two people can be seen to be two; machines
are told apart from people. No name, no e-mail address, no network address of ours, and no leaf of the log, which has
them: a receipt proves an entry by its hash, and whoever is shown the entry later can see that it is the one. No secret,
because none is kept with a step.
AWS's record of the customer's own reset is in it as AWS wrote it: it is of their root, in their account.

The data is JSON in the form that `rootvault.handover/1` names: `receipts` is read by ``python -m audit pack``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

FORMAT: Final = "rootvault.handover/1"


@dataclass(frozen=True, slots=True)
class PackAccount:
    """One account: number, name, kind, the root e-mail that is the customer's now, and what became of ours."""

    id: str
    name: str
    kind: str
    root_email: str
    state: str
    released_at: datetime | None
    destroyed_at: datetime | None
    backups_until: datetime | None


@dataclass(frozen=True, slots=True)
class PackStep:
    """One step that is settled; `account_id` is empty for a step of the whole handover.

    `by` and `second` are parts of people; `evidence` is by label; `entry` is the index of the log's entry that tells
    of it, None where the step has none of its own (it was given when the handover was opened).
    """

    name: str
    title: str
    rule: str
    section: str
    account_id: str
    state: str
    at: datetime
    by: str
    second: str
    evidence: tuple[tuple[str, str], ...]
    words: str
    entry: int | None


@dataclass(frozen=True, slots=True)
class PackReceipt:
    """An entry's place in the log: index, type, time, the hex hash of its leaf, and the inclusion proof (base64)."""

    index: int
    type: str
    time: str
    account_id: str
    leaf_hash: str
    hashes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PackRecord:
    """AWS's own record on which a step rests: the event's id, the text as AWS wrote it, and its hex SHA-256.

    The entry that tells of the step tells the same id and hash; whoever has the account's trail finds the same event.
    """

    account_id: str
    step: str
    event: str
    sha256: str
    text: str


@dataclass(frozen=True, slots=True)
class Pack:
    """The evidence pack of one handover, as it stands at `at`. Times are aware and in UTC."""

    at: datetime
    origin: str
    vkey: str
    case_id: str
    state: str
    ticket: str
    opened_at: datetime
    customer: str
    ddi: str
    signatory: str
    released_at: datetime | None
    destroy_after: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    acknowledged_way: str
    accounts: tuple[PackAccount, ...]
    steps: tuple[PackStep, ...]
    receipts: tuple[PackReceipt, ...]
    checkpoint: str
    records: tuple[PackRecord, ...] = ()

    def of(self, account_id: str) -> tuple[PackStep, ...]:
        """Give the steps of one account; with an empty number those of the whole handover."""
        return tuple(step for step in self.steps if step.account_id == account_id)

    @property
    def apn_case(self) -> str:
        """Write the text for the APN case that tells AWS of the change of ownership."""
        given = (
            "The root of these accounts was given to the customer. The root e-mail address of each is the customer's, "
            "our MFA device and our roles are removed, and our credentials open nothing any more:"
        )
        lines = [
            "Notification of a change of ownership of AWS accounts",
            "",
            f"Customer: {self.customer} (our number {self.ddi}); authorised signatory: {self.signatory}.",
            f"Ticket: {self.ticket}; handover {self.case_id}.",
            "",
            given,
            "",
        ]
        for each in self.accounts:
            when = "" if each.released_at is None else f", released {each.released_at:%Y-%m-%d %H:%M} UTC"
            lines.append(f"- {each.id} ({each.kind}){when}")
        lines += [
            "",
            "Please take us off these accounts. The evidence of each step can be had from us on request.",
        ]
        return "\n".join(lines) + "\n"
