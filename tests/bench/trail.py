"""Pages of the trail over a long log: the whole use case, with the entry that reading the log leaves.

An auditor reads everything (and that is an entry); an operator of one customer reads its accounts' entries.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from tests.bench.measure import Aim, Result, Table, in_turns, ms
from tests.bench.scenery import account_id, build
from vault.domain.actor import Role
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from tests.bench.measure import Act
    from tests.bench.places import Place, Size
    from tests.bench.scenery import Stage

LONGEST: Final = 0.050
ACCOUNTS: Final = 1_000


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database."""
    rows: list[tuple[str | int | float, ...]] = []
    aims: list[Aim] = []
    for place in places:
        room = place.room("trail")
        stage = build(room.url(), room.directory, accounts=min(ACCOUNTS, size.log))
        stage.grow_to(size.log)
        found = in_turns(_acts(stage), size.rounds, size.each)
        rows += [(place.name, name, ms(each.median), ms(each.p99)) for name, each in found.items()]
        slow = {name: each.p99 for name, each in found.items() if each.p99 > LONGEST}
        words = "; ".join(f"{name} {ms(seconds)} ms" for name, seconds in slow.items()) or "all of them"
        aims.append(Aim(f"{place.name}: 99 of 100 pages within {ms(LONGEST):.0f} ms", not slow, words))
        stage.vault.close()
    title = f"50 entries, newest first, of {size.log:,}"
    return Result(
        "trail", (Table(title, ("database", "which", "p50 ms", "p99 ms"), tuple(rows)),), tuple(aims)
    )


def _acts(stage: Stage) -> dict[str, Act]:
    auditor, operator = stage.actor(Role.AUDITOR), stage.actor(Role.OPERATOR, customer=True)
    trail, part = stage.vault.trail, Slice(50)
    second = trail.page(auditor, EntryFilter(), part).next
    month = datetime.now(UTC) - timedelta(days=180)

    def all_of(wanted: EntryFilter, slice_: Slice = part) -> Act:
        return lambda: trail.page(auditor, wanted, slice_)

    return {
        "one entry, alone": lambda: trail.entry(auditor, 7),
        "the newest": all_of(EntryFilter()),
        "the second page (no entry)": all_of(EntryFilter(), Slice(50, second)),
        "of one account": all_of(EntryFilter(account_id=account_id(7))),
        "of one person": all_of(EntryFilter(actor_id=f"00000000-0000-4000-8000-{7:012}")),
        "of one type": all_of(EntryFilter(type="checkout.requested")),
        "of a type that never was": all_of(EntryFilter(type="checkout.revoked")),
        "of an outcome that never was": all_of(EntryFilter(outcome="failed")),
        "of a day, half a year ago": all_of(EntryFilter(since=month, until=month + timedelta(days=1))),
        "with a word (frequent)": all_of(EntryFilter(text="closing invoice")),
        "with a word (once)": all_of(EntryFilter(text="closing invoice 3 ")),
        "an operator's, of one customer": lambda: trail.page(operator, EntryFilter(), part),
        "an operator's, of one account": lambda: trail.page(
            operator, EntryFilter(account_id=account_id(7)), part
        ),
    }
