"""A key service that is down, slow, throttled or switched off: closed, in bounded time, clearly (S5)."""

from __future__ import annotations

import base64
import gc
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.support.bad_endpoints import endpoint, gone, saying, silent, unreachable
from tests.support.kms_world import KmsWorld, kms_world
from tests.support.moto_kms import made_up_credentials
from vault.adapters.keyring import KeyRing
from vault.adapters.kms import KmsKey
from vault.crypto.context import Context
from vault.domain.secret import Secret
from vault.errors import (
    KeyCall,
    KeysDisabled,
    KeysUnavailable,
    Tampered,
    Unavailable,
)
from vault.ports.keys import DataKey, KeyHealth, Unwrapped, Wrap, Wrapped

HERE = Context("7b0c9c2e-7a34-4f0a-9f10-1c7a4a1e4c11", "111122223333", "password", 1).pairs()
ARN = "arn:aws:kms:eu-central-1:123456789012:key/0d990263-018e-4e65-a703-eff731de951e"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[KmsWorld]:
    monkeypatch.setattr("vault.adapters.kms.PAUSE", 0.001)
    with kms_world() as made:
        yield made


def outcomes(calls: tuple[KeyCall, ...]) -> list[tuple[str, str]]:
    return [(call.operation, call.outcome) for call in calls]


# --- a key is switched off


@pytest.mark.parametrize(
    ("operation", "code"), [("disable_key", "keys.disabled"), ("schedule_key_deletion", "keys.state")]
)
@pytest.mark.parametrize("which", ["first", "second"])
def test_with_one_key_off_nothing_is_sealed_and_everything_opens(
    world: KmsWorld, operation: str, code: str, which: str
) -> None:
    made = world.ring.generate(HERE)
    arn = getattr(world, which)
    world.switch(arn, operation)

    with pytest.raises(KeysDisabled) as refusal:
        world.ring.generate(HERE)
    assert refusal.value.code == code
    assert arn in refusal.value.detail
    assert refusal.value.calls[-1].outcome == code
    assert refusal.value.calls[-1].request_id
    with pytest.raises(KeysDisabled):
        world.ring.wrap(made.key, HERE)
    assert world.ring.unwrap(made.wraps, HERE).key.expose() == made.key.expose()
    assert [health.ok for health in world.ring.check()] == [which != "first", which != "second"]


def test_with_both_keys_off_nothing_opens_until_one_is_on_again(world: KmsWorld) -> None:
    made = world.ring.generate(HERE)
    world.switch(world.first, "disable_key")
    world.switch(world.second, "schedule_key_deletion", PendingWindowInDays=7)

    with pytest.raises(KeysDisabled) as refusal:
        world.ring.unwrap(made.wraps, HERE)
    assert outcomes(refusal.value.calls) == [("Decrypt", "keys.disabled"), ("Decrypt", "keys.state")]
    assert len({call.request_id for call in refusal.value.calls}) == 2

    world.switch(world.second, "cancel_key_deletion")
    world.switch(world.second, "enable_key")
    assert world.ring.unwrap(made.wraps, HERE).key.expose() == made.key.expose()
    world.switch(world.first, "enable_key")
    assert len(world.ring.generate(HERE).wraps) == 2


def test_losing_a_key_for_ever_loses_nothing(world: KmsWorld) -> None:
    made = world.ring.generate(HERE)
    world.kms.delete_now(world.first)

    assert world.ring.unwrap(made.wraps, HERE).key.expose() == made.key.expose()
    with pytest.raises(KeysUnavailable) as refusal:
        world.ring.generate(HERE)
    assert refusal.value.code == "keys.not_found"


def test_a_half_made_data_key_is_told_of_and_not_given(world: KmsWorld) -> None:
    world.switch(world.second, "disable_key")

    with pytest.raises(KeysDisabled) as refusal:
        world.ring.generate(HERE)

    assert outcomes(refusal.value.calls) == [("GenerateDataKey", "ok"), ("Encrypt", "keys.disabled")]


def test_a_refused_wrap_outweighs_an_outage(world: KmsWorld) -> None:
    made = world.ring.generate(HERE)
    world.switch(world.first, "disable_key")

    with pytest.raises(Tampered) as refusal:
        world.ring.unwrap(made.wraps, {**HERE, "version": "2"})

    assert outcomes(refusal.value.calls) == [("Decrypt", "keys.disabled"), ("Decrypt", "envelope.tampered")]


