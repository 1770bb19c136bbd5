r"""A receipt: proof that one entry is in a log, as one text that verifies without us (C2SP tlog-proof).

    c2sp.org/tlog-proof@v1\n
    index <index, decimal>\n
    <base64 of each hash of the inclusion proof, leaf to root>\n      no line for a log of one entry
    \n
    <signed checkpoint, as in audit.checkpoint and audit.note>

The entry itself is not in it: who holds the leaf can show that the receipt is for it, nobody else learns it.
Decided here: the text, and no `extra` line. Never done here: making the proof.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from audit.checkpoint import Checkpoint
from audit.errors import LogRefused, ProofRefused
from audit.merkle import HASH_SIZE, check_inclusion
from audit.note import LONGEST, Verifier, open_note

HEADER: Final = "c2sp.org/tlog-proof@v1"
MOST_HASHES: Final = 63
_INDEX: Final = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """The place of an entry, its inclusion proof and the signed checkpoint that the proof leads to."""

    index: int
    proof: tuple[bytes, ...]
    checkpoint: str

    def format(self) -> str:
        """Write the receipt."""
        hashes = "".join(base64.b64encode(each).decode("ascii") + "\n" for each in self.proof)
        return f"{HEADER}\nindex {self.index}\n{hashes}\n{self.checkpoint}"

    @classmethod
    def parse(cls, text: str) -> InclusionReceipt:
        """Read a receipt; raise `ProofRefused` for whatever `format` would not have written."""
        top, separator, checkpoint = text[:LONGEST].partition("\n\n")
        header, *lines = top.split("\n")
        index = _INDEX.fullmatch(lines[0]) if lines else None
        if not separator or header != HEADER or index is None or len(lines) > 1 + MOST_HASHES:
            raise ProofRefused(
                "receipt.form", f"a receipt begins with {HEADER}, an index and at most 63 hashes"
            )
        try:
            proof = tuple(base64.b64decode(line, validate=True) for line in lines[1:])
        except (binascii.Error, ValueError):
            raise ProofRefused("receipt.hash", "a hash of the receipt is not base64") from None
        receipt = cls(int(index[1]), proof, checkpoint)
        if any(len(each) != HASH_SIZE for each in proof) or receipt.format() != text:
            raise ProofRefused("receipt.hash", "a hash of the receipt is not the base64 of 32 bytes")
        return receipt

    def check(self, leaf: bytes, *verifiers: Verifier) -> Checkpoint:
        """Return the checkpoint that covers the entry with this leaf hash.

        Raises `NoteRefused` if the checkpoint is signed by none of `verifiers`, the keys of one log;
        `ProofRefused` if the proof does not lead to it.
        """
        checkpoint = open_checkpoint(self.checkpoint, verifiers[0].name, *verifiers)
        check_inclusion(self.index, checkpoint.size, leaf, self.proof, checkpoint.root)
        return checkpoint


def open_checkpoint(note: str, origin: str, *verifiers: Verifier) -> Checkpoint:
    """Verify a signed checkpoint and return it; raise `NoteRefused` or, for another log's, `LogRefused`.

    Of several keys, those that a log had one after the other, one signature is enough, and none may be wrong.
    """
    checkpoint = Checkpoint.parse(open_note(note, verifiers).text)
    if checkpoint.origin != origin:
        raise LogRefused("log.origin", f"the checkpoint is of {checkpoint.origin}, not of {origin}")
    return checkpoint


def format_receipt(index: int, proof: Sequence[bytes], checkpoint: str) -> str:
    """Write a receipt from its parts."""
    return InclusionReceipt(index, tuple(proof), checkpoint).format()
