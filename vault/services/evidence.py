"""The evidence of one checkout, from the log alone (PCI DSS 8.2.2): who, why, what came out, what followed.

Decided here: which entries belong to the evidence of a checkout, and what is still open. Everything is read from
leaves; the tables are looked at only to say where they tell another story. That an auditor read the evidence is an
entry, and that anybody took it along as a file is one of the account. Never done here: a secret, a change, a
verdict whether it was right.
"""

from __future__ import annotations

import io
import json
import tarfile
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Final, Protocol

from vault.domain.actor import ActorKind
from vault.domain.event import Event, EventType, stamp
from vault.domain.policy import Permission
from vault.errors import Unavailable, not_found
from vault.ports.ranges import Pick, Stretch
from vault.services.evidence_open import OF_ACCOUNT, Settled
from vault.services.evidence_told import (
    Section,
    Told,
    line_json,
    state_of,
)
from vault.services.leaves import Disclosure, Leaf, disclosures
from vault.services.viewed import is_auditor, record_view

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Unit, Units
    from vault.services.gate import Gate

MOST: Final = 1_000
"""So many entries of one checkout are read; a lease has far fewer, its quotas see to that."""

MOST_OF_LIFE: Final = 20_000
"""So many entries of the account's rotations are read."""


@dataclass(frozen=True, slots=True)
class Matched:
    """What AWS's own records say of this checkout: in words, and one line for each record."""

    words: str
    lines: tuple[str, ...] = ()
    unexplained: int = 0


class CloudMatches(Protocol):
    """Where AWS's records of one checkout are held against the log."""

    def of_checkout(self, account_id: str, checkout_id: str) -> Matched:
        """Say what AWS recorded that belongs to this checkout."""
        ...


@dataclass(frozen=True, slots=True)
class NoRecords:
    """Implements `CloudMatches` where nobody reads AWS's records."""

    def of_checkout(self, account_id: str, checkout_id: str) -> Matched:  # noqa: ARG002 - the port's signature
        """Say that there is nothing to compare with."""
        return Matched("No source of AWS's records is configured: what AWS saw is not compared with the log.")


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that the log tells of one checkout, as of `checkpoint`.

    `still_open` says what is not settled yet, `values` what became of each value that somebody came to know under it,
    `disagreements` where the tables tell another story.
    """

    checkout_id: str
    account_id: str
    made_at: datetime
    state: str
    asked: Leaf
    sections: tuple[Section, ...]
    still_open: tuple[str, ...]
    values: tuple[str, ...]
    disagreements: tuple[str, ...]
    cloud: Matched
    checkpoint: str

    @property
    def leaves(self) -> tuple[Leaf, ...]:
        """Every entry that the evidence rests on, each once, by index."""
        found = {line.leaf.index: line.leaf for section in self.sections for line in section.lines}
        return tuple(found[index] for index in sorted(found))


@dataclass(frozen=True, slots=True)
class Evidences:
    """Use cases that give evidence."""

    units: Units
    gate: Gate
    clock: Clock
    vkey: str
    cloud: CloudMatches = field(default=NoRecords())

    def of_checkout(self, actor: Actor, checkout_id: str) -> Evidence:
        """Give the evidence of one checkout on an account in sight; of any other there is nothing (S21)."""
        account = self._account(actor, checkout_id)
        matched = self.cloud.of_checkout(account.id, checkout_id)
        now = self.clock.now()
        if is_auditor(self.gate.policy, actor):
            record_view(self.units, actor, {"what": "evidence", "checkout": checkout_id}, now)
        with self.units.read() as unit:
            return self._gather(unit, account, checkout_id, matched, now)

    def file(self, actor: Actor, checkout_id: str, file: IO[bytes]) -> None:
        """Write the evidence with each leaf, each proof and the checkpoint as one tar; that it left is an entry."""
        account = self._account(actor, checkout_id)
        matched = self.cloud.of_checkout(account.id, checkout_id)
        now = self.clock.now()
        event = Event(
            EventType.AUDIT_EXPORTED,
            actor,
            account_id=account.id,
            checkout_id=checkout_id,
            detail={"what": "evidence"},
        )
        with self.units.write() as unit:
            unit.log.record(event, now)
            unit.commit()
        with self.units.read() as unit:
            evidence = self._gather(unit, account, checkout_id, matched, now)
            members = self._members(unit, evidence)
        with tarfile.open(fileobj=file, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
            for name, content in members.items():
                member = tarfile.TarInfo(f"evidence-{checkout_id}/{name}")
                member.size, member.mode = len(content), 0o644
                tar.addfile(member, io.BytesIO(content))

    def _account(self, actor: Actor, checkout_id: str) -> Account:
        """Find the account by the log's own first entry of the checkout, and look whether it is in sight."""
        with self.units.read() as unit:
            asked = self._leaves(unit, Pick(checkout_id=checkout_id), 0, 1)
            account = unit.accounts.get(asked[0].account) if asked else None
        reach = self.gate.policy.reach(actor, Permission.TRAIL_READ)
        whole = self.gate.policy.reach(actor, Permission.LOG_READ).everything
        if account is None or actor.kind is ActorKind.MACHINE:
            raise not_found("checkout", checkout_id[:36])
        if not whole and not reach.covers(account.customer_id, account.id):
            raise not_found("checkout", checkout_id[:36])
        return account

    def _leaves(self, unit: Unit, wanted: Pick, first: int, limit: int = MOST) -> tuple[Leaf, ...]:
        stretch = Stretch(first, unit.ranges.size())
        return tuple(Leaf.of(each) for each in unit.ranges.pick(stretch, wanted, limit))

    def _gather(
        self, unit: Unit, account: Account, checkout_id: str, cloud: Matched, now: datetime
    ) -> Evidence:
        own = self._leaves(unit, Pick(checkout_id=checkout_id), 0)
        seen = disclosures(own)
        wanted = Pick(types=tuple(OF_ACCOUNT), account_id=account.id)
        life = self._leaves(unit, wanted, 0, MOST_OF_LIFE)
        settled = Settled(own, seen, life, whole=len(life) < MOST_OF_LIFE)
        told = Told(own, seen, settled.after)
        return Evidence(
            checkout_id=checkout_id,
            account_id=account.id,
            made_at=now,
            state=state_of(own),
            asked=own[0],
            sections=told.sections(),
            still_open=settled.still_open(),
            values=settled.values(),
            disagreements=_disagreements(unit, checkout_id, own, seen),
            cloud=cloud,
            checkpoint=unit.log.checkpoint(),
        )

    def _members(self, unit: Unit, evidence: Evidence) -> dict[str, bytes]:
        members = {
            "evidence.json": json.dumps(as_json(evidence), indent=2, sort_keys=True).encode("ascii"),
            "checkpoint": evidence.checkpoint.encode(),
            "README.txt": _readme(self.vkey).encode(),
        }
        for leaf in evidence.leaves:
            entry, proof = unit.log.entry(leaf.index), unit.log.proof(leaf.index)
            if entry is None or proof is None:
                detail = f"The log cannot prove its entry {leaf.index}; run rootvault doctor."
                raise Unavailable("log.unavailable", detail)
            members[f"entry-{leaf.index}.json"] = entry.leaf
            members[f"entry-{leaf.index}.tlog-proof"] = proof.encode()
        return members