# --- KMS refuses


@pytest.mark.parametrize(
    ("kms_says", "code", "family", "attempts"),
    [
        ("ThrottlingException", "keys.throttled", KeysUnavailable, 3),
        ("LimitExceededException", "keys.throttled", KeysUnavailable, 3),
        ("KMSInternalException", "keys.unavailable", KeysUnavailable, 3),
        ("DependencyTimeoutException", "keys.unavailable", KeysUnavailable, 3),
        ("KeyUnavailableException", "keys.unavailable", KeysUnavailable, 3),
        ("AccessDeniedException", "keys.denied", KeysUnavailable, 1),
        ("ExpiredTokenException", "keys.denied", KeysUnavailable, 1),
        ("UnrecognizedClientException", "keys.denied", KeysUnavailable, 1),
        ("NotFoundException", "keys.not_found", KeysUnavailable, 1),
        ("InvalidKeyUsageException", "keys.usage", KeysUnavailable, 1),
        ("DisabledException", "keys.disabled", KeysDisabled, 1),
        ("KMSInvalidStateException", "keys.state", KeysDisabled, 1),
        ("InvalidCiphertextException", "envelope.tampered", Tampered, 1),
        ("IncorrectKeyException", "envelope.wrong_key", Tampered, 1),
        ("SomethingNewException", "keys.unavailable", KeysUnavailable, 1),
    ],
)
def test_each_refusal_has_one_meaning_and_bounded_attempts(
    world: KmsWorld, kms_says: str, code: str, family: type[Unavailable], attempts: int
) -> None:
    key = KmsKey(world.first, environment={})
    made = key.generate(HERE)
    world.kms.fail_next(kms_says, times=9)

    with pytest.raises(family) as refusal:
        key.unwrap(made.wraps, HERE)

    failure = refusal.value
    assert isinstance(failure, KeysUnavailable | Tampered)
    assert failure.code == code
    assert world.first in failure.detail
    assert outcomes(failure.calls) == [("Decrypt", code)] * attempts
    assert len({call.request_id for call in failure.calls} - {""}) == attempts
    assert len(world.kms.faults) == 9 - attempts
    assert (failure.retry_after is not None) == (attempts == 3)
    assert failure.__cause__ is None
    assert failure.__suppress_context__


def test_a_short_throttle_is_waited_out_and_each_attempt_is_told(world: KmsWorld) -> None:
    made = world.ring.generate(HERE)
    world.kms.fail_next("ThrottlingException", times=2)

    opened = world.ring.unwrap(made.wraps, HERE)

    assert opened.key.expose() == made.key.expose()
    assert [call.outcome for call in opened.calls] == ["keys.throttled", "keys.throttled", "ok"]
    assert {call.key_id for call in opened.calls} == {world.first}


def test_no_attempt_begins_after_the_budget(world: KmsWorld) -> None:
    pauses: list[float] = []
    key = KmsKey(world.first, environment={}, budget=0, sleep=pauses.append)
    world.kms.fail_next("ThrottlingException", times=9)

    with pytest.raises(KeysUnavailable) as refusal:
        key.generate(HERE)

    assert len(refusal.value.calls) == 1
    assert pauses == []


def test_without_credentials_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with gone() as url, pytest.raises(KeysUnavailable, match="credentials") as refusal:
        KmsKey(ARN, endpoint=url).generate(HERE)

    assert refusal.value.code == "keys.denied"
    assert outcomes(refusal.value.calls) == [("GenerateDataKey", "keys.denied")]


# --- the endpoint does not answer, or not like KMS


def _answer(**facts: object) -> bytes:
    return json.dumps(facts).encode()


SHORT = base64.b64encode(bytes(16)).decode()
RIGHT = base64.b64encode(bytes(32)).decode()
BLOB = base64.b64encode(b"blob").decode()
BAD_ENDPOINTS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "gone": gone,
    "unreachable": unreachable,
    "silent": lambda: endpoint(silent),
    "hanging up": lambda: endpoint(lambda connection: connection.close()),
    "half an answer": lambda: endpoint(saying("200 OK\r\nContent-Length: 999", b'{"KeyId')),
    "html 502": lambda: endpoint(saying("502 Bad Gateway", b"<html>no</html>")),
    "html 200": lambda: endpoint(saying("200 OK", b"<html>sign in to the network</html>")),
    "no json object": lambda: endpoint(saying("200 OK", b"[]")),
    "nothing": lambda: endpoint(saying("200 OK", b"{}")),
    "another key": lambda: endpoint(
        saying("200 OK", _answer(KeyId=ARN[:-1] + "f", Plaintext=RIGHT, CiphertextBlob=BLOB))
    ),
    "a short key": lambda: endpoint(
        saying("200 OK", _answer(KeyId=ARN, Plaintext=SHORT, CiphertextBlob=BLOB))
    ),
    "no blob": lambda: endpoint(saying("200 OK", _answer(KeyId=ARN, Plaintext=RIGHT))),
}


