"""A database administrator against one place outside: with our code, then with our signing key as well."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from audit.mark import MarkFile
from audit.note import read_key
from tests.services.places import BucketKeeper, FileKeeper, WitnessKeeper
from tests.support.places import cloud, ours, with_outside
from tests.support.prepared import keep_people, prepare, reopen
from tests.support.world import ORIGIN
from vault.bootstrap.open import check_log
from vault.bootstrap.outside import ask_outside
from vault.errors import Refused, Unavailable
from vault.ports.anchors import AnchorFailed
from vault.services.highwater import checkpoint_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.services.places import Keeper
    from tests.support.world import World
    from vault.adapters.db import SqlUnits


@dataclass(slots=True)
class Host:
    """The vault's machine: its directory, and the one place outside that the administrator cannot reach."""

    directory: Path
    keeper: Keeper

    @property
    def mark(self) -> MarkFile:
        """The mark beside the database."""
        return MarkFile(self.directory / "log.mark")

    def open(self) -> World:
        """Open the vault as a process of its own, with its place outside."""
        world = reopen(f"sqlite+pysqlite:///{self.directory / 'vault.db'}", self.directory)
        return with_outside(world, self.keeper.anchor(world), mark=self.mark)

    def save(self) -> Path:
        """Copy database and mark aside, as whoever has both can."""
        kept = self.directory.with_name("kept")
        shutil.copytree(self.directory, kept)
        return kept

    def put_back(self, kept: Path) -> None:
        """Put database and mark back: from inside, everything looks as it once was."""
        shutil.rmtree(self.directory)
        shutil.copytree(kept, self.directory)


