"""What the first words on many accounts rest on, side by side, for who says the second one on all of them at once.

Decided here: what is the same of all is shown once; what is not has a column; an account that differs from most of the
others comes first. Of an e-mail address it is its domain that is compared: each account has an address of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vault.domain.ids import is_email

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from vault.domain.account import Account
    from vault.domain.case import Done
    from vault.domain.outlook import Item
    from vault.services.case_views import CaseWhole


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a word rests on: the step it was given for, and its label; no label: by whom."""

    title: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One account: when its first word was said, and its value of each fact that is not the same of all.

    `unlike` says of each value whether most of the other accounts have another one.
    """

    account: Account
    at: datetime
    values: tuple[str, ...]
    unlike: tuple[bool, ...]

    @property
    def differs(self) -> bool:
        """Say whether anything of it is unlike most others."""
        return any(self.unlike)


@dataclass(frozen=True, slots=True)
class Compared:
    """Accounts side by side: what is the same of all, and what is not, those first that differ from most."""

    same: tuple[tuple[Fact, str], ...]
    facts: tuple[Fact, ...]
    lines: tuple[Line, ...]


def compare(whole: CaseWhole, items: Sequence[Item]) -> Compared:
    """Put first words side by side; each of `items` is an account's step that waits for its second word."""
    rows = [dict(_facts(whole, each)) for each in items]
    known = tuple(dict.fromkeys(fact for row in rows for fact in row))
    same = tuple((fact, rows[0][fact]) for fact in known if len({row.get(fact, "") for row in rows}) == 1)
    shared = {fact for fact, _ in same}
    facts = tuple(fact for fact in known if fact not in shared)
    usual = {fact: _usual(fact, rows) for fact in facts}
    lines = [
        Line(
            whole.scene.accounts[each.account_id],
            _first(each).at,
            tuple(row.get(fact, "") for fact in facts),
            tuple(usual[fact] not in {None, _like(row.get(fact, ""))} for fact in facts),
        )
        for each, row in zip(items, rows, strict=True)
    ]
    return Compared(same, facts, tuple(sorted(lines, key=lambda line: not line.differs)))


def _facts(whole: CaseWhole, item: Item) -> Iterator[tuple[Fact, str]]:
    """Give what a second word on a step rests on: the first one, and what was said before it."""
    title, done = item.step.title, _first(item)
    for field, value in whole.evidence(item):
        yield Fact(title, field.label), value
    if done.waiving:
        yield Fact(title, "Let go because"), done.words
    yield Fact(title), whole.names.get(done.by, "a machine")
    for basis in whole.basis(item):
        for label, value in basis.given:
            yield Fact(basis.title, label), value
        yield Fact(basis.title), basis.by


def _first(item: Item) -> Done:
    assert item.done is not None  # noqa: S101 - it waits for its second word
    return item.done


def _usual(fact: Fact, rows: Sequence[Mapping[Fact, str]]) -> str | None:
    """Give what more than half of the accounts have; None where no value is so common."""
    ((value, count),) = Counter(_like(row.get(fact, "")) for row in rows).most_common(1)
    return value if 2 * count > len(rows) else None


def _like(value: str) -> str:
    return value.rpartition("@")[2].casefold() if is_email(value) else value
