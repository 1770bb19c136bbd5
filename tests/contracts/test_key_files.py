"""Key files: made once, private, refused in any other shape; and the process that holds what they hold."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from vault.adapters.local_keys import InsecureLocalKeys, create_local_keys
from vault.adapters.private_file import SIZE_MAX, read_private, write_private
from vault.adapters.server_key import create_server_key, read_server_key
from vault.errors import Refused

KEY = base64.b64encode(bytes(32)).decode()
CONTEXT = {"app": "root-vault"}


def test_local_keys_read_again_open_what_was_sealed(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    made = create_local_keys(path, ("one", "two", "three")).generate(CONTEXT)
    again = InsecureLocalKeys(path)

    assert again.key_ids == ("one", "two", "three")
    assert again.unwrap(made.wraps, CONTEXT).key.expose() == made.key.expose()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_server_key_read_again_is_the_same(tmp_path: Path) -> None:
    path = tmp_path / "server.key"
    made = create_server_key(path)

    assert read_server_key(path).derive("test") == made.derive("test")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert create_server_key(tmp_path / "other.key").derive("test") != made.derive("test")


@pytest.mark.parametrize("mask", [0o000, 0o077, 0o777])
def test_the_mode_does_not_depend_on_the_umask(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write_private(tmp_path / "key", b"x")
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


@pytest.mark.parametrize("make", [create_local_keys, create_server_key])
def test_a_key_file_is_never_overwritten(tmp_path: Path, make: Callable[[Path], object]) -> None:
    path = tmp_path / "key"
    make(path)
    before = path.read_bytes()

    with pytest.raises(Refused, match="never overwritten"):
        make(path)
    assert path.read_bytes() == before
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Refused, match="never overwritten"):
        make(tmp_path / "link")
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o601, 0o604, 0o606, 0o610, 0o640, 0o660, 0o644, 0o666, 0o700, 0o4600])
def test_a_file_with_a_looser_mode_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "key"
    write_private(path, b"x")
    path.chmod(mode)

    with pytest.raises(Refused, match="chmod 600"):
        read_private(path)
    path.chmod(0o400)
    assert read_private(path) == b"x"


def test_what_is_not_a_file_of_ours_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "key"
    write_private(path, b"x")
    (tmp_path / "link").symlink_to(path)
    os.mkfifo(tmp_path / "pipe", 0o600)

    with pytest.raises(Refused, match="symbolic link"):
        read_private(tmp_path / "link")
    with pytest.raises(Refused, match="cannot be opened"):
        read_private(tmp_path / "missing")
    with pytest.raises(Refused, match="not a regular file"):
        read_private(tmp_path / "pipe")
    with pytest.raises(Refused, match="regular file"):
        read_private(tmp_path)
    monkeypatch.setattr("vault.adapters.private_file.os.geteuid", lambda: 12345)
    with pytest.raises(Refused, match="another user"):
        read_private(path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"x" * (SIZE_MAX + 1))

    with pytest.raises(Refused, match="too large"):
        read_private(tmp_path / "key")


def _keys(*rows: object, **more: object) -> bytes:
    text = json.dumps({"format": 1, "keys": list(rows), **more}, sort_keys=True, separators=(",", ":"))
    return text.encode() + b"\n"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"{}",
        b"\xff",
        b"[" * 50_000,
        _keys(),
        _keys({"key": KEY, "name": "one"}, {"key": KEY, "name": "one"}),
        _keys({"key": KEY, "name": "One"}),
        _keys({"key": KEY, "name": 1}),
        _keys({"key": KEY, "name": "one", "more": 1}),
        _keys({"key": KEY, "name": "one"}, more=1),
        _keys({"key": KEY[:-4], "name": "one"}),
        _keys({"key": base64.b64encode(bytes(31)).decode(), "name": "one"}),
        _keys({"key": base64.b64encode(bytes(33)).decode(), "name": "one"}),
        _keys({"key": KEY, "name": "one"}).rstrip(),
        _keys({"key": KEY, "name": "one"}).replace(b",", b", "),
        _keys(*({"key": KEY, "name": f"k{n}"} for n in range(9))),
    ],
)
def test_a_file_that_creating_would_not_write_is_refused(tmp_path: Path, data: bytes) -> None:
    write_private(tmp_path / "keys", data)

    with pytest.raises(Refused, match="not a local key file") as refusal:
        InsecureLocalKeys(tmp_path / "keys")
    assert refusal.value.code == "keys.settings"
    assert KEY not in str(refusal.value)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        KEY.encode(),
        b"root-vault server key 1\n",
        b"root-vault server key 1\n" + KEY.encode(),
        b"root-vault server key 1\n" + KEY.encode() + b"\n\n",
        b"root-vault server key 2\n" + KEY.encode() + b"\n",
        b"root-vault server key 1\n" + base64.b64encode(bytes(16)) + b"\n",
        b"root-vault server key 1\n\xff\n",
    ],
)
def test_a_server_key_of_another_form_is_refused(tmp_path: Path, data: bytes) -> None:
    write_private(tmp_path / "key", data)

    with pytest.raises(Refused, match="not a server key"):
        read_server_key(tmp_path / "key")


def test_names_of_local_keys_are_checked_before_a_file_is_made(tmp_path: Path) -> None:
    for names in ((), ("One",), ("a b",), tuple(f"k{n}" for n in range(9))):
        with pytest.raises(ValueError, match="1 to 8 keys"):
            create_local_keys(tmp_path / "keys", names)
    assert not (tmp_path / "keys").exists()


def test_a_hardened_process_is_not_dumpable_and_writes_no_core() -> None:
    """In a process of its own, as it cannot be undone; /proc/self/mem then belongs to root alone."""
    asked = (
        "import ctypes, json, resource; from vault.adapters.process import harden; words = harden(); "
        "print(json.dumps([words, ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", asked], capture_output=True, text=True, check=True, timeout=60
    )

    assert json.loads(done.stdout) == [
        ["core files are forbidden", "the process is not dumpable"],
        0,
        [0, 0],
    ]
