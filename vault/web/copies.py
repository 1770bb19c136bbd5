"""A copy of the log as an answer: sent while it is read, with what is needed to go on with it afterwards.

Decided here: names, media types and headers. The entry that tells of the copy is written, and the first piece
read, before the first byte goes out, so that whatever is refused is still an answer of its own; what fails
later breaks the connection off.
"""

from __future__ import annotations

import base64
from itertools import chain
from typing import TYPE_CHECKING, Final

from flask import Response

from vault.services.exports import Format

if TYPE_CHECKING:
    from vault.services.exports import Copy, Wish

TAR: Final = "application/x-tar"
MEDIA: Final[dict[Format, str]] = {
    Format.BUNDLE: TAR,
    Format.JSONL: "application/jsonl",
    Format.CSV: "text/csv; charset=utf-8; header=present",
    Format.OCSF: "application/jsonl",
    Format.CEF: "text/plain; charset=utf-8",
}
_NAMES: Final[dict[Format, str]] = {
    Format.BUNDLE: "log.tar",
    Format.JSONL: "log.jsonl",
    Format.CSV: "log.csv",
    Format.OCSF: "log.ocsf.jsonl",
    Format.CEF: "log.cef",
}
SIZE: Final = "Rootvault-Size"
"""The header that says below which index all entries of a copy are."""

CHECKPOINT: Final = "Rootvault-Checkpoint"
"""The header with the signed checkpoint of a copy, as base64."""


def download(copy: Copy, wish: Wish) -> Response:
    """Send a copy piece by piece, as a file to be kept."""
    first = next(copy.chunks, b"")
    media = TAR if wish.proofs else MEDIA[wish.format]
    response = Response(chain((first,), copy.chunks), content_type=media)
    name = f"log.{wish.format}.tar" if wish.proofs else _NAMES[wish.format]
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers[SIZE] = str(copy.size)
    response.headers[CHECKPOINT] = base64.b64encode(copy.checkpoint.encode()).decode("ascii")
    return response
