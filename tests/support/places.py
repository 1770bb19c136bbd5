"""Places outside for tests: a bucket behind moto over real HTTP that can go down, a mail server, a signing KMS.

moto's Object Lock is enforced for what is tested here (a COMPLIANCE version is not deleted, If-None-Match), but
it lets retention be shortened, which AWS does not. Asked for versions after a KeyMarker that is no name itself it
leaves the first one out; `cloud` mends that, as AWS lists what is after the marker. It knows no Ed25519 keys:
`SigningKms` is a server of ours that implements exactly `GetPublicKey` and `Sign` of KMS's wire protocol, for
one such key.
"""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import uuid
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final
from unittest import mock

import boto3
from aiosmtpd.controller import Controller
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from moto.s3.models import S3Backend
from moto.server import ThreadedMotoServer
from typing_extensions import override

from audit.note import Verifier
from tests.support.moto_kms import made_up_credentials, moto_server
from tests.support.world import World, hasher
from vault.adapters.anchors.bucket import Bucket, BucketAnchor, BucketCopy
from vault.adapters.anchors.reading import Ours
from vault.bootstrap.compose import Ground, compose
from vault.bootstrap.outside import Outside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import Message

    from vault.ports.anchors import Anchor, Copy, Cosigner, Mailer, Mark
    from vault.settings import Settings

ARN: Final = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@dataclass(slots=True)
class Cloud:
    """moto over HTTP on one port of this machine: it goes down, and comes back with what it kept."""

    port: int = 0
    server: ThreadedMotoServer | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    def up(self) -> None:
        """Answer."""
        server = moto_server(self.port)
        self.server, self.port = server, server.get_host_and_port()[1]

    def down(self) -> None:
        """Refuse every connection."""
        if self.server is not None:
            self.server.stop()
            if self.server._server is not None:
                self.server._server.server_close()
            self.server = None

    def client(self) -> Any:
        """Give a plain client of S3, for whoever tampers."""
        return boto3.session.Session().client("s3", region_name="us-east-1", endpoint_url=self.url)

    def bucket(self, *, locked: bool = True) -> str:
        """Make a bucket; give its name."""
        name = f"log-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
        return name

    def place(self, world: World, bucket: str, prefix: str = "log/") -> Bucket:
        """Make our side of a bucket."""
        return Bucket(bucket, prefix, 30, ours(world), world.clock, self.url, "us-east-1")


@contextlib.contextmanager
def cloud() -> Iterator[Cloud]:
    """Lend a cloud that is up."""
    made = Cloud()
    with made_up_credentials(), mock.patch.object(S3Backend, "list_object_versions", _versions_after):
        made.up()
        try:
            yield made
        finally:
            made.down()


_list = S3Backend.list_object_versions


def _versions_after(
    self: S3Backend,
    bucket_name: str,
    delimiter: str | None = None,
    key_marker: str | None = None,
    max_keys: int | None = 1000,
    prefix: str = "",
    version_id_marker: str | None = None,
) -> tuple[Any, ...]:
    """List what comes after a marker, as AWS does."""
    if key_marker is None or version_id_marker is not None or max_keys is None:
        return _list(self, bucket_name, delimiter, key_marker, max_keys, prefix, version_id_marker)
    found, folders, markers, _, _ = _list(self, bucket_name, delimiter, None, None, prefix, None)
    listed: list[Any] = list(found)
    listed.extend(markers)
    after = sorted((each for each in listed if each.name > key_marker), key=lambda each: str(each.name))
    kept: list[Any] = after[:max_keys]
    next_key = kept[-1].name if len(after) > max_keys else None
    return (
        [each for each in kept if each in found],
        folders,
        [each for each in kept if each in markers],
        next_key,
        kept[-1].version_id if next_key else None,
    )


def ours(world: World) -> Ours:
    """Give the keys of a world's log."""
    return Ours((Verifier.parse(world.vault.vkey),))


