"""A second signature under what is published, by an Ed25519 key that never leaves AWS KMS.

Whoever steals the vault's own signing key still cannot make this signature, and CloudTrail tells of each use.
KMS signs the note's text itself (SigningAlgorithm ED25519_SHA_512, MessageType RAW), which is what a signed note
asks for: its line is one more of C2SP signed-note, by the key name `<origin>/kms`.

Decided here: that KMS's answer is verified with its public key before it goes anywhere.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from audit.errors import AuditError
from audit.note import Line, Verifier
from vault.adapters.aws import checked_endpoint, client_config, code_of
from vault.adapters.kms import KEY_ARN
from vault.errors import Refused
from vault.ports.anchors import AnchorFailed, Confirmation

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_kms import KMSClient

_ALGORITHM: Final = "ED25519_SHA_512"


@dataclass(slots=True)
class KmsCosigner:
    """Implements `Cosigner`: one asymmetric KMS key, named by its ARN."""

    origin: str
    arn: str
    endpoint: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _kept: KMSClient | None = field(default=None, repr=False)
    _verifier: Verifier | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if KEY_ARN.fullmatch(self.arn) is None:
            detail = "log.kms_key is not the ARN of a KMS key: write arn:aws:kms:REGION:ACCOUNT:key/ID."
            raise Refused("keys.settings", detail)
        checked_endpoint(self.endpoint)

    @property
    def name(self) -> str:
        """The outlet's name."""
        return "signer/kms"

    def verifier(self) -> Verifier:
        """Give the public key, as KMS tells it; asked once. Raises `AnchorFailed`."""
        if self._verifier is None:
            answer = self._ask("GetPublicKey", lambda kms: kms.get_public_key(KeyId=self.arn))
            try:
                self._verifier = Verifier.from_spki(f"{self.origin}/kms", answer.get("PublicKey", b""))
            except AuditError:
                words = "log.kms_key is not an Ed25519 key (KeySpec ECC_NIST_EDWARDS25519)"
                raise AnchorFailed(words) from None
        return self._verifier

    def sign(self, text: str) -> Confirmation:
        """Sign the text of a note. Raises `AnchorFailed`."""
        verifier = self.verifier()
        answer = self._ask(
            "Sign",
            lambda kms: kms.sign(
                KeyId=self.arn,
                Message=text.encode("utf-8"),
                MessageType="RAW",
                SigningAlgorithm="ED25519_SHA_512",
            ),
        )
        signature = answer.get("Signature", b"")
        try:
            verifier.check(text, signature)
        except AuditError:
            raise AnchorFailed("KMS answered with a signature that is not its key's") from None
        line = Line(verifier.name, verifier.key_id, signature).format()
        request = str(answer.get("ResponseMetadata", {}).get("RequestId", ""))
        evidence = f"{verifier.vkey}, KMS Sign {_ALGORITHM}, request {request}"
        return Confirmation(evidence, (line,))

    def _ask(self, operation: str, ask: Callable[[KMSClient], Any]) -> Any:
        try:
            return ask(self._client())
        except (ClientError, BotoCoreError) as failure:
            raise AnchorFailed(f"KMS {operation}: {code_of(failure)}") from None

    def _client(self) -> KMSClient:
        with self._lock:
            if self._kept is None:
                made: KMSClient = boto3.session.Session().client(
                    "kms",
                    region_name=self.arn.split(":")[3],
                    endpoint_url=checked_endpoint(self.endpoint),
                    config=client_config(),
                )
                self._kept = made
            return self._kept
