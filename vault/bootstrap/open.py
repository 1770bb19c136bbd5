"""Opening a vault: everything that must hold before it may answer is looked at here, or it does not open.

Decided here: the start checks and their order. The process is hardened, the data directory is ours alone,
keys are in private files, the log proves which policy is in force, the database keeps what is committed and has the
schema this program expects, and the log in it is the one whose mark is kept outside, not an older copy. A refusal says
what to do. Never done here: repairing anything.
"""

from __future__ import annotations

import platform
from datetime import timedelta
from importlib.metadata import PackageNotFoundError, version
from time import monotonic
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError, RolledBack
from audit.log import Log
from audit.mark import MarkFile
from vault.adapters.clock import SystemClock
from vault.adapters.db import SqlUnits, check_durable, current, engine_for, head
from vault.adapters.passwords import Argon2
from vault.adapters.process import harden
from vault.bootstrap.calendar import open_calendar
from vault.bootstrap.central_root import open_central_root
from vault.bootstrap.cloud import open_sources
from vault.bootstrap.compose import Ground, Vault, compose
from vault.bootstrap.feeds import open_feeds, open_room
from vault.bootstrap.ground import (
    check_data_directory,
    destroyed_list,
    open_keys,
    open_previous_signer,
    open_server_key,
    open_signer,
    read_policy_file,
)
from vault.bootstrap.identity import open_provider
from vault.bootstrap.inspection import open_inspection
from vault.bootstrap.offboarding import open_offboarding
from vault.bootstrap.onboarding import open_onboarding
from vault.bootstrap.outside import ask_outside, open_outside
from vault.bootstrap.tickets import open_tickets
from vault.domain.actor import Reach, system_actor
from vault.domain.event import Event, EventType
from vault.domain.policy_document import read_policy
from vault.errors import Refused, Unavailable
from vault.ports.store import EntryFilter, Slice
from vault.services.clocks import Timely
from vault.services.policies import adopt
from vault.services.policy_book import PolicyBook, told_in_force

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from audit.note import Signer
    from vault.errors import Fact
    from vault.ports.clock import Clock
    from vault.ports.store import Unit
    from vault.settings import Settings

DISTRIBUTION: Final = "rootvault"


def open_vault(settings: Settings, clock: Clock | None = None) -> Vault:
    """Give the vault that these settings describe; raise `Refused` or `Unavailable` saying what to do.

    Each process opens its own, after it was forked; `Vault.close` lets go of the database.
    """
    harden()
    time = clock or SystemClock()
    check_data_directory(settings)
    calendars = open_calendar(settings)
    open_onboarding(settings)
    signer = open_signer(settings)
    server_key = open_server_key(settings)
    keys = open_keys(settings)
    book = PolicyBook(time, monotonic)
    units = units_for(settings, signer, lambda: book.policy.digest)
    try:
        check_database(settings, units)
        check_log(units)
        book.refresh(units)
        outside = open_outside(settings, units.log.verifiers, units.mark, time)
        feeds = open_feeds(settings, time)
        room = open_room(settings, time)
        tickets = open_tickets(settings)
        provider = open_provider(settings)
    except BaseException:
        units.engine.dispose()
        raise
    vault = compose(
        Ground(
            settings=settings,
            policy=book.policy,
            book=book,
            destroyed=destroyed_list(settings),
            tidy=units.tidy,
            clock=time,
            calendars=calendars,
            units=units,
            keys=keys,
            named=tuple(key.key_id for key in (*keys.sealing, *keys.retiring)),
            server_key=server_key,
            passwords=Argon2(settings.people.hashes_at_once),
            origin=signer.name,
            vkey=signer.vkey,
            close=units.engine.dispose,
            outside=outside,
            cloud=open_sources(settings),
            inspection=open_inspection(settings),
            central_root=open_central_root(settings),
            offboarding=open_offboarding(settings),
            feeds=feeds,
            tickets=tickets,
            provider=provider,
            room=room,
            timely=Timely(time, timedelta(seconds=settings.log.clock_seconds)) if clock is None else Timely(),
        )
    )
    try:
        vault.destructions.check()
        # who does not answer now is asked again by the worker, and doctor says so
        ask_outside(vault.publishing)
    except BaseException:
        vault.close()
        raise
    return vault


def open_log(settings: Settings, clock: Clock | None = None) -> None:
    """Write the first entry of a new log, in a database that has the schema and no entry yet."""
    signer, text = open_signer(settings), policy_text(settings)
    units = units_for(settings, signer)
    try:
        with units.write() as unit:
            if unit.log.entry(0) is not None:
                raise Refused(
                    "operation.failed", "There is a vault in this database already; it is founded once."
                )
            detail = {"origin": signer.name, "vkey": signer.vkey, "vault": unit.vault_id}
            event = Event(EventType.LOG_OPENED, system_actor("init"), detail=detail)
            now = (clock or SystemClock()).now()
            unit.log.record(event, now)
            adopt(unit, system_actor("init"), text, now)
            unit.commit()
    finally:
        units.engine.dispose()


