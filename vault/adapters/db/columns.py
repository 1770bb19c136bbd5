"""Columns as the tables are made of: each with its type, and with the check that the database knows as well."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, Text, text

from vault.adapters.db.types import Blob, Choice, Key, Moment
from vault.domain.actor import ScopeKind


def listed(values: Iterable[StrEnum]) -> str:
    """Write members as an SQL list, in a fixed order."""
    return "(" + ", ".join(sorted(f"'{value}'" for value in values)) + ")"


def choice(name: str, members: type[StrEnum], *, nullable: bool = False) -> Column[Any]:
    """Make a column of an enumeration's members, which the database knows as well."""
    known = CheckConstraint(f"{name} IN {listed(members)}", name=f"{name}_known")
    return Column(name, Choice(members), known, nullable=nullable)


def count(name: str, at_least: int, *, nullable: bool = False) -> Column[Any]:
    """Make a column of a number that is never below a bound."""
    bound = CheckConstraint(f"{name} >= {at_least}", name=f"{name}_counted")
    return Column(name, Integer, bound, nullable=nullable)


def own_id() -> Column[Any]:
    """Make the column that names a row."""
    return Column("id", Key, primary_key=True)


def reference(name: str, target: str, *, nullable: bool = False) -> Column[Any]:
    """Make a column that names a row of another table."""
    return Column(name, Key, ForeignKey(target), nullable=nullable)


def words(name: str, *, nullable: bool = False) -> Column[Any]:
    """Make a column of text."""
    return Column(name, Text, nullable=nullable)


def moment(name: str, *, nullable: bool = False) -> Column[Any]:
    """Make a column of times."""
    return Column(name, Moment, nullable=nullable)


def sealed(name: str) -> Column[Any]:
    """Make a column of bytes that are never none."""
    return Column(name, Blob, CheckConstraint(f"length({name}) > 0", name=f"{name}_there"), nullable=False)


def scope() -> tuple[Column[Any], Column[Any], CheckConstraint]:
    """Make the columns of a scope, which names a target unless it is everything."""
    target = CheckConstraint("(scope_kind = 'all') = (scope_target = '')", name="scope_target_fits")
    return choice("scope_kind", ScopeKind), Column("scope_target", Key, nullable=False), target


def some(name: str, columns: tuple[Column[Any], ...], where: str) -> Index:
    """Make an index over the rows for which `where` holds."""
    return Index(name, *columns, sqlite_where=text(where), postgresql_where=text(where))


def only_one(name: str, columns: tuple[Column[Any], ...], where: str) -> Index:
    """Make a partial unique index: at most one row for these columns while `where` holds (S4)."""
    return Index(name, *columns, unique=True, sqlite_where=text(where), postgresql_where=text(where))
