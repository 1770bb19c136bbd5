"""A restore tried out beside the vault: the ceremony on a copy in a scratch directory, which is removed again (S7).

Decided here: that the real ceremony is what is tried, on settings that differ from the host's in their directory and
database alone: it reads the host's log key and a copy of its mark, and writes nothing outside the scratch. A backup of
SQLite is a file; a dump of PostgreSQL was put back into a database of its own by pg_restore first, which is never
taken for the live one, because the live log alone tells that this drill begins.
"""

from __future__ import annotations

import hashlib
import platform
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.durable import locked
from audit.log import Log
from audit.mark import MarkFile
from audit.note import read_key
from audit.storage.sql import SqlStorage
from vault.adapters.db import SqlUnits, engine_for
from vault.bootstrap.open import program_version
from vault.bootstrap.restoring import Wish, restore
from vault.errors import Refused, VaultError
from vault.services.replay import Replay
from vault.services.restore_drill import Restoration, RestoreDrill

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vault.bootstrap.vault import Vault
    from vault.domain.proposal import Proposal
    from vault.errors import Fact
    from vault.services.drill import Drill
    from vault.settings import Settings

PREFIX: Final = "restore-drill-"
LOCK: Final = "restore-drill.lock"
"""Stands for the one restore that may be tried out at a time: each removes what an earlier one left."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a restore that was tried out."""

    found: Restoration
    origin: str
    promoted: int
    ended: int
    """Leases, tokens, links and sessions that the ceremony ended in the copy."""


def try_restore(
    vault: Vault, drill: Drill, proposal_id: str, source: str, progress: Callable[[str, int, int], None]
) -> Tried:
    """Restore `source` beside the vault, open everything in it, compare it with its log, and remove it.

    Raises what `Drill.require` raises, and `Refused` or `Unavailable` where the backup cannot be restored; then, too,
    the log tells how it ended.
    """
    if "://" in source and not source.startswith("postgresql"):
        raise Refused(
            "operation.failed",
            "Name a backup's file, or a PostgreSQL database that a dump was put back into.",
        )
    file = None if "://" in source else Path(source)
    facts = _facts(file)
    with ExitStack() as held:
        try:
            held.enter_context(locked(vault.settings.file(LOCK), wait=False))
        except BlockingIOError:
            words = "Another restore is being tried out on this host; wait until it ends."
            raise Refused("operation.failed", words) from None
        return _told(vault, RestoreDrill(drill), proposal_id, (source, file), facts, progress)


def _told(
    vault: Vault,
    work: RestoreDrill,
    proposal_id: str,
    backup: tuple[str, Path | None],
    facts: Mapping[str, Fact],
    progress: Callable[[str, int, int], None],
) -> Tried:
    """Tell that it begins, try it in a scratch directory, and tell how it ended, whatever it was that ended it."""
    source, file = backup
    proposal = work.begin(proposal_id, facts)
    found = Restoration()
    found.report.proposal = proposal.id
    try:
        for left in vault.settings.data_directory.glob(f"{PREFIX}*"):  # of a run that was cut off
            shutil.rmtree(left)
        scratch = Path(tempfile.mkdtemp(prefix=PREFIX, dir=vault.settings.data_directory))
        try:
            url = source if file is None else ""
            return _tried(vault, work, proposal, (scratch, url, file), found, progress)
        finally:
            shutil.rmtree(scratch)
    except VaultError as error:
        found.fault = error.code
        raise
    except BaseException:
        found.fault = "operation.failed"
        raise
    finally:
        work.finish(proposal, found, facts)


def _tried(
    vault: Vault,
    work: RestoreDrill,
    proposal: Proposal,
    place: tuple[Path, str, Path | None],
    found: Restoration,
    progress: Callable[[str, int, int], None],
) -> Tried:
    scratch, url, file = place
    settings = _beside(vault.settings, scratch, url)
    if url:
        _refuse_live(vault, url)
    people = (proposal.proposed_by, proposal.confirmed_by or "")
    wish = Wish(why=f"A drill: {proposal.why}", by=people, backup=file)
    steps = restore(settings, wish, lambda done, total: progress("examining", done, total), vault.clock)
    made = dict(steps.settings)
    signer = read_key(settings.file(made["log.key_file"]), steps.origin)
    mark = MarkFile(settings.file(made["log.mark_file"]))
    app = {"version": program_version(), "host": platform.node() or "unknown"}
    units = SqlUnits(engine_for(settings.database_url), Log(steps.origin, signer), mark, app)
    try:
        outcome = Replay(units, vault.clock).examine(lambda done, total: progress("comparing", done, total))
        found.differences = outcome.count
        work.open_all(units, found, lambda done, total: progress("opening", done, total))
    finally:
        units.engine.dispose()
    done = steps.restored
    ended = 0 if done is None else done.checkouts + done.tokens + done.links + done.sessions
    return Tried(found, steps.origin, 0 if done is None else done.versions, ended)


def _beside(settings: Settings, scratch: Path, url: str) -> Settings:
    """Give the host's settings with another directory and database; its log's keys are read where they are."""
    mark = settings.file(settings.log.mark_file)
    if mark.exists():
        shutil.copyfile(mark, scratch / mark.name)
    previous = settings.log.previous_key_file
    log = replace(
        settings.log,
        key_file=str(settings.file(settings.log.key_file)),
        previous_key_file=str(settings.file(previous)) if previous else "",
        mark_file=mark.name,
    )
    general = replace(settings.general, data_directory=str(scratch), policy_file=str(settings.policy_file))
    listed = settings.file(settings.backup.destroyed_file)
    if listed.exists():
        shutil.copyfile(listed, scratch / "destroyed.list")
    return replace(
        settings,
        general=general,
        database=replace(settings.database, url=url),
        log=log,
        keys=replace(settings.keys, server_file=str(settings.file(settings.keys.server_file))),
        backup=replace(settings.backup, destroyed_file="destroyed.list"),
    )


def _refuse_live(vault: Vault, url: str) -> None:
    """Refuse a database whose log is the live one by now: it told a moment ago that this drill begins."""
    with vault.units.read() as unit:
        size = unit.ranges.size()
    engine = engine_for(url, pool=1)
    try:
        with engine.connect() as connection:
            there = SqlStorage(connection).size()
    finally:
        engine.dispose()
    if there >= size:
        words = "This is the live database, or one that its log goes to. Put the dump back into a database of its own."
        raise Refused("operation.failed", words)


def _facts(file: Path | None) -> dict[str, Fact]:
    """Name the backup; of a database that was put back there is no one file."""
    if file is None:
        return {"backup": "a database that a dump was put back into"}
    if not file.is_file():
        raise Refused("operation.failed", f"There is no file {file}.")
    with file.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    return {"backup": file.name, "backup_sha256": digest}
