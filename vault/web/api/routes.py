"""The table of operations: one decorator makes a route, its guard, its reading, its answer and its documentation.

Decided here: that a view's annotations are the contract. ``sent`` is the model of the body (of the query,
for GET), the return annotation the model of the answer; what is not annotated is not read, and what is
not known is refused. So the OpenAPI document cannot say anything else than what the code does. Never
done here: anything of one noun.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, get_args, get_type_hints

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from vault.domain.policy import Permission
from vault.errors import NotFound
from vault.web.api.schemas.base import Body, NoBody, NoQuery, Query, Resource
from vault.web.asked import remember
from vault.web.guard import Need, needs
from vault.web.requests import parse, query

PREFIX: Final = "/api/v1"
TEXT: Final = "text/plain; charset=utf-8"
BYTES: Final = "application/octet-stream"
JSON: Final = "application/json"
SAFE: Final = frozenset({"GET"})

blueprint = Blueprint("api", __name__, url_prefix=PREFIX)

View: TypeAlias = Callable[..., Resource | Response | None]
Problems: TypeAlias = Mapping[int, tuple[str, ...]]

_PARAMETER: Final = re.compile(r"<(?:path:)?([a-z_]+)>")
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,15}", re.ASCII)
_INDEX_MAX: Final = 2**53 - 1


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path, with all that its documentation says."""

    method: str
    rule: str
    name: str
    summary: str
    description: str
    need: Need | Permission
    body: type[Body] | None
    query: type[Query]
    answers: tuple[type[Resource], ...]
    media: tuple[str, ...]
    status: int
    location: str | None
    problems: Problems

    @property
    def path(self) -> str:
        """The path as OpenAPI writes it, under the prefix."""
        return _PARAMETER.sub(r"{\1}", self.rule)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in the path."""
        return tuple(_PARAMETER.findall(self.rule))


OPERATIONS: Final[list[Operation]] = []
"""Every operation of the API, in the order of the document."""


def operation(
    method: str,
    rule: str,
    need: Need | Permission,
    *,
    creates: str | None = None,
    media: tuple[str, ...] = (JSON,),
    problems: Problems | None = None,
) -> Callable[[View], View]:
    """Make a view an operation.

    ``creates`` is the path of what a success makes, with members of the answer in braces; the answer is
    then 201 with its Location. ``problems`` are the codes by status that are this operation's own.
    """

    def register(view: View) -> View:
        hints = get_type_hints(view)
        sent: Any = hints.get("sent")
        reads_query = sent is not None and issubclass(sent, Query)
        words = (view.__doc__ or "").strip().partition("\n")
        made = Operation(
            method=method,
            rule=rule,
            name=view.__name__,
            summary=words[0].rstrip("."),
            description=" ".join(words[2].split()),
            need=need,
            body=None if method in SAFE | {"DELETE"} else (sent or NoBody),
            query=sent if reads_query else NoQuery,
            answers=_answers(hints["return"]),
            media=media,
            status=_status(hints["return"], creates),
            location=creates,
            problems=problems or {},
        )

        @functools.wraps(view)
        def respond(**names: str) -> ResponseReturnValue:
            asked = query(made.query)
            read = asked if reads_query else parse(made.body) if made.body is not None else None
            if read is not None:
                remember(read)
            arguments: dict[str, object] = dict(names) if sent is None else {**names, "sent": read}
            return written(view(**arguments), made)

        blueprint.add_url_rule(
            rule,
            endpoint=made.name,
            view_func=needs(need, creates=creates is not None)(respond),
            methods=[method],
        )
        OPERATIONS.append(made)
        return view

    return register


def written(answer: Resource | Response | None, made: Operation) -> Response:
    """Write an answer: JSON of a resource, nothing for None, a made response as it is."""
    if isinstance(answer, Response):
        return answer
    if answer is None:
        return Response(status=204)
    response = as_json(answer)
    response.status_code = made.status
    if made.location is not None:
        response.headers["Location"] = PREFIX + made.location.format_map(answer.__dict__)
    return response


def as_json(answer: Resource) -> Response:
    """Write a resource; the only place where a secret in it is exposed."""
    return Response(answer.model_dump_json(), content_type=JSON)


def index_of(text: str) -> int:
    """Read an entry's index from a path; what no log can have is not there."""
    if _INDEX.fullmatch(text) is None or int(text) > _INDEX_MAX:
        raise NotFound(
            "not_found", "There is no such entry, or it is not in your scope. An index is a whole number."
        )
    return int(text)


def _answers(hint: Any) -> tuple[type[Resource], ...]:
    found = get_args(hint) if not isinstance(hint, type) else (hint,)
    return tuple(each for each in found if isinstance(each, type) and issubclass(each, Resource))


def _status(hint: Any, creates: str | None) -> int:
    if hint is type(None):
        return 204
    return 200 if creates is None else 201
