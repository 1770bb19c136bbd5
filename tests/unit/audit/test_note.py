"""Signed notes, their keys and key files."""

from __future__ import annotations

import base64
import copy
import os
import pickle
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import NoteRefused
from audit.note import Cosigner, Line, Signer, Verifier, open_note, read_cosigner, read_key, split, write_key
from tests.unit.audit.world import ORIGIN, SEED, SIGNER

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "hello\nworld\n"
NOTE = SIGNER.sign(TEXT)
OTHER = Signer.from_seed("other.example/log", bytes(32))
PEM = b"-----BEGIN %b-----\nAAAA\n-----END %b-----\n" % (b"PRIVATE KEY", b"PRIVATE KEY")
LINES = st.text(st.characters(exclude_categories=["Cc", "Cs"]))


def signature_line(note: str) -> str:
    return note.rpartition("\n\n")[2]


@given(st.lists(LINES, max_size=5))
def test_what_was_signed_opens(lines: list[str]) -> None:
    text = "\n".join(lines) + "\n"
    note = SIGNER.sign(text)
    assert open_note(note, [SIGNER.verifier]).text == text
    assert SIGNER.is_own(note)


def test_a_vkey_is_read_as_it_is_written() -> None:
    assert Verifier.parse(SIGNER.vkey) == SIGNER.verifier
    assert Verifier.parse(SIGNER.vkey).vkey == SIGNER.vkey


@pytest.mark.parametrize("position", range(0, len(NOTE) - 1, 3))
def test_no_character_of_a_note_can_be_changed(position: int) -> None:
    changed = NOTE[:position] + ("x" if NOTE[position] != "x" else "y") + NOTE[position + 1 :]
    with pytest.raises(NoteRefused):
        open_note(changed, [SIGNER.verifier])
    assert not SIGNER.is_own(changed)


def test_signatures_by_keys_that_were_not_asked_for_are_ignored() -> None:
    both = NOTE + signature_line(OTHER.sign(TEXT))
    wrong = NOTE + signature_line(OTHER.sign("something else\n"))
    assert [each.name for each in open_note(both, [SIGNER.verifier]).signatures] == [ORIGIN]
    assert [each.name for each in open_note(wrong, [SIGNER.verifier]).signatures] == [ORIGIN]
    assert len(open_note(both, [SIGNER.verifier, OTHER.verifier]).signatures) == 2


def test_a_wrong_signature_by_a_key_that_was_asked_for_refuses_the_note() -> None:
    wrong = NOTE + signature_line(OTHER.sign("something else\n"))
    with pytest.raises(NoteRefused, match=r"note\.signature"):
        open_note(wrong, [SIGNER.verifier, OTHER.verifier])


def test_a_note_that_nobody_we_know_signed_is_refused() -> None:
    with pytest.raises(NoteRefused, match=r"note\.unsigned"):
        open_note(NOTE, [OTHER.verifier])
    with pytest.raises(NoteRefused, match=r"note\.unsigned"):
        open_note(NOTE, [])


def test_a_key_of_the_same_name_is_another_key() -> None:
    namesake = Signer.from_seed(ORIGIN, bytes(32))
    with pytest.raises(NoteRefused, match=r"note\.unsigned"):
        open_note(NOTE, [namesake.verifier])
    assert not namesake.is_own(NOTE)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n\n",
        "text\n",
        "text\n\n",
        NOTE[:-1],
        NOTE + "\n",
        NOTE.replace("\n\n", "\n"),
        NOTE.replace("— ", "- "),
        NOTE.replace("— ", "—  "),
        "tab\there\n\n" + signature_line(NOTE),
        "bell\x07\n\n" + signature_line(NOTE),
        "half \ud800\n\n" + signature_line(NOTE),
        TEXT + "\n" + f"— {ORIGIN} AAAA\n",
        TEXT + "\n" + f"— {ORIGIN} !!!!\n",
        TEXT + "\n" + "— \n",
        TEXT + "\n" + signature_line(NOTE) * 101,
        "x" * 1_000_001,
    ],
)
def test_a_malformed_note_is_refused(note: str) -> None:
    with pytest.raises(NoteRefused):
        open_note(note, [SIGNER.verifier])
    assert not SIGNER.is_own(note)


@pytest.mark.parametrize("text", ["", "no newline", "carriage\r\n", "escape \x1b[2J\n", "half \ud800\n"])
def test_a_text_that_no_note_can_hold_is_not_signed(text: str) -> None:
    with pytest.raises(NoteRefused, match=r"note\.text"):
        SIGNER.sign(text)


@pytest.mark.parametrize("name", ["", "two words", "a+b", "new\nline", "no-break\xa0space", "bell\x07"])
def test_a_name_that_no_key_can_have_is_refused(name: str) -> None:
    with pytest.raises(NoteRefused, match=r"note\.name"):
        Signer.from_seed(name, SEED)


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+abb629f6",
        SIGNER.vkey.replace("abb629f6", "abb629f7"),
        SIGNER.vkey.replace("abb629f6", "ABB629F6"),
        SIGNER.vkey.replace(ORIGIN, "other.example/log"),
        SIGNER.vkey[:-4],
        SIGNER.vkey + "=",
        SIGNER.vkey + "\n",
        "name+00000000+" + base64.b64encode(b"\x02" + bytes(32)).decode(),
    ],
)
def test_a_malformed_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(NoteRefused):
        Verifier.parse(vkey)


def test_a_generated_key_is_a_new_one() -> None:
    assert Signer.generate(ORIGIN).vkey != Signer.generate(ORIGIN).vkey


def test_a_signer_does_not_show_its_key() -> None:
    assert "Key" not in repr(SIGNER)
    assert SEED.hex() not in repr(SIGNER)
    with pytest.raises(TypeError):
        pickle.dumps(SIGNER)
    assert copy.copy(SIGNER).sign(TEXT) == NOTE


