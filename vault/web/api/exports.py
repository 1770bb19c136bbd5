"""Copies of the log to take along."""

from __future__ import annotations

from flask import Response

from vault.domain.policy import Permission
from vault.services.exports import Format
from vault.web.api.routes import operation
from vault.web.api.schemas.exports import NewExport
from vault.web.auth import actor, the_vault
from vault.web.copies import MEDIA, download

_PROBLEMS = {404: ("not_found",)}
_MEDIA = tuple(dict.fromkeys(MEDIA[each] for each in Format))


@operation("POST", "/audit/exports", Permission.LOG_EXPORT, media=_MEDIA, problems=_PROBLEMS)
def export_log(sent: NewExport) -> Response:
    """Take a copy of the log: the whole as a `bundle`, or entries over a filter as jsonl, csv, ocsf or cef.

    `python -m audit verify` reads a bundle. A line of jsonl has `index`, `leaf_hash`, `leaf` (the exact text)
    and `proof` (C2SP tlog-proof); the other formats have their proofs beside them in a tar, with `proofs`. The
    last line says how the copy ended; without it the copy was cut off, and the same request with `after` and
    `checkpoint` goes on with it. Whose scope is a part of the accounts takes an extract of those, never a bundle.
    """
    wish = sent.wish()
    return download(the_vault().exports.begin(actor(), wish), wish)
