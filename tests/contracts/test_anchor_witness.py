"""Our side of a witness that misbehaves: nothing it says without our signature counts, and it takes bounded time."""

from __future__ import annotations

import socket
import time
from typing import TYPE_CHECKING

import pytest

from audit.checkpoint import Checkpoint
from audit.note import Cosigner
from audit.witness.client import Client
from tests.support.bad_endpoints import endpoint, gone, saying, silent
from tests.support.builders import ORIGIN, SIGNER
from vault.adapters.anchors.reading import Ours
from vault.adapters.anchors.witness import WitnessAnchor
from vault.ports.anchors import AnchorFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

WITNESS = Cosigner.from_seed("w.example/w1", b"w" * 32)
NOTE = SIGNER.sign(Checkpoint(ORIGIN, 7, bytes(32)).format())


class Seven:
    """A log of seven entries."""

    def size(self) -> int:
        """Give seven."""
        return 7

    def consistency(self, old: int, new: int) -> Sequence[bytes]:
        """Prove nothing."""
        del old, new
        return ()


def anchor(url: str, seconds: float = 2.0) -> WitnessAnchor:
    return WitnessAnchor(Client(url, WITNESS.verifier, timeout=seconds), Ours((SIGNER.verifier,)))


@pytest.mark.parametrize(
    ("status", "body"),
    [
        ("200 OK", b"garbage"),
        ("200 OK", b"\xff\xfe\x00"),
        ("200 OK", "— w.example/w1 AAAAAAAA\n".encode()),
        ("409 Conflict", b"999999\n"),
        ("409 Conflict", b"not a size\n"),
        ("422 Unprocessable Entity", b"\x1b[31mno"),
        ("500 Internal Server Error", b""),
        ("302 Found", b""),
    ],
)
def test_what_is_no_cosignature_is_a_failure_and_proves_nothing(status: str, body: bytes) -> None:
    with endpoint(saying(status, body, "Content-Type: text/x.tlog.size\r\n")) as url:
        with pytest.raises(AnchorFailed) as failed:
            anchor(url).confirm(NOTE, 0, Seven())
        assert failed.value.notes == ()
        assert "\x1b" not in failed.value.words


def test_a_witness_that_drips_is_cut_off() -> None:
    def drip(connection: socket.socket) -> None:
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(100):
            connection.sendall(b"a")
            time.sleep(0.05)  # slower than anybody waits, faster than a socket's own timeout

    began = time.monotonic()
    with endpoint(drip) as url, pytest.raises(AnchorFailed, match="gives no answer"):
        anchor(url, 0.3).confirm(NOTE, 0, Seven())
    with endpoint(silent) as url, pytest.raises(AnchorFailed, match="gives no answer"):
        anchor(url, 0.3).latest(7)
    with gone() as url, pytest.raises(AnchorFailed, match="gives no answer"):
        anchor(url, 0.3).latest(7)
    assert time.monotonic() - began < 20


def test_a_checkpoint_without_our_signature_is_not_shown() -> None:
    stranger = f"{ORIGIN}\n999\n{'A' * 43}=\n"
    note = f"{stranger}\n{WITNESS.line(stranger, int(time.time()))}"
    with endpoint(saying("200 OK", note.encode())) as url:
        assert anchor(url).latest(7) == ()