# botocore lets go of the socket of a broken answer without closing it
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("bad", BAD_ENDPOINTS)
def test_a_bad_endpoint_is_a_clear_outage_in_bounded_time(monkeypatch: pytest.MonkeyPatch, bad: str) -> None:
    monkeypatch.setattr("vault.adapters.kms.PAUSE", 0.01)
    with made_up_credentials(), BAD_ENDPOINTS[bad]() as url:
        key = KmsKey(ARN, endpoint=url, connect_timeout=0.3, read_timeout=0.3)
        key._client()
        started = time.monotonic()
        with pytest.raises(KeysUnavailable) as refusal:
            key.generate(HERE)
        took = time.monotonic() - started
        health = key.check()[0]
        key.close()
    gc.collect()

    assert refusal.value.code == "keys.unavailable"
    assert {call.outcome for call in refusal.value.calls} == {"keys.unavailable"}
    assert took < 2.5
    assert not health.ok
    assert ARN in health.words


def test_the_bounds_in_use_are_two_and_three_seconds() -> None:
    """The sum of what a key may take: 3 s until the last attempt begins, then 2 s and 3 s."""
    config: Any = KmsKey(ARN, environment={})._config

    assert (config.connect_timeout, config.read_timeout) == (2.0, 3.0)
    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}


def test_a_slow_first_key_is_asked_last_for_a_while() -> None:
    opened = Unwrapped(Secret(bytes(32)), (KeyCall("Decrypt", "good", "1", "ok"),))
    wraps = (Wrap("aws-kms", ARN, b"x"),)
    now = [1000.0]
    with made_up_credentials(), endpoint(silent) as url:
        slow = KmsKey(ARN, endpoint=url, connect_timeout=0.3, read_timeout=0.3)
        ring = KeyRing((slow, Canned(opened)), monotonic=lambda: now[0])
        first = ring.unwrap(wraps, HERE)
        second = ring.unwrap(wraps, HERE)
        now[0] += 31
        third = ring.unwrap(wraps, HERE)
        slow.close()

    assert [call.outcome for call in first.calls] == ["keys.unavailable", "ok"]
    assert [call.outcome for call in second.calls] == ["ok"]
    assert [call.outcome for call in third.calls] == ["keys.unavailable", "ok"]


class Canned:
    """A key service with one answer, or one failure that takes its time."""

    def __init__(self, answer: Unwrapped | Exception, take: Callable[[], None] = lambda: None) -> None:
        self._answer = answer
        self._take = take

    def generate(self, context: Mapping[str, str]) -> DataKey:
        raise NotImplementedError

    def wrap(self, key: Secret[bytes], context: Mapping[str, str]) -> Wrapped:
        raise NotImplementedError

    def unwrap(self, wraps: tuple[Wrap, ...], context: Mapping[str, str]) -> Unwrapped:
        self._take()
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    def check(self) -> tuple[KeyHealth, ...]:
        return ()


def test_a_ring_asks_nobody_after_its_budget() -> None:
    now = [0.0]

    def six_seconds() -> None:
        now[0] += 6

    def down(name: str) -> Canned:
        call = KeyCall("Decrypt", name, "", "keys.unavailable")
        return Canned(KeysUnavailable("keys.unavailable", "down", calls=(call,)), six_seconds)

    ring = KeyRing((down("a"), down("b"), down("c")), budget=10, monotonic=lambda: now[0])

    with pytest.raises(KeysUnavailable) as refusal:
        ring.unwrap((), HERE)

    assert [call.key_id for call in refusal.value.calls] == ["a", "b"]
    assert now == [12.0]


def test_a_ring_has_members() -> None:
    with pytest.raises(ValueError, match="at least one"):
        KeyRing(())
