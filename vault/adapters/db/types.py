"""Column types: what a value is in the domain, and how each database keeps it.

Decided here: times are `timestamptz` on PostgreSQL and fixed-width RFC 3339 text in UTC on SQLite, so that
comparing text compares times; both come back aware and in UTC. Enumerations are kept by value and come
back as members. Never done here: a default, or a guess at what was meant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy import DateTime, LargeBinary, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator
from typing_extensions import override

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect
    from sqlalchemy.types import TypeEngine

E = TypeVar("E", bound=StrEnum)

Key = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that is compared byte by byte on both databases: identifiers, keys, cursors."""

Blob = LargeBinary().with_variant(sqlite.BLOB(), "sqlite")


def format_moment(at: datetime) -> str:
    """Write a time as SQLite keeps it: UTC, microseconds, Z (RFC 3339); naive times are refused."""
    if at.utcoffset() is None:
        raise ValueError("a time without a zone is never kept")
    return at.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


class Moment(TypeDecorator[datetime]):
    """An aware time in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    @override
    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Keep text on SQLite, which has no times."""
        if dialect.name == "sqlite":
            return dialect.type_descriptor(sqlite.TEXT())
        return dialect.type_descriptor(postgresql.TIMESTAMP(timezone=True))

    @override
    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | datetime | None:
        """Refuse naive times, whatever the database."""
        if value is None:
            return None
        text = format_moment(value)
        return text if dialect.name == "sqlite" else value

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime | None:
        """Give an aware time in UTC, whatever the server's zone."""
        if value is None:
            return None
        return datetime.fromisoformat(value) if isinstance(value, str) else value.astimezone(UTC)


class Choice(TypeDecorator[E], Generic[E]):
    """A member of one enumeration, kept by value."""

    impl = Text
    cache_ok = True

    def __init__(self, members: type[E]) -> None:
        super().__init__()
        self.members = members
        self._by_value = {member.value: member for member in members}

    @override
    def process_bind_param(self, value: E | None, dialect: Dialect) -> str | None:
        """Keep the value of a member; anything else is a mistake of ours."""
        return None if value is None else self.members(value).value

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> E | None:
        """Give the member; `ValueError` for a value that no version of ours wrote."""
        # the call of an enumeration costs ten times the lookup, and lists read tens of thousands
        return None if value is None else self._by_value.get(value) or self.members(value)


class Words(TypeDecorator[frozenset[str]]):
    """A set of names without blanks, kept sorted in one text."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: frozenset[str] | None, dialect: Dialect) -> str | None:
        """Join the names."""
        return None if value is None else " ".join(sorted(value))

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> frozenset[str] | None:
        """Split them again."""
        return None if value is None else frozenset(value.split())


class Given(TypeDecorator[Mapping[str, str]]):
    """Texts by name, kept as canonical JSON."""

    impl = Text
    cache_ok = True

    @override
    def process_bind_param(self, value: Mapping[str, str] | None, dialect: Dialect) -> str | None:
        """Write them: keys in order, no spaces."""
        if value is None:
            return None
        return json.dumps(dict(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)

    @override
    def process_result_value(self, value: Any | None, dialect: Dialect) -> Mapping[str, str] | None:
        """Read them again."""
        return None if value is None else json.loads(value)
