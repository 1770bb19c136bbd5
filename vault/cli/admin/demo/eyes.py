"""Eyes outside: a file on another disk and an auditor's witness keep the log's checkpoints, and AWS its own records.

Decided here: what is shown of them. A checkpoint is confirmed; an older log is refused by the witness that saw a newer
one; and what AWS recorded is explained by checkouts, but for one sign-in that nobody asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from audit.errors import RolledBack
from audit.witness.submit import submit
from vault.domain.actor import Role
from vault.ports.cloud import IncidentFilter
from vault.ports.store import Slice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from audit.witness.client import Client
    from audit.witness.submit import Prove
    from vault.cli.admin.demo.scenes import Act
    from vault.cli.admin.demo.world import Ground
    from vault.domain.incident import Incident

STRANGER: Final = "198.51.100.77"
LATER: Final = 16 * 60
"""Seconds until AWS's records are looked at: what explains one may come after it."""


def publish(act: Act) -> None:
    """Publish a checkpoint; the places of the settings confirm it."""
    with act.stage.step("A checkpoint leaves the house, and a file on another disk keeps it") as told:
        act.vault.publishing.once()
        with act.vault.units.read() as unit:
            newest = unit.published.latest()
            confirmed = [unit.outlets.get(name) for name in act.vault.publishing.names]
        if newest is None or not all(each is not None and each.position == newest.size for each in confirmed):
            raise AssertionError("nobody confirmed the checkpoint")
        told(f"{newest.size} entries; without any such place, disclosures would stop")


def cosign(act: Act, client: Client, older: str, directory: Path) -> Path:
    """Have the witness cosign the log's head, then show it an older one; give the file that the auditor keeps."""
    auditor = act.cast.of(Role.AUDITOR)
    note = act.vault.trail.checkpoint()
    with act.stage.step(f"The witness of {auditor.part.name} cosigns it") as told:
        cosignature = submit(client, note, _prover(act, note))
        kept = directory / "witnessed-checkpoint"
        kept.write_text(note + cosignature.line, encoding="utf-8", newline="\n")
        told(f"{client.verifier.name} has seen {_size(note)} entries, and says when")
    with act.stage.step("It is shown the log as it was before, and refuses") as told:
        try:
            submit(client, older, _prover(act, older))
        except RolledBack:
            told(f"{_size(older)} entries after {_size(note)}: a log that was put back gets no cosignature")
        else:
            raise AssertionError("the witness cosigned a log that was put back")
    return kept


def reconcile(act: Act, ground: Ground) -> None:
    """Hold AWS's records against the log; one sign-in is explained by nothing."""
    with act.stage.step("AWS's own records are held against the log, both ways") as told:
        counts = act.vault.reconciliation.once()
        told(f"{counts.read} records, {counts.matched} explained by a checkout")
    with act.stage.step("What nothing explains is an incident, until someone explains it") as told:
        found = _incidents(act)
        if [each.account_id for each in found] != [ground.number]:
            raise AssertionError(f"{len(found)} incidents, where one sign-in was nobody's")
        told(found[0].summary)


def _incidents(act: Act) -> tuple[Incident, ...]:
    auditor = act.cast.of(Role.AUDITOR).actor(act.vault)
    page = act.vault.incidents.page(auditor, IncidentFilter(), Slice(10))
    return tuple(view.incident for view in page.items)


def _prover(act: Act, note: str) -> Prove:
    def prove(old: int) -> Sequence[bytes]:
        return act.vault.trail.consistency(old, _size(note))[2]

    return prove


def _size(note: str) -> int:
    return int(note.split("\n")[1])
