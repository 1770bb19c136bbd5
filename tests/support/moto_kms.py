"""KMS for tests: moto's, taught the rules of the real one that matter to a vault.

moto 5 keeps encrypting with disabled and deleted keys, joins the encryption context ambiguously,
answers a wrong key with the wrong error, and stumbles over ARNs and multi-Region keys. A test of a
kill switch against it is green for the wrong reason. `strict_kms()` replaces those parts for as long
as it is entered, in process (with moto's ``mock_aws``) and behind `loopback_kms()`, moto's server on
127.0.0.1. The rules are those of the KMS API reference and the developer guide's "Key states".

What stays unlike KMS: key policies and grants are not enforced, rotation does not change material,
deletion happens when `delete_now` says so, and everything is consistent at once.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final
from unittest import mock

import boto3
from botocore.config import Config
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time, utcnow
from moto.kms import models, responses, utils
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from moto.server import ThreadedMotoServer
from typing_extensions import override
from werkzeug.serving import make_server

from tests.support.aws_models import share_models
from vault.adapters.kms import KEY_ARN

CONTEXT_PAIRS_MAX: Final = 8192
_RAW_ID: Final = re.compile(r"mrk-[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)
_IV: Final = 12

share_models()


@dataclass(frozen=True, slots=True)
class Seen:
    """One cryptographic request as CloudTrail would have it: operation, key's ARN, context."""

    operation: str
    key_arn: str
    context: Mapping[str, str]


@dataclass(slots=True)
class StrictKms:
    """The test's hand on KMS: what it saw, what it refuses next, and which keys are gone."""

    seen: list[Seen] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)

    def fail_next(self, code: str, times: int = 1) -> None:
        """Answer the next `times` cryptographic requests with this error (``ThrottlingException``, …)."""
        self.faults.extend([code] * times)

    @staticmethod
    def delete_now(arn: str) -> None:
        """Let a key's waiting period be over: it does not exist any more."""
        backend = _backend_of(arn)
        backend.delete_key(backend.get_key_id(arn))


@contextlib.contextmanager
def strict_kms() -> Iterator[StrictKms]:
    """Put KMS's own rules in place of moto's, and take them out again."""
    kms = StrictKms()
    backend, response = models.KmsBackend, responses.KmsResponse
    with contextlib.ExitStack() as stack:

        def put(target: object, name: str, new: object) -> None:
            stack.enter_context(mock.patch.object(target, name, new))

        put(models, "generate_key_id", _new_key_id)
        put(models, "generate_private_key", _only_if_asymmetric(utils.generate_private_key))
        put(response, "kms_backend", property(_addressed_backend))
        put(response, "_validate_cmk_id", _check_key_id)
        put(response, "decrypt", _respond_decrypt)
        put(response, "re_encrypt", _respond_re_encrypt)
        put(response, "schedule_key_deletion", _respond_schedule)
        put(response, "cancel_key_deletion", _respond_cancel)
        put(backend, "disable_key", _disable)
        put(backend, "enable_key", _enable)
        put(backend, "replicate_key", _by_bare_id(backend.replicate_key))
        put(backend, "encrypt", _recording(kms, "Encrypt", _encrypt))
        put(backend, "decrypt", _recording(kms, "Decrypt", _decrypt))
        put(backend, "generate_data_key", _recording(kms, "GenerateDataKey", _generate_data_key))
        yield kms


class _PromptServer(ThreadedMotoServer):
    """moto's server, which hears soon that it is to stop, not within half a second."""

    @override
    def _server_entry(self) -> None:
        application = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(
            self._ip_address, self._port, application, threaded=True, request_handler=MotoRequestHandler
        )
        self._server_ready_event.set()
        self._server.serve_forever(poll_interval=0.02)


def moto_server(port: int = 0) -> ThreadedMotoServer:
    """Start moto on 127.0.0.1, at a free port if none is named."""
    made = _PromptServer(ip_address="127.0.0.1", port=port, verbose=False)
    made.start()
    return made


@contextlib.contextmanager
def loopback_kms() -> Iterator[str]:
    """Serve moto on 127.0.0.1 at a free port; give its URL. Enter `strict_kms` around it."""
    server = moto_server()
    host, port = server.get_host_and_port()
    try:
        yield f"http://{host}:{port}"
    finally:
        server.stop()
        if server._server is not None:
            server._server.server_close()


@contextlib.contextmanager
def made_up_credentials() -> Iterator[None]:
    """Let boto3 find credentials that are good for nothing."""
    made_up = {"AWS_ACCESS_KEY_ID": "AKIATESTTESTTESTTEST", "AWS_SECRET_ACCESS_KEY": "made-up"}
    with mock.patch.dict(os.environ, made_up):
        yield


