"""The log against its database's owner (S25): every trigger off, every hash recomputed, even with the key stolen.

A checkpoint is kept outside from half way. Then the stored log is falsified and exported, and ``python -m audit
verify`` has to say so, and name the first entry that is not what it was. Meanwhile the running vault must
disclose nothing over a log whose end was cut or rewritten.
"""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import create_engine, text

from audit.bundle import write_bundle
from audit.note import Signer, read_key
from audit.storage import Stored
from audit.storage.sql import SqlStorage
from tests.support.attacker import owning, rewrite_log
from tests.support.prepared import prepare
from tests.support.warm import audit_program
from tests.support.world import ORIGIN
from vault.domain.actor import Role
from vault.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.support.world import World

NUMBER = "111122223333"


@dataclass(frozen=True, slots=True)
class Scene:
    """A vault with a history, and what was kept outside of it half way."""

    world: World
    directory: Path
    half: int
    size: int
    lease: str

    def export(self, name: str = "all") -> Path:
        """Export the log as it is stored now, without asking the vault."""
        target = self.directory / "exports" / name
        with owning(self.world) as owner:
            write_bundle(SqlStorage(owner), target)
        return target

    def verify(self, bundle: Path, since: str = "kept-checkpoint") -> tuple[int, dict[str, object]]:
        """Run the program that an auditor runs, given what they kept; give its status and report."""
        kept = ("--key", self.world.vault.vkey, "--since", self.directory / since)
        done = audit_program().run("audit", "verify", bundle, *kept, "--json")
        assert done.stdout, done.stderr
        report: dict[str, object] = json.loads(done.stdout)
        return done.returncode, report

    @property
    def key(self) -> Signer:
        """The log's own key, as a thief of the host would have it."""
        return read_key(self.directory / "log.key", ORIGIN)


@pytest.fixture
def scene(database_url: str, tmp_path: Path, open_until_the_end: ExitStack) -> Scene:
    """Live a little; keep the checkpoint; live on."""
    world = open_until_the_end.enter_context(closing(prepare(database_url, tmp_path)))
    alice = world.human("alice", Role.OPERATOR)
    world.held(NUMBER)
    with world.vault.units.read() as unit:
        note = unit.log.checkpoint()
    (tmp_path / "kept-checkpoint").write_text(note)
    engine = create_engine(database_url)
    with engine.connect() as connection:
        write_bundle(SqlStorage(connection), tmp_path / "kept-bundle")
    engine.dispose()
    lease = world.lease(alice, NUMBER, "CRED_ROTATE")
    for _ in range(3):
        world.vault.reveals.password(alice.actor, lease.id)
    with world.vault.units.read() as unit:
        size = int(unit.log.checkpoint().split("\n")[1])
    return Scene(world, tmp_path, int(note.split("\n")[1]), size, lease.id)


def test_an_untouched_log_is_sound_and_continues_what_was_kept(scene: Scene) -> None:
    for since in ("kept-checkpoint", "kept-bundle"):
        status, report = scene.verify(scene.export(since), since)
        assert (status, report["sound"], report["size"]) == (0, True, scene.size)
        assert report["agreed"] == [scene.half]


def _change(leaf: bytes) -> bytes:
    changed = leaf.replace(b'"name":"carla"', b'"name":"mallo"')
    assert changed != leaf
    return changed


def _only_the_leaf(owner: Connection, scene: Scene, seq: int) -> None:
    """Change what an entry says and none of its hashes."""
    leaf = owner.execute(text("SELECT leaf FROM audit_entry WHERE seq = :seq"), {"seq": seq}).scalar_one()
    if owner.dialect.name == "postgresql":
        found = "SELECT conname FROM pg_constraint WHERE conrelid = 'audit_entry'::regclass AND contype = 'c'"
        for name in owner.execute(text(found)).scalars().all():
            owner.exec_driver_sql(f"ALTER TABLE audit_entry DROP CONSTRAINT {name}")
    owner.execute(
        text("UPDATE audit_entry SET leaf = :leaf WHERE seq = :seq"),
        {"leaf": _change(bytes(leaf)), "seq": seq},
    )


def _changed(signer: Callable[[Scene], Signer | None]) -> Callable[[Connection, Scene, int], None]:
    def attack(owner: Connection, scene: Scene, seq: int) -> None:
        rewrite_log(owner, lambda at, leaf: _change(leaf) if at == seq else leaf, signer(scene))

    return attack


def _removed(signer: Callable[[Scene], Signer | None]) -> Callable[[Connection, Scene, int], None]:
    def attack(owner: Connection, scene: Scene, seq: int) -> None:
        rewrite_log(owner, lambda at, leaf: None if at == seq else leaf, signer(scene))

    return attack


