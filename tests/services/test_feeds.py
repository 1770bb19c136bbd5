"""Live feeds with real receivers: every entry, in order, at least once, whatever the receiver does."""

from __future__ import annotations

import ipaddress
import json
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from audit.entry import write
from audit.merkle import leaf_hash
from tests.services.test_exports import grow
from tests.support.events import entries
from tests.support.readers import read_syslog
from tests.support.receivers import DatagramReceiver, Hook, StreamReceiver
from vault.adapters.clock import SystemClock
from vault.adapters.feeds.syslog import Syslog
from vault.adapters.feeds.webhook import Webhook, read_secrets
from vault.errors import Refused
from vault.ports.feeds import Delivery
from vault.services.feeds import Feeds

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.world import World
    from vault.domain.formats import Copied
    from vault.ports.feeds import Feed

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OLD = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwd"
FORMS = ("tcp", "udp", "unix")


def feeds_of(world: World, *feeds: Feed) -> Feeds:
    """Make the use case over some feeds, in the world's own log."""
    return Feeds(world.vault.units, world.vault.outlets, world.clock, feeds)


def hook_to(hook: Hook) -> Webhook:
    """Make the feed of a receiver; its times are real, as Standard Webhooks wants them."""
    return Webhook(hook.url, (SECRET,), SystemClock(), timeout=2)


def indexes(hook: Hook) -> list[int]:
    """Give the indexes of the entries that were taken."""
    return [each["data"]["index"] for each in hook.taken]


def size(world: World) -> int:
    """Count the entries of the log."""
    with world.vault.units.read() as unit:
        return int(unit.log.checkpoint().split("\n")[1])


def test_every_entry_is_sent_signed_in_order_on_one_connection(world: World) -> None:
    with Hook(SECRET) as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        grow(world, 40)
        assert feeds.deliver(feed) == size(world)
        grow(world, 3)
        assert feeds.deliver(feed) == 3
        assert feeds.deliver(feed) == 0
    assert indexes(hook) == list(range(size(world)))
    assert hook.connections == 2
    for each, id_ in zip(hook.taken, hook.ids, strict=True):
        leaf = json.loads(each["data"]["leaf"])
        assert leaf_hash(each["data"]["leaf"].encode()).hex() == each["data"]["leaf_hash"]
        assert (leaf["id"], leaf["type"], leaf["time"]) == (id_, each["type"], each["timestamp"])
        assert each["data"]["checkpoint_size"] > leaf["seq"]


@pytest.mark.parametrize("world", ["postgresql"], indirect=True)  # where a log is read while others write it
def test_after_an_hour_away_all_that_was_missed_comes_in_order_with_one_loss_and_one_return(
    world: World,
) -> None:
    with Hook(SECRET) as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        feeds.deliver(feed)
    for _ in range(60):
        grow(world, 5)
        feeds.deliver(feed)
        world.clock.advance(minutes=1)
    (standing,) = feeds.standings()
    assert standing.outlet is not None
    assert (standing.lag, standing.outlet.lost) == (size(world) - standing.outlet.position, True)
    with hook:
        while feeds.deliver(feed):
            pass
    assert indexes(hook) == list(range(size(world)))
    lost, back = entries(world, type="outlet.lost"), entries(world, type="outlet.back")
    assert (len(lost), len(back)) == (1, 1)
    assert back[0]["detail"]["position"] == back[0]["seq"]  # nothing was missing when it counted as back
    (standing,) = feeds.standings()
    assert (standing.lag, standing.outlet is not None and standing.outlet.lost) == (0, False)


def test_an_entry_that_was_not_taken_stops_the_rest_and_comes_again(world: World) -> None:
    grow(world, 5)
    last = size(world)
    with Hook(SECRET, answers=[(204, {}, b""), (204, {}, b""), (500, {}, b"\x1b[31mno")]) as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        assert feeds.deliver(feed) == 2
        (standing,) = feeds.standings()
        assert standing.outlet is not None
        assert (standing.outlet.position, standing.outlet.error) == (2, "answered 500: [31mno")
        assert feeds.deliver(feed) == 0  # it is not time yet
        world.clock.advance(seconds=2)
        assert feeds.deliver(feed) == last - 2
    assert indexes(hook) == list(range(last))


