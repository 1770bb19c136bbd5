"""One table of a policy's document: its values, each read as what it has to be, or a refusal that names the place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NoReturn, TypeVar

from vault.domain.policy_lines import Path
from vault.errors import Refused

W = TypeVar("W", bound=StrEnum)


class WrongPlace(Refused):
    """A policy that is wrong at `path`; whoever knows the text says which line that is."""

    def __init__(self, path: Path, words: str, line: int | None = None) -> None:
        self.path, self.words = path, words
        place = ".".join(map(str, path))
        where = "policy" if line is None else f"policy, line {line}"
        super().__init__("policy.invalid", f"{where}: {place} {words}.", place=place, line=line)


def wrong(path: Path, words: str) -> NoReturn:
    """Refuse the policy."""
    raise WrongPlace(path, words)


@dataclass(frozen=True, slots=True)
class Table:
    """A table and where it stands."""

    body: Mapping[str, object]
    path: Path = ()

    def __iter__(self) -> Iterator[str]:
        return iter(self.body)

    def __contains__(self, name: str) -> bool:
        return name in self.body

    def at(self, name: str) -> Path:
        """Give the place of a key."""
        return (*self.path, name)

    def only(self, known: set[str]) -> None:
        """Refuse keys that are not known."""
        for name in self.body:
            if name not in known:
                wrong(self.at(name), "is not known here; check the spelling")

    def table(self, name: str, *, optional: bool = False) -> Table:
        """Give a table in it; an absent one is empty where it is `optional`."""
        value = self.body.get(name, {} if optional else None)
        if not isinstance(value, Mapping):
            wrong(self.at(name), "is missing, or not a table")
        return Table(value, self.at(name))

    def tables(self, name: str) -> list[Table]:
        """Give an array of tables, empty where it is absent."""
        value = self.body.get(name, [])
        if not isinstance(value, list):
            wrong(self.at(name), f"must be a list of tables, each written as [[{name}]]")
        for place, each in enumerate(value):
            if not isinstance(each, Mapping):
                wrong((*self.at(name), place), "must be a table")
        return [Table(each, (*self.at(name), place)) for place, each in enumerate(value)]

    def words(self, name: str, kind: type[W]) -> frozenset[W]:
        """Give a list of known words that is not empty."""
        value = self.body.get(name)
        if not isinstance(value, list) or not value:
            wrong(self.at(name), "must be a list that is not empty")
        known = {str(word): word for word in kind}
        for word in value:
            if not isinstance(word, str) or word not in known:
                wrong(self.at(name), f"{word!r} is not one of {', '.join(known)}")
        return frozenset(known[word] for word in value)

    def word(self, name: str, kind: type[W], default: W | None = None) -> W | None:
        """Give one known word, or the default where there is none."""
        value = self.body.get(name)
        if value is None and name not in self.body:
            return default
        known = {str(word): word for word in kind}
        if not isinstance(value, str) or value not in known:
            wrong(self.at(name), f"{value!r} is not one of {', '.join(known)}")
        return known[value]

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a list of texts that is not empty."""
        value = self.body.get(name)
        if not isinstance(value, list) or not value or not all(isinstance(each, str) for each in value):
            wrong(self.at(name), "must be a list of texts that is not empty")
        return tuple(value)

    def text(self, name: str) -> str:
        """Give a text that is not empty."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value.strip():
            wrong(self.at(name), "must be a text that is not empty")
        return value

    def number(self, name: str, low: int, high: int, default: int | None = None) -> int:
        """Give a whole number within bounds, or the default where there is none."""
        value = self.body.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            wrong(self.at(name), f"must be a whole number from {low} to {high}")
        return value
