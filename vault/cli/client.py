"""The people's way to the vault: HTTP by the standard library, JSON, and nothing that is followed blindly.

Decided here: a token travels only by TLS or on this machine; redirects are not followed; every POST
carries an Idempotency-Key; each call ends in bounded time. Answers are problems (RFC 9457) or objects.
"""

from __future__ import annotations

import ipaddress
import json
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode, urlsplit

from vault.cli.exits import STATUS, UNAVAILABLE, Failure, stop
from vault.cli.remembered import recall

if TYPE_CHECKING:
    import http.client

TIMEOUT: Final = 30.0
ANSWER_MAX: Final = 8_388_608
_OK: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Api:
    """One vault, as one person or machine sees it."""

    url: str
    token: str = field(repr=False)

    def get(self, path: str, **query: str | int | None) -> Any:
        """Ask for something."""
        given = {name: value for name, value in query.items() if value is not None}
        return self._call("GET", f"{path}?{urlencode(given)}" if given else path, None)

    def take(self, path: str, **query: str | int | None) -> bytes:
        """Ask for a file, as it is."""
        given = {name: value for name, value in query.items() if value is not None}
        answer, content = self._send("GET", f"{path}?{urlencode(given)}" if given else path, None)
        if answer.status not in _OK:
            _content(answer, content)
        return content

    def post(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Change something; the call carries a key of its own, so that a repeat is recognised (S8)."""
        return self._call("POST", path, dict(body or {}))

    def delete(self, path: str) -> Any:
        """End something."""
        return self._call("DELETE", path, None)

    @contextmanager
    def download(self, path: str, body: Mapping[str, Any]) -> Iterator[http.client.HTTPResponse]:
        """Ask for a file and give the answer to be read piece by piece; a refusal is raised before."""
        import http.client  # noqa: PLC0415 - as in _send

        connection = _connect(self.url)
        try:
            try:
                connection.request(
                    "POST", f"/api/v1{path}", body=json.dumps(body), headers=self._headers(posts=True)
                )
                answer = connection.getresponse()
            except (OSError, http.client.HTTPException) as failure:
                raise self._silent(failure) from None
            if answer.status not in _OK:
                _content(answer, answer.read(ANSWER_MAX))
            yield answer
        finally:
            connection.close()

    def all(self, path: str, **query: str | int | None) -> list[Any]:
        """Go through all pages of a list."""
        items: list[Any] = []
        cursor: str | None = None
        while True:
            page = self.get(path, **query, cursor=cursor)
            items += page["items"]
            cursor = page.get("next")
            if cursor is None:
                return items

    def _call(self, method: str, path: str, body: Mapping[str, Any] | None) -> Any:
        return _content(*self._send(method, path, body))

    def _send(
        self, method: str, path: str, body: Mapping[str, Any] | None
    ) -> tuple[http.client.HTTPResponse, bytes]:
        import http.client  # noqa: PLC0415 - a fifth of the start, and --help asks nobody

        headers = self._headers(posts=body is not None)
        data = None if body is None else json.dumps(body).encode()
        connection = _connect(self.url)
        try:
            connection.request(method, f"/api/v1{path}", body=data, headers=headers)
            answer = connection.getresponse()
            text = answer.read(ANSWER_MAX)
        except (OSError, http.client.HTTPException) as failure:
            raise self._silent(failure) from None
        finally:
            connection.close()
        return answer, text

    def _headers(self, *, posts: bool) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if posts:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": str(uuid.uuid4())}
        return headers

    def _silent(self, failure: Exception) -> Failure:
        detail = (
            f"{self.url} does not answer ({failure}). Look whether the address is right and the vault runs."
        )
        return Failure("unavailable", detail, exit_status=UNAVAILABLE)


def connect() -> Api:
    """Give the vault and the token of the environment, or what `rootvault login` remembered."""
    url, token = recall()
    url = os.environ.get("ROOTVAULT_URL", url)
    token = os.environ.get("ROOTVAULT_TOKEN", token)
    if not url or not token:
        stop("auth.required", "Nobody is signed in here. Run: rootvault login https://your-vault", 3)
    check_address(url)
    return Api(url, token)


def check_address(url: str) -> None:
    """Return for an address a token may travel to: TLS, or this machine."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in {"http", "https"} or not host or parts.path not in {"", "/"}:
        stop("usage", f"{url!r} is not an address such as https://vault.example.com", 2)
    if parts.scheme == "http" and not _is_here(host):
        stop("usage", f"{url} is not https; a token would travel in clear. Use https.", 2)


def segment(text: str) -> str:
    """Give a text as one segment of a path."""
    return quote(text, safe="")


def _connect(url: str) -> http.client.HTTPConnection:
    import http.client  # noqa: PLC0415 - as in _send
    import ssl  # noqa: PLC0415 - as in _send

    parts = urlsplit(url)
    if parts.scheme == "https":
        context = ssl.create_default_context()
        return http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=TIMEOUT, context=context)
    return http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _content(answer: http.client.HTTPResponse, text: bytes) -> Any:
    try:
        content = json.loads(text) if text else {}
    except ValueError:
        content = None
    if answer.status in _OK and content is not None:
        return content
    if not isinstance(content, dict) or "code" not in content:
        detail = f"The address answered {answer.status}, and not as a vault does. Look at the address."
        raise Failure("unavailable", detail, exit_status=STATUS.get(answer.status, UNAVAILABLE))
    wait = answer.headers.get("Retry-After", "")
    raise Failure(
        str(content["code"]),
        str(content.get("detail") or content.get("title") or content["code"]),
        exit_status=STATUS.get(answer.status, UNAVAILABLE),
        retry_after=int(wait) if wait.isascii() and wait.isdigit() else None,
        problem=content,
    )