@pytest.mark.parametrize(
    ("status", "headers", "said"),
    [
        (302, {"Location": "http://127.0.0.1:1/"}, b""),
        (200, {"Content-Length": "99999999"}, b"x" * 100_000),
        (400, {}, b"x" * 100_000),
    ],
)
def test_no_answer_leads_astray(world: World, status: int, headers: dict[str, str], said: bytes) -> None:
    grow(world, 3)
    with Hook(SECRET, answers=[(status, headers, said)]) as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        sent = feeds.deliver(feed)
        (standing,) = feeds.standings()
        assert standing.outlet is not None
        if status == 200:
            assert sent == size(world)
        else:
            assert sent == 0
            assert standing.outlet.error is not None
            assert standing.outlet.error.startswith(f"answered {status}")
            assert len(standing.outlet.error) <= 200


def test_a_receiver_says_when_to_come_again(world: World) -> None:
    with Hook(SECRET, answers=[(429, {"Retry-After": "90"}, b"")]) as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        feeds.deliver(feed)
        world.clock.advance(seconds=89)
        assert feeds.deliver(feed) == 0
        world.clock.advance(seconds=1)
        assert feeds.deliver(feed) == size(world)


def test_a_receiver_that_wants_nothing_more_is_left_alone_until_somebody_starts_it(world: World) -> None:
    with Hook(SECRET, answers=[(410, {}, b"gone")]) as hook:
        feed = hook_to(hook)
        feeds = feeds_of(world, feed)
        feeds.deliver(feed)
        assert [each["detail"]["error"] for each in entries(world, type="outlet.lost")] == [
            "stopped: answered 410: gone"
        ]
        world.clock.advance(days=2)
        assert feeds.deliver(feed) == 0
        (standing,) = feeds.standings()
        assert standing.is_stopped
        feeds.start("webhook")
        feeds.deliver(feed)
    assert indexes(hook) == list(range(size(world)))
    assert len(entries(world, type="outlet.back")) == 1


def test_a_second_worker_sends_nothing_meanwhile(world: World) -> None:
    @dataclass
    class Slow:
        name: str = "webhook"
        inner: list[int] = field(default_factory=list)

        def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
            self.inner.append(feeds.deliver(self))
            return Delivery(len(entries))

        def test(self) -> Delivery:
            return Delivery(1)

    slow = Slow()
    feeds = feeds_of(world, slow)
    assert feeds.deliver(slow) == size(world)
    assert slow.inner == [0]


def test_who_died_after_sending_sends_again(world: World) -> None:
    class Died(BaseException):
        """The process is gone."""

    @dataclass
    class Dying:
        hook: Webhook
        name: str = "webhook"

        def deliver(self, entries: Sequence[Copied], seconds: float) -> Delivery:
            self.hook.deliver(entries, seconds)
            raise Died

        def test(self) -> Delivery:
            return Delivery(1)

    with Hook(SECRET) as hook:
        feed = hook_to(hook)
        with pytest.raises(Died):
            feeds_of(world, feed).deliver(Dying(feed))
        world.clock.advance(minutes=3)
        feeds_of(world, feed).deliver(feed)
    assert indexes(hook) == [*range(size(world)), *range(size(world))]
    assert hook.ids[: size(world)] == hook.ids[size(world) :]  # by which a receiver knows them


def test_both_secrets_of_a_change_verify(world: World) -> None:
    with Hook(OLD) as hook:
        feed = Webhook(hook.url, (SECRET, OLD), SystemClock())
        assert feeds_of(world, feed).deliver(feed) == size(world)


def test_a_test_message_is_no_entry(world: World) -> None:
    with Hook(SECRET, answers=[(204, {}, b""), (403, {}, b"who are you?")]) as hook:
        feed = hook_to(hook)
        assert feed.test() == Delivery(1)
        assert feed.test().error == "answered 403: who are you?"
    assert [(each["type"], each["data"]) for each in hook.taken] == [("feed.test", {})]
    assert feed.test().error is not None


