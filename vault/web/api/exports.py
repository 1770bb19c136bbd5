"""Copies of the log to take along."""

from __future__ import annotations

import json
import tempfile
from typing import TYPE_CHECKING, Final

from flask import Response

from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid
from vault.web.api.routes import operation
from vault.web.api.schemas.audit import NewExport
from vault.web.auth import actor, the_vault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vault.domain.actor import Actor

TAR: Final = "application/x-tar"
LINES: Final = "application/jsonl"
_IN_MEMORY: Final = 1 << 20
_CHUNK: Final = 1 << 16


@operation("POST", "/audit/exports", Permission.LOG_EXPORT, media=(TAR, LINES))
def export_log(sent: NewExport) -> Response:
    """Take a copy of the log: the whole as a `bundle`, or entries over a filter as `jsonl`, each with its proof.

    `python -m audit verify` reads a bundle. A line has `index`, `leaf_hash`, `leaf` (the exact text) and
    `proof` (C2SP tlog-proof).
    """
    if sent.format == "bundle":
        if sent.model_fields_set != {"format"}:
            place = FieldError("/format", "A bundle is the whole log; a filter goes with jsonl.")
            raise Invalid("input.invalid", place.detail, errors=(place,))
        return _download(_bundle(actor()), TAR, "log.tar")
    if sent.format == "jsonl":
        return _download(_lines(actor(), sent), LINES, "log.jsonl")
    place = FieldError("/format", "Only bundle and jsonl are made here.")
    raise Invalid("input.invalid", place.detail, errors=(place,))


def _bundle(me: Actor) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        the_vault().exports.bundle(me, file)
        yield b""
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _lines(me: Actor, sent: NewExport) -> Iterator[bytes]:
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        for each in the_vault().exports.entries(me, sent.wanted()):
            line = {
                "index": each.entry.index,
                "leaf_hash": each.entry.leaf_hash,
                "leaf": each.entry.leaf.decode("utf-8"),
                "proof": each.proof,
            }
            file.write(json.dumps(line, sort_keys=True, ensure_ascii=True).encode("ascii") + b"\n")
        yield b""
        file.seek(0)
        while chunk := file.read(_CHUNK):
            yield chunk


def _download(chunks: Iterator[bytes], media: str, name: str) -> Response:
    # the copy is complete before the first byte is sent, so that a failure is still an answer of its own
    next(chunks)
    response = Response(chunks, content_type=media)
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
