"""Append to a log and prove what is in it.

Decided here: what a log signs. The only thing this package ever signs is the checkpoint of a tree that
extends the tree of the checkpoint it signed before: `append` first finds its own signature on the stored head
and its root over the stored frontier. Somebody who can write to the database but does not hold the key
therefore cannot make the next honest append sign a rewritten past.

A log may change its key (`audit.rotation`). While it is given the `previous` one, each new head bears two lines, the
old key's and the new one's, and the head that it finds may be signed by either: the first that it finds is signed
by the old key alone. After that the new key's line must be there. Lines of others are left out of account.

The first entry is of type `log.opened`; a log of size 0 is never signed. Never done here: commit. A receipt
and the checkpoint in it are worth nothing, and must go to nobody, before the caller's transaction committed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from audit import entry, merkle
from audit.checkpoint import Checkpoint
from audit.entry import Draft
from audit.errors import LogRefused, ProofRefused, TileRefused
from audit.merkle import HASH_SIZE
from audit.note import Signer, Verifier
from audit.receipt import format_receipt, open_checkpoint
from audit.storage import Head, Storage
from audit.tile import Tile, encode_entries, encode_hashes

OPENED: Final = "log.opened"


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an append promises, once its transaction committed: the entry's place and the signed head."""

    index: int
    leaf_hash: bytes
    checkpoint: str


