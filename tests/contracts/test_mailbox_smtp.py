"""The mailbox over real SMTP and LMTP: what is answered and when; hostile senders cost little and lose nothing."""

from __future__ import annotations

import logging
import smtplib
import socket
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.mailbox import client, wire
from vault.adapters.mailbox.receiver import Listening, Receiver
from vault.errors import Limited, NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

OURS, OTHER = "root@msp.example", "other@msp.example"
MAIL = b"From: a@b.example\r\nSubject: hello\r\n\r\n.. a dot, and a secret 418293\r\n"


class Box:
    """Takes what comes, or fails as it is told to."""

    def __init__(self) -> None:
        self.kept: list[tuple[bytes, str]] = []
        self.faults: dict[str, Exception] = {}

    def would(self, address: str) -> None:
        """Refuse other domains, and what is full."""
        if not address.endswith("@msp.example"):
            raise NotFound("not_found", "none of ours")
        if address.startswith("full"):
            raise Limited("mailbox.full", "full")

    def take(self, raw: bytes, address: str) -> None:
        """Keep one."""
        if address in self.faults:
            raise self.faults[address]
        self.kept.append((raw, address))


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Box, Receiver]]:
    """Listen once for all."""
    box = Box()
    place = Listening("127.0.0.1:0", message_bytes=65_536, recipients=3, connections=8, timeout=5.0)
    receiver = Receiver(place, box.would, box.take)
    receiver.start()
    yield box, receiver
    receiver.close()
    assert not receiver.is_running


@pytest.fixture
def box(made: tuple[Box, Receiver]) -> Iterator[Box]:
    """Lend it empty."""
    made[0].kept.clear()
    settled(made[1])
    yield made[0]
    made[0].faults.clear()


@pytest.fixture
def receiver(made: tuple[Box, Receiver]) -> Receiver:
    """Lend what listens."""
    return made[1]


def said(connection: socket.socket, line: bytes) -> bytes:
    """Send a line and give the answer to it."""
    connection.sendall(line + b"\r\n")
    answer = connection.recv(4_096)
    while answer.rstrip(b"\r\n").rpartition(b"\n")[2][3:4] == b"-":
        answer += connection.recv(4_096)
    return answer


def settled(receiver: Receiver) -> None:
    """Wait until everybody who left is gone."""
    until = time.monotonic() + 5
    while receiver.speakers and time.monotonic() < until:
        time.sleep(0.005)


def test_a_mail_is_answered_for_once_it_is_kept_and_no_line_of_it_is_logged(
    box: Box, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), client(receiver) as sender:
        assert sender.esmtp_features["size"] == "65536"
        assert sender.sendmail("a@b.example", [OURS, OURS], MAIL) == {}
    assert box.kept == [(MAIL, OURS)]
    assert "418293" not in caplog.text


def test_an_address_that_is_not_ours_or_is_full_is_refused_before_anything_is_sent(
    box: Box, receiver: Receiver
) -> None:
    with client(receiver) as sender:
        sender.mail("a@b.example")
        assert sender.rcpt("a@elsewhere.example")[0] == 550
        assert sender.rcpt("full@msp.example")[0] == 452
        assert [sender.rcpt(f"r{number}@msp.example")[0] for number in range(4)] == [250, 250, 250, 452]
        assert sender.verify("root")[0] == 252
        assert sender.docmd("EXPN root")[0] == 502
        sender.rset()
        assert sender.mail("a@b.example", ["SIZE=70000"])[0] == 552
    assert box.kept == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (Unavailable("keys.unavailable", "down"), 451),
        (Limited("mailbox.full", "full"), 452),
        (RuntimeError("the mail said 418293"), 451),
    ],
)
def test_what_cannot_be_kept_stays_the_senders(
    box: Box, receiver: Receiver, fault: Exception, status: int
) -> None:
    box.faults[OTHER] = fault
    with client(receiver) as sender, pytest.raises(smtplib.SMTPDataError) as refused:
        sender.sendmail("a@b.example", [OURS, OTHER], MAIL)
    assert refused.value.smtp_code == status
    assert b"418293" not in refused.value.smtp_error if isinstance(refused.value.smtp_error, bytes) else True
    box.faults.clear()
    with client(receiver) as sender:
        sender.sendmail("a@b.example", [OURS, OTHER], MAIL)
    assert [to for _, to in box.kept] == [OURS, OURS, OTHER]
    assert receiver.failures in ([], ["RuntimeError"])
    receiver.failures.clear()