@pytest.mark.parametrize("form", FORMS)
def test_syslog_takes_every_entry_in_order(world: World, tmp_path: Path, form: str) -> None:
    grow(world, 300 if form == "tcp" else 60)  # what a datagram socket's buffer holds: more may be lost
    count = size(world)
    receivers: dict[str, StreamReceiver | DatagramReceiver] = {
        "tcp": StreamReceiver(),
        "udp": DatagramReceiver(),
        "unix": DatagramReceiver(tmp_path / "log"),
    }
    with receivers[form] as receiver:
        address = f"unix://{tmp_path / 'log'}" if form == "unix" else f"{form}://127.0.0.1:{receiver.port}"
        feed = Syslog(address, world.clock)
        feeds = feeds_of(world, feed)
        if isinstance(receiver, DatagramReceiver):
            with ThreadPoolExecutor(1) as reader:
                taken = reader.submit(receiver.take, count)
                assert feeds.deliver(feed) == count
                found = taken.result()
        else:
            assert feeds.deliver(feed) == count
            found = receiver.messages
    messages = [read_syslog(each) for each in found]
    assert [int(each.elements["entry@32473"]["index"]) for each in messages] == list(range(count))
    for each in messages:
        leaf = write(json.loads(each.text))
        assert leaf_hash(leaf).hex() == each.elements["entry@32473"]["leaf_hash"]
        assert each.facility == 13


def test_a_stream_that_breaks_off_is_sent_again_and_nothing_is_missing(world: World) -> None:
    grow(world, 30)
    with StreamReceiver(cuts=2) as receiver:
        feed = Syslog(f"tcp://127.0.0.1:{receiver.port}", world.clock, timeout=2)
        feeds = feeds_of(world, feed)
        for _ in range(2):
            assert feeds.deliver(feed) == 0
            world.clock.advance(minutes=1)
        assert feeds.deliver(feed) == size(world)
    found = [int(read_syslog(each).elements["entry@32473"]["index"]) for each in receiver.messages]
    assert found == list(range(size(world)))


def certificate(directory: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine that vouches for itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)

    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    cert, secret = directory / "cert.pem", directory / "key.pem"
    cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return cert, secret


def test_syslog_within_tls_only_to_who_is_vouched_for(world: World, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    mine = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    mine.load_cert_chain(cert, key)
    with StreamReceiver(mine) as receiver:
        address = f"tls://127.0.0.1:{receiver.port}"
        stranger = Syslog(address, world.clock, timeout=2)
        failed = stranger.test()
        assert failed.count == 0
        assert failed.error is not None
        assert "certificate" in failed.error.lower()
        feed = Syslog(address, world.clock, timeout=2, trusted=ssl.create_default_context(cafile=str(cert)))
        assert feeds_of(world, feed).deliver(feed) == size(world)
    assert len(receiver.messages) == size(world)


def test_a_syslog_test_message_is_well_formed(world: World) -> None:
    with StreamReceiver() as receiver:
        assert Syslog(f"tcp://127.0.0.1:{receiver.port}", world.clock).test() == Delivery(1)
    (message,) = map(read_syslog, receiver.messages)
    assert (message.kind, message.facility, message.severity, message.elements) == ("feed.test", 13, 6, {})


def test_nobody_there_is_a_failure_with_words(world: World, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    for address in (f"tcp://127.0.0.1:{port}", f"unix://{tmp_path / 'none'}"):
        came = Syslog(address, world.clock).test()
        assert came.count == 0
        assert came.error


@pytest.mark.parametrize(
    "address",
    [
        "",
        "tcp://",
        "tcp://host",
        "http://host:1",
        "tcp://host:x",
        "unix://host/dev/log",
        "unix:dev",
        "tcp://h:1/p",
    ],
)
def test_a_syslog_address_that_is_none_is_refused(world: World, address: str) -> None:
    with pytest.raises(Refused, match=r"feeds\.syslog"):
        Syslog(address, world.clock)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "ftp://host/",
        "http://siem.example.com/",
        "https://",
        "https://me@host/",
        "http://127.0.0.1.example/",
    ],
)
def test_a_webhook_in_clear_is_refused(world: World, url: str) -> None:
    with pytest.raises(Refused, match=r"feeds\.webhook_url"):
        Webhook(url, (SECRET,), world.clock)


def test_a_secret_file_is_checked_and_never_repeated(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text(f"{SECRET}\n{OLD}\n")
    path.chmod(0o600)
    assert read_secrets(path) == (SECRET, OLD)
    for wrong in ("", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_!!!", "ü"):
        path.write_text(wrong)
        with pytest.raises(Refused, match="whsec_") as refused:
            read_secrets(path)
        assert refused.value.code == "settings.invalid"
        assert len(wrong) < 7 or wrong not in refused.value.detail
    path.write_text(SECRET)
    path.chmod(0o640)
    with pytest.raises(Refused, match="chmod 600"):
        read_secrets(path)
