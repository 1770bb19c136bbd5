"""Reading the log in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vault.domain.actor import Reach
from vault.ports.store import EntryFilter, Slice

if TYPE_CHECKING:
    from tests.support.world import World


def entries(world: World, **wanted: Any) -> list[dict[str, Any]]:
    """List the content of entries, oldest first, at most 200."""
    with world.vault.units.read() as unit:
        page = unit.log.page(EntryFilter(**wanted), Reach(everything=True), Slice(200))
    return [dict(entry.content) for entry in reversed(page.items)]


def types(world: World, account_id: str | None = None, **wanted: Any) -> list[str]:
    """List the types of entries, oldest first."""
    return [entry["type"] for entry in entries(world, account_id=account_id, **wanted)]


def newest(world: World, kind: str) -> list[dict[str, Any]]:
    """List the content of entries of one type, newest first, at most 200."""
    return entries(world, type=kind)[::-1]
