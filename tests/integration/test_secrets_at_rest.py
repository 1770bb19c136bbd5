"""Nothing that is written down holds a secret, in any encoding (S9, S12): files, WAL, backup, dump, logs.

The whole main path is walked with secrets that are known here: values taken in, candidates that came out, seeds that
were pasted, people's own passwords, seeds, links and tokens. Then everything on disk is searched. A planted secret
shows that the search finds one.
"""

from __future__ import annotations

import base64
import logging
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import create_engine, make_url, text

from tests.support.attacker import url_of
from tests.support.haystack import forms, search
from tests.support.people import PASSWORD, House, came, move_in
from vault.crypto import totp
from vault.domain.actor import Role
from vault.domain.checkout import Decision
from vault.domain.credential import PartKind
from vault.domain.rotation import Outcome
from vault.domain.secret import Secret
from vault.services.approvals import Word
from vault.services.asking import Ask

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.postgres import PostgresServer
    from tests.support.world import World

TAKEN_IN = "Taken-In & Kept/Safe+7?~"
TAKEN_SEED = base64.b32encode(bytes(range(100, 140))).decode()
NEW_SEED = base64.b32encode(bytes(range(150, 190))).decode()
HELD, NEW = "111122223333", "444455556666"


def walk(world: World) -> dict[str, bytes]:
    """Walk the whole main path; give every secret that took part."""
    known = {"taken in": TAKEN_IN, "taken in seed": TAKEN_SEED, "pasted seed": NEW_SEED}
    known |= _people(move_in(world))
    vault, alice, ada = world.vault, world.human("alice", Role.OPERATOR), world.human("ada", Role.APPROVER)
    world.held(HELD, TAKEN_IN, TAKEN_SEED)
    world.account(NEW)
    takeover = world.lease(alice, NEW, "ONBOARD_TAKEOVER")
    for kind in PartKind:
        seed = Secret(f"otpauth://totp/AWS:root?secret={NEW_SEED}") if kind is PartKind.MFA else None
        rotation = vault.rotations.plan(alice.actor, takeover.id, kind, seed)
        world.clock.advance(seconds=60)
        vault.checkouts.step_up(alice.actor, takeover.id, alice.otp())
        shown = vault.rotations.display(alice.actor, rotation.id)
        if shown.password is not None:
            known["candidate of the takeover"] = shown.password.expose()
        vault.attestations.attest(alice.actor, rotation.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(alice.actor, takeover.id)
    asked = vault.asking.ask(alice.actor, Ask(HELD, "IAM_RESTORE", "T-7", "somebody locked themselves out"))
    vault.approvals.decide(ada.actor, asked.id, Word(Decision.APPROVE, "seen"), ada.otp())
    world.clock.advance(seconds=60)
    vault.checkouts.step_up(alice.actor, asked.id, alice.otp())
    assert vault.reveals.password(alice.actor, asked.id).value.expose() == TAKEN_IN
    assert vault.reveals.code(alice.actor, asked.id).code.expose().isdigit()
    rotation = vault.rotations.plan(alice.actor, asked.id, PartKind.PASSWORD)
    shown = vault.rotations.display(alice.actor, rotation.id)
    assert shown.password is not None
    known["candidate of the rotation"] = shown.password.expose()
    vault.attestations.attest(alice.actor, rotation.id, Outcome.ACCEPTED)
    vault.checkouts.check_in(alice.actor, asked.id)
    known |= {f"factor of {name}": human.seed.secret.expose() for name, human in world.people.items()}
    secrets = {name: value.encode() for name, value in known.items()}
    seeds = [name for name in known if "seed" in name or "factor" in name]
    decoded = {f"{name}, decoded": base64.b32decode(known[name]) for name in seeds}
    return secrets | decoded


def _people(house: House) -> dict[str, str]:
    """Let people enrol, sign in and make tokens; give what only they may know."""
    admins = (("first@msp.example", "First"), ("second@msp.example", "Second"))
    first, second = house.vault.people.bootstrap_admins(admins)
    seed = house.vault.enrolment.begin(first.link, came()).seed.expose()
    member = house.enrol(first)
    signed = house.sign_in(member)
    issued = house.vault.tokens.issue_own(signed.actor(came()), "a script", member.code())
    return {
        "link": first.link.expose(),
        "link not used": second.link.expose(),
        "person's seed": totp.parse_seed(Secret(seed)).secret.expose(),
        "person's seed, enrolled": member.seed.secret.expose(),
        "person's password": PASSWORD,
        "session": signed.token.expose(),
        "device": signed.device.expose(),
        "token": issued.text.expose(),
    }


def files_of(directory: Path) -> dict[str, bytes]:
    """Read everything below a directory."""
    return {
        str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob("*") if path.is_file()
    }


def dump(url: str) -> bytes:
    """Write every row of every table out, as a dump would: bytes as they are, beside their text."""
    engine = create_engine(url)
    written: list[bytes] = []
    try:
        with engine.connect() as connection:
            listed = {
                "sqlite": "SELECT name FROM sqlite_master WHERE type = 'table'",
                "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
            }[engine.dialect.name]
            for table in connection.execute(text(listed)).scalars().all():
                for row in connection.execute(text(f"SELECT * FROM {table}")):  # noqa: S608 - names of our own tables
                    written += [each if isinstance(each, bytes) else str(each).encode() for each in row]
    finally:
        engine.dispose()
    return b"\n".join(written)


class Disk:
    """Where a database's bytes lie, from the moment at which this is made."""

    def __init__(self, url: str, directory: Path, server: PostgresServer | None) -> None:
        self.url, self.directory, self._server = url, directory, server
        self._began = 0 if server is None else self._ask(_POSITION)

    def read(self) -> dict[str, bytes]:
        """Collect what a thief of disks and backups gets: files while the database is open, backup, dump."""
        found = files_of(self.directory) | {"dump": dump(self.url)}
        if self._server is not None:
            return found | self._postgres()
        copy = self.directory / "backup.db"
        path = str(make_url(self.url).database)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        return found | {"backup": copy.read_bytes()}

    def _postgres(self) -> dict[str, bytes]:
        """Read the database's files, after a checkpoint, and the WAL that was written since we began."""
        assert self._server is not None
        with self._server.connect() as connection:
            connection.execute("CHECKPOINT")
        data, until = Path(str(self._ask("SELECT current_setting('data_directory')"))), self._ask(_POSITION)
        number = self._ask("SELECT oid FROM pg_database WHERE datname = %s", make_url(self.url).database)
        tables = {
            f"base/{name}": _dense(content) for name, content in files_of(data / "base" / str(number)).items()
        }
        log = b"".join(
            (data / "pg_wal" / _segment(place)).read_bytes()
            for place in range(int(self._began) // _SEGMENT, int(until) // _SEGMENT + 1)
        )
        start = int(self._began) % _SEGMENT
        return tables | {"wal": _dense(log[start : start + int(until) - int(self._began)])}

    def _ask(self, statement: str, *values: str | None) -> int | str:
        assert self._server is not None
        with self._server.connect() as connection:
            row = connection.execute(statement.encode(), values).fetchone()
        assert row is not None
        answer: int | str = row[0]
        return answer


_POSITION: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint"
_SEGMENT: Final = 16 * 2**20


def _segment(place: int) -> str:
    return f"00000001{place // 256:08X}{place % 256:08X}"


def _dense(content: bytes) -> bytes:
    """Leave out empty space, which is most of a database's files and slow to search."""
    return re.sub(rb"\0{64,}", b"\0" * 64, content)


@pytest.fixture
def disk(request: pytest.FixtureRequest, vault_world: World, tmp_path: Path) -> Disk:
    """Give the disk under a world, as it is before anything secret came near."""
    url = url_of(vault_world)
    return Disk(
        url, tmp_path, None if url.startswith("sqlite") else request.getfixturevalue("postgres_server")
    )


def test_nothing_on_disk_holds_a_secret_in_any_form(
    vault_world: World, disk: Disk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secrets = walk(vault_world)
    assert len(secrets) >= 20
    found = disk.read()
    assert {"dump", "log.mark", "local-keys.json"} <= found.keys()
    assert found.keys() >= (
        {"wal"} if "wal" in found else {"vault.db", "vault.db-wal", "vault.db-shm", "backup"}
    )
    # what is no secret lies there as it is
    places = [where for where, content in found.items() if b"secret.reveal.released" in content]
    assert len(places) >= 3, places
    found["logs"] = caplog.text.encode()
    assert search(secrets, found) == []


def test_a_planted_secret_is_found_wherever_it_is(vault_world: World, disk: Disk) -> None:
    vault_world.account("111122223333")
    secret = b"Planted-Horse-7-Battery"
    engine = create_engine(disk.url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE account SET name = :name"), {"name": secret.decode()})
    found = disk.read()
    engine.dispose()
    places = {each.where.split("/")[0] for each in search({"planted": secret}, found)}
    assert places >= ({"dump", "wal", "base"} if "wal" in found else {"dump", "vault.db-wal", "backup"})


@pytest.mark.parametrize("secret", [b"Planted-Horse-7-Battery", bytes(range(128, 148)), b"ABCDEFGH234567AB"])
def test_every_form_is_found_at_every_alignment(secret: bytes) -> None:
    encoders: dict[str, Callable[[bytes], bytes]] = {
        "base64": base64.b64encode,
        "base32": base64.b32encode,
        "hex": lambda data: data.hex().encode(),
    }
    for name, encode in encoders.items():
        for before in range(11):
            hay = encode(b"x" * before + secret + b"yyyy")
            found = {each.form.split(" ")[0] for each in search({"s": secret}, {"hay": hay})}
            assert name in found, (name, before)
    for form, needle in forms(secret).items():
        assert search({"s": secret}, {form: b"\0\0" + needle + b"\0"}), form


def test_the_same_bytes_without_the_secret_are_not_found() -> None:
    hay = base64.b64encode(bytes(range(256)) * 4) + b"Planted-Horse-7-Batter"
    assert search({"s": b"Planted-Horse-7-Battery"}, {"hay": hay}) == []
