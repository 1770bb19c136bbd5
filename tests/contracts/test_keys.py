"""What every key service promises (`vault.ports.keys`), run on each of them.

The same behaviours on local keys, on KMS in this process, on KMS over HTTP on the loopback address,
and on a ring of both kinds. KMS is moto with the real one's rules (`tests.support.moto_kms`).
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto import mock_aws

from tests.support.moto_kms import create_key, loopback_kms, made_up_credentials, strict_kms
from vault.adapters.keyring import KeyRing
from vault.adapters.kms import KmsKeys
from vault.adapters.local_keys import create_local_keys
from vault.crypto.context import Context
from vault.crypto.envelope import open_envelope, seal
from vault.domain.secret import Secret
from vault.errors import KeysUnavailable, Tampered
from vault.ports.keys import KeyService, Wrap

VAULT = "7b0c9c2e-7a34-4f0a-9f10-1c7a4a1e4c11"
PLACE = Context(VAULT, "111122223333", "password", 1)
HERE = PLACE.pairs()
SWAPPED = [
    {**HERE, "account": "444455556666"},
    {**HERE, "version": "2"},
    {**HERE, "kind": "mfa"},
    {**HERE, "format": "2"},
    {**HERE, "app": "another-vault"},
    {**HERE, "more": "1"},
    {name: value for name, value in HERE.items() if name != "vault"},
    {value: name for name, value in HERE.items()},
    # the same text when names and values are only joined
    {**{name: value for name, value in HERE.items() if name != "kind"}, "kindp": "assword"},
]


@contextlib.contextmanager
def _local(folder: Path) -> Iterator[KeyService]:
    yield create_local_keys(folder / "keys.json")


@contextlib.contextmanager
def _kms_in_process(folder: Path) -> Iterator[KeyService]:
    with strict_kms(), made_up_credentials(), mock_aws():
        arns = (create_key("eu-central-1"), create_key("us-east-1", account="999988887777"))
        yield KmsKeys(arns, environment={})


@contextlib.contextmanager
def _kms_over_http(folder: Path) -> Iterator[KeyService]:
    with strict_kms(), made_up_credentials(), loopback_kms() as url:
        arns = (create_key("eu-central-1"), create_key("us-east-1", account="999988887777"))
        yield KmsKeys(arns, endpoint=url)


@contextlib.contextmanager
def _ring_of_two(folder: Path) -> Iterator[KeyService]:
    with _kms_over_http(folder) as kms, _local(folder) as local:
        yield KeyRing((kms, local))


KINDS: dict[str, Callable[[Path], contextlib.AbstractContextManager[KeyService]]] = {
    "local": _local,
    "kms in process": _kms_in_process,
    "kms over http": _kms_over_http,
    "ring of two": _ring_of_two,
}
WRAPS = {"local": 2, "kms in process": 2, "kms over http": 2, "ring of two": 4}


@pytest.fixture(scope="module", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def keys(kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyService]:
    with KINDS[kind](tmp_path_factory.mktemp("keys")) as service:
        yield service


def test_generates_256_bits_wrapped_under_every_key(keys: KeyService, kind: str) -> None:
    made = keys.generate(HERE)

    assert len(made.key.expose()) == 32
    assert len(made.wraps) == WRAPS[kind]
    assert len({(wrap.service, wrap.key_id) for wrap in made.wraps}) == WRAPS[kind]
    assert all(made.key.expose() not in wrap.blob for wrap in made.wraps)
    assert made.key.expose() != keys.generate(HERE).key.expose()


def test_any_single_wrap_gives_the_key_back(keys: KeyService) -> None:
    made = keys.generate(HERE)

    for wrap in made.wraps:
        opened = keys.unwrap((wrap,), dict(reversed(HERE.items())))
        assert opened.key.expose() == made.key.expose()
        assert opened.tampered == ()
    assert keys.unwrap(made.wraps[::-1], HERE).key.expose() == made.key.expose()


def test_an_existing_key_is_wrapped_anew(keys: KeyService, kind: str) -> None:
    key = Secret(bytes(range(32)))
    wrapped = keys.wrap(key, HERE)

    assert len(wrapped.wraps) == len(wrapped.calls) == WRAPS[kind]
    for wrap in wrapped.wraps:
        assert keys.unwrap((wrap,), HERE).key.expose() == key.expose()


@pytest.mark.parametrize("elsewhere", SWAPPED, ids=str)
def test_no_wrap_opens_in_another_context(keys: KeyService, elsewhere: dict[str, str]) -> None:
    made = keys.generate(HERE)

    for wraps in (made.wraps, *((wrap,) for wrap in made.wraps)):
        with pytest.raises(Tampered) as refusal:
            keys.unwrap(wraps, elsewhere)
        assert refusal.value.code == "envelope.tampered"
        # each key with a wrap was asked, and each attempt is there to be recorded
        assert sorted(call.key_id for call in refusal.value.calls) == sorted(wrap.key_id for wrap in wraps)


def test_wraps_of_two_rows_swapped_do_not_open(keys: KeyService) -> None:
    one, other = keys.generate(HERE), keys.generate(SWAPPED[1])

    with pytest.raises(Tampered):
        keys.unwrap(other.wraps, HERE)
    with pytest.raises(Tampered):
        keys.unwrap(one.wraps, SWAPPED[1])


def test_a_wrap_under_the_name_of_another_key_does_not_open(keys: KeyService) -> None:
    first, second = keys.generate(HERE).wraps[:2]

    for blob, named in ((first.blob, second), (second.blob, first)):
        with pytest.raises(Tampered) as refusal:
            keys.unwrap((dataclasses.replace(named, blob=blob),), HERE)
        assert refusal.value.code in {"envelope.tampered", "envelope.wrong_key"}


def test_damaged_wraps_do_not_open(keys: KeyService) -> None:
    for wrap in keys.generate(HERE).wraps:
        damaged = bytearray(wrap.blob)
        damaged[-1] ^= 1
        for blob in (bytes(damaged), wrap.blob[:-1], wrap.blob + b"\0", b"\0", b"RVW\x01"):
            with pytest.raises(Tampered) as refusal:
                keys.unwrap((dataclasses.replace(wrap, blob=blob),), HERE)
            assert [call.outcome for call in refusal.value.calls] == [refusal.value.code]


def test_one_damaged_wrap_is_told_of_though_another_opens(keys: KeyService) -> None:
    made = keys.generate(HERE)
    first = dataclasses.replace(made.wraps[0], blob=made.wraps[0].blob[:-1] + b"\0\0")
    opened = keys.unwrap((first, *made.wraps[1:]), HERE)

    assert opened.key.expose() == made.key.expose()
    assert opened.tampered == (first.key_id,)
    assert [call.outcome for call in opened.calls] == ["envelope.tampered", "ok"]


def test_wraps_of_unknown_keys_are_named_as_such(keys: KeyService) -> None:
    foreign = (
        Wrap("aws-kms", "arn:aws:kms:eu-west-1:123456789012:key/gone", b"x"),
        Wrap("local", "gone", b"x"),
    )

    for wraps in ((), foreign):
        with pytest.raises(KeysUnavailable) as refusal:
            keys.unwrap(wraps, HERE)
        assert refusal.value.code == "keys.unknown"
        assert refusal.value.calls == ()


def test_every_attempt_is_told_with_its_own_request_id(keys: KeyService, kind: str) -> None:
    made = keys.generate(HERE)
    opened = keys.unwrap(made.wraps, HERE)
    calls = (*made.calls, *opened.calls)

    assert [call.key_id for call in made.calls] == [wrap.key_id for wrap in made.wraps]
    assert {call.operation for call in made.calls} == {"GenerateDataKey", "Encrypt"}
    assert [(call.operation, call.outcome) for call in opened.calls] == [("Decrypt", "ok")]
    assert len({call.request_id for call in calls}) == len(calls)
    assert all(call.request_id for call in calls)
    if kind == "local":
        assert all(call.request_id.startswith("local-") for call in calls)


def test_no_call_is_made_without_a_context(keys: KeyService) -> None:
    made = keys.generate(HERE)

    with pytest.raises(ValueError, match="context"):
        keys.generate({})
    with pytest.raises(ValueError, match="context"):
        keys.wrap(made.key, {})
    with pytest.raises(ValueError, match="context"):
        keys.unwrap(made.wraps, {})


def test_health_is_told_for_every_key(keys: KeyService, kind: str) -> None:
    healths = keys.check()

    assert len({health.key_id for health in healths}) == WRAPS[kind]
    assert all(health.ok and health.words for health in healths)


def test_answers_show_no_key(keys: KeyService) -> None:
    made = keys.generate(HERE)
    opened = keys.unwrap(made.wraps, HERE)
    shown = f"{made!r}{opened!r}{keys!r}"

    assert repr(made.key.expose())[2:-1] not in shown
    assert "key=<secret>" in shown


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_rows_open_where_they_stand_and_nowhere_else(keys: KeyService, data: st.DataObject) -> None:
    places = data.draw(
        st.lists(
            st.builds(
                Context,
                st.just(VAULT),
                st.sampled_from(["111122223333", "444455556666"]),
                st.sampled_from(["password", "mfa"]),
                st.integers(1, 3),
            ),
            min_size=2,
            max_size=3,
            unique=True,
        )
    )
    rows = [seal(Secret(str(place)), place, keys.generate(place.pairs())) for place in places]

    for place in places:
        for sealed_for, row in zip(places, rows, strict=True):
            if sealed_for == place:
                key = keys.unwrap(row.wraps, place.pairs()).key
                assert open_envelope(row, place, key).expose() == str(place)
            else:
                with pytest.raises(Tampered):
                    keys.unwrap(row.wraps, place.pairs())
                # the planted row's key, had it been learnt elsewhere, does not help either
                key = keys.unwrap(row.wraps, sealed_for.pairs()).key
                with pytest.raises(Tampered):
                    open_envelope(row, place, key)
