"""`python -m audit`, as an auditor runs it: on files, with neither the vault nor a database."""

from __future__ import annotations

import dataclasses
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from audit.__main__ import main
from audit.bundle import write_bundle, write_tar
from audit.note import Signer
from audit.progress import bar, silent
from audit.tile import decode_entries, encode_entries
from tests.support.repository import ROOT
from tests.unit.audit.world import ACCOUNTS, LOG, ORIGIN, SIGNER, draft, fill, filled

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


def test_a_bar_tells_the_rate() -> None:
    watched = Terminal()
    draw = bar("verifying", watched)
    draw(50, 50)
    assert "50 of 50, " in watched.getvalue()
    assert "/s" in watched.getvalue()


def test_a_receipt_may_stand_for_an_older_checkpoint(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "old.tlog-proof").write_text(
        f"c2sp.org/tlog-proof@v1\nindex 0\n\n{(place / 'kept').read_text()}"
    )
    arguments = ["verify", str(place / "bundle"), "--key", KEY, "--since", str(place / "old.tlog-proof")]
    assert main(arguments) == 0
    assert "continues the log of 20" in capsys.readouterr().out


def test_a_log_that_changed_its_key_is_examined_by_several(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = Signer.generate(ORIGIN)
    text = (place / "bundle/checkpoint").read_text().partition("\n\n")[0] + "\n"
    (place / "bundle/checkpoint").write_text(new.sign(text))
    bundle, kept = str(place / "bundle"), str(place / "kept")
    assert main(["verify", bundle, "--key", new.vkey]) == 0
    assert main(["verify", bundle, "--key", KEY]) == 1
    capsys.readouterr()
    assert main(["verify", bundle, "--key", new.vkey, "--since", kept]) == 2
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1), "nothing is said of the log"
    assert "kept is signed by none of the keys given: give the log's older key too" in said.err
    (place / "forged").write_text((place / "kept").read_text().replace("\n20\n", "\n21\n"))
    assert main(["verify", bundle, "--key", KEY, "--key", new.vkey, "--since", str(place / "forged")]) == 1
    assert "since.refused" in capsys.readouterr().out
    assert main(["verify", bundle, "--key", KEY, "--key", new.vkey, "--since", kept]) == 0
    capsys.readouterr()
    assert main(["verify", bundle, "--key", new.vkey, "--key", KEY, "--since", kept, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert (report["agreed"], report["keys"]) == ([20], [new.vkey, KEY])
    other = Signer.generate("other.example/log").vkey
    assert main(["verify", bundle, "--key", new.vkey, "--key", other]) == 2
    assert "their names differ" in capsys.readouterr().err


@pytest.mark.parametrize("there", [(), ("cryptography",)])
def test_a_package_that_is_missing_is_named_in_one_line(tmp_path: Path, there: tuple[str, ...]) -> None:
    for name in there:
        (tmp_path / f"{name}.py").write_text("")
    done = subprocess.run(
        [sys.executable, "-S", "-m", "audit", "verify", "log.tar", "--key", KEY],
        cwd=ROOT,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    missing = [name for name in ("cryptography", "orjson") if name not in there]
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.endswith(f"pip install {' '.join(missing)}\n")


def test_a_receipt_is_checked_by_several_keys(place: Path) -> None:
    new = Signer.generate(ORIGIN).vkey
    arguments = ["receipt", str(place / "receipt"), "--leaf", str(place / "leaf"), "--key", new]
    assert main(arguments) == 1
    assert main([*arguments, "--key", KEY]) == 0


def test_facts_of_the_whole_and_of_one_account_are_told(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", str(place / "bundle"), "--key", KEY, "--account", ACCOUNTS[0] or ""]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1].startswith("entries from 2026-1")
    assert lines[1].endswith("about 2 accounts")
    assert lines[2] == "account 100000000000: 9 entries, numbered from 0 without a gap"
    assert main(["verify", str(place / "bundle"), "--key", KEY, "--account", "900000000000", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["account"] == {"id": "900000000000", "entries": 0, "unbroken": True}
    assert report["began"] < report["ended"]
    assert (report["accounts"], report["key_rotations"]) == (2, [])


def test_an_account_with_a_gap_is_said_to_have_one(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = place / "bundle/tile/entries/000.p/30"
    leaves = decode_entries(path.read_bytes())
    leaves[9] = leaves[9].replace(b'"seq":2}', b'"seq":3}')
    path.write_bytes(encode_entries(leaves))
    assert main(["verify", str(place / "bundle"), "--key", KEY, "--account", ACCOUNTS[0] or ""]) == 1
    assert "account 100000000000: 9 entries, WITH GAPS" in capsys.readouterr().out


def test_a_change_of_key_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    log = filled(3)
    event = draft("log.key.rotated")
    LOG.append(log, dataclasses.replace(event, detail={"vkey": KEY}))
    write_bundle(log, tmp_path / "bundle")
    assert main(["verify", str(tmp_path / "bundle"), "--key", KEY]) == 0
    assert f"the log changed its key at entry 3, to {KEY}" in capsys.readouterr().out
    assert main(["verify", str(tmp_path / "bundle"), "--key", KEY, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["key_rotations"] == [{"index": 3, "vkey": KEY}]


def test_a_range_is_told_where_no_more_is_known(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "other").write_text(LOG.checkpoint(filled(12)))
    arguments = ["verify", str(place / "bundle"), "--key", KEY, "--since", str(place / "other")]
    assert main(arguments) == 1
    assert (
        capsys.readouterr().out.splitlines()[-1]
        == f"NOT SOUND: {ORIGIN}, the first bad entry is one of 0 to 11"
    )
    assert main([*arguments, "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["first_bad_between"] == [0, 11]
