"""The log: entries as people search them, and the published formats that prove them (C2SP, RFC 6962)."""

from __future__ import annotations

from typing import Final

from flask import Response

from vault.domain.policy import Permission
from vault.errors import not_found
from vault.ports.store import Slice
from vault.web.api.routes import BYTES, TEXT, index_of, operation
from vault.web.api.schemas.audit import (
    ConsistencyQuery,
    ConsistencyResource,
    EntryItems,
    EntryQuery,
    EntryResource,
)
from vault.web.auth import actor, the_vault
from vault.web.guard import SIGNED_IN
from vault.web.security import keep

_PARTIAL: Final = ".p/"


_LISTED: Final = {404: ("not_found",), 422: ("cursor.invalid",)}


@operation("GET", "/audit/entries", Permission.TRAIL_READ, problems=_LISTED)
def list_entries(sent: EntryQuery) -> EntryItems:
    """List entries newest first: all for auditors, those of accounts in scope for everyone else.

    What is given narrows together. Each page that an auditor reads is an entry itself. A search that would
    cost too much stops before its page is full: then `reached` tells how far it looked, and `next` goes on there.
    A type or an outcome that is not known is refused, and an account that nothing is known of is not there.
    """
    return EntryItems.shown(the_vault().trail.page(actor(), sent.wanted(), Slice(sent.limit, sent.cursor)))


@operation("GET", "/audit/entries/<index>", Permission.TRAIL_READ)
def read_entry(index: str) -> EntryResource:
    """Read one entry, with its exact leaf; that an auditor read it is an entry itself."""
    return EntryResource.of(the_vault().trail.entry(actor(), index_of(index)))


@operation("GET", "/audit/entries/<index>/proof", Permission.TRAIL_READ, media=(TEXT,))
def prove_entry(index: str) -> Response:
    """Give an entry's inclusion proof with the signed checkpoint (C2SP tlog-proof)."""
    return Response(the_vault().trail.proof(actor(), index_of(index)), content_type=TEXT)


@operation("GET", "/audit/checkpoint", SIGNED_IN, media=(TEXT,))
def read_checkpoint() -> Response:
    """Give the latest signed checkpoint (C2SP tlog-checkpoint); keep it outside."""
    return Response(the_vault().trail.checkpoint(), content_type=TEXT)


@operation("GET", "/audit/consistency", SIGNED_IN)
def prove_consistency(sent: ConsistencyQuery) -> ConsistencyResource:
    """Prove that a tree you know begins the present one (RFC 6962 section 2.1.2)."""
    return ConsistencyResource.of(the_vault().trail.consistency(sent.old, sent.new))


@operation("GET", "/audit/tile/<path:tile>", SIGNED_IN, media=(BYTES,))
def read_tile(tile: str) -> Response:
    """Give a tile of hashes (C2SP tlog-tiles)."""
    if not tile[:1].isdigit():
        raise not_found("tile", tile[:64])
    made = Response(the_vault().trail.tile(f"tile/{tile}"), content_type=BYTES)
    # a full tile never changes; a partial one may be cut out of a wider one later
    return made if _PARTIAL in tile else keep(made)


@operation("GET", "/audit/tile/entries/<path:bundle>", Permission.LOG_EXPORT, media=(BYTES,))
def read_bundle(bundle: str) -> Response:
    """Give a bundle of whole entries (C2SP tlog-tiles); that it was read is an entry itself."""
    content = the_vault().trail.entries_tile(actor(), f"tile/entries/{bundle}")
    return Response(content, content_type=BYTES)
