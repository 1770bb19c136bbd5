"""Letters, to real mail servers on this machine: what goes out, what is refused, and what never leaves without TLS."""

from __future__ import annotations

import datetime as dt
import ssl
from typing import TYPE_CHECKING

import pytest
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.bad_endpoints import endpoint, silent
from tests.support.places import Mailbox, mail_server
from vault.adapters.mailer import SmtpMailer
from vault.errors import Refused
from vault.ports.anchors import AnchorFailed

if TYPE_CHECKING:
    from pathlib import Path

TO = ("auditor@customer.example", "second@msp.example")
BODY = "Keep this letter.\n\nvault.example/audit\n7\nAAAA=\n\n— vault.example/audit BBBB\n"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Make a certificate for localhost; give its file and its key's."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    directory = tmp_path_factory.mktemp("certificate")
    files = directory / "cert.pem", directory / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@pytest.fixture
def serving(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """Lend what a server needs for TLS."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@pytest.fixture
def trust(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    """Lend what a client that knows the server needs."""
    return ssl.create_default_context(cafile=str(certificate[0]))


def localhost(server: str) -> str:
    return server.replace("127.0.0.1", "localhost")


def test_a_letter_arrives_as_it_was_written() -> None:
    box = Mailbox()
    with mail_server(box) as server:
        mailer = SmtpMailer(server, "none", "vault@msp.example")
        evidence = mailer.send(TO, "Audit log: 7 entries", BODY, "20261123.7@vault.example")
    (letter,) = box.letters
    assert box.recipients == [list(TO)]
    assert letter["From"] == "vault@msp.example"
    assert letter["To"] == ", ".join(TO)
    assert letter["Subject"] == "Audit log: 7 entries"
    assert letter["Message-ID"] == "<20261123.7@vault.example>"
    assert letter.get_content_type() == "text/plain"
    content = letter.get_payload(decode=True)
    assert isinstance(content, bytes)
    assert content.decode().replace("\r\n", "\n") == BODY
    assert "took the letter 20261123.7@vault.example for 2" in evidence


def test_starttls_and_tls_want_a_certificate_that_is_known(
    serving: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    box = Mailbox()
    with mail_server(box, tls_context=serving, require_starttls=True) as server:
        SmtpMailer(localhost(server), "starttls", "vault@msp.example", trust=trust).send(TO, "s", BODY, "a@b")
        with pytest.raises(AnchorFailed, match="certificate"):
            SmtpMailer(localhost(server), "starttls", "vault@msp.example").send(TO, "s", BODY, "a@b")
        with pytest.raises(AnchorFailed, match="530"):
            SmtpMailer(server, "none", "vault@msp.example").send(TO, "s", BODY, "a@b")
    with mail_server(box, ssl_context=serving) as server:
        SmtpMailer(localhost(server), "tls", "vault@msp.example", trust=trust).send(TO, "s", BODY, "a@b")
        with pytest.raises(AnchorFailed, match="certificate"):
            SmtpMailer(localhost(server), "tls", "vault@msp.example").send(TO, "s", BODY, "a@b")
    assert len(box.letters) == 2


def test_a_server_without_tls_gets_no_letter() -> None:
    box = Mailbox()
    with mail_server(box) as server, pytest.raises(AnchorFailed, match="SMTPNotSupportedError"):
        SmtpMailer(localhost(server), "starttls", "vault@msp.example").send(TO, "s", BODY, "a@b")
    assert box.letters == []


def test_it_signs_in_with_a_password_from_a_private_file(
    tmp_path: Path, serving: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    seen: list[LoginPassword] = []

    def authenticate(
        server: object, session: object, envelope: object, mechanism: str, data: LoginPassword
    ) -> AuthResult:
        del server, session, envelope, mechanism
        seen.append(data)
        return AuthResult(success=data.password == b"hunter2", handled=False)

    secret = tmp_path / "mail.password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    box = Mailbox()
    with mail_server(box, tls_context=serving, authenticator=authenticate, auth_required=True) as server:
        mailer = SmtpMailer(localhost(server), "starttls", "vault@msp.example", "vault", secret, trust=trust)
        mailer.send(TO, "s", BODY, "a@b")
        secret.write_text("wrong")
        with pytest.raises(AnchorFailed, match="535") as failed:
            mailer.send(TO, "s", BODY, "a@b")
        assert "wrong" not in failed.value.words
        secret.chmod(0o644)
        with pytest.raises(AnchorFailed, match="mode 0600"):
            mailer.send(TO, "s", BODY, "a@b")
    assert {each.login for each in seen} == {b"vault"}
    assert len(box.letters) == 1


@pytest.mark.parametrize("bad", ["a@b.example\r\nBcc: x@y.example", "a@b.example\nX: y"])
def test_nothing_becomes_a_header(bad: str) -> None:
    box = Mailbox()
    with mail_server(box) as server:
        mailer = SmtpMailer(server, "none", "vault@msp.example")
        with pytest.raises(AnchorFailed, match="not an address"):
            mailer.send((bad,), "s", BODY, "a@b")
        for subject, message_id in ((bad, "a@b"), ("s", bad)):
            with pytest.raises(AnchorFailed, match="line break"):
                mailer.send(TO, subject, BODY, message_id)
        mailer.send(TO, "s", "body\n.\nQUIT\nFrom: x\n", "a@b")
    assert len(box.letters) == 1
    assert [name for name in box.letters[0].keys() if name.lower() in {"bcc", "x"}] == []  # noqa: SIM118 - a Message


@pytest.mark.parametrize("to", [(), ("no-address",), ("a@b@c.example",), ('"x y"@z.example',), ("a@-x",)])
def test_what_is_no_address_gets_no_letter(to: tuple[str, ...]) -> None:
    with pytest.raises(AnchorFailed, match="not an address"):
        SmtpMailer("127.0.0.1:1", "none", "vault@msp.example").send(to, "s", BODY, "a@b")


def test_a_server_that_refuses_hangs_or_is_gone_is_said_in_bounded_time() -> None:
    box = Mailbox(refuse="451 try\x1b[31m later")
    with mail_server(box) as server, pytest.raises(AnchorFailed, match="451"):
        SmtpMailer(server, "none", "vault@msp.example").send(TO, "s", BODY, "a@b")
    with pytest.raises(AnchorFailed, match="refused"):
        SmtpMailer(server, "none", "vault@msp.example").send(TO, "s", BODY, "a@b")
    with endpoint(silent) as url:
        hanging = SmtpMailer(url.removeprefix("http://"), "none", "vault@msp.example", timeout=0.2)
        with pytest.raises(AnchorFailed, match=r"timed out|SMTPServerDisconnected"):
            hanging.send(TO, "s", BODY, "a@b")


@pytest.mark.parametrize(
    ("server", "security", "sender", "user"),
    [
        ("mail.example", "starttls", "a@b.example", ""),
        ("mail.example:25", "none", "a@b.example", ""),
        ("mail.example:25", "maybe", "a@b.example", ""),
        ("mail.example:25", "tls", "a b", ""),
        ("mail.example:25", "tls", "a@b.example", "user"),
        (":25", "tls", "a@b.example", ""),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(
    server: str, security: str, sender: str, user: str
) -> None:
    with pytest.raises(Refused, match=r"mail\."):
        SmtpMailer(server, security, sender, user)
