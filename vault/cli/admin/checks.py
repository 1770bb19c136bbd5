"""What doctor looks at, one check a function: each gives findings in plain words, each stands alone.

Decided here: what is a warning (it works, and somebody should look) and what is a fault (it does not start,
or nothing may be disclosed). Nothing is repaired, and no key is used: keys are asked how they are.
"""

from __future__ import annotations

import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError, RolledBack
from audit.mark import MarkFile
from audit.progress import bar
from audit.report import Older, StorageSource
from audit.storage.sql import SqlStorage
from audit.verify import examine
from vault.adapters.db import current, head, health
from vault.adapters.process import harden
from vault.bootstrap.ground import (
    check_data_directory,
    open_keys,
    open_server_key,
    open_signer,
)
from vault.bootstrap.open import check_log, units_for
from vault.domain.account import Custody
from vault.domain.actor import Reach, Role
from vault.errors import VaultError
from vault.ports.store import AccountFilter, EntryFilter, Slice
from vault.services.indexing import Indexing
from vault.settings import Environment, KeyServiceName

if TYPE_CHECKING:
    from pathlib import Path

    from vault.adapters.db import SqlUnits
    from vault.settings import Settings

DISK_WARN: Final = 1 << 30
DISK_FAIL: Final = 64 << 20
CLOCK_SLACK: Final = timedelta(seconds=5)
WORST_SHOWN: Final = 5


