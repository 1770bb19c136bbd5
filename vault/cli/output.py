"""What commands share: `--json`, tables for people, questions for secrets, secrets on their way out.

Decided here: a secret is asked for hidden or read as one line of standard input, and is never an
argument; on its way out it goes to the clipboard, and to the terminal only by `--show`.
"""

from __future__ import annotations

import getpass
import json
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

import click

from vault.cli.exits import Failure, plain, stop

F = TypeVar("F", bound=Callable[..., Any])
LONGEST_WAIT: Final = 120
CLEAR_AFTER: Final = 30

json_option: Callable[[F], F] = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
show_option: Callable[[F], F] = click.option(
    "--show", is_flag=True, help="Print the secret on the terminal instead of the clipboard."
)
clear_option: Callable[[F], F] = click.option(
    "--clear-after",
    type=click.IntRange(5, 300),
    default=CLEAR_AFTER,
    show_default=True,
    help="Seconds after which the clipboard is emptied.",
)
wait_option: Callable[[F], F] = click.option(
    "--wait", is_flag=True, help="Where a code was used before, wait for the next time step."
)


def emit(value: object) -> None:
    """Print an answer as JSON."""
    click.echo(json.dumps(value, indent=2, sort_keys=True))


def table(rows: Iterable[Mapping[str, Any]], columns: Sequence[tuple[str, str]]) -> None:
    """Print rows as a table; `columns` are (key, heading)."""
    lines = [[heading for _, heading in columns]]
    lines += [[plain(_cell(row.get(key))) for key, _ in columns] for row in rows]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.secho(text, bold=number == 0)


def listed(page: Mapping[str, Any], columns: Sequence[tuple[str, str]], *, as_json: bool) -> None:
    """Print a page of the API: as it is, or its items as a table; `columns` are (key, heading)."""
    if as_json:
        emit(page)
    else:
        table(page["items"], columns)


def facts(value: Mapping[str, Any], names: Sequence[tuple[str, str]]) -> None:
    """Print some members of an object, each with its name, leaving out what is not there."""
    width = max(len(name) for _, name in names)
    for key, name in names:
        if (
            value.get(key) not in {None, ""}
            if not isinstance(value.get(key), list | dict)
            else value.get(key)
        ):
            click.echo(f"{name.ljust(width)}  {plain(_cell(value[key]))}")


def ask_secret(question: str) -> str:
    """Ask for a secret without showing it; where nobody types, read one line of standard input."""
    if sys.stdin.isatty():
        return getpass.getpass(f"{question}: ").strip()
    line = sys.stdin.readline()
    if not line:
        stop("usage", f"{question} is read from standard input, and there is nothing.", 2)
    return line.rstrip("\n").strip()


def hand_out(name: str, value: str, *, show: bool, clear_after: int) -> bool:
    """Give a secret to the person: on the terminal, or in the clipboard; True where it was copied."""
    from vault.cli.clipboard import copy  # noqa: PLC0415 - brings subprocess along, for disclosures alone

    if show:
        return False
    if not copy(value, clear_after):
        detail = f"There is no clipboard on this machine for the {name}. Repeat with --show to print it."
        stop("usage", detail, 2)
    return True


def patiently(act: Callable[[], Any], *, wait: bool) -> Any:
    """Do something; where the time step's code was used, wait for the next one if asked to (S15)."""
    try:
        return act()
    except Failure as failure:
        if failure.code != "otp.used" or failure.retry_after is None:
            raise
        if not wait or failure.retry_after > LONGEST_WAIT:
            failure.detail += "" if wait else " Or repeat with --wait."
            raise
        click.echo(f"This code was used before; the next one begins in {failure.retry_after} s.", err=True)
        time.sleep(failure.retry_after)
        return act()


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(each) for each in value)
    if isinstance(value, dict):
        return ", ".join(f"{key} {_cell(each)}" for key, each in value.items())
    return str(value)
