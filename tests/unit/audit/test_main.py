"""`python -m audit`, as an auditor runs it: on files, with neither the vault nor a database."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit.__main__ import main
from audit.bundle import write_bundle, write_tar
from audit.progress import bar, silent
from audit.tile import decode_entries, encode_entries
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, fill, filled

if TYPE_CHECKING:
    from pathlib import Path

KEY = SIGNER.vkey


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Make a log's exports: of 20 entries, and of 30 as directory and tar."""
    log = filled(20)
    write_bundle(log, tmp_path / "older")
    (tmp_path / "kept").write_text(LOG.checkpoint(log))
    fill(log, 30)
    write_bundle(log, tmp_path / "bundle")
    write_tar(log, tmp_path / "bundle.tar")
    (tmp_path / "receipt").write_text(LOG.tlog_proof(log, 7))
    (tmp_path / "leaf").write_bytes(next(log.leaves(7, 8)).leaf)
    (tmp_path / "vkey").write_text(KEY + "\n")
    return tmp_path


def spoil(place: Path) -> None:
    path = place / "bundle/tile/entries/000.p/30"
    leaves = decode_entries(path.read_bytes())
    leaves[11] = leaves[11].replace(b"Ada", b"Eve")
    path.write_bytes(encode_entries(leaves))


@pytest.mark.parametrize("name", ["bundle", "bundle.tar"])
@pytest.mark.parametrize("since", [[], ["kept"], ["older"], ["kept", "older"]])
def test_a_sound_log_is_said_to_be_sound(
    place: Path, capsys: pytest.CaptureFixture[str], name: str, since: list[str]
) -> None:
    olds = [argument for each in since for argument in ("--since", str(place / each))]
    assert main(["verify", str(place / name), "--key", KEY, *olds]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"sound: {ORIGIN}, 30 entries")
    assert printed.out.count("continues the log of 20") == len(since)
    assert printed.err == ""


def test_a_key_may_be_a_file(place: Path) -> None:
    assert main(["verify", str(place / "bundle"), "--key", str(place / "vkey")]) == 0


def test_findings_are_printed_and_the_first_bad_entry_named(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(place)
    assert main(["verify", str(place / "bundle"), "--key", KEY, "--since", str(place / "kept")]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "entry.changed at entry 11: entry 11 is not the one whose hash is kept" in lines
    assert lines[-1] == f"NOT SOUND: {ORIGIN}, the first bad entry is 11 as far as can be told"


def test_a_report_can_be_json(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", str(place / "bundle"), "--key", KEY, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["sound"], report["size"], report["findings"]) == (True, 30, [])
    spoil(place)
    assert main(["verify", str(place / "bundle"), "--key", KEY, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["first_bad"] == 11


@pytest.mark.parametrize("name", ["nowhere", "leaf", "vkey"])
def test_what_is_no_bundle_is_a_finding(place: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    assert main(["verify", str(place / name), "--key", KEY]) == 1
    assert capsys.readouterr().out.startswith("bundle.")


@pytest.mark.parametrize(
    "arguments",
    [
        ["verify", "bundle", "--key", "nonsense"],
        ["verify", "bundle", "--key", KEY[:-3]],
        ["verify", "bundle", "--key", KEY, "--since", "nowhere"],
        ["verify", "bundle", "--key", KEY, "--since", "leaf"],
    ],
)
def test_a_key_or_an_older_one_that_cannot_be_read_is_wrong_usage(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(place)
    assert main(arguments) == 2
    assert capsys.readouterr().err.startswith("python -m audit: ")


@pytest.mark.parametrize("arguments", [[], ["verify"], ["verify", "x"], ["nonsense"]])
def test_a_command_that_is_not_understood_is_wrong_usage(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert "usage" in capsys.readouterr().err


def test_a_receipt_is_checked_against_the_entry(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["receipt", str(place / "receipt"), "--leaf", str(place / "leaf"), "--key", KEY]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"sound: this is entry 7 of {ORIGIN}, in its first 30 entries\n"
    (place / "leaf").write_bytes(b"{}")
    assert main(arguments) == 1
    (place / "receipt").write_bytes(b"\xff")
    assert main(arguments) == 1


def test_a_hostile_bundle_does_not_steer_the_terminal(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    note = f"\x1b[2J\u202eevil\n3\n{'A' * 43}=\n\n— x AAAA\n"
    (place / "bundle/checkpoint").write_text(note)
    assert main(["verify", str(place / "bundle"), "--key", KEY]) == 1
    printed = capsys.readouterr().out
    assert all(" " <= each <= "~" or each == "\n" for each in printed)


def test_neither_the_vault_nor_a_database_is_imported(place: Path) -> None:
    program = (
        "import runpy, sys\n"
        "sys.argv = ['audit', 'verify', sys.argv[1], '--key', sys.argv[2]]\n"
        "try: runpy.run_module('audit', run_name='__main__')\n"
        "except SystemExit as end: assert end.code == 0, end.code\n"
        "foreign = {name.partition('.')[0] for name in sys.modules} & {'vault', 'sqlalchemy', 'sqlite3', 'psycopg'}\n"
        "assert not foreign, foreign\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(place / "bundle"), KEY],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("sound: ")


class Terminal(io.StringIO):
    """Somewhere that somebody watches."""

    def isatty(self) -> bool:
        return True


def test_a_bar_is_drawn_for_those_who_watch_and_nobody_else() -> None:
    watched, unwatched = Terminal(), io.StringIO()
    draw = bar("verifying", watched)
    for done in range(0, 101, 10):
        draw(done, 100)
    assert watched.getvalue().endswith("\n")
    assert "100% 100 of 100" in watched.getvalue()
    assert bar("verifying", unwatched) is silent
