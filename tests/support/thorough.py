"""How much is tried: what finds planted faults each time by default, much more with ``THOROUGH=true``."""

from __future__ import annotations

import inspect
import os
import re
from typing import TYPE_CHECKING, Final
from zlib import crc32

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable

THOROUGH: Final = os.environ.get("THOROUGH") == "true"
ABOVE: Final = ("tests/services/", "tests/web/", "tests/cli/")
"""What stands above the store; its contract, races, crashes and faults are tried on both databases each time."""
_RACES: Final = re.compile(
    r"Thread|Barrier|at_once|meanwhile|same_moment|two_runs|two_workers|several_workers"
)
"""What stands in a test of several at the same moment: such a test is tried on both, wherever it is."""
_DATABASE: Final = re.compile(r"\b(sqlite|postgresql)\b")


def times(usual: int, thorough: int) -> int:
    """Give the one number or the other."""
    return thorough if THOROUGH else usual


def other_half(items: Iterable[pytest.Item]) -> set[str]:
    """Name the tests above the store that are tried on the other database: by name, so that it is always the same."""
    found: dict[str, dict[str, str]] = {}
    for each in items:
        function, _, parameters = each.nodeid.partition("[")
        database = _DATABASE.search(parameters)
        if each.nodeid.startswith(ABOVE) and database is not None and not _races(each):
            found.setdefault(f"{function}[{_DATABASE.sub('', parameters)}", {})[database[0]] = each.nodeid
    both = ((name, pair) for name, pair in found.items() if len(pair) == 2)
    return {pair["sqlite" if crc32(name.encode()) % 2 else "postgresql"] for name, pair in both}


def _races(item: pytest.Item) -> bool:
    return isinstance(item, pytest.Function) and _RACES.search(inspect.getsource(item.function)) is not None
