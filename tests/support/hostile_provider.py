"""A provider of the tests' own that answers as the test wants: wrong tokens, wrong keys, slow, huge, elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

CLIENT = "vault"
SECRET = "the secret of the client"
NONCE = "the nonce of this visit"
SIGNER = RSAKey.generate_key(2048, auto_kid=True)
"""Made once a process: a key takes a tenth of a second."""
OTHER = RSAKey.generate_key(2048, auto_kid=True)
CURVE = ECKey.generate_key("P-256", auto_kid=True)


@dataclass
class Hostile:
    """Answers by path; `documents` replace what a good provider would say, `raw` whole answers."""

    now: datetime
    keys: list[Any] = field(default_factory=lambda: [SIGNER])
    documents: dict[str, dict[str, Any]] = field(default_factory=dict)
    raw: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    sent: list[tuple[dict[str, str], str]] = field(default_factory=list)
    """Headers and body of what came to the token endpoint."""
    hang: threading.Event | None = None
    port: int = 0
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """Its name."""
        return f"http://127.0.0.1:{self.port}"

    def about(self) -> dict[str, Any]:
        """Give a good description of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "code_challenge_methods_supported": ["S256"],
        }

    def claims(self, **more: object) -> dict[str, Any]:
        """Give good claims, some of them changed; None leaves one out."""
        at = int(self.now.timestamp())
        good = {"iss": self.url, "sub": "olga", "aud": CLIENT, "iat": at, "exp": at + 300, "nonce": NONCE}
        good |= {"groups": ["vault-operators"], "at_hash": half_hash("access")}
        return {name: value for name, value in {**good, **more}.items() if value is not None}

    def answer(self, id_token: object, **more: object) -> None:
        """Let the token endpoint give this ID token."""
        told = {"access_token": "access", "token_type": "Bearer", "id_token": id_token, **more}
        self.documents["/token"] = told

    def signed(self, key: Any = SIGNER, alg: str = "RS256", **more: object) -> str:
        """Sign claims, some of them changed."""
        header = {"alg": alg} | ({"kid": key.kid} if key.kid else {})
        return jwt.encode(header, self.claims(**more), key, algorithms=[alg])

    def unsigned(self, alg: str = "none") -> str:
        """Make a token without a signature (RFC 7519 section 6)."""
        head = encoded(json.dumps({"alg": alg, "kid": SIGNER.kid}).encode())
        return f"{head}.{encoded(json.dumps(self.claims()).encode())}."

    def confused(self) -> str:
        """Make a MAC under the public key's text, as a verifier that trusts `alg` would check it."""
        secret = OctKey.import_key(SIGNER.as_pem(private=False).replace(b"-----", b"====="))
        header = {"alg": "HS256", "kid": SIGNER.kid}
        return jwt.encode(header, self.claims(), secret, algorithms=["HS256"])

    def __enter__(self) -> Self:
        stage = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                stage.tell(self, "")

            def do_POST(self) -> None:
                stage.tell(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.hang is not None:
            self.hang.set()
        assert self._server is not None
        assert self._thread is not None
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def tell(self, handler: BaseHTTPRequestHandler, body: str) -> None:
        """Answer one request."""
        path = handler.path
        self.asked.append(path)
        if path == "/token":
            self.sent.append((dict(handler.headers), body))
        if self.hang is not None:
            self.hang.wait(10)
        status, headers, said = self.raw.get(path, (200, {}, b""))
        if path not in self.raw:
            said = json.dumps(self.documents.get(path) or self._good(path)).encode()
        handler.send_response(status)
        for name, value in {"Content-Length": str(len(said)), **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(said)

    def _good(self, path: str) -> dict[str, Any]:
        if path == "/keys":
            return {"keys": [key.as_dict(private=False) for key in self.keys]}
        if path == "/token":
            return {"access_token": "access", "token_type": "Bearer", "id_token": self.signed()}
        return self.about()


def encoded(data: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def half_hash(text: str) -> str:
    """Compute at_hash for a SHA-256 algorithm (OpenID Connect Core 1.0 section 3.1.3.6)."""
    return encoded(hashlib.sha256(text.encode()).digest()[:16])
