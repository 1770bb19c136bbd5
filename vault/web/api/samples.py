"""Populations of entries and random samples of them, for auditors."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from flask import Response

from vault.domain.policy import Permission
from vault.services.samples import write
from vault.web.api.routes import operation
from vault.web.api.schemas.samples import NewSample
from vault.web.auth import actor, the_vault
from vault.web.copies import TAR

if TYPE_CHECKING:
    from vault.services.samples import Sample

_PROBLEMS = {404: ("not_found",)}


@operation("POST", "/audit/samples", Permission.LOG_EXPORT, media=(TAR,), problems=_PROBLEMS)
def draw_sample(sent: NewSample) -> Response:
    """Draw a random sample of the entries of a filter, with each entry's proof, as one tar.

    `sample/population.json` tells how many entries fit, under which checkpoint, and which were drawn: those
    with the smallest SHA-256(seed, 0A, leaf hash). `sample/redo_sample.py` draws again from a bundle of the log.
    That it was drawn is an entry, with the seed and the size of the population.
    """
    return as_file(the_vault().samples.draw(actor(), sent.drawing()))


def as_file(sample: Sample) -> Response:
    """Send a sample as a file to be kept."""
    file = io.BytesIO()
    write(sample, file)
    response = Response(file.getvalue(), content_type=TAR)
    name = f"sample-{sample.receipt.index}.tar"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