def _reordered(signer: Callable[[Scene], Signer | None]) -> Callable[[Connection, Scene, int], None]:
    def attack(owner: Connection, scene: Scene, seq: int) -> None:
        leaves = {stored.seq: stored.leaf for stored in SqlStorage(owner).leaves(seq, seq + 2)}
        other = {seq: leaves[seq + 1], seq + 1: leaves[seq]}
        rewrite_log(owner, other.get, signer(scene))

    return attack


def _no_key(_: Scene) -> None:
    return None


ATTACKS: dict[str, Callable[[Connection, Scene, int], None]] = {
    "a leaf changed": _only_the_leaf,
    "changed": _changed(_no_key),
    "changed, signed by another key": _changed(lambda _: Signer.generate(ORIGIN)),
    "changed, with the stolen key": _changed(lambda scene: scene.key),
    "removed, signed by another key": _removed(lambda _: Signer.generate(ORIGIN)),
    "removed, with the stolen key": _removed(lambda scene: scene.key),
    "reordered": _reordered(_no_key),
    "reordered, with the stolen key": _reordered(lambda scene: scene.key),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_falsified_entry_is_named(scene: Scene, attack: str) -> None:
    seq = next(stored.seq for stored in _leaves(scene) if b'"type":"credential.taken_in"' in stored.leaf)
    with owning(scene.world, log=True) as owner:
        ATTACKS[attack](owner, scene, seq)
    bundle = scene.export()
    status, report = scene.verify(bundle)
    assert (status, report["sound"], report["agreed"]) == (1, False, [])
    # an entry that was changed whole contradicts nothing before the next of its account
    assert report["first_bad"] in {seq, seq + 1}, report["findings"]
    status, report = scene.verify(bundle, "kept-bundle")
    assert (status, report["first_bad"]) == (1, seq), report["findings"]
    if attack != "a leaf changed":  # the tree over it is whole; that is what the examination is for
        with pytest.raises(Unavailable):
            scene.world.vault.reveals.password(scene.world.people["alice"].actor, scene.lease)


def test_a_tail_cut_off_is_found_and_stops_disclosures(scene: Scene) -> None:
    with owning(scene.world, log=True) as owner:
        rewrite_log(owner, lambda seq, leaf: leaf if seq < scene.half - 2 else None, scene.key)
    status, report = scene.verify(scene.export())
    assert (status, report["sound"]) == (1, False)
    assert report["agreed"] == []
    with pytest.raises(Unavailable) as caught:
        scene.world.vault.reveals.password(scene.world.people["alice"].actor, scene.lease)
    assert caught.value.code == "log.rolled_back"


def test_a_log_put_back_to_a_true_older_state_is_refused_by_the_mark(scene: Scene) -> None:
    """From inside nothing is wrong with it: entries, tree and signature were all once true."""
    kept = (scene.directory / "kept-checkpoint").read_text()
    with owning(scene.world, log=True) as owner:
        rewrite_log(owner, lambda seq, leaf: leaf if seq < scene.half else None)
        owner.execute(text("UPDATE audit_head SET note = :note"), {"note": kept})
    status, report = scene.verify(scene.export())
    assert (status, report["size"]) == (0, scene.half)
    for attempt in (
        lambda: scene.world.vault.reveals.password(scene.world.people["alice"].actor, scene.lease),
        lambda: scene.world.vault.checkouts.check_in(scene.world.people["alice"].actor, scene.lease),
    ):
        with pytest.raises(Unavailable) as caught:
            attempt()
        assert caught.value.code == "log.rolled_back"


def test_a_mark_that_is_ahead_or_gone_stops_disclosures_and_reading_goes_on(scene: Scene) -> None:
    mark = scene.directory / "log.mark"
    kept = mark.read_bytes()
    alice = scene.world.people["alice"]
    for content in (
        kept.replace(str(scene.size).encode(), str(scene.size + 5).encode(), 1),
        b"not a checkpoint",
        None,
    ):
        mark.unlink()
        if content is not None:
            mark.write_bytes(content)
        with pytest.raises(Unavailable) as caught:
            scene.world.vault.reveals.password(alice.actor, scene.lease)
        assert caught.value.code in {"log.rolled_back", "log.unavailable"}
        assert scene.world.vault.accounts.get(alice.actor, NUMBER).account.id == NUMBER
        mark.write_bytes(kept)
    mark.unlink()
    mark.mkdir()
    with pytest.raises(Unavailable) as caught:
        scene.world.vault.reveals.password(alice.actor, scene.lease)
    assert "cannot be read" in caught.value.detail
    mark.rmdir()
    mark.write_bytes(kept)
    scene.world.vault.reveals.password(alice.actor, scene.lease)


def _leaves(scene: Scene) -> list[Stored]:
    engine = create_engine(scene.world.vault.units.engine.url)  # type: ignore[attr-defined]  # the SQL units
    with engine.connect() as connection:
        found = list(SqlStorage(connection).leaves(0, scene.size))
    engine.dispose()
    return found
