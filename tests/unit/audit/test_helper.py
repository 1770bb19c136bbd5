"""Two processes say what one says, of sound logs and of spoiled ones; and neither believes the other blindly."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from audit import helper, verify
from audit.bundle import open_bundle, write_bundle, write_tar
from audit.helper import Helper
from audit.report import MOST_FINDINGS
from audit.tile import WIDTH, Tile, decode_entries, encode_entries
from audit.verify import Report, examine
from tests.unit.audit.test_hostile import log_of
from tests.unit.audit.world import ACCOUNTS, SIGNER, filled

if TYPE_CHECKING:
    from pathlib import Path

    from audit.storage.memory import MemoryStorage

SIZE = 5 * WIDTH + 20
FIRST = 2 * WIDTH


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "WORTH_IT", 1)


@pytest.fixture(scope="module")
def log() -> MemoryStorage:
    return filled(SIZE)


@pytest.fixture(scope="module")
def whole(log: MemoryStorage, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("whole") / "bundle"
    write_bundle(log, path)
    return path


@pytest.fixture
def place(whole: Path, tmp_path: Path) -> Path:
    return shutil.copytree(whole, tmp_path / "bundle")


def both(path: Path) -> Report:
    """Examine with and without a helper; return what both say."""
    with open_bundle(path) as bundle:
        alone = examine(bundle, SIGNER.verifier, account=ACCOUNTS[1])
    with open_bundle(path) as bundle:
        helped = examine(bundle, SIGNER.verifier, account=ACCOUNTS[1], with_helper=True)
    assert set(helped.findings) == set(alone.findings)
    if alone.is_sound:
        assert helped == alone
    return helped


def test_a_sound_log_is_sound_as_directory_and_as_tar(
    log: MemoryStorage, whole: Path, tmp_path: Path
) -> None:
    write_tar(log, tmp_path / "log.tar")
    for path in (whole, tmp_path / "log.tar"):
        report = both(path)
        assert report.is_sound
        assert report.facts.account is not None
        assert (report.facts.account.entries, report.facts.account.is_unbroken) == (SIZE // 3, True)
        assert report.facts.accounts == 2


@pytest.mark.parametrize("seed", range(12))
def test_what_was_spoiled_is_said_by_both(place: Path, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(chance.choice((1, 2, 5))):
        tile = Tile(None, chance.randrange(5))
        leaves = decode_entries((place / tile.path).read_bytes())
        at = chance.randrange(WIDTH)
        leaves[at] = chance.choice((leaves[at - 1], b"{}", leaves[at].replace(b"Ada", b"Eve")))
        (place / tile.path).write_bytes(encode_entries(leaves))
    assert not both(place).is_sound


@pytest.mark.parametrize("n", [0, 1, 2, 3, 4])
def test_a_missing_tile_ends_both(place: Path, n: int) -> None:
    (place / Tile(None, n).path).unlink()
    report = both(place)
    assert [(each.code, each.index) for each in report.findings] == [("bundle.missing", n * WIDTH)]


def test_an_account_is_unbroken_across_the_two_parts(log: MemoryStorage, tmp_path: Path) -> None:
    """Entry FIRST + 1 is the first that the helper reads of its account."""
    entries = [json.loads(stored.leaf) for stored in log.leaves(0, SIZE)]
    later = json.loads(json.dumps(entries))
    made = log_of(later)
    spoiled = [stored.leaf for stored in made.leaves(0, SIZE)]
    for index in range(FIRST - 4, FIRST):  # another past for the part before, without mending what follows
        members = json.loads(spoiled[index])
        members["outcome"] = "failure"
        made._leaves[index] = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    write_bundle(made, tmp_path / "bundle")
    report = both(tmp_path / "bundle")
    found = {each.index or 0 for each in report.findings if each.code == "account.prev"}
    assert {index for index in found if index >= FIRST} <= {FIRST, FIRST + 1, FIRST + 2}
    assert any(index >= FIRST for index in found)
    assert report.facts.account is not None
    assert not report.facts.account.is_unbroken


def test_findings_stay_bounded(place: Path) -> None:
    for n in range(5):
        (place / Tile(None, n).path).write_bytes(encode_entries([b"{}"] * WIDTH))
    with open_bundle(place) as bundle:
        assert len(examine(bundle, SIGNER.verifier, with_helper=True).findings) == MOST_FINDINGS


def test_a_helper_that_dies_is_replaced(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Helper, "_work", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    assert both(whole).is_sound


def test_files_that_change_between_two_readings_are_a_finding(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The helper reads a leaf of another form than the one that is hashed, each right in its own way."""
    read, path = Helper._read, place / Tile(None, 4).path
    true = path.read_bytes()

    def reading(self: Helper) -> object:
        path.write_bytes(true.replace(b"Ada", b"Eve", 1))
        try:
            return read(self)
        finally:
            path.write_bytes(true)

    def seeing(self: Helper, connection: object) -> None:
        raise SystemExit  # so that it is read here, after the pass

    monkeypatch.setattr(Helper, "_read", reading)
    monkeypatch.setattr(Helper, "_work", seeing)
    with open_bundle(place) as bundle:
        report = examine(bundle, SIGNER.verifier, with_helper=True)
    assert "bundle.changed" in {finding.code for finding in report.findings}


def test_a_short_log_is_read_alone(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "WORTH_IT", helper.WORTH_IT)
    monkeypatch.setattr(Helper, "__init__", lambda *_: pytest.fail("a helper was started"))
    assert both(whole).is_sound
    assert helper.processes() in {1, 2}
