"""A vault on KMS over HTTP, what CloudTrail would write of it, and the passes that compare the two."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tests.support.trails import CALLER, Record, Recorder, deliver
from tests.support.world import World, with_keys
from vault.adapters.cloudtrail.folder import Folder
from vault.adapters.kms import KmsKeys
from vault.domain.actor import Actor, Reach, Role
from vault.domain.incident import Incident
from vault.ports.cloud import CloudRecords, IncidentFilter, SeenEvent
from vault.ports.store import EntryFilter, Slice
from vault.services.reconciliation import Counts, Reconciliation

if TYPE_CHECKING:
    from tests.support.world import Human
    from vault.bootstrap.compose import Vault
    from vault.domain.checkout import Checkout

NUMBER: Final = "111122223333"
EVERYTHING: Final = Reach(everything=True)


@dataclass(slots=True)
class Watch:
    """One vault under watch; `deliver` is CloudTrail's delivery, `run` a pass after all has settled."""

    world: World
    recorder: Recorder
    folder: Path
    keys: tuple[str, ...]
    files: int = 0
    sources: tuple[CloudRecords, ...] = ()
    seen: list[Record] = field(default_factory=list)

    @property
    def vault(self) -> Vault:
        """The vault."""
        return self.world.vault

    @property
    def alice(self) -> Human:
        """An operator."""
        return self.world.human("alice", Role.OPERATOR)

    @property
    def auditor(self) -> Actor:
        """An auditor."""
        return self.world.human("uma", Role.AUDITOR).actor

    def reveal(self, number: str = NUMBER) -> Checkout:
        """Check an account out, see its password, check it in."""
        self.world.clock.advance(minutes=1)
        lease = self.world.lease(self.alice, number, "CRED_ROTATE")
        self.vault.reveals.password(self.alice.actor, lease.id)
        self.vault.checkouts.check_in(self.alice.actor, lease.id)
        return lease

    def deliver(self, *records: object, **where: str) -> Path:
        """Write records into the folder as a new file; without any, those of the calls since the last time."""
        self.files += 1
        told = list(records) or list(self.recorder.take())
        return deliver(self.folder, told, self.world.clock.now(), f"f{self.files:04}", **where)

    def reconciliation(self, *sources: CloudRecords) -> Reconciliation:
        """Give the use case with these sources, or the folder."""
        made = self.vault.reconciliation
        return replace(
            made,
            sources=sources or self.sources or (Folder(self.folder),),
            keys=frozenset(self.keys),
            wait=timedelta(hours=2),
        )

    def run(self, *, settle: bool = True) -> Counts:
        """Do one pass, after all that waits has settled."""
        if settle:
            self.world.clock.advance(minutes=20)
        return self.reconciliation().once()

    def incidents(self, **wanted: object) -> tuple[Incident, ...]:
        """List incidents as the board does."""
        with self.vault.units.read() as unit:
            return unit.incidents.page(EVERYTHING, IncidentFilter(**wanted), Slice(100)).items  # type: ignore[arg-type]  # a test's words

    def matched(self, event_id: str) -> str | None:
        """Say what a record matched."""
        with self.vault.units.read() as unit:
            found: SeenEvent | None = unit.cloud.get(event_id)
        assert found is not None, event_id
        return found.matched

    def entries(self, kind: str) -> list[dict[str, object]]:
        """Give the log's entries of a type, newest first."""
        with self.vault.units.read() as unit:
            page = unit.log.page(EntryFilter(type=kind), EVERYTHING, Slice(100))
        return [dict(entry.content) for entry in page.items]


def watched(world: World, recorder: Recorder, folder: Path, keys: tuple[str, ...], endpoint: str) -> Watch:
    """Put a vault on KMS under watch, with one account in custody."""
    folder.mkdir(exist_ok=True)
    on_kms = with_keys(world, KmsKeys(keys, endpoint=endpoint, read_timeout=20.0))
    recorder.now = world.clock.now
    watch = Watch(on_kms, recorder, folder, keys)
    on_kms.held(NUMBER)
    assert recorder.records
    assert CALLER in keys[0]
    return watch
