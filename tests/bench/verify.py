"""The examination of a whole log, beside the bare SHA-256 of the same bytes: time, and memory at most.

Memory is that of a process of its own, because one process's peak says nothing about one of its acts.
"""

from __future__ import annotations

import functools
import hashlib
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from audit import merkle
from audit.bundle import open_bundle, write_tar
from audit.storage.sql import SqlStorage
from audit.tile import WIDTH
from audit.verify import StorageSource, examine
from tests.bench.measure import Aim, Result, Table, Times, in_turns
from tests.bench.scenery import build, log_of

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from tests.bench.measure import Act
    from tests.bench.places import Place, Size

ROOT: Final = Path(__file__).resolve().parents[2]
SHARE: Final = 1.3
FLOOR: Final = "SHA-256 of each leaf, read from the bundle"
BY_TWO: Final = "examined from a bundle, by two processes"


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure on each database, and from a bundle of files."""
    rows: list[tuple[str | int | float, ...]] = []
    aims: list[Aim] = []
    for place in places:
        for entries in (size.log // 10, size.log):
            room = place.room(f"verify-{entries}")
            stage = build(room.url(), room.directory, accounts=50)
            stage.grow_to(entries)
            verifier = log_of(stage)[1]
            archive = room.directory / "bundle.tar"
            with stage.engine.connect() as connection:
                write_tar(SqlStorage(connection), archive)
            found = in_turns(_acts(stage.engine, archive, verifier), max(1, size.rounds // 4), 1)
            hashed = found["SHA-256 of each leaf"].median
            peaks = {
                "examined in the database": "-",
                "examined from a bundle": f"{_peak(archive, stage.vault.vkey)} MiB",
            }
            rows += [
                (
                    place.name,
                    entries,
                    name,
                    round(each.median, 2),
                    round(each.median / hashed, 2),
                    peaks.get(name, ""),
                )
                for name, each in found.items()
            ]
            aims.append(_aim(place.name, entries, found))
            stage.vault.close()
    columns = ("database", "entries", "what", "seconds", "of the SHA-256", "peak memory")
    return Result("verify", (Table("A whole log", columns, tuple(rows)),), tuple(aims))


def _acts(engine: Engine, archive: Path, verifier: object) -> dict[str, Act]:
    with engine.connect() as connection:
        leaves = [
            bytes(row[0]) for row in connection.execute(text("SELECT leaf FROM audit_entry ORDER BY seq"))
        ]

    def hashed() -> None:
        for leaf in leaves:
            hashlib.sha256(b"\x00" + leaf).digest()

    def hashed_from_files() -> None:
        with open_bundle(archive) as bundle:
            for first in range(0, len(leaves), WIDTH):
                for leaf in bundle.leaves(first, min(first + WIDTH, len(leaves))).values():
                    hashlib.sha256(b"\x00" + leaf).digest()

    def tree() -> None:
        frontier: list[bytes] = []
        for index, leaf in enumerate(leaves):
            _, frontier = merkle.complete(index, merkle.leaf_hash(leaf), frontier)
        merkle.fold(frontier)

    def read() -> None:
        with engine.connect() as connection:
            for _ in SqlStorage(connection).leaves(0, len(leaves)):
                pass

    def stored() -> None:
        with engine.connect() as connection:
            report = examine(StorageSource(SqlStorage(connection)), verifier)  # type: ignore[arg-type]  # of log_of
        assert report.is_sound, report.findings

    def bundled(*, with_helper: bool = False) -> None:
        with open_bundle(archive) as bundle:
            report = examine(bundle, verifier, with_helper=with_helper)  # type: ignore[arg-type]  # of log_of
        assert report.is_sound, report.findings

    def exported() -> None:
        archive.with_suffix(".again").unlink(missing_ok=True)
        with engine.connect() as connection:
            write_tar(SqlStorage(connection), archive.with_suffix(".again"))

    return {
        "SHA-256 of each leaf": hashed,
        FLOOR: hashed_from_files,
        "leaf hashes and tree": tree,
        "reading the leaves": read,
        "examined in the database": stored,
        "examined from a bundle": bundled,
        BY_TWO: functools.partial(bundled, with_helper=True),
        "exported as a bundle": exported,
    }


def _peak(archive: Path, vkey: str) -> int:
    """Examine a bundle in a process of its own; give its peak memory in MiB."""
    # not ru_maxrss, because that begins at the size of the process that started this one
    program = (
        "import re, sys; from pathlib import Path; from audit.__main__ import main; "
        "status = main(sys.argv[1:]); "
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1], file=sys.stderr); "
        "sys.exit(status)"
    )
    command = [sys.executable, "-c", program, "verify", str(archive), "--key", vkey]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return int(done.stderr.split()[-1]) // 1024


def _aim(database: str, entries: int, found: dict[str, Times]) -> Aim:
    floor, alone = found[FLOOR].median, found["examined from a bundle"].median
    share = found[BY_TWO].median / floor
    return Aim(
        f"{database}: a bundle of {entries:,} entries examined in {SHARE} of their bare SHA-256",
        share <= SHARE,
        f"{share:.1f} of hashing what is read, {alone / floor:.1f} by one process",
    )
