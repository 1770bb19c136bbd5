"""A restore from beginning to end: what is examined before the ceremony, where its files lie, what is set after it.

Decided here: the order, so that whoever is cut off finds either everything as it was or the ceremony done. The old
log is examined and written out as a bundle; a new key is made; then the database changes in one transaction, which
on SQLite happens in a copy that takes the database's place by a rename; last, the old mark is put aside with what may
be held beside it, so that a service that still runs on what was before refuses. The old key, mark and database
are kept.

A new log has a new name: `…/audit` goes on as `…/audit/2`. Never done here: changing the settings file; the
operator sets what `Steps.settings` says.
"""

from __future__ import annotations

import platform
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from audit.bundle import write_bundle
from audit.durable import sync_directory
from audit.errors import AuditError, RolledBack
from audit.log import Log
from audit.mark import MarkFile, held_beside
from audit.note import Signer, read_key, write_key
from audit.report import StorageSource
from audit.storage.sql import SqlStorage
from audit.verify import examine
from vault.adapters.clock import SystemClock
from vault.adapters.db import SqlUnits, check_durable, current, engine_for, head, upgrade
from vault.adapters.db.copying import copy_database
from vault.adapters.destroyed_list import DestroyedFile
from vault.bootstrap.ground import check_data_directory, destroyed_list
from vault.bootstrap.open import log_of, policy_text, program_version
from vault.domain.actor import Actor, system_actor
from vault.domain.event import EventType
from vault.errors import Refused
from vault.ports.ranges import Pick
from vault.services.restoring import Ended, Restored, Restoring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from vault.domain.destruction import Destroyed
    from vault.ports.clock import Clock
    from vault.settings import Settings

_NUMBERED: Final = re.compile(r"(.+)/([0-9]+)")
ACCOUNTABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Steps:
    """What the ceremony did, and what the operator sets before anything is started again."""

    origin: str
    vkey: str
    previous_origin: str
    previous_vkey: str
    settings: tuple[tuple[str, str], ...]
    bundle: Path
    kept: tuple[Path, ...]
    restored: Restored | None
    """None where an earlier run had done it and was cut off before its last steps."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What the operator asks for; `origin` None takes the next number.

    `by` are those who answer for it, as the host's operator names them: they are held against nobody in the vault.
    """

    why: str
    by: tuple[str, ...]
    origin: str | None = None
    backup: Path | None = None
    destroyed: Path | None = None
    """A copy of the list of destroyed credentials that is kept elsewhere, beside the one in the data directory."""
    without_list: bool = False
    """Go on where there is no list: the vault is frozen then."""


def next_origin(settings: Settings) -> str:
    """Give the next name of the log that nothing here was made for yet."""
    found = _NUMBERED.fullmatch(settings.log.origin)
    base, number = (found[1], int(found[2])) if found else (settings.log.origin, 1)
    while True:
        number += 1
        if not _mark_of(settings, number).exists():
            return f"{base}/{number}"


def restore(
    settings: Settings, wish: Wish, progress: Callable[[int, int], None], clock: Clock | None = None
) -> Steps:
    """Restore, or finish a ceremony that was cut off; raise `Refused` saying what to do first."""
    actor = _actor(wish.by)
    if not wish.why.strip():
        raise Refused(
            "operation.failed", "Say why the vault is restored: it is the first thing its log tells."
        )
    check_data_directory(settings)
    origin = wish.origin or next_origin(settings)
    number = _number_of(settings, origin)
    old = log_of(settings)
    key_file = settings.file(f"log-{number}.key")
    signer = _key(key_file, origin)
    listed = _destroyed(settings, wish)
    new_mark = MarkFile(_mark_of(settings, number))
    made = _Made(settings, number, origin, old, signer, listed)
    url = settings.database_url
    if wish.backup is None and _is_at(url, origin):
        return _finish(made, url, new_mark)
    if new_mark.read() is not None:
        words = f"An earlier ceremony began {origin}; its mark is there. Name the next origin with --origin."
        raise Refused("operation.failed", words)
    place = _place(settings, wish.backup)
    if place is not None:
        url = f"sqlite+pysqlite:///{place}"
    try:
        done = _ceremony(made, url, new_mark, actor, wish.why.strip(), progress, clock or SystemClock())
    except BaseException:
        if place is not None:
            _remove(place)
        raise
    kept = [] if place is None else _swap(settings, place, number)
    return made.steps((*kept, *_put_mark_aside(settings, number)), done)