class Level(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is like, and what to do where it is not well."""

    name: str
    level: Level
    words: str
    next: str = ""


def check_ground(settings: Settings) -> Iterator[Finding]:
    """Look at settings, directory, policy and key files."""
    if settings.environment is not Environment.PRODUCTION:
        words = f"environment is {settings.environment}; never for real credentials"
        yield Finding("settings", Level.WARN, words, 'Set environment = "production" for real use.')
    else:
        yield Finding("settings", Level.OK, f"{settings.directory}, production")
    for name, opened in (
        ("data directory", lambda: check_data_directory(settings)),
        ("log key", lambda: open_signer(settings)),
        ("server key", lambda: open_server_key(settings)),
    ):
        try:
            opened()
        except VaultError as error:
            yield Finding(name, Level.FAIL, error.detail)
        else:
            yield Finding(name, Level.OK, "sound")
    for words in harden():
        well = "could not" not in words and "cannot" not in words
        yield Finding("process", Level.OK if well else Level.WARN, words)


def check_keys(settings: Settings) -> Iterator[Finding]:
    """Ask each key how it is; none of them is used."""
    try:
        found = open_keys(settings).check()
    except VaultError as error:
        yield Finding("keys", Level.FAIL, error.detail)
        return
    for key in found:
        step = (
            ""
            if key.ok
            else "Nothing can be disclosed or sealed until this key answers; see docs/operations.md."
        )
        yield Finding("keys", Level.OK if key.ok else Level.FAIL, f"{key.key_id}: {key.words}", step)
    retiring = settings.keys.retiring
    if retiring:
        words = f"retiring, so not wrapped under any more: {', '.join(retiring)}"
        step = "Finish it: `rootvault rewrap PROPOSAL --remove-old`, then empty keys.retiring."
        yield Finding("keys", Level.WARN, words, step)
    sealing = [key.key_id for key in found if key.key_id not in retiring]
    accounts = {key_id.split(":")[4] for key_id in sealing if key_id.count(":") > 4}  # noqa: PLR2004 - an ARN's parts
    if settings.key_service is KeyServiceName.LOCAL:
        yield Finding(
            "keys", Level.WARN, "local: whoever reads the key file opens every envelope", "Use aws-kms."
        )
    elif len(accounts) < 2:  # noqa: PLR2004 - losing one must lose nothing
        words = "all KMS keys are in one AWS account: losing it loses every secret"
        yield Finding("keys", Level.WARN, words, "Add a key of another AWS account to keys.kms_keys (S6).")


def check_database(settings: Settings) -> Iterator[Finding]:
    """Look at what durability rests on, and at the schema; the last finding tells whether to go on."""
    try:
        units = units_for(settings, open_signer(settings))
    except VaultError as error:
        yield Finding("database", Level.FAIL, error.detail)
        return
    try:
        for finding in health(units.engine):
            step = "" if finding.ok else "Nothing starts like this: what is acknowledged has to be on disk."
            yield Finding("database", Level.OK if finding.ok else Level.FAIL, finding.words, step)
        found, wanted = current(settings.database_url), head()
    except VaultError as error:
        yield Finding("database", Level.FAIL, error.detail)
        return
    finally:
        units.engine.dispose()
    if found is None:
        yield Finding("schema", Level.FAIL, "the database has no vault in it", "Run: rootvault init")
    elif found != wanted:
        words = f"the schema is {found}, this program expects {wanted}"
        yield Finding("schema", Level.FAIL, words, "Run: rootvault backup FILE, then rootvault db upgrade")
    else:
        yield Finding("schema", Level.OK, f"{found}, as this program expects")


def check_trail(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Hold the log against its mark and the clock; with `deep`, examine every entry of it."""
    signer = open_signer(settings)
    units = units_for(settings, signer)
    try:
        try:
            check_log(units)
        except VaultError as error:
            yield Finding("log", Level.FAIL, error.detail)
        else:
            with units.read() as unit:
                size = int(unit.log.checkpoint().split("\n")[1])
            yield Finding("log", Level.OK, f"{signer.name}: {size} entries, signed, not behind its mark")
        yield from _check_mark(settings)
        yield from _check_clock(units)
        if deep:
            yield from _examine(settings, units)
            yield from _check_index(units)
    except VaultError as error:
        yield Finding("log", Level.FAIL, error.detail)
    finally:
        units.engine.dispose()


def check_people(settings: Settings) -> Iterator[Finding]:
    """Look whether there are enough people for what takes two, and what state accounts are in."""
    units = units_for(settings, open_signer(settings))
    now = datetime.now(UTC)
    try:
        with units.read() as unit:
            for role, least in ((Role.ADMIN, 2), (Role.APPROVER, 1), (Role.OPERATOR, 1), (Role.AUDITOR, 1)):
                count = len({person.id for person, _ in unit.people.holders(frozenset({role}), now)})
                if count < least:
                    words = f"{count} active {role}, at least {least} needed"
                    yield Finding(
                        "people", Level.WARN, words, "An administrator invites more, on the People page."
                    )
            everything = Reach(everything=True)
            lost = unit.accounts.page(everything, AccountFilter(custody=Custody.ONBOARDING), Slice(1)).items
            total = unit.accounts.count()
            words = f"{total} accounts" + (", some of them still onboarding" if lost else "")
            yield Finding("accounts", Level.OK, words)
            yield Finding("vault", Level.OK, f"vault id {unit.vault_id}, part of every key's context")
    except VaultError as error:
        yield Finding("people", Level.FAIL, error.detail)
    finally:
        units.engine.dispose()


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Look at the room that is left, and at files that others may read."""
    directory = settings.data_directory
    if not directory.is_dir():
        return
    free = shutil.disk_usage(directory).free
    level = Level.FAIL if free < DISK_FAIL else Level.WARN if free < DISK_WARN else Level.OK
    step = (
        "" if level is Level.OK else "Make room: without it nothing can be recorded, so nothing is disclosed."
    )
    yield Finding("disk", level, f"{free >> 20} MiB free in {directory}", step)
    for path in sorted(directory.iterdir()):
        if _others_may(path):
            words = f"others may use {path}"
            yield Finding("files", Level.WARN, words, f"chmod 600 {path}")


def _check_mark(settings: Settings) -> Iterator[Finding]:
    path = settings.file(settings.log.mark_file)
    try:
        note = MarkFile(path).read()
    except (RolledBack, OSError) as error:
        step = "Restore the mark from where it was copied to; then ask why."
        if isinstance(error, RolledBack) and error.code == "mark.held":
            step = "See docs/operations.md, 'The log is rolled back'. --deep holds the log against it."
        yield Finding("mark", Level.FAIL, str(error), step)
        return
    if note is None:
        words = f"there is no mark at {path}: a rolled back database would not be noticed"
        yield Finding("mark", Level.FAIL, words, "Restore it. See docs/operations.md, 'The mark is missing'.")
        return
    database = settings.data_directory
    if not settings.database.url and path.stat().st_dev == database.stat().st_dev:
        words = "the mark is on the database's own disk, and would be rolled back with it"
        yield Finding("mark", Level.WARN, words, "Let log.mark_file name a file on another disk or host.")
    else:
        yield Finding("mark", Level.OK, f"{path}")


def _check_clock(units: SqlUnits) -> Iterator[Finding]:
    with units.read() as unit:
        last = unit.log.page(EntryFilter(), Reach(everything=True), Slice(1)).items
    told = last[0].content.get("time") if last else None
    if not isinstance(told, str):
        return
    at = datetime.fromisoformat(told)
    now = datetime.fromtimestamp(time.time(), UTC)
    if at > now + CLOCK_SLACK:
        words = f"the last entry is of {told}, and this machine says {now:%Y-%m-%dT%H:%M:%SZ}"
        yield Finding(
            "clock", Level.FAIL, words, "Set the clock by NTP: one-time codes and leases depend on it."
        )
    else:
        yield Finding("clock", Level.OK, f"{now:%Y-%m-%dT%H:%M:%SZ}, not behind the last entry")


def _examine(settings: Settings, units: SqlUnits) -> Iterator[Finding]:
    """Examine the whole log, every entry and every hash, against the mark as older checkpoint."""
    try:
        mark = MarkFile(settings.file(settings.log.mark_file))
        held = mark.held()
        note = held or mark.read()
        since = [] if note is None else [Older("the mark" if held is None else "what is held", note)]
        with units.engine.connect() as connection:
            report = examine(
                StorageSource(SqlStorage(connection)), units.log.verifiers, since, bar("examining the log")
            )
    except (AuditError, OSError) as error:
        yield Finding("log entries", Level.FAIL, str(error))
        return
    for found in report.findings[:WORST_SHOWN]:
        where = "" if found.index is None else f" at entry {found.index}"
        step = (
            "Keep the database as evidence, and compare it with a backup and with the auditors' checkpoints."
        )
        yield Finding("log entries", Level.FAIL, f"{found.words}{where} [{found.code}]", step)
    if report.is_sound:
        yield Finding(
            "log entries", Level.OK, f"all {report.examined} examined: each in its place, under the root"
        )


def _check_index(units: SqlUnits) -> Iterator[Finding]:
    """Make the search index again from the log, and hold what is kept against it: it could hide entries."""
    index = Indexing(units)
    wrong = index.differing()
    if wrong:
        words = f"{len(wrong)} parts of it, from part {wrong[0]} on, are not what the log makes of them"
        step = "Ask who changed audit_words: a search may have missed entries. Then run: rootvault db reindex"
        yield Finding("search index", Level.FAIL, words, step)
    else:
        yield Finding("search index", Level.OK, f"{index.indexed()} entries, as the log makes it")


def _others_may(path: Path) -> bool:
    facts = path.lstat()
    return stat.S_ISREG(facts.st_mode) and bool(stat.S_IMODE(facts.st_mode) & 0o077)
