"""A population of entries, and a random sample of it that anybody can draw again.

An auditor tests a control on some of the times it was used: the population has to be complete, the choice not
theirs who are audited. The population is all entries below the size of one signed checkpoint that a filter
fits: whoever has the log's bundle counts it again. The sample is the `n` entries with the smallest

    SHA-256(seed in UTF-8 ‖ 0A ‖ leaf hash)

so it follows from the seed and the log alone. The seed is the auditor's own; one that the vault draws is told, and
since every drawing is an entry, drawing until a sample pleases is seen.

Decided here: the method above; that a customer is named by the numbers of its accounts, because leaves know no
customers; that the entry `audit.sampled` is written before anything goes out. Never done here: judging anything.
"""

from __future__ import annotations

import hashlib
import io
import json
import re
import tarfile
from dataclasses import dataclass, replace
from heapq import nsmallest
from importlib.resources import files
from typing import IO, TYPE_CHECKING, Any, Final

from audit.entry import format_time
from vault.crypto.chance import nonce_text
from vault.domain.actor import Reach
from vault.domain.event import Event, EventType
from vault.domain.ids import is_ddi
from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, NotFound, Unavailable, not_found
from vault.ports.store import AccountFilter, EntryFilter, Slice
from vault.services.asked import check_filter
from vault.services.gate import refuse

if TYPE_CHECKING:
    from datetime import datetime

    from vault.domain.actor import Actor
    from vault.ports.clock import Clock
    from vault.ports.store import Entry, Receipt, Unit, Units
    from vault.services.gate import Gate

