"""What all wire models share: strictness, secrets that stay hidden, texts, times, pages.

Decided here: a body or query that says more than is known is refused; no value of the wrong type is
bent into the right one; a secret becomes `Secret` before the model that holds it exists, and is
exposed only while an answer is written. Times are RFC 3339 in UTC with ``Z``.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Final, Generic, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import PydanticCustomError

from vault.domain.ids import ACCOUNT_ID
from vault.domain.secret import Secret
from vault.ports.store import Receipt
from vault.web.requests import Wire
from vault.web.texts import REFUSED, deceives

SECRET_MAX: Final = 4096
LIMIT_MAX: Final = 200
_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]{0,15})", re.ASCII)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)

ACCOUNT_ID_PATTERN: Final = f"^{ACCOUNT_ID.pattern}$"


class Body(Wire):
    """A request's body: exactly the members named, each of exactly its type."""


class Query(BaseModel):
    """A request's query: exactly the parameters named, each at most once."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Resource(BaseModel):
    """An answer's body; made by us, so it is the shape that is promised and not the input checked."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _conceal(value: object) -> Secret[str]:
    if isinstance(value, Secret):
        return value
    if not isinstance(value, str) or not 1 <= len(value) <= SECRET_MAX:
        raise PydanticCustomError("secret", "Give a text of 1 to 4096 characters.")
    return Secret(value)


def _held(value: object) -> Secret[str]:
    if not isinstance(value, Secret):
        raise PydanticCustomError("secret", "This is never read from outside.")
    return value


def _expose(secret: Secret[str]) -> str:
    return secret.expose()


SecretText = Annotated[
    Secret[str],
    PlainValidator(_conceal),
    PlainSerializer(_expose, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "minLength": 1, "maxLength": SECRET_MAX}),
]
"""A secret on its way in or out: hidden at once, shown only in the answer it is for."""

SecretWords = Annotated[
    Secret[str],
    PlainValidator(_held),
    PlainSerializer(_expose, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string"}),
]
"""A secret of any length on its way out, perhaps an empty one."""


def _one_line(text: str) -> str:
    if deceives(text):
        raise PydanticCustomError("text", REFUSED)
    return text


def _lines(text: str) -> str:
    _one_line(text.replace("\n", "").replace("\t", ""))
    return text


Line = Annotated[str, StringConstraints(max_length=256), AfterValidator(_one_line)]
"""A short text in one line; nothing in it can turn a reader's page around (SECURITY S27)."""

Words = Annotated[str, StringConstraints(max_length=2000), AfterValidator(_lines)]
"""A text that may have line breaks."""

Lax: Final = Field(strict=False)
"""For enumerations in bodies: JSON has only their names."""

AccountId = Annotated[str, StringConstraints(pattern=ACCOUNT_ID_PATTERN)]


def _count(value: object) -> object:
    if isinstance(value, str) and _NUMBER.fullmatch(value) is not None:
        return int(value)
    raise PydanticCustomError("number", "Give a whole number.")


def _time(value: object) -> object:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        raise PydanticCustomError("time", "Give a time such as 2026-01-31T09:00:00Z (RFC 3339).")
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("time", "There is no such time.") from None


QueryNumber = Annotated[int, BeforeValidator(_count, json_schema_input_type=int)]
"""A whole number as a query parameter: ASCII digits, nothing around them."""

QueryTime = Annotated[
    datetime, BeforeValidator(_time), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A moment as a query parameter."""


class PageQuery(Query):
    """Which page of a list."""

    limit: Annotated[QueryNumber, Field(ge=1, le=LIMIT_MAX, description="At most so many items.")] = 50
    cursor: Annotated[str, StringConstraints(max_length=512)] | None = Field(
        default=None, description="`next` of the page before."
    )


class NoQuery(Query):
    """No parameters."""


class NoBody(Body):
    """Nothing: an empty body, or an empty object."""


R = TypeVar("R", bound=Resource)


class Items(Resource, Generic[R]):
    """One page of a list; `next` is the cursor of the page after, null at the end."""

    items: list[R]
    next: str | None

    @classmethod
    def model_parametrized_name(cls, params: tuple[Any, ...]) -> str:
        """Name a page by what it holds, as the document shows it."""
        return f"{params[0].__name__}Page"


class ReceiptResource(Resource):
    """Proof that an entry is in the log: keep it, and it verifies without us."""

    index: int
    leaf_hash: str = Field(description="Hex SHA-256 of 0x00 and the leaf (RFC 6962).")
    checkpoint: str = Field(description="The log's signed checkpoint (C2SP tlog-checkpoint).")

    @classmethod
    def of(cls, receipt: Receipt) -> ReceiptResource:
        """Show one."""
        return cls(index=receipt.index, leaf_hash=receipt.leaf_hash, checkpoint=receipt.checkpoint)


class PersonName(Resource):
    """Who."""

    id: str
    name: str