def test_a_key_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    write_key(path, SIGNER)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_key(path, ORIGIN).vkey == SIGNER.vkey


def test_a_seed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "seed"
    path.write_bytes(SEED)
    path.chmod(0o400)
    assert read_key(path, ORIGIN).vkey == SIGNER.vkey


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "log.key"
    write_key(path, SIGNER)
    with pytest.raises(FileExistsError):
        write_key(path, OTHER)
    assert read_key(path, ORIGIN).vkey == SIGNER.vkey


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o606, 0o610, 0o644, 0o700 | 0o007])
def test_a_key_that_others_may_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "log.key"
    write_key(path, SIGNER)
    path.chmod(mode)
    with pytest.raises(NoteRefused, match="0600"):
        read_key(path, ORIGIN)


@pytest.mark.parametrize("content", [b"", b"x" * 31, PEM])
def test_a_file_that_is_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "log.key"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(NoteRefused, match=r"note\.key_file"):
        read_key(path, ORIGIN)


def test_a_link_or_pipe_in_the_place_of_a_key_is_refused(tmp_path: Path) -> None:
    write_key(tmp_path / "log.key", SIGNER)
    (tmp_path / "link").symlink_to(tmp_path / "log.key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(OSError, match="symbolic"):
        read_key(tmp_path / "link", ORIGIN)
    with pytest.raises(NoteRefused, match="regular"):
        read_key(tmp_path / "pipe", ORIGIN)


def test_a_note_of_several_signers_is_each_ones_own() -> None:
    both = NOTE + OTHER.line(TEXT)
    assert SIGNER.is_own(both)
    assert OTHER.is_own(both)
    assert not OTHER.is_own(NOTE)
    assert not OTHER.is_own(NOTE + OTHER.line("something else\n") + OTHER.line(TEXT)), "the first line counts"
    assert not SIGNER.is_own(both + "garbage\n")
    assert split(both) == (TEXT, [Line.parse(each) for each in signature_line(both).splitlines()])


WITNESS = Cosigner.from_seed("witness.example/w1", bytes([1]) * 32)


def test_a_cosignature_is_bound_to_its_time() -> None:
    note = f"{TEXT}\n{WITNESS.line(TEXT, 1_787_310_000)}"
    assert open_note(note, [WITNESS.verifier]).signatures[0].time == 1_787_310_000
    line = split(note)[1][0]
    for time in (0, 1_787_310_001, 2**63, 2**64 - 1):
        moved = Line(line.name, line.key_id, time.to_bytes(8, "big") + line.signature[8:])
        with pytest.raises(NoteRefused, match=r"note\.(signature|time)"):
            open_note(f"{TEXT}\n{moved.format()}", [WITNESS.verifier])


def test_a_cosignature_of_a_time_that_cannot_be_is_refused() -> None:
    time = 2**63
    signature = WITNESS._key.sign(f"cosignature/v1\ntime {time}\n{TEXT}".encode())
    line = Line(WITNESS.name, WITNESS.verifier.key_id, time.to_bytes(8, "big") + signature)
    with pytest.raises(NoteRefused, match=r"note\.time"):
        open_note(f"{TEXT}\n{line.format()}", [WITNESS.verifier])


@pytest.mark.parametrize("time", [0, -1, 2**63, 2**64])
def test_a_time_that_cannot_be_is_not_sworn_to(time: int) -> None:
    with pytest.raises(NoteRefused, match=r"note\.time"):
        WITNESS.line(TEXT, time)


def test_a_witness_signs_nothing_that_a_log_signs() -> None:
    """The same key in both roles: neither line passes as the other's, for ids and messages differ."""
    log = Signer.from_seed(WITNESS.name, bytes([1]) * 32)
    assert log.verifier.public == WITNESS.verifier.public
    assert log.verifier.key_id != WITNESS.verifier.key_id
    signature = split(f"{TEXT}\n{WITNESS.line(TEXT, 1)}")[1][0].signature
    with pytest.raises(NoteRefused, match=r"note\.signature"):
        log.verifier.check(TEXT, signature[8:])


def test_a_witness_key_file_holds_its_name(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    write_key(path, WITNESS)
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_cosigner(path).vkey == WITNESS.vkey == path.read_text(encoding="utf-8").splitlines()[0]
    assert "Key" not in repr(read_cosigner(path))
    path.chmod(0o644)
    with pytest.raises(NoteRefused, match="0600"):
        read_cosigner(path)


@pytest.mark.parametrize("other", ["pem", "vkey", "name", "log"])
def test_a_witness_key_file_whose_parts_disagree_is_refused(tmp_path: Path, other: str) -> None:
    path, second = tmp_path / "witness.key", Cosigner.from_seed("witness.example/w1", bytes(32))
    write_key(path, WITNESS)
    pem = path.read_text(encoding="utf-8").partition("\n")[2]
    path.write_text(
        {
            "pem": pem,
            "vkey": f"{second.vkey}\n{pem}",
            "name": f"{Cosigner.from_seed('witness.example/w2', bytes([1]) * 32).vkey}\nnothing",
            "log": f"{SIGNER.vkey}\n{pem}",
        }[other],
        encoding="utf-8",
    )
    with pytest.raises(NoteRefused, match=r"note\.key_file"):
        read_cosigner(path)


def test_openssl_reads_a_witness_key_file(tmp_path: Path) -> None:
    path = tmp_path / "witness.key"
    write_key(path, WITNESS)
    shown = subprocess.run(
        ["openssl", "pkey", "-in", path, "-pubout", "-outform", "DER"], check=True, capture_output=True
    )
    assert shown.stdout[-32:] == WITNESS.verifier.public