USUAL: Final = 25
MOST: Final = 500
POPULATION_MOST: Final = 500_000
SEED: Final = re.compile(r"[\x21-\x7e]{1,128}")
"""A seed of the auditor's: ASCII without blanks, so that everybody writes the same bytes."""
_PAGE: Final = 500
_READ_ME: Final = """This is a sample of entries of an audit log, to be checked without the vault.

population.json   what was asked for, how many entries fit, the seed, and the sample in the order of its ranks
checkpoint        the signed checkpoint of the whole log that all of this is about
entry-N.json, entry-N.tlog-proof   each entry's exact bytes, and its proof under that checkpoint
redo_sample.py    draws the sample again from a copy of the log; read it, it is short

That an entry is in the log (KEY from where the log's owner published it, not from here):
    python -m audit receipt entry-N.tlog-proof --leaf entry-N.json --key KEY
That the population is whole and the sample is the one that the seed picks, with a copy of the whole log:
    python -m audit verify log.tar --key KEY --since checkpoint
    python3 redo_sample.py log.tar population.json
"""


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to draw from: a filter, perhaps a customer, how many, and the seed (None: the vault draws one)."""

    wanted: EntryFilter
    customer_id: str | None = None
    n: int = USUAL
    seed: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of the sample with its rank (hex) and its proof as c2sp.org/tlog-proof text."""

    rank: str
    entry: Entry
    proof: str


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample and the population that it is of; `told` is population.json."""

    checkpoint: str
    told: dict[str, Any]
    items: tuple[Item, ...]
    receipt: Receipt

    @property
    def count(self) -> int:
        """How many entries the population has."""
        return int(self.told["count"])


@dataclass(frozen=True, slots=True)
class Samples:
    """Use cases on samples."""

    units: Units
    gate: Gate
    clock: Clock

    def draw(self, actor: Actor, drawing: Drawing) -> Sample:
        """Count the population, draw the sample, and record both before they are given out."""
        _check(drawing)
        check_filter(drawing.wanted)
        now = self.clock.now()
        seed = drawing.seed or nonce_text()
        with self.units.write() as unit:
            self.gate.require(unit, actor, Permission.LOG_EXPORT, now)
        wanted, accounts = self._scope(actor, drawing, now)
        with self.units.read() as unit:
            checkpoint = unit.log.checkpoint()
            found = _ranked(unit, wanted, accounts, seed)
            chosen = nsmallest(drawing.n, found)
            items = tuple(_item(unit, rank, index) for rank, index, _ in chosen)
        told = _told(checkpoint, wanted, accounts, found, seed, drawing, items)
        detail = {
            "seed": seed,
            "drawn_by": told["drawn_by"],
            "n": drawing.n,
            "population": len(found),
            "tree_size": told["tree_size"],
            "population_sha256": hashlib.sha256(_written(told)).hexdigest(),
            **wanted.told(),
        }
        if drawing.customer_id is not None:
            with self.units.read() as unit:
                detail["customer"] = _customer(unit, drawing.customer_id)
        with self.units.write() as unit:
            event = Event(EventType.AUDIT_SAMPLED, actor, detail=detail, subject="disclosure")
            receipt = unit.log.record(event, now)
            unit.commit()
        return Sample(checkpoint, told, items, receipt)

    def _scope(
        self, actor: Actor, drawing: Drawing, now: datetime
    ) -> tuple[EntryFilter, tuple[str, ...] | None]:
        """Give the population; that one was asked for which is not there, or not in sight, is an entry (S21)."""
        try:
            with self.units.read() as unit:
                return self._population(unit, actor, drawing)
        except NotFound as absent:
            name = drawing.wanted.account_id if drawing.customer_id is None else drawing.customer_id
            detail = {
                "permission": Permission.LOG_EXPORT,
                "asked_for": f"sample of {(name or 'nothing')[:36]}",
            }
            with self.units.write() as unit:
                refuse(unit, Event(EventType.ACCESS_DENIED, actor, detail=detail), absent, now)

    def _population(
        self, unit: Unit, actor: Actor, drawing: Drawing
    ) -> tuple[EntryFilter, tuple[str, ...] | None]:
        """Give the filter, and the accounts that it is about, None for all of the log.

        A customer without an account in sight is as absent as one that does not exist.
        """
        reach = self.gate.policy.reach(actor, Permission.LOG_EXPORT)
        wanted = drawing.wanted
        if reach.everything and drawing.customer_id is None:
            return wanted, None
        customer = None if drawing.customer_id is None else _customer(unit, drawing.customer_id)
        numbers: list[str] = []
        cursor: str | None = None
        while True:
            page = unit.accounts.page(reach, AccountFilter(customer_id=customer), Slice(_PAGE, cursor))
            numbers += [account.id for account in page.items]
            if page.next is None:
                break
            cursor = page.next
        if drawing.customer_id is not None and not numbers:
            raise not_found("customer", drawing.customer_id[:36])
        if wanted.account_id is not None:
            numbers = [number for number in numbers if number == wanted.account_id]
        if not numbers:
            raise not_found("account", (wanted.account_id or "in scope")[:12])
        return replace(wanted, of_accounts=True), tuple(numbers)


def _customer(unit: Unit, name: str) -> str:
    """Give the id of a customer who is named by it or by their DDI number; an unknown name is left as it is."""
    found = unit.customers.by_ddi(name) if is_ddi(name) else None
    return name if found is None else found.id


def write(sample: Sample, file: IO[bytes]) -> None:
    """Write a sample as one tar, with all that is needed to check it."""
    script = files("vault.services").joinpath("redo_sample.py").read_bytes()
    members = [
        ("README.txt", _READ_ME.encode()),
        ("population.json", _written(sample.told)),
        ("checkpoint", sample.checkpoint.encode()),
        ("redo_sample.py", script),
    ]
    for item in sample.items:
        members.append((f"entry-{item.entry.index}.json", item.entry.leaf))
        members.append((f"entry-{item.entry.index}.tlog-proof", item.proof.encode()))
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.USTAR_FORMAT) as tar:
        for name, content in members:
            member = tarfile.TarInfo(f"sample/{name}")
            member.size, member.mode = len(content), 0o644
            tar.addfile(member, io.BytesIO(content))


def rank_of(seed: str, leaf_hash: str) -> str:
    """Give an entry's rank in a sample, in hex; the smallest are drawn."""
    return hashlib.sha256(seed.encode() + b"\n" + bytes.fromhex(leaf_hash)).hexdigest()


