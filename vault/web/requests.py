"""Reading requests: one well-formed JSON object, of bounded size and depth, or an error that names the place.

Decided here: what JSON is accepted (RFC 8259, and I-JSON, RFC 7493: no duplicate names, no lone
surrogates, no number that a double cannot hold). Python's parser takes more: NaN, duplicates, integers
of any length, and it ends in a RecursionError for deep input. NUL is refused as well: PostgreSQL cannot
keep it. An error never repeats what was sent.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final, NoReturn, TypeAlias, TypeVar

from flask import request
from pydantic import BaseModel, ConfigDict, ValidationError
from werkzeug.exceptions import UnsupportedMediaType

from vault.errors import FieldError, Invalid
from vault.web.wording import words_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

MAX_DEPTH: Final = 32
MAX_INTEGER: Final = 2**53 - 1
"""The largest integer that every JSON reader takes exactly (RFC 7493 section 2.2)."""
MAX_ERRORS: Final = 20
_DIGITS: Final = len(str(MAX_INTEGER)) + 1
_STRINGS: Final = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)
_MEDIA: Final = re.compile(r'application/json(\s*;\s*charset="?utf-8"?)?', re.IGNORECASE)

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"
M = TypeVar("M", bound=BaseModel)


class Wire(BaseModel):
    """What comes over the wire: exact types, nothing unknown, never changed afterwards."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


def parse(model: type[M]) -> M:
    """Read the request's body as `model`; no body counts as an empty object."""
    return validated(model, body())


def body() -> dict[str, Json]:
    """Read the request's body as one JSON object; raise `Invalid` input.not_json for anything else."""
    # before the bytes: a form's are taken by the form's own parser and would look like an empty body
    media = request.headers.get("Content-Type", "").strip()
    if media and _MEDIA.fullmatch(media) is None:
        raise UnsupportedMediaType
    data = request.get_data(cache=True)
    if not data:
        return {}
    if not media:
        raise UnsupportedMediaType
    return parse_object(data)


def query(model: type[M]) -> M:
    """Read the query's parameters as `model`, whose fields take texts; each may come once."""
    found: dict[str, Json] = {}
    for name, values in request.args.lists():
        if len(values) > 1:
            _invalid((FieldError(f"/{escaped(name)}", "Give this parameter once."),))
        found[name] = values[0]
    return validated(model, found)


def validated(model: type[M], given: Mapping[str, Json]) -> M:
    """Check `given` against `model`; raise `Invalid` with a pointer for each wrong place."""
    try:
        return model.model_validate(given)
    except ValidationError as failure:
        found = failure.errors(include_url=False, include_input=False)
        _invalid(tuple(_place(each) for each in found[:MAX_ERRORS]))


def parse_object(data: bytes) -> dict[str, Json]:
    """Parse exactly one JSON object from bytes (RFC 8259 section 8.1: UTF-8, no mark in front)."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        _not_json("It is not UTF-8.")
    _check_depth(text)
    try:
        value: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_number,
            parse_constant=_constant,
        )
    except (json.JSONDecodeError, RecursionError):
        _not_json("Check quotes, commas and brackets.")
    if not isinstance(value, dict):
        _not_json("It has to be an object: {…}.")
    check_texts(value)
    return value


def check_texts(value: Json) -> None:
    """Refuse texts that no database or terminal can keep: lone surrogates and control characters."""
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            pending.extend(each)
            pending.extend(each.values())
        elif isinstance(each, list):
            pending.extend(each)
        elif isinstance(each, str) and not is_clean(each):
            _not_json("A text in it holds a control character or half of a character.")


def is_clean(text: str) -> bool:
    """Say whether a text can be kept: no surrogates, no controls but tab and line ends."""
    return not any(
        "\ud800" <= character <= "\udfff"
        or (character < " " and character not in "\t\r\n")
        or character == "\x7f"
        for character in text
    )


def escaped(name: str | int) -> str:
    """Give one step of a JSON pointer (RFC 6901 section 3), cut short and printable."""
    text = str(name)[:64].encode("ascii", "replace").decode("ascii")
    return text.replace("~", "~0").replace("/", "~1")


def _check_depth(text: str) -> None:
    # a text of brackets inside a string is not deep
    depth = 0
    for character in _STRINGS.sub("", text):
        if character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                _not_json(f"It is nested deeper than {MAX_DEPTH} levels.")
        elif character in "]}":
            depth -= 1


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _not_json("A name is in it twice.")
    return found


def _integer(digits: str) -> int:
    if len(digits) > _DIGITS or abs(int(digits)) > MAX_INTEGER:
        _not_json("A number in it is too large.")
    return int(digits)


def _number(digits: str) -> float:
    value = float(digits)
    if not math.isfinite(value):
        _not_json("A number in it is too large.")
    return value


def _constant(_: str) -> NoReturn:
    _not_json("NaN and Infinity are not JSON.")


def _place(error: ErrorDetails) -> FieldError:
    pointer = "".join(f"/{escaped(step)}" for step in error["loc"])
    return FieldError(pointer, words_of(error))


def _not_json(why: str) -> NoReturn:
    raise Invalid("input.not_json", f"The body is not one well-formed JSON object. {why}") from None


def _invalid(errors: tuple[FieldError, ...]) -> NoReturn:
    raise Invalid(
        "input.invalid", "Some of the input is not valid; errors names each place.", errors=errors
    ) from None
