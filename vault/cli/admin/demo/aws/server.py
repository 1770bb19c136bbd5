"""The demonstration's AWS on a port of this machine: which service is asked by whom, and what it answers.

Decided here: who asks stands in the signature's credential (AWS Signature Version 4), with region and service; the
signature itself is not checked, because nobody but this machine reaches it. Bodies are bounded, and so is waiting.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from vault.cli.admin.demo.aws import iam, organization, places, root, sts, wire
from vault.cli.admin.demo.aws.state import Caller, Cloud, RefusalError, request_id

BODY_MAX: Final = 262_144
SECONDS: Final = 10
_CREDENTIAL: Final = re.compile(
    r"Credential=([A-Z0-9]{16,32})/[0-9]{8}/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request", re.ASCII
)
_OPERATION: Final = re.compile(r"[A-Za-z]{3,64}", re.ASCII)
_SERVICES: Final[Mapping[str, tuple[ModuleType, ...]]] = {
    "sts": (sts,),
    "iam": (iam, root),
    "sns": (places,),
    "events": (places,),
    "config": (places,),
    "organizations": (organization,),
    "account": (organization,),
}
_QUERY: Final = frozenset({"sts", "iam", "sns"})
Operation = Callable[[Cloud, Caller, Mapping[str, Any]], dict[str, Any]]


@contextmanager
def serving(cloud: Cloud) -> Iterator[str]:
    """Serve it at a free port of 127.0.0.1 until we leave; give its address."""

    class Answering(_Answering):
        state = cloud

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answering)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), name="demo-aws", daemon=True)
    thread.start()
    owner = os.getpid()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        # a process that was forked of this one leaves by the same way, and has no such thread to wait for
        if os.getpid() == owner:
            server.shutdown()
            server.server_close()
            thread.join(SECONDS)


class _Answering(BaseHTTPRequestHandler):
    """One connection."""

    state: Cloud
    protocol_version = "HTTP/1.1"
    timeout = SECONDS
    disable_nagle_algorithm = True
    wbufsize = BODY_MAX

    def do_GET(self) -> None:
        """Answer S3, which alone is asked so."""
        self._answer(b"")

    def do_POST(self) -> None:
        """Answer the others."""
        try:
            length = int(self.headers.get("Content-Length", ""))
        except ValueError:
            length = -1
        if not 0 <= length <= BODY_MAX:
            self.close_connection = True
            self._send(413, wire.JSON, b"{}", request_id())
            return
        self._answer(self.rfile.read(length))

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: what was asked stands in the state."""

    def _answer(self, body: bytes) -> None:
        number = request_id()
        found = _CREDENTIAL.search(self.headers.get("Authorization", ""))
        if found is None:
            self._refuse("", RefusalError("MissingAuthenticationToken", 403), number)
            return
        key, region, service = found.groups()
        try:
            with self.state.lock:
                status, kind, told = self._done(service, region, key, body, number)
        except RefusalError as refusal:
            self._refuse(service, refusal, number)
        else:
            self._send(status, kind, told, number)

    def _done(self, service: str, region: str, key: str, body: bytes, number: str) -> tuple[int, str, bytes]:
        caller = self.state.caller(key, self.headers.get("X-Amz-Security-Token", ""), region)
        if region in self.state.down:
            raise RefusalError("ServiceUnavailable", 503)
        if service == "s3":
            return 200, "application/xml", self._s3(caller)
        name, asked = self._asked(service, body)
        self.state.calls.append(f"{caller.account} {service}:{name}")
        operation = _operation(service, name)
        told = operation(self.state, caller, asked)
        if service in _QUERY:
            return 200, wire.XML, wire.answer_xml(name, told, number)
        return 200, wire.JSON, wire.answer_json(told)

    def _asked(self, service: str, body: bytes) -> tuple[str, Mapping[str, Any]]:
        """Read which operation is asked, and with what."""
        try:
            if service in _QUERY:
                form = wire.form_of(body)
                return str(form.get("Action", "")), form
            asked = json.loads(body or b"{}")
        except ValueError:
            raise RefusalError("SerializationException") from None
        if not isinstance(asked, dict):
            raise RefusalError("SerializationException")
        if service == "account":
            name = urlsplit(self.path).path.strip("/")
            return name[:1].upper() + name[1:], asked
        return self.headers.get("X-Amz-Target", "").rpartition(".")[2], asked

    def _s3(self, caller: Caller) -> bytes:
        parts = urlsplit(self.path)
        bucket = unquote(parts.path.strip("/"))
        if self.command != "GET" or "/" in bucket or (bucket and "location" not in parts.query):
            raise RefusalError("NotImplemented", 501)
        self.state.calls.append(f"{caller.account} s3:{'GetBucketLocation' if bucket else 'ListBuckets'}")
        told = (
            places.get_bucket_location(self.state, caller, bucket)
            if bucket
            else places.list_buckets(self.state, caller)
        )
        return told.encode()

    def _refuse(self, service: str, refusal: RefusalError, number: str) -> None:
        if service in _QUERY:
            self._send(refusal.status, wire.XML, wire.refusal_xml(refusal, number), number)
        elif service == "s3":
            self._send(refusal.status, "application/xml", wire.refusal_s3(refusal, number), number)
        else:
            self._send(
                refusal.status, wire.JSON, wire.refusal_json(refusal), number, wire.name_in_json(refusal.code)
            )

    def _send(self, status: int, kind: str, body: bytes, number: str, error: str = "") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("x-amzn-RequestId", number)
        if error:
            self.send_header("x-amzn-ErrorType", error)
        self.end_headers()
        self.wfile.write(body)


def _operation(service: str, name: str) -> Operation:
    """Find what answers an operation, by its name in Python's spelling."""
    known = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name.replace("MFA", "Mfa")).lower()
    if _OPERATION.fullmatch(name) and not known.startswith("_"):
        for module in _SERVICES.get(service, ()):
            found = vars(module).get(known)
            if callable(found) and getattr(found, "__module__", "") == module.__name__:
                return found  # type: ignore[no-any-return]  # a module's function of this shape
    raise RefusalError("InvalidAction", message=f"This AWS has no {service}:{name[:64]}.")
