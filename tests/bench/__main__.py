"""`python -m tests.bench [NAME…]`: run measurements by hand, one after the other, on a quiet machine."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import tempfile
import time
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table as Shown

from tests.bench.measure import Result
from tests.bench.places import GREAT, TINY, USUAL, both_places

NAMES: Final = (
    "seal",
    "requests",
    "decide",
    "reveal",
    "flat",
    "rest",
    "append",
    "verify",
    "trail",
    "rewrap",
    "health",
    "handover",
    "start",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--great", is_flag=True, help="Up to 100,000 accounts and 1,000,000 entries: takes long.")
@click.option("--tiny", is_flag=True, help="Only to see that everything runs.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option(
    "--directory",
    type=click.Path(path_type=Path),
    help="On which disk; else the one of temporary files. /dev/shm waits for none.",
)
def main(names: tuple[str, ...], directory: Path | None, *, great: bool, tiny: bool, as_json: bool) -> None:
    """Measure what things cost, beside what they would cost at least: NAME… or all of them."""
    size = GREAT if great else TINY if tiny else USUAL
    results: list[Result] = []
    tempfile.tempdir = None if directory is None else str(directory)
    console = Console(stderr=as_json, highlight=False, width=140)
    console.print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {machine()}")
    for name in names or NAMES:
        began = time.perf_counter()
        with both_places() as places:
            result: Result = import_module(f"tests.bench.{name}").run(places, size)
        results.append(result)
        show(console, result)
        console.print(
            f"[dim]{name}: {time.perf_counter() - began:.0f} s, load {os.getloadavg()[0]:.1f}[/dim]\n"
        )
    if as_json:
        found = {"machine": machine(), "results": [dataclasses.asdict(result) for result in results]}
        click.echo(json.dumps(found, indent=1))


def show(console: Console, result: Result) -> None:
    """Print tables, then what was promised and whether it was kept."""
    for table in result.tables:
        shown = Shown(title=f"{result.name}: {table.title}", title_justify="left")
        for at, column in enumerate(table.columns):
            is_number = bool(table.rows) and not isinstance(table.rows[0][at], str)
            shown.add_column(column, justify="right" if is_number else "left")
        for row in table.rows:
            shown.add_row(*(f"{cell:,}" if isinstance(cell, int | float) else cell for cell in row))
        console.print(shown)
    for aim in result.aims:
        console.print(f"{'reached   ' if aim.reached else 'NOT REACHED'} {aim.name}: {aim.words}")
    for note in result.notes:
        console.print(note)


def machine() -> str:
    """Describe the machine, as far as it matters and names nobody."""
    return f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"


if __name__ == "__main__":
    main()
