"""Frozen envelopes open for ever, with the vault's code and with code from the specification alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import tests.vectors
from tests.vectors.envelopes_opener import open_by_specification
from vault.crypto.context import Context
from vault.crypto.envelope import Envelope, decode_wraps, encode_wraps, open_envelope
from vault.domain.secret import Secret

FROZEN: list[dict[str, Any]] = json.loads(
    (Path(str(tests.vectors.__file__)).parent / "envelopes.json").read_text("ascii")
)["envelopes"]


@pytest.mark.parametrize("frozen", FROZEN, ids=lambda frozen: frozen["name"])
def test_a_frozen_envelope_opens(frozen: dict[str, Any]) -> None:
    pairs = frozen["context"]
    context = Context(pairs["vault"], pairs["account"], pairs["kind"], int(pairs["version"]))
    envelope = Envelope(bytes.fromhex(frozen["body"]), decode_wraps(frozen["wraps"].encode()))
    key = bytes.fromhex(frozen["data_key"])

    assert context.pairs() == pairs
    assert open_envelope(envelope, context, Secret(key)).expose() == frozen["plaintext"]
    assert open_by_specification(envelope.body, pairs, key) == frozen["plaintext"]
    assert envelope.body_sha256.hex() == frozen["body_sha256"]
    assert encode_wraps(envelope.wraps).decode() == frozen["wraps"]


def test_the_frozen_envelopes_are_all_there() -> None:
    assert len(FROZEN) == 6
    assert {len(frozen["body"]) // 2 for frozen in FROZEN} == {352, 608}