def with_outside(
    world: World,
    *anchors: Anchor,
    mark: Mark | None = None,
    copies: tuple[Copy, ...] = (),
    cosigner: Cosigner | None = None,
    mailer: Mailer | None = None,
    settings: Settings | None = None,
) -> World:
    """Give the same vault, people and clock with places outside."""
    vault = world.vault
    outside = Outside(ours(world).verifiers, mark, anchors, copies, cosigner, mailer)
    ground = Ground(
        settings or vault.settings,
        vault.policy,
        vault.clock,
        vault.units,
        vault.keys,
        vault.server_key,
        vault.origin,
        vault.vkey,
        hasher(),
        close=vault.close,
        outside=outside,
    )
    return World(compose(ground), world.clock, world.people)


def mailing(world: World, *to: str) -> Settings:
    """Give a world's settings with people who get the daily note."""
    settings = world.vault.settings
    return replace(settings, anchors=replace(settings.anchors, mail_to=to))


def anchor_and_copy(place: Bucket) -> tuple[BucketAnchor, BucketCopy]:
    """Give both uses of a bucket."""
    return BucketAnchor(place), BucketCopy(place)


@dataclass(slots=True)
class Mailbox:
    """What a mail server took; `refuse` is what it answers to the next letters instead."""

    letters: list[Message] = field(default_factory=list)
    recipients: list[list[str]] = field(default_factory=list)
    refuse: str = ""

    async def handle_DATA(self, server: object, session: object, envelope: Any) -> str:  # noqa: N802 - aiosmtpd's name
        """Take a letter."""
        del server, session
        if self.refuse:
            return self.refuse
        self.letters.append(message_from_bytes(envelope.content, policy=policy.default))
        self.recipients.append(list(envelope.rcpt_tos))
        return "250 taken"


class _FreePort(Controller):
    """aiosmtpd's controller, which says hello to itself on the port that it was given, not on the one it took."""

    @override
    def _trigger_server(self) -> None:
        listening: Any = self.server
        self.port = listening.sockets[0].getsockname()[1]
        super()._trigger_server()  # type: ignore[no-untyped-call]  # the library leaves it untyped


@contextlib.contextmanager
def mail_server(box: Mailbox, **options: Any) -> Iterator[str]:
    """Serve SMTP on a free port of this machine; give host:port."""
    controller = _FreePort(box, hostname="127.0.0.1", port=0, **options)
    controller.start()
    try:
        yield f"127.0.0.1:{controller.port}"
    finally:
        controller.stop()


@dataclass(slots=True)
class SigningKms:
    """A KMS with one Ed25519 key: `GetPublicKey` and `Sign`, nothing else; `fault` is answered instead, if set."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    fault: str = ""
    asked: list[dict[str, Any]] = field(default_factory=list)

    def answer(self, operation: str, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Answer one call as KMS does."""
        self.asked.append({"operation": operation, **request})
        if self.fault:
            return 400, {"__type": self.fault}
        if operation == "GetPublicKey":
            der = self.key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return 200, {"KeyId": ARN, "KeySpec": "ECC_NIST_EDWARDS25519", "PublicKey": _text(der)}
        if (
            operation == "Sign"
            and request["SigningAlgorithm"] == "ED25519_SHA_512"
            and request["MessageType"] == "RAW"
        ):
            signature = self.key.sign(base64.b64decode(request["Message"]))
            return 200, {"KeyId": ARN, "Signature": _text(signature), "SigningAlgorithm": "ED25519_SHA_512"}
        return 400, {"__type": "ValidationException"}


@contextlib.contextmanager
def signing_kms(kms: SigningKms) -> Iterator[str]:
    """Serve it on a free port of this machine; give its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, answer = kms.answer(self.headers["X-Amz-Target"].partition(".")[2], body)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("x-amzn-RequestId", str(uuid.uuid4()))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        with made_up_credentials():
            yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")
