"""A log held against checkpoints, and whole copies, that were kept from before."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from audit.bundle import open_bundle, write_bundle
from audit.errors import AuditError
from audit.storage.memory import MemoryStorage
from audit.tile import WIDTH
from audit.verify import Older, examine
from tests.support.forger import Forged, recompute
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from pathlib import Path
from tests.unit.audit.world import SIZE, codes, verdict


def older(size: int, name: str = "kept") -> tuple[MemoryStorage, Older]:
    log = filled(size)
    return log, Older(name, LOG.checkpoint(log))


def test_a_log_that_grew_agrees_with_all_its_older_checkpoints(tmp_path: Path) -> None:
    log = filled(0)
    kept = []
    for size in (1, 5, WIDTH, WIDTH + 1, 2 * WIDTH + 9):
        fill(log, size)
        kept.append(Older(str(size), LOG.checkpoint(log)))
    write_bundle(log, tmp_path / "bundle")
    report = verdict(tmp_path / "bundle", *kept)
    assert report.findings == ()
    assert report.agreed == (1, 5, WIDTH, WIDTH + 1, 2 * WIDTH + 9)


def test_an_older_checkpoint_that_knew_more_shows_a_cut(bundle: Path) -> None:
    _, newer = older(SIZE + 4)
    report = verdict(bundle, newer)
    assert codes(report) == {"since.truncated"}
    assert report.first_bad == SIZE


def test_older_checkpoints_close_in_on_the_change(tmp_path: Path) -> None:
    """Two logs that are the same up to entry 40, signed by the same key: what a thief of the key can make."""
    log = filled(40)
    kept = [Older("at 40", LOG.checkpoint(log))]
    twin = filled(0)
    for stored, nodes in zip(log.leaves(0, 40), log._nodes, strict=True):
        twin._leaves.append(stored.leaf)
        twin._nodes.append(nodes)
        twin._members.append(json.loads(stored.leaf))
    twin._tails, twin._head = dict(log._tails), log._head
    fill(log, 60)
    kept += [Older("at 60", LOG.checkpoint(log))]
    write_bundle(log, tmp_path / "true")
    fill(log, 80)
    kept += [Older("at 80", LOG.checkpoint(log))]
    fill(twin, 100)
    write_bundle(twin, tmp_path / "false")

    report = verdict(tmp_path / "false", *reversed(kept))
    assert report.agreed == (40,)
    assert [(finding.code, finding.index) for finding in report.findings] == [("since.differs", 40)] * 2
    assert "40 to 59" in report.findings[0].words
    assert report.bounds == (40, 59)

    with open_bundle(tmp_path / "true") as opened:
        report = verdict(tmp_path / "false", Older("a whole bundle", opened.note(), opened))
    assert [(finding.code, finding.index) for finding in report.findings] == [("since.differs", 40)]
    assert "entry 40 is not what it was" in report.findings[0].words
    assert report.bounds == (40, 40)


def test_an_older_checkpoint_of_another_log_is_a_finding(bundle: Path) -> None:
    report = verdict(bundle, Older("foreign", "x\n1\n\n— y AAAA\n"))
    assert codes(report) == {"since.refused"}


def test_an_older_bundle_that_cannot_be_read_is_a_finding(bundle: Path, tmp_path: Path) -> None:
    log, kept = older(30)
    write_bundle(log, tmp_path / "older")
    (tmp_path / "older/tile/0/000.p/30").unlink()
    with open_bundle(tmp_path / "older") as opened:
        report = verdict(bundle, Older(kept.name, kept.note, opened))
    assert codes(report) == {"since.unreadable", "since.differs"}


class Broken:
    """A source of which nothing can be read."""

    def note(self) -> str:
        raise AuditError("broken", "nothing is to be had")

    def leaves(self, start: int, stop: int) -> dict[int, bytes]:
        raise AuditError("broken", f"neither {start} nor {stop}")

    def hashes(self, tile: object) -> list[bytes]:
        raise AuditError("broken", f"not {tile}")

    def mistaken(self, start: int, stop: int) -> list[int]:
        raise AuditError("broken", f"neither {start} nor {stop}")

    def has(self, index: int) -> bool:
        raise AuditError("broken", f"not {index}")


def test_a_source_that_fails_is_a_finding() -> None:
    report = examine(Broken(), SIGNER.verifier)
    assert [finding.code for finding in report.findings] == ["broken"]
    assert report.checkpoint is None


def test_of_several_of_one_size_each_is_compared_and_one_with_a_log_tells_where(tmp_path: Path) -> None:
    """The first of one size used to stand for all of them."""
    log = filled(SIZE)
    write_bundle(log, tmp_path / "now")
    agreeing = Older("ours", LOG.checkpoint(log))
    entries = [json.loads(stored.leaf) for stored in log.leaves(0, SIZE)]
    entries[9]["outcome"] = "failure"
    other = Forged(ORIGIN, recompute(entries), SIGNER)
    entries[5]["outcome"] = "failure"
    third = Forged(ORIGIN, recompute(entries), SIGNER)
    report = verdict(
        tmp_path / "now",
        agreeing,
        Older("a", other.note()),
        Older("b", other.note(), other),
        Older("c", third.note()),
    )
    assert report.agreed == (SIZE,)
    assert [(each.code, each.index, each.words[0]) for each in report.findings] == [
        ("since.differs", 9, "b"),
        ("since.differs", 9, "a"),
        ("since.differs", 9, "c"),
    ]
    assert report.bounds == (9, 9)


def test_a_log_that_was_cut_is_also_held_against_the_longer_one_that_was_kept(bundle: Path) -> None:
    """Whoever cuts the end may have changed the rest too."""
    log = filled(SIZE)
    fill(log, SIZE + 30)
    longer = Forged(ORIGIN, [stored.leaf for stored in log.leaves(0, SIZE + 30)], SIGNER)
    report = verdict(bundle, Older("kept", longer.note(), longer))
    assert [(each.code, each.index) for each in report.findings] == [
        ("since.differs", 0),
        ("since.truncated", SIZE),
    ]
    assert (report.first_bad, report.bounds) == (0, (0, 0))


def test_a_cut_alone_is_placed_exactly_by_the_longer_log(tmp_path: Path) -> None:
    log = filled(SIZE)
    write_bundle(log, tmp_path / "now")
    fill(log, 3 * SIZE)
    longer = Forged(ORIGIN, [stored.leaf for stored in log.leaves(0, 3 * SIZE)], SIGNER)
    report = verdict(tmp_path / "now", Older("kept", longer.note(), longer))
    assert [(each.code, each.index) for each in report.findings] == [("since.truncated", SIZE)]
    assert report.bounds == (SIZE, SIZE)
    assert verdict(tmp_path / "now", Older("kept", longer.note())).bounds == (0, SIZE)


def test_an_older_log_that_was_spoiled_since_does_not_tell_where(bundle: Path) -> None:
    """Else whoever can touch what was kept could point at an innocent entry."""
    log = filled(SIZE)
    kept = Forged(ORIGIN, [stored.leaf for stored in log.leaves(0, SIZE)], SIGNER)
    note = kept.note()
    kept._hashes[50] = bytes(32)
    report = verdict(bundle, Older("kept", note, kept))
    assert [(each.code, each.index) for each in report.findings] == [
        ("since.unreadable", None),
        ("since.differs", 0),
    ]
    assert report.bounds == (0, SIZE - 1)
