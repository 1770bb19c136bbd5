"""Another key for the log: made on the host, told by an entry that both keys sign, and later alone.

Decided here: the order. The new key is a file before the entry; the entry is the first whose head bears both
lines; from then on a process that was given only the old key refuses, until the settings name both and it is started
again. Never done here: changing the settings file, or deleting a key: old checkpoints are verified by old keys
for ever, so their vkeys stay published.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from audit.durable import sync_directory
from audit.errors import AuditError
from audit.log import Log
from audit.note import Signer, split, write_key
from audit.rotation import Rotation
from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import check_data_directory, open_previous_signer, open_signer
from vault.bootstrap.open import check_database, check_log, units_for
from vault.domain.actor import Reach, system_actor
from vault.domain.event import Event, EventType, stamp
from vault.errors import Refused
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from audit.entry import JsonValue
    from vault.adapters.db import SqlUnits
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.settings import Settings

ACTOR: Final = system_actor("log-key")
OVERLAP: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Changed:
    """Another key signs: both vkeys, until when both do, and what the operator sets now."""

    vkey: str
    previous_vkey: str
    overlap_until: str
    settings: tuple[tuple[str, str], ...]


def rotate(settings: Settings, overlap: timedelta = OVERLAP, clock: Clock | None = None) -> Changed:
    """Make a new key and let both sign; raise `Refused` while an overlap lasts already."""
    check_data_directory(settings)
    old = open_signer(settings)
    if settings.log.previous_key_file:
        words = "Two keys sign already. End that first: rootvault log end-overlap."
        raise Refused("operation.failed", words)
    now = (clock or SystemClock()).now()
    units = units_for(settings, old)
    try:
        check_database(settings, units)
        check_log(units)
        new = Signer.generate(settings.log.origin)
        name = f"log-{new.verifier.key_id.hex()}.key"
        write_key(settings.file(name), new)
        sync_directory(settings.file(name).parent)
        rotation = Rotation(new.verifier, old.verifier, stamp(now + overlap))
        units = _with_both(units, new, old)
        with units.write() as unit:
            detail: dict[str, Fact] = {key: _fact(value) for key, value in rotation.detail.items()}
            unit.log.record(Event(EventType.LOG_KEY_ROTATED, ACTOR, detail=detail), now)
            unit.commit()
    finally:
        units.engine.dispose()
    return Changed(
        vkey=new.vkey,
        previous_vkey=old.vkey,
        overlap_until=rotation.overlap_until,
        settings=(("log.key_file", name), ("log.previous_key_file", settings.log.key_file)),
    )


def end_overlap(settings: Settings, *, early: bool = False, clock: Clock | None = None) -> Changed:
    """Look whether the new key can go on alone; raise `Refused` where it cannot yet."""
    check_data_directory(settings)
    new, old = open_signer(settings), open_previous_signer(settings)
    if old is None:
        raise Refused("operation.failed", "One key signs; log.previous_key_file names no other.")
    now = (clock or SystemClock()).now()
    units = units_for(settings, new)
    try:
        check_database(settings, units)
        check_log(units)
        with units.read() as unit:
            note = unit.log.checkpoint()
            wanted = EntryFilter(type=EventType.LOG_KEY_ROTATED)
            found = unit.log.page(wanted, Reach(everything=True), Slice(1)).items
        until = _until(found[0].content.get("detail") if found else None, new, old)
        if new.verifier.key_id not in {line.key_id for line in split(note)[1] if line.name == new.name}:
            words = "The new key has not signed yet: start the service with these settings first."
            raise Refused("operation.failed", words)
        if not early and now < datetime.fromisoformat(until):
            words = f"Both keys sign until {until}, as was published. To end it now all the same: --early."
            raise Refused("operation.failed", words)
        with units.write() as unit:
            told: dict[str, Fact] = {"command": "log end-overlap", "early": early}
            unit.log.record(Event(EventType.HOST_COMMAND, ACTOR, detail=told), now)
            unit.commit()
    finally:
        units.engine.dispose()
    return Changed(
        vkey=new.vkey,
        previous_vkey=old.vkey,
        overlap_until=until,
        settings=(("log.key_file", settings.log.key_file), ("log.previous_key_file", "")),
    )


def _with_both(units: SqlUnits, new: Signer, old: Signer) -> SqlUnits:
    return replace(units, log=Log(new.name, new, old))


def _until(detail: object, new: Signer, old: Signer) -> str:
    try:
        rotation = Rotation.parse(detail if isinstance(detail, dict) else {})
    except AuditError as error:
        raise Refused("log.unavailable", f"The log tells of no such change of keys: {error.words}") from None
    if (rotation.new.vkey, rotation.previous.vkey) != (new.vkey, old.vkey):
        words = "The keys in the settings are not those that the log tells of last; look at log.key_file."
        raise Refused("keys.settings", words)
    return rotation.overlap_until


def _fact(value: JsonValue) -> Fact:
    return value if isinstance(value, str | int | bool) else None
