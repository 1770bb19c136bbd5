"""Evidence packs, put together from a case and from the log (H7, H9, S21, S25).

Decided here: that every entry of the case is proven before it is in a pack, under one checkpoint, and that parts of
people stand for their names. Read only; the pack is made anew each time, and says when.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from audit.checkpoint import Checkpoint
from audit.errors import AuditError
from audit.merkle import check_inclusion
from audit.note import split
from audit.receipt import InclusionReceipt
from vault.domain.actor import EVERYTHING
from vault.domain.case import CaseKind, HandoverState, StepState
from vault.domain.event import EventType
from vault.domain.evidence_pack import Pack, PackAccount, PackReceipt, PackRecord, PackStep
from vault.domain.plans.handover import ROOT_DELETED, SIGNATORY
from vault.domain.plans.release import AWS_EVENT, AWS_SHA256, RELEASE
from vault.domain.policy import Permission
from vault.domain.release import CUSTOMER
from vault.errors import Conflict, Forbidden, Unavailable
from vault.ports.records import EntryFilter, Slice
from vault.services.customer_links import visiting

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.domain.case import Done, Scene, Step
    from vault.domain.outlook import Item
    from vault.domain.secret import Secret
    from vault.ports.records import Entry
    from vault.ports.store import Unit
    from vault.services.case_ground import CaseGround

TYPES: Final = (
    EventType.CASE_OPENED,
    EventType.CASE_JOINED,
    EventType.CASE_CHANGED,
    EventType.CASE_CANCELLED,
    EventType.STEP_ASKED,
    EventType.STEP_BEGUN,
    EventType.STEP_DONE,
    EventType.STEP_WAIVED,
    EventType.STEP_FAILED,
    EventType.LINK_MADE,
    EventType.LINK_MAILED,
    EventType.LINK_OPENED,
    EventType.HANDOVER_ACKNOWLEDGED,
    EventType.CREDENTIAL_DESTROYED,
)
"""What an entry of a handover may be."""
_SETTLED: Final = frozenset({EventType.STEP_DONE, EventType.STEP_WAIVED, EventType.HANDOVER_ACKNOWLEDGED})
_PAGE: Final = 100
_PROVEN: Final = 256
"""So many entries are proven together, as wide as a tile."""
_PARTS: Final[Mapping[Permission, str]] = {
    Permission.HANDOVER_OPEN: "customer success manager",
    Permission.HANDOVER_PREPARE: "customer success manager",
    Permission.HANDOVER_CARRY_OUT: "operator",
    Permission.CASE_AGREE: "approver",
}
_KEPT: Final[Mapping[str, str]] = {AWS_EVENT: "Event of AWS's record", AWS_SHA256: "SHA-256 of AWS's record"}
"""What the vault kept with a step by itself, as a reader is told it."""
_OF_ROOT: Final = (EventType.KEYLESS_ASKED, EventType.KEYLESS_SESSION)
_SYSTEM: Final = "system:"
_READY: Final = frozenset({HandoverState.RELEASED, HandoverState.ACKNOWLEDGED, HandoverState.CLOSED})


@dataclass(frozen=True, slots=True)
class EvidencePacks:
    """The use case of evidence packs; `vkey` is the log's public key, named so that a reader knows which to ask for."""

    ground: CaseGround
    origin: str
    vkey: str

    def get(self, actor: Actor, case_id: str) -> Pack:
        """Make the pack of a handover in sight, however far it is.

        A pack is of the whole handover: who reaches some of its accounts alone gets none (S21).

        Raises `NotFound`, `Forbidden` policy.denied, and `Unavailable` log.unavailable where the log does not prove
        one of its entries.
        """
        now = self.ground.clock.now()
        with self.ground.units.read() as unit:
            unit.check_mark()
            scene = self.ground.read(unit, actor, case_id, CaseKind.HANDOVER)
            reach = self.ground.reach(actor)
            if not all(reach.covers(scene.customer.id, number) for number in scene.accounts):
                words = "The evidence is of every account of the handover, and some are beyond your scope."
                raise Forbidden("policy.denied", words, rule="S21")
            return self._pack(unit, scene, now)

    def visited(self, token: Secret[str], visit: Secret[str] | None) -> Pack | None:
        """Make the pack for whoever has the customer's page open; None for everybody else."""
        now = self.ground.clock.now()
        if visit is None:
            return None
        with self.ground.units.read() as unit:
            unit.check_mark()
            link = visiting(unit, token, visit, now)
            case = None if link is None else unit.cases.get(link.case_id)
            if case is None:
                return None
            if case.state not in _READY:
                raise Conflict("case.state", "There is no pack before the release.")
            return self._pack(unit, unit.cases.scene(case), now)

    def _pack(self, unit: Unit, scene: Scene, now: datetime) -> Pack:
        case = scene.case
        entries = (*_entries(unit, case.id), *_sessions(unit, scene))
        receipts, checkpoint = _receipts(unit, entries)
        handed = unit.releases.get(case.id)
        destroyed = {each.account_id: each for each in unit.destructions.of(case.id)}
        items = self.ground.view(scene, now).items
        machines = frozenset(number for number in _doers(items) if unit.people.get(number) is None)
        people, told_in = _People(machines), _told_in(entries)
        steps = tuple(_step(each, each.done, people, told_in) for each in items if _is_settled(each))
        accounts = []
        for number, place in scene.live.items():
            account, gone = scene.accounts[number], destroyed.get(number)
            released = scene.of(number, RELEASE)
            accounts.append(
                PackAccount(
                    number,
                    account.name,
                    account.kind.value,
                    account.root_email,
                    place.state.value,
                    released.at if released is not None and released.state is StepState.DONE else None,
                    None if gone is None else gone.at,
                    None if gone is None else gone.backups_until,
                )
            )
        return Pack(
            at=now,
            origin=self.origin,
            vkey=self.vkey,
            case_id=case.id,
            state=case.state,
            ticket=case.ticket,
            opened_at=case.opened_at,
            customer=scene.customer.name,
            ddi=scene.customer.ddi,
            signatory=scene.given("", SIGNATORY, "name"),
            released_at=None if handed is None else handed.released_at,
            destroy_after=None if handed is None else handed.destroy_after,
            acknowledged_at=None if handed is None else handed.acknowledged_at,
            acknowledged_by="" if handed is None else handed.signed,
            acknowledged_way="" if handed is None or handed.way is None else handed.way.value,
            accounts=tuple(accounts),
            steps=steps,
            receipts=receipts,
            checkpoint=checkpoint,
            records=tuple(_records(unit, scene)),
        )