def create_key(region: str, *, account: str = "123456789012", **options: Any) -> str:
    """Make a symmetric key in one account and region; give its ARN."""
    key = models.kms_backends[account][region].create_key(
        None, "ENCRYPT_DECRYPT", options.get("key_spec", "SYMMETRIC_DEFAULT"), "test", None,
        options.get("multi_region", False),
    )  # fmt: skip
    return str(key.arn)


def kms_client(arn: str, endpoint: str | None = None) -> Any:
    """Give a plain client for a key's region, for a test that switches the key."""
    region = arn.split(":")[3]
    once = Config(retries={"total_max_attempts": 1})
    return boto3.session.Session().client("kms", region_name=region, endpoint_url=endpoint, config=once)


def _refuse(code: str, message: str = "") -> JsonRESTError:
    return JsonRESTError(code, message)


def _new_key_id(multi_region: bool = False) -> str:
    raw = uuid.uuid4()
    return f"mrk-{raw.hex}" if multi_region else str(raw)


def _only_if_asymmetric(make: Callable[[str], Any]) -> Callable[[str], Any]:
    """Spare symmetric keys the RSA pair that moto makes for each of them, and the time it takes."""
    return lambda key_spec: None if key_spec == "SYMMETRIC_DEFAULT" else make(key_spec)


def _backend_of(arn: str) -> Any:
    _, _, _, region, account, _ = arn.split(":", 5)
    return models.kms_backends[account][region]


def _addressed_backend(self: Any) -> Any:
    """Give the backend of the account in the key's ARN: keys are shared between accounts by ARN."""
    key_id = str(self._get_param("KeyId") or self._get_param("DestinationKeyId") or "")
    named = KEY_ARN.fullmatch(key_id)
    account = named["account"] if named else self.current_account
    if named and named["region"] != self.region:
        raise _refuse("NotFoundException", f"Invalid arn {named['region']}")
    return models.kms_backends[account][self.region]


def _check_key_id(self: Any, key_id: str) -> None:
    if KEY_ARN.fullmatch(key_id) is None and _RAW_ID.fullmatch(key_id) is None:
        raise _refuse("NotFoundException", f"Invalid keyId {key_id}")
    if self.kms_backend.get_key_id(key_id) not in self.kms_backend.keys:
        raise _refuse("NotFoundException", f"Key '{self._display_arn(key_id)}' does not exist")


def _key(backend: Any, key_id: str) -> Any:
    return backend.keys[backend.any_id_to_key_id(key_id)]


def _check_usable(key: Any) -> None:
    if key.key_state == "Disabled":
        raise _refuse("DisabledException", f"{key.arn} is disabled.")
    if key.key_state != "Enabled":
        raise _refuse("KMSInvalidStateException", f"{key.arn} is {key.key_state}.")
    if key.key_usage != "ENCRYPT_DECRYPT":
        raise _refuse("InvalidKeyUsageException", f"{key.arn} key usage is {key.key_usage}.")


def _place(key: Any, context: Mapping[str, str]) -> bytes:
    """Bind key and context so that no two different contexts give the same bytes."""
    return json.dumps([key.id, sorted(context.items())]).encode()


def _encrypt(self: Any, key_id: str, plaintext: bytes, encryption_context: Mapping[str, str]) -> Any:
    key = _key(self, key_id)
    _check_usable(key)
    if not 1 <= len(plaintext) <= 4096 or len(_place(key, encryption_context)) > CONTEXT_PAIRS_MAX:
        raise _refuse("ValidationException", "plaintext or context has a size that is not accepted")
    name = key.id.encode()
    iv = os.urandom(_IV)
    sealed = AESGCM(key.key_material).encrypt(iv, plaintext, _place(key, encryption_context))
    return bytes((len(name),)) + name + iv + sealed, key.arn


def _decrypt(
    self: Any, ciphertext_blob: bytes, encryption_context: Mapping[str, str], key_id: str | None = None
) -> Any:
    if key_id is not None:
        _check_usable(_key(self, key_id))
    size = ciphertext_blob[0]
    made_by = ciphertext_blob[1 : 1 + size].decode("ascii", "replace")
    if _RAW_ID.fullmatch(made_by) is None:
        raise _refuse("InvalidCiphertextException")
    if key_id is not None and self.any_id_to_key_id(key_id) != made_by:
        raise _refuse("IncorrectKeyException", "The key ID in the request does not identify the key used.")
    if made_by not in self.keys:
        raise _refuse("AccessDeniedException", "The ciphertext refers to a key that does not exist.")
    key = self.keys[made_by]
    _check_usable(key)
    iv, sealed = ciphertext_blob[1 + size : 1 + size + _IV], ciphertext_blob[1 + size + _IV :]
    try:
        return AESGCM(key.key_material).decrypt(iv, sealed, _place(key, encryption_context)), key.arn
    except (InvalidTag, ValueError):
        raise _refuse("InvalidCiphertextException") from None


