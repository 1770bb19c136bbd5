"""Logs that mean it ill: made to hurt a reader, to fill its memory, to hold it for ever, or to steer its terminal.

Each is given to the program itself, in a process that may have little memory; it must end soon, in words.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
import threading
from typing import TYPE_CHECKING

import pytest

from audit import merkle
from audit.bundle import MOST_OTHERS, write_bundle, write_tar
from audit.checkpoint import Checkpoint
from audit.note import Signer
from audit.storage.memory import MemoryStorage
from audit.tile import LARGEST_ENTRIES, WIDTH, encode_entries
from tests.support.forger import recompute
from tests.support.warm import audit_program
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, draft, filled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MEMORY = 400 << 20
SECONDS = 60
STEERING = "\x1b[2J\x1b]0;owned\x07\u202egnp.exe\u2066\x9b31m\x7f\r"


def run(*arguments: str | Path) -> tuple[int, str]:
    """Run the program with little memory; return its exit status and what it said."""
    done = audit_program().run("audit", *arguments, memory=MEMORY, seconds=SECONDS)
    said = done.stdout + done.stderr
    assert "Traceback" not in said, said
    assert all(" " <= each <= "~" or each == "\n" for each in said), said
    assert said.count("\n") < 250
    assert max(map(len, said.splitlines()), default=0) < 1_000
    return done.returncode, said


def verify(log: Path, *arguments: str | Path) -> str:
    """Verify a log in which something is wrong; return what was said."""
    status, said = run("verify", log, "--key", SIGNER.vkey, *arguments)
    assert status == 1, said
    return said


def sign(bundle: Path, size: int, root: bytes = bytes(32), origin: str = ORIGIN) -> None:
    (bundle / "checkpoint").write_text(SIGNER.sign(Checkpoint(origin, size, root).format()))


def sparse(path: Path, size: int) -> None:
    path.unlink(missing_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def long_line(bundle: Path) -> None:
    sparse(bundle / "checkpoint", 1 << 30)


def long_text(bundle: Path) -> None:
    (bundle / "checkpoint").write_bytes(b"x" * 3_000_000)


def many_lines(bundle: Path) -> None:
    (bundle / "checkpoint").write_bytes(b"x\n" * 400_000 + b"\n" + "— x AAAA\n".encode() * 10_000)


def bad_text(bundle: Path) -> None:
    (bundle / "checkpoint").write_bytes(b"\xff\xfe\xc0\x80\n3\n\n")


def endless(bundle: Path) -> None:
    sign(bundle, 2**62)


def beyond_all_numbers(bundle: Path) -> None:
    text = f"{ORIGIN}\n{'9' * 900_000}\n{'A' * 43}=\n"
    (bundle / "checkpoint").write_text(SIGNER.sign(text))


def steering_origin(bundle: Path) -> None:
    note = (bundle / "checkpoint").read_text()
    (bundle / "checkpoint").write_text(note.replace(ORIGIN, STEERING * 50))


def pipe(bundle: Path) -> None:
    (bundle / "checkpoint").unlink()
    os.mkfifo(bundle / "checkpoint")


def endless_device(bundle: Path) -> None:
    (bundle / "tile/entries/000").unlink()
    (bundle / "tile/entries/000").symlink_to("/dev/zero")


def elsewhere(bundle: Path) -> None:
    (bundle / "tile/entries/000").rename(bundle.parent / "elsewhere")
    (bundle / "tile/entries/000").symlink_to(bundle.parent / "elsewhere")


def loop(bundle: Path) -> None:
    (bundle / "tile/entries").rename(bundle / "gone")
    (bundle / "tile/entries").symlink_to(bundle / "tile/entries")


def round_about(bundle: Path) -> None:
    (bundle / "tile/0").rename(bundle / "gone")
    (bundle / "tile/0").symlink_to(bundle)


def lying_lengths(bundle: Path) -> None:
    (bundle / "tile/entries/000").write_bytes(b"\xff\xff" * 70_000)


def huge_tile(bundle: Path) -> None:
    sparse(bundle / "tile/entries/000", 1 << 40)


def nothing_but_leaves(bundle: Path) -> None:
    sparse(bundle / "tile/entries/000", LARGEST_ENTRIES)


def deep(bundle: Path) -> None:
    (bundle / "tile/entries/000").write_bytes(encode_entries([b'{"a":' + b"[" * 65_000] * WIDTH))


def long_numbers(bundle: Path) -> None:
    (bundle / "tile/entries/000").write_bytes(encode_entries([b'{"a":' + b"9" * 65_000 + b"}"] * WIDTH))


HOSTILE: tuple[Callable[[Path], None], ...] = (
    *(long_line, long_text, many_lines, bad_text, endless, beyond_all_numbers, steering_origin, pipe),
    *(endless_device, elsewhere, loop, round_about, lying_lengths, huge_tile, nothing_but_leaves, deep),
    long_numbers,
)


@pytest.mark.parametrize("spoil", HOSTILE, ids=lambda spoil: spoil.__name__)
def test_a_hostile_directory_ends_in_words(bundle: Path, spoil: Callable[[Path], None]) -> None:
    spoil(bundle)
    assert "NOT SOUND" in verify(bundle).splitlines()[-1]
    status, _ = run("verify", bundle, "--key", SIGNER.vkey, "--since", bundle)
    assert status in {1, 2}


def test_a_file_that_grows_while_it_is_read_is_a_finding(bundle: Path) -> None:
    path, ended = bundle / "tile/entries/000", threading.Event()

    def grow() -> None:
        with path.open("ab") as file:
            while not ended.is_set() and file.tell() < 1 << 27:
                file.write(bytes(1 << 20))
                file.flush()

    writer = threading.Thread(target=grow)
    writer.start()
    try:
        verify(bundle)
    finally:
        ended.set()
        writer.join()


def header(name: bytes, size: int, kind: bytes = b"0", prefix: bytes = b"") -> bytes:
    made = tarfile.TarInfo("x")
    made.size = size
    block = bytearray(made.tobuf(tarfile.USTAR_FORMAT)[:512])
    block[0:100] = name.ljust(100, b"\0")
    block[156:157] = kind
    block[345:500] = prefix.ljust(155, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def test_a_tar_of_countless_members_is_refused(tmp_path: Path) -> None:
    one = header(b"x/readme", 0)
    (tmp_path / "log.tar").write_bytes(one * (MOST_OTHERS + 2))
    assert "unpack it" in verify(tmp_path / "log.tar")
    full = [header(b"tile/entries/x%03d/%03d" % divmod(n, 1_000), 0) for n in range(1_000, 60_000)]
    (tmp_path / "log.tar").write_bytes(b"".join(full))
    assert "no file named checkpoint" in verify(tmp_path / "log.tar")


def test_a_tar_of_hostile_members_is_refused_or_is_no_log(tmp_path: Path, bundle: Path) -> None:
    note = (bundle / "checkpoint").read_bytes()
    body = note.ljust(512, b"\0")
    path = tmp_path / "log.tar"
    for content, expected in (
        (header(b"checkpoint", 0o77777777777) + body, "ends within"),
        (header(b"checkpoint", len(note)) + body + header(b"checkpoint", len(note)) + body, "twice"),
        (header(b"./checkpoint", len(note)) + body + header(b"checkpoint", len(note)) + body, "twice"),
        (header(b"../checkpoint", len(note)) + body, "no file named checkpoint"),
        (header(b"/etc/../checkpoint", len(note)) + body, "no file named checkpoint"),
        (header(b"checkpoint", len(note), prefix=b"evil") + body, "no file named checkpoint"),
        (header(b"checkpoint\x1b[2J", len(note)) + body, "no file named checkpoint"),
        (header(b"tile/entries/x000/000", len(note)) + body, "no file named checkpoint"),
        *(
            (header(b"checkpoint", len(note), kind) + body, "other than files")
            for kind in (b"1", b"2", b"3", b"4")
        ),
        *(
            (header(b"checkpoint", len(note), kind) + body, "other than files")
            for kind in (b"6", b"L", b"x", b"S")
        ),
    ):
        path.write_bytes(content)
        assert expected in verify(path), content[:20]
    with path.open("wb") as file:
        file.write(header(b"checkpoint", (8 << 30) - 1))
        file.truncate(9 << 30)
    assert "bundle.too_long" in verify(path)


def test_a_tar_of_compressed_nothing_is_no_tar(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "log.tar.gz", "w:gz") as archive:
        made = tarfile.TarInfo("checkpoint")
        made.size = 50 << 20
        archive.addfile(made, io.BytesIO(bytes(50 << 20)))
    assert "bundle.tar" in verify(tmp_path / "log.tar.gz")


def log_of(entries: list[dict[str, object]]) -> MemoryStorage:
    """Make a log, its tree and signature right, of whatever entries."""
    storage, frontier = MemoryStorage(), list[bytes]()
    for index, leaf in enumerate(recompute(entries)):
        nodes, frontier = merkle.complete(index, merkle.leaf_hash(leaf), frontier)
        root = merkle.fold(frontier)
        note = SIGNER.sign(Checkpoint(ORIGIN, index + 1, root).format())
        storage.add(leaf, b"".join(nodes), type(storage.head())(ORIGIN, index + 1, b"".join(frontier), note))
    return storage


def test_what_a_signed_log_says_of_itself_does_not_steer_the_terminal(tmp_path: Path) -> None:
    log = filled(5)
    vkey = STEERING + "x" * 5_000
    detail = {"vkey": STEERING.replace("\x7f", "") + "x" * 5_000}
    LOG.append(log, draft("log.key.rotated", account=STEERING))
    entries = [json.loads(stored.leaf) for stored in log.leaves(0, 6)]
    entries[5]["detail"] = detail
    entries.append({**entries[5], "detail": {"vkey": [vkey]}})
    write_bundle(log_of(entries), tmp_path / "bundle")
    status, said = run("verify", tmp_path / "bundle", "--key", SIGNER.vkey, "--account", STEERING)
    assert status == 0, said
    assert "the log changed its key at entry 5, to \\x1b[2J" in said
    assert "the log changed its key at entry 6, to one that it does not name" in said
    assert "2 entries, numbered from 0 without a gap" in said
    status, said = run("verify", tmp_path / "bundle", "--key", SIGNER.vkey, "--account", STEERING, "--json")
    assert json.loads(said)["account"]["id"] == STEERING


def test_countless_accounts_with_long_names_fit_into_memory(tmp_path: Path) -> None:
    template = json.loads(next(filled(2).leaves(1, 2)).leaf)
    entries = [json.loads(next(filled(1).leaves(0, 1)).leaf)]
    entries += [{**template, "account": {"id": f"{n}" + "x" * 60_000}} for n in range(4 * WIDTH)]
    write_tar(log_of(entries), tmp_path / "log.tar")
    status, said = run("verify", tmp_path / "log.tar", "--key", SIGNER.vkey)
    assert status == 0, said
    assert f"about {4 * WIDTH} accounts" in said


def test_hostile_receipts_keys_and_leaves_end_in_words(tmp_path: Path) -> None:
    log = filled(9)
    sound, leaf = LOG.tlog_proof(log, 3), next(log.leaves(3, 4)).leaf
    (tmp_path / "leaf").write_bytes(leaf)
    (tmp_path / "receipt").write_text(sound)
    arguments = ("receipt", tmp_path / "receipt", "--leaf", tmp_path / "leaf", "--key", SIGNER.vkey)
    assert run(*arguments)[0] == 0
    lines = sound.split("\n")
    for text in (
        "",
        "\n" * 500_000,
        sound.replace("index 3", "index " + "9" * 900_000),
        sound.replace("index 3", "index 4"),
        "\n".join([*lines[:2], *["A" * 43 + "="] * 900, *lines[2:]]),
        sound.replace(ORIGIN, STEERING),
        sound[:-30],
    ):
        (tmp_path / "receipt").write_text(text)
        assert run(*arguments)[0] == 1
    sparse(tmp_path / "receipt", 1 << 30)
    assert run(*arguments)[0] == 1
    (tmp_path / "receipt").write_text(sound)
    sparse(tmp_path / "leaf", 1 << 30)
    assert run(*arguments)[0] == 1
    sparse(tmp_path / "key", 1 << 30)
    for key in (tmp_path / "key", STEERING, "x+00000000+AAAA", "x" * 5_000):
        assert run(*arguments[:-1], key)[0] == 2
    other = Signer.generate("other.example/log").vkey
    assert run(*arguments, "--key", other)[0] == 2
