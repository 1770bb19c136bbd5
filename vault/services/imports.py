"""Taking many accounts into custody from a file: checked first, whole rows or nothing of them, resumable.

Decided here: that a row whose account is in the vault already is recognised and left as it is, so that a
run that was interrupted is simply run again; that values are sealed for several rows at once, with no
transaction open, and kept in small batches of which one bad row takes no other down; that every row
goes through intake's own code (`custody`), so all parts are due for rotation at once (C4); that rows of one run with
the same value are marked. No second person here: the file's owner answers for it by name, in every entry.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import TYPE_CHECKING, Final, TypeVar

from vault.crypto.sameness import Sameness
from vault.domain.account import Account, Custodian, Custody, Customer, first_custody
from vault.domain.actor import Actor, system_actor
from vault.domain.credential import PartKind, PartState
from vault.domain.due import FoundBy
from vault.domain.event import Event, EventType, Result
from vault.domain.ids import new_id
from vault.errors import FieldError, Invalid, KeysUnavailable, VaultError
from vault.services.accounts import add_account
from vault.services.custody import Custodies, Existing
from vault.services.customers import add_customer
from vault.services.import_rows import Fault, Row, read_rows
from vault.services.reuse import mark_reused
from vault.services.sealing import logged

if TYPE_CHECKING:
    from concurrent.futures import Future
    from datetime import datetime

    from vault.domain.due import Place
    from vault.ports.clock import Clock
    from vault.ports.keys import KeyCall
    from vault.ports.store import Unit, Units
    from vault.services.sealing import Sealed

BATCH: Final = 20
"""Rows kept in one transaction; the log's head is locked that long."""
THREADS: Final = 16
"""Rows sealed at once: a key service is a network away."""
BY_MAX: Final = 100
_COLUMNS: Final = {
    "account.exists": "account_id",
    "custody.email_used": "root_email",
    "customer.exists": "customer_ddi",
}
T = TypeVar("T")


