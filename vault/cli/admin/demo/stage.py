"""How the story is told: one line for each step as it happens, with figures, and a mark that it went well.

Decided here: a step that fails ends the story, because what follows stands on it, and is told with the
error's own words. Never told here: a secret.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click

from vault.cli.exits import Failure
from vault.errors import VaultError

Told = Callable[[str], None]


@dataclass(slots=True)
class Stage:
    """Tells scenes and steps; counts what went well."""

    as_json: bool = False
    steps: int = 0

    def scene(self, title: str) -> None:
        """Begin a scene."""
        if not self.as_json:
            click.secho(f"\n{title}", bold=True)

    @contextmanager
    def step(self, words: str) -> Iterator[Told]:
        """Tell one step once it is done; the body may add figures by calling what it is given."""
        figures: list[str] = []
        began = time.perf_counter()
        try:
            yield figures.append
        except Exception as error:
            self._tell(words, [_words_of(error)], began, ok=False)
            raise Failure("operation.failed", f"The story stopped at: {words}.", exit_status=1) from error
        self.steps += 1
        self._tell(words, figures, began, ok=True)

    def note(self, words: str) -> None:
        """Say something that is not a step."""
        if not self.as_json:
            click.echo(words)

    def _tell(self, words: str, figures: list[str], began: float, *, ok: bool) -> None:
        milliseconds = round((time.perf_counter() - began) * 1000)
        if self.as_json:
            told = {"step": words, "ok": ok, "figures": figures, "milliseconds": milliseconds}
            click.echo(json.dumps(told, sort_keys=True))
            return
        mark = click.style("✓", fg="green") if ok else click.style("✗", fg="red")
        rest = click.style(f"  {'; '.join(figures)}" if figures else "", dim=True)
        click.echo(f"  {mark} {words}{rest}{click.style(f'  {milliseconds} ms', dim=True)}")


def refused(code: str, act: Callable[[], object]) -> str:
    """Do what has to be refused with this code, and give the refusal's words; raise if it was not."""
    try:
        act()
    except VaultError as error:
        if error.code != code:
            raise
        return error.detail
    raise AssertionError(f"this should have been refused as {code}")


def _words_of(error: Exception) -> str:
    if isinstance(error, VaultError):
        return f"{error.detail} [{error.code}]"
    return f"{type(error).__name__}: {error}"
