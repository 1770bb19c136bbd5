"""One behaviour of a log's storage: in memory, in SQLite (a file, WAL) and in a real PostgreSQL."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import pytest
from sqlalchemy import Engine, event, inspect, text

from audit import merkle
from audit.entry import decode, format_time
from audit.errors import EntryRefused, LogRefused, ProofRefused, TileRefused
from audit.log import Log
from audit.note import Signer
from audit.receipt import open_checkpoint
from audit.storage import EMPTY, Filter, Storage
from audit.storage.memory import MemoryStorage
from audit.storage.sql import SqlStorage, ddl, drop_ddl, grants
from audit.tile import WIDTH, decode_entries, decode_hashes
from audit.verify import StorageSource, examine
from tests.contracts.audit_databases import DATABASES, disarm, forge, make_engine, make_tables
from tests.unit.audit.world import ACCOUNTS, BEGAN, LOG, ORIGIN, SIGNER, draft, fill

if TYPE_CHECKING:
    from pathlib import Path

Transaction: TypeAlias = Callable[[], AbstractContextManager[Storage]]


@pytest.fixture
def engine(empty_database_url: str) -> Iterator[Engine]:
    made = make_engine(empty_database_url)
    make_tables(made)
    yield made
    made.dispose()


@pytest.fixture(params=["memory", *DATABASES])
def transaction(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Transaction]:
    """Lend the beginning of a transaction, which commits at its end unless it failed."""
    if request.param == "memory":
        storage = MemoryStorage()
        yield lambda: contextlib.nullcontext(storage)
        return
    url = f"sqlite+pysqlite:///{tmp_path / 'log.db'}"
    if request.param == "postgresql":
        url = str(request.getfixturevalue("fresh_database"))
    made = make_engine(url)
    make_tables(made)

    @contextlib.contextmanager
    def begin() -> Iterator[Storage]:
        with made.begin() as connection:
            yield SqlStorage(connection)

    yield begin
    made.dispose()


class TestStorage:
    """What every storage does."""

    def test_a_new_log_is_empty(self, transaction: Transaction) -> None:
        with transaction() as storage:
            assert storage.head() == EMPTY
            assert storage.lock("100000000000") == (EMPTY, None)
            assert storage.head_and_leaf(0) == (EMPTY, None)
            assert list(storage.leaves(0, 10)) == []
            assert storage.page(Filter(), None, 10) == []
            assert storage.latest("100000000000", "password", ["log.opened"]) is None

    def test_a_receipt_names_the_place_and_the_signed_head(self, transaction: Transaction) -> None:
        with transaction() as storage:
            receipts = fill(storage, 9)
        with transaction() as storage:
            for index, receipt in enumerate(receipts):
                checkpoint = open_checkpoint(receipt.checkpoint, ORIGIN, SIGNER.verifier)
                leaf = LOG.check_current(storage, index)
                assert (index, index + 1) == (receipt.index, checkpoint.size)
                assert merkle.leaf_hash(leaf) == receipt.leaf_hash
            assert LOG.checkpoint(storage) == receipts[-1].checkpoint

    def test_every_proof_of_a_grown_log_checks(self, transaction: Transaction) -> None:
        with transaction() as storage:
            receipts = fill(storage, 21)
        roots = {
            size: open_checkpoint(receipt.checkpoint, ORIGIN, SIGNER.verifier).root
            for size, receipt in enumerate(receipts, 1)
        }
        with transaction() as storage:
            for index, receipt in enumerate(receipts):
                for size in range(index + 1, 22):
                    proof = LOG.prove_inclusion(storage, index, size)
                    merkle.check_inclusion(index, size, receipt.leaf_hash, proof, roots[size])
            for old in range(1, 22):
                proof = LOG.prove_consistency(storage, old)
                merkle.check_consistency(old, 21, proof, roots[old], roots[21])

    def test_what_the_log_does_not_have_is_not_proven(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, 3)
            for index, size in ((3, None), (0, 4), (-1, 3)):
                with pytest.raises(ProofRefused, match=r"proof\.range"):
                    LOG.prove_inclusion(storage, index, size)
            for old, new in ((1, 4), (0, 3), (3, 2)):
                with pytest.raises(ProofRefused, match=r"proof\.range"):
                    LOG.prove_consistency(storage, old, new)
            with pytest.raises(LogRefused, match=r"log\.missing"):
                LOG.check_current(storage, 3)
            with pytest.raises(LogRefused, match=r"log\.missing"):
                storage.nodes([merkle.Coordinate(0, 3)])

    def test_tiles_are_those_of_the_tree(self, transaction: Transaction) -> None:
        with transaction() as storage:
            receipts = fill(storage, WIDTH + 2)
            hashes = [receipt.leaf_hash for receipt in receipts]
            assert decode_hashes(LOG.tile(storage, "tile/0/000")) == hashes[:WIDTH]
            assert decode_hashes(LOG.tile(storage, "tile/0/001.p/2")) == hashes[WIDTH:]
            assert decode_hashes(LOG.tile(storage, "tile/0/001.p/1")) == hashes[WIDTH : WIDTH + 1]
            top = open_checkpoint(receipts[WIDTH - 1].checkpoint, ORIGIN, SIGNER.verifier).root
            assert LOG.tile(storage, "tile/1/000.p/1") == top
            leaves = decode_entries(LOG.tile(storage, "tile/entries/001.p/2"))
            assert [merkle.leaf_hash(leaf) for leaf in leaves] == hashes[WIDTH:]
            for absent in (
                "tile/0/001",
                "tile/0/001.p/3",
                "tile/1/000",
                "tile/1/000.p/2",
                "tile/entries/002.p/1",
            ):
                with pytest.raises(TileRefused, match=r"tile\.absent"):
                    LOG.tile(storage, absent)

    def test_each_account_has_its_own_chain(self, transaction: Transaction) -> None:
        with transaction() as storage:
            receipts = fill(storage, 12)
            tails: dict[str, tuple[int, str]] = {}
            for stored in storage.leaves(0, 12):
                account = decode(stored.leaf).get("account")
                if isinstance(account, dict):
                    seq, prev = tails.get(str(account["id"]), (-1, None))
                    assert (account["seq"], account.get("prev")) == (seq + 1, prev)
                    tails[str(account["id"])] = seq + 1, receipts[stored.seq].leaf_hash.hex()
        assert set(tails) == {account for account in ACCOUNTS if account}
        assert {seq for seq, _ in tails.values()} == {2, 3}

    def test_a_refused_draft_leaves_nothing(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, 2)
        with transaction() as storage, pytest.raises(EntryRefused, match=r"entry\.reason_too_long"):
            LOG.append(storage, draft(text="x" * 2001))
        with transaction() as storage:
            assert storage.head().size == 2
            assert len(list(storage.leaves(0, 9))) == 2

    def test_a_log_begins_with_its_opening_and_has_only_one(self, transaction: Transaction) -> None:
        with transaction() as storage:
            with pytest.raises(LogRefused, match=r"log\.opened"):
                LOG.append(storage, draft())
            fill(storage, 1)
            with pytest.raises(LogRefused, match=r"log\.opened"):
                LOG.append(storage, draft("log.opened"))

    def test_another_log_or_key_does_not_continue_this_one(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, 2)
            other = Signer.from_seed("other.example/log", bytes(32))
            with pytest.raises(LogRefused, match=r"log\.origin"):
                Log(other.name, other).append(storage, draft())
            namesake = Signer.from_seed(ORIGIN, bytes(32))
            with pytest.raises(LogRefused, match=r"log\.signature"):
                Log(ORIGIN, namesake).append(storage, draft())
            with pytest.raises(LogRefused, match=r"log\.signature"):
                Log(ORIGIN, namesake).check_current(storage, 0)

    def test_the_latest_entry_about_a_secret_is_found(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, 1)
            for event_type, account, kind in (
                ("secret.promoted", "100000000000", "password"),
                ("secret.promoted", "100000000000", "password"),
                ("secret.promoted", "100000000000", "totp"),
                ("rotation.accepted", "100000000000", "password"),
                ("secret.promoted", "200000000000", "password"),
                ("secret.promoted", None, "password"),
            ):
                LOG.append(storage, draft(event_type, account, kind=kind))

            def latest(account: str, kind: str, *types: str) -> int | None:
                found = storage.latest(account, kind, types)
                return None if found is None else found.seq

            assert latest("100000000000", "password", "secret.promoted") == 2
            assert latest("100000000000", "totp", "secret.promoted") == 3
            assert latest("100000000000", "password", "secret.promoted", "rotation.accepted") == 4
            assert latest("200000000000", "password", "secret.promoted") == 5
            assert latest("200000000000", "totp", "secret.promoted") is None
            assert latest("100000000000", "password", "secret.shredded") is None

    def test_pages_go_from_the_newest_to_the_oldest_without_gap(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, 23)
            seen: list[int] = []
            while page := storage.page(Filter(), seen[-1] if seen else None, 5):
                assert all(json.loads(stored.leaf)["seq"] == stored.seq for stored in page)
                seen += [stored.seq for stored in page]
            assert seen == list(range(22, -1, -1))

    def test_each_filter_chooses_what_it_says_and_all_together_too(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, 1)
            made = [
                draft("checkout.requested", "100000000000", actor="ada", checkout="c1"),
                draft("checkout.granted", "100000000000", actor="ben", checkout="c1"),
                draft("checkout.requested", "200000000000", actor="ada", checkout="c2"),
                draft("checkout.requested", None, actor="ben"),
            ]
            for each in made:
                LOG.append(storage, each)
            times = [json.loads(stored.leaf)["time"] for stored in storage.leaves(0, 5)]

            def chosen(**wanted: str) -> list[int]:
                return [stored.seq for stored in storage.page(Filter(**wanted), None, 50)]

            assert chosen(account_id="100000000000") == [2, 1]
            assert chosen(actor_id="ada") == [3, 1]
            assert chosen(event_type="checkout.requested") == [4, 3, 1]
            assert chosen(checkout_id="c1") == [2, 1]
            assert chosen(outcome="denied") == []
            assert chosen(since=times[3]) == [4, 3]
            assert chosen(until=times[3]) == [2, 1, 0]
            assert chosen(actor_id="ada", checkout_id="c1", since=times[1], until=times[2]) == [1]

    def test_a_window_of_time_is_exact_though_times_are_not_in_order(self, transaction: Transaction) -> None:
        chance = random.Random(3)
        offsets = [minutes * 60 + chance.randrange(-1500, 1500) for minutes in range(0, 600, 20)]
        times = [BEGAN] + [BEGAN + timedelta(days=1, seconds=offset) for offset in offsets]
        with transaction() as storage:
            for index, time in enumerate(times):
                made = draft("log.opened" if index == 0 else "checkout.requested")
                LOG.append(storage, dataclasses.replace(made, time=time))
            for since, until in itertools.product(times[::3], times[1::3]):
                chosen = Filter(since=format_time(since), until=format_time(until))
                expected = [index for index, time in enumerate(times) if since <= time < until]
                assert [stored.seq for stored in storage.page(chosen, None, 99)] == expected[::-1]
            whole = Filter(since="0001-01-01T00:00:00.000000Z", until="9999-12-31T23:59:59.999999Z")
            assert len(storage.page(whole, None, 99)) == len(times)

    def test_a_sound_log_is_found_sound_where_it_is(self, transaction: Transaction) -> None:
        with transaction() as storage:
            fill(storage, WIDTH + 5)
        with transaction() as storage:
            report = examine(StorageSource(storage), SIGNER.verifier)
        assert report.findings == ()
        assert report.examined == WIDTH + 5


class TestSqlStorage:
    """What is promised of the databases alone."""

    def statements(self, engine: Engine) -> list[str]:
        seen: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *arguments: seen.append(arguments[2]))
        return seen

    def test_an_append_is_three_statements_and_a_current_check_two(self, engine: Engine) -> None:
        with engine.begin() as connection:
            fill(SqlStorage(connection), 70)
        seen = self.statements(engine)
        with engine.begin() as connection:
            storage = SqlStorage(connection)
            seen.clear()
            LOG.append(storage, draft(account="100000000000"))
            assert [statement.split()[0] for statement in seen] == ["SELECT", "INSERT", "UPDATE"]
            seen.clear()
            LOG.check_current(storage, 33)
            assert [statement.split()[0] for statement in seen] == ["SELECT", "SELECT"]

    def test_what_the_caller_rolls_back_never_was(self, engine: Engine) -> None:
        with engine.begin() as connection:
            fill(SqlStorage(connection), 3)
        with engine.connect() as connection:
            fill(SqlStorage(connection), 5)
            connection.rollback()
        with engine.begin() as connection:
            assert SqlStorage(connection).size() == 3
            assert SqlStorage(connection).entry(3) is None
            assert LOG.append(SqlStorage(connection), draft()).index == 3

    def test_eight_writers_leave_no_gap_and_no_fork(self, engine: Engine) -> None:
        writers, each = 8, 12
        with engine.begin() as connection:
            fill(SqlStorage(connection), 1)
        start = threading.Barrier(writers)
        failures: list[Exception] = []
        indexes: list[int] = []

        def write(number: int) -> None:
            start.wait()
            try:
                for turn in range(each):
                    with engine.begin() as connection:
                        account = ACCOUNTS[(number + turn) % len(ACCOUNTS)]
                        indexes.append(LOG.append(SqlStorage(connection), draft(account=account)).index)
            except Exception as error:  # noqa: BLE001 - whatever it is, the test has to tell of it
                failures.append(error)

        threads = [threading.Thread(target=write, args=[number]) for number in range(writers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert sorted(indexes) == list(range(1, 1 + writers * each))
        with engine.begin() as connection:
            report = examine(StorageSource(SqlStorage(connection)), SIGNER.verifier)
        assert report.findings == ()
        assert report.examined == 1 + writers * each

    def test_a_rewritten_past_is_not_signed_by_the_next_append(self, engine: Engine) -> None:
        with engine.begin() as connection:
            fill(SqlStorage(connection), 6)
            for statement in disarm(engine.dialect.name):
                connection.exec_driver_sql(statement)
            forge(connection, 6, lambda index, leaf: leaf.replace(b"Ada", b"Eve") if index == 2 else leaf)
            with pytest.raises(LogRefused, match=r"log\.frontier"):
                LOG.append(SqlStorage(connection), draft())

    def test_what_was_made_can_be_removed(self, engine: Engine) -> None:
        with engine.begin() as connection:
            for statement in drop_ddl(engine.dialect.name):
                connection.exec_driver_sql(statement)
        assert inspect(engine).get_table_names() == []
        make_tables(engine)
        assert sorted(inspect(engine).get_table_names()) == ["audit_entry", "audit_head"]

    @pytest.mark.parametrize("dialect", DATABASES)
    def test_no_driver_or_migration_sees_parameters_in_the_statements(self, dialect: str) -> None:
        for statement in [*ddl(dialect), *drop_ddl(dialect), *grants("app")]:
            assert text(statement).compile().params == {}
            assert "%" not in statement

    def test_other_databases_are_refused(self) -> None:
        with pytest.raises(LogRefused, match=r"log\.dialect"):
            ddl("mysql")
        with pytest.raises(LogRefused, match=r"log\.dialect"):
            drop_ddl("mysql")