def _ceremony(
    made: _Made,
    url: str,
    mark: MarkFile,
    actor: Actor,
    why: str,
    progress: Callable[[int, int], None],
    clock: Clock,
) -> Restored:
    ended = _examined(made, url, progress)
    app = {"version": program_version(), "host": platform.node() or "unknown"}
    units = SqlUnits(engine_for(url), Log(made.origin, made.signer), mark, app)
    try:
        return Restoring(
            units,
            clock,
            made.origin,
            made.signer.vkey,
            lambda: policy_text(made.settings),
            listed=made.listed,
        ).restore(actor, why, ended)
    finally:
        units.engine.dispose()


@dataclass(frozen=True, slots=True)
class _Made:
    """What the ceremony works with."""

    settings: Settings
    number: int
    origin: str
    old: Log
    signer: Signer
    listed: tuple[Destroyed, ...] | None

    @property
    def bundle(self) -> Path:
        """Where the old log is written out."""
        return self.settings.file(f"log-before-{self.number}")

    def steps(self, kept: tuple[Path, ...], done: Restored | None) -> Steps:
        """Tell what was done."""
        return Steps(
            origin=self.origin,
            vkey=self.signer.vkey,
            previous_origin=self.old.origin,
            previous_vkey=self.old.signer.vkey,
            settings=(
                ("log.origin", self.origin),
                ("log.key_file", f"log-{self.number}.key"),
                ("log.mark_file", _mark_of(self.settings, self.number).name),
                ("log.previous_key_file", ""),
            ),
            bundle=self.bundle,
            kept=(self.settings.file(self.settings.log.key_file), *kept),
            restored=done,
        )


def _actor(by: tuple[str, ...]) -> Actor:
    names = tuple(name.strip() for name in by)
    if len({name.casefold() for name in names}) < ACCOUNTABLE or not all(
        name and name.isprintable() for name in names
    ):
        raise Refused(
            "operation.failed", "Name two different people who answer for it: --by NAME --and NAME."
        )
    return replace(system_actor("restore"), name=f"restore by {' and '.join(names)}, as named on the host")


def _number_of(settings: Settings, origin: str) -> int:
    """Give the number that a new origin ends with."""
    found = _NUMBERED.fullmatch(origin)
    present = _NUMBERED.fullmatch(settings.log.origin)
    base, number = (present[1], int(present[2])) if present else (settings.log.origin, 1)
    if found is None or found[1] != base or int(found[2]) <= number:
        words = f"The new log is named {base}/{number + 1}, or with a larger number; not {origin}."
        raise Refused("operation.failed", words)
    return int(found[2])


def _mark_of(settings: Settings, number: int) -> Path:
    mark = settings.file(settings.log.mark_file)
    return mark.with_name(f"log-{number}.mark")


def _key(path: Path, origin: str) -> Signer:
    """Make the new log's key, or take the one that an earlier run made and did not come to use."""
    if not path.exists():
        write_key(path, Signer.generate(origin))
        sync_directory(path.parent)
    try:
        return read_key(path, origin)
    except (OSError, AuditError) as failure:
        raise Refused("keys.settings", f"The new log's key {path} cannot be used: {failure}") from None


def _place(settings: Settings, backup: Path | None) -> Path | None:
    """Copy a backup beside the database, for SQLite; PostgreSQL's is put back by its own programs first."""
    if backup is None:
        return None
    if settings.database.url and not settings.database.url.startswith("sqlite"):
        words = (
            "Put the backup back with pg_restore first, then run this without --from; see docs/operations.md."
        )
        raise Refused("operation.failed", words)
    if not backup.is_file():
        raise Refused("operation.failed", f"There is no file {backup}.")
    place = _database_file(settings).with_name("vault.db.restoring")
    _remove(place)
    copy_database(f"sqlite+pysqlite:///{backup}", place)
    return place


def _database_file(settings: Settings) -> Path:
    return settings.directory / settings.database_url.partition(":///")[2]


def _files_of(database: Path) -> tuple[Path, ...]:
    return tuple(database.with_name(database.name + suffix) for suffix in ("", "-wal", "-shm"))


def _remove(database: Path) -> None:
    for file in _files_of(database):
        file.unlink(missing_ok=True)