def policy_text(settings: Settings) -> str:
    """Give the text of the host's policy file, which has to be whole; else raise `Refused`."""
    data = read_policy_file(settings)
    read_policy(data)
    return data.decode("utf-8")


def adopt_policy(settings: Settings, units: SqlUnits, now: datetime) -> bool:
    """Make the host's file the first version where the log tells of none yet; say whether it was."""
    with units.read() as unit:
        unit.check_mark()
        known = told_in_force(unit, now) is not None
    if known:
        return False
    text = policy_text(settings)
    with units.write() as unit:
        adopt(unit, system_actor("upgrade"), text, now)
        unit.commit()
    return True


def note_policy(vault: Vault) -> None:
    """Record that the service goes on under another version of the policy, where nobody did yet."""
    with vault.units.read() as unit:
        if _is_noted(unit, vault):
            return
    with vault.units.write() as unit:
        if not _is_noted(unit, vault):
            detail: dict[str, Fact] = {"digest": vault.policy.digest, "number": vault.book.number}
            event = Event(EventType.POLICY_LOADED, system_actor("service"), detail=detail)
            unit.log.record(event, vault.clock.now())
            unit.commit()


def _is_noted(unit: Unit, vault: Vault) -> bool:
    """Say whether the last entry of a version that was loaded names this one."""
    loaded = EntryFilter(type=EventType.POLICY_LOADED)
    last = unit.log.page(loaded, Reach(everything=True), Slice(1)).items
    known = last[0].content.get("policy") if last else None
    return isinstance(known, dict) and known.get("id") == vault.policy.digest


def announce(vault: Vault) -> None:
    """Record that the service starts, with what, and the policy where it is another than before."""
    note_policy(vault)
    now = vault.clock.now()
    actor = system_actor("service")
    with vault.units.write() as unit:
        detail = {
            "environment": vault.settings.environment.value,
            "keys": vault.settings.key_service.value,
            "version": program_version(),
        }
        unit.log.record(Event(EventType.SERVICE_STARTED, actor, detail=detail), now)
        unit.commit()


def take_leave(vault: Vault) -> None:
    """Record that the service was stopped in order."""
    with vault.units.write() as unit:
        unit.log.record(Event(EventType.SERVICE_STOPPED, system_actor("service")), vault.clock.now())
        unit.commit()


def units_for(settings: Settings, signer: Signer, policy_hash: Callable[[], str] = str) -> SqlUnits:
    """Make the transactions over a database, with its log and the mark outside of it.

    `policy_hash` gives the version that entries name which rest on the policy; host commands decide nothing by it.
    """
    mark = MarkFile(settings.file(settings.log.mark_file))
    app = {"version": program_version(), "host": platform.node() or "unknown"}
    log = log_of(settings, signer)
    return SqlUnits(engine_for(settings.database_url), log, mark, app, policy_hash)


def log_of(settings: Settings, signer: Signer | None = None) -> Log:
    """Make the log of the settings, with its key and, while both sign, the previous one."""
    signer = signer or open_signer(settings)
    try:
        return Log(signer.name, signer, open_previous_signer(settings))
    except AuditError as error:
        detail = (
            f"The log's keys do not go together: {error.words}. See docs/operations.md, 'Another log key'."
        )
        raise Refused("keys.settings", detail) from None


def check_database(settings: Settings, units: SqlUnits) -> None:
    """Return if the database keeps what is committed and has the expected schema."""
    check_durable(units.engine)
    found, wanted = current(settings.database_url), head()
    if found is None:
        raise Refused("operation.failed", "The database has no vault in it. Run: rootvault init")
    if found != wanted:
        detail = f"The database's schema is {found}, this program expects {wanted}. Run: rootvault db upgrade"
        raise Refused("operation.failed", detail)


def check_log(units: SqlUnits) -> None:
    """Return if the log's head is ours, by our keys and not behind its mark (S2, S10); else nothing may start."""
    try:
        with units.read() as unit:
            unit.check_mark()
    except RolledBack as error:
        detail = (
            f"{error.words} Stop here: keep this database as evidence, restore the newest backup, compare it "
            "with the checkpoints that auditors hold, and see docs/operations.md, 'The log is rolled back'."
        )
        raise Refused("log.rolled_back", detail) from None
    except AuditError as error:
        raise Refused("log.unavailable", f"The log cannot be proven: {error.words}") from None
    except Unavailable as error:
        hint = " Is it the right log.key, and the right database?" if error.code.startswith("log.") else ""
        raise Refused(error.code, error.detail + hint) from None


def program_version() -> str:
    """Give the program's version, or say that it runs from a source tree that is not installed."""
    try:
        return version(DISTRIBUTION)
    except PackageNotFoundError:
        return "source"
