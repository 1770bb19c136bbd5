"""AWS KMS as key service: one symmetric key, or a ring of them in different accounts and regions.

Decided here: every call names its key by ARN (pinned on Decrypt, too) and carries the encryption
context; every attempt keeps KMS's RequestId (SECURITY S10, S26). botocore's own retries are off,
because they would be attempts that CloudTrail shows and our log does not. A call ends in bounded
time: 2 s to connect, 3 s for each read, at most three attempts, none begun after 3 s, so about 8 s
at worst beside name resolution. Credentials are boto3's usual chain.

Never done here: keeping a data key; following ``AWS_ENDPOINT_URL`` or a profile's endpoint, which
could send plaintext keys elsewhere; letting botocore log, whose DEBUG lines hold plaintext keys.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from vault.adapters.keyring import UNKNOWN, KeyRing
from vault.adapters.kms_errors import MISANSWERED, error_of, refusal_of
from vault.domain.secret import Secret
from vault.errors import KeyCall, KeysUnavailable, Refused, Tampered
from vault.ports.keys import DataKey, KeyHealth, Unwrapped, Wrap, Wrapped

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

SERVICE: Final = "aws-kms"
DATA_KEY_BYTES: Final = 32
CONNECT_TIMEOUT: Final = 2.0
READ_TIMEOUT: Final = 3.0
ATTEMPTS: Final = 3
BUDGET: Final = 3.0
"""Seconds after which no further attempt at one key begins."""
PAUSE: Final = 0.2

KEY_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:kms:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):key/"
    r"(?:mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})",
    re.ASCII,
)
_LOGGERS: Final = ("boto3", "botocore", "s3transfer", "urllib3")

# plain answers of botocore; each field is checked where it is read
_Answer = Mapping[str, Any]


class KmsKey:
    """One KMS key as a key service. Safe for threads; after a fork each process has its own client."""

    def __init__(
        self,
        arn: str,
        *,
        endpoint: str = "",
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        budget: float = BUDGET,
        environment: Mapping[str, str] | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        named = KEY_ARN.fullmatch(arn)
        if named is None:
            raise Refused(
                "keys.settings",
                f"{arn[:200]!r} is not the ARN of a KMS key. Aliases and bare ids are refused, because they "
                "can be pointed elsewhere: write arn:aws:kms:REGION:ACCOUNT:key/ID.",
            )
        check_endpoint(endpoint, os.environ if environment is None else environment)
        self.service = SERVICE
        self.key_id = arn
        self.account = named["account"]
        self._region = named["region"]
        self._endpoint = endpoint or None
        self._config = Config(
            connect_timeout=connect_timeout,
            read_timeout=read_timeout,
            retries={"total_max_attempts": 1, "mode": "standard"},
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # the stubs lack it
            parameter_validation=True,
        )
        self._budget = budget
        self._sleep = sleep
        self._lock = threading.Lock()
        self._kept: tuple[int, KMSClient] | None = None

    def generate(self, context: Mapping[str, str]) -> DataKey:
        """Make a data key (kms:GenerateDataKey)."""
        pairs = _pairs(context)
        answer, calls = self._call(
            "GenerateDataKey",
            lambda kms: kms.generate_data_key(KeyId=self.key_id, KeySpec="AES_256", EncryptionContext=pairs),
        )
        wrap = Wrap(SERVICE, self.key_id, answer["CiphertextBlob"])
        return DataKey(Secret(answer["Plaintext"]), (wrap,), calls)

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        """Wrap an existing data key (kms:Encrypt)."""
        pairs = _pairs(context)
        answer, calls = self._call(
            "Encrypt",
            lambda kms: kms.encrypt(KeyId=self.key_id, Plaintext=key.expose(), EncryptionContext=pairs),
        )
        return Wrapped((Wrap(SERVICE, self.key_id, answer["CiphertextBlob"]),), calls)

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        """Unwrap the wrap that names this key (kms:Decrypt, with the key pinned)."""
        pairs = _pairs(context)
        mine = [wrap.blob for wrap in wraps if (wrap.service, wrap.key_id) == (SERVICE, self.key_id)]
        if not mine:
            raise KeysUnavailable(
                UNKNOWN, f"No wrap is under the key {self.key_id}. Configure a key that it was sealed with."
            )
        answer, calls = self._call(
            "Decrypt",
            lambda kms: kms.decrypt(CiphertextBlob=mine[0], KeyId=self.key_id, EncryptionContext=pairs),
        )
        return Unwrapped(Secret(answer["Plaintext"]), calls)

    def check(self) -> tuple[KeyHealth, ...]:
        """Look at the key's state and usage (kms:DescribeKey), which no ciphertext is needed for."""
        try:
            answer, _ = self._call("DescribeKey", lambda kms: kms.describe_key(KeyId=self.key_id))
        except (KeysUnavailable, Tampered) as failure:
            return (KeyHealth(self.key_id, ok=False, words=failure.detail),)
        facts = answer["KeyMetadata"]
        found = (facts.get("KeyState"), facts.get("KeyUsage"), facts.get("KeySpec"))
        ok = found == ("Enabled", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT")
        return (KeyHealth(self.key_id, ok=ok, words=", ".join(str(fact) for fact in found)),)

    def close(self) -> None:
        """Close the connections to KMS; the next call opens new ones."""
        with self._lock:
            kept, self._kept = self._kept, None
        if kept is not None and kept[0] == os.getpid():
            kept[1].close()

    def _call(
        self, operation: str, ask: Callable[[KMSClient], object]
    ) -> tuple[_Answer, tuple[KeyCall, ...]]:
        """Ask KMS until it answers, it refuses for good, or the time is up; keep each attempt."""
        calls: list[KeyCall] = []
        started = time.monotonic()
        while True:
            try:
                answer = ask(self._client())
            except (ClientError, BotoCoreError) as failure:
                refusal, request_id = refusal_of(failure)
            except (AttributeError, KeyError, TypeError, ValueError):
                # botocore's parsers, over an answer that is not KMS's
                refusal, request_id = MISANSWERED, ""
            else:
                if isinstance(answer, dict) and self._is_ours(operation, answer):
                    calls.append(KeyCall(operation, self.key_id, _request_id(answer), "ok"))
                    return answer, tuple(calls)
                refusal, request_id = MISANSWERED, _request_id(answer)
            calls.append(KeyCall(operation, self.key_id, request_id, refusal.code))
            pause = PAUSE * len(calls) * random.uniform(0.5, 1.0)  # noqa: S311 - spreads retries, no secret
            over = len(calls) >= ATTEMPTS or time.monotonic() - started + pause > self._budget
            if over or not refusal.again:
                # no cause: botocore's errors can hold parameters
                raise error_of(refusal, self.key_id, tuple(calls)) from None
            self._sleep(pause)

    def _is_ours(self, operation: str, answer: _Answer) -> bool:
        if operation == "DescribeKey":
            return bool(answer.get("KeyMetadata", {}).get("Arn") == self.key_id)
        plaintext = answer.get("Plaintext", b"")
        blob = answer.get("CiphertextBlob", b"")
        return (
            answer.get("KeyId") == self.key_id
            and (operation == "Encrypt" or len(plaintext) == DATA_KEY_BYTES)
            and (operation == "Decrypt" or len(blob) > 0)
        )

    def _client(self) -> KMSClient:
        process = os.getpid()
        kept = self._kept
        if kept is not None and kept[0] == process:
            return kept[1]
        with self._lock:
            kept = self._kept
            if kept is not None and kept[0] == process:
                return kept[1]
            client: KMSClient = boto3.session.Session().client(
                "kms", region_name=self._region, endpoint_url=self._endpoint, config=self._config
            )
            silence_botocore()
            self._kept = (process, client)
        return client


class KmsKeys(KeyRing):
    """KMS keys as a ring: put two in different AWS accounts, so that losing one loses nothing (S6).

    Keys that are `retiring` only open. The region of each is that of its ARN; `endpoint`, if given, serves all of them
    (tests, a VPC endpoint). Raises `Refused` (``keys.settings``) for what cannot be accepted.
    """

    def __init__(
        self,
        key_arns: tuple[str, ...],
        *,
        retiring: tuple[str, ...] = (),
        endpoint: str = "",
        connect_timeout: float = CONNECT_TIMEOUT,
        read_timeout: float = READ_TIMEOUT,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        named = (*key_arns, *retiring)
        if not key_arns or len(set(named)) != len(named):
            raise Refused("keys.settings", "Name at least one KMS key, and none of them twice.")
        keys = tuple(
            KmsKey(
                arn,
                endpoint=endpoint,
                connect_timeout=connect_timeout,
                read_timeout=read_timeout,
                environment=environment,
            )
            for arn in named
        )
        self.sealing, self.retiring = keys[: len(key_arns)], keys[len(key_arns) :]
        super().__init__(self.sealing, retiring=self.retiring)
        self._keys = keys
        self.key_ids = key_arns
        self.accounts = frozenset(key.account for key in self.sealing)

    def close(self) -> None:
        """Close the connections to KMS; the next call opens new ones."""
        for key in self._keys:
            key.close()


def check_endpoint(endpoint: str, environment: Mapping[str, str]) -> None:
    """Raise `Refused` if the environment redirects AWS calls, or an endpoint is neither TLS nor loopback.

    With an explicit `endpoint` the environment has no say, so it is not refused.
    """
    redirects = sorted(name for name in environment if name.upper().startswith("AWS_ENDPOINT_URL"))
    if not endpoint:
        if redirects:
            raise Refused(
                "keys.settings",
                f"{', '.join(redirects)} in the environment would send data keys elsewhere. Unset it, or "
                "name the endpoint in the settings.",
            )
        return
    parts = urlsplit(endpoint)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise Refused("keys.settings", "A KMS endpoint is https, or http on the loopback address only.")


def silence_botocore() -> None:
    """Close the AWS libraries' loggers for good: at DEBUG they write plaintext data keys (S12).

    Each existing logger is disabled, not only set to a level: a level can be lowered by anyone.
    """
    for name in [*_LOGGERS, *logging.root.manager.loggerDict]:
        if name.split(".", 1)[0] in _LOGGERS:
            logger = logging.getLogger(name)
            logger.disabled = True
            logger.propagate = False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _pairs(context: Mapping[str, str]) -> dict[str, str]:
    if not context:
        raise ValueError("a data key is never wrapped without a context")
    return dict(context)


def _request_id(answer: object) -> str:
    metadata = answer.get("ResponseMetadata", {}) if isinstance(answer, dict) else {}
    return str(metadata.get("RequestId", ""))