@dataclass(frozen=True, slots=True)
class Log:
    """One log: its origin is the name of the keys that sign it (C2SP tlog-checkpoint).

    `previous` is the key that signed before `signer`, while both sign.
    """

    origin: str
    signer: Signer
    previous: Signer | None = None

    def __post_init__(self) -> None:
        for signer in self._signers:
            if signer.name != self.origin:
                raise LogRefused("log.origin", f"the key is named {signer.name}, the log {self.origin}")
        if self.previous is not None and self.previous.vkey == self.signer.vkey:
            raise LogRefused("log.previous", "the previous key of the log is its present one")

    @property
    def verifiers(self) -> tuple[Verifier, ...]:
        """The keys by any of which a checkpoint of this log may be signed now, the newest first."""
        return tuple(signer.verifier for signer in self._signers)

    def append(self, storage: Storage, draft: Draft) -> Receipt:
        """Give a draft the next place, store it and sign the new head, inside the caller's transaction.

        Raises `EntryRefused` if the draft cannot be a leaf, `LogRefused` if the stored head is not one that
        this log signed; in both cases nothing was written.
        """
        head, tail = storage.lock(draft.account)
        frontier = self._own_frontier(head)
        if (head.size == 0) != (draft.type == OPENED):
            raise LogRefused("log.opened", f"{OPENED} is the first entry of a log, and only the first")
        account_seq = 0 if tail is None else tail.account_seq + 1
        account_prev = None if tail is None else tail.leaf_hash
        leaf = entry.encode(draft, self.origin, head.size, account_seq, account_prev)
        nodes, frontier = merkle.complete(head.size, merkle.leaf_hash(leaf), frontier)
        size = head.size + 1
        note = self._sign(Checkpoint(self.origin, size, merkle.fold(frontier)))
        storage.add(leaf, b"".join(nodes), Head(self.origin, size, b"".join(frontier), note))
        return Receipt(head.size, nodes[0], note)

    def checkpoint(self, storage: Storage) -> str:
        """Return the signed checkpoint of the stored head, its signature verified."""
        note = storage.head().note
        self.open(note)
        return note

    def open(self, note: str) -> Checkpoint:
        """Verify a checkpoint of this log by our own keys."""
        return open_checkpoint(note, self.origin, *self.verifiers)

    def prove_inclusion(self, storage: Storage, index: int, size: int | None = None) -> list[bytes]:
        """Return the inclusion proof of an entry in the tree of `size` (the head's by default)."""
        return merkle.prove_inclusion(index, self._size(storage, size), storage.nodes)

    def prove_consistency(self, storage: Storage, old: int, new: int | None = None) -> list[bytes]:
        """Return the proof that the tree of `old` begins the tree of `new` (the head's by default)."""
        return merkle.prove_consistency(old, self._size(storage, new), storage.nodes)

    def check_current(self, storage: Storage, index: int) -> bytes:
        """Return the leaf of entry `index`, proven to be in the tree that our signature on the head covers.

        Two statements. Raises `LogRefused` or `ProofRefused`; the leaf is returned so that nobody reads it
        a second time, unproven.
        """
        head, leaf = storage.head_and_leaf(index)
        if leaf is None:
            raise LogRefused("log.missing", f"entry {index} is not stored")
        self.check_under(storage, head, index, merkle.leaf_hash(leaf))
        return leaf

    def check_under(self, storage: Storage, head: Head, index: int, leaf_hash: bytes) -> None:
        """Raise `LogRefused` or `ProofRefused` unless our signature on this `head` covers this entry; one statement."""
        checkpoint = self._own_checkpoint(head)
        proof = merkle.prove_inclusion(index, head.size, storage.nodes)
        merkle.check_inclusion(index, head.size, leaf_hash, proof, checkpoint.root)

    def tlog_proof(self, storage: Storage, index: int) -> str:
        """Return the receipt of an entry that verifies without us (C2SP tlog-proof)."""
        head = storage.head()
        proof = merkle.prove_inclusion(index, head.size, storage.nodes)
        return format_receipt(index, proof, head.note)

    def tile(self, storage: Storage, path: str) -> bytes:
        """Return the content of a tile of this log; `TileRefused` if it is not there (yet)."""
        tile = Tile.parse(path)
        if not tile.is_in(storage.head().size):
            raise TileRefused("tile.absent", f"the log has not grown to {path} yet")
        return read_tile(storage, tile)

    @property
    def _signers(self) -> tuple[Signer, ...]:
        return (self.signer,) if self.previous is None else (self.signer, self.previous)

    def _sign(self, checkpoint: Checkpoint) -> str:
        """Return the signed checkpoint; the oldest key's line comes first, for readers who look at one only."""
        text = checkpoint.format()
        return f"{text}\n{''.join(signer.line(text) for signer in reversed(self._signers))}"

    def _own_frontier(self, head: Head) -> list[bytes]:
        """Return the stored frontier if our own signature covers it; an empty log has none."""
        if head.size == 0:
            if head.origin or head.note or head.frontier:
                raise LogRefused("log.head", "the log says that it is empty and has a head")
            return []
        checkpoint = self._own_checkpoint(head)
        frontier = [head.frontier[at : at + HASH_SIZE] for at in range(0, len(head.frontier), HASH_SIZE)]
        if len(frontier) != head.size.bit_count() or merkle.fold(frontier) != checkpoint.root:
            raise LogRefused("log.frontier", f"the stored tree of {head.size} is not the one that was signed")
        return frontier

    def _own_checkpoint(self, head: Head) -> Checkpoint:
        """Return the head's checkpoint if it is ours, by our own signature."""
        if head.origin != self.origin:
            raise LogRefused("log.origin", f"the stored log is {head.origin or 'empty'}, not {self.origin}")
        if not any(signer.is_own(head.note) for signer in self._signers):
            raise LogRefused("log.signature", "the stored head does not bear this log's signature")
        checkpoint = Checkpoint.parse(head.note.rpartition("\n\n")[0] + "\n")
        if checkpoint.origin != self.origin or checkpoint.size != head.size:
            raise LogRefused(
                "log.head", f"the stored head says {head.size}, its checkpoint {checkpoint.size}"
            )
        return checkpoint

    def _size(self, storage: Storage, size: int | None) -> int:
        stored = storage.head().size
        if size is not None and size > stored:
            raise ProofRefused("proof.range", f"the log has {stored} entries, not yet {size}")
        return stored if size is None else size


def read_tile(storage: Storage, tile: Tile) -> bytes:
    """Return the content of a tile from a storage that has it."""
    if tile.level is not None:
        return encode_hashes(storage.nodes(tile.coordinates()))
    return encode_entries(stored.leaf for stored in storage.leaves(tile.first, tile.first + tile.width))