def _generate_data_key(
    self: Any, key_id: str, encryption_context: Mapping[str, str], number_of_bytes: int, key_spec: str
) -> Any:
    plaintext = os.urandom({"AES_128": 16, "AES_256": 32}.get(key_spec) or number_of_bytes)
    blob, arn = _encrypt(self, key_id, plaintext, encryption_context)
    return plaintext, blob, arn


def _recording(kms: StrictKms, operation: str, do: Callable[..., Any]) -> Callable[..., Any]:
    def recorded(self: Any, **request: Any) -> Any:
        key_id = request.get("key_id")
        arn = _key(self, key_id).arn if key_id else ""
        kms.seen.append(Seen(operation, arn, dict(request["encryption_context"])))
        if kms.faults:
            code = kms.faults.popleft()
            raise _refuse(code, "You have exceeded the rate at which you may call KMS." * ("Throttl" in code))
        return do(self, **request)

    return recorded


def _by_bare_id(do: Callable[..., Any]) -> Callable[..., Any]:
    def bare(self: Any, key_id: str, *arguments: Any) -> Any:
        return do(self, self.get_key_id(key_id), *arguments)

    return bare


def _switch(backend: Any, key_id: str, allowed: frozenset[str], state: str) -> Any:
    key = backend.keys[backend.get_key_id(key_id)]
    if key.key_state not in allowed:
        raise _refuse("KMSInvalidStateException", f"{key.arn} is {key.key_state}.")
    key.key_state = state
    key.enabled = state == "Enabled"
    return key


def _disable(self: Any, key_id: str) -> None:
    _switch(self, key_id, frozenset({"Enabled", "Disabled"}), "Disabled")


def _enable(self: Any, key_id: str) -> None:
    _switch(self, key_id, frozenset({"Enabled", "Disabled"}), "Enabled")


def _respond_schedule(self: Any) -> str:
    key_id = self._get_param("KeyId")
    days = self._get_param("PendingWindowInDays", 30)
    self._validate_cmk_id(key_id)
    if not 7 <= days <= 30:
        raise _refuse("ValidationException", "PendingWindowInDays is between 7 and 30")
    backend = self.kms_backend
    found = backend.keys[backend.get_key_id(key_id)]
    replicas = found.multi_region and found.multi_region_configuration["ReplicaKeys"]
    primary = replicas and found.multi_region_configuration["PrimaryKey"]["Arn"] == found.arn
    state = "PendingReplicaDeletion" if primary else "PendingDeletion"
    key = _switch(backend, key_id, frozenset({"Enabled", "Disabled"}), state)
    key.deletion_date = utcnow() + timedelta(days=days)
    answer = {"KeyId": key.arn, "KeyState": state, "PendingWindowInDays": days}
    return json.dumps(answer if primary else {**answer, "DeletionDate": unix_time(key.deletion_date)})


def _respond_cancel(self: Any) -> str:
    key_id = self._get_param("KeyId")
    self._validate_cmk_id(key_id)
    pending = frozenset({"PendingDeletion", "PendingReplicaDeletion"})
    key = _switch(self.kms_backend, key_id, pending, "Disabled")
    key.deletion_date = None
    return json.dumps({"KeyId": key.arn})


def _respond_decrypt(self: Any) -> str:
    key_id = self._get_param("KeyId")
    if key_id:
        self._validate_key_id(key_id)
    plaintext, arn = self.kms_backend.decrypt(
        ciphertext_blob=self._get_param("CiphertextBlob"),
        encryption_context=self._get_param("EncryptionContext", {}),
        key_id=key_id,
    )
    text = base64.b64encode(plaintext).decode()
    return json.dumps({"Plaintext": text, "KeyId": arn, "EncryptionAlgorithm": "SYMMETRIC_DEFAULT"})


def _respond_re_encrypt(self: Any) -> str:
    source, destination = self._get_param("SourceKeyId"), self._get_param("DestinationKeyId")
    self._validate_key_id(destination)
    from_backend = _backend_of(source) if source and source.startswith("arn:") else self.kms_backend
    plaintext, source_arn = from_backend.decrypt(
        ciphertext_blob=self._get_param("CiphertextBlob"),
        encryption_context=self._get_param("SourceEncryptionContext", {}),
        key_id=source,
    )
    blob, arn = self.kms_backend.encrypt(
        key_id=destination,
        plaintext=plaintext,
        encryption_context=self._get_param("DestinationEncryptionContext", {}),
    )
    text = base64.b64encode(blob).decode()
    return json.dumps({"CiphertextBlob": text, "KeyId": arn, "SourceKeyId": source_arn})