class RowResult(StrEnum):
    """What became of a row."""

    GOOD = "good"
    """Would be taken in."""
    TAKEN = "taken"
    PRESENT = "present"
    """Was in the vault already."""
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One row's result; `account_id` is empty where the row could not be read."""

    line: int
    account_id: str
    result: RowResult
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, slots=True)
class Imports:
    """The use case of the import."""

    units: Units
    custodies: Custodies
    clock: Clock

    def check(self, lines: Iterable[str]) -> Iterator[Outcome]:
        """Say of each row what would become of it; changes nothing."""
        for batch in _batches(read_rows(lines), BATCH):
            with self.units.read() as unit:
                outcomes = [self._look(unit, row) for row in batch]
            yield from outcomes

    def apply(self, lines: Iterable[str], by: str) -> Iterator[Outcome]:
        """Take in each good row that is not there yet; the generator ends with the entry of the whole run.

        Raises `KeysUnavailable` or `Unavailable` where the next row cannot be sealed or kept: rows told of
        before are in the vault, later ones are not, and the same call goes on from there.
        """
        actor = import_actor(by)
        counts = dict.fromkeys(RowResult, 0)
        same = Sameness()
        try:
            with ThreadPoolExecutor(THREADS, "seal") as pool:
                for batch in _batches(read_rows(lines), BATCH):
                    for outcome in self._take(actor, batch, pool, same):
                        counts[outcome.result] += 1
                        yield outcome
        except VaultError:
            self._finish(actor, counts, complete=False)
            raise
        self._finish(actor, counts, complete=True)

    def _look(self, unit: Unit, row: Row | tuple[Fault, ...]) -> Outcome:
        if not isinstance(row, Row):
            return Outcome(row[0].line, "", RowResult.REFUSED, row)
        account = unit.accounts.get(row.account_id)
        customer = unit.customers.by_ddi(row.customer_ddi)
        if customer is None and not row.customer_name:
            words = "is not registered; give the customer_name as well, or register it first"
            return _refused(row, "customer_ddi", words)
        if account is None:
            return Outcome(row.line, row.account_id, RowResult.GOOD)
        if customer is None or account.customer_id != customer.id:
            return _refused(row, "customer_ddi", "is not the customer that this account is registered under")
        if account.custody is Custody.CUSTOMER_HELD:
            return _refused(row, "account_id", "is held by its customer; vaulting it is refused (C2)")
        if account.custody is not Custody.ONBOARDING:
            return Outcome(row.line, row.account_id, RowResult.PRESENT)
        if any(part.state is not PartState.ABSENT for part in unit.accounts.parts(account.id)):
            return _refused(row, "account_id", "is half in the vault; go on with its takeover checkout")
        if unit.checkouts.open_of(account.id) is not None:
            return _refused(row, "account_id", "is checked out; have it checked in first")
        if (account.model, account.kind) != (row.model, row.kind):
            return _refused(row, "kind", "is registered with another model or kind")
        return Outcome(row.line, row.account_id, RowResult.GOOD)

    def _take(
        self,
        actor: Actor,
        batch: tuple[Row | tuple[Fault, ...], ...],
        pool: ThreadPoolExecutor,
        same: Sameness,
    ) -> list[Outcome]:
        now = self.clock.now()
        with self.units.read() as unit:
            vault_id = unit.vault_id
            looks = [self._look(unit, row) for row in batch]
        good = [
            row
            for row, look in zip(batch, looks, strict=True)
            if isinstance(row, Row) and look.result == "good"
        ]
        sealed = self._seal_all(
            actor, good, [pool.submit(self._seal, vault_id, row, actor.id, now) for row in good]
        )
        done = self._keep_all(actor, tuple(zip(good, sealed, strict=True)))
        self._compare(actor, [row for row in good if done[row.line].result is RowResult.TAKEN], same)
        return [done.get(look.line, look) for look in looks]

    def _compare(self, actor: Actor, rows: list[Row], same: Sameness) -> None:
        """Mark what was taken in with a value that another row of this run has as well; a drill finds the rest."""
        twins: list[Place] = []
        for row in rows:
            for kind, value in ((PartKind.PASSWORD, row.password), (PartKind.MFA, row.seed)):
                twins += same.meet((row.account_id, kind, 1), value)
        if not twins:
            return
        now = self.clock.now()
        with self.units.write() as unit:
            for event in mark_reused(unit, actor, twins, FoundBy.IMPORT, now):
                unit.log.record(event, now)
            unit.commit()

    def _seal_all(
        self, actor: Actor, rows: list[Row], begun: list[Future[tuple[Sealed, ...]]]
    ) -> tuple[tuple[Sealed, ...], ...]:
        """Wait for all; if one cannot be sealed, tell of every call that was made, and raise (S26)."""
        sealed: list[tuple[Sealed, ...]] = []
        made: list[tuple[Row, tuple[KeyCall, ...]]] = []
        failure: KeysUnavailable | None = None
        for row, each in zip(rows, begun, strict=True):
            try:
                sealed.append(each.result())
                made.append((row, _calls(sealed[-1])))
            except KeysUnavailable as error:
                failure = failure or error
                made.append((row, error.calls))
        if failure is not None:
            self._tell_calls(actor, made, failure.code)
            raise failure
        return tuple(sealed)

    def _tell_calls(self, actor: Actor, made: list[tuple[Row, tuple[KeyCall, ...]]], code: str) -> None:
        now = self.clock.now()
        with self.units.write() as unit:
            for row, calls in made:
                event = Event(
                    EventType.CREDENTIAL_TAKEN_IN,
                    actor,
                    Result.FAILED,
                    account_id=row.account_id,
                    kms=logged("seal", calls),
                    detail={"code": code, "line": row.line},
                )
                unit.log.record(event, now)
            unit.commit()

    def _seal(self, vault_id: str, row: Row, by: str, now: datetime) -> tuple[Sealed, ...]:
        # parts are absent, so both begin with version 1; where that is not so any more, keeping refuses
        first = dict.fromkeys(PartKind, 1)
        return self.custodies.seal(vault_id, row.account_id, first, _existing(row), by, now)

    def _keep_all(self, actor: Actor, rows: tuple[tuple[Row, tuple[Sealed, ...]], ...]) -> dict[int, Outcome]:
        """Keep rows in one transaction; if any is refused, each in its own."""
        try:
            with self.units.write() as unit:
                outcomes = {row.line: self._keep(unit, actor, row, sealed) for row, sealed in rows}
                unit.commit()
        except VaultError as failure:
            if not _is_about_the_row(failure):
                raise
            if len(rows) == 1:
                row = rows[0][0]
                self._tell_calls(actor, [(row, _calls(rows[0][1]))], failure.code)
                column = _COLUMNS.get(failure.code, "row")
                return {row.line: _refused(row, column, f"{failure.detail} [{failure.code}]")}
            return {line: found for each in rows for line, found in self._keep_all(actor, (each,)).items()}
        return outcomes

    def _keep(self, unit: Unit, actor: Actor, row: Row, sealed: tuple[Sealed, ...]) -> Outcome:
        now = self.clock.now()
        account = unit.accounts.lock(row.account_id)
        if account is None:
            account = self._register(unit, actor, row, now)
        look = self._look(unit, row)
        if look.result is not RowResult.GOOD:
            return look
        self.custodies.keep(unit, actor, account, _existing(row), sealed, now)
        return Outcome(row.line, row.account_id, RowResult.TAKEN)

    def _register(self, unit: Unit, actor: Actor, row: Row, now: datetime) -> Account:
        customer = unit.customers.by_ddi(row.customer_ddi) or self._customer(unit, actor, row, now)
        account = Account(
            id=row.account_id,
            customer_id=customer.id,
            name=row.name,
            model=row.model,
            kind=row.kind,
            custody=first_custody(row.model, row.kind),
            root_email=row.root_email,
            mailbox=Custodian.UNKNOWN,
            phone=Custodian.UNKNOWN,
            created_at=now,
        )
        add_account(unit, actor, account, now)
        return account

    def _customer(self, unit: Unit, actor: Actor, row: Row, now: datetime) -> Customer:
        customer = Customer(
            id=new_id(),
            ddi=row.customer_ddi,
            name=row.customer_name,
            public_sector=False,
            aws_india=False,
            session_idle_seconds=None,
            session_max_seconds=None,
            created_at=now,
        )
        add_customer(unit, actor, customer, now)
        return customer

    def _finish(self, actor: Actor, counts: dict[RowResult, int], *, complete: bool) -> None:
        detail = {result.value: number for result, number in counts.items() if result is not RowResult.GOOD}
        event = Event(EventType.IMPORT_FINISHED, actor, detail={**detail, "complete": complete})
        with self.units.write() as unit:
            unit.log.record(event, self.clock.now())
            unit.commit()


