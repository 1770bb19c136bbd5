"""A backup opened offline: examined, read in a scratch copy, opened with three shares, and a receipt of it (S6).

Decided here: the order. Shares are joined first, so that too few of them cost nothing; the log in the backup is proven
under a public key that the operator brings along, from end to end, and held against a newer checkpoint where there is
one; only then is anything opened. The backup itself is never written to: SQLite is copied into a directory of mode
0700 that is removed again, PostgreSQL is read as it is. There is no network, no key service and no settings file in it.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from audit.errors import AuditError
from audit.log import Log
from audit.note import Signer, Verifier
from audit.report import Older, StorageSource
from audit.storage.sql import SqlStorage
from audit.verify import examine
from vault.adapters.db import SqlUnits, current, engine_for, head, upgrade
from vault.adapters.db.copying import copy_database
from vault.adapters.process import harden
from vault.crypto.recovery import join, recipient_of
from vault.errors import Refused
from vault.services.proposals import in_json
from vault.services.receipts import FORMAT
from vault.services.recovering import Failed, Recovering, Regained, RegainedMail

if TYPE_CHECKING:
    from audit.checkpoint import Checkpoint
    from vault.domain.secret import Secret
    from vault.ports.clock import Clock

_SQLITE: Final = "sqlite+pysqlite:///"


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: of which backup, proven by which public keys, which accounts (None: all), why and by whom.

    `source` is a SQLite file, or the address of a PostgreSQL database into which a dump was put back. `since` are
    checkpoints that were kept elsewhere: a backup that does not reach them is refused.
    """

    source: str
    vkeys: tuple[str, ...]
    accounts: tuple[str, ...] | None
    why: str
    by: tuple[str, ...]
    since: tuple[Path, ...] = ()
    to: str = "nobody"
    """Who gets the values: the terminal, an age recipient, or nobody where it is only tried."""


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was opened, what was not, and the receipt, which holds no secret."""

    regained: tuple[Regained, ...]
    failed: tuple[Failed, ...]
    receipt: str
    log: tuple[str, int, str]
    """Origin and size of the log, and the time of its last entry: how old the backup is."""
    nobodys: tuple[RegainedMail, ...] = ()
    """Sealed mail to no account, where everything was asked for."""

    @property
    def mails(self) -> tuple[RegainedMail, ...]:
        """All mail that opened."""
        return (*(mail for each in self.regained for mail in each.mails), *self.nobodys)


def recover(
    wish: Wish, shares: Sequence[Secret[str]], clock: Clock, progress: Callable[[int, int], None]
) -> Recovered:
    """Open what is asked for.

    Raises `Refused` recovery.shares, log.unavailable or operation.failed, `Tampered`, and `NotFound` for an account.
    """
    harden()
    identity = join(shares)
    verifiers = tuple(_verifier(line) for line in wish.vkeys)
    with _lent(wish.source) as (url, digest):
        checkpoint = _examined(url, verifiers, wish.since, progress)
        origin, size = checkpoint.origin, checkpoint.size
        # nothing is signed by it: a log of its own for units that only read
        units = SqlUnits(engine_for(url, pool=1), Log(origin, Signer.generate(origin)), None, {})
        try:
            with units.read() as unit:
                work = Recovering(unit, identity)
                work.read(checkpoint, progress)
                wanted = tuple(work.all()) if wish.accounts is None else tuple(dict.fromkeys(wish.accounts))
                regained = tuple(work.account(account_id) for account_id in wanted)
                nobodys = work.mails(None) if wish.accounts is None else ()
        finally:
            units.engine.dispose()
    if not work.opened and work.failed and {each.code for each in work.failed} == {"recovery.not_wrapped"}:
        raise Refused(
            "recovery.not_wrapped", f"Nothing in this backup opens with these shares. {work.failed[0].words}"
        )
    receipt = in_json(
        {
            "format": FORMAT,
            "vault": work.log.vault_id,
            "log": {"origin": origin, "size": size, "last": work.log.last},
            "backup_sha256": digest,
            "recipient": recipient_of(identity),
            "at": clock.now().isoformat(),
            "why": wish.why,
            "by": list(wish.by),
            "to": wish.to,
            "opened": [
                {
                    "account": each.account.id,
                    "kind": value.kind,
                    "version": value.number,
                    "sha256": value.sha256,
                }
                for each in regained
                for value in each.values
            ],
            "mails": [
                {"account": each.mail.account_id, "mail": each.mail.id, "sha256": each.mail.sha256}
                for each in (*(mail for one in regained for mail in one.mails), *nobodys)
            ],
            "failed": [
                {"account": each.account_id, "kind": each.kind, "version": each.number, "code": each.code}
                | ({"mail": each.mail} if each.mail else {})
                for each in work.failed
            ],
        }
    )
    return Recovered(regained, tuple(work.failed), receipt, (origin, size, work.log.last), nobodys)


@contextmanager
def _lent(source: str) -> Iterator[tuple[str, str]]:
    """Lend the address of a database to read, and the hash of the file it came from (empty for PostgreSQL)."""
    if "://" in source:
        if current(source) != head():
            words = "Its schema is not this program's: restore the dump once more and upgrade that copy."
            raise Refused("operation.failed", words)
        yield source, ""
        return
    backup = Path(source)
    if not backup.is_file():
        raise Refused("operation.failed", f"There is no file {backup}.")
    with backup.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    scratch = Path(tempfile.mkdtemp(prefix="rootvault-recover-"))
    try:
        url = f"{_SQLITE}{scratch / 'vault.db'}"
        copy_database(f"{_SQLITE}{backup}", scratch / "vault.db")
        if current(url) is None:
            raise Refused("operation.failed", "There is no vault in this file. Is it the right backup?")
        if current(url) != head():
            upgrade(url)
        yield url, digest
    finally:
        shutil.rmtree(scratch)


def _examined(
    url: str, verifiers: tuple[Verifier, ...], since: tuple[Path, ...], progress: Callable[[int, int], None]
) -> Checkpoint:
    """Prove the log from end to end; give its checkpoint, or refuse."""
    engine = engine_for(url, pool=1)
    try:
        older = tuple(Older(path.name, path.read_text("utf-8")) for path in since)
        with engine.connect() as connection:
            report = examine(StorageSource(SqlStorage(connection)), verifiers, older, progress)
    except (OSError, UnicodeDecodeError, AuditError) as failure:
        raise Refused("log.unavailable", f"The log in it cannot be proven: {failure}") from None
    finally:
        engine.dispose()
    if report.checkpoint is None or not report.is_sound:
        words = report.findings[0].words if report.findings else "it has no checkpoint"
        raise Refused(
            "log.unavailable",
            f"The log in it is not proven: {words}. Nothing was opened. Take another backup.",
        )
    return report.checkpoint


def _verifier(line: str) -> Verifier:
    try:
        return Verifier.parse(line.strip())
    except AuditError as error:
        raise Refused("operation.failed", f"{line[:60]} is no public key of a log: {error.words}") from None
