"""What KMS's refusals mean for us, and what to do about each.

Decided here: the one table from KMS's error names (API reference of Decrypt, GenerateDataKey and
Encrypt, "Errors", and "Common Errors") to ours. KMS's own message is never repeated: it is empty,
or names principals. An unlisted error is an outage that does not go away by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)

from vault.errors import KeyCall, KeysDisabled, KeysUnavailable, Tampered

RETRY_AFTER: Final = 5
SERVER_ERROR: Final = 500


@dataclass(frozen=True, slots=True)
class Refusal:
    """One meaning: our code, the sentence after the key's name, and whether another try may help."""

    code: str
    words: str
    again: bool = False


_OUTAGE: Final = Refusal(
    "keys.unavailable",
    "has an internal error at KMS. Try again in a moment; look at the AWS Health Dashboard if it lasts.",
    again=True,
)
_THROTTLED: Final = Refusal(
    "keys.throttled",
    "is asked too often. Wait a moment; if it lasts, look for another user of this account's KMS quota.",
    again=True,
)
_DENIED: Final = Refusal(
    "keys.denied",
    "is denied to our role. Compare the key policy and the role's permissions with the deployment's "
    "template, the encryption context's conditions included.",
)
_CREDENTIALS: Final = Refusal(
    "keys.denied",
    "cannot be asked: our AWS credentials are missing, expired or not accepted. Look at the role of this "
    "machine and at its clock.",
)
_UNREACHABLE: Final = Refusal(
    "keys.unavailable",
    "cannot be reached in time. Look at the network, the VPC endpoint and the AWS Health Dashboard.",
)
_UNFORESEEN: Final = Refusal(
    "keys.unavailable",
    "was answered in an unforeseen way. Look the request up in CloudTrail.",
)
MISANSWERED: Final = Refusal(
    "keys.unavailable",
    "was answered with another key or another size than was asked for. Check which endpoint answers.",
)

REFUSALS: Final[Mapping[str, Refusal]] = MappingProxyType(
    {
        "DisabledException": Refusal(
            "keys.disabled",
            "is disabled. Ask those who keep the key why, then enable it (kms:EnableKey).",
        ),
        "KMSInvalidStateException": Refusal(
            "keys.state",
            "is in a state that forbids its use: pending deletion, most likely. Cancel the deletion at once "
            "(kms:CancelKeyDeletion), then enable the key.",
        ),
        "NotFoundException": Refusal(
            "keys.not_found",
            "does not exist in its account and region. Correct the key's ARN in the settings.",
        ),
        "InvalidArnException": Refusal(
            "keys.not_found", "has an ARN that KMS does not accept. Correct the key's ARN in the settings."
        ),
        "InvalidKeyUsageException": Refusal(
            "keys.usage", "is not for encryption. Configure a symmetric key with the usage ENCRYPT_DECRYPT."
        ),
        "InvalidCiphertextException": Refusal(
            "envelope.tampered",
            "refuses a wrapped data key: it is damaged, changed or another place's. Treat this as an "
            "incident and restore the wraps from a backup.",
        ),
        "IncorrectKeyException": Refusal(
            "envelope.wrong_key",
            "did not make the wrapped data key that names it. Treat this as an incident and restore the "
            "wraps from a backup.",
        ),
        "AccessDeniedException": _DENIED,
        "AccessDenied": _DENIED,
        "NotAuthorized": _DENIED,
        "InvalidGrantTokenException": _DENIED,
        "UnrecognizedClientException": _CREDENTIALS,
        "InvalidClientTokenId": _CREDENTIALS,
        "MissingAuthenticationToken": _CREDENTIALS,
        "MissingAuthenticationTokenException": _CREDENTIALS,
        "IncompleteSignature": _CREDENTIALS,
        "InvalidSignatureException": _CREDENTIALS,
        "SignatureDoesNotMatch": _CREDENTIALS,
        "ExpiredToken": _CREDENTIALS,
        "ExpiredTokenException": _CREDENTIALS,
        "RequestExpired": _CREDENTIALS,
        "OptInRequired": _CREDENTIALS,
        "ThrottlingException": _THROTTLED,
        "Throttling": _THROTTLED,
        "RequestLimitExceeded": _THROTTLED,
        "LimitExceededException": _THROTTLED,
        "KeyUnavailableException": _OUTAGE,
        "DependencyTimeoutException": _OUTAGE,
        "KMSInternalException": _OUTAGE,
        "InternalFailure": _OUTAGE,
        "ServiceUnavailable": _OUTAGE,
    }
)


_NO_CREDENTIALS: Final = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
    TokenRetrievalError,
)


def refusal_of(failure: ClientError | BotoCoreError) -> tuple[Refusal, str]:
    """Give the meaning of a failed call, and KMS's RequestId if it answered at all."""
    if isinstance(failure, ClientError):
        answer = failure.response.get("ResponseMetadata", {})
        refusal = REFUSALS.get(str(failure.response.get("Error", {}).get("Code", "")))
        if refusal is None:
            refusal = _OUTAGE if answer.get("HTTPStatusCode", 0) >= SERVER_ERROR else _UNFORESEEN
        return refusal, str(answer.get("RequestId", ""))
    if isinstance(failure, _NO_CREDENTIALS):
        return _CREDENTIALS, ""
    return _UNREACHABLE, ""


def error_of(refusal: Refusal, key_id: str, calls: tuple[KeyCall, ...]) -> KeysUnavailable | Tampered:
    """Make our error out of a meaning; its message names the key and the next step."""
    detail = f"The key {key_id} {refusal.words}"
    if refusal.code.startswith("envelope."):
        return Tampered(refusal.code, detail, calls=calls)
    if refusal.code in {"keys.disabled", "keys.state"}:
        return KeysDisabled(refusal.code, detail, calls=calls)
    return KeysUnavailable(
        refusal.code, detail, calls=calls, retry_after=RETRY_AFTER if refusal.again else None
    )