def import_actor(by: str) -> Actor:
    """Make the actor of an import, which names who answers for the file; raise `Invalid` without a name."""
    name = by.strip()
    if not 1 <= len(name) <= BY_MAX or not name.isprintable():
        detail = f"Say who answers for this file, in 1 to {BY_MAX} characters."
        raise Invalid("input.invalid", detail, errors=(FieldError("/by", detail),))
    return replace(system_actor("import"), name=f"import by {name}")


def _calls(sealed: tuple[Sealed, ...]) -> tuple[KeyCall, ...]:
    return tuple(call for each in sealed for call in each.calls)


def _existing(row: Row) -> Existing:
    return Existing(row.root_email, row.password, row.seed, attested=True)


def _refused(row: Row, column: str, words: str) -> Outcome:
    return Outcome(row.line, row.account_id, RowResult.REFUSED, (Fault(row.line, column, words),))


def _is_about_the_row(failure: VaultError) -> bool:
    return not isinstance(failure, KeysUnavailable) and failure.code.split(".")[0] in {
        "account", "concurrent", "custody", "customer", "input",
    }  # fmt: skip


def _batches(items: Iterable[T], size: int) -> Iterator[tuple[T, ...]]:
    iterator = iter(items)
    take: Callable[[], tuple[T, ...]] = lambda: tuple(islice(iterator, size))  # noqa: E731 - iter() wants it
    return iter(take, ())
