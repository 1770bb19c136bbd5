"""Searches and pages of the trail over a growing log: the whole use case, with the entry that reading leaves.

An auditor reads everything (and that is an entry); an operator of one customer reads its accounts' entries. The search
index is fed as the worker feeds it, and timed.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.bench.measure import Aim, Result, Table, in_turns, ms
from tests.bench.scenery import account_id, build
from vault.adapters.db.paging import encode_cursor
from vault.cli.admin.jobs import index_all
from vault.domain.actor import Role
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from tests.bench.measure import Act
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

LONGEST: Final = 0.050
ACCOUNTS: Final = 1_000
LEAST: Final = 10_000


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database, with the log at several lengths."""
    rows: list[tuple[str | int | float, ...]] = []
    fed: list[tuple[str | int | float, ...]] = []
    aims: list[Aim] = []
    lengths = sorted({length for length in size.entries if length >= LEAST} | {size.log})
    for place in places:
        room = place.room("trail")
        stage = build(room.url(), room.directory, accounts=min(ACCOUNTS, size.log))
        slow: dict[str, float] = {}
        for length in lengths:
            stage.grow_to(length)
            before, began = stage.vault.indexing.indexed(), time.perf_counter()
            index_all(stage.vault)
            seconds, entries = time.perf_counter() - began, stage.vault.indexing.indexed()
            fed.append((place.name, entries, round(seconds, 1), round((entries - before) / seconds)))
            found = in_turns(_acts(stage), size.rounds, size.each)
            rows += [
                (place.name, length, name, ms(each.median), ms(each.p99)) for name, each in found.items()
            ]
            slow |= {f"{name} of {length:,}": each.p99 for name, each in found.items() if each.p99 > LONGEST}
        words = "; ".join(f"{name} {ms(seconds)} ms" for name, seconds in slow.items()) or "all of them"
        aims.append(Aim(f"{place.name}: 99 of 100 pages within {ms(LONGEST):.0f} ms", not slow, words))
        stage.vault.close()
    return Result(
        "trail",
        (
            Table("50 entries, newest first", ("database", "of", "which", "p50 ms", "p99 ms"), tuple(rows)),
            Table("the search index", ("database", "entries", "seconds", "entries a second"), tuple(fed)),
        ),
        tuple(aims),
    )


def _acts(stage: Stage) -> dict[str, Act]:
    auditor, operator = stage.actor(Role.AUDITOR), stage.actor(Role.OPERATOR, customer=True)
    trail, part = stage.vault.trail, Slice(50)
    second = trail.page(auditor, EntryFilter(), part).next
    month = datetime.now(UTC) - timedelta(days=180)

    def all_of(wanted: EntryFilter, slice_: Slice = part) -> Act:
        return lambda: trail.page(auditor, wanted, slice_)

    deep = Slice(50, encode_cursor((stage.log_size() // 3,)))
    person = f"00000000-0000-4000-8000-{7:012}"
    of_one = EntryFilter(account_id=account_id(7))
    return {
        "one entry, alone": lambda: trail.entry(auditor, 7),
        "the newest": all_of(EntryFilter()),
        "the second page": all_of(EntryFilter(), Slice(50, second)),
        "a page far down": all_of(EntryFilter(), deep),
        "of one account": all_of(of_one),
        "of one person": all_of(EntryFilter(actor_id=person)),
        "of one person and type": all_of(EntryFilter(actor_id=person, type="checkout.granted")),
        "of one type": all_of(EntryFilter(type="checkout.requested")),
        "of two types": all_of(EntryFilter(types=("checkout.requested", "checkout.returned"))),
        "of a type that never was": all_of(EntryFilter(type="checkout.revoked")),
        "of a type and an outcome that never met": all_of(
            EntryFilter(type="checkout.requested", outcome="failed")
        ),
        "of a day, half a year ago": all_of(EntryFilter(since=month, until=month + timedelta(days=1))),
        "of a type, before half a year ago": all_of(EntryFilter(until=month, type="stepup.passed")),
        "of a ticket": all_of(EntryFilter(ticket="T-1000")),
        "with words (frequent)": all_of(EntryFilter(text="closing invoice")),
        "with words (frequent), far down": all_of(EntryFilter(text="closing invoice"), deep),
        "with words (few)": all_of(EntryFilter(text="closing invoice 100")),
        "with words that are nowhere": all_of(EntryFilter(text="no such words")),
        "with a number that is much like others": all_of(EntryFilter(text="T-1001")),
        "with frequent words, of a type that has none": all_of(
            EntryFilter(text="closing invoice", type="secret.reveal.released")
        ),
        "with two letters that are nowhere": all_of(EntryFilter(text="zq")),
        "an operator's, of one customer": lambda: trail.page(operator, EntryFilter(), part),
        "an operator's, of one account": lambda: trail.page(operator, of_one, part),
        "an operator's, with words that are nowhere": lambda: trail.page(
            operator, EntryFilter(text="no such words"), part
        ),
    }