def _disagreements(
    unit: Unit, checkout_id: str, own: tuple[Leaf, ...], seen: tuple[Disclosure, ...]
) -> tuple[str, ...]:
    """Say where the tables tell another story than the log."""
    row = unit.checkouts.get(checkout_id)
    if row is None:
        return ("The table of checkouts has no such checkout; the log has.",)
    asked = own[0]
    pairs = {
        "state": (row.state, state_of(own)),
        "account": (row.account_id, asked.account),
        "requester": (row.requester_id, asked.who.id),
        "reason": (row.reason, asked.reason.get("code", "")),
        "ticket": (row.ticket, asked.reason.get("ticket", "")),
        "sentence": (row.justification, asked.reason.get("text", "")),
        "content hash": (row.content_hash, asked.told("content_hash")),
        "policy": (row.policy_hash, asked.policy.get("id", "")),
    }
    found = [
        f"{name}: the table has {was!s}, the log {now!s}" for name, (was, now) in pairs.items() if was != now
    ]
    given = {each.id for each in unit.checkouts.approvals(checkout_id) if each.decision == "approve"}
    told = {leaf.approval.get("id", "") for leaf in own if leaf.is_(EventType.CHECKOUT_APPROVED)}
    if given != told:
        found.append(f"approvals: the table has {len(given)}, the log {len(told)}")
    rows = {each.id: str(each.state) for each in unit.reveals.of_checkout(checkout_id)}
    leaves = {
        each.authorized.told("reveal"): "authorized" if each.outcome is None else each.state for each in seen
    }
    if rows != leaves:
        found.append("disclosures: the table and the log do not name the same ones with the same outcomes")
    return tuple(found)


def as_json(evidence: Evidence) -> Mapping[str, object]:
    """Write the evidence for programs."""
    return {
        "checkout": evidence.checkout_id,
        "account": evidence.account_id,
        "made_at": stamp(evidence.made_at),
        "state": evidence.state,
        "sections": [
            {
                "name": section.name,
                "title": section.title,
                "lines": [line_json(line) for line in section.lines],
            }
            for section in evidence.sections
        ],
        "still_open": list(evidence.still_open),
        "values": list(evidence.values),
        "disagreements": list(evidence.disagreements),
        "cloud": {"words": evidence.cloud.words, "records": list(evidence.cloud.lines)},
        "checkpoint": evidence.checkpoint,
    }


def _readme(vkey: str) -> str:
    return f"""What the log tells of one checkout, and what proves it.

evidence.json             the reading of it; each line names the index of its entry
entry-N.json              the exact bytes of entry N
entry-N.tlog-proof        its proof, under the signed checkpoint at its end (C2SP tlog-proof)
checkpoint                that checkpoint; keep it

To check every entry, with nothing of the vault but the package audit (docs/formats-log.md says how to do without):

    for leaf in entry-*.json; do
        python -m audit receipt "${{leaf%.json}}.tlog-proof" --leaf "$leaf" --key '{vkey}' || echo "$leaf IS NOT PROVEN"
    done

Take the key from where the log's owner published it, and compare: this file could have been changed with the rest.
That no entry of the account is left out shows in account.seq and account.prev of each leaf of an extract of it.
"""
