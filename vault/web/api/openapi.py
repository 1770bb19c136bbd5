"""The OpenAPI 3.1 document, made from the table of operations and the wire models.

Decided here: the document's words that are not an operation's own. It is made, not maintained:
``docs/openapi.json`` is its committed copy, and a test compares them. A generator of our own and no
library: those that fit Flask and pydantic read requests by themselves, with a JSON parser that takes
NaN and duplicate names, and their errors repeat the input.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema

from vault.domain.policy import Permission
from vault.errors import CODES
from vault.web.api.routes import JSON, OPERATIONS, PREFIX, Operation
from vault.web.api.schemas.base import NoBody
from vault.web.api.schemas.problem import Problem
from vault.web.errors import PROBLEM, TITLES
from vault.web.guard import Need

VERSION: Final = "1.0.0"
"""The contract's own version: the first number is the one in the path."""

_KEY: Final = "IdempotencyKey"
_ALWAYS: Final[dict[int, tuple[str, ...]]] = {
    400: ("input.invalid",),
    401: ("auth.required",),
    422: ("input.invalid",),
    429: ("limit.requests",),
    500: ("internal",),
    503: ("database.unavailable", "log.unavailable", "log.rolled_back"),
}
_CHANGING: Final[dict[int, tuple[str, ...]]] = {
    403: ("policy.denied", "origin.refused"),
    409: ("concurrent.change", "idempotency.disclosed"),
    413: ("input.too_large",),
    415: ("media.unsupported",),
    422: ("input.not_json", "idempotency.mismatch"),
}
_FACTOR: Final[dict[int, tuple[str, ...]]] = {
    401: ("auth.refused", "auth.passkey_required"),
    409: ("otp.used", "passkey.used"),
    429: ("auth.delayed",),
}
"""What a fresh second factor may meet, wherever a body has one."""
_PARAMETERS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "step": ("The step's name, as its case's steps are listed.", {"type": "string", "maxLength": 60}),
    "account_id": ("AWS account number.", {"type": "string", "pattern": "^[0-9]{12}$"}),
    "day": ("A day (UTC), as 2026-11-23.", {"type": "string", "format": "date"}),
    "index": ("Index of an entry, from 0.", {"type": "integer", "minimum": 0}),
    "tile": ("`<L>/<N>[.p/<W>]` (C2SP tlog-tiles).", {"type": "string"}),
    "bundle": ("`<N>[.p/<W>]` (C2SP tlog-tiles).", {"type": "string"}),
}
_BOUNDS: Final = {"ge": "minimum", "le": "maximum"}
"""pydantic's names of bounds, as it leaves them where a validator of ours stands before."""
_DESCRIPTION: Final = (
    "The vault of AWS root credentials. Errors are problem details (RFC 9457) with a stable `code`; lists are pages "
    "with a cursor; times are RFC 3339 in UTC; a POST, PUT or PATCH may carry an Idempotency-Key."
)


def document() -> dict[str, Any]:
    """Make the whole document."""
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method.lower()] = _operation(each, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "rootvault", "version": VERSION, "description": _DESCRIPTION},
        "servers": [{"url": PREFIX}],
        "security": [{"bearer": []}],
        "paths": paths,
        "x-error-codes": dict(sorted(CODES.items())),
        "components": {
            "schemas": schemas["$defs"],
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A person's or a machine's token.",
                }
            },
            "parameters": {
                _KEY: {
                    "name": "Idempotency-Key",
                    "in": "header",
                    "required": False,
                    "description": "Repeats of one request carry the same key; a disclosure is never repeated.",
                    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
                }
            },
        },
    }


