"""A copy's memory does not grow with the log: measured on a log that is larger than any page."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import pytest

from tests.bench.scenery import build
from vault.domain.actor import Role
from vault.services.exports import Format, Wish

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bench.scenery import Stage

MOST = 12 << 20
"""A page of entries with their proofs, or eight tiles, in all forms that they take on their way."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Make a log of many pages."""
    directory = tmp_path_factory.mktemp("copies")
    made = build(f"sqlite+pysqlite:///{directory / 'vault.db'}", directory, accounts=2)
    made.grow_to(2_000)
    yield made
    made.vault.close()


def peak(stage: Stage, wish: Wish) -> int:
    """Take a copy and give the most memory that it held."""
    copy = stage.vault.exports.begin(stage.actor(Role.AUDITOR), wish)
    tracemalloc.start()
    for _ in copy.chunks:
        continue
    found = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return found


@pytest.mark.parametrize("format_", [Format.JSONL, Format.CSV, Format.OCSF, Format.CEF])
def test_a_copy_takes_no_more_memory_than_its_first_page(stage: Stage, format_: Format) -> None:
    page = peak(stage, Wish(format_, limit=256))
    assert page < MOST
    assert peak(stage, Wish(format_)) < 1.5 * page


def test_a_bundle_takes_no_more_memory_than_some_tiles(stage: Stage) -> None:
    assert peak(stage, Wish(Format.BUNDLE)) < MOST
