"""Sealing and opening one secret, without the key service's way: beside bare AES-GCM over as many bytes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.bench.measure import Result, Table, short_in_turns, us
from vault.adapters.local_keys import create_local_keys
from vault.crypto.context import Context
from vault.crypto.envelope import Envelope, decode_wraps, encode_wraps, open_envelope, seal
from vault.domain.ids import new_id
from vault.domain.secret import Secret

if TYPE_CHECKING:
    from tests.bench.places import Place, Size

BUCKET: Final = 260
COUNT: Final = 300


def run(places: tuple[Place, ...], size: Size) -> Result:
    """Measure; no database is asked."""
    context = Context(vault=new_id(), account="111122223333", kind="password", version=1)
    pairs, secret = context.pairs(), Secret("Correct-Horse-7-Battery")
    keys = create_local_keys(places[0].directory / "seal-keys.json")
    data_key = keys.generate(pairs)
    envelope = seal(secret, context, data_key)
    stored = (envelope.body, encode_wraps(envelope.wraps))
    bare, nonce, payload = AESGCM(os.urandom(32)), os.urandom(12), bytes(BUCKET)
    ciphertext = bare.encrypt(nonce, payload, None)

    def opened_stored() -> object:
        wraps = decode_wraps(stored[1])
        return open_envelope(Envelope(stored[0], wraps), context, keys.unwrap(wraps, pairs).key)

    acts = {
        "bare AES-GCM: fresh key, nonce, encrypt": lambda: AESGCM(os.urandom(32)).encrypt(
            os.urandom(12), payload, None
        ),
        "bare AES-GCM: decrypt": lambda: bare.decrypt(nonce, ciphertext, None),
        "seal": lambda: seal(secret, context, data_key),
        "open": lambda: open_envelope(envelope, context, data_key.key),
        "generate a data key and wrap it under two local keys": lambda: keys.generate(pairs),
        "unwrap it": lambda: keys.unwrap(envelope.wraps, pairs),
        "open what is stored, local keys and all": opened_stored,
    }
    found = short_in_turns(acts, size.rounds, COUNT if size.rounds > 1 else 5)
    floor = found["bare AES-GCM: decrypt"].median
    rows = tuple((name, us(each.median), round(each.median / floor, 1)) for name, each in found.items())
    return Result(
        "seal", (Table("One secret of 256 bytes, padded", ("what", "µs", "of a bare decrypt"), rows),)
    )
