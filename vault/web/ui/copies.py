"""Taking a copy of the log along, from the page that shows it.

Decided here: a copy is of what the page's filter shows; the whole log has no filter, and is only offered to who
may have it. A person whose download was cut off takes it again; programs and the command line go on with it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import request

from vault.domain.policy import Permission
from vault.errors import FieldError, Invalid
from vault.services.exports import BESIDE, Format, Wish
from vault.web.auth import actor, the_vault
from vault.web.copies import download
from vault.web.guard import needs
from vault.web.ui.site import blueprint
from vault.web.ui.trail import FILTERS, filter_of

if TYPE_CHECKING:
    from flask import Response


@blueprint.post("/trail/copy")
@needs(Permission.LOG_EXPORT)
def trail_copy() -> Response:
    """Give a copy as a file; that it was taken is an entry."""
    asked = {name: request.form.get(name, "").strip() for name in FILTERS}
    wanted = request.form.get("format", Format.BUNDLE)
    if wanted not in set(Format):
        place = FieldError("/format", "Choose one of the formats.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    format_ = Format(wanted)
    with_proofs = format_ in BESIDE and request.form.get("proofs") == "yes"
    wish = Wish(format_, filter_of(asked), proofs=with_proofs)
    return download(the_vault().exports.begin(actor(), wish), wish)


@blueprint.app_template_global()
def can_take_whole() -> bool:
    """Say whether the visitor may have the log as a whole: their scope is everything."""
    return the_vault().policy.reach(actor(), Permission.LOG_EXPORT).everything
