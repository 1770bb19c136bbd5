"""`rootvault import`: many accounts from a CSV file; without --apply it only says what would happen.

Decided here: the file is read twice at most and never copied; a fault is told by line and column, never by
value. A file that others may read is refused: it holds passwords.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

from vault.bootstrap import open_vault
from vault.cli.admin.host import config_option, settings_of
from vault.cli.exits import Failure, plain
from vault.cli.output import emit, json_option
from vault.errors import VaultError
from vault.services.imports import Outcome, RowResult, import_actor

if TYPE_CHECKING:
    from vault.bootstrap import Vault

TOLD = 50
"""So many faults are told on the terminal; --json tells all."""
_TITLES = {
    RowResult.GOOD: "would be taken in",
    RowResult.TAKEN: "taken in, due for rotation at once",
    RowResult.PRESENT: "in the vault already, left as they are",
    RowResult.REFUSED: "refused",
}


@click.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@config_option
@click.option("--apply", "apply_", is_flag=True, help="Do it; without this, only look.")
@click.option("--by", required=True, help="Who answers for the file: a name, which stands in every entry.")
@json_option
def import_(file: Path, config: str | None, by: str, *, apply_: bool, as_json: bool) -> None:
    """Take the accounts of FILE into custody, as they are and due for rotation.

    Columns: account_id, customer_ddi, customer_name (may be left out), name, model, kind, root_email,
    password, totp_seed. A row is taken whole or not at all; run it again to go on where it stopped.
    """
    import_actor(by)
    vault = open_vault(settings_of(config))
    counts = dict.fromkeys(RowResult, 0)
    faulty: list[Outcome] = []
    try:
        with _lines(file) as lines, _progress(file, shown=not as_json) as advance:
            for outcome in _outcomes(vault, lines, by, apply_=apply_):
                counts[outcome.result] += 1
                if outcome.faults:
                    faulty.append(outcome)
                advance(lines)
    except VaultError as error:
        _report(counts, faulty, applied=apply_, as_json=as_json)
        again = " Rows before that are in the vault; run the same command again to go on." if apply_ else ""
        raise Failure(error.code, error.detail + again, exit_status=10) from None
    finally:
        vault.close()
    _report(counts, faulty, applied=apply_, as_json=as_json)
    if faulty:
        raise click.exceptions.Exit(1)


def _outcomes(vault: Vault, lines: Counted, by: str, *, apply_: bool) -> Iterator[Outcome]:
    return vault.imports.apply(lines, by) if apply_ else vault.imports.check(lines)


class Counted:
    """Lines of a file, and how many bytes of it were read."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.bytes = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._file:
            self.bytes += len(line.encode())
            yield line


@contextmanager
def _lines(file: Path) -> Iterator[Counted]:
    descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, encoding="utf-8-sig", newline="") as lines:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) & 0o077:
            detail = f"Others may read {file}, and it holds passwords. Set its mode with: chmod 600 {file}"
            raise Failure("import.invalid", detail, exit_status=2)
        try:
            yield Counted(lines)
        except UnicodeDecodeError:
            raise Failure("import.invalid", f"{file} is not UTF-8; save it as such.", exit_status=7) from None


@contextmanager
def _progress(file: Path, *, shown: bool) -> Iterator[Callable[[Counted], None]]:
    if not shown:
        yield lambda _: None
        return
    from rich.console import Console  # noqa: PLC0415 - only where a bar is drawn
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415 - as above

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[rows]} rows"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("importing", total=file.stat().st_size, rows=0)
        rows = 0

        def advance(lines: Counted) -> None:
            nonlocal rows
            rows += 1
            progress.update(task, completed=lines.bytes, rows=rows)

        yield advance


def _report(counts: dict[RowResult, int], faulty: list[Outcome], *, applied: bool, as_json: bool) -> None:
    if as_json:
        faults = [
            {"line": fault.line, "column": fault.column, "words": fault.words}
            for outcome in faulty
            for fault in outcome.faults
        ]
        emit(
            {
                "applied": applied,
                "rows": {result.value: count for result, count in counts.items()},
                "faults": faults,
            }
        )
        return
    told = [fault for outcome in faulty for fault in outcome.faults]
    for fault in told[:TOLD]:
        click.echo(f"line {fault.line}, {plain(fault.column)}: {plain(fault.words)}", err=True)
    if len(told) > TOLD:
        click.echo(f"… and {len(told) - TOLD} more; --json tells all", err=True)
    for result, count in counts.items():
        if count:
            click.echo(f"{count:>6}  {_TITLES[result]}")
    if not applied:
        click.echo("Nothing was changed. Repeat with --apply to take them in.")
