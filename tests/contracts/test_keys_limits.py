"""What KMS is never asked without, where its calls may go, and that nothing of a key reaches a log."""

from __future__ import annotations

import base64
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.kms_world import KmsWorld, kms_world
from tests.support.moto_kms import kms_client
from vault.adapters.kms import KmsKey, KmsKeys, silence_botocore
from vault.crypto.context import Context
from vault.errors import (
    KeysDisabled,
    Refused,
)

HERE = Context("7b0c9c2e-7a34-4f0a-9f10-1c7a4a1e4c11", "111122223333", "password", 1).pairs()
ARN = "arn:aws:kms:eu-central-1:123456789012:key/0d990263-018e-4e65-a703-eff731de951e"


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[KmsWorld]:
    monkeypatch.setattr("vault.adapters.kms.PAUSE", 0.001)
    with kms_world() as made:
        yield made


# --- what is asked


def test_each_request_pins_its_key_and_carries_the_context(world: KmsWorld) -> None:
    made = world.ring.generate(HERE)
    world.switch(world.first, "disable_key")
    world.ring.unwrap(made.wraps, HERE)
    world.ring.check()

    assert [(seen.operation, seen.key_arn) for seen in world.kms.seen] == [
        ("GenerateDataKey", world.first),
        ("Encrypt", world.second),
        ("Decrypt", world.first),
        ("Decrypt", world.second),
    ]
    assert all(seen.context == HERE for seen in world.kms.seen)


# --- where calls may go


@pytest.mark.parametrize("name", ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "aws_endpoint_url_sts"])
def test_an_endpoint_in_the_environment_is_refused(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://127.0.0.1:1")

    with pytest.raises(Refused, match=name) as refusal:
        KmsKeys((ARN,))
    assert refusal.value.code == "keys.settings"

    named = KmsKey(ARN, endpoint="http://127.0.0.1:2")
    assert named._client().meta.endpoint_url == "http://127.0.0.1:2"


def test_a_profiles_endpoint_is_not_followed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    profile = tmp_path / "config"
    profile.write_text("[default]\nendpoint_url = http://127.0.0.1:1\n")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(profile))

    assert KmsKey(ARN)._client().meta.endpoint_url == "https://kms.eu-central-1.amazonaws.com"


@pytest.mark.parametrize(
    "url",
    [
        "http://kms.example",
        "http://10.0.0.1:80",
        "ftp://127.0.0.1",
        "127.0.0.1:80",
        "http://",
        "http://[::2]",
    ],
)
def test_an_endpoint_without_tls_is_refused_unless_loopback(url: str) -> None:
    with pytest.raises(Refused, match="https"):
        KmsKey(ARN, endpoint=url, environment={})


@pytest.mark.parametrize(
    "url", ["https://vpce-1.kms.eu-central-1.vpce.amazonaws.com", "http://[::1]:1", "http://localhost:1"]
)
def test_a_named_endpoint_with_tls_or_on_loopback_is_taken(url: str) -> None:
    assert KmsKey(ARN, endpoint=url, environment={})._client().meta.endpoint_url == url


@pytest.mark.parametrize(
    "name",
    [
        "",
        "alias/vault",
        "arn:aws:kms:eu-central-1:123456789012:alias/vault",
        "0d990263-018e-4e65-a703-eff731de951e",
        ARN + "\n",
        ARN.replace("123456789012", "12345678901"),
        ARN.replace(":kms:", ":s3:"),
        ARN.upper(),
    ],
)
def test_only_a_keys_own_arn_names_it(name: str) -> None:
    with pytest.raises(Refused, match="ARN"):
        KmsKey(name, environment={})


def test_a_ring_names_each_key_once() -> None:
    for names in ((), (ARN, ARN)):
        with pytest.raises(Refused, match="at least one KMS key"):
            KmsKeys(names, environment={})


def test_after_a_fork_the_client_is_another(monkeypatch: pytest.MonkeyPatch) -> None:
    key = KmsKey(ARN, environment={})
    parents = key._client()
    assert key._client() is parents

    monkeypatch.setattr("vault.adapters.kms.os.getpid", lambda: -1)
    childs = key._client()
    assert childs is not parents
    assert key._client() is childs


# --- nothing reaches a log


def test_no_log_at_any_level_holds_a_data_key(world: KmsWorld, caplog: pytest.LogCaptureFixture) -> None:
    names = [name for name in logging.root.manager.loggerDict if name.split(".")[0] in {"boto3", "botocore"}]
    for name in ("boto3", "botocore", *names):
        caplog.set_level(logging.DEBUG, logger=name)
    caplog.set_level(logging.DEBUG)

    made = world.ring.generate(HERE)
    world.ring.wrap(made.key, HERE)
    world.ring.unwrap(made.wraps, HERE)

    assert not [record for record in caplog.records if record.name.startswith(("boto", "urllib3"))]
    assert base64.b64encode(made.key.expose()).decode() not in caplog.text


def test_botocore_would_log_the_key_if_it_were_let(world: KmsWorld, caplog: pytest.LogCaptureFixture) -> None:
    """The reason for `silence_botocore`, so that its test cannot pass for want of a leak."""
    for name in ("botocore", "botocore.parsers"):
        logging.getLogger(name).disabled = False
        logging.getLogger(name).propagate = True
    try:
        caplog.set_level(logging.DEBUG, logger="botocore")
        answer: dict[str, Any] = kms_client(world.first).generate_data_key(
            KeyId=world.first, KeySpec="AES_256"
        )
        assert base64.b64encode(answer["Plaintext"]).decode() in caplog.text
    finally:
        silence_botocore()


def test_no_key_reaches_an_exception(world: KmsWorld) -> None:
    made = world.ring.generate(HERE)
    world.switch(world.second, "disable_key")

    with pytest.raises(KeysDisabled) as refusal:
        world.ring.wrap(made.key, HERE)

    shown = f"{refusal.value}{refusal.value.args}{refusal.value.facts}{refusal.value.calls}"
    assert made.key.expose().hex() not in shown
    assert base64.b64encode(made.key.expose()).decode() not in shown
    assert os.environ["AWS_SECRET_ACCESS_KEY"] not in shown