@pytest.fixture(params=["witness", "bucket", "file"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """Lend a vault with some entries and one place outside."""
    directory = tmp_path / "vault"
    directory.mkdir()
    world = prepare(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory)
    world.account("111122223333")
    keep_people(world, directory)
    world.close()
    if request.param == "bucket":
        with cloud() as aws:
            bucket = BucketKeeper(aws)
            bucket.up()
            yield Host(directory, bucket)
        return
    keeper: Keeper = WitnessKeeper(world, tmp_path / "w")
    if request.param == "file":
        keeper = FileKeeper(tmp_path / "disk")
    keeper.up()
    yield Host(directory, keeper)
    keeper.down()


def entries(world: World) -> int:
    return checkpoint_of(world.vault.trail.checkpoint()).size


def grow(world: World, first: int, count: int) -> None:
    for number in range(first, first + count):
        world.account(str(700_000_000_000 + number))
        world.clock.advance(seconds=5)
        world.vault.publishing.once()


def units_of(world: World) -> SqlUnits:
    return world.vault.units  # type: ignore[return-value]  # the store behind the port


def test_putting_database_and_mark_back_is_refused_at_the_start_by_the_place_outside(host: Host) -> None:
    world = host.open()
    grow(world, 1, 2)
    world.close()
    kept = host.save()
    world = host.open()
    grow(world, 3, 3)
    before = entries(world)
    world.close()
    host.put_back(kept)

    world = host.open()
    check_log(units_of(world))  # from inside nothing is wrong
    (anchor,) = world.vault.publishing.anchors
    with pytest.raises(Refused) as refused:
        ask_outside(world.vault.publishing)
    assert refused.value.code == "log.rolled_back"
    assert anchor.name in refused.value.detail
    assert f"{before} entries" in refused.value.detail
    with pytest.raises(Refused) as again:  # and from now on the mark says so, in every process
        check_log(units_of(world))
    assert again.value.code == "log.rolled_back"
    with pytest.raises(Unavailable) as closed:
        world.account("999999999999")
    assert closed.value.code == "log.rolled_back"
    world.close()


def test_a_running_vault_finds_out_at_the_workers_next_look(host: Host) -> None:
    world = host.open()
    grow(world, 1, 2)
    world.close()
    kept = host.save()
    world = host.open()
    grow(world, 3, 3)
    world.close()
    host.put_back(kept)
    world = host.open()  # the administrator's own start, without the check
    world.account("700000000077")  # shorter than what is outside: it appends, and nobody inside can tell
    world.clock.advance(minutes=2)
    with pytest.raises(Unavailable) as found:
        world.vault.publishing.once()
    assert found.value.code == "log.rolled_back"
    with pytest.raises(Unavailable) as closed:
        world.account("700000000078")
    assert closed.value.code == "log.rolled_back"
    world.close()


def test_a_log_rewritten_with_the_stolen_key_is_refused_by_what_was_kept(host: Host) -> None:
    world = host.open()
    grow(world, 1, 1)
    world.close()
    kept = host.save()
    world = host.open()
    grow(world, 2, 3)
    honest = entries(world)
    world.close()

    host.put_back(kept)  # the key is in the directory: what follows is signed as well as the truth was
    forger = with_outside(reopen(f"sqlite+pysqlite:///{host.directory / 'vault.db'}", host.directory))
    for number in range(honest - entries(forger) + 3):
        forger.account(str(800_000_000_000 + number))
    assert entries(forger) > honest
    forger.close()

    world = host.open()
    check_log(units_of(world))
    world.clock.advance(minutes=2)
    with pytest.raises(Unavailable) as found:
        world.vault.publishing.once()
    assert found.value.code == "log.rolled_back"
    assert "another log" in found.value.detail
    with pytest.raises(Refused):
        check_log(units_of(world))
    assert host.mark.held() is not None
    world.close()


def test_a_forger_who_does_not_look_first_is_told_so_by_the_place_outside(host: Host) -> None:
    world = host.open()
    grow(world, 1, 1)
    honest = entries(world)
    world.close()
    signer = read_key(host.directory / "log.key", ORIGIN)
    forged = signer.sign(Checkpoint(ORIGIN, honest, b"x" * 32).format())

    class Source:
        """A source whose proofs are made up."""

        def size(self) -> int:
            """Claim a size."""
            return honest

        def consistency(self, old: int, new: int) -> tuple[bytes, ...]:
            """Claim a proof."""
            del old, new
            return ()

    world = host.open()
    anchor = host.keeper.anchor(world)
    with pytest.raises(AnchorFailed, match=r"rewritten|REWRITTEN|FORKED") as refused:
        anchor.confirm(forged, honest, Source())
    assert [ours(world).checkpoint(each) for each in refused.value.notes] == [
        checkpoint_of(world.vault.trail.checkpoint())
    ]
    world.close()


def test_a_place_that_lies_without_our_key_stops_nothing(host: Host) -> None:
    world = host.open()
    grow(world, 1, 1)
    lie = f"{ORIGIN}\n999999\n{'A' * 43}=\n\n— {ORIGIN} AAAAAAAA\n"
    world.vault.publishing.high_water.check("a liar", [lie, "", "\x00", lie * 100])
    world.account("700000000099")
    check_log(units_of(world))
    world.close()


def test_a_place_that_is_gone_does_not_stop_the_start(host: Host) -> None:
    world = host.open()
    grow(world, 1, 1)
    host.keeper.down()
    (anchor,) = world.vault.publishing.anchors
    silent = ask_outside(world.vault.publishing)
    if isinstance(host.keeper, FileKeeper):
        assert silent == ()  # a file that is not there keeps nothing; adding to it will say so
    else:
        assert [name for name, _ in silent] == [anchor.name]
    host.keeper.up()
    assert ask_outside(world.vault.publishing) == ()
    world.close()


def test_a_mark_is_held_even_if_it_was_taken_away(host: Host) -> None:
    world = host.open()
    grow(world, 1, 3)
    (note,) = world.vault.publishing.anchors[0].latest(0)
    world.close()
    (host.directory / "log.mark").unlink()
    world = host.open()
    with pytest.raises(Refused):
        check_log(units_of(world))
    high = replace(world.vault.publishing.high_water, mark=host.mark)
    high.check("what was kept", [note])
    assert host.mark.held() is None  # our log continues it: nothing to hold
    world.close()