@cache
def text() -> str:
    """Give the document as it is committed and served; made once, when every operation is known."""
    return json.dumps(document(), indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def problems_of(each: Operation) -> dict[int, tuple[str, ...]]:
    """Give every code that an operation may answer, by status."""
    found: dict[int, set[str]] = {}
    sources = [_ALWAYS, each.problems]
    if each.method != "GET":
        sources.append(_CHANGING)
    if isinstance(each.need, Permission):
        sources.append({403: ("policy.denied",)})
    if each.body is not None and "otp" in each.body.model_fields and each.need is not Need.PUBLIC:
        sources.append(_FACTOR)
    if each.parameters:
        sources.append({404: ("not_found",)})
    for source in sources:
        for status, codes in source.items():
            found.setdefault(status, set()).update(codes)
    return {status: tuple(sorted(codes)) for status, codes in sorted(found.items())}


class _Schemas(GenerateJsonSchema):
    """Names schemas by their model; a page of them by what it holds."""

    def get_title_from_name(self, name: str) -> str:
        """Give no title to a field: its name says it."""
        return name

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        """Name bounds as JSON Schema does, also those of numbers that our own code reads first."""
        made = super().generate_inner(schema)
        return {_BOUNDS.get(name, name): value for name, value in made.items()}


def _models() -> list[tuple[type[BaseModel], str]]:
    found: dict[tuple[type[BaseModel], str], None] = {}
    for each in OPERATIONS:
        if each.body is not None:
            found[each.body, "validation"] = None
        found[each.query, "validation"] = None
        for answer in each.answers:
            found[answer, "serialization"] = None
    found[Problem, "serialization"] = None
    return list(found)


def _schemas() -> dict[str, Any]:
    """Give the components, and for each model where it is among them."""
    places, definitions = models_json_schema(
        _models(),  # type: ignore[arg-type]  # a list of pairs with a literal, which mypy sees as text
        ref_template="#/components/schemas/{model}",
        schema_generator=_Schemas,
    )
    return {"$defs": definitions["$defs"], "places": {model: place for (model, _), place in places.items()}}


def _operation(each: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    permission = each.need.value
    made: dict[str, Any] = {
        "operationId": each.name,
        "summary": each.summary,
        "tags": [each.path.split("/")[1]],
        "x-permission": permission,
        "description": " ".join(part for part in (each.description, f"Needs: {permission}.") if part),
        "parameters": [*_in_path(each), *_in_query(each, schemas)],
        "responses": {str(each.status): _answer(each, schemas)},
    }
    if each.method != "GET":
        made["parameters"].append({"$ref": f"#/components/parameters/{_KEY}"})
    if each.body is not None:
        empty = all(not field.is_required() for field in each.body.model_fields.values())
        made["requestBody"] = {
            "required": not empty,
            "content": {JSON: {"schema": schemas["places"][each.body]}},
        }
        if each.body is NoBody:
            made["requestBody"]["description"] = "May be absent."
    for status, codes in problems_of(each).items():
        made["responses"][str(status)] = _problem(status, codes)
    return made


def _in_path(each: Operation) -> list[dict[str, Any]]:
    found = []
    for name in each.parameters:
        words, schema = _PARAMETERS.get(name, ("Its id.", {"type": "string", "maxLength": 36}))
        found.append({"name": name, "in": "path", "required": True, "description": words, "schema": schema})
    return found


def _in_query(each: Operation, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    place = schemas["places"][each.query]["$ref"].rpartition("/")[2]
    schema = schemas["$defs"][place]
    found = []
    for name, field in schema.get("properties", {}).items():
        parameter = {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "schema": {key: value for key, value in field.items() if key != "description"},
        }
        if "description" in field:
            parameter["description"] = field["description"]
        found.append(parameter)
    return found


def _answer(each: Operation, schemas: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"description": "Done." if each.method != "GET" else "Here it is."}
    if each.location is not None:
        made["headers"] = {"Location": {"description": "Where it is.", "schema": {"type": "string"}}}
    places = [schemas["places"][answer] for answer in each.answers]
    if places:
        beside: dict[str, Any] = {media.partition(";")[0]: {} for media in each.media if media != JSON}
        made["content"] = {JSON: {"schema": places[0] if len(places) == 1 else {"oneOf": places}}} | beside
    elif each.status != 204:  # noqa: PLR2004 - no content, RFC 9110 section 15.3.5
        made["content"] = {media.partition(";")[0]: {} for media in each.media}
    return made


def _problem(status: int, codes: tuple[str, ...]) -> dict[str, Any]:
    return {
        "description": f"{TITLES[status]}: {', '.join(codes)}.",
        "x-codes": list(codes),
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }
