"""The search index: it finds what looking through the whole log finds, is bounded, and is never believed."""

from __future__ import annotations

import json
import random
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import text

from audit.entry import Draft
from tests.bench.grower import grow
from tests.contracts.log_lines import ALL, noted, write
from tests.support.builders import HOUR, NOW, NUMBER, open_log, stand, units_for
from tests.support.tables import make_tables
from vault.adapters.db.stores import search
from vault.adapters.db.stores.words import PART, encode, gram_of, grams, made_of, mask
from vault.domain.actor import Reach
from vault.domain.ids import new_id
from vault.ports.records import EntryFilter, Slice
from vault.services.indexing import Indexing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.postgres import PostgresServer
    from vault.adapters.db import SqlUnits

OTHER = "222233334444"
ENTRIES = 2 * PART + 700
TYPES = ("checkout.requested", "checkout.granted", "secret.reveal.released", "session.opened")
PEOPLE = ("olga", "pat", "uma")


def drafts(count: int) -> Iterator[Draft]:
    """Draft entries whose every kind of value is rare somewhere and frequent elsewhere."""
    chance = random.Random(7)
    for number in range(count):
        kind = chance.choice(TYPES)
        who = chance.choices(PEOPLE, (70, 29, 1))[0]
        account = None if kind == "session.opened" else chance.choices((NUMBER, OTHER), (95, 5))[0]
        yield Draft(
            id=new_id(),
            time=NOW + timedelta(seconds=10 * number) + chance.choice((timedelta(), -2 * HOUR)),
            type=kind,
            outcome=chance.choices(("success", "denied", "failed"), (90, 9, 1))[0],
            actor={"id": who, "kind": "person", "name": f"Ünï {who}", "role": "operator", "mfa": "totp"},
            account=account,
            checkout=f"c-{number // 50}" if account else None,
            reason={"code": chance.choice(("BILL", "OTHER")), "text": f"invoice {number}", "ticket": f"T-{number}"}
            if kind == "checkout.requested"
            else None,
            req="-",
            app={"version": "1", "host": "h" if number % 100 else "h#"},
        )  # fmt: skip


def make_indexed(url: str, directory: Path) -> None:
    """Make a log of two indexed parts and a tail."""
    units = units_for(url, directory)
    open_log(units)
    with units.write() as unit:
        stand(unit)
        stand(unit, OTHER)
        unit.commit()
    assert units.mark is not None
    grow(units.engine, units.log, units.mark, drafts(ENTRIES))
    index = Indexing(units)
    assert [index.once(), index.once(), index.once()] == [True, True, False]
    assert index.indexed() == 2 * PART
    units.engine.dispose()


@pytest.fixture(scope="module")
def indexed_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one in a directory, for copies."""
    directory = tmp_path_factory.mktemp("indexed") / "made"
    directory.mkdir()
    url = f"sqlite+pysqlite:///{directory / 'vault.db'}"
    make_tables(url)
    make_indexed(url, directory)
    return directory


@pytest.fixture(scope="module")
def indexed_postgresql(
    postgres_server: PostgresServer, postgres_template: str, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Make one in a PostgreSQL database, for copies; give its name."""
    directory = tmp_path_factory.mktemp("indexed") / "made"
    directory.mkdir()
    name = postgres_server.create_database(postgres_template)
    make_indexed(postgres_server.url(name), directory)
    return name, directory


