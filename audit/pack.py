"""Many receipts under one checkpoint, as one JSON document: an evidence pack verifies without us.

    {"checkpoint": <signed checkpoint>, "receipts": [{"index": <number>, "leaf_hash": <64 hex digits>,
     "hashes": [<base64 of each hash of the inclusion proof, leaf to root>, …], …}, …], …}

Other members are for readers and are not looked at. A receipt here proves that an entry with this hash is in the log;
what the entry says is known to whoever holds it, and `audit.receipt` holds the two together.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Final

from audit.checkpoint import Checkpoint
from audit.errors import ProofRefused
from audit.note import Verifier
from audit.receipt import InclusionReceipt, format_receipt

LARGEST: Final = 64 * 1024 * 1024
MOST: Final = 200_000
_HASH: Final = re.compile(r"[0-9a-f]{64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Proven:
    """What a pack proves: so many entries of the log that its checkpoint names."""

    checkpoint: Checkpoint
    entries: int


def check_pack(data: bytes, *verifiers: Verifier) -> Proven:
    """Check every receipt of a pack; raise an `AuditError` for the first that is wrong.

    A pack without receipts proves nothing and is refused.
    """
    whole = _read(data)
    checkpoint: Checkpoint | None = None
    for place in whole["receipts"]:
        receipt, leaf = _receipt(place, whole["checkpoint"])
        checkpoint = receipt.check(leaf, *verifiers)
    if checkpoint is None:
        raise ProofRefused("pack.empty", "the pack has no receipts, so it proves nothing")
    return Proven(checkpoint, len(whole["receipts"]))


def _read(data: bytes) -> dict[str, Any]:
    try:
        whole: Any = json.loads(data.decode("utf-8"))
    except (UnicodeDecodeError, ValueError, RecursionError):
        raise ProofRefused("pack.form", "the pack is not JSON") from None
    receipts = whole.get("receipts") if isinstance(whole, dict) else None
    if not isinstance(receipts, list) or not isinstance(whole.get("checkpoint"), str) or len(receipts) > MOST:
        raise ProofRefused("pack.form", "a pack has a checkpoint and a list of receipts")
    return dict(whole)


def _receipt(place: Any, checkpoint: str) -> tuple[InclusionReceipt, bytes]:
    fields = place if isinstance(place, dict) else {}
    index, leaf, hashes = fields.get("index"), fields.get("leaf_hash"), fields.get("hashes")
    if (
        type(index) is not int
        or index < 0
        or not isinstance(leaf, str)
        or _HASH.fullmatch(leaf) is None
        or not isinstance(hashes, list)
        or not all(isinstance(each, str) and "\n" not in each for each in hashes)
    ):
        raise ProofRefused("pack.form", "a receipt of the pack has no index, leaf_hash and hashes")
    empty = format_receipt(index, (), checkpoint)
    top, _, rest = empty.partition("\n\n")
    text = "\n".join([top, *hashes]) + "\n\n" + rest
    return InclusionReceipt.parse(text), bytes.fromhex(leaf)
