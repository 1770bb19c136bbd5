"""Progress of long work, on a terminal's standard error, and nowhere else."""

from __future__ import annotations

import sys
from collections.abc import Callable
from time import monotonic
from typing import Final, TextIO, TypeAlias

Progress: TypeAlias = Callable[[int, int], None]
"""Is told how much is done, and of how much; the last call says that all is."""

_WIDTH: Final = 30
_EVERY_SECONDS: Final = 0.1


def silent(_done: int, _total: int) -> None:
    """Say nothing."""


def bar(what: str, stream: TextIO = sys.stderr) -> Progress:
    """Return a progress bar, or silence where nobody is watching."""
    return _Bar(what, stream) if stream.isatty() else silent


class _Bar:
    def __init__(self, what: str, stream: TextIO) -> None:
        self._what = what
        self._stream = stream
        self._began = self._drawn = monotonic()

    def __call__(self, done: int, total: int) -> None:
        now = monotonic()
        if done < total and now - self._drawn < _EVERY_SECONDS:
            return
        self._drawn = now
        share = done / total if total else 1.0
        filled = round(_WIDTH * share)
        left = (now - self._began) * (1 - share) / share if share else 0.0
        rate = done / max(now - self._began, 1e-9)
        drawn = f"[{'#' * filled}{'.' * (_WIDTH - filled)}] {share:4.0%}"
        state = f"{self._what} {drawn} {done:,} of {total:,}, {rate:,.0f}/s"
        ending = f", {left:.0f} s left   " if done < total else "              \n"
        self._stream.write(f"\r{state}{ending}")
        self._stream.flush()
