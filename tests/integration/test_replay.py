"""Replay finds and names every change of a row that no entry tells of (S3), on both databases."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from audit.progress import silent
from tests.support.attacker import disarm
from tests.support.replay import replayed
from tests.support.whole import BARE, FIRST, SECOND, Whole, tell
from tests.support.world import World, make_world
from vault.adapters.db import SqlUnits
from vault.adapters.db.unit_of_work import SqlUnit
from vault.services.replay import Replay, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.support.postgres import PostgresServer

TAMPERING = {
    "an account's custody": ("UPDATE account SET custody = 'closed' WHERE id = :first", "account"),
    "whose an account is": (
        (
            "INSERT INTO customer SELECT 'planted', '77', name, public_sector, aws_india, session_idle_seconds,"
            " session_max_seconds, created_at, folded, split_custody FROM customer;"
            " UPDATE account SET customer_id = 'planted'"
            " WHERE id = :first"
        ),
        "account.customer",
    ),
    "an account's name": ("UPDATE account SET name = 'another' WHERE id = :first", "account.name"),
    "who has the mailbox": ("UPDATE account SET mailbox = 'customer' WHERE id = :second", "account.mailbox"),
    "a used e-mail": (
        "INSERT INTO root_email VALUES ('planted@example.com', :second)",
        "root_email",
    ),
    "a customer's limit": ("UPDATE customer SET session_max_seconds = NULL", "customer.session_max_seconds"),
    "a part's state": (
        "UPDATE part SET state = 'lost' WHERE account_id = :first AND kind = 'mfa'",
        "part",
    ),
    "a part of an account without": (
        "UPDATE part SET state = 'held' WHERE account_id = :bare AND kind = 'mfa'",
        "part",
    ),
    "a version's label": (
        "UPDATE version SET label = 'previous' WHERE account_id = :first AND kind = 'password' AND number = 2",
        "version",
    ),
    "a version's hash": (
        (
            "UPDATE version SET sha256 = (SELECT v.sha256 FROM version v WHERE v.account_id = :second AND v.number = 1"
            " AND v.kind = 'mfa') WHERE account_id = :first AND kind = 'mfa' AND number = 1"
        ),
        "version.sha256",
    ),
    "what is sealed": (
        (
            "UPDATE version SET body = (SELECT v.body FROM version v WHERE v.account_id = :second AND v.number = 1"
            " AND v.kind = 'mfa') WHERE account_id = :first AND kind = 'mfa' AND number = 1"
        ),
        "version.body",
    ),
    "that a password was seen": (
        "UPDATE version SET disclosed_at = NULL WHERE account_id = :first AND number = 1 AND kind = 'password'",
        "version.disclosed_at",
    ),
    "that a password is weak": (
        "UPDATE version SET weak = NOT weak WHERE account_id = :second AND number = 1 AND kind = 'password'",
        "version.weak",
    ),
    "a version removed": (
        (
            "DELETE FROM rotation WHERE account_id = :first AND version = 2 AND kind = 'password';"
            " DELETE FROM version WHERE account_id = :first AND kind = 'password' AND number = 2"
        ),
        "version",
    ),
    "a lease's end": (
        "UPDATE checkout SET expires_at = decide_by WHERE state = 'active'",
        "checkout.ends",
    ),
    "a checkout's state": (
        "UPDATE checkout SET state = 'expired' WHERE state = 'active'",
        "checkout",
    ),
    "who asked": (
        (
            "UPDATE checkout SET requester_id = (SELECT id FROM person WHERE email = 'ada@msp.example')"
            " WHERE state = 'active'"
        ),
        "checkout.content",
    ),
    "what was asked for": (
        "UPDATE checkout SET justification = 'something else altogether' WHERE state = 'active'",
        "checkout.content",
    ),
    "how often something was shown": ("UPDATE checkout SET reveals = 0", "checkout.reveals"),
    "how many have to agree": (
        "UPDATE checkout SET approvals_needed = 0 WHERE state = 'pending_approval'",
        "checkout.approvals_needed",
    ),
    "an approval that nobody gave": (
        (
            "INSERT INTO approval SELECT 'planted', (SELECT id FROM checkout WHERE state = 'pending_approval'),"
            " approver_id, approver_name, decision, comment, seconds, content_hash, decided_at FROM approval"
        ),
        "approval",
    ),
    "who approved": (
        "UPDATE approval SET approver_id = (SELECT id FROM person WHERE email = 'ada@msp.example')",
        "approval.of",
    ),
    "a disclosure's outcome": ("UPDATE reveal SET state = 'failed' WHERE kind = 'mfa'", "reveal"),
    "who saw a value": (
        "UPDATE reveal SET person_id = (SELECT id FROM person WHERE email = 'ada@msp.example')",
        "reveal.of",
    ),
    "a disclosure removed": ("DELETE FROM reveal WHERE kind = 'mfa'", "reveal"),
    "a rotation's state": (
        "UPDATE rotation SET state = 'accepted', verified_at = NULL, evidence = NULL WHERE state = 'verified'",
        "rotation",
    ),
    "who displayed a value": (
        "UPDATE rotation SET displayed_by = 'somebody' WHERE displayed_by IS NOT NULL",
        "rotation.displayed_by",
    ),
    "a person shut out": (
        "UPDATE person SET state = 'active' WHERE email = 'gone@msp.example'",
        "person",
    ),
    "a person's e-mail": (
        "UPDATE person SET email = 'x@msp.example' WHERE email = 'olga@msp.example'",
        "person.email",
    ),
    "an enrolment link": (
        "UPDATE person SET enrolment_hash = '00' WHERE email = 'later@msp.example'",
        "person.link",
    ),
    "a link that has ended": (
        (
            "UPDATE person SET enrolment_until = (SELECT max(expires_at) FROM api_token)"
            " WHERE email = 'later@msp.example'"
        ),
        "person.link_until",
    ),
    "a role that nobody gave": (
        (
            "INSERT INTO role_grant SELECT 'planted', person_id, 'admin', scope_kind, scope_target, proposed_by,"
            " proposed_at, confirmed_by, effective_at, removed_at, ends_at FROM role_grant WHERE role = 'operator'"
        ),
        "grant",
    ),
    "a role taken away": (
        "UPDATE role_grant SET removed_at = NULL WHERE role = 'csm'",
        "grant",
    ),
    "a role not agreed to": (
        (
            "UPDATE role_grant SET confirmed_by = 'x', effective_at = proposed_at WHERE confirmed_by IS NULL"
            " AND removed_at IS NULL"
        ),
        "grant",
    ),
    "how far a role reaches": (
        "UPDATE role_grant SET scope_kind = 'account', scope_target = :first WHERE role = 'approver'",
        "grant.of",
    ),
    "when a role ends": (
        "UPDATE role_grant SET ends_at = (SELECT max(expires_at) FROM api_token) WHERE role = 'approver'",
        "grant.ends_at",
    ),
    "a session that nobody opened": (
        (
            "INSERT INTO browser_session SELECT 'planted', 'a hash', person_id, created_at, seen_at, ip, agent, mfa,"
            " NULL, issuer, withheld FROM browser_session WHERE ended_at IS NULL LIMIT 1"
        ),
        "session",
    ),
    "a session ended": (
        "UPDATE browser_session SET ended_at = NULL WHERE ended_at IS NOT NULL",
        "session",
    ),
    "whose a session is": (
        (
            "UPDATE browser_session SET person_id = (SELECT id FROM person WHERE email = 'gone@msp.example')"
            " WHERE ended_at IS NULL"
        ),
        "session.person",
    ),
    "a passkey removed": ("UPDATE passkey SET removed_at = NULL WHERE name = 'phone'", "passkey"),
    "a passkey's key": (
        (
            "UPDATE passkey SET public_key = (SELECT o.public_key FROM passkey o WHERE o.name = 'phone')"
            " WHERE name = 'laptop'"
        ),
        "passkey.key",
    ),
    "whose a passkey is": (
        "UPDATE passkey SET person_id = (SELECT id FROM person WHERE email = 'ada@msp.example') WHERE name = 'laptop'",
        "passkey.person",
    ),
    "a token revoked": ("UPDATE api_token SET revoked_at = NULL WHERE name = 'old'", "token"),
    "what a token may": (
        "UPDATE api_token SET permissions = permissions || ' log.export' WHERE name = 'inventory'",
        "token.permissions",
    ),
    "a token's end": (
        (
            "UPDATE api_token SET expires_at = (SELECT max(created_at) FROM api_token WHERE name <> 'scripts')"
            " WHERE name = 'scripts'"
        ),
        "token.until",
    ),
    "whose a token is": ("UPDATE api_token SET person_id = NULL WHERE name = 'scripts'", "token.person"),
}


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def told(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[World, Whole]]:
    """Tell the whole story once on each kind of database."""
    directory: Path = tmp_path_factory.mktemp("told")
    if request.param == "sqlite":
        world = make_world(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
        yield world, tell(world)
        world.close()
        return
    server: PostgresServer = request.getfixturevalue("postgres_server")
    with server.database() as url:
        world = make_world(url, directory)
        yield world, tell(world)
        world.close()


def test_the_whole_story_is_in_the_log(told: tuple[World, Whole]) -> None:
    world, _ = told
    outcome = replayed(world.vault.units.engine)  # type: ignore[attr-defined]  # the SQL units
    assert list(lines_of(outcome)) == []
    with world.vault.units.read() as unit:
        assert outcome.entries == unit.ranges.size()
    assert outcome.things > 60


@dataclass(frozen=True, slots=True)
class Inside:
    """Units whose one transaction is that of an attacker, so that nothing of what they did stays."""

    units: SqlUnits
    connection: Connection

    @contextmanager
    def read(self) -> Iterator[SqlUnit]:
        """Lend a unit in it."""
        yield SqlUnit(self.units, self.connection)

    write = read


@pytest.mark.parametrize("name", TAMPERING)
def test_what_was_changed_behind_the_log_is_found_and_named(told: tuple[World, Whole], name: str) -> None:
    world, _ = told
    statements, entity = TAMPERING[name]
    units = world.vault.units
    assert isinstance(units, SqlUnits)
    values = {"first": FIRST, "second": SECOND, "bare": BARE}
    with units.engine.connect() as connection, connection.begin() as transaction:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
        disarm(connection, log=False)
        for statement in statements.split(";"):
            used = {key: value for key, value in values.items() if f":{key}" in statement}
            assert connection.execute(text(statement), used).rowcount > 0
        outcome = Replay(Inside(units, connection), world.clock).examine(silent)
        transaction.rollback()
    of = [each for each in outcome.differences if each.entity == entity]
    assert of
    assert all(each.log != each.database for each in of)
    assert outcome.count == len(outcome.differences) < 20
    for each in of:
        assert each.place is None or _names(world, each.place.index, each.id)


def _names(world: World, index: int, number: str) -> bool:
    """Say whether an entry's changes are about a thing."""
    with world.vault.units.read() as unit:
        entry = unit.log.entry(index)
    assert entry is not None
    changes = entry.content["changes"]
    assert isinstance(changes, list)
    return any(change["id"] == number for change in changes) or "root_email" in json.dumps(changes)