def _doers(items: Iterable[Item]) -> frozenset[str]:
    done = (each.done for each in items if each.done is not None)
    return frozenset(number for each in done for number in (each.by, each.second_by) if number)


class _People:
    """Parts of people and machines, with a letter for each: whoever comes first in a pack is A in all of it."""

    def __init__(self, machines: frozenset[str]) -> None:
        self._known: dict[str, str] = {}
        self._machines = machines

    def part(self, number: str, permission: Permission) -> str:
        """Name somebody by their part; empty for the vault itself."""
        if number == CUSTOMER:
            return "the signatory"
        if number.startswith(_SYSTEM):
            return ""
        count = len(self._known)
        letter = self._known.setdefault(number, _letters(count))
        part = "machine" if number in self._machines else _PARTS.get(permission, "one of us")
        return f"{part} {letter}"


def _letters(count: int) -> str:
    first, last = divmod(count, 26)
    return ("" if first == 0 else chr(ord("A") + (first - 1) % 26)) + chr(ord("A") + last)


def _is_settled(item: Item) -> bool:
    return item.done is not None and item.done.settled


def _step(item: Item, done: Done | None, people: _People, told_in: Mapping[tuple[str, str], int]) -> PackStep:
    assert done is not None  # noqa: S101 - settled steps alone
    step: Step = item.step
    labels = {field.name: field.label for field in step.evidence} | dict(_KEPT)
    by = people.part(done.by, step.by)
    second = (
        "" if done.second_by is None else people.part(done.second_by, step.second or Permission.CASE_AGREE)
    )
    return PackStep(
        name=step.name,
        title=step.title,
        rule=step.rule,
        section=step.section,
        account_id=done.account_id,
        state=done.state.value,
        at=done.at,
        by=", for ".join(each for each in ("the vault", by) if each) if done.by_vault else by,
        second=second,
        evidence=tuple((labels.get(name, name), text) for name, text in sorted(done.evidence.items())),
        words=done.words,
        entry=told_in.get((done.account_id, done.step)),
    )


