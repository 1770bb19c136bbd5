"""Drawing a sample: a form that names the population, and the sample as a file; the form needs no script."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from flask import Response, request

from vault.domain.event import CATALOGUE
from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid, VaultError
from vault.ports.store import Slice
from vault.services.samples import MOST, USUAL, Drawing, write
from vault.web.auth import actor, the_vault
from vault.web.copies import TAR
from vault.web.errors import status_of
from vault.web.guard import needs
from vault.web.ui.site import blueprint, page
from vault.web.ui.trail import FAMILIES, FILTERS, family, filter_of
from vault.web.ui.words import OUTCOME, event

if TYPE_CHECKING:
    from collections.abc import Mapping

CUSTOMERS = 500
FIELDS = (*FILTERS, "customer", "n", "seed")


@blueprint.get("/sample")
@needs(Permission.LOG_EXPORT)
def sample_page() -> Response:
    """Ask what the population is."""
    return _form({name: request.args.get(name, "") for name in FIELDS})


@blueprint.post("/sample")
@needs(Permission.LOG_EXPORT)
def sample_draw() -> Response:
    """Give the sample as a file; that it was drawn is an entry."""
    asked = {name: request.form.get(name, "").strip() for name in FIELDS}
    try:
        wanted = filter_of(asked)
        drawing = Drawing(wanted, asked["customer"] or None, _count(asked["n"]), asked["seed"] or None)
        sample = the_vault().samples.draw(actor(), drawing)
    except VaultError as refusal:
        return _form(asked, refusal)
    file = io.BytesIO()
    write(sample, file)
    name = f'attachment; filename="sample-{sample.receipt.index}.tar"'
    return Response(file.getvalue(), content_type=TAR, headers={"Content-Disposition": name})


def _form(asked: Mapping[str, str], error: VaultError | None = None) -> Response:
    vault, who = the_vault(), actor()
    return page(
        "ui/sample.html",
        200 if error is None else status_of(error),
        asked=asked,
        error=error,
        most=MOST,
        usual=USUAL,
        customers=vault.customers.page(who, None, Slice(CUSTOMERS)).items,
        families=[(name, family(begins)) for name, begins in FAMILIES],
        types=[(name, event(name)) for name in sorted(CATALOGUE)],
        outcomes=[(name, word.name) for name, word in OUTCOME.items()],
    )


def _count(text: str) -> int:
    if not text:
        return USUAL
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(MOST))):
        place = FieldError("/n", f"Draw 1 to {MOST} entries.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    return int(text)
