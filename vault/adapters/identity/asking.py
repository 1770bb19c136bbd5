"""Asking the provider: JSON in bounded size and time, from the hosts that the settings name and from no other.

Decided here: which addresses are asked at all. A document of the provider may name any endpoint; one at a host
that the settings do not name is refused before anything is sent (S28). Redirects are not followed. Never done
here: believing what comes back.
"""

from __future__ import annotations

import http.client
import json
import ssl
from dataclasses import dataclass, field
from typing import Any, Final, NoReturn
from urllib.parse import urlencode, urlsplit

from vault.adapters.bounded import Bounded
from vault.adapters.deadline import Deadline
from vault.errors import Unavailable

TIMEOUT: Final = 5.0
"""Seconds for one question and its whole answer."""
LONGEST: Final = 262_144
"""Bytes of an answer."""
_SERVER_FAULTS: Final = 500
_AGENT: Final = "root-vault"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status, and a JSON object."""

    status_code: int
    document: dict[str, Any]

    def json(self) -> dict[str, Any]:
        """Give the document, as Authlib asks for it."""
        return self.document

    def raise_for_status(self) -> NoReturn:
        """Say that the provider has a fault of its own, as Authlib asks for it."""
        raise away(f"answered {self.status_code}")


@dataclass(frozen=True, slots=True)
class Asking:
    """Questions to one provider; Authlib uses it as its session."""

    origins: frozenset[str]
    """Scheme, host and port of every address that may be asked."""
    trusted: ssl.SSLContext | None = field(default=None, repr=False)
    """Who may vouch for the provider; this machine's usual authorities where it is None."""
    timeout: float = TIMEOUT

    def get(self, url: str) -> dict[str, Any]:
        """Fetch a document; only 200 has one."""
        answer = self._ask("GET", url, None, {"Accept": "application/json"})
        if answer.status_code != http.client.OK:
            raise away(f"answered {answer.status_code}")
        return answer.document

    def post(self, url: str, *, data: dict[str, str], headers: dict[str, str], auth: Any) -> Answer:
        """Send a form, with the client's own proof put to it by `auth` (Authlib's `ClientAuth`)."""
        url, headers, body = auth.prepare("POST", url, dict(headers), urlencode(data))
        return self._ask("POST", url, body, headers)

    def is_ours(self, url: object) -> bool:
        """Say whether an address may be asked."""
        return isinstance(url, str) and origin_of(url) in self.origins

    def _ask(self, method: str, url: str, body: str | None, headers: dict[str, str]) -> Answer:
        if not self.is_ours(url):
            raise away("names an endpoint at a host that the settings do not name")
        parts = urlsplit(url)
        trust = (self.trusted or ssl.create_default_context()) if parts.scheme == "https" else None
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        sent = {**headers, "User-Agent": _AGENT, "Connection": "close"}
        with Deadline(self.timeout) as deadline:
            connection = Bounded(parts.hostname or "", parts.port, self.timeout, deadline, trust)
            try:
                connection.request(method, path, body=None if body is None else body.encode(), headers=sent)
                answer = connection.getresponse()
                said = answer.read(LONGEST + 1)
                deadline.check()
            except (OSError, http.client.HTTPException, ValueError) as failure:
                raise away(type(failure).__name__) from None
            finally:
                connection.close()
        if answer.status >= _SERVER_FAULTS:
            raise away(f"answered {answer.status}")
        if len(said) > LONGEST:
            raise away("says more than is read")
        try:
            document = json.loads(said)
        except (ValueError, RecursionError):
            raise away("does not answer in JSON") from None
        if not isinstance(document, dict):
            raise away("does not answer with a JSON object")
        return Answer(answer.status, document)


def origin_of(url: str) -> str:
    """Give scheme, host and port of an address; an empty text for what is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return ""
    if not parts.hostname or parts.username is not None or not url.isascii() or not url.isprintable():
        return ""
    return f"{parts.scheme}://{parts.hostname}:{port}"


def away(why: str) -> Unavailable:
    """Say that the provider cannot be used now."""
    detail = f"The identity provider {why}. Sign in with your password, or try again in a minute."
    return Unavailable("identity.unavailable", detail, retry_after=60)
