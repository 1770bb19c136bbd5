"""A software authenticator: makes passkeys and signs with them, well or as badly as a test asks (WebAuthn Level 3).

It does what a browser and its authenticator do together. Everything that a server has to look at can be bent: origin,
party, flags, counter, challenge, signature, user handle.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

from vault.crypto.passkey import PREFIX, base64url, challenge_of

PRESENT = 0x01
VERIFIED = 0x04
ATTESTED = 0x40


@dataclass(slots=True)
class Authenticator:
    """One passkey's private half."""

    person_id: str
    origin: str
    party: str
    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    count: int = 0

    def make(self, ticket: str, *, flags: int = PRESENT | VERIFIED, **bent: Any) -> str:
        """Answer `navigator.credentials.create` as JSON."""
        numbers = self.key.public_key().public_numbers()
        cose = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
        credential = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + cbor2.dumps(cose)
        data = self._data(flags | ATTESTED, self.count, bent.get("party", self.party)) + credential
        client = self._client("webauthn.create", challenge_of(ticket), bent)
        made = {"fmt": "none", "attStmt": {}, "authData": data}
        response = {"clientDataJSON": base64url(client), "attestationObject": base64url(cbor2.dumps(made))}
        return json.dumps(self._named(response))

    def sign(
        self,
        ticket: str,
        digest: bytes,
        *,
        flags: int = PRESENT | VERIFIED,
        count: int | None = None,
        **bent: Any,
    ) -> str:
        """Answer `navigator.credentials.get` as a page puts it into the field of the code.

        `bent` may hold `origin`, `party`, `user`, `credential`, `framed`, `signature` and `type`.
        """
        self.count = self.count + 1 if count is None else count
        data = self._data(flags, self.count, bent.get("party", self.party))
        client = self._client(bent.get("type", "webauthn.get"), challenge_of(ticket, digest), bent)
        signature = self.key.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(SHA256()))
        response = {
            "clientDataJSON": base64url(client),
            "authenticatorData": base64url(data),
            "signature": base64url(bent.get("signature", signature)),
        }
        user = bent.get("user", self.person_id)
        if user is not None:
            response["userHandle"] = base64url(user.encode())
        raw = self._named(response, bent.get("credential"))
        return PREFIX + base64url(json.dumps({"ticket": ticket, "credential": raw}).encode())

    def _named(self, response: dict[str, str], credential: bytes | None = None) -> dict[str, Any]:
        name = base64url(self.credential if credential is None else credential)
        return {"id": name, "rawId": name, "type": "public-key", "response": response}

    def _client(self, kind: str, challenge: bytes, bent: dict[str, Any]) -> bytes:
        told = {
            "type": kind,
            "challenge": base64url(challenge),
            "origin": bent.get("origin", self.origin),
            "crossOrigin": bent.get("framed", False),
        }
        return json.dumps(told).encode()

    def _data(self, flags: int, count: int, party: str) -> bytes:
        return hashlib.sha256(party.encode()).digest() + bytes([flags]) + count.to_bytes(4, "big")


def opened(text: str) -> dict[str, Any]:
    """Give what `sign` put into the field, to be bent further."""
    body = text.removeprefix(PREFIX)
    found = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    assert isinstance(found, dict)
    return found


def closed(found: dict[str, Any]) -> str:
    """Write it again."""
    return PREFIX + base64url(json.dumps(found).encode())
