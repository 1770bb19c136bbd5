"""`rootvault policy check`: whether a file can be the policy, what it would change, and how long that would wait."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from time import monotonic

import click

from vault.adapters.clock import SystemClock
from vault.bootstrap.ground import open_signer, read_policy_file
from vault.bootstrap.open import units_for
from vault.cli.admin.host import settings_of
from vault.cli.exits import plain
from vault.cli.output import emit
from vault.domain.policy_document import read_policy
from vault.services.policies import compare
from vault.services.policy_book import PolicyBook


def check(file: Path | None, config: str | None, *, as_json: bool) -> None:
    """Read a file, or the one that the settings name, and say what it would change; nothing is written."""
    settings = settings_of(config)
    data = read_policy_file(settings) if file is None else file.read_bytes()
    read_policy(data)
    book, units = PolicyBook(SystemClock(), monotonic), units_for(settings, open_signer(settings))
    try:
        book.refresh(units)
    finally:
        units.engine.dispose()
    told = compare(book.policy, data.decode("utf-8"), timedelta(seconds=settings.people.hold_seconds))
    is_same = told.digest == book.policy.digest
    hold = int(told.hold.total_seconds())
    if as_json:
        found = [{"place": each.place, "words": each.words, "way": each.way} for each in told.differences]
        emit({"digest": told.digest, "in_force": is_same, "differences": found, "hold_seconds": hold})
        return
    click.echo(f"{file or settings.policy_file}: well formed, {told.digest}")
    if is_same:
        click.echo(f"It is version {book.number}, which is in force.")
        return
    click.echo(f"Beside version {book.number}, which is in force:")
    for each in told.differences:
        click.echo(f"  {each.way:<10}  {plain(each.place)}: {plain(each.words)}")
    if not told.differences:
        click.echo("  nothing that the program reads: comments or spacing at most")
    waits = (
        f"waits {hold} s after the second administrator's word"
        if hold
        else "counts at once with the second word"
    )
    click.echo(f"If two administrators agree, it {waits}.")
