"""What a request asks for, exactly: the hash that a passkey signs, taken from the request as it came (S16).

Decided here: what is in it. Method, path with query, and every field in the order of its first name, but neither the
factor nor the form's token; each text with its length in front, so that no two requests run together the same way.
A page's script computes the same before it asks the authenticator, so that nothing typed leaves the page for it
(`static/passkey.js`); of a program's JSON the canonical form stands for the fields. Line ends count as one.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Final

from flask import g, request

from vault.domain.actor import Asked
from vault.domain.secret import Secret
from vault.web.requests import body

if TYPE_CHECKING:
    from collections.abc import Iterable

    from pydantic import BaseModel

FACTOR: Final = "otp"
BEGINNING: Final = "rootvault request v1"
_APART: Final = frozenset({FACTOR, "csrf_token"})
_CONTENT_MAX: Final = 8_192
_VALUE_MAX: Final = 400


def remember(sent: BaseModel) -> None:
    """Keep what a program sent, as its person is going to read it; for requests that carry a factor."""
    if FACTOR in type(sent).model_fields:
        g.asked_fields = sent


def asked() -> Asked | None:
    """Give what this request asks for where it carries a factor; None for all others."""
    if FACTOR in request.form:
        pairs = ((name, text) for name, text in request.form.items(multi=True) if name not in _APART)
        texts = [each.replace("\r\n", "\n").replace("\r", "\n") for pair in pairs for each in pair]
        return Asked(_digest(texts), request.method, _path())
    sent: BaseModel | None = g.get("asked_fields")
    if sent is None:
        return None
    fields = {name: value for name, value in body().items() if name not in _APART}
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    return Asked(_digest(["json", canonical]), request.method, _path(), _readable(sent))


def _digest(texts: Iterable[str]) -> bytes:
    found = hashlib.sha256()
    for text in (BEGINNING, request.method, _path(), *texts):
        data = text.encode("utf-8", "surrogatepass")
        found.update(f"{len(data)}:".encode() + data)
    return found.digest()


def _path() -> str:
    query = request.query_string.decode("ascii", "replace")
    return f"{request.path}?{query}" if query else request.path


def _readable(sent: BaseModel) -> str:
    """Write the fields for the person to read: secrets are named and not shown, long ones are cut and say so.

    Words are cut before lists: a list says what the request is about, and no text beside it hides it.
    The text is always a whole JSON object: one that ended anywhere would be shown as nothing.
    """
    shown = {
        name: "(not shown)" if isinstance(value, Secret) else value
        for name, value in sent
        if name != FACTOR and value is not None
    }
    text = json.dumps(shown, default=str, sort_keys=True)
    for kept in (list, ()):
        if len(text) <= _CONTENT_MAX:
            break
        cut = {name: value if isinstance(value, kept) else _cut(value) for name, value in shown.items()}
        text = json.dumps(cut, default=str, sort_keys=True)
    return text


def _cut(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str, sort_keys=True)
    if len(text) <= _VALUE_MAX:
        return text
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"({len(text)} characters, SHA-256 {digest}; this is their beginning only) {text[:_VALUE_MAX]}"
