"""Get a checkpoint cosigned: the dance of a log with a witness (C2SP tlog-witness).

The log says what it believes that the witness has seen; the witness corrects it; the log proves from there. Where
what the witness has seen cannot be continued, the log was put back or rewritten: that is `RolledBack`, and nothing
may be disclosed until a person has looked.

Decided here: what counts as that. A witness shows the checkpoint it goes by, signed; one that shows none is believed
all the same, under a code of its own, for a witness need not show any; one that shows another than it says is not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

from audit.checkpoint import Checkpoint
from audit.errors import AuditError, ProofRefused, RolledBack, SizeConflict, WitnessRefused
from audit.merkle import check_consistency
from audit.note import split
from audit.witness.client import Client, Cosignature

_TRIES: Final = 4

Prove: TypeAlias = Callable[[int], Sequence[bytes]]
"""Gives the proof that the log's first `n` entries begin the tree of the checkpoint; `n` from 1 up to its size."""


def submit(
    client: Client, note: str, prove: Prove, start: int = 0, head: Callable[[], int] | None = None
) -> Cosignature:
    """Get the witness's cosignature of a signed checkpoint of ours.

    `start` is the size that the witness is believed to have, 0 if unknown. `head` gives our log's size now: where
    the witness is beyond this checkpoint but not beyond that, somebody else of ours was faster, and `SizeConflict`
    is raised. Raises `RolledBack` if the witness has seen more of the log than we have, or another log; otherwise as
    `Client.add`, and what `prove` raises.
    """
    ours = Checkpoint.parse(split(note)[0])
    old = min(start, ours.size)
    for _ in range(_TRIES):
        proof = tuple(prove(old)) if old else ()
        try:
            return client.add(old, proof, note)
        except SizeConflict as conflict:
            if ours.size < conflict.size <= (head or (lambda: 0))():
                raise
            if conflict.size > ours.size:
                raise _ahead(client, ours, conflict.size) from None
            if conflict.size == old:
                raise _beside(client, ours, proof) from None
            old = conflict.size
        except WitnessRefused as refusal:
            if refusal.code != "witness.proof" or not old:
                raise
            raise _beside(client, ours, proof, refusal) from None
    words = f"the witness {client.verifier.name} tells another size each time it is asked"
    raise WitnessRefused("witness.answer", words)


def _ahead(client: Client, ours: Checkpoint, claimed: int) -> AuditError:
    """Say what it means that a witness claims to have seen more than we have."""
    shown = _shown(client, ours.origin)
    if shown is None:
        words = (
            f"it says that it has seen {claimed} entries, the log has {ours.size}, and shows no checkpoint"
        )
        return RolledBack("witness.ahead", _loud("ROLLED BACK", client, words))
    if shown.size <= ours.size:
        return _contradicts(client, f"says {claimed} entries and shows {shown.size}")
    words = f"it has seen {shown.size} entries, the log has {ours.size}"
    return RolledBack("log.rolled_back", _loud("ROLLED BACK", client, words))


def _beside(
    client: Client, ours: Checkpoint, proof: Sequence[bytes], refusal: WitnessRefused | None = None
) -> AuditError:
    """Say what it means that a witness does not take a proof from the size that it has."""
    shown = _shown(client, ours.origin)
    if shown is None:
        words = "it has seen another log of the same size, and shows no checkpoint"
        return refusal or RolledBack("witness.beside", _loud("REWRITTEN", client, words))
    if shown.size > ours.size:
        return SizeConflict(shown.size)  # it moved on while we asked
    try:
        check_consistency(shown.size, ours.size, proof, shown.root, ours.root)
    except ProofRefused as error:
        words = f"the log does not continue the {shown.size} entries that it has seen ({error.words})"
        return RolledBack("log.forked", _loud("REWRITTEN", client, words))
    return refusal or _contradicts(
        client, f"refuses the very checkpoint of {shown.size} entries that it shows"
    )


def _shown(client: Client, origin: str) -> Checkpoint | None:
    note = client.latest(origin)
    return None if note is None else Checkpoint.parse(split(note)[0])


def _loud(what: str, client: Client, words: str) -> str:
    return f"LOG {what}, says the witness {client.verifier.name}: {words}. Nothing may be disclosed."


def _contradicts(client: Client, words: str) -> WitnessRefused:
    return WitnessRefused(
        "witness.answer", f"the witness {client.verifier.name} contradicts itself: it {words}"
    )