@pytest.fixture(params=["sqlite", "postgresql"])
def indexed(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlUnits]:
    """Lend a log of two indexed parts and a tail."""
    directory = tmp_path / "copy"
    with ExitStack() as stack:
        if request.param == "sqlite":
            shutil.copytree(request.getfixturevalue("indexed_sqlite"), directory)
            url = f"sqlite+pysqlite:///{directory / 'vault.db'}"
        else:
            template, source = request.getfixturevalue("indexed_postgresql")
            shutil.copytree(source, directory)
            server: PostgresServer = request.getfixturevalue("postgres_server")
            url = stack.enter_context(server.database(template))
        units = units_for(url, directory)
        stack.callback(units.engine.dispose)
        yield units


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as it is read by hand: its content, and every text and number in it, in small letters."""

    content: dict[str, Any]
    words: str


def lines(units: SqlUnits) -> list[Line]:
    """Read the whole log."""

    def told(value: object) -> Iterator[str]:
        if isinstance(value, dict | list):
            for inner in value.values() if isinstance(value, dict) else value:
                yield from told(inner)
        elif not isinstance(value, bool):
            yield str(value).lower()

    with units.engine.connect() as connection:
        rows = connection.execute(text("SELECT leaf FROM audit_entry ORDER BY seq")).scalars()
        contents = [json.loads(leaf) for leaf in rows]
    return [Line(content, "\0".join(told(content))) for content in contents]


def by_hand(line: Line, wanted: EntryFilter, reach: Reach) -> bool:
    """Say whether an entry is meant, without any index or statement."""
    content = line.content
    account, reason = content.get("account", {}).get("id"), content.get("reason", {})
    types = {*wanted.types, *([wanted.type] if wanted.type else [])}
    outcomes = {*wanted.outcomes, *([wanted.outcome] if wanted.outcome else [])}
    time = content["time"]
    return (
        (reach.everything or account in reach.accounts)
        and (not wanted.of_accounts or account is not None)
        and wanted.account_id in {None, account}
        and wanted.actor_id in {None, content["actor"]["id"]}
        and wanted.checkout_id in {None, content.get("checkout")}
        and wanted.reason in {None, reason.get("code")}
        and wanted.ticket in {None, reason.get("ticket")}
        and (not types or content["type"] in types)
        and (not outcomes or content["outcome"] in outcomes)
        and (wanted.since is None or time >= f"{wanted.since:%Y-%m-%dT%H:%M:%S}.000000Z")
        and (wanted.until is None or time < f"{wanted.until:%Y-%m-%dT%H:%M:%S}.000000Z")
        and (wanted.text is None or wanted.text.lower() in line.words)
    )


def all_found(units: SqlUnits, wanted: EntryFilter, reach: Reach = ALL) -> list[int]:
    """Follow a search to its end, page after page."""
    found: list[int] = []
    cursor = None
    for _ in range(10_000):
        with units.read() as unit:
            page = unit.log.search(wanted, reach, Slice(500, cursor))
        assert page.reached is None or page.next is not None
        found += [entry.index for entry in page.items]
        if page.next is None:
            return found
        cursor = page.next
    raise AssertionError("a search without end")


FACETS: tuple[dict[str, Any], ...] = (
    {},
    {"type": "checkout.requested"},
    {"types": ("checkout.granted", "session.opened")},
    {"types": ("never",)},
)
OUTCOMES: tuple[dict[str, Any], ...] = ({}, {"outcome": "failed"}, {"outcomes": ("denied", "failed")})
WHO: tuple[dict[str, Any], ...] = (
    {},
    {"actor_id": "uma"},
    {"account_id": OTHER, "of_accounts": True},
    {"of_accounts": True},
)
WORDS: tuple[dict[str, Any], ...] = (
    {},
    {"text": "invoice 12"},
    {"text": "ÜNÏ PAT"},
    {"text": "T-4097"},
    {"text": "12"},
    {"text": "nowhere"},
    {"ticket": "T-8191"},
    {"reason": "BILL", "since": NOW + 10 * HOUR, "until": NOW + 11 * HOUR},
)


def test_a_search_finds_what_looking_through_all_finds(indexed: SqlUnits) -> None:
    everything = lines(indexed)
    tried = 0
    for facet, outcome, who, words in product(FACETS, OUTCOMES, WHO, WORDS):
        if sum(map(bool, (facet, outcome, who, words))) > 2:
            continue
        wanted = replace(EntryFilter(), **facet, **outcome, **who, **words)
        for reach in (ALL, Reach(accounts=frozenset({OTHER}))) if words else (ALL,):
            expected = [n for n, line in enumerate(everything) if by_hand(line, wanted, reach)]
            assert all_found(indexed, wanted, reach) == expected[::-1], (wanted, reach)
            tried += 1
    assert tried > 60


def test_pages_do_not_overlap_and_leave_nothing_out(indexed: SqlUnits) -> None:
    wanted = EntryFilter(text="invoice", types=("checkout.requested",))
    whole = all_found(indexed, wanted)
    pieces: list[int] = []
    cursor = None
    while True:
        with indexed.read() as unit:
            page = unit.log.search(wanted, ALL, Slice(37, cursor))
        pieces += [entry.index for entry in page.items]
        if page.next is None:
            break
        cursor = page.next
    assert pieces == whole
    assert len(whole) > 1_000


def test_a_search_that_costs_too_much_stops_and_goes_on(
    indexed: SqlUnits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "BUDGET", 2 * search.WINDOW)
    wanted = EntryFilter(text="h#")
    with indexed.read() as unit:
        first = unit.log.search(wanted, ALL, Slice(500))
        whole = unit.log.page(wanted, ALL, Slice(500))
    assert first.reached is not None
    assert 0 < len(first.items) < len(whole.items)
    assert (whole.reached, whole.next is None) == (None, True)
    assert all_found(indexed, wanted) == [entry.index for entry in whole.items]


def test_what_the_index_hides_is_found_by_making_it_again(indexed: SqlUnits) -> None:
    index = Indexing(indexed)
    hidden = next(
        line.content["reason"]["text"] for line in lines(indexed)[PART + 100 :] if "reason" in line.content
    )
    wanted = EntryFilter(text=hidden)
    found = all_found(indexed, wanted)
    assert found
    assert index.differing() == ()
    with indexed.engine.begin() as connection:
        gone = {"term": gram_of(hidden[-3:])}
        connection.execute(text("DELETE FROM audit_words WHERE part = 1 AND term = :term"), gone)
    assert all_found(indexed, wanted) == []
    assert index.differing() == (1,)
    told: list[int] = []
    assert index.anew(told.append) == 2 * PART
    assert told == [PART, 2 * PART]
    assert index.differing() == ()
    assert all_found(indexed, wanted) == found
    with indexed.engine.begin() as connection:
        connection.execute(text("UPDATE audit_words_part SET last_at = first_at WHERE part = 0"))
    assert index.differing() == (0,)


def test_an_index_that_names_too_much_shows_nothing_more(indexed: SqlUnits) -> None:
    every = b"\xff" * (PART // 8)
    with indexed.engine.begin() as connection:
        connection.execute(text("UPDATE audit_words SET entries = :every"), {"every": every})
    everything = lines(indexed)
    for wanted in (
        EntryFilter(text="invoice 4200"),
        EntryFilter(type="checkout.requested", outcome="failed"),
        EntryFilter(ticket="T-17"),
    ):
        expected = [n for n, line in enumerate(everything) if by_hand(line, wanted, ALL)]
        assert all_found(indexed, wanted) == expected[::-1]


def test_two_workers_index_a_part_once(indexed: SqlUnits) -> None:
    assert indexed.mark is not None
    grow(indexed.engine, indexed.log, indexed.mark, drafts(PART))
    with indexed.read() as unit:
        mine, theirs = unit.words.due(), unit.words.due()
    assert mine is not None
    assert theirs is not None
    with indexed.write() as unit:
        assert unit.words.add(mine)
        unit.commit()
    with indexed.write() as unit:
        assert not unit.words.add(theirs)
    assert Indexing(indexed).differing() == ()


def test_a_young_log_is_searched_without_index(units: SqlUnits) -> None:
    write(units, noted(account_id=NUMBER, checkout_id="c1"), noted(detail={"note": "a NEEDLE here"}))
    assert not Indexing(units).once()
    assert all_found(units, EntryFilter(text="needle")) == [2]
    assert all_found(units, EntryFilter(text="needle"), Reach()) == []


@pytest.mark.parametrize("count", [0, 1, 127, 128, 129, 4095, 4096])
def test_a_set_of_places_is_read_as_it_was_written(count: int) -> None:
    places = sorted(random.Random(count).sample(range(PART), count))
    read = mask(encode(places))
    assert [place for place in range(PART) if read >> place & 1] == places
    assert len(encode(places)) <= PART // 8


def test_a_leaf_that_cannot_be_read_has_no_terms() -> None:
    made = made_of(0, [(0, b"\xff{"), (1, b"[1]"), (2, b'{"type":"a.b","outcome":"c","x":"abc"}')])
    assert mask(made.entries[gram_of("abc")]) == 0b100
    assert grams("aBcD", 8) == [gram_of("abc"), gram_of("bcd")]
    assert len(grams("x" * 40 + "abcdefgh" * 9, 8)) <= 8