def _entries(unit: Unit, case_id: str) -> Iterator[Entry]:
    """Give the entries of a case, oldest first."""
    found: list[Entry] = []
    cursor: str | None = None
    wanted = EntryFilter(text=case_id, types=tuple(each.value for each in TYPES))
    while True:
        page = unit.log.search(wanted, EVERYTHING, Slice(_PAGE, cursor))
        found += [each for each in page.items if _detail(each).get("case") == case_id]
        cursor = page.next
        if cursor is None:
            break
    yield from reversed(found)


def _sessions(unit: Unit, scene: Scene) -> Iterator[Entry]:
    """Give the entries of sessions on members' roots whose credentials the vault deleted in this case, oldest first."""
    deleted = {
        number
        for (number, step), done in scene.done.items()
        if step == ROOT_DELETED and done.by_vault and done.settled
    }
    if not deleted:
        return
    found: list[Entry] = []
    cursor: str | None = None
    types = tuple(each.value for each in _OF_ROOT)
    wanted = EntryFilter(types=types, since=scene.case.opened_at, until=scene.case.ended_at)
    while True:
        page = unit.log.search(wanted, EVERYTHING, Slice(_PAGE, cursor))
        found += [each for each in page.items if _account(each) in deleted]
        cursor = page.next
        if cursor is None:
            break
    yield from reversed(found)


def _records(unit: Unit, scene: Scene) -> Iterator[PackRecord]:
    """Give AWS's records on which steps rest, each held against the hash that its step's entry tells."""
    for (number, step), done in sorted(scene.done.items()):
        event, sha256 = done.evidence.get(AWS_EVENT, ""), done.evidence.get(AWS_SHA256, "")
        if not event or not done.settled:
            continue
        seen = unit.cloud.get(event)
        text = "" if seen is None else seen.record.record
        if hashlib.sha256(text.encode()).hexdigest() != sha256:
            words = (
                f"AWS's record {event} of account {number} is not here as it was read, so there is no pack. Have "
                "reconciliation read the trail again, or look at the database: `rootvault doctor --deep --replay`."
            )
            raise Unavailable("log.unavailable", words)
        yield PackRecord(number, step, event, sha256, text)


def _receipts(unit: Unit, entries: tuple[Entry, ...]) -> tuple[tuple[PackReceipt, ...], str]:
    """Prove each entry under one checkpoint, whose signature is checked once; many share most of their proofs."""
    checkpoint = unit.log.checkpoint()
    size = unit.copies.size_of(checkpoint)
    if size is None:
        raise _unproven("its checkpoint")
    root = Checkpoint.parse(split(checkpoint)[0]).root
    receipts = []
    for start in range(0, len(entries), _PROVEN):
        part = entries[start : start + _PROVEN]
        try:
            proofs = unit.copies.proofs([each.index for each in part], size)
        except AuditError:
            raise _unproven(f"entries {part[0].index} to {part[-1].index}") from None
        for entry, proof in zip(part, proofs, strict=True):
            try:
                check_inclusion(entry.index, size, bytes.fromhex(entry.leaf_hash), proof, root)
            except AuditError:
                raise _unproven(f"entry {entry.index}") from None
            lines = InclusionReceipt(entry.index, tuple(proof), checkpoint).format().partition("\n\n")[0]
            receipts.append(
                PackReceipt(
                    entry.index,
                    str(entry.content["type"]),
                    str(entry.content["time"]),
                    _account(entry),
                    entry.leaf_hash,
                    tuple(lines.split("\n")[2:]),
                )
            )
    return tuple(receipts), checkpoint


def _unproven(what: str) -> Unavailable:
    words = (
        f"The log does not prove {what}, so there is no pack. Compare the database with the log: "
        "`rootvault doctor --deep --replay`."
    )
    return Unavailable("log.unavailable", words)


def _told_in(entries: tuple[Entry, ...]) -> Mapping[tuple[str, str], int]:
    """Give, by account and step, the last entry that settled it."""
    told: dict[tuple[str, str], int] = {}
    for entry in entries:
        if entry.content["type"] not in _SETTLED:
            continue
        told[_account(entry), str(_detail(entry).get("step", "acknowledge"))] = entry.index
    return told


def _account(entry: Entry) -> str:
    account = entry.content.get("account")
    return str(account["id"]) if isinstance(account, dict) else ""


def _detail(entry: Entry) -> Mapping[str, object]:
    detail = entry.content.get("detail")
    return detail if isinstance(detail, dict) else {}