def test_lmtp_answers_for_each_address(box: Box, receiver: Receiver) -> None:
    box.faults[OTHER] = Unavailable("keys.unavailable", "down")
    with closing(wire(receiver)) as lmtp:
        assert said(lmtp, b"LHLO mx.msp.example").startswith(b"250-")
        for line in (
            b"MAIL FROM:<a@b.example>",
            b"RCPT TO:<root@msp.example>",
            b"RCPT TO:<other@msp.example>",
        ):
            assert said(lmtp, line).startswith(b"250")
        assert said(lmtp, b"DATA").startswith(b"354")
        lmtp.sendall(MAIL + b".\r\n")
        answers = b""
        while answers.count(b"\r\n") < 2:
            answers += lmtp.recv(4_096)
    assert [line[:3] for line in answers.split(b"\r\n")[:2]] == [b"250", b"451"]
    assert [to for _, to in box.kept] == [OURS]


def test_too_much_is_told_and_far_too_much_is_cut_off(box: Box, receiver: Receiver) -> None:
    with client(receiver) as sender:
        sender.mail("a@b.example")
        sender.rcpt(OURS)
        assert sender.data(b"X: " + b"a\r\n" * 50_000)[0] == 552
    # an endless header line, without a line break: the bytes are not gathered, and it ends
    with closing(wire(receiver)) as endless:
        for line in (b"EHLO x", b"MAIL FROM:<a@b.example>", b"RCPT TO:<root@msp.example>", b"DATA"):
            said(endless, line)
        with pytest.raises(OSError, match=r"reset|Broken|abort"):
            endless.sendall(b"X: " + b"a" * 20_000_000)
    assert box.kept == []


def test_who_says_nothing_or_nonsense_is_let_go(box: Box, receiver: Receiver) -> None:
    with closing(wire(receiver)) as odd:
        assert said(odd, b"\xff\xfe\x00").startswith(b"500")
        assert said(odd, b"DATA").startswith(b"503")
        assert said(odd, b"EHLO " + b"x" * 600).startswith(b"500")
        assert said(odd, b"AUTH PLAIN AGEAYg==")[:1] == b"5"
    crowd = [wire(receiver) for _ in range(8)]
    with closing(socket.create_connection(("127.0.0.1", receiver.port), timeout=5)) as ninth:
        assert b"421 4.3.2" in ninth.recv(200) + ninth.recv(200)
    for each in crowd:
        each.close()
    settled(receiver)
    assert box.kept == []


def test_a_connection_that_breaks_off_is_no_mail(box: Box, receiver: Receiver) -> None:
    with closing(wire(receiver)) as broken:
        for line in (b"EHLO x", b"MAIL FROM:<a@b.example>", b"RCPT TO:<root@msp.example>", b"DATA"):
            said(broken, line)
        broken.sendall(MAIL)
    with client(receiver) as sender:
        assert sender.noop()[0] == 250
    assert box.kept == []


def test_it_ends_who_goes_on_without_a_word(box: Box) -> None:
    place = Listening("127.0.0.1:0", timeout=0.1)
    quick = Receiver(place, box.would, box.take)
    quick.start()
    with closing(wire(quick)) as silent:
        assert silent.recv(10) == b""
    quick.close()
    quick.close()


def test_a_unix_socket_is_for_its_group_alone_and_left_clean(box: Box, tmp_path: Path) -> None:
    path = tmp_path / "mail.sock"
    receiver = Receiver(Listening(f"unix:{path}"), box.would, box.take)
    receiver.start()
    assert path.stat().st_mode & 0o777 == 0o660
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as made:
        made.connect(str(path))
        assert made.recv(200).startswith(b"220")
    with pytest.raises(Refused, match="cannot be listened on"):
        Receiver(Listening(f"unix:{path}"), box.would, box.take).start()
    receiver.close()
    assert not path.exists()
    # one that was left by who was killed is taken over
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as stale:
        stale.bind(str(path))
    receiver.start()
    receiver.close()


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0:25", "192.0.2.1:25", "localhost:25", "127.0.0.1", "[::]:25", "unix:mail.sock", "127.0.0.1:x"],
)
def test_it_listens_to_nobody_else(address: str) -> None:
    with pytest.raises(Refused, match=r"mailbox\.listen"):
        Listening(address).check()