def _check(drawing: Drawing) -> None:
    wrong = []
    if not 1 <= drawing.n <= MOST:
        wrong.append(FieldError("/n", f"Draw 1 to {MOST} entries."))
    if drawing.seed is not None and SEED.fullmatch(drawing.seed) is None:
        wrong.append(
            FieldError("/random_seed", "Give 1 to 128 characters of ASCII without blanks, or no seed.")
        )
    since, until = drawing.wanted.since, drawing.wanted.until
    if since is not None and until is not None and since >= until:
        wrong.append(FieldError("/since", "since has to be before until."))
    if wrong:
        raise Invalid("input.invalid", wrong[0].detail, errors=tuple(wrong))


def _ranked(
    unit: Unit, wanted: EntryFilter, accounts: tuple[str, ...] | None, seed: str
) -> list[tuple[str, int, str]]:
    """Give every entry of the population as (rank, index, leaf hash)."""
    reach = Reach(everything=True) if accounts is None else Reach(accounts=frozenset(accounts))
    found: list[tuple[str, int, str]] = []
    cursor: str | None = None
    while True:
        page = unit.log.page(wanted, reach, Slice(_PAGE, cursor))
        found += [(rank_of(seed, each.leaf_hash), each.index, each.leaf_hash) for each in page.items]
        if len(found) > POPULATION_MOST:
            words = f"More than {POPULATION_MOST:,} entries fit; narrow the population, by time for example."
            raise Invalid("input.invalid", words)
        if page.next is None:
            return found
        cursor = page.next


def _item(unit: Unit, rank: str, index: int) -> Item:
    entry, proof = unit.log.entry(index), unit.log.proof(index)
    if entry is None or proof is None:
        raise Unavailable("log.unavailable", f"The log cannot prove its entry {index}; run rootvault doctor.")
    return Item(rank, entry, proof)


def _told(
    checkpoint: str,
    wanted: EntryFilter,
    accounts: tuple[str, ...] | None,
    found: list[tuple[str, int, str]],
    seed: str,
    drawing: Drawing,
    items: tuple[Item, ...],
) -> dict[str, Any]:
    origin, size, root = checkpoint.split("\n")[:3]
    indexes = [index for _, index, _ in found]
    numbers = accounts if accounts is not None else _one(wanted.account_id)
    return {
        "v": 1,
        "log": origin,
        "tree_size": int(size),
        "root": root,
        "method": "smallest SHA-256(seed, 0A, leaf hash)",
        "seed": seed,
        "drawn_by": "the vault" if drawing.seed is None else "the auditor",
        "n": drawing.n,
        "count": len(found),
        "first_index": min(indexes, default=None),
        "last_index": max(indexes, default=None),
        "filter": {
            "types": sorted(wanted.any_type) or None,
            "outcomes": sorted(wanted.any_outcome) or None,
            "accounts": None if numbers is None else sorted(numbers),
            "actors": _one(wanted.actor_id),
            "checkouts": _one(wanted.checkout_id),
            "reasons": _one(wanted.reason),
            "tickets": _one(wanted.ticket),
            "since": None if wanted.since is None else format_time(wanted.since),
            "until": None if wanted.until is None else format_time(wanted.until),
            "text": wanted.text or None,
        },
        "items": [
            {"index": item.entry.index, "leaf_hash": item.entry.leaf_hash, "rank": item.rank}
            for item in items
        ],
    }


def _one(value: str | None) -> list[str] | None:
    return None if value is None else [value]


def _written(told: dict[str, Any]) -> bytes:
    return json.dumps(told, indent=1, sort_keys=True, ensure_ascii=False).encode() + b"\n"
