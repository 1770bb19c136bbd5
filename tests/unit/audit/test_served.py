"""A log read over HTTP, from servers that are slow, busy, broken, or mean it ill."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from audit import served
from audit.__main__ import main
from audit.bundle import Bundle, write_bundle
from audit.errors import BundleRefused
from audit.served import Address, Served
from audit.verify import Older, Report, examine
from tests.unit.audit.world import LOG, ORIGIN, SIGNER, SIZE, codes, fill, filled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

KEY = SIGNER.vkey
TOKEN = "rvt_0123456789"
PREFIX = "/api/v1/audit"


@dataclass
class Site:
    """A web server over a directory; `answers` are given first, each once, as status, headers and content."""

    root: Path
    port: int = 0
    asked: list[str] = field(default_factory=list)
    tokens: set[str | None] = field(default_factory=set)
    connections: int = 0
    answers: list[tuple[int, dict[str, str], bytes]] = field(default_factory=list)
    wants_token: bool = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PREFIX}"


def handler_for(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            site.connections += 1

        def log_message(self, *_: object) -> None:
            """Say nothing."""

        def do_GET(self) -> None:
            site.asked.append(self.path)
            site.tokens.add(self.headers.get("Authorization"))
            path = site.root / self.path.removeprefix(PREFIX + "/")
            if site.answers:
                self.answer(*site.answers.pop(0))
            elif site.wants_token and self.headers.get("Authorization") != f"Bearer {TOKEN}":
                self.answer(401, {}, b"who are you")
            elif path.is_file():
                self.answer(200, {}, path.read_bytes())
            else:
                self.answer(404, {}, b"no such file")

        def answer(self, status: int, headers: dict[str, str], content: bytes) -> None:
            self.send_response(status)
            for name, value in {"Content-Length": str(len(content)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):  # the reader may have enough
                self.wfile.write(content)

    return Handler


@pytest.fixture
def site(bundle: Path) -> Iterator[Site]:
    with serving(bundle) as made:
        yield made


@contextlib.contextmanager
def serving(root: Path, context: ssl.SSLContext | None = None) -> Iterator[Site]:
    made = Site(root)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler_for(made)) as server:
        server.daemon_threads = True
        if context is not None:
            server.socket = context.wrap_socket(server.socket, server_side=True)
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield made
        server.shutdown()
        thread.join()


def verdict(url: str, *since: Older, **options: Any) -> Report:
    source = Bundle(Served(Address.parse(url), **options))
    with source:
        return examine(source, SIGNER.verifier, since)


def test_a_served_log_is_examined_as_a_bundle_is_on_one_connection(site: Site) -> None:
    report = verdict(site.url)
    assert report.findings == ()
    assert report.examined == SIZE
    assert sorted(site.asked) == sorted(
        f"{PREFIX}/{name}"
        for name in (
            *("checkpoint", "tile/0/000", "tile/0/001.p/20", "tile/1/000.p/1"),
            *("tile/entries/000", "tile/entries/001.p/20"),
        )
    )
    assert site.connections == 1
    assert site.tokens == {None}


def test_a_changed_entry_of_a_served_log_is_named(site: Site) -> None:
    path = site.root / "tile/entries/000"
    path.write_bytes(path.read_bytes().replace(b"Ada", b"Eve", 1))
    assert verdict(site.url).first_bad == 0


def test_partial_tiles_are_cut_out_of_full_ones_where_the_log_has_grown(site: Site, tmp_path: Path) -> None:
    log = filled(SIZE)
    write_bundle(log, tmp_path / "then")
    fill(log, 2 * SIZE)
    write_bundle(log, tmp_path / "now")
    (tmp_path / "now/checkpoint").write_bytes((tmp_path / "then/checkpoint").read_bytes())
    (tmp_path / "now/tile/1/000.p/1").parent.mkdir(exist_ok=True)
    (tmp_path / "now/tile/1/000.p/1").write_bytes((tmp_path / "then/tile/1/000.p/1").read_bytes())
    site.root = tmp_path / "now"
    assert verdict(site.url).findings == ()
    assert f"{PREFIX}/tile/0/001.p/20" in site.asked
    assert f"{PREFIX}/tile/0/001" in site.asked


@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_server_is_asked_again_after_the_time_it_names(site: Site, status: int) -> None:
    later = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=20)
    site.answers = [
        (status, {"Retry-After": "7"}, b""),
        (status, {"Retry-After": "100000"}, b""),
        (status, {"Retry-After": format_datetime(later, usegmt=True)}, b""),
        (status, {"Retry-After": "soon"}, b""),
        (status, {"Retry-After": "-5"}, b""),
        (status, {}, b""),
    ]
    waited: list[float] = []
    assert verdict(site.url, sleep=waited.append).findings == ()
    assert waited[:2] == [7, served.SECONDS_WAIT]
    assert 15 <= waited[2] <= 20
    assert waited[3:] == [8, 16, 32]


def test_a_server_that_stays_busy_is_given_up(site: Site) -> None:
    site.answers = [(503, {}, b"")] * 100
    waited: list[float] = []
    report = verdict(site.url, sleep=waited.append)
    assert codes(report) == {"served.unreachable"}
    assert len(waited) == served.MOST_TRIES


@pytest.mark.parametrize(
    ("status", "code"), [(401, "served.denied"), (403, "served.denied"), (400, "served.status")]
)
def test_an_answer_that_will_not_get_better_is_a_finding(site: Site, status: int, code: str) -> None:
    site.answers = [(status, {}, b"x" * 100_000)]
    assert codes(verdict(site.url)) == {code}


def test_no_redirection_is_followed(site: Site, tmp_path: Path) -> None:
    with serving(tmp_path) as other:
        site.answers = [(302, {"Location": f"{other.url}/checkpoint"}, b"")]
        report = verdict(site.url, token=TOKEN)
        assert codes(report) == {"served.redirected"}
        assert other.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        (200, {"Content-Length": "99999999999"}, b"x"),
        (200, {"Connection": "close", "Content-Length": "2000000"}, b"x" * 2_000_000),
    ],
)
def test_no_more_is_read_than_the_format_allows(
    site: Site, answer: tuple[int, dict[str, str], bytes]
) -> None:
    site.answers = [answer]
    assert codes(verdict(site.url)) == {"bundle.too_long"}


def test_what_is_missing_is_a_finding(site: Site) -> None:
    (site.root / "tile/entries/001.p/20").unlink()
    report = verdict(site.url)
    assert codes(report) == {"bundle.missing"}


def raw(answer: Callable[[socket.socket], None]) -> contextlib.AbstractContextManager[int]:
    """Serve by hand: `answer` is called for each connection, once it sent a request."""

    @contextlib.contextmanager
    def run() -> Iterator[int]:
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.05)
            ended = threading.Event()

            def loop() -> None:
                while not ended.is_set():
                    with contextlib.suppress(OSError):
                        connection, _ = server.accept()
                        with connection:
                            connection.settimeout(5)
                            connection.recv(65_536)
                            answer(connection)

            thread = threading.Thread(target=loop)
            thread.start()
            try:
                yield int(server.getsockname()[1])
            finally:
                ended.set()
                thread.join()

    return run()


def test_a_server_that_breaks_off_is_asked_again_and_given_up() -> None:
    asked = []

    def answer(connection: socket.socket) -> None:
        asked.append(1)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort")

    waited: list[float] = []
    with raw(answer) as port:
        report = verdict(f"http://127.0.0.1:{port}", sleep=waited.append)
    assert codes(report) == {"served.unreachable"}
    assert len(asked) == served.MOST_TRIES
    assert waited == [1, 2, 4, 8, 16, 32, 60]


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 1_000,
        b"HTTP/1.1 999999 x\r\n\r\n",
        b"\xff" * 70_000,
    ],
)
def test_what_is_no_http_is_a_finding(words: bytes) -> None:
    with raw(lambda connection: connection.sendall(words)) as port:
        report = verdict(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    assert codes(report) <= {"served.unreachable", "served.status"}
    assert not report.is_sound


def test_a_server_that_never_comes_to_an_end_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(served, "SECONDS_ANSWER", 0.05)
    monkeypatch.setattr(served, "MOST_TRIES", 2)

    def answer(connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")

    with raw(answer) as port:
        report = verdict(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    assert codes(report) == {"served.unreachable"}


def test_nobody_at_home_is_a_finding() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    report = verdict(f"http://127.0.0.1:{port}", sleep=lambda _: None)
    assert codes(report) == {"served.unreachable"}


@pytest.mark.parametrize(
    "url",
    [
        "http://log.example/audit",
        "http://192.0.2.1/audit",
        "ftp://localhost/",
        "https:///audit",
        "https://user:pass@localhost/",
        "https://localhost/?a=b",
        "https://localhost/#a",
        "https://localhost:99999/",
        "https://local host/",
        "https://lócalhost/",
        "https://localhost/\r\nX: y",
    ],
)
def test_an_address_that_may_not_be_asked_is_refused(url: str) -> None:
    with pytest.raises(BundleRefused, match=r"served\."):
        Address.parse(url)


def test_http_to_other_machines_is_for_those_who_insist_and_never_with_a_token() -> None:
    address = Address.parse("http://log.example/audit/checkpoint", insecure=True)
    assert (address.host, address.path) == ("log.example", "/audit")
    Served(address)
    with pytest.raises(BundleRefused, match="a token is not sent"):
        Served(address, TOKEN)


def run(*arguments: str) -> int:
    return main(["verify", *arguments, "--key", KEY])


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    path = tmp_path / "token"
    path.write_text(TOKEN + "\n")
    path.chmod(0o600)
    return path


def test_the_command_takes_an_address_and_a_token_from_a_file(
    site: Site, token_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    site.wants_token = True
    assert run(site.url) == 1
    assert "--token-file" in capsys.readouterr().out
    assert run(site.url, "--token-file", str(token_file)) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"sound: {ORIGIN}, {SIZE} entries")
    assert TOKEN not in printed.out + printed.err


def test_a_token_goes_to_the_log_and_nowhere_else(
    site: Site, token_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = filled(30)
    write_bundle(log, tmp_path / "mirror")
    with serving(tmp_path / "mirror") as mirror:
        arguments = (site.url, "--since", mirror.url, "--since", f"{site.url}/checkpoint", "--json")
        assert run(*arguments, "--token-file", str(token_file)) == 1
    assert mirror.tokens == {None}
    assert site.tokens == {f"Bearer {TOKEN}"}
    report = json.loads(capsys.readouterr().out)
    assert (report["first_bad"], report["agreed"]) == (0, [SIZE])


@pytest.mark.parametrize("content", [b"", b"two words\n", b"x" * 5_000, "é".encode(), b"a\nb"])
def test_a_file_without_a_token_is_wrong_usage(
    site: Site, token_file: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    token_file.write_bytes(content)
    assert run(site.url, "--token-file", str(token_file)) == 2
    assert "does not hold one token" in capsys.readouterr().err
    assert site.asked == []


def test_a_token_that_others_may_read_is_wrong_usage(
    site: Site, token_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token_file.chmod(0o640)
    assert run(site.url, "--token-file", str(token_file)) == 2
    assert "0600" in capsys.readouterr().err
    assert run(str(site.root), "--token-file", str(token_file)) == 2


@pytest.mark.parametrize("proxy", ["nonsense", "host:", ":1", "host:x"])
def test_a_proxy_that_is_none_is_wrong_usage(site: Site, proxy: str) -> None:
    assert run(site.url, "--proxy", proxy) == 2


def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert run(site.url) == 0


def test_an_address_that_is_none_is_wrong_usage() -> None:
    assert run("http://log.example/audit") == 2


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a server's side of TLS, and the file of the authority that it is to be believed by."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(pem + made.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context, path


def test_a_certificate_is_believed_by_its_authority_alone(
    bundle: Path, certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    context, path = certificate
    with serving(bundle, context) as site:
        url = f"https://localhost:{site.port}{PREFIX}"
        report = verdict(url, token=TOKEN, sleep=lambda _: None)
        assert codes(report) == {"served.unreachable"}
        assert "certificate" in report.findings[0].words
        assert site.asked == []
        assert verdict(url, token=TOKEN, context=ssl.create_default_context(cafile=path)).is_sound
        assert site.tokens == {f"Bearer {TOKEN}"}
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        assert verdict(url).is_sound


def test_a_proxy_that_was_asked_for_is_told_where_to_go(bundle: Path) -> None:
    told = []

    def answer(connection: socket.socket) -> None:
        told.append(1)
        connection.sendall(b"HTTP/1.1 403 Forbidden\r\n\r\n")

    with raw(answer) as port:
        report = verdict("https://log.example/audit", proxy=("127.0.0.1", port), sleep=lambda _: None)
    assert codes(report) == {"served.unreachable"}
    assert len(told) == served.MOST_TRIES
    with pytest.raises(BundleRefused, match=r"served\.proxy"):
        Served(Address.parse("http://localhost/"), proxy=("127.0.0.1", 1))


def test_a_served_log_is_held_against_what_was_kept(site: Site) -> None:
    log = filled(30)
    report = verdict(site.url, Older("kept", LOG.checkpoint(log)))
    assert (report.first_bad, report.bounds) == (0, (0, 29))