def _examined(made: _Made, url: str, progress: Callable[[int, int], None]) -> Ended:
    """Bring the schema up, prove the old log in the database from end to end, and write it out."""
    if current(url) is None:
        raise Refused(
            "operation.failed", "There is no vault in what is to be restored. Is it the right backup?"
        )
    if current(url) != head():
        upgrade(url)
    engine = engine_for(url)
    try:
        check_durable(engine)
        with engine.connect() as connection:
            storage = SqlStorage(connection)
            present = storage.head()
            if present.origin != made.old.origin:
                words = f"The log in it is {present.origin or 'empty'}, the settings say {made.old.origin}."
                raise Refused("operation.failed", f"{words} Set log.origin and log.key_file to that log's.")
            report = examine(StorageSource(storage), made.old.verifiers, (), progress)
            if not report.is_sound:
                worst = report.findings[0]
                words = (
                    f"The log in it is not sound: {worst.words}. Take another backup; keep this as evidence."
                )
                raise Refused("log.unavailable", words)
            if not (made.bundle / "checkpoint").exists():
                write_bundle(storage, made.bundle)
    except AuditError as error:
        raise Refused("log.unavailable", f"The log in it cannot be proven: {error.words}.") from None
    finally:
        engine.dispose()
    return Ended(made.old.origin, present.note, _marked(made))


def _marked(made: _Made) -> str | None:
    """Give what is held beside the old mark, else what the mark holds, if it is ours."""
    mark = MarkFile(made.settings.file(made.settings.log.mark_file))
    try:
        note = mark.held() or mark.read()
        if note is not None:
            made.old.open(note)
    except (AuditError, RolledBack):
        return None
    return note


def _swap(settings: Settings, place: Path, number: int) -> list[Path]:
    """Put the restored database in the place of the present one, which is kept."""
    database = _database_file(settings)
    kept = []
    for present, restored in zip(_files_of(database), _files_of(place), strict=True):
        if present.exists():
            aside = present.with_name(f"{present.name}.before-{number}")
            present.rename(aside)
            kept.append(aside)
        if restored.exists():
            restored.rename(present)
    sync_directory(database.parent)
    return kept


def _put_mark_aside(settings: Settings, number: int) -> tuple[Path, ...]:
    """Rename the old mark, so that a service that still runs as before finds none, and refuses."""
    mark = settings.file(settings.log.mark_file)
    kept = []
    for present in (mark, held_beside(mark)):  # the mark first: at each moment one of the two refuses
        if present.exists():
            aside = present.with_name(f"{present.name}.{number - 1}")
            present.rename(aside)
            kept.append(aside)
    sync_directory(mark.parent)
    return tuple(kept)


def _destroyed(settings: Settings, wish: Wish) -> tuple[Destroyed, ...] | None:
    """Read the list of destroyed credentials, and its copy, together; None where there is none, as was wished.

    What only the copy has is put on the list, so that the next restore has it too.
    """
    own = destroyed_list(settings)
    lists = [own] if wish.destroyed is None else [own, DestroyedFile(wish.destroyed, own.mac)]
    try:
        found = [told for each in lists if (told := each.read()) is not None]
    except Refused:
        if not wish.without_list:
            raise
        return None
    if wish.destroyed is not None and not wish.destroyed.is_file():
        raise Refused("operation.failed", f"There is no file {wish.destroyed}.")
    if not found:
        if wish.without_list:
            return None
        words = (
            f"The list of destroyed credentials {own.path} is not there, so nobody can say what may not come to life"
            " again. Put it back, or name a copy with --destroyed. If there is none, --without-list restores and"
            " freezes the whole vault until two people lifted that."
        )
        raise Refused("destruction.list", words)
    whole = {each.account_id: each for told in found for each in told}
    own.add(whole.values())
    return tuple(whole.values())


def _is_at(url: str, origin: str) -> bool:
    """Say whether a database has this log already."""
    if current(url) is None:
        return False
    engine = engine_for(url)
    try:
        with engine.connect() as connection:
            return SqlStorage(connection).head().origin == origin
    finally:
        engine.dispose()


def _finish(made: _Made, url: str, mark: MarkFile) -> Steps:
    """Do the last steps of a ceremony that was cut off after its transaction; nothing may have happened since."""
    app = {"version": program_version(), "host": platform.node() or "unknown"}
    units = SqlUnits(engine_for(url), Log(made.origin, made.signer), None, app)
    try:
        with units.read() as unit:
            note = unit.log.checkpoint()
            (last,) = unit.ranges.last(Pick(outcome="success"), 1)
            size = unit.ranges.size()
    finally:
        units.engine.dispose()
    if last.content["type"] != EventType.VAULT_RESTORED or last.index != size - 1:
        words = f"The vault is at {made.origin} already and in use; there is nothing to finish."
        raise Refused("operation.failed", words)
    try:
        mark.advance(note)
    except (RolledBack, OSError) as error:
        raise Refused("log.unavailable", f"The new mark cannot be written: {error}") from None
    return made.steps(_put_mark_aside(made.settings, made.number), None)
