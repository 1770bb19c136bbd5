"""Passkeys: what an authenticator signed, checked against exactly what was asked (WebAuthn Level 3).

Decided here: who we are to a browser, how a challenge is made of a ticket and of a request's hash, and that the
authenticator has to have verified its user. The steps of sections 7.1 and 7.2 are py_webauthn's; added are that the
page was not in a frame of another site, and that the counter is judged after the signature, because before it the
counter is anybody's word. Never decided here: whose passkey it is, whether it was used before.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import ipaddress
import json
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

PREFIX: Final = "passkey."
TEXT_MAX: Final = 16_384
CREDENTIAL_MAX: Final = 1023
"""Bytes of a credential's id (WebAuthn Level 3, section 4)."""

_WHY: Final = (
    ("Client data challenge", "challenge"),
    ("Unexpected client data challenge", "challenge"),
    ("Unexpected client data type", "type"),
    ("Unexpected client data origin", "origin"),
    ("Unexpected RP ID", "party"),
    ("User was not present", "presence"),
    ("User presence", "presence"),
    ("User verification", "verification"),
    ("Could not verify", "signature"),
)
"""How py_webauthn's words begin, and our word for it in the log."""


class NotSignedError(Exception):
    """What was presented does not prove what it should; `why` is one word for the log, never for who sent it."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


@dataclass(frozen=True, slots=True)
class Party:
    """Who we are to browsers: the origin of our pages, and the name that passkeys belong to."""

    origin: str
    id: str

    @classmethod
    def of(cls, public_url: str) -> Party:
        """Derive it from `server.public_url`; on this machine's own addresses passkeys belong to localhost."""
        parts = urlsplit(public_url)
        host = parts.hostname or "localhost"
        try:
            name = "localhost" if ipaddress.ip_address(host).is_loopback else ""
        except ValueError:
            name = host
        port = "" if parts.port is None else f":{parts.port}"
        return cls(f"{parts.scheme}://{name or host}{port}", name)

    @property
    def is_usable(self) -> bool:
        """Whether browsers allow passkeys here: not under an address in place of a name."""
        return bool(self.id)


@dataclass(frozen=True, slots=True)
class Presented:
    """What came in place of a code: the ticket it answers, and the browser's PublicKeyCredential as JSON."""

    ticket: str
    credential: str
    user: str | None
    """The user handle as text: a person's id."""
    raw: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Enrolled:
    """A new credential, proven to be in the authenticator's hands."""

    credential: str
    public_key: bytes
    sign_count: int
    backed_up: bool


def challenge_of(ticket: str, digest: bytes = b"") -> bytes:
    """Make the challenge of a ticket for exactly the request with this hash; of the ticket alone to enrol."""
    return hashlib.sha256(hashlib.sha256(ticket.encode("utf-8", "replace")).digest() + digest).digest()


def prepare() -> None:
    """Load what checks signatures, so that no transaction waits for it: done when a ticket is handed out."""
    import webauthn  # noqa: F401, PLC0415 - as in verify


def read(text: str) -> Presented:
    """Read what a browser sent: the prefix and base64url of JSON with `ticket` and `credential`."""
    if not text.startswith(PREFIX) or len(text) > TEXT_MAX:
        raise NotSignedError("malformed")
    try:
        found = json.loads(_bytes(text.removeprefix(PREFIX)))
        raw, ticket = found["credential"], found["ticket"]
        credential = raw["rawId"]
        handle = raw["response"].get("userHandle")
        user = None if handle is None else _bytes(handle).decode("ascii")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotSignedError("malformed") from None
    if not isinstance(ticket, str) or not isinstance(credential, str) or not isinstance(raw, dict):
        raise NotSignedError("malformed")
    return Presented(ticket, credential, user, raw)


def verify(party: Party, presented: Presented, digest: bytes, public_key: bytes) -> int:
    """Give the counter of a signature over exactly this ticket and request; raise `NotSignedError` otherwise."""
    import webauthn  # noqa: PLC0415 - a tenth of a second, which who never uses a passkey need not pay

    _same_site(presented.raw)
    try:
        found = webauthn.verify_authentication_response(
            credential=presented.raw,
            expected_challenge=challenge_of(presented.ticket, digest),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as failure:  # noqa: BLE001 - whatever hostile bytes lead to in a parser is a refusal
        raise NotSignedError(_why(failure)) from None
    return found.new_sign_count


def enrol(party: Party, ticket: str, credential: str) -> Enrolled:
    """Read a new credential; its attestation proves nothing to us and is asked for as "none"."""
    import webauthn  # noqa: PLC0415 - as in verify

    if len(credential) > TEXT_MAX:
        raise NotSignedError("malformed")
    try:
        raw = json.loads(credential)
        _same_site(raw)
        found = webauthn.verify_registration_response(
            credential=raw,
            expected_challenge=challenge_of(ticket),
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
        )
    except NotSignedError:
        raise
    except Exception as failure:  # noqa: BLE001 - as in verify
        raise NotSignedError(_why(failure)) from None
    if not 1 <= len(found.credential_id) <= CREDENTIAL_MAX:
        raise NotSignedError("malformed")
    return Enrolled(
        base64url(found.credential_id),
        found.credential_public_key,
        found.sign_count,
        found.credential_backed_up,
    )


def base64url(data: bytes) -> str:
    """Write bytes as WebAuthn does (RFC 4648 section 5, without padding)."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _same_site(raw: object) -> None:
    """Return for a page of its own; a browser says when it was framed by another site (section 5.8.1)."""
    try:
        client = json.loads(_bytes(raw["response"]["clientDataJSON"]))  # type: ignore[index] # a TypeError is caught
        framed = client.get("crossOrigin") is True or "topOrigin" in client
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotSignedError("malformed") from None
    if framed:
        raise NotSignedError("frame")


def _why(failure: Exception) -> str:
    words = str(failure)
    return next((why for beginning, why in _WHY if words.startswith(beginning)), "malformed")


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        raise ValueError from None
