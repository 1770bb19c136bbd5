"""A world for each test, on both databases."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

import pytest

from tests.support.console import AwsConsole
from tests.support.desk import Desk
from tests.support.moto_kms import StrictKms, create_key, loopback_kms, made_up_credentials, strict_kms
from tests.support.people import move_in
from tests.support.prepared import copy_files, keep_people, prepare, reopen
from tests.support.replay import check_replay
from tests.support.trails import recording
from tests.support.watch import Watch, watched
from tests.support.world import START
from vault.errors import KeyCall, KeysUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tests.support.people import House, Member
    from tests.support.postgres import PostgresServer
    from tests.support.world import World
    from vault.domain.secret import Secret
    from vault.ports.keys import DataKey, KeyHealth, KeyService, Unwrapped, Wrap, Wrapped


@pytest.fixture(scope="session")
def prepared_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make one world in a directory, for copies."""
    directory = tmp_path_factory.mktemp("prepared")
    world = prepare(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    keep_people(world, directory)
    world.close()
    return directory


@pytest.fixture(scope="session")
def prepared_postgres(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path]:
    """Make one world in a PostgreSQL database, for copies; give its name."""
    directory = tmp_path_factory.mktemp("prepared")
    name = postgres_server.create_database()
    world = prepare(postgres_server.url(name), directory)
    keep_people(world, directory)
    world.close()
    return name, directory


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    """Lend a fresh world on each kind of database."""
    directory = tmp_path / "vault"
    if request.param == "sqlite":
        copy_files(request.getfixturevalue("prepared_sqlite"), directory)
        made = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
        yield made
        made.close()
        return
    template, source = request.getfixturevalue("prepared_postgres")
    copy_files(source, directory)
    with request.getfixturevalue("lending").database(template) as url:
        made = reopen(url, directory)
        yield made
        made.close()


@pytest.fixture
def quick_world(prepared_sqlite: Path, tmp_path: Path) -> Iterator[World]:
    """Lend a fresh world on SQLite, where another database does not matter; its log has to lead to its state."""
    directory = tmp_path / "vault"
    copy_files(prepared_sqlite, directory)
    made = reopen(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    yield made
    check_replay(made)
    made.close()


@pytest.fixture
def house(world: World) -> House:
    """Lend a fresh world with nobody in it, where people come in as they really do."""
    return move_in(world)


@pytest.fixture
def admins(house: House) -> tuple[Member, Member]:
    """Lend the first two administrators of the house."""
    return house.admins()


class DarkKeys:
    """A key service that answers nobody."""

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Fail."""
        raise _down("GenerateDataKey")

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Fail."""
        raise _down("Encrypt")

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Fail."""
        raise _down("Decrypt")

    def check(self) -> tuple[KeyHealth, ...]:
        """Say nothing."""
        return ()


def _down(operation: str) -> KeysUnavailable:
    call = KeyCall(operation, "local-1", "", "keys.unavailable")
    return KeysUnavailable(
        "keys.unavailable", "The key service does not answer. Try again later.", calls=(call,)
    )


@pytest.fixture
def broken_keys() -> KeyService:
    """Lend a key service that is down."""
    return DarkKeys()


@pytest.fixture
def desk(world: World, tmp_path: Path) -> Iterator[Desk]:
    """Lend a desk; when it is left, the log has to lead to what is in the database."""
    yield Desk(world, AwsConsole(tmp_path / "aws.json"))
    check_replay(world)


@pytest.fixture(scope="module")
def strict() -> Iterator[StrictKms]:
    """Give the test's hand on KMS."""
    with strict_kms() as hand:
        yield hand


@pytest.fixture(scope="module")
def kms(strict: StrictKms) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Serve KMS with two keys in two accounts."""
    assert strict.faults == deque()
    with made_up_credentials(), loopback_kms() as url:
        yield url, (create_key("eu-central-1"), create_key("us-east-1", account="999988887777"))


@pytest.fixture
def watch(world: World, tmp_path: Path, kms: tuple[str, tuple[str, ...]]) -> Iterator[Watch]:
    """Lend a vault under watch."""
    url, keys = kms
    with recording(lambda: START) as recorder:
        yield watched(world, recorder, tmp_path / "trail", keys, url)
