"""Repeated requests: the same key and body are answered from what is there now, never from a stored answer (S8).

Decided here: how a key is read, what its body's MAC covers, and how a repeat is answered. The claim of a
key is made by the log in the use case's own transaction; here it is only looked up. A disclosure is
never replayed. An answer is drawn again from the resource that the first request made or changed,
because a stored answer would be one more place where secrets could lie.

The API registers how a resource is drawn:

    @renders(blueprint, "checkout")
    def show_checkout(checkout_id: str) -> ResponseReturnValue: ...
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from flask import Blueprint, Flask, Response, current_app, g, make_response, request
from flask.typing import ResponseReturnValue

from vault.domain.actor import IdempotencyKey
from vault.errors import Conflict, FieldError, Invalid
from vault.web.auth import Visitor, the_vault
from vault.web.guard import declared

if TYPE_CHECKING:
    from flask.sansio.blueprints import BlueprintSetupState

HEADER: Final = "Idempotency-Key"
REPLAYED: Final = "Idempotency-Replayed"
PURPOSE: Final = "request.body"
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY: Final = re.compile(r"[!-~]{1,128}", re.ASCII)

Renderer: TypeAlias = Callable[[str], ResponseReturnValue]


def set_up(app: Flask) -> None:
    """Give the application its table of renderers."""
    app.extensions["rootvault.renderers"] = {}


def renders(blueprint: Blueprint, noun: str) -> Callable[[Renderer], Renderer]:
    """Register how a subject "noun:id" is drawn again; the function gets the id and checks sight itself."""

    def register(renderer: Renderer) -> Renderer:
        def record(state: BlueprintSetupState) -> None:
            state.app.extensions["rootvault.renderers"][noun] = renderer

        blueprint.record(record)
        return renderer

    return register


def begin(visitor: Visitor) -> Response | None:
    """Read the key of this request; give the answer where it is a repeat, None where it is the first."""
    key = request.headers.get(HEADER)
    if key is None or request.method in SAFE or visitor.actor is None:
        return None
    if _KEY.fullmatch(key) is None:
        place = FieldError("", f"{HEADER} takes 1 to 128 printable ASCII characters without blanks.")
        raise Invalid("input.invalid", place.detail, errors=(place,))
    g.idempotency = IdempotencyKey(key, _body_mac())
    with the_vault().units.read() as unit:
        repeat = unit.log.repeated(visitor.actor.id, key)
    if repeat is None:
        return None
    if repeat.body_mac != g.idempotency.body_mac:
        raise Invalid("idempotency.mismatch", f"This {HEADER} was used with another request; make a new key.")
    noun, _, name = (repeat.subject or "disclosure").partition(":")
    renderer = _renderers().get(noun)
    if noun == "disclosure" or renderer is None:
        raise Conflict(
            "idempotency.disclosed",
            f"What this request answered is not given twice. Ask under a new {HEADER}.",
        )
    response = make_response(renderer(name))
    response.status_code = 201 if declared().creates else 200
    response.headers[REPLAYED] = "true"
    return response


def _renderers() -> dict[str, Renderer]:
    return cast("dict[str, Renderer]", current_app.extensions["rootvault.renderers"])


def _body_mac() -> str:
    parts = [
        request.method.encode(),
        request.full_path.encode("utf-8", "surrogateescape"),
        request.get_data(cache=True),
    ]
    data = b"".join(hashlib.sha256(part).digest() for part in parts)
    return the_vault().server_key.mac(PURPOSE, data).hex()
