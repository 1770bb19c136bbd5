"""How a served log is reached: what addresses are allowed, who is given the token, whose certificate is believed."""

from __future__ import annotations

import datetime as dt
import json
import socket
import ssl
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from audit import served
from audit.__main__ import main
from audit.bundle import write_bundle
from audit.errors import BundleRefused
from audit.served import Address, Served
from tests.unit.audit.site import PREFIX, TOKEN, Site, raw, serving, verdict
from tests.unit.audit.world import ORIGIN, SIGNER, SIZE, codes, filled

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

KEY = SIGNER.vkey


@pytest.fixture
def site(bundle: Path) -> Iterator[Site]:
    with serving(bundle) as made:
        yield made


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
